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
  if (moved <= 4) mark(/** @type {Element} */ (event.target).closest(".person"));
});
/** @param {Element | null} person */
const mark = (person) => {
  const id = person?.getAttribute("data-id") ?? null;
  svg.classList.toggle("chosen", Boolean(person));
  const near = new Set([id]);
  for (const tie of svg.querySelectorAll(".tie")) {
    const ends = [tie.getAttribute("data-from"), tie.getAttribute("data-to")];
    const on = ends.includes(id);
    tie.classList.toggle("on", on);
    if (on) ends.forEach((end) => near.add(end));
  }
  for (const one of svg.querySelectorAll(".person")) {
    one.classList.toggle("on", near.has(one.getAttribute("data-id")));
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
