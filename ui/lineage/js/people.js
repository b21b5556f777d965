// Takes in the people and ties of a view and keeps the last few by their hash; draws nothing.

/** @import { Component } from "../../browser/component.d.ts" */
/** @import { SentView } from "./types.d.ts" */

const MAX_VIEWS = 12;

/** @param {Component<SentView & { hash: string }>} component */
export default function ({ data }) {
  const views = (window.shichengPeople ??= new Map());
  views.delete(data.hash);
  views.set(data.hash, data);
  while (views.size > MAX_VIEWS) views.delete([...views.keys()][0]);
  window.dispatchEvent(new Event("shicheng-lineage-people"));
}
