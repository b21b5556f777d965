import { groupBy } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Tie, Studio, Line } from "./types.d.ts" */

/** The years chosen, and whom and what they leave on the canvas. */
export class ShownYears {
  /** @type {[number, number] | null} null: all */
  years = null;
  /** @type {Set<string> | null} null: everyone */
  reached = null;

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /**
   * @param {string} id
   */
  hasPerson(id) {
    return !this.reached || this.reached.has(id);
  }

  /** Whom the years leave: those that their ties lead to from the focus, and the pinned. */
  update() {
    const data = this.lineage.data, years = this.years;
    if (!years || data.hold !== "people") {
      this.reached = null;
      return;
    }
    const inside = data.edges.filter((edge) => this.hasTie(edge));
    this.reached = new Set([
      ...this.spread(inside, "from", "to"),
      ...this.spread(inside, "to", "from"),
      ...this.lineage.pinned,
    ]);
  }

  /**
   * The person in focus and all whom these ties lead to.
   *
   * @param {Tie[]} edges
   * @param {"from" | "to"} from
   * @param {"from" | "to"} to
   */
  spread(edges, from, to) {
    const onward = groupBy(edges, (edge) => edge[from]);
    const reached = new Set([this.lineage.data.focus]);
    for (const id of reached) { // a set goes through what is added meanwhile, too
      for (const edge of onward.get(id) ?? []) reached.add(edge[to]);
    }
    return reached;
  }

  /**
   * @param {Line} line
   */
  hasLine(line) {
    return line.edges.some((edge) =>
      this.hasTie(edge) && this.hasPerson(edge.from) && this.hasPerson(edge.to)
    );
  }

  /**
   * @param {Tie} edge
   */
  hasTie(edge) {
    if (!this.years || this.lineage.data.hold !== "people") return true;
    if (!edge.start) return false;
    const year = Number(edge.start.slice(0, 4));
    return year >= this.years[0] && year <= this.years[1];
  }

  /**
   * @param {Studio} studio
   */
  hasStudio(studio) {
    return studio.closed
      ? !this.years
      : this.lineage.lines.some((line) => line.to === studio && this.hasLine(line));
  }
}
