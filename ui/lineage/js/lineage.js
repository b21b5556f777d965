import MEASURES from "../../shell/measures.json" with { type: "json" };
import LINEAGE_CSS from "./lineage.css" with { type: "text" };
import { element, isDark } from "./elements.js";
import { decodeView } from "./decode.js";
import { buildFlows, buildLines, buildPills, buildStudios, sizePerson } from "./scene.js";
import { TextRuler } from "./text_ruler.js";
import { ColumnLayout } from "./columns.js";
import { ShownYears } from "./shown_years.js";
import { LineRouter } from "./lines.js";
import { TiePainter } from "./tie_painter.js";
import { BoxPainter } from "./box_painter.js";
import { ColumnHeads } from "./heads.js";
import { Camera } from "./camera.js";
import { Pointer } from "./pointer.js";
import { HoverNote } from "./note.js";
import { Keyboard } from "./keyboard.js";
import { Finder } from "./finder.js";
import { TimeBand } from "./time_band.js";
import { Toolbar } from "./toolbar.js";
import { Legend } from "./legend.js";
import { SpokenView } from "./spoken_view.js";
import { Actions } from "./actions.js";

/** @import { Words, Tokens, Person, Studio, Pill, Line, Flow, SentView, Turn, View, Channels, VisNetwork, VisDataSet } from "./types.d.ts" */

/**
 * The lineage widget: takes a view in, and hands it to those who draw it, move it and act on it.
 *
 * Text from data reaches the page only as textContent or canvas text.
 */
export class Lineage {
  /** @type {View} what is shown; nothing yet when undefined */
  data;
  /** @type {Words} */
  words;
  /** @type {Map<string, Person>} */
  people = new Map();
  /** @type {Studio[]} */
  studios = [];
  /** @type {Pill[]} */
  pills = [];
  /** @type {Map<string, Pill>} the "+N" right of a person, by the person's id */
  besides = new Map();
  /** @type {Line[]} */
  lines = [];
  /** @type {Flow[]} */
  flows = [];
  /** @type {string | null} */
  selected = null;
  /** @type {Set<string>} */
  also = new Set();
  /** @type {Set<string>} */
  pinned = new Set();
  /** @type {Set<string>} */
  marks = new Set();
  /** @type {Map<string, string>} person -> the letters of the branches he or she is in */
  tags = new Map();
  /** @type {Set<string>} the people on the paths in focus */
  path = new Set();
  /** @type {Set<string>} the ties on them, "from\nto" */
  pathTies = new Set();
  /** @type {Tokens} */
  tokens;
  /** @type {string} */
  paper;
  /** @type {VisNetwork} */
  network;
  /** @type {VisDataSet} */
  nodes;
  /** @type {HTMLElement} */
  stage;

  /** @param {ShadowRoot} root */
  constructor(root) {
    this.root = root;
    this.ruler = new TextRuler();
    this.columns = new ColumnLayout(this);
    this.shown = new ShownYears(this);
    this.router = new LineRouter(this);
    this.tiePainter = new TiePainter(this);
    this.boxPainter = new BoxPainter(this);
    this.heads = new ColumnHeads(this);
    this.camera = new Camera(this);
    this.pointer = new Pointer(this);
    this.note = new HoverNote(this);
    this.keyboard = new Keyboard(this);
    this.finder = new Finder(this);
    this.time = new TimeBand(this);
    this.toolbar = new Toolbar(this);
    this.legend = new Legend(this);
    this.reader = new SpokenView(this);
    this.actions = new Actions(this);
    this.style = element("style", { text: LINEAGE_CSS });
    this.box = element("div", { class: "lineage", lang: "zh" });
    root.append(this.style, this.box);
    this.box.addEventListener("keydown", (event) => this.keyboard.onAnyKey(event));
    this.canvas = this.buildCanvas();
    this.probe = this.buildThemeProbe();
    /** @param {Event} event */
    this.onCentre = (event) =>
      this.camera.centreOn(/** @type {CustomEvent<string>} */ (event).detail);
    // Another part of the page asks for a person to stand in the middle: ui/controls/steps.js.
    window.addEventListener("shicheng-centre", this.onCentre);
  }

  /** @param {string | null | undefined} id */
  findPerson(id) {
    return id ? this.people.get(id) : undefined;
  }

  /**
   * A person of the view, who must be there.
   *
   * @param {string} id
   */
  getPerson(id) {
    return /** @type {Person} */ (this.people.get(id));
  }

