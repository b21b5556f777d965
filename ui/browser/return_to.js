// Keeps the address asked for while the visitor signs in, and goes back to it once.

/** @import { Component } from "./component.d.ts" */

const KEY = "shicheng.asked";
/** @param {Component<"keep" | "go">} component */
export default function ({ data }) {
  if (data === "keep") {
    sessionStorage.setItem(KEY, location.pathname + location.search);
    return;
  }
  const asked = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (asked && asked !== location.pathname + location.search) location.replace(asked);
}
