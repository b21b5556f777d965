import MEASURES from "../../shell/measures.json" with { type: "json" };
import { groupBy } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Channel, Curve, Line, Pill, Sight } from "./types.d.ts" */

/** @typedef {{ channel: Channel, curves: Curve[] }} Stroke */

/** Draws the ties and flows, under the boxes. */
export class TiePainter {
  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /**
   * Flows, then ties, those on the path in focus above the others, then dates.
   *
   * @param {CanvasRenderingContext2D} ctx
   */
  paint(ctx) {
    const sight = this.lineage.camera.findSight();
    const { quiet, strong, dated } = this.sortLines(sight);
    ctx.save();
    ctx.lineCap = "butt";
    this.paintFlows(ctx, sight);
    ctx.strokeStyle = this.lineage.tokens.ink;
    ctx.globalAlpha = MEASURES.line.quiet_opacity;
    ctx.lineWidth = MEASURES.line.width;
    for (const [channel, lines] of groupBy(quiet, (stroke) => stroke.channel)) {
      this.paintStrokes(ctx, channel, lines);
    }
    ctx.globalAlpha = 1;
    ctx.lineWidth = MEASURES.line.path_width;
    for (const stroke of strong) this.paintStrokes(ctx, stroke.channel, [stroke]);
    ctx.setLineDash([]);
    for (const { line, curves } of dated) this.paintDates(ctx, line, curves);
    ctx.restore();
  }

  /**
   * The lines in sight: quiet ones, those on the path or pointed at, and those with their dates.
   *
   * @param {Sight} sight
   */
  sortLines(sight) {
    const { data, router, pointer } = this.lineage;
    const quiet = this.listPillStrokes(sight);
    /** @type {Stroke[]} */
    const strong = [];
    /** @type {{ line: Line, curves: Curve[] }[]} */
    const dated = [];
    for (const line of this.lineage.lines) {
      if (!this.lineage.shown.hasLine(line)) continue;
      const curves = router.route(line.from, line.to);
      if (!router.isInSight(curves, sight)) continue;
      const over = pointer.hover?.line === line;
      (line.strong || over ? strong : quiet).push({ channel: line.channel, curves });
      if (!line.half && (line.strong || over || data.dates)) dated.push({ line, curves });
    }
    return { quiet, strong, dated };
  }

  /**
   * The lines to "+N"; one right of its person needs none.
   *
   * @param {Sight} sight
   * @returns {Stroke[]}
   */
  listPillStrokes(sight) {
    const { pills, router, shown } = this.lineage;
    if (shown.years) return [];
    return pills
      .filter((pill) => shown.hasPerson(pill.person))
      .filter((pill) => !pill.beside || pill.direction === "up")
      .map((pill) => ({ channel: this.findChannel(pill), curves: this.routePill(pill) }))
      .filter(({ curves }) => router.isInSight(curves, sight));
  }

  /** @param {Pill} pill */
  findChannel({ beside, channel }) {
    const lane = beside ? null : channel;
    return /** @type {Channel} */ ((lane ?? "mentorship").split(":")[0]);
  }

  /**
   * @param {Pill} pill
   * @returns {Curve[]}
   */
  routePill(pill) {
    const { router, studios } = this.lineage;
    const box = studios.find((studio) => studio.id === pill.by) ??
      this.lineage.getPerson(pill.person);
    if (pill.beside) {
      const { left, y } = router.findEnds(box), { right } = router.findEnds(pill);
      return [[right, y, right, y, left, y, left, y]];
    }
    return pill.direction === "up" ? router.route(pill, box) : router.route(box, pill);
  }

  /**
   * Bands as wide as the people are many who come that way; narrow between rows.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {Sight} sight
   */
  paintFlows(ctx, sight) {
    const { hover } = this.lineage.pointer;
    ctx.strokeStyle = this.lineage.tokens.bar;
    for (const flow of this.lineage.flows) {
      const curves = this.lineage.router.route(flow.from, flow.to);
      if (!this.lineage.router.isInSight(curves, sight)) continue;
      const over = hover?.flow === flow || hover?.person === flow.from ||
        hover?.person === flow.to;
      ctx.lineJoin = "round";
      ctx.globalAlpha = over ? 0.7 : MEASURES.line.flow_opacity;
      ctx.lineWidth = curves.length > 5
        ? Math.min(flow.wide, MEASURES.line.flow_bent_max)
        : flow.wide;
      ctx.beginPath();
      this.trace(ctx, curves);
      ctx.stroke();
    }
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Channel} channel
   * @param {Stroke[]} strokes
   */
  paintStrokes(ctx, channel, strokes) {
    ctx.setLineDash(MEASURES.dashes[channel]);
    ctx.beginPath();
    for (const { curves } of strokes) this.trace(ctx, curves);
    ctx.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Curve[]} curves
   */
  trace(ctx, curves) {
    ctx.moveTo(curves[0][0], curves[0][1]);
    for (const [, y1, a, b, c, d, x2, y2] of curves) {
      if (Math.abs(y2 - y1) < 0.5 && b === d) ctx.lineTo(x2, y2);
      else ctx.bezierCurveTo(a, b, c, d, x2, y2);
    }
  }

  /**
   * Right before the box it leads to, on the line, on paper: never over a name.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {Line} line
   * @param {Curve[]} curves
   */
  paintDates(ctx, line, curves) {
    const { boxPainter, columns, paper, pathTies, ruler, tokens } = this.lineage;
    const [start, , , , , , end, y] = curves[curves.length - 1];
    const edge = line.edges.find((one) => pathTies.has(`${one.from}\n${one.to}`)) ?? line.edges[0];
    const room = end - start - 10;
    let text = columns.formatDates(edge);
    if (ruler.measure(text, false) > room) text = columns.formatDates(edge, true);
    const width = ruler.measure(text, false);
    if (width > room) return;
    const x = end - 7 - width;
    ctx.fillStyle = paper;
    ctx.fillRect(x - 3, y - 9, width + 6, 18);
    boxPainter.paintText(ctx, text, x, y, line.strong ? tokens.ink : tokens.muted, false);
  }
}
