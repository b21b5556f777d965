import MEASURES from "../../shell/measures.json" with { type: "json" };
import { element, svgElement } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Channel } from "./types.d.ts" */

/**
 * A sample of a channel's line: dashed as the ties are.
 *
 * @param {Channel} channel
 */
const drawLineSample = (channel) => {
  const width = MEASURES.swatch.width, high = MEASURES.line.path_width;
  return svgElement(
    "svg",
    { class: "stroke", width, height: high, "aria-hidden": "true" },
    svgElement("path", {
      d: `M0 ${high / 2}h${width}`,
      fill: "none",
      stroke: "var(--ink)",
      "stroke-width": high,
      "stroke-dasharray": MEASURES.dashes[channel].join(" "),
    }),
  );
};

/** What the colours and lines mean. */
export class Legend {
  element = element("div", { class: "legend" });

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  draw() {
    const w = this.lineage.words, t = this.lineage.tokens;
    if (!t) return;
    const ladder = element("span", { class: "ladder" });
    t.ladder.forEach((colour, at) => {
      if (at === 3) ladder.append(element("i", { class: "break" }));
      const step = element("i", { text: String(at + 1) });
      step.style.background = colour;
      step.style.color = t.on_ladder[at];
      if (t.ladder_outline && at > 5) step.style.boxShadow = `inset 0 0 0 1px ${t.ladder_outline}`;
      ladder.append(step);
    });
    ladder.append(element("em", { text: w.high_skilled }));
    /**
     * @param {string} mark
     * @param {string} word
     */
    const entry = (mark, word) =>
      element("span", {}, ...(mark ? [element("i", { class: mark })] : []), word);
    const channels = /** @type {Channel[]} */ (Object.keys(MEASURES.dashes)).filter((channel) =>
      channel !== "teaching" || this.lineage.data.edges.some((edge) => edge.channel === channel)
    );
    if (this.lineage.data.hold !== "people") {
      const list = element("i", { class: "listed" }, element("i"), element("i"), element("i"));
      this.element.replaceChildren(
        ladder,
        entry("share driven", w.driven),
        entry("share", w.pending),
        entry("flow", w.width),
        element("span", {}, list, w.list_word),
        ...channels.map((channel) => element("span", {}, drawLineSample(channel), w[channel])),
        entry("swatch talent", w.talent),
      );
      return;
    }
    const marks = this.lineage.data.nodes.find((node) => node.honour)?.honour;
    const honour = w.honour && marks
      ? [
        element(
          "span",
          {},
          element("i", { class: "swatch honour", text: [...marks][0] }),
          w.honour,
        ),
      ]
      : [];
    this.element.replaceChildren(
      ladder,
      ...channels.map((channel) => element("span", {}, drawLineSample(channel), w[channel])),
      entry("swatch driven", w.driven),
      entry("swatch", w.pending),
      entry("", w.none),
      ...(this.lineage.data.nodes.some((node) => node.link) ? [entry("swatch link", w.link)] : []),
      entry("swatch talent", w.talent),
      ...(this.lineage.data.mark ? [entry("swatch mark", this.lineage.data.mark)] : []),
      ...honour,
      ...this.lineage.data.branches.map((branch) =>
        element(
          "span",
          { class: "branch" },
          element("i", { class: "swatch honour", text: branch.letter }),
          element("b", { text: branch.name }),
          branch.count,
        )
      ),
    );
  }
}
