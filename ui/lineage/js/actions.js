import { prefersCalm } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Direction, Person, Pill, Channels } from "./types.d.ts" */

/** What a visitor can do with people and groups; most of it is sent to Python. */
export class Actions {
  /** @type {Channels | null} */
  channel = null;
  number = 0; // of what was done last: each has another
  /**
   * What was done and the page has not answered yet, in order. All of it is sent each time: of
   * two events in quick succession Streamlit hands over the second alone.
   *
   * @type {(Record<string, unknown> & { number: number })[]}
   */
  unanswered = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  waiting;

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /**
   * A group opens or folds in place, or its people are listed.
   *
   * @param {Person} box
   * @param {boolean} [list]
   */
  openGroup(box, list) {
    const target = box.group?.target;
    this.lineage.camera.pivot = this.lineage.data.focus;
    if (list || !target) this.send({ action: "list", person: box.id });
    else this.send({ action: "group", person: target });
  }

  /**
   * @param {Pill} pill
   */
  expandPill(pill) {
    this.lineage.camera.pivot = pill.person;
    this.send({
      action: "expand",
      person: pill.person,
      direction: pill.direction,
      channel: pill.channel,
    });
  }

  /**
   * @param {string | null} id
   * @param {number} [wait]
   */
  select(id, wait = 0) {
    if (this.lineage.selected === id && !wait) return;
    this.lineage.selected = id;
    this.lineage.camera.pivot = id;
    this.lineage.toolbar.update();
    this.lineage.reader.readSelected();
    this.lineage.network.redraw();
    clearTimeout(this.waiting);
    // a double click selects and folds: the selection goes first, with the click itself
    const tell = () => this.channel?.select(id, ++this.number);
    if (wait) this.waiting = setTimeout(tell, wait);
    else tell();
  }

  /**
   * @param {Record<string, unknown> & { action: string }} what
   */
  send(what) {
    this.lineage.time.flush();
    this.lineage.pointer.leave();
    if (what.action === "list") this.scrollToList();
    this.unanswered.push({ ...what, number: ++this.number });
    this.channel?.done({ events: this.unanswered });
  }

  /**
   * The page has taken in everything up to a number.
   *
   * @param {number} number
   */
  acknowledge(number) {
    this.number = Math.max(this.number, number);
    this.unanswered = this.unanswered.filter((event) => event.number > number);
  }

  /**
   * The list stands below the widget, once the page has made it.
   *
   * @param {number} [tries]
   */
  scrollToList(tries = 50) {
    const list = document.querySelector(".st-key-lineage_list");
    if (list && tries < 48) {
      list.scrollIntoView({ block: "start", behavior: prefersCalm() ? "auto" : "smooth" });
    } else if (tries) setTimeout(() => this.scrollToList(tries - 1), 100);
  }

  /**
   * @param {Person} person
   * @param {Direction} direction
   */
  leadsOn(person, direction) {
    if (this.lineage.data.hold !== "people") return false;
    return this.lineage.data.edges.some((edge) => {
      const [from, to] = direction === "down" ? [edge.from, edge.to] : [edge.to, edge.from];
      if (from !== person.id) return false;
      const a = this.lineage.getPerson(from).generation,
        b = this.lineage.getPerson(to).generation;
      return direction === "down" ? b > a : b < a;
    });
  }

  /**
   * @param {Person} person
   * @returns {Direction[]}
   */
  listDirections(person) {
    return person.generation < 0
      ? ["up"]
      : person.id === this.lineage.data.focus
      ? ["down", "up"]
      : ["down"];
  }

  /**
   * @param {Person} person
   */
  canFold(person) {
    return this.listDirections(person).some((direction) => this.leadsOn(person, direction));
  }

  /**
   * @param {Person} person
   */
  canExpand(person) {
    return this.lineage.pills.some((pill) => pill.person === person.id);
  }

  /**
   * @param {Person} person
   */
  toggle(person) {
    if (this.canFold(person)) this.fold(person);
    else this.expand(person);
  }

  /**
   * @param {Person} person
   */
  fold(person) {
    const direction = this.listDirections(person).find((way) => this.leadsOn(person, way));
    this.lineage.camera.pivot = person.id;
    if (direction) this.send({ action: "fold", person: person.id, direction });
  }

  /**
   * @param {Person} person
   */
  expand(person) {
    const pill = this.lineage.pills.find((candidate) => candidate.person === person.id);
    if (pill) this.expandPill(pill);
  }

  expandSelected() {
    const p = this.lineage.findPerson(this.lineage.selected);
    if (p) this.expand(p);
  }

  foldSelected() {
    const p = this.lineage.findPerson(this.lineage.selected);
    if (p) this.fold(p);
  }

  /**
   * @param {string} action
   */
  sendSelected(action) {
    if (this.lineage.findPerson(this.lineage.selected)) {
      this.send({ action, person: this.lineage.selected });
    }
  }
}
