import MEASURES from "../../shell/measures.json" with { type: "json" };
import { prefersCalm } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Point, Person } from "./types.d.ts" */

const LEGIBLE_SCALE = 0.5;
const GROUPING_SCALE = 0.5; // at which people become groups
const OPENING_SCALE = 1.7; // at which the group one looks at opens
const SLIDE_MS = 220;
const MAX_SLIDING_PEOPLE = 600; // more would not slide smoothly

/** What part of the canvas is in sight, and how it moves there. */
export class Camera {
  /** @type {Point | null} by how much the view was moved so that the pivot stands still */
  offset = null;
  /** @type {number} */
  frame = 0;
  /** @type {((person: Person) => Point) | null} where a person is while boxes slide */
  nowAt = null;
  /** @type {boolean} whether the next view starts where a new one does */
  rehome = false;
  /** @type {string | null} the person who keeps his or her place on the screen */
  pivot = null;

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  findSight() {
    const { x, y } = this.lineage.network.getViewPosition();
    const scale = this.lineage.network.getScale();
    const across = this.lineage.canvas.clientWidth / scale / 2 + 40,
      down = this.lineage.canvas.clientHeight / scale / 2 + 40;
    return { left: x - across, right: x + across, top: y - down, bottom: y + down };
  }

  measureExtent() {
    const all = [...this.lineage.people.values()].filter((p) => this.lineage.shown.hasPerson(p.id));
    const pills = [
      ...(this.lineage.shown.years ? [] : this.lineage.pills),
      ...this.lineage.studios,
    ];
    const lefts = [...all.map((p) => p.left), ...pills.map((p) => p.left)];
    const rights = [...all.map((p) => p.left + p.width), ...pills.map((p) => p.left + p.width)];
    const ys = [...all.map((p) => p.y), ...pills.map((p) => p.y)];
    return {
      left: Math.min(...lefts),
      right: Math.max(...rights),
      top: Math.min(...ys) - MEASURES.person.height / 2,
      bottom: Math.max(...ys) + MEASURES.person.height / 2,
    };
  }

  goHome() {
    const { left, right, top, bottom } = this.measureExtent();
    const width = this.lineage.canvas.clientWidth - 8,
      height = this.lineage.canvas.clientHeight - 8;
    let scale = Math.min(1, width / (right - left));
    if (scale < 0.88) scale = 1;
    const focus = this.lineage.getPerson(this.lineage.data.focus);
    const eye = this.lineage.findPerson(this.lineage.selected) ?? focus;
    const half = width / scale / 2, high = height / scale / 2;
    const x = right - left <= width / scale
      ? Math.max((left + right) / 2, left + half - 4)
      : Math.max(left + half - 4, Math.min(right - half + 4, focus.left + half - 8));
    const y = bottom - top <= height / scale
      ? (top + bottom) / 2
      : Math.min(Math.max(eye.y, top + high - 8), bottom - high + 8);
    this.lineage.network.moveTo({ position: { x, y }, scale, animation: false });
  }

  fit() {
    const { left, right, top, bottom } = this.measureExtent();
    const scale = Math.min(
      1,
      (this.lineage.canvas.clientWidth - 16) / (right - left),
      (this.lineage.canvas.clientHeight - 16) / (bottom - top),
    );
    if (scale >= LEGIBLE_SCALE) {
      this.moveTo({ position: { x: (left + right) / 2, y: (top + bottom) / 2 }, scale });
    } else { // too tall to read at once: all columns, around the person in focus
      const across = Math.min(
        1,
        Math.max(LEGIBLE_SCALE, (this.lineage.canvas.clientWidth - 16) / (right - left)),
      );
      const eye = this.lineage.findPerson(this.lineage.selected) ??
        this.lineage.getPerson(this.lineage.data.focus);
      this.moveTo({ position: { x: (left + right) / 2, y: eye.y }, scale: across });
    }
  }

  /**
   * @param {number} factor
   */
  scaleBy(factor) {
    const scale = Math.min(3, Math.max(GROUPING_SCALE, this.lineage.network.getScale() * factor));
    if (scale === GROUPING_SCALE && this.leavePeople()) return;
    this.moveTo({ position: this.lineage.network.getViewPosition(), scale });
    if (factor > 1 && scale >= OPENING_SCALE) {
      this.openNearest(this.lineage.network.getViewPosition());
    }
  }

  /**
   * @param {Point} pointer
   */
  onZoom(pointer) {
    const scale = this.lineage.network.getScale();
    if (scale <= GROUPING_SCALE && !this.leavePeople()) {
      this.lineage.network.moveTo({ scale: GROUPING_SCALE, animation: false });
    }
    if (scale >= OPENING_SCALE) this.openNearest(this.lineage.network.DOMtoCanvas(pointer));
  }

  /** Too small to read: people become groups. */
  leavePeople() {
    const { hold, more, grouping } = this.lineage.data;
    if (hold !== "people" || !more || !grouping) return false;
    this.lineage.actions.send({ action: "columns", text: "branch" });
    return true;
  }

  /**
   * Near enough: the group one looks at opens.
   *
   * @param {Point} point
   */
  openNearest({ x, y }) {
    /** @param {Person} p */
    const apart = (p) => Math.hypot(p.x - x, p.y - y);
    const near = [...this.lineage.people.values()].filter((p) =>
      p.group?.target && !p.group.open && apart(p) < MEASURES.group.width
    );
    if (!near.length) return;
    this.rehome = true;
    this.lineage.actions.openGroup(near.reduce((best, p) => (apart(p) < apart(best) ? p : best)));
  }

