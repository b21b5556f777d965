// Mounts the view once the library and the people it is to show are there; sends nothing itself.

/** @import { Component } from "../../browser/component.d.ts" */
/** @import { Lineage } from "./lineage.js" */
/** @import { Channels, Turn } from "./types.d.ts" */

/**
 * What stays with the place of the widget from one run of the page to the next.
 *
 * @typedef {object} Mounted
 * @property {Channels} [shichengSend]
 * @property {Turn} [shichengData]
 * @property {Lineage} [shichengView]
 * @property {() => void} [shichengWait]
 */

const EVENTS = ["shicheng-lineage-ready", "shicheng-lineage-people"];

/** @param {Component<Turn>} component */
export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  /** @type {HTMLElement & Mounted} */
  const mounted = parentElement;
  mounted.shichengSend = {
    select: (id, click) => setStateValue("selected", { id, click }),
    done: (what) => setTriggerValue("done", what),
  };
  mounted.shichengData = data;
  const show = () => {
    const { shichengData: turn, shichengSend: send } = mounted;
    const people = turn && window.shichengPeople?.get(turn.view);
    if (!window.ShichengLineage || !people || !send) return;
    // Streamlit gives the shadow root, where styles of the page do not reach.
    const root = /** @type {ShadowRoot} */ (/** @type {unknown} */ (parentElement));
    mounted.shichengView ??= new window.ShichengLineage(root);
    mounted.shichengView.show(turn, people, send);
  };
  const stopWaiting = () => {
    for (const name of EVENTS) {
      if (mounted.shichengWait) window.removeEventListener(name, mounted.shichengWait);
    }
  };
  stopWaiting();
  mounted.shichengWait = () => {
    if (mounted.shichengView?.data?.view !== mounted.shichengData?.view) show();
  };
  for (const name of EVENTS) window.addEventListener(name, mounted.shichengWait);
  show();
  return () => {
    stopWaiting();
    mounted.shichengView?.close();
    delete mounted.shichengView;
  };
}
