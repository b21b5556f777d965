import { element, fillTemplate } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Column } from "./types.d.ts" */

/** The heads of the columns, which move with the canvas below them. */
export class ColumnHeads {
  element = element("div", { class: "heads", "aria-hidden": "true" });
  /** @type {{ made: HTMLElement, number: HTMLElement, x: number, column: Column, whole: number }[]} */
  entries = [];

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  draw() {
    if (!this.lineage.network) return;
    this.element.classList.toggle("years", this.lineage.data.axis === "year");
    this.entries = this.lineage.data.columns.map((column) => {
      const number = element("span", { text: column.count });
      const listed = this.lineage.data.axis === "generation" && column.layer > 0 && column.words;
      const generation = String(this.lineage.data.studios.length ? column.layer / 2 : column.layer);
      const made = listed
        ? element("button", {
          type: "button",
          title: `${column.name} ${column.count} · ${this.lineage.words.open_list}`,
          onclick: () => this.lineage.actions.send({ action: "list", person: generation }),
        })
        : element("div", { title: [column.name, column.count].filter(Boolean).join(" ") });
      made.append(element("b", { text: column.name }));
      if (column.count) made.append(number);
      return { made, number, x: column.x, column, whole: 0 };
    });
    this.element.replaceChildren(...this.entries.map((head) => head.made));
    for (const head of this.entries) head.whole = head.made.scrollWidth;
    this.count();
    this.move();
  }

  /** How many are driven by the ties of the years shown, while they change under the hand. */
  count() {
    const { figures, years } = this.lineage.data;
    const moving = String(this.lineage.shown.years ?? "") !== String(years ?? "");
    const first = years?.[0] ?? this.lineage.time.bounds?.[0];
    for (const { number, column } of this.entries ?? []) {
      if (!column.words) continue;
      const to = this.lineage.shown.years?.[1] ?? this.lineage.time.bounds?.[1];
      const known = moving && this.lineage.shown.years && this.lineage.shown.years[0] === first;
      const generation = this.lineage.data.studios.length ? column.layer / 2 : column.layer;
      const persons = figures.reduce(
        (sum, [g, year, n]) => sum + (g === generation && year <= to ? n : 0),
        0,
      );
      number.textContent = known
        ? fillTemplate(column.words, { n: persons.toLocaleString("en") })
        : moving
        ? "…"
        : column.count;
    }
  }

  move() {
    if (!this.entries) return;
    const at = this.entries.map((head) =>
      Math.round(this.lineage.network.canvasToDOM({ x: head.x, y: 0 }).x)
    );
    const years = this.lineage.data.axis === "year";
    let free = -Infinity;
    this.entries.forEach((head, n) => {
      const room = (at[n + 1] ?? at[n] + head.whole + 20) - at[n] - 8;
      const shown = !years || at[n] >= free; // of years, as many as stand clear; every generation
      if (shown) free = at[n] + head.whole + 12;
      head.made.style.transform = `translateX(${at[n]}px)`;
      head.made.style.maxWidth = years ? "" : `${Math.max(14, room)}px`;
      head.made.style.visibility = shown ? "visible" : "hidden";
    });
  }
}
