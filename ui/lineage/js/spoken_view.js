import { element, fillTemplate } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Person } from "./types.d.ts" */

/** The view in words, for those who do not see it. */
export class SpokenView {
  /** @type {HTMLElement} */
  live;
  /** @type {HTMLElement} */
  list;

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /** What is read out, and the list of everyone. */
  build() {
    const { words } = this.lineage;
    this.live = element("div", { class: "unseen", "aria-live": "polite", role: "status" });
    const lister = element("button", {
      type: "button",
      class: "unseen",
      text: words.list,
      onclick: () => this.listPeople(),
    });
    this.list = element("ul", { class: "unseen", "aria-label": words.people });
    return [this.live, lister, this.list];
  }

  /**
   * @param {Person} person
   */
  describe(person) {
    const w = this.lineage.words;
    if (person.group) {
      const head = this.lineage.data.columns.find((column) => column.layer === person.layer);
      return [
        person.name,
        head?.name,
        ...person.lines,
        w[person.group.open ? "close_group" : person.group.target ? "open_group" : "open_list"],
      ]
        .filter(Boolean).join(this.lineage.data.language === "zh" ? "，" : ", ");
    }
    const parts = [person.name];
    if (person.level) parts.push(fillTemplate(w.level, { level: person.level }));
    parts.push(person.link ? w.link : w[`state_${person.state}`]);
    if (person.leading && person.state !== "talent") parts.push(w.talent);
    const head = this.lineage.data.columns.find((column) => column.layer === person.layer);
    if (head) parts.push(head.name);
    if (this.lineage.marks.has(person.id)) parts.push(this.lineage.data.mark);
    const branches = this.lineage.tags.get(person.id);
    if (branches) parts.push(branches);
    if (person.reason) parts.push(person.reason);
    return parts.concat(person.lines).join(this.lineage.data.language === "zh" ? "，" : ", ");
  }

  /**
   * @param {string} text
   */
  say(text) {
    if (this.live.textContent !== text) this.live.textContent = text;
  }

  readSelected() {
    const person = this.lineage.findPerson(this.lineage.selected);
    this.say(person ? `${this.lineage.words.selected}: ${this.describe(person)}` : "");
  }

  /** Everyone as a list, for those who read and do not see; made when it is asked for. */
  listPeople() {
    this.list.replaceChildren(
      ...[...this.lineage.people.values()].filter((p) => this.lineage.shown.hasPerson(p.id)).map((
        p,
      ) => element("li", { text: this.describe(p) })),
    );
  }

  /** Other people are shown: the list is of those before. */
  clearList() {
    this.list.replaceChildren();
  }
}
