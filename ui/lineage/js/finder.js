import { element, fillTemplate, icon } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */
/** @import { Person } from "./types.d.ts" */

/** @typedef {{ words: HTMLElement[], act: (() => void) | null }} Choice */

const MAX_MATCHES = 20;

/** The box that finds a person of the view. */
export class Finder {
  /** @type {Choice[]} */
  choices = [];
  /** @type {HTMLInputElement} */
  field;
  /** @type {HTMLElement} */
  list;
  choice = -1;

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /** The box and its list, in the words of the page. */
  build() {
    const { words } = this.lineage;
    this.list = element("ul", {
      class: "found",
      role: "listbox",
      id: "found",
      hidden: "",
      /** @param {MouseEvent} event */
      onmousedown: (event) => event.preventDefault(), // the box keeps the focus, and the list stays
    });
    this.field = element("input", {
      type: "text",
      placeholder: words.find,
      "aria-label": words.find,
      role: "combobox",
      maxlength: "60",
      "aria-expanded": "false",
      "aria-controls": "found",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.search(),
      /** @param {KeyboardEvent} event */
      onkeydown: (event) => this.onKey(event),
      onblur: () => this.close(),
      onfocus: () => this.search(),
    });
    return element("div", { class: "find" }, icon("find"), this.field, this.list);
  }

  /** Lists whom the text names, and offers to look among everyone. */
  search() {
    const text = this.field.value.trim();
    if (!text) {
      this.close();
      return;
    }
    const matches = [...this.lineage.people.values()].filter((p) =>
      p.name.toLowerCase().includes(text.toLowerCase())
    ).slice(0, MAX_MATCHES);
    const { words } = this.lineage;
    this.choices = matches.map((p) => this.buildChoice(p));
    if (!matches.length) {
      this.choices.push({ words: [element("small", { text: words.nobody })], act: null });
    }
    this.choices.push({
      words: [element("span", { text: fillTemplate(words.everyone, { text }) })],
      act: () => this.lineage.actions.send({ action: "search", text: this.field.value.trim() }),
    });
    this.choice = this.choices.findIndex((choice) => choice.act);
    this.list.replaceChildren(...this.choices.map((choice, at) =>
      element("li", {
        role: "option",
        id: `found-${at}`,
        "aria-disabled": choice.act ? null : "true",
        onmousedown: () => this.choose(at),
      }, ...choice.words)
    ));
    this.list.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    this.markChoice();
  }

  /**
   * @param {Person} person
   * @returns {Choice}
   */
  buildChoice(person) {
    const { actions, camera, canvas, data, keyboard } = this.lineage;
    const head = data.columns.find((column) => column.x === person.left);
    return {
      words: [
        element("span", { text: person.name }),
        element("small", { text: head?.name ?? "" }),
      ],
      act: () => {
        keyboard.active = true;
        keyboard.cursor = person.id;
        actions.select(person.id);
        camera.reveal(person);
        canvas.focus({ preventScroll: true });
      },
    };
  }

  markChoice() {
    [...this.list.children].forEach((item, at) =>
      item.setAttribute("aria-selected", String(at === this.choice))
    );
    this.field.setAttribute("aria-activedescendant", `found-${this.choice}`);
    this.list.children[this.choice]?.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {number} at
   */
  choose(at) {
    const act = this.choices?.[at]?.act;
    if (!act) return;
    act();
    this.field.value = "";
    this.close();
  }

  close() {
    this.list.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  /**
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    event.stopPropagation();
    if (event.key === "Escape") {
      this.field.value = "";
      this.close();
      this.lineage.canvas.focus({ preventScroll: true });
    }
    if (this.list.hidden || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const usable = this.choices.map((choice, at) => (choice.act ? at : -1)).filter((at) =>
        at >= 0
      );
      const next = usable.indexOf(this.choice) + step;
      this.choice = usable[(next + usable.length) % usable.length];
      this.markChoice();
    }
    if (event.key === "Enter") {
      event.preventDefault();
      this.choose(this.choice);
    }
  }
}
