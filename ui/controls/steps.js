// Steps of a chain: a click on a person asks the lineage to bring that person to the middle.

/** @import { Component } from "../browser/component.d.ts" */

/** @param {Component<{ html: string }>} component */
export default function ({ data, parentElement }) {
  parentElement.innerHTML = data.html; // escaped where it was written
  parentElement.onclick = (event) => {
    const button = /** @type {HTMLElement | null} */ (
      /** @type {Element} */ (event.target).closest("button[data-person]")
    );
    if (!button) return;
    window.dispatchEvent(new CustomEvent("shicheng-centre", { detail: button.dataset.person }));
  };
}
