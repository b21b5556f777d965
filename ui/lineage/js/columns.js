import MEASURES from "../../shell/measures.json" with { type: "json" };

/** @import { Lineage } from "./lineage.js" */
/** @import { Tie } from "./types.d.ts" */

const HEAD_WIDTH = 40; // px that a column has at least, for its head
const DATES_AIR = 28; // px around the dates that stand in a gap

/**
 * @param {Map<number, number>} widths
 * @param {number} layer
 * @param {number} width
 */
const widen = (widths, layer, width) => widths.set(layer, Math.max(widths.get(layer) ?? 0, width));

/** Where the columns stand: as wide as their text, as close together as the widget needs. */
export class ColumnLayout {
  /** @type {Map<number, number>} layer -> left edge, px */
  lefts = new Map();
  /** @type {Map<number, [number, number]>} layer -> both ends, "+N" beside people included */
  spans = new Map();
  /** @type {number[]} the layers from left to right */
  order = [];

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /** Columns as wide as their text really is, closer together where that makes all of them fit. */
  arrange() {
    const { data, people, studios } = this.lineage;
    const { wide, before } = this.measureColumns();
    this.order = [...wide.keys()].sort((a, b) => a - b);
    this.lefts = this.findLefts(wide, before);
    for (const person of people.values()) {
      person.left = this.findLeft(person.layer) + (person.indent ?? 0);
      person.x = person.left + person.width / 2;
    }
    for (const studio of studios) {
      studio.left = this.findLeft(studio.layer);
      studio.x = studio.left + studio.width / 2;
    }
    for (const column of data.columns) column.x = this.findLeft(column.layer);
    this.spans = new Map(this.order.map((layer) => {
      const left = this.findLeft(layer);
      return [layer, [left - (before.get(layer) ?? 0), left + (wide.get(layer) ?? 0)]];
    }));
  }

  /** @param {number} layer */
  findLeft(layer) {
    return this.lefts.get(layer) ?? 0;
  }

  /**
   * @param {number} layer
   * @returns {[number, number]}
   */
  findSpan(layer) {
    return this.spans.get(layer) ?? [0, 0];
  }

  /** How wide each column is, and what stands left of its boxes: "+N" of mentors. */
  measureColumns() {
    const { data, people, ruler, studios } = this.lineage;
    const wide = new Map(data.columns.map((column) => [column.layer, HEAD_WIDTH]));
    /** @type {Map<number, number>} */
    const before = new Map();
    for (const person of people.values()) {
      widen(wide, person.layer, person.width + (person.indent ?? 0));
    }
    for (const studio of studios) widen(wide, studio.layer, studio.width);
    for (const pill of data.pills) {
      const person = this.lineage.getPerson(pill.person);
      const width = ruler.measurePill(pill.count);
      if (pill.x !== null) widen(wide, pill.layer, width);
      else if (pill.direction === "down") {
        widen(wide, person.layer, person.width + MEASURES.pill.gap_right + width);
      } else widen(before, person.layer, width + MEASURES.pill.gap_left);
    }
    return { wide, before };
  }

  /**
   * @param {Map<number, number>} wide
   * @param {Map<number, number>} before
   */
  findLefts(wide, before) {
    const { canvas, data, studios } = this.lineage;
    const { gap, gap_min, pitch } = MEASURES.column;
    // the dates stand in the gaps
    if (data.dates) return this.layOut(wide, before, this.measureDates() + DATES_AIR, 0);
    const room = (canvas.clientWidth || 848) - 8;
    const lefts = this.layOut(wide, before, gap, studios.length ? 0 : pitch);
    const last = this.order[this.order.length - 1];
    if ((lefts.get(last) ?? 0) + (wide.get(last) ?? 0) <= room) return lefts;
    const taken = [...wide.values(), ...before.values()].reduce((sum, width) => sum + width, 0);
    const left = Math.floor((room - taken) / Math.max(1, this.order.length - 1));
    return this.layOut(wide, before, Math.min(gap, Math.max(gap_min, left)), 0);
  }

  /**
   * @param {Map<number, number>} wide
   * @param {Map<number, number>} before
   * @param {number} gap
   * @param {number} pitch
   */
  layOut(wide, before, gap, pitch) {
    /** @type {Map<number, number>} */
    const lefts = new Map();
    let left = 0;
    for (const layer of this.order) {
      if (layer !== this.order[0]) left += before.get(layer) ?? 0;
      lefts.set(layer, left);
      left += Math.max(pitch, (wide.get(layer) ?? 0) + gap);
    }
    return lefts;
  }

  /**
   * @param {Tie} edge
   * @param {boolean} [short]
   */
  formatDates(edge, short = false) {
    const start = edge.start ? edge.start.slice(0, 7) : this.lineage.words.undated;
    return short || !edge.end ? start : `${start} – ${edge.end.slice(0, 7)}`;
  }

  measureDates() {
    const ended = this.lineage.data.edges.some((edge) => edge.end);
    return this.lineage.ruler.measure(ended ? "2022-12 – 2022-12" : "2022-12", false);
  }
}
