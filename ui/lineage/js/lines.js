import MEASURES from "../../shell/measures.json" with { type: "json" };

/** @import { Lineage } from "./lineage.js" */
/** @import { Curve, Person, Pill, Point, Sight, Studio, Thing } from "./types.d.ts" */

/**
 * @param {Thing} thing
 * @returns {thing is Pill}
 */
const isPill = (thing) => "direction" in thing;

/** A line that is drawn piece by piece from where it begins. */
class Trail {
  /** @type {Curve[]} */
  curves = [];

  /** @param {Point} start */
  constructor({ x, y }) {
    this.x = x;
    this.y = y;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  goStraight(x, y) {
    this.curves.push([this.x, this.y, this.x, this.y, x, y, x, y]);
    this.x = x;
    this.y = y;
  }

  /**
   * On to the right at the same height, if that is to the right.
   *
   * @param {number} x
   */
  goAlong(x) {
    if (x > this.x + 0.5) this.goStraight(x, this.y);
  }

  /**
   * To another height, level at both ends.
   *
   * @param {number} x
   * @param {number} y
   */
  goAcross(x, y) {
    const half = (x - this.x) / 2;
    this.curves.push([this.x, this.y, this.x + half, this.y, x - half, y, x, y]);
    this.x = x;
    this.y = y;
  }

  /**
   * Around a corner and to a point past it.
   *
   * @param {Point} corner
   * @param {Point} end
   */
  goAround({ x, y }, end) {
    this.curves.push([this.x, this.y, x, y, x, y, end.x, end.y]);
    this.x = end.x;
    this.y = end.y;
  }
}

/** Where lines run: from box to box, through no box. */
export class LineRouter {
  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /**
   * The line between two boxes: through the gaps between columns and, past a column, between its
   * rows, so that it runs through no box.
   *
   * @param {Thing} from
   * @param {Thing} to
   * @returns {Curve[]}
   */
  route(from, to) {
    if (this.lineage.data.axis === "year") return this.routeByYear(from, to);
    let [a, b] = [from, to].map((thing) => ({
      ...this.findEnds(thing),
      layer: thing.layer,
      thing,
    }));
    let via = /** @type {number[]} */ (
      this.lineage.data.via.get(this.formatArrow(from, to)) ?? []
    );
    if (a.layer === b.layer) { // in one column: around the left of both
      const out = this.lineage.columns.findSpan(a.layer)[0] - MEASURES.line.detour;
      return [[a.left, a.y, out, a.y, out, b.y, b.left, b.y]];
    }
    if (a.layer > b.layer) {
      [a, b] = [b, a];
      via = [...via].reverse();
    }
    const { columns } = this.lineage;
    const trail = new Trail({ x: this.findExit(a), y: a.y });
    trail.goAlong(columns.findSpan(a.layer)[1]);
    columns.order.filter((layer) => layer > a.layer && layer < b.layer).forEach((layer, at) => {
      if (via[at] === undefined) return;
      const [left, right] = columns.findSpan(layer);
      trail.goAcross(left, via[at]);
      trail.goAlong(right);
    });
    trail.goAcross(columns.findSpan(b.layer)[0], b.y);
    trail.goAlong(b.left);
    return trail.curves;
  }

  /**
   * @param {Thing} from
   * @param {Thing} to
   */
  formatArrow(from, to) {
    /** @param {Thing} thing */
    const id = (thing) =>
      this.lineage.studios.some((studio) => studio === thing) ? `=\n${thing.id}` : thing.id;
    return `${id(from)}\0${id(to)}`;
  }

  /**
   * Where a line leaves a box: right of the "+N" beside it.
   *
   * @param {{ right: number, thing: Thing }} end
   */
  findExit({ right, thing }) {
    const pill = this.lineage.shown.years ? null : this.lineage.besides.get(thing.id);
    return pill ? right + MEASURES.pill.gap_right + pill.width : right;
  }

  /**
   * Along an axis of years: between the rows, and down where no box stands.
   *
   * @param {Thing} from
   * @param {Thing} to
   * @returns {Curve[]}
   */
  routeByYear(from, to) {
    const { dx, dy } = this.findShift(from.id);
    const via = /** @type {[number, number][]} */ (
      this.lineage.data.via.get(this.formatArrow(from, to))
    );
    const points = via.map(([x, y]) => ({ x: x + dx, y: y + dy }));
    points[0].x = Math.min(this.findExit({ ...this.findEnds(from), thing: from }), points[1].x);
    const trail = new Trail(points[0]);
    points.slice(1).forEach((corner, at) => {
      const next = points[at + 2];
      const before = Math.hypot(corner.x - trail.x, corner.y - trail.y);
      const after = next ? Math.hypot(next.x - corner.x, next.y - corner.y) : 0;
      const round = Math.min(6, before / 2, after / 2);
      if (round < 0.5) {
        trail.goStraight(corner.x, corner.y);
        return;
      }
      trail.goStraight(
        corner.x - (round * (corner.x - trail.x)) / before,
        corner.y - (round * (corner.y - trail.y)) / before,
      );
      trail.goAround(corner, {
        x: corner.x + (round * (next.x - corner.x)) / after,
        y: corner.y + (round * (next.y - corner.y)) / after,
      });
    });
    return trail.curves;
  }

  /**
   * The left and right end of a box and its middle, where it is now.
   *
   * @param {Thing} thing
   */
  findEnds(thing) {
    const { x, y } = this.findMiddle(thing);
    return { left: x - thing.width / 2, right: x + thing.width / 2, y };
  }

  /**
   * @param {Thing} thing
   * @returns {Point}
   */
  findMiddle(thing) {
    const { nowAt } = this.lineage.camera;
    if (isPill(thing)) {
      const { dx, dy } = this.findShift(thing.person);
      return { x: thing.left + thing.width / 2 + dx, y: thing.y + dy };
    }
    if (!nowAt) return thing;
    if (this.lineage.people.get(thing.id) === thing) return nowAt(/** @type {Person} */ (thing));
    const { dx, dy } = this.findShift(/** @type {Studio} */ (thing).leader?.id ?? null);
    return { x: thing.x + dx, y: thing.y + dy };
  }

  /**
   * @param {Curve[]} curves
   * @param {Sight} sight
   */
  isInSight(curves, sight) {
    return curves.some(([x1, y1, , , , , x2, y2]) =>
      !(Math.min(y1, y2) > sight.bottom || Math.max(y1, y2) < sight.top ||
        Math.min(x1, x2) > sight.right || Math.max(x1, x2) < sight.left)
    );
  }

  /**
   * By how much a person is away from where he or she is to stand, while boxes slide.
   *
   * @param {string | null} id
   */
  findShift(id) {
    const person = this.lineage.findPerson(id);
    if (!this.lineage.camera.nowAt || !person) return { dx: 0, dy: 0 };
    const at = this.lineage.camera.nowAt(person);
    return { dx: at.x - person.x, dy: at.y - person.y };
  }
}
