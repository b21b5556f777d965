// A button that opens the browser's own printing.

/** @import { Component } from "./component.d.ts" */

/** @param {Component<string>} component */
export default function ({ data, parentElement }) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "sc-button";
  button.textContent = data;
  button.onclick = () => window.print();
  parentElement.replaceChildren(button);
}