  buildCanvas() {
    const { keyboard, pointer } = this;
    const canvas = element("div", {
      class: "canvas",
      tabindex: "0",
      role: "application",
      "aria-describedby": "keys",
      /** @param {KeyboardEvent} event */
      onkeydown: (event) => keyboard.onKey(event),
      /** @param {MouseEvent} event */
      onmousedown: (event) => {
        keyboard.active = false;
        pointer.onPress(event);
      },
      /** @param {MouseEvent} event */
      onclick: (event) => pointer.onClick(event),
      onfocus: () => this.network?.redraw(),
      onblur: () => this.network?.redraw(),
      /** @param {MouseEvent} event */
      onmousemove: (event) => pointer.onMove(event),
      onmouseleave: () => pointer.leave(),
      /** @param {MouseEvent} event */
      ondblclick: (event) => pointer.onDoubleClick(event),
    });
    canvas.addEventListener("wheel", (event) => this.camera.onWheel(event), {
      capture: true,
      passive: false,
    });
    return canvas;
  }

  /** Of no size; its colour is the page's, and says when that turns. */
  buildThemeProbe() {
    const probe = element("i", { class: "unseen" });
    probe.style.cssText += "color: var(--st-background-color); transition: color 1ms;";
    probe.addEventListener("transitionend", () => this.applyTheme());
    return probe;
  }

  /** All that stands around the canvas, in the words of the page. */
  build() {
    this.canvas.setAttribute("aria-label", this.words.lineage);
    const { reader, time, toolbar } = this;
    const row = toolbar.build();
    this.stage = element(
      "div",
      { class: "stage" },
      this.canvas,
      toolbar.buildCorner(),
      toolbar.buildNotice(),
      toolbar.buildKeys(),
      this.note.element,
    );
    this.box.replaceChildren(
      row,
      this.heads.element,
      this.stage,
      time.element,
      this.legend.element,
      ...reader.build(),
      this.probe,
    );
    this.legend.draw();
    time.labelPlayButton();
  }

  /**
   * Shows a view, or what a click has changed of the one that is shown.
   *
   * @param {Turn} turn
   * @param {SentView} sent
   * @param {Channels} channel
   */
  show(turn, sent, channel) {
    const before = this.data;
    const same = before?.view === turn.view;
    this.data = same ? { ...before, ...turn } : { ...decodeView(sent), ...turn };
    const { data } = this;
    this.actions.channel = channel;
    this.actions.acknowledge(turn.done);
    this.words = data.words;
    this.box.style.height = `${data.height}px`;
    this.box.lang = data.language === "zh" ? "zh-CN" : "en";
    const fresh = !before || before.language !== data.language ||
      String(before.buttons) !== String(data.buttons) ||
      before.words.find !== data.words.find;
    if (fresh) this.build();
    this.applyTheme();
    this.takeTurn(data);
    const redated = before && before.dates !== data.dates;
    if (!same || redated) this.takeIn(before);
    else this.drawLines();
    if (!this.findPerson(this.keyboard.cursor)) this.keyboard.cursor = null;
    this.shown.update();
    if (!same || fresh || redated) {
      this.heads.draw();
      this.legend.draw();
      this.reader.clearList();
    }
    this.time.draw();
    this.toolbar.update();
    this.toolbar.updateNotice();
    this.reader.readSelected();
    this.network.redraw();
  }

  /**
   * Who is selected, marked, pinned and on the paths in focus.
   *
   * @param {View} data
   */
  takeTurn(data) {
    this.selected = data.selected;
    this.also = new Set(data.also);
    this.pinned = new Set(data.pinned);
    this.marks = new Set(data.marks);
    this.tags = new Map();
    for (const { letter, people } of data.branches) {
      for (const id of people) this.tags.set(id, (this.tags.get(id) ?? "") + letter);
    }
    if (!this.time.playing) this.shown.years = data.years;
    this.path = new Set(data.paths.flat());
    // A path may lead up to a mentor and down again, so a tie is on it either way.
    this.pathTies = new Set(
      data.paths.flatMap((path) =>
        path.slice(1).flatMap((id, at) => [`${path[at]}\n${id}`, `${id}\n${path[at]}`])
      ),
    );
  }

