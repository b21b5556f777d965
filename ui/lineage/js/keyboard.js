/** @import { Lineage } from "./lineage.js" */
/** @import { Person } from "./types.d.ts" */

/** The keys of the canvas: one person at a time, without a mouse. */
export class Keyboard {
  /** @type {string | null} whom the keys stand at */
  cursor = null;
  active = false;

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /**
   * @param {KeyboardEvent} event
   */
  onAnyKey(event) {
    if (event.target === this.lineage.finder.field) return; // the field has an undo of its own
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      const action = event.shiftKey ? "redo" : "undo";
      if (this.lineage.data[action]) this.lineage.actions.send({ action });
    } else if (event.key === "/") {
      event.preventDefault();
      this.lineage.finder.field.focus();
    } else if (event.key === "?" && this.lineage.root.activeElement !== this.lineage.canvas) {
      event.preventDefault();
      this.lineage.toolbar.showKeys();
    }
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const acts = this.listActs(event.shiftKey);
    const act = acts[event.key] ?? acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    this.active = true;
    act();
    this.lineage.network.redraw();
  }

  /**
   * Key -> what it does to the person the keys stand at.
   *
   * @param {boolean} shift
   * @returns {Record<string, () => unknown>}
   */
  listActs(shift) {
    const person = this.lineage.findPerson(this.cursor ?? this.lineage.selected);
    /** @param {string} action */
    const to = (action) => () =>
      person && !person.group && person.id !== this.lineage.data.focus &&
      this.lineage.actions.send({ action, person: person.id });
    return {
      ArrowRight: () => this.walk("right"),
      ArrowLeft: () => this.walk("left"),
      ArrowUp: () => this.walk("up"),
      ArrowDown: () => this.walk("down"),
      Home: () => this.standAt(this.lineage.people.get(this.lineage.data.focus)),
      Enter: () =>
        person &&
        (person.group
          ? this.lineage.actions.openGroup(person)
          : shift
          ? this.lineage.actions.send({ action: "also", person: person.id })
          : this.lineage.actions.select(person.id)),
      " ": () =>
        person &&
        (person.group
          ? this.lineage.actions.openGroup(person)
          : this.lineage.actions.toggle(person)),
      l: () =>
        person && (person.group || person.generation > 0) &&
        this.lineage.actions.send({
          action: "list",
          person: person.group ? person.id : String(person.generation),
        }),
      "+": () => person && this.lineage.actions.expand(person),
      "=": () => person && this.lineage.actions.expand(person),
      "-": () =>
        person && this.lineage.actions.canFold(person) && this.lineage.actions.fold(person),
      Escape: () => this.escape(),
      f: to("focus"),
      h: to("hide"),
      p: to("pin"),
      t: to("trace"),
      d: () => this.lineage.actions.send({ action: "dates" }),
      g: () => this.lineage.actions.send({ action: "studios" }),
      "?": () => this.lineage.toolbar.showKeys(),
      0: () => this.lineage.camera.fit(),
      ">": () => this.lineage.camera.scaleBy(1.25),
      "<": () => this.lineage.camera.scaleBy(1 / 1.25),
    };
  }

  /** Escape leaves what was entered last: help, the note, the person selected, the canvas. */
  escape() {
    if (!this.lineage.toolbar.keys.hidden) this.lineage.toolbar.showKeys(false);
    else if (!this.lineage.note.element.hidden) this.lineage.pointer.leave();
    else if (this.lineage.selected) this.lineage.actions.select(null);
    else {
      this.cursor = null;
      this.lineage.canvas.blur();
    }
  }

  /**
   * @param {Person | undefined} person
   */
  standAt(person) {
    if (!person) return;
    this.cursor = person.id;
    this.lineage.reader.say(this.lineage.reader.describe(person));
    this.lineage.camera.reveal(person);
    this.lineage.network.redraw();
  }

  /**
   * Left to the mentor, right to the first taught, up and down within the column.
   *
   * @param {string} way
   */
  walk(way) {
    const here = this.lineage.findPerson(this.cursor ?? this.lineage.selected);
    if (!here) {
      this.standAt(this.lineage.people.get(this.lineage.data.focus));
      return;
    }
    const shown = [...this.lineage.people.values()].filter((p) =>
      p.id !== here.id && this.lineage.shown.hasPerson(p.id)
    );
    /**
     * @param {Person[]} others
     * @param {(person: Person) => number} measure
     */
    const near = (others, measure) =>
      others.reduce(
        (best, p) => (!best || measure(p) < measure(best) ? p : best),
        /** @type {Person | undefined} */ (undefined),
      );
    /**
     * @param {"from" | "to"} from
     * @param {"from" | "to"} to
     */
    const tied = (from, to) =>
      new Set(
        [...this.lineage.data.edges, ...this.lineage.data.flows].filter((e) => e[from] === here.id)
          .map((e) => e[to]),
      );
    /** @param {Person} p */
    const column = (p) => (this.lineage.data.axis === "year" ? p.generation : p.layer);
    /** @type {Person | undefined} */
    let next;
    if (way === "right") {
      const others = tied("from", "to");
      next = near(shown.filter((p) => others.has(p.id) && column(p) > column(here)), (p) => p.y);
    } else if (way === "left") {
      const others = tied("to", "from");
      next = near(
        shown.filter((p) => others.has(p.id) && column(p) < column(here)),
        (p) => Math.abs(p.y - here.y) + (this.lineage.path.has(p.id) ? 0 : 1e6),
      );
    } else {
      const side = way === "down" ? 1 : -1;
      next = near(
        shown.filter((p) => column(p) === column(here) && (p.y - here.y) * side > 0),
        (p) => Math.abs(p.y - here.y),
      );
    }
    if (next) this.standAt(next);
  }
}
