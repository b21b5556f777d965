import MEASURES from "../../shell/measures.json" with { type: "json" };
import { fillTemplate } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Flow, Line, Person, Pill, Studio, Tie } from "./types.d.ts" */

/**
 * Gives a person or a group its width and its name as far as the box holds it.
 *
 * @param {Lineage} lineage
 * @param {Person} person
 */
export function sizePerson({ ruler }, person) {
  if (person.group) {
    const { list, padding, width } = MEASURES.group;
    const number = ruler.measure(person.group.persons.toLocaleString("en"), true);
    person.width = width - (person.indent ?? 0);
    person.shown = ruler.shorten(person.name, person.width - 2 * padding - list - number);
  } else {
    person.shown = ruler.shorten(person.name);
    person.width = ruler.measureBox(person.shown, person);
  }
  person.x = person.left + person.width / 2;
}

/**
 * The studios drawn as groups, as wide as their text.
 *
 * @param {Lineage} lineage
 * @returns {Studio[]}
 */
export function buildStudios({ data, ruler, words }) {
  const { name_max, padding_left, padding_right } = MEASURES.studio;
  return data.studios.map((studio) => {
    const name = ruler.shorten(studio.name, name_max);
    const count = fillTemplate(words.group, { count: studio.count.toLocaleString("en") });
    const wide = ruler.measure(name, false) + ruler.measure(` · ${count}`, false);
    const width = Math.ceil(padding_left + wide + padding_right);
    return { ...studio, text: `${name} · ${count}`, width, left: 0, x: 0 };
  });
}

/**
 * The "+N": in a row of the next column, or right next to their person.
 *
 * @param {Lineage} lineage
 * @returns {Pill[]}
 */
export function buildPills(lineage) {
  const { gap_left, gap_right } = MEASURES.pill;
  return lineage.data.pills.map((pill) => {
    const person = lineage.getPerson(pill.person);
    const text = `+${pill.count.toLocaleString("en")}`,
      width = lineage.ruler.measurePill(pill.count);
    if (pill.x !== null && pill.y !== null) {
      const left = lineage.data.axis === "generation"
        ? lineage.columns.findLeft(pill.layer)
        : pill.x;
      return { ...pill, text, width, beside: false, left, y: pill.y };
    }
    const left = pill.direction === "down"
      ? person.left + person.width + gap_right
      : person.left - width - gap_left;
    return { ...pill, text, width, beside: true, left, y: person.y };
  });
}

/**
 * What is drawn between boxes: ties, those of a studio drawn as a group by way of its box.
 *
 * @param {Lineage} lineage
 * @returns {Line[]}
 */
export function buildLines(lineage) {
  /** @type {Map<string, Line>} */
  const lines = new Map();
  lineage.data.edges.forEach((edge, at) => {
    const strong = lineage.pathTies.has(`${edge.from}\n${edge.to}`);
    const from = lineage.getPerson(edge.from), to = lineage.getPerson(edge.to);
    if (edge.studio === null) {
      lines.set(String(at), { from, to, channel: edge.channel, edges: [edge], strong });
      return;
    }
    const studio = lineage.studios[edge.studio];
    studio.leader ??= from;
    addToLine(lines, `${edge.from}\n=${edge.studio}`, from, studio, edge, strong);
    addToLine(lines, `=${edge.studio}\n${edge.to}`, studio, to, edge, strong);
  });
  return [...lines.values()];
}

/**
 * @param {Map<string, Line>} lines
 * @param {string} key
 * @param {Person | Studio} from
 * @param {Person | Studio} to
 * @param {Tie} edge
 * @param {boolean} strong
 */
function addToLine(lines, key, from, to, edge, strong) {
  const half = !("state" in to); // to a studio
  const line = lines.get(key) ?? { from, to, channel: "studio", edges: [], strong: false, half };
  line.edges.push(edge);
  line.strong ||= strong;
  lines.set(key, line);
}

/**
 * How many come which way between groups; the widest is as wide as a flow may be.
 *
 * @param {Lineage} lineage
 * @returns {Flow[]}
 */
export function buildFlows(lineage) {
  const { flows } = lineage.data;
  const most = Math.max(1, ...flows.map((flow) => flow.persons));
  return flows.map((flow) => ({
    from: lineage.getPerson(flow.from),
    to: lineage.getPerson(flow.to),
    persons: flow.persons,
    wide: Math.max(1, (MEASURES.line.flow_max * flow.persons) / most),
  }));
}
