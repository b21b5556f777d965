import MEASURES from "../../shell/measures.json" with { type: "json" };
import { element, fillTemplate } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Point, Tie, Hit } from "./types.d.ts" */

const MAX_TIES = 4; // of one line

/** The note beside what the mouse points at. */
export class HoverNote {
  element = element("div", { class: "note", role: "tooltip", hidden: "" });

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /**
   * @param {Hit | null} hit
   */
  show(hit) {
    const note = this.element;
    note.hidden = true;
    if (!hit) return;
    const lines = this.listLines(hit);
    const reason = hit.person?.group ? hit.person.name : hit.person?.reason;
    if (hit.person && !hit.person.group && hit.person.shown !== hit.person.name) {
      lines.unshift(hit.person.name);
    }
    if (!reason && !lines.length) return;
    note.replaceChildren(
      ...(reason ? [element("b", { text: reason })] : []),
      ...lines.map((text) => element("div", { text })),
    );
    note.hidden = false;
    const { x: atX = 0, y: atY = 0 } = hit;
    const thing = hit.person ?? hit.pill ?? hit.studio ??
      { id: null, left: atX - 4, width: 8, y: atY };
    const end = this.lineage.network.canvasToDOM({ x: thing.left + thing.width, y: thing.y });
    const start = this.lineage.network.canvasToDOM({ x: thing.left, y: thing.y });
    const { x, y } = this.findPlace(start, end, note.offsetWidth, note.offsetHeight, thing);
    note.style.left = `${Math.round(x)}px`;
    note.style.top = `${Math.round(y)}px`;
  }

  /**
   * @param {Hit} hit
   * @returns {string[]}
   */
  listLines({ person, pill, studio, line, flow, list }) {
    const { words } = this.lineage;
    if (pill) return [fillTemplate(words.more, { count: pill.count.toLocaleString("en") })];
    if (studio) return [studio.name, words[studio.closed ? "open_studio" : "close_studio"]];
    if (line) {
      const ties = line.edges.slice(0, MAX_TIES).map((edge) => this.describeTie(edge));
      return line.edges.length > MAX_TIES ? [...ties, "…"] : ties;
    }
    if (flow) {
      const count = flow.persons.toLocaleString("en");
      return [fillTemplate(words.flow, { from: flow.from.name, to: flow.to.name, count })];
    }
    if (!person?.group) return [...person?.lines ?? []];
    const act = list ? "open_list" : person.group.open ? "close_group" : "open_group";
    return [...person.lines, words[act]];
  }

  /**
   * @param {Tie} edge
   */
  describeTie(edge) {
    /** @param {string} id */
    const name = (id) => this.lineage.getPerson(id).name;
    const whole = `${edge.start || this.lineage.words.undated}${edge.end ? ` – ${edge.end}` : ""}`;
    return `${this.lineage.words[edge.channel]}: ${name(edge.from)} → ${name(edge.to)}  ${whole}`;
  }

  /**
   * Beside the box, where the note covers the fewest others; never over what it explains.
   *
   * @param {Point} start
   * @param {Point} end
   * @param {number} width
   * @param {number} height
   * @param {{ id: string | null }} thing
   */
  findPlace(start, end, width, height, thing) {
    const { clientWidth: across, clientHeight: down } = this.lineage.stage;
    const scale = this.lineage.network.getScale();
    const half = (MEASURES.person.height * scale) / 2;
    const others = [
      ...this.lineage.people.values(),
      ...(this.lineage.shown.years ? [] : this.lineage.pills),
    ].filter((o) =>
      o.id !== thing.id && this.lineage.shown.hasPerson("person" in o ? o.person : o.id)
    ).map(
      (o) => {
        const { x, y } = this.lineage.network.canvasToDOM({ x: o.left, y: o.y });
        return { left: x, right: x + o.width * scale, top: y - half, bottom: y + half };
      },
    );
    const tops = [
      end.y - height / 2,
      end.y + half - height,
      end.y - half,
      end.y + half - height - 8,
      end.y - half + 8,
    ];
    const places = [end.x + 10, start.x - 10 - width].flatMap((x) => tops.map((y) => ({ x, y })))
      .concat(
        [end.y + half + 8, end.y - half - 8 - height].map((y) => ({
          x: Math.max(2, Math.min(start.x, across - width - 2)),
          y,
        })),
      );
    let best = { x: 0, y: 0, cost: Infinity };
    for (const place of places) {
      const out = Math.max(0, -place.x, place.x + width - across) +
        Math.max(0, -place.y, place.y + height - down);
      let covered = 0;
      for (const o of others) {
        const w = Math.min(o.right, place.x + width) - Math.max(o.left, place.x);
        const h = Math.min(o.bottom, place.y + height) - Math.max(o.top, place.y);
        if (w > 0 && h > 0) covered += w * h;
      }
      const cost = out * 1000 + covered;
      if (cost < best.cost - 1) best = { ...place, cost };
    }
    return best;
  }
}
