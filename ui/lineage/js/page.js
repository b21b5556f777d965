// The page of a lineage taken away: drag and arrows move, the wheel, + and - enlarge, a click marks.
const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const svg = /** @type {SVGSVGElement} */ (main.querySelector("svg"));
const whole = svg.viewBox.baseVal;
const all = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
let box = { ...all };
const show = () => svg.setAttribute("viewBox", `${box.x} ${box.y} ${box.width} ${box.height}`);
const scale = () => Math.max(box.width / main.clientWidth, box.height / main.clientHeight);
/**
 * @param {number} by
 * @param {number} [x]
 * @param {number} [y]
 */
const enlarge = (by, x = box.x + box.width / 2, y = box.y + box.height / 2) => {
  const factor = Math.min(4 * all.width / box.width, Math.max(all.width / 40 / box.width, by));
  box = {
    x: x - (x - box.x) * factor,
    y: y - (y - box.y) * factor,
    width: box.width * factor,
    height: box.height * factor,
  };
  show();
};
/**
 * @param {number} dx
 * @param {number} dy
 */
const move = (dx, dy) => {
  box.x += dx;
  box.y += dy;
  show();
};
/** @param {MouseEvent} event */
const locate = (event) =>
  new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM()?.inverse());
main.addEventListener("wheel", (event) => {
  event.preventDefault();
  const { x, y } = locate(event);
  enlarge(event.deltaY > 0 ? 1.15 : 1 / 1.15, x, y);
}, { passive: false });
/** @type {[number, number] | null} */
let from = null;
let moved = 0;
main.addEventListener("pointerdown", (event) => {
  from = [event.clientX, event.clientY];
  moved = 0;
});
main.addEventListener("pointermove", (event) => {
  if (!from || !event.buttons) return;
  const dx = event.clientX - from[0], dy = event.clientY - from[1];
  moved += Math.abs(dx) + Math.abs(dy);
  if (moved > 4) move(-dx * scale(), -dy * scale());
  from = [event.clientX, event.clientY];
});
main.addEventListener("pointerup", (event) => {
  from = null;
  if (moved <= 4) mark(/** @type {Element} */ (event.target).closest(".person, .studio"));
});
const ties = [...svg.querySelectorAll(".tie")].map((element) => ({
  element,
  from: element.getAttribute("data-from"),
  to: element.getAttribute("data-to"),
}));
const studios = new Set(
  [...svg.querySelectorAll(".studio")].map((studio) => studio.getAttribute("data-id")),
);
/**
 * The ties of a box; those that go by way of a studio up to the person at the other end.
 *
 * @param {string | null} id
 */
const findTies = (id) => {
  const below = ties.filter((tie) => tie.from === id), above = ties.filter((tie) => tie.to === id);
  const led = new Set(below.map((tie) => tie.to).filter((box) => studios.has(box)));
  const joined = new Set(above.map((tie) => tie.from).filter((box) => studios.has(box)));
  const across = ties.filter((tie) => led.has(tie.from) || joined.has(tie.to));
  return new Set([...below, ...above, ...across]);
};
/** @param {Element | null} person */
const mark = (person) => {
  const id = person?.getAttribute("data-id") ?? null;
  svg.classList.toggle("chosen", Boolean(person));
  const near = new Set([id]), found = findTies(id);
  for (const tie of ties) {
    tie.element.classList.toggle("on", found.has(tie));
    if (found.has(tie)) [tie.from, tie.to].forEach((end) => near.add(end));
  }
  for (const box of svg.querySelectorAll(".person, .studio")) {
    box.classList.toggle("on", near.has(box.getAttribute("data-id")));
  }
};
/** @type {Record<string, () => void>} */
const acts = {
  in: () => enlarge(1 / 1.25),
  out: () => enlarge(1.25),
  fit: () => {
    box = { ...all };
    show();
  },
};
for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", acts[button.getAttribute("data-act") ?? ""]);
}
main.addEventListener("keydown", (event) => {
  const step = 60 * scale();
  /** @type {Record<string, () => void>} */
  const keys = {
    "+": acts.in,
    "=": acts.in,
    "-": acts.out,
    0: acts.fit,
    Escape: () => mark(null),
    ArrowLeft: () => move(-step, 0),
    ArrowRight: () => move(step, 0),
    ArrowUp: () => move(0, -step),
    ArrowDown: () => move(0, step),
  };
  if (!keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
