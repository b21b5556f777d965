/** Elements, icons and small questions to the browser. */

/** @type {Record<string, string[]>} name -> the paths of a drawing 16 px high */
export const ICONS = {
  find: ["M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Z", "M10.6 10.6 14 14"],
  undo: ["M6 3 3 6l3 3", "M3 6h6.5a3.5 3.5 0 0 1 0 7H7"],
  redo: ["m10 3 3 3-3 3", "M13 6H6.500a3.500 3.500 0 0 0 0 7H9"],
  expand: ["M2.500 8h4", "M6.500 8c3 0 2-5 5-5H13", "M6.500 8H13", "M6.500 8c3 0 2 5 5 5H13"],
  fold: ["M2.500 8H7", "m10.500 5.500-3 2.500 3 2.500", "M13 3v10"],
  path: [
    "M3 11.500a1.500 1.500 0 1 0 0 .01",
    "M4.500 12H7c2 0 2-8 4-8h.500",
    "M13 4a1.500 1.500 0 1 0 0 .01",
  ],
  hide: ["M2 8s2.200-4 6-4 6 4 6 4-2.200 4-6 4-6-4-6-4Z", "M13.500 2.500l-11 11"],
  focus: [
    "M8 4.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7Z",
    "M8 1v3",
    "M8 12v3",
    "M1 8h3",
    "M12 8h3",
  ],
  dates: ["M3 4h10v9.500H3Z", "M3 7h10", "M5.500 2.500v3", "M10.500 2.500v3"],
  studios: ["M2.500 8h3", "M5.500 5.500h5v5h-5Z", "M10.500 8h3"],
  help: ["M6 6a2 2 0 1 1 2.800 1.800c-.6.300-.8.700-.8 1.400", "M8 11.600v.01"],
  pin: ["M5.500 2.500h5", "M6.500 2.500v4L4.500 9h7L9.500 6.500v-4", "M8 9v4.500"],
  share: ["M7 2.500H3v11h4", "M7 8h6.500", "m10.500 5 3 3-3 3"],
  less: ["M3.500 8h9"],
  more: ["M3.500 8h9", "M8 3.500v9"],
  play: ["M5 3v10l8-5Z"],
  stop: ["M4 4h8v8H4Z"],
};
const FILLED_ICONS = new Set(["play", "stop"]);

const SVG_SPACE = "http://www.w3.org/2000/svg";

/**
 * An element with its attributes, listeners (`on...`), `class`, `text` and children.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [about] null, undefined and false are left out
 * @param {(Node | string)[]} children
 */
export function element(tag, about = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (name === "class") made.className = value;
    else if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      made.setAttribute(name, value);
    }
  }
  made.append(...children);
  return made;
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} about
 * @param {Node[]} children
 */
export function svgElement(tag, about, ...children) {
  const made = document.createElementNS(SVG_SPACE, tag);
  for (const [name, value] of Object.entries(about)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} name */
export function icon(name) {
  const lines = (ICONS[name] ?? []).map((d) =>
    svgElement("path", {
      d,
      fill: FILLED_ICONS.has(name) ? "currentColor" : "none",
      stroke: "currentColor",
      "stroke-width": "1.5",
      "stroke-linecap": "round",
      "stroke-linejoin": "round",
    })
  );
  return svgElement("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, ...lines);
}

/**
 * @param {string} text with {names} in braces
 * @param {Record<string, unknown>} values
 */
export function fillTemplate(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** @param {string} colour of CSS */
export function isDark(colour) {
  const probe =
    /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  probe.fillStyle = colour;
  const hex = probe.fillStyle;
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 110;
}

/** Whether the visitor's system asks for less motion. */
export function prefersCalm() {
  return globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/**
 * Key -> the items of that key, in their order.
 *
 * @template Item, Key
 * @param {Item[]} items
 * @param {(item: Item) => Key} find
 */
export function groupBy(items, find) {
  /** @type {Map<Key, Item[]>} */
  const groups = new Map();
  for (const item of items) {
    const key = find(item), group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
