import MEASURES from "../../shell/measures.json" with { type: "json" };

/** @import { Lineage } from "./lineage.js" */
/** @import { Group, Person, Pill, Sight, Studio } from "./types.d.ts" */

const TEXT = MEASURES.text;

/** Draws people, groups, studios and "+N". */
export class BoxPainter {
  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /**
   * @param {{ ctx: CanvasRenderingContext2D, id: string, x: number, y: number }} about
   */
  render({ ctx, id, x, y }) {
    const person = this.lineage.people.get(id);
    if (!person) return { drawNode() {}, nodeDimensions: { width: 1, height: 1 } };
    return {
      drawNode: () => {
        if (this.lineage.shown.hasPerson(id)) this.paintPerson(ctx, person, x, y);
      },
      nodeDimensions: { width: person.width, height: MEASURES.person.height },
    };
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Person} p
   * @param {number} x
   * @param {number} y
   */
  paintPerson(ctx, p, x, y) {
    if (p.group) {
      this.paintGroup(ctx, p, p.group, x - p.width / 2, y);
      return;
    }
    const { paper, path, pinned, tags, tokens: t } = this.lineage;
    const left = x - p.width / 2, top = y - MEASURES.person.height / 2;
    const focus = p.state === "talent" && !p.link, driven = p.state === "driven" && !p.link;
    ctx.setLineDash([]);
    this.tracePersonBox(ctx, p, left, top, 0, MEASURES.person.radius);
    ctx.fillStyle = focus ? t.talent : driven ? t.soft : paper;
    ctx.fill(); // paper under every name: no tie strikes through it
    if (driven) this.paintDrivenBar(ctx, left, top, path.has(p.id) ? t.ink : t.bar);
    this.paintEdges(ctx, p, left, top);
    this.paintContent(ctx, p, left, y);
    if (pinned.has(p.id)) this.paintPin(ctx, left, top);
    const branches = tags.get(p.id);
    if (branches) this.paintBranches(ctx, branches, left + p.width, top);
  }

  /**
   * The outline of a person's box, `grow` px outside it.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {Person} p
   * @param {number} left
   * @param {number} top
   * @param {number} grow
   * @param {number} radius
   */
  tracePersonBox(ctx, p, left, top, grow, radius) {
    const width = p.width + 2 * grow, height = MEASURES.person.height + 2 * grow;
    ctx.beginPath();
    ctx.roundRect(left - grow, top - grow, width, height, radius);
  }

  /**
   * What a person is and what is chosen, as edges of the box.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {Person} p
   * @param {number} left
   * @param {number} top
   */
  paintEdges(ctx, p, left, top) {
    const { also, marks, path, pointer, selected, tokens: t } = this.lineage;
    const inPath = path.has(p.id), focus = p.state === "talent" && !p.link;
    /**
     * @param {string} colour
     * @param {number} width
     * @param {number} [grow]
     */
    const edge = (colour, width, grow = 0) => {
      this.tracePersonBox(ctx, p, left, top, grow - width / 2, MEASURES.person.radius + grow);
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.stroke();
    };
    if (!focus) {
      if (p.leading && !p.link) edge(t.talent, MEASURES.edge.strong);
      else if (inPath) edge(t.ink, MEASURES.edge.strong);
      else if (p.state === "pending" && !p.link) edge(t.ring, MEASURES.edge.thin);
    }
    const chosen = selected === p.id && !inPath;
    if (this.hasKeys(p)) edge(t.link, 3, 4);
    else if (chosen || pointer.hover?.id === p.id || also.has(p.id)) {
      edge(t.link, 2, focus || p.leading || inPath ? 4 : 1);
    }
    if (marks.has(p.id)) {
      edge(t.ink, 1.2);
      edge(t.ink, 1.2, 4);
    }
  }

  /**
   * Whether the keys stand at a person.
   *
   * @param {Person} p
   */
  hasKeys(p) {
    const { canvas, keyboard, root } = this.lineage;
    return keyboard.active && keyboard.cursor === p.id && root.activeElement === canvas;
  }

  /**
   * Name, level and honour; muted off the path in focus, and for those who do not count.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {Person} p
   * @param {number} left
   * @param {number} y
   */
  paintContent(ctx, p, left, y) {
    const { path, pointer, tokens: t } = this.lineage;
    const focus = p.state === "talent" && !p.link;
    const inPath = path.has(p.id), lit = inPath || pointer.hover?.id === p.id;
    const muted = !lit && (path.size > 0 || p.state === "none" || p.link);
    const colour = focus ? t.on_talent : muted ? t.muted : t.ink;
    const { padding_left, padding_right } = MEASURES.person;
    this.paintText(ctx, p.shown, left + padding_left, y, colour, focus || inPath);
    let right = left + p.width - padding_right;
    if (p.honour) {
      right -= MEASURES.badge.size;
      this.paintHonour(ctx, p.honour, right, y, colour);
      right -= MEASURES.badge.mark_gap;
    }
    if (p.level) this.paintBadge(ctx, p.level, right - MEASURES.badge.size, y, focus);
  }

