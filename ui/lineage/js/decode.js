import MEASURES from "../../shell/measures.json" with { type: "json" };

/** @import { Channel, DecodedView, Person, SentView, State, Tie } from "./types.d.ts" */

/** @type {Record<string, State>} */
const STATES = { t: "talent", d: "driven", p: "pending", n: "none" };
/** @type {Record<string, Channel>} */
const CHANNELS = { m: "mentorship", s: "studio", t: "teaching" };

/**
 * The columns of plain lists as people, ties and the rest by name.
 *
 * @param {SentView} sent
 * @returns {DecodedView}
 */
export function decodeView(sent) {
  const nodes = decodePeople(sent);
  const flows = sent.flows.map(([from, to, persons]) => ({
    from: sent.id[from],
    to: sent.id[to],
    persons,
  }));
  const via = new Map(sent.via.map(([from, to, ys]) => [`${from}\0${to}`, ys]));
  const columns = sent.columns.map((column) => ({ ...column }));
  const { focus, axis, pills, studios, hold, figures } = sent;
  return {
    focus,
    axis,
    nodes,
    edges: decodeTies(sent),
    columns,
    pills,
    studios,
    hold,
    figures,
    flows,
    via,
  };
}

/**
 * @param {SentView} sent
 * @returns {Person[]}
 */
function decodePeople(sent) {
  const leading = new Set(sent.leading), link = new Set(sent.link);
  return sent.id.map((id, at) => {
    const [reason, ...lines] = sent.notes[sent.note[at]];
    /** @type {Person} */
    const person = {
      id,
      name: sent.name[at],
      generation: sent.generation[at],
      layer: sent.layer[at],
      level: sent.level[at],
      state: STATES[sent.state[at]],
      honour: sent.honour[at] ?? "",
      leading: leading.has(at),
      link: link.has(at),
      reason,
      lines,
      left: sent.x[at] ?? 0,
      y: sent.y[at],
      x: 0,
      width: 0,
      shown: "",
    };
    if (sent.group[at]) {
      const [persons, driven, pending, target, open] = sent.group[at];
      person.group = { persons, driven, pending, target, open: Boolean(open) };
    }
    if (sent.indent[at]) person.indent = sent.indent[at] * MEASURES.group.indent;
    return person;
  });
}

/**
 * @param {SentView} sent
 * @returns {Tie[]}
 */
function decodeTies(sent) {
  return sent.from.map((from, at) => ({
    from: sent.id[from],
    to: sent.id[sent.to[at]],
    channel: CHANNELS[sent.channel[at]],
    start: sent.start[at],
    end: sent.end[at] ?? "",
    studio: sent.studio[at] ?? null,
  }));
}
