import MEASURES from "../../shell/measures.json" with { type: "json" };

const IDEOGRAPHS = /^[\u4e00-\u9fff]+$/; // one em each, whatever the weight
const MAX_MEASURED_TEXTS = 20000;

/** How wide text is on the canvas, and how wide a box is for it. */
export class TextRuler {
  /** @type {Map<string, number>} */
  widths = new Map();
  context = /** @type {CanvasRenderingContext2D} */ (
    document.createElement("canvas").getContext("2d")
  );

  /**
   * @param {string} text
   * @param {boolean} bold
   * @returns {number} px
   */
  measure(text, bold) {
    if (IDEOGRAPHS.test(text)) return MEASURES.text.size * text.length;
    const key = `${bold ? 1 : 0}${text}`;
    const known = this.widths.get(key);
    if (known !== undefined) return known;
    this.context.font = `${bold ? 700 : 400} ${MEASURES.text.size}px ${FONT}`;
    if (this.widths.size > MAX_MEASURED_TEXTS) this.widths.clear();
    const { width } = this.context.measureText(text);
    this.widths.set(key, width);
    return width;
  }

  /**
   * How wide a "+N" is.
   *
   * @param {number} count
   */
  measurePill(count) {
    const text = this.measure(`+${count.toLocaleString("en")}`, false);
    return Math.ceil(text + 2 * MEASURES.pill.padding);
  }

  /**
   * @param {string} name
   * @param {number} [widest]
   */
  shorten(name, widest = MEASURES.person.name_max) {
    if (this.measure(name, true) <= widest) return name;
    let end = [...name].slice(0, 80);
    while (end.length > 1 && this.measure(`${end.join("")}…`, true) > widest) {
      end = end.slice(0, -1);
    }
    return `${end.join("")}…`;
  }

  /**
   * @param {string} name
   * @param {{ level: number, honour: string }} about
   */
  measureBox(name, about) {
    const text = Math.max(this.measure(name, true), this.measure(name, false));
    const { person, badge } = MEASURES;
    const level = about.level ? badge.gap + badge.size : 0,
      honour = about.honour ? badge.mark_gap + badge.size : 0;
    return Math.ceil(person.padding_left + text + level + honour + person.padding_right);
  }
}