  /**
   * A group: its name and how many, below them the share driven and the share pending; right, its
   * list.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {Person} p
   * @param {Group} group
   * @param {number} left
   * @param {number} y
   */
  paintGroup(ctx, p, group, left, y) {
    const { paper, pointer, ruler, tokens: t } = this.lineage;
    const hover = pointer.hover?.id === p.id ? pointer.hover : null, at = this.hasKeys(p);
    const { height, list, padding, text_rise } = MEASURES.group;
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.roundRect(left, y - height / 2, p.width, height, MEASURES.person.radius);
    ctx.fillStyle = paper;
    ctx.fill();
    ctx.strokeStyle = hover || at ? t.link : group.open ? t.ink : t.hairline;
    ctx.lineWidth = at ? 3 : hover ? 2 : MEASURES.edge.thin;
    ctx.stroke();
    const number = group.persons.toLocaleString("en"), line = y - text_rise;
    const right = left + p.width - list;
    this.paintText(ctx, p.shown, left + padding, line, t.ink, group.open);
    this.paintText(ctx, number, right - ruler.measure(number, true), line, t.ink, true);
    this.paintListIcon(ctx, right, y, hover?.list ? t.link : t.muted);
    this.paintShares(ctx, group, left + padding, y, p.width - 2 * padding);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {number} left
   * @param {number} y
   * @param {string} colour
   */
  paintListIcon(ctx, left, y, colour) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1.4;
    for (const down of [-8, -4, 0]) {
      ctx.beginPath();
      ctx.moveTo(left + 6, y + down);
      ctx.lineTo(left + 14, y + down);
      ctx.stroke();
    }
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Group} group
   * @param {number} left
   * @param {number} y
   * @param {number} across
   */
  paintShares(ctx, group, left, y, across) {
    const { tokens: t } = this.lineage;
    const { height, share, share_bottom } = MEASURES.group;
    const top = y + height / 2 - share_bottom;
    const [driven, pending] = [group.driven, group.pending].map((n) =>
      (across * n) / group.persons
    );
    ctx.fillStyle = t.soft;
    ctx.fillRect(left, top, across, share);
    ctx.fillStyle = t.bar;
    ctx.fillRect(left, top, driven, share);
    if (group.pending) {
      ctx.strokeStyle = t.ring;
      ctx.lineWidth = 1;
      ctx.strokeRect(left + driven, top + 0.5, Math.max(1, pending), share - 1);
    }
  }

