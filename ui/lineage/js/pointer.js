import MEASURES from "../../shell/measures.json" with { type: "json" };

/** @import { Lineage } from "./lineage.js" */
/** @import { Curve, Hit, Point } from "./types.d.ts" */

const DRAG_PX = 9; // from where the button went down: no click any more

/** What the mouse points at and what a click on it does. */
export class Pointer {
  /** @type {Hit | null} */
  hover = null;
  /** @type {Point} where on the screen the button went down */
  pressed = { x: 0, y: 0 };

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /**
   * @param {Point} point
   * @returns {Hit | null}
   */
  findHit({ x, y }) {
    if (!this.lineage.shown.years) {
      for (const pill of this.lineage.pills) {
        if (
          this.lineage.shown.hasPerson(pill.person) && x >= pill.left - 2 &&
          x <= pill.left + pill.width + 2 && Math.abs(y - pill.y) <= MEASURES.pill.height / 2 + 2
        ) return { pill, id: pill.id };
      }
    }
    for (const person of this.lineage.people.values()) {
      const high = (person.group ? MEASURES.group.height : MEASURES.person.height) / 2 + 2;
      if (
        !this.lineage.shown.hasPerson(person.id) || Math.abs(x - person.x) > person.width / 2 + 1 ||
        Math.abs(y - person.y) > high
      ) continue;
      const list = Boolean(person.group) &&
        (!person.group?.target || x > person.left + person.width - MEASURES.group.list);
      return { person, id: person.id, list };
    }
    for (const studio of this.lineage.studios) {
      if (
        this.lineage.shown.hasStudio(studio) && x >= studio.left - 1 &&
        x <= studio.left + studio.width + 1 &&
        Math.abs(y - studio.y) <= MEASURES.studio.height / 2 + 1
      ) return { studio, id: studio.id };
    }
    return this.findLine(x, y);
  }

  /**
   * The tie nearest to a point, if it is within a few pixels.
   *
   * @param {number} x
   * @param {number} y
   * @returns {Hit | null}
   */
  findLine(x, y) {
    const near = 5 / this.lineage.network.getScale();
    /** @type {Hit | null} */
    let best = null;
    let least = near;
    /**
     * @param {Curve[]} parts
     * @param {number} wide
     * @param {Hit} found
     */
    const look = (parts, wide, found) => {
      for (const [x1, y1, a, b, c, d, x2, y2] of parts) {
        const reach = near + wide / 2;
        if (
          x < Math.min(x1, x2, a) - reach || x > Math.max(x1, x2, c) + reach ||
          y < Math.min(y1, y2) - reach || y > Math.max(y1, y2) + reach
        ) continue;
        for (let part = 0; part <= 1; part += 1 / 24) {
          const rest = 1 - part;
          const px = rest ** 3 * x1 + 3 * rest ** 2 * part * a + 3 * rest * part ** 2 * c +
            part ** 3 * x2;
          const py = rest ** 3 * y1 + 3 * rest ** 2 * part * b + 3 * rest * part ** 2 * d +
            part ** 3 * y2;
          const apart = Math.max(0, Math.hypot(px - x, py - y) - wide / 2);
          if (apart < least) {
            least = apart;
            best = { ...found, x: px, y: py };
          }
        }
      }
    };
    for (const line of this.lineage.lines) {
      if (this.lineage.shown.hasLine(line)) {
        look(this.lineage.router.route(line.from, line.to), 0, { line, id: line });
      }
    }
    for (const flow of this.lineage.flows) {
      look(this.lineage.router.route(flow.from, flow.to), flow.wide, { flow, id: flow });
    }
    return best;
  }

  /**
   * @param {MouseEvent} event
   */
  locate(event) {
    const box = this.lineage.canvas.getBoundingClientRect();
    return this.lineage.network.DOMtoCanvas({
      x: event.clientX - box.left,
      y: event.clientY - box.top,
    });
  }

  /**
   * @param {MouseEvent} event
   */
  onMove(event) {
    if (!this.lineage.network) return;
    const hit = event.buttons ? null : this.findHit(this.locate(event));
    this.lineage.canvas.classList.toggle("over", Boolean(hit));
    if ((hit?.id ?? null) === (this.hover?.id ?? null) && hit?.list === this.hover?.list) return;
    this.hover = hit;
    this.lineage.note.show(hit);
    this.lineage.network.redraw();
  }

  leave() {
    if (!this.hover) return;
    this.hover = null;
    this.lineage.note.element.hidden = true;
    this.lineage.network.redraw();
  }

  /**
   * @param {MouseEvent} event
   */
  onPress(event) {
    this.pressed = { x: event.clientX, y: event.clientY };
  }

  /**
   * The browser's own click: vis loses one of 250 or 251 ms, too long for its tap and too short for
   * its hold, and on a busy page any click may seem to last as long.
   *
   * @param {MouseEvent} event
   */
  onClick(event) {
    const { x, y } = this.pressed;
    if (Math.hypot(event.clientX - x, event.clientY - y) > DRAG_PX) return;
    this.lineage.canvas.focus({ preventScroll: true });
    const hit = this.findHit(this.locate(event));
    if (hit?.pill) {
      this.lineage.actions.expandPill(hit.pill);
      return;
    }
    if (hit?.studio) {
      this.lineage.camera.pivot = hit.studio.leader?.id ?? null;
      this.lineage.actions.send({ action: "studio", person: hit.studio.id });
      return;
    }
    if (!hit?.person) return;
    this.lineage.keyboard.cursor = hit.person.id;
    if (hit.person.group) {
      this.lineage.actions.openGroup(hit.person, hit.list);
      return;
    }
    if (event.shiftKey) this.lineage.actions.send({ action: "also", person: hit.person.id });
    else this.lineage.actions.select(hit.person.id);
  }

  /**
   * @param {MouseEvent} event
   */
  onDoubleClick(event) {
    const hit = this.findHit(this.locate(event));
    if (hit?.person && !hit.person.group) this.lineage.actions.toggle(hit.person);
  }
}
