import { element, fillTemplate, icon, ICONS } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */

/** The buttons above the canvas and in its corners. */
export class Toolbar {
  /** @type {Record<string, HTMLButtonElement>} */
  buttons = {};
  /** @type {Record<string, HTMLButtonElement>} */
  axisButtons = {};
  /** @type {HTMLElement} */
  notice;
  /** @type {HTMLElement} */
  keys;

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
  }

  /** The row of buttons above the canvas. */
  build() {
    const { actions, words, data } = this.lineage;
    this.buttons = {};
    this.axisButtons = {
      generation: this.buildAxisButton("generation"),
      year: this.buildAxisButton("year"),
    };
    return element(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": words.lineage },
      this.lineage.finder.build(),
      this.buildButton("undo", () => actions.send({ action: "undo" }), { spare: "spare" }),
      this.buildButton("redo", () => actions.send({ action: "redo" }), { spare: "spare" }),
      element("span", { class: "rule" }),
      this.buildButton("expand", () => actions.expandSelected(), { spare: "spare" }),
      this.buildButton("fold", () => actions.foldSelected(), { spare: "spare" }),
      this.buildButton("path", () => actions.sendSelected("trace"), { press: true }),
      this.buildButton("focus", () => actions.sendSelected("focus"), { spare: "spare" }),
      this.buildButton("hide", () => actions.sendSelected("hide")),
      this.buildButton("pin", () => actions.sendSelected("pin"), { press: true }),
      element("span", { class: "rule" }),
      element(
        "div",
        { class: "pair", role: "group" },
        this.axisButtons.generation,
        this.axisButtons.year,
      ),
      element("span", { class: "push" }),
      ...data.buttons.map(([name, word], at, all) =>
        this.buildPageButton(name, word, at === all.length - 1)
      ),
    );
  }

  /**
   * @param {string} name
   * @param {() => void} act
   * @param {{ spare?: string, press?: boolean }} [look]
   */
  buildButton(name, act, { spare = "", press = false } = {}) {
    const word = this.lineage.words[name];
    const made = element(
      "button",
      {
        type: "button",
        title: word,
        "aria-label": word,
        class: spare,
        onclick: act,
        "aria-pressed": press ? "false" : null,
        "data-act": name,
      },
      icon(name),
      element("span", { class: "word", text: word }),
    );
    this.buttons[name] = made;
    return made;
  }

  /** @param {"generation" | "year"} axis */
  buildAxisButton(axis) {
    return element("button", {
      type: "button",
      text: this.lineage.words[axis],
      "aria-pressed": "false",
      "data-act": `axis-${axis}`,
      onclick: () => this.lineage.actions.send({ action: "axis", axis }),
    });
  }

  /**
   * A button of the page's own, the last one red.
   *
   * @param {string} name
   * @param {string} word
   * @param {boolean} main
   */
  buildPageButton(name, word, main) {
    return element(
      "button",
      {
        type: "button",
        class: main ? "main" : "",
        title: word,
        "aria-label": word,
        "data-act": name,
        onclick: () => this.lineage.actions.send({ action: name }),
      },
      ...(ICONS[name] ? [icon(name)] : []),
      element("span", { class: main ? "" : "word", text: word }),
    );
  }

  /** Zoom and options, in a corner of the canvas. */
  buildCorner() {
    const { actions, camera, words: w } = this.lineage;
    const zoom = element(
      "div",
      { class: "zoom", role: "group", "aria-label": w.fit },
      element("button", {
        type: "button",
        title: w.zoom_out,
        "aria-label": w.zoom_out,
        "data-act": "zoom-out",
        onclick: () => camera.scaleBy(1 / 1.25),
      }, icon("less")),
      element("button", {
        type: "button",
        text: w.fit,
        "data-act": "fit",
        onclick: () => camera.fit(),
      }),
      element("button", {
        type: "button",
        title: w.zoom_in,
        "aria-label": w.zoom_in,
        "data-act": "zoom-in",
        onclick: () => camera.scaleBy(1.25),
      }, icon("more")),
    );
    const options = element(
      "div",
      { class: "zoom options", role: "group", "aria-label": w.options },
      this.buildOption("dates", () => actions.send({ action: "dates" }), {
        "aria-pressed": "false",
      }),
      this.buildOption("studios", () => actions.send({ action: "studios" }), {
        "aria-pressed": "false",
      }),
      this.buildOption("help", () => this.showKeys(), { "aria-expanded": "false" }),
    );
    return element("div", { class: "corner" }, zoom, options);
  }

  /**
   * @param {string} name
   * @param {() => void} act
   * @param {Record<string, string>} more
   */
  buildOption(name, act, more) {
    const w = this.lineage.words, word = w[`${name}_word`];
    const made = element(
      "button",
      {
        type: "button",
        title: w[name],
        "aria-label": w[name],
        "data-act": name,
        onclick: act,
        ...more,
      },
      icon(name),
      ...(word ? [element("span", { class: "word", text: word })] : []),
    );
    this.buttons[name] = made;
    return made;
  }

  /** What is filtered out or hidden, with the way back. */
  buildNotice() {
    this.notice = element("div", { class: "out", hidden: "" });
    return this.notice;
  }

  /** The list of keys. */
  buildKeys() {
    const w = this.lineage.words;
    this.keys = element(
      "div",
      {
        class: "keys",
        id: "keys",
        role: "dialog",
        "aria-label": w.help,
        tabindex: "-1",
        hidden: "",
        /** @param {KeyboardEvent} event */
        onkeydown: (event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            this.showKeys(false);
          }
        },
      },
      element("b", { text: w.help }),
      element(
        "dl",
        {},
        ...w.keys.split("|").flatMap((line) => {
          const [keys, meaning] = line.split("=");
          return [element("dt", { text: keys }), element("dd", { text: meaning })];
        }),
      ),
    );
    return this.keys;
  }

  /** What the person selected allows, and which of the options are on. */
  update() {
    const b = this.buttons, data = this.lineage.data;
    const person = this.lineage.findPerson(this.lineage.selected);
    const focused = this.lineage.root.activeElement;
    b.undo.disabled = !data.undo;
    b.redo.disabled = !data.redo;
    b.expand.disabled = !person || !this.lineage.actions.canExpand(person);
    b.fold.disabled = !person || !this.lineage.actions.canFold(person);
    b.hide.disabled = !person || person.id === data.focus;
    b.pin.disabled = !person || person.id === data.focus;
    b.pin.setAttribute(
      "aria-pressed",
      String(Boolean(person && this.lineage.pinned.has(person.id))),
    );
    b.focus.disabled = !person || person.id === data.focus;
    b.path.disabled = !person || person.id === data.focus;
    b.dates.setAttribute("aria-pressed", String(data.dates));
    b.studios.disabled = data.hold !== "people";
    b.studios.setAttribute("aria-pressed", String(data.grouped));
    if (focused instanceof HTMLButtonElement && focused.disabled) {
      this.lineage.canvas.focus({ preventScroll: true }); // or the keys go nowhere
    }
    b.path.setAttribute("aria-pressed", String(Boolean(person && data.traced.includes(person.id))));
    for (const [name, made] of Object.entries(this.axisButtons)) {
      made.setAttribute("aria-pressed", String(data.axis === name));
    }
  }

  updateNotice() {
    const { data, words: w } = this.lineage;
    this.notice.hidden = !data.filtering && !data.hidden;
    const hidden = fillTemplate(w.hidden, { count: data.hidden.toLocaleString("en") });
    const filtered = data.hold === "people"
      ? fillTemplate(w.filtered, { count: data.filtered_out.toLocaleString("en") })
      : w.filters;
    this.notice.replaceChildren(
      ...(data.hidden ? this.buildNoticeEntry(hidden, "unhide") : []),
      ...(data.filtering ? this.buildNoticeEntry(filtered, "clear") : []),
    );
  }

  /**
   * @param {string} text
   * @param {"unhide" | "clear"} action that takes it back
   */
  buildNoticeEntry(text, action) {
    return [
      element("span", { text }),
      element("button", {
        type: "button",
        text: this.lineage.words[action],
        "data-act": action,
        onclick: () => this.lineage.actions.send({ action }),
      }),
    ];
  }

  /**
   * @param {boolean} [open]
   */
  showKeys(open = Boolean(this.keys.hidden)) {
    this.keys.hidden = !open;
    this.buttons.help.setAttribute("aria-expanded", String(open));
    if (open) this.keys.focus({ preventScroll: true });
    else this.lineage.canvas.focus({ preventScroll: true });
  }
}