  /**
   * Other people or ties: all is placed anew, and who stays slides to his or her place.
   *
   * @param {View | undefined} before
   */
  takeIn(before) {
    const { data } = this;
    const old = new Map([...this.people].map(([id, p]) => [id, { x: p.x, y: p.y }]));
    for (const person of data.nodes) sizePerson(this, person);
    this.people = new Map(data.nodes.map((person) => [person.id, person]));
    this.studios = buildStudios(this);
    if (data.axis === "generation") this.columns.arrange();
    this.pills = buildPills(this);
    this.besides = new Map(
      this.pills.filter((pill) => pill.beside && pill.direction === "down")
        .map((pill) => [pill.person, pill]),
    );
    this.drawLines();
    const nodes = data.nodes.map(({ id, x, y }) => ({ id, shape: "custom", x, y }));
    if (!this.network || !before) {
      this.createNetwork(nodes);
      this.camera.goHome();
      return;
    }
    const refocused = before.focus !== data.focus || before.axis !== data.axis ||
      before.hold !== data.hold || this.camera.rehome;
    this.camera.rehome = false;
    this.replaceAll(this.nodes, nodes);
    if (refocused) {
      this.camera.goHome();
      return;
    }
    this.camera.holdPivot(old);
    this.camera.slide(old);
  }

  drawLines() {
    this.lines = buildLines(this);
    this.flows = buildFlows(this);
  }

  /**
   * @param {VisDataSet} set
   * @param {{ id: string }[]} entries
   */
  replaceAll(set, entries) {
    const wanted = new Set(entries.map((entry) => entry.id));
    set.remove(set.getIds().filter((id) => !wanted.has(id)));
    set.update(entries);
  }

  /**
   * The library moves the canvas and keeps the people; ties are drawn here, all in one pass.
   *
   * @param {object[]} nodes
   */
  createNetwork(nodes) {
    this.nodes = new vis.DataSet(nodes);
    this.network = new vis.Network(this.canvas, { nodes: this.nodes, edges: new vis.DataSet([]) }, {
      autoResize: true,
      physics: { enabled: false },
      layout: { improvedLayout: false },
      nodes: {
        shape: "custom",
        /** @param {Parameters<BoxPainter["render"]>[0]} about */
        ctxRenderer: (about) => this.boxPainter.render(about),
        chosen: false,
      },
      interaction: {
        dragNodes: false,
        hover: false,
        selectable: false,
        zoomView: true,
        dragView: true,
        keyboard: { enabled: false },
        tooltipDelay: 100000,
        multiselect: false,
      },
    });
    this.network.once(
      "afterDrawing",
      () => requestAnimationFrame(() => performance.mark("shicheng-lineage-drawn")),
    );
    this.network.on("beforeDrawing", (ctx) => this.tiePainter.paint(ctx));
    this.network.on("afterDrawing", (ctx) => this.boxPainter.paintOver(ctx));
    this.network.on("resize", () => this.heads.draw());
    this.network.on("zoom", ({ pointer }) => this.camera.onZoom(pointer));
    // For the tests, which cannot see into a canvas.
    Object.assign(this.canvas, { shichengNetwork: this.network, shichengLineage: this });
    this.canvas.querySelector("canvas")?.setAttribute("aria-hidden", "true");
  }

  close() {
    this.time.stop();
    window.removeEventListener("shicheng-centre", this.onCentre);
    // First out of the page: a canvas that loses the focus while vis takes itself down throws.
    this.box.remove();
    this.network?.destroy();
    this.probe?.remove();
    this.style.remove();
  }

  applyTheme() {
    const host = getComputedStyle(this.box);
    const paper = host.getPropertyValue("--st-background-color").trim() || "#FFFFFF";
    const dark = isDark(paper);
    const tokens = TOKENS[dark ? "dark" : "light"];
    if (this.paper === paper && this.tokens === tokens) return;
    this.paper = paper;
    this.tokens = tokens;
    /**
     * @param {string} name
     * @param {string} value
     */
    const set = (name, value) => this.box.style.setProperty(`--${name}`, value);
    for (const [name, value] of Object.entries(tokens)) {
      if (typeof value === "string" && value) set(name.replaceAll("_", "-"), value);
    }
    tokens.ladder.forEach((colour, at) => set(`level-${at + 1}`, colour));
    for (const [group, sizes] of Object.entries(MEASURES)) {
      for (const [name, size] of Object.entries(sizes)) {
        if (typeof size === "number" && size >= 1) {
          set(`${group}-${name.replaceAll("_", "-")}`, `${size}px`);
        }
      }
    }
    set("paper", paper);
    set("field", dark ? "#171E26" : "#FFFFFF");
    set("font", FONT);
    if (this.data) this.legend.draw();
    this.network?.redraw();
  }
}
