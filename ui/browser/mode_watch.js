// Tells Python when the system turns light or dark.

/** @import { Component } from "./component.d.ts" */

/** @param {Component<null>} component */
export default function ({ setTriggerValue }) {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let waiting = 0;
  const turned = () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => setTriggerValue("turned", dark.matches), 200);
  };
  dark.addEventListener("change", turned);
  return () => {
    clearTimeout(waiting);
    dark.removeEventListener("change", turned);
  };
}