  /**
   * @param {{ position: Point, scale: number }} to
   */
  moveTo(to) {
    this.lineage.network.moveTo({
      ...to,
      animation: prefersCalm() ? false : { duration: SLIDE_MS, easingFunction: "easeInOutQuad" },
    });
  }

  /**
   * @param {Person} person
   */
  reveal(person) {
    const sight = this.findSight();
    const { x, y } = this.lineage.network.getViewPosition();
    const dx = person.left < sight.left + 48
      ? person.left - sight.left - 60
      : Math.max(0, person.left + person.width - sight.right + 60);
    const dy = person.y < sight.top + 60
      ? person.y - sight.top - 80
      : Math.max(0, person.y - sight.bottom + 80);
    if (dx || dy) {
      this.moveTo({ position: { x: x + dx, y: y + dy }, scale: this.lineage.network.getScale() });
    }
  }

  /**
   * @param {string} id
   */
  centreOn(id) {
    const person = this.lineage.people.get(id);
    if (!person) return;
    this.moveTo({
      position: { x: person.left + person.width / 2, y: person.y },
      scale: this.lineage.network.getScale(),
    });
    this.lineage.pointer.hover = { id };
    this.lineage.network.redraw();
  }

  /**
   * @param {Map<string, Point>} old
   */
  holdPivot(old) {
    const id = this.pivot && this.lineage.people.has(this.pivot) && old.has(this.pivot)
      ? this.pivot
      : this.lineage.data.focus;
    this.pivot = null;
    const was = old.get(id), is = this.lineage.people.get(id);
    if (!was || !is || (was.x === is.x && was.y === is.y)) return;
    const { x, y } = this.lineage.network.getViewPosition();
    this.offset = { x: is.x - was.x, y: is.y - was.y };
    this.lineage.network.moveTo({
      position: { x: x + this.offset.x, y: y + this.offset.y },
      animation: false,
    });
  }

  /**
   * @param {Map<string, Point>} old
   */
  slide(old) {
    const offset = this.offset ?? { x: 0, y: 0 };
    this.offset = null;
    if (prefersCalm() || this.lineage.people.size > MAX_SLIDING_PEOPLE || !old.size) return;
    /** @type {Map<string, Point>} */
    const from = new Map();
    for (const [id, person] of this.lineage.people) {
      const was = old.get(id);
      if (was) from.set(id, { x: was.x + offset.x, y: was.y + offset.y });
      else {
        const by = this.findOrigin(id, old);
        if (by) from.set(id, { x: by.x + offset.x, y: by.y + offset.y });
      }
      const start = from.get(id);
      if (start && Math.abs(start.x - person.x) + Math.abs(start.y - person.y) < 1) from.delete(id);
    }
    if (!from.size) return;
    const begun = performance.now();
    cancelAnimationFrame(this.frame);
    let part = 0;
    /** @param {Person} person */
    const nowAt = (person) => {
      const start = from.get(person.id);
      if (!start) return person;
      return { x: start.x + (person.x - start.x) * part, y: start.y + (person.y - start.y) * part };
    };
    this.nowAt = nowAt;
    /** @param {number} time */
    const step = (time) => {
      const t = Math.min(1, Math.max(0, (time - begun) / SLIDE_MS));
      part = 1 - (1 - t) ** 3;
      for (const id of from.keys()) {
        const person = this.lineage.people.get(id);
        if (!person || !this.lineage.network) continue;
        const at = nowAt(person);
        this.lineage.network.moveNode(id, at.x, at.y);
      }
      if (t < 1) this.frame = requestAnimationFrame(step);
      else {
        this.nowAt = null;
        this.lineage.network?.redraw();
      }
    };
    step(begun);
  }

  /**
   * @param {string} id
   * @param {Map<string, Point>} old
   */
  findOrigin(id, old) {
    for (const edge of this.lineage.data.edges) {
      const by = edge.to === id ? edge.from : edge.from === id ? edge.to : null;
      if (by && old.has(by)) return old.get(by);
    }
    return null;
  }

  /**
   * @param {WheelEvent} event
   */
  onWheel(event) {
    if (event.ctrlKey || event.metaKey) return; // vis zooms
    event.stopPropagation();
    const { left, right, top, bottom } = this.measureExtent();
    const sight = this.findSight();
    const scale = this.lineage.network.getScale();
    let dx = (event.shiftKey ? event.deltaY : event.deltaX) / scale,
      dy = (event.shiftKey ? 0 : event.deltaY) / scale;
    /**
     * A step no further than 60 px past what is drawn.
     *
     * @param {number} by
     * @param {number} low
     * @param {number} high
     * @param {number} from
     * @param {number} to
     */
    const held = (by, low, high, from, to) =>
      by < 0
        ? Math.min(0, Math.max(by, low - 60 - from))
        : Math.max(0, Math.min(by, high + 60 - to));
    dx = held(dx, left, right, sight.left, sight.right);
    dy = held(dy, top, bottom, sight.top, sight.bottom);
    if (!dx && !dy) return;
    event.preventDefault();
    const { x, y } = this.lineage.network.getViewPosition();
    this.lineage.network.moveTo({ position: { x: x + dx, y: y + dy }, animation: false });
  }
}
