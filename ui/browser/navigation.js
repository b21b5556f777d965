// The browser's history and the links of the app.
// - A link in what Python has written (`a.sc-link`) opens in place: the visit goes on, and with it
//   what was typed into a search box, which no address holds. A page link to another address of the
//   page that is open goes the same way: Streamlit runs it as a step of the history, so Python knows
//   it from a click whose address is an old one (ui/shell/address.py).
// - One step back is one thing undone. Language and policy belong to the visit, not to a page, so
//   they replace the address that stands; and where Streamlit goes to another page in two steps
//   (first the parameters, then the path), the second replaces the first.

/** @import { Component } from "./component.d.ts" */

const PUSH = Symbol.for("shicheng.push");
/** @type {History & { [PUSH]?: any }} the browser's own way to push, kept beside ours */
const own = history;
const TOGETHER = 3000; // ms between the two steps of one way to another page

/**
 * @param {string} search
 * @param {string[]} ofVisit parameters that are no step of the history
 */
function withoutVisit(search, ofVisit) {
  const left = new URLSearchParams(search);
  ofVisit.forEach((name) => left.delete(name));
  left.sort();
  return left.toString();
}

/** @param {string[]} ofVisit */
function steps(ofVisit) {
  const push = own[PUSH] ?? history.pushState;
  own[PUSH] = push;
  let parametersAt = -TOGETHER;
  history.pushState = function (state, title, address) {
    const now = new URL(location.href);
    const next = new URL(address ?? now, now);
    const here = next.pathname === now.pathname;
    const same = withoutVisit(next.search, ofVisit) === withoutVisit(now.search, ofVisit);
    const second = !here && same && performance.now() - parametersAt < TOGETHER;
    parametersAt = here && !same ? performance.now() : -TOGETHER;
    if ((here && same) || second) history.replaceState(state, title, address);
    else push.call(history, state, title, address);
  };
}

/** @param {HTMLAnchorElement} link */
const leadsWithinPage = (link) =>
  link.pathname === location.pathname && link.search !== "" && link.search !== location.search;

/** @param {MouseEvent} event */
function follow(event) {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const link = /** @type {HTMLAnchorElement | null | undefined} */ (
    /** @type {Element} */ (event.target).closest?.("a.sc-link, [data-testid=stPageLink-NavLink]")
  );
  if (!link || (!link.matches(".sc-link") && !leadsWithinPage(link))) return;
  if (link.origin !== location.origin || !["", "_self"].includes(link.target)) return;
  event.preventDefault();
  event.stopPropagation(); // of a page link: Streamlit's own click
  own[PUSH].call(history, {}, "", link.href);
  window.dispatchEvent(new PopStateEvent("popstate", { state: {} }));
  document.querySelector("[data-testid=stMain]")?.scrollTo(0, 0);
}

/** @param {Component<string[]>} component */
export default function ({ data }) {
  steps(data);
  document.addEventListener("click", follow, true);
  return () => document.removeEventListener("click", follow, true);
}