  /**
   * The letters of the branches a person is in, on the corner of the box.
   *
   * @param {CanvasRenderingContext2D} ctx
   * @param {string} text
   * @param {number} right
   * @param {number} top
   */
  paintBranches(ctx, text, right, top) {
    const { height, width_min, padding, rise, overhang, radius } = MEASURES.letter;
    const width = Math.max(width_min, this.lineage.ruler.measure(text, true) + 2 * padding);
    const left = right + overhang - width;
    ctx.beginPath();
    ctx.roundRect(left, top - rise, width, height, radius);
    ctx.fillStyle = this.lineage.tokens.ink;
    ctx.fill();
    ctx.font = `700 ${TEXT.mark_size}px ${FONT}`;
    ctx.textAlign = "center";
    ctx.fillStyle = this.lineage.paper;
    const baseline = top - rise + height / 2 + TEXT.baseline * TEXT.mark_size;
    ctx.fillText(text, left + width / 2, baseline);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {number} left
   * @param {number} top
   * @param {string} colour
   */
  paintDrivenBar(ctx, left, top, colour) {
    ctx.beginPath();
    const { bar, height } = MEASURES.person;
    ctx.roundRect(left, top, bar, height, [bar, 0, 0, bar]);
    ctx.fillStyle = colour;
    ctx.fill();
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {string} colour
   * @param {boolean} bold
   */
  paintText(ctx, text, x, y, colour, bold) {
    ctx.font = `${bold ? 700 : 400} ${TEXT.size}px ${FONT}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "alphabetic";
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y + TEXT.baseline * TEXT.size);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {string} colour
   * @param {number} [size]
   */
  paintCentred(ctx, text, x, y, colour, size = TEXT.size) {
    ctx.font = `400 ${size}px ${FONT}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "alphabetic";
    ctx.fillStyle = colour;
    ctx.fillText(text, x, y + size * TEXT.baseline);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {number} level
   * @param {number} x
   * @param {number} y
   * @param {boolean} focus
   */
  paintBadge(ctx, level, x, y, focus) {
    const t = this.lineage.tokens;
    ctx.beginPath();
    ctx.roundRect(
      x,
      y - MEASURES.badge.size / 2,
      MEASURES.badge.size,
      MEASURES.badge.size,
      MEASURES.badge.radius,
    );
    ctx.fillStyle = t.ladder[level - 1];
    ctx.fill();
    if (level > 6 && (t.ladder_outline || focus)) {
      ctx.lineWidth = 1;
      ctx.strokeStyle = focus ? t.on_talent : t.ladder_outline;
      ctx.stroke();
    }
    this.paintCentred(ctx, String(level), x + MEASURES.badge.size / 2, y, t.on_ladder[level - 1]);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {string} mark
   * @param {number} x
   * @param {number} y
   * @param {string} colour
   */
  paintHonour(ctx, mark, x, y, colour) {
    ctx.beginPath();
    ctx.roundRect(
      x + 0.5,
      y - MEASURES.badge.size / 2 + 0.5,
      MEASURES.badge.size - 1,
      MEASURES.badge.size - 1,
      MEASURES.badge.radius,
    );
    ctx.strokeStyle = colour;
    ctx.lineWidth = 1;
    ctx.stroke();
    this.paintCentred(ctx, [...mark][0], x + MEASURES.badge.size / 2, y, colour, TEXT.mark_size);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {number} left
   * @param {number} top
   */
  paintPin(ctx, left, top) {
    ctx.beginPath();
    ctx.arc(left, top, 4, 0, 7);
    ctx.fillStyle = this.lineage.tokens.link;
    ctx.fill();
    ctx.strokeStyle = this.lineage.paper;
    ctx.lineWidth = 1.5;
    ctx.stroke();
  }

  /**
   * Studios and "+N", above the people; then the heads follow.
   *
   * @param {CanvasRenderingContext2D} ctx
   */
  paintOver(ctx) {
    const sight = this.lineage.camera.findSight();
    ctx.save();
    ctx.setLineDash([]);
    for (const studio of this.lineage.studios) this.paintStudio(ctx, studio, sight);
    if (!this.lineage.shown.years) {
      for (const pill of this.lineage.pills) this.paintPill(ctx, pill, sight);
    }
    ctx.restore();
    this.lineage.heads.move();
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Studio} studio
   * @param {Sight} sight
   */
  paintStudio(ctx, studio, sight) {
    const { lines, paper, path, pointer, router, shown, tokens: t } = this.lineage;
    const { height, padding_left, radius, sign_left } = MEASURES.studio;
    const { left, y } = router.findEnds(studio);
    if (!shown.hasStudio(studio)) return;
    if (left > sight.right || y < sight.top || y > sight.bottom) return;
    const over = pointer.hover?.id === studio.id;
    const inPath = lines.some((line) => line.strong && line.to === studio);
    ctx.beginPath();
    ctx.roundRect(left, y - height / 2, studio.width, height, radius);
    ctx.fillStyle = paper;
    ctx.fill();
    ctx.setLineDash(MEASURES.dashes.studio);
    ctx.strokeStyle = over ? t.link : inPath ? t.ink : t.ring;
    ctx.lineWidth = over || inPath ? MEASURES.line.path_width : MEASURES.line.width;
    ctx.stroke();
    ctx.setLineDash([]);
    const colour = over || inPath || !path.size ? t.ink : t.muted;
    this.paintText(ctx, studio.closed ? "▸" : "▾", left + sign_left, y, colour, false);
    this.paintText(ctx, studio.text, left + padding_left, y, colour, false);
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Pill} pill
   * @param {Sight} sight
   */
  paintPill(ctx, pill, sight) {
    const { paper, pointer, router, shown, tokens: t } = this.lineage;
    if (!shown.hasPerson(pill.person)) return;
    const { height } = MEASURES.pill;
    const { left, y } = router.findEnds(pill);
    if (left > sight.right || y < sight.top || y > sight.bottom) return;
    const over = pointer.hover?.id === pill.id;
    ctx.beginPath();
    ctx.roundRect(left, y - height / 2, pill.width, height, height / 2);
    ctx.fillStyle = paper;
    ctx.fill();
    ctx.strokeStyle = over ? t.link : t.hairline;
    ctx.lineWidth = over ? 2 : MEASURES.edge.thin;
    ctx.stroke();
    this.paintCentred(ctx, pill.text, left + pill.width / 2, y, over ? t.ink : t.muted);
  }
}
