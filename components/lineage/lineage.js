// The lineage widget. Text from data reaches the page only as textContent or canvas text.
(() => {
  "use strict";
  const TOKENS = /*TOKENS*/{};
  const FONT = /*FONT*/'';
  const STYLE = /*STYLE*/'';

  const BOX = 28, WIDEST = 182, LEGIBLE = 0.4, BADGE = 18, PAD = 8, SLIDE = 220, MANY = 600, PLAY = 1000;
  const GROUP = 22, GROUP_NAME = 128, FAR = 0.3; // px, px, the scale below which no text is drawn
  const STATES = { t: "talent", d: "driven", p: "pending", n: "none" };
  const CHANNELS = { m: "mentorship", s: "studio", t: "teaching" };
  const IDEOGRAPHS = /^[\u4e00-\u9fff]+$/; // one em each, whatever the weight
  const DASHES = { mentorship: [], studio: [5, 4], teaching: [1.5, 3.5] };
  const ICONS = {
    find: ["M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Z", "M10.6 10.6 14 14"],
    undo: ["M6 3 3 6l3 3", "M3 6h6.5a3.5 3.5 0 0 1 0 7H7"],
    redo: ["m10 3 3 3-3 3", "M13 6H6.500a3.500 3.500 0 0 0 0 7H9"],
    expand: ["M2.500 8h4", "M6.500 8c3 0 2-5 5-5H13", "M6.500 8H13", "M6.500 8c3 0 2 5 5 5H13"],
    fold: ["M2.500 8H7", "m10.500 5.500-3 2.500 3 2.500", "M13 3v10"],
    path: ["M3 11.500a1.500 1.500 0 1 0 0 .01", "M4.500 12H7c2 0 2-8 4-8h.500", "M13 4a1.500 1.500 0 1 0 0 .01"],
    hide: ["M2 8s2.200-4 6-4 6 4 6 4-2.200 4-6 4-6-4-6-4Z", "M13.500 2.500l-11 11"],
    focus: ["M8 4.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7Z", "M8 1v3", "M8 12v3", "M1 8h3", "M12 8h3"],
    dates: ["M3 4h10v9.500H3Z", "M3 7h10", "M5.500 2.500v3", "M10.500 2.500v3"],
    studios: ["M2.500 8h3", "M5.500 5.500h5v5h-5Z", "M10.500 8h3"],
    help: ["M6 6a2 2 0 1 1 2.800 1.800c-.6.300-.8.700-.8 1.400", "M8 11.600v.01"],
    pin: ["M5.500 2.500h5", "M6.500 2.500v4L4.500 9h7L9.500 6.500v-4", "M8 9v4.500"],
    share: ["M7 2.500H3v11h4", "M7 8h6.500", "m10.500 5 3 3-3 3"],
    less: ["M3.500 8h9"], more: ["M3.500 8h9", "M8 3.500v9"],
    play: ["M5 3v10l8-5Z"], stop: ["M4 4h8v8H4Z"],
  };
  const SOLID = new Set(["play", "stop"]);

  const element = (tag, about = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(about)) {
      if (name === "class") made.className = value;
      else if (name === "text") made.textContent = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };
  const icon = (name) => {
    const space = "http://www.w3.org/2000/svg";
    const drawing = document.createElementNS(space, "svg");
    drawing.setAttribute("viewBox", "0 0 16 16");
    drawing.setAttribute("aria-hidden", "true");
    for (const line of ICONS[name] ?? []) {
      const path = document.createElementNS(space, "path");
      path.setAttribute("d", line);
      path.setAttribute("fill", SOLID.has(name) ? "currentColor" : "none");
      path.setAttribute("stroke", "currentColor");
      path.setAttribute("stroke-width", "1.5");
      path.setAttribute("stroke-linecap", "round");
      path.setAttribute("stroke-linejoin", "round");
      drawing.append(path);
    }
    return drawing;
  };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  const isDark = (colour) => {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = colour;
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(probe.fillStyle.slice(at, at + 2), 16));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b < 110;
  };
  const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  class ShichengLineage {
    constructor(root) {
      this.root = root;
      this.data = null;
      this.people = new Map();
      this.hits = [];
      this.widths = new Map();
      this.hover = null;
      this.cursor = null; // whom the keys stand at
      this.byKeys = false;
      this.selected = null;
      this.number = Date.now();
      this.years = null;
      this.playing = null;
      this.pivot = null;
      this.style = element("style", { text: STYLE });
      this.box = element("div", { class: "lineage", lang: "zh" });
      root.append(this.style, this.box);
      this.box.addEventListener("keydown", (event) => this.anyKey(event));
      this.onTheme = () => this.dress();
      // Another part of the page asks for a person to stand in the middle: components/steps.js.
      this.onCentre = (event) => this.centre(event.detail);
      window.addEventListener("shicheng-centre", this.onCentre);
    }

    // ---- taking a view in -------------------------------------------------------------------

    show(turn, drawn, send) {
      const before = this.data;
      const same = before?.view === turn.view;
      this.data = same ? { ...before, ...turn } : { ...this.opened(drawn), ...turn };
      const { data } = this;
      this.send = send;
      this.words = data.words;
      this.box.style.height = `${data.height}px`;
      this.box.lang = data.language === "zh" ? "zh-CN" : "en";
      const fresh = !before || before.language !== data.language || String(before.buttons) !== String(data.buttons)
        || before.words.find !== data.words.find;
      if (fresh) this.furnish();
      this.dress();
      this.selected = data.selected;
      this.also = new Set(data.also);
      this.pinned = new Set(data.pinned);
      this.marks = new Set(data.marks);
      this.tags = new Map();
      data.branches.forEach((branch, at) => branch.people.forEach((id) => this.tags.set(id, (this.tags.get(id) ?? "") + this.letter(at))));
      if (!this.playing) this.years = data.years;
      this.path = new Set(data.paths.flat());
      // A path may lead up to a mentor and down again, so a tie is on it either way.
      this.pathTies = new Set(data.paths.flatMap((path) => path.slice(1).flatMap((id, at) => [`${path[at]}\n${id}`, `${id}\n${path[at]}`])));
      const redated = before && before.dates !== data.dates;
      if (!same || redated) this.takeIn(before); else this.markLines();
      if (this.cursor && !this.people.has(this.cursor)) this.cursor = null;
      this.reachable();
      if (!same || fresh || redated) { this.drawHeads(); this.drawLegend(); this.listed = false; this.list.replaceChildren(); }
      this.drawTime();
      this.tools();
      this.told();
      this.readOut();
      this.network.redraw();
    }

    letter(at) { return (this.data.language === "zh" ? "甲乙丙丁戊" : "ABCDE")[at] ?? String(at + 1); }

    // The columns of plain lists as people, ties and the rest by name.
    opened(drawn) {
      const leading = new Set(drawn.leading), link = new Set(drawn.link);
      const nodes = drawn.id.map((id, at) => {
        const [reason, ...lines] = drawn.notes[drawn.note[at]];
        return {
          id, name: drawn.name[at], generation: drawn.generation[at], layer: drawn.layer[at], level: drawn.level[at],
          state: STATES[drawn.state[at]], honour: drawn.honour[at] ?? "", leading: leading.has(at), link: link.has(at),
          reason, lines, left: drawn.x[at] ?? 0, y: drawn.y[at],
        };
      });
      const edges = drawn.from.map((from, at) => ({
        from: drawn.id[from], to: drawn.id[drawn.to[at]], channel: CHANNELS[drawn.channel[at]],
        start: drawn.start[at], end: drawn.end[at] ?? "", studio: drawn.studio[at] ?? null,
      }));
      const { focus, axis, columns, pills, studios } = drawn;
      return { focus, axis, nodes, edges, columns: columns.map((column) => ({ ...column })), pills, studios };
    }

    takeIn(before) {
      const { data } = this;
      const old = new Map([...this.people].map(([id, p]) => [id, { x: p.x, y: p.y }]));
      this.people = new Map();
      for (const node of data.nodes) {
        node.shown = this.trimmed(node.name);
        node.width = this.boxWidth(node.shown, node);
        node.x = node.left + node.width / 2;
        this.people.set(node.id, node);
      }
      this.studios = data.studios.map((studio) => {
        const text = this.trimmed(studio.name, GROUP_NAME), count = fill(this.words.group, { count: studio.count.toLocaleString("en") });
        const width = Math.ceil(this.textWidth(text, false) + this.textWidth(` · ${count}`, false) + 32);
        return { ...studio, text: `${text} · ${count}`, short: text !== studio.name, width, left: 0, x: 0 };
      });
      if (data.axis === "generation") this.flow();
      this.placePills();
      this.markLines();
      const nodes = [...this.people.values()].map((p) => ({ id: p.id, shape: "custom", x: p.x, y: p.y }));
      if (!this.network) { this.open(nodes); this.home(); return; }
      const refocused = before.focus !== data.focus || before.axis !== data.axis;
      this.replaceAll(this.nodes, nodes);
      if (refocused) { this.home(); return; }
      this.keepPivot(old);
      this.slide(old);
    }

    replaceAll(set, entries) {
      const wanted = new Set(entries.map((entry) => entry.id));
      set.remove(set.getIds().filter((id) => !wanted.has(id)));
      set.update(entries);
    }

    // The library moves the canvas and keeps the people; ties are drawn here, all in one pass.
    open(nodes) {
      this.nodes = new vis.DataSet(nodes);
      this.network = new vis.Network(this.canvas, { nodes: this.nodes, edges: new vis.DataSet([]) }, {
        autoResize: true,
        physics: { enabled: false },
        layout: { improvedLayout: false },
        nodes: { shape: "custom", ctxRenderer: (about) => this.drawPerson(about), chosen: false },
        interaction: {
          dragNodes: false, hover: false, selectable: false, zoomView: true, dragView: true,
          keyboard: { enabled: false }, tooltipDelay: 100000, multiselect: false,
        },
      });
      this.network.once("afterDrawing", () => requestAnimationFrame(() => performance.mark("shicheng-lineage-drawn")));
      this.network.on("beforeDrawing", (ctx) => this.drawTies(ctx));
      this.network.on("afterDrawing", (ctx) => this.drawPills(ctx));
      this.network.on("click", (event) => this.clicked(event));
      this.network.on("resize", () => this.drawHeads());
      this.canvas.shichengNetwork = this.network;
      this.canvas.shichengLineage = this;
      const canvas = this.canvas.querySelector("canvas");
      canvas.setAttribute("aria-hidden", "true");
    }

    close() {
      this.stopPlaying();
      window.removeEventListener("shicheng-centre", this.onCentre);
      this.network?.destroy();
      this.probe?.remove();
      this.box.remove();
      this.style.remove();
    }

    // ---- furniture --------------------------------------------------------------------------

    furnish() {
      const w = this.words;
      const stage = this.stage;
      this.box.replaceChildren();
      this.buttons = {};
      const button = (name, act, { word = w[name], spare = "", press = false } = {}) => {
        const made = element("button", {
          type: "button", title: word, "aria-label": word, class: spare, onclick: act,
          "aria-pressed": press ? "false" : null, "data-act": name,
        }, icon(name), element("span", { class: "word", text: word }));
        this.buttons[name] = made;
        return made;
      };
      const axis = (name) => element("button", {
        type: "button", text: w[name], "aria-pressed": "false", "data-act": `axis-${name}`,
        onclick: () => this.done({ action: "axis", axis: name }),
      });
      this.axisButtons = { generation: axis("generation"), year: axis("year") };
      this.found = element("ul", { class: "found", role: "listbox", id: "found", hidden: "" });
      this.field = element("input", {
        type: "text", placeholder: w.find, "aria-label": w.find, role: "combobox", maxlength: "60",
        "aria-expanded": "false", "aria-controls": "found", autocomplete: "off", spellcheck: "false",
        oninput: () => this.find(), onkeydown: (event) => this.findKey(event),
        onblur: () => setTimeout(() => this.closeFound(), 150), onfocus: () => this.find(),
      });
      this.toolbar = element("div", { class: "toolbar", role: "toolbar", "aria-label": w.lineage },
        element("div", { class: "find" }, icon("find"), this.field, this.found),
        button("undo", () => this.done({ action: "undo" }), { spare: "spare" }),
        button("redo", () => this.done({ action: "redo" }), { spare: "spare" }),
        element("span", { class: "rule" }),
        button("expand", () => this.expandSelected(), { spare: "spare" }),
        button("fold", () => this.foldSelected(), { spare: "spare" }),
        button("path", () => this.onSelected("trace"), { press: true }),
        button("focus", () => this.onSelected("focus"), { spare: "spare" }),
        button("hide", () => this.onSelected("hide")),
        button("pin", () => this.onSelected("pin"), { press: true }),
        element("span", { class: "rule" }),
        element("div", { class: "pair", role: "group" }, this.axisButtons.generation, this.axisButtons.year),
        element("span", { class: "push" }),
        ...this.data.buttons.map(([name, word], at, all) => element("button", {
          type: "button", class: at === all.length - 1 ? "main" : "", title: word, "aria-label": word,
          "data-act": name, onclick: () => this.done({ action: name }),
        }, ...(ICONS[name] ? [icon(name)] : []), element("span", {
          class: at === all.length - 1 ? "" : "word", text: word,
        }))));
      this.heads = element("div", { class: "heads", "aria-hidden": "true" });
      this.canvas ??= element("div", {
        class: "canvas", tabindex: "0", role: "application", "aria-describedby": "keys",
        onkeydown: (event) => this.key(event), onmousedown: () => { this.byKeys = false; },
        onfocus: () => this.network?.redraw(), onblur: () => this.network?.redraw(), onmousemove: (event) => this.moved(event),
        onmouseleave: () => this.leave(), ondblclick: (event) => this.doubled(event),
      });
      this.canvas.setAttribute("aria-label", w.lineage);
      if (!stage) this.canvas.addEventListener("wheel", (event) => this.wheel(event), { capture: true, passive: false });
      this.note = element("div", { class: "note", role: "tooltip", hidden: "" });
      this.zoom = element("div", { class: "zoom", role: "group", "aria-label": w.fit },
        element("button", { type: "button", title: w.zoom_out, "aria-label": w.zoom_out, "data-act": "zoom-out", onclick: () => this.scaleBy(1 / 1.25) }, icon("less")),
        element("button", { type: "button", text: w.fit, "data-act": "fit", onclick: () => this.fit() }),
        element("button", { type: "button", title: w.zoom_in, "aria-label": w.zoom_in, "data-act": "zoom-in", onclick: () => this.scaleBy(1.25) }, icon("more")));
      const option = (name, act, more = {}) => {
        const made = element("button", { type: "button", title: w[name], "aria-label": w[name], "data-act": name, onclick: act, ...more }, icon(name), ...(w[`${name}_word`] ? [element("span", { class: "word", text: w[`${name}_word`] })] : []));
        this.buttons[name] = made;
        return made;
      };
      this.options = element("div", { class: "zoom options", role: "group", "aria-label": w.options },
        option("dates", () => this.done({ action: "dates" }), { "aria-pressed": "false" }),
        option("studios", () => this.done({ action: "studios" }), { "aria-pressed": "false" }),
        option("help", () => this.help(), { "aria-expanded": "false" }));
      this.out = element("div", { class: "out", hidden: "" });
      this.keysHelp = element("div", { class: "keys", id: "keys", role: "dialog", "aria-label": w.help, tabindex: "-1", hidden: "", onkeydown: (event) => {
        if (event.key === "Escape") { event.stopPropagation(); this.help(false); }
      } }, element("b", { text: w.help }), element("dl", {}, ...w.keys.split("|").flatMap((line) => {
        const [keys, told] = line.split("=");
        return [element("dt", { text: keys }), element("dd", { text: told })];
      })));
      this.stage = element("div", { class: "stage" }, this.canvas, element("div", { class: "corner" }, this.zoom, this.options), this.out, this.keysHelp, this.note);
      this.span = element("div", { class: "span" });
      this.band = element("div", { class: "band" });
      this.playButton = element("button", { type: "button", class: "play", "data-act": "play", onclick: () => this.play() });
      this.time = element("div", { class: "time" }, this.span, this.band, this.playButton);
      this.legend = element("div", { class: "legend" });
      this.live = element("div", { class: "unseen", "aria-live": "polite", role: "status" });
      this.lister = element("button", { type: "button", class: "unseen", text: w.list, onclick: () => this.listPeople() });
      this.list = element("ul", { class: "unseen", "aria-label": w.people });
      this.probe = element("i", { class: "unseen" });
      this.probe.style.cssText += "color: var(--st-background-color); transition: color 1ms;";
      this.probe.addEventListener("transitionend", this.onTheme);
      this.box.append(this.toolbar, this.heads, this.stage, this.time, this.legend, this.live, this.lister, this.list, this.probe);
      this.drawLegend();
      this.playWord();
    }

    dress() {
      const host = getComputedStyle(this.box);
      const paper = host.getPropertyValue("--st-background-color").trim() || "#FFFFFF";
      const dark = isDark(paper);
      const tokens = TOKENS[dark ? "dark" : "light"];
      if (this.paper === paper && this.tokens === tokens) return;
      this.paper = paper;
      this.tokens = tokens;
      const set = (name, value) => this.box.style.setProperty(`--${name}`, value);
      for (const [name, value] of Object.entries(tokens)) {
        if (typeof value === "string" && value) set(name.replaceAll("_", "-"), value);
      }
      tokens.ladder.forEach((colour, at) => set(`level-${at + 1}`, colour));
      set("paper", paper);
      set("field", dark ? "#171E26" : "#FFFFFF");
      set("font", FONT);
      if (this.legend) this.drawLegend();
      this.network?.redraw();
    }

    drawLegend() {
      const w = this.words, t = this.tokens;
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
      const entry = (mark, word) => element("span", {}, ...(mark ? [element("i", { class: mark })] : []), word);
      const channels = Object.keys(DASHES).filter((channel) =>
        channel !== "teaching" || this.data.edges.some((edge) => edge.channel === channel));
      const marks = this.data.nodes.find((node) => node.honour)?.honour;
      const honour = w.honour && marks ? [element("span", {}, element("i", { class: "swatch honour", text: [...marks][0] }), w.honour)] : [];
      this.legend.replaceChildren(ladder,
        ...channels.map((channel) => entry(`stroke ${channel}`, w[channel])),
        entry("swatch driven", w.driven), entry("swatch", w.pending), entry("", w.none),
        ...(this.data.nodes.some((node) => node.link) ? [entry("swatch link", w.link)] : []),
        entry("swatch talent", w.talent),
        ...(this.data.mark ? [entry("swatch mark", this.data.mark)] : []), ...honour,
        ...this.data.branches.map((branch, at) => element("span", { class: "branch" }, element("i", { class: "swatch honour", text: this.letter(at) }),
          element("b", { text: branch.name }), branch.count)));
    }

    tools() {
      const { buttons: b, data } = this;
      const person = this.people.get(this.selected);
      const focused = this.root.activeElement;
      b.undo.disabled = !data.undo;
      b.redo.disabled = !data.redo;
      b.expand.disabled = !person || !this.canExpand(person);
      b.fold.disabled = !person || !this.canFold(person);
      b.hide.disabled = !person || person.id === data.focus;
      b.pin.disabled = !person || person.id === data.focus;
      b.pin.setAttribute("aria-pressed", String(Boolean(person && this.pinned.has(person.id))));
      b.focus.disabled = !person || person.id === data.focus;
      b.path.disabled = !person || person.id === data.focus;
      b.dates.setAttribute("aria-pressed", String(data.dates));
      b.studios.setAttribute("aria-pressed", String(data.grouped));
      if (focused?.disabled) this.canvas.focus({ preventScroll: true }); // or the keys go nowhere
      b.path.setAttribute("aria-pressed", String(Boolean(person && data.traced.includes(person.id))));
      for (const [name, made] of Object.entries(this.axisButtons)) {
        made.setAttribute("aria-pressed", String(data.axis === name));
      }
    }

    describe(person) {
      const w = this.words;
      const parts = [person.name];
      if (person.level) parts.push(fill(w.level, { level: person.level }));
      parts.push(person.link ? w.link : w[`state_${person.state}`]);
      if (person.leading && person.state !== "talent") parts.push(w.talent);
      const head = this.data.columns.find((column) => column.layer === person.layer);
      if (head) parts.push(head.name);
      if (this.marks.has(person.id)) parts.push(this.data.mark);
      if (this.tags.has(person.id)) parts.push(this.tags.get(person.id));
      if (person.reason) parts.push(person.reason);
      return parts.concat(person.lines).join(this.data.language === "zh" ? "，" : ", ");
    }

    say(text) { if (this.live.textContent !== text) this.live.textContent = text; }

    readOut() {
      const person = this.people.get(this.selected);
      this.say(person ? `${this.words.selected}: ${this.describe(person)}` : "");
    }

    // Everyone as a list, for those who read and do not see; made when it is asked for.
    listPeople() {
      this.listed = true;
      this.list.replaceChildren(...[...this.people.values()].filter((p) => this.visible(p.id)).map((p) => element("li", { text: this.describe(p) })));
    }

    told() {
      const { data, words: w, out } = this;
      out.hidden = !data.filtering;
      if (!data.filtering) return;
      out.replaceChildren(element("span", { text: fill(w.filtered, { count: data.filtered_out.toLocaleString("en") }) }),
        element("button", { type: "button", text: w.clear, "data-act": "clear", onclick: () => this.done({ action: "clear" }) }));
    }

    help(open = this.keysHelp.hidden) {
      this.keysHelp.hidden = !open;
      this.buttons.help.setAttribute("aria-expanded", String(open));
      if (open) this.keysHelp.focus({ preventScroll: true }); else this.canvas.focus({ preventScroll: true });
    }

    // ---- measures ---------------------------------------------------------------------------

    textWidth(text, bold) {
      if (IDEOGRAPHS.test(text)) return 13 * text.length;
      const key = `${bold ? 1 : 0}${text}`;
      if (!this.widths.has(key)) {
        this.ruler ??= document.createElement("canvas").getContext("2d");
        this.ruler.font = `${bold ? 700 : 400} 13px ${FONT}`;
        if (this.widths.size > 20000) this.widths.clear();
        this.widths.set(key, this.ruler.measureText(text).width);
      }
      return this.widths.get(key);
    }

    trimmed(name, widest = WIDEST) {
      if (this.textWidth(name, true) <= widest) return name;
      let end = [...name].slice(0, 80);
      while (end.length > 1 && this.textWidth(`${end.join("")}…`, true) > widest) end = end.slice(0, -1);
      return `${end.join("")}…`;
    }

    boxWidth(name, about) {
      const text = Math.max(this.textWidth(name, true), this.textWidth(name, false));
      return Math.ceil(PAD + text + (about.level ? 7 + BADGE : 0) + (about.honour ? 4 + BADGE : 0) + 6);
    }

    // Columns as wide as their text really is, closer together where that makes all of them fit.
    flow() {
      const wide = new Map(this.data.columns.map((column) => [column.layer, 40]));
      const widen = (layer, width) => wide.set(layer, Math.max(wide.get(layer) ?? 0, width));
      for (const person of this.people.values()) widen(person.layer, person.width);
      for (const studio of this.studios) widen(studio.layer, studio.width);
      for (const pill of this.data.pills) {
        const person = this.people.get(pill.person);
        const width = Math.ceil(this.textWidth(`+${pill.count.toLocaleString("en")}`, false) + 16);
        if (pill.x === null) widen(person.layer, person.width + width + 5); else widen(pill.layer, width);
      }
      const order = [...wide.keys()].sort((a, b) => a - b);
      const lefts = new Map();
      const lay = (gap, pitch) => {
        let left = 0;
        for (const layer of order) {
          lefts.set(layer, left);
          left += Math.max(pitch, wide.get(layer) + gap);
        }
        return lefts.get(order.at(-1)) + wide.get(order.at(-1));
      };
      const room = (this.canvas.clientWidth || 848) - 8;
      if (this.data.dates) lay(this.widestDates() + 28, 0); // the dates stand in the gaps
      else if (lay(46, this.studios.length ? 0 : 145) > room) {
        const taken = [...wide.values()].reduce((sum, width) => sum + width, 0);
        lay(Math.min(46, Math.max(30, Math.floor((room - taken) / Math.max(1, order.length - 1)))), 0);
      }
      for (const thing of [...this.people.values(), ...this.studios]) {
        thing.left = lefts.get(thing.layer);
        thing.x = thing.left + thing.width / 2;
      }
      for (const column of this.data.columns) column.x = lefts.get(column.layer);
      this.lefts = lefts;
    }

    dates(edge, short = false) {
      const w = this.words;
      const start = edge.start ? edge.start.slice(0, 7) : w.undated;
      return short || !edge.end ? start : `${start} – ${edge.end.slice(0, 7)}`;
    }

    widestDates() {
      return this.data.edges.some((edge) => edge.end) ? this.textWidth("2022-12 – 2022-12", false) : this.textWidth("2022-12", false);
    }

    // What is drawn between boxes: ties, those of a studio drawn as a group by way of its box.
    markLines() {
      const strong = (edge) => this.pathTies.has(`${edge.from}\n${edge.to}`);
      const lines = [];
      const by = new Map();
      for (const edge of this.data.edges) {
        const from = this.people.get(edge.from), to = this.people.get(edge.to);
        if (edge.studio === null) { lines.push({ from, to, channel: edge.channel, edges: [edge], strong: strong(edge) }); continue; }
        const studio = this.studios[edge.studio];
        studio.leader ??= from;
        for (const [a, b, key] of [[from, studio, `${edge.from}\n=${edge.studio}`], [studio, to, `=${edge.studio}\n${edge.to}`]]) {
          if (!by.has(key)) { by.set(key, { from: a, to: b, channel: "studio", edges: [], strong: false, half: b === studio }); lines.push(by.get(key)); }
          by.get(key).edges.push(edge);
          by.get(key).strong ||= strong(edge);
        }
      }
      this.lines = lines;
    }

    placePills() {
      this.pills = this.data.pills.map((pill) => {
        const person = this.people.get(pill.person);
        const text = `+${pill.count.toLocaleString("en")}`;
        const width = Math.ceil(this.textWidth(text, false) + 16);
        const beside = pill.x === null;
        let left = this.data.axis === "generation" && pill.x !== null ? this.lefts.get(pill.layer) : pill.x;
        if (beside && pill.direction === "down") left = person.left + person.width + 5;
        else if (beside) left = person.left - width - 9;
        return { ...pill, text, width, beside, left, y: beside ? person.y : pill.y };
      });
    }

    // ---- drawing ----------------------------------------------------------------------------

    visible(id) { return !this.reached || this.reached.has(id); }

    reachable() {
      const { data, years } = this;
      if (!years) { this.reached = null; return; }
      const inside = data.edges.filter((edge) => this.tieShown(edge));
      this.reached = new Set([data.focus]);
      const spread = (from, to) => {
        const onward = new Map();
        for (const edge of inside) {
          if (!onward.has(edge[from])) onward.set(edge[from], []);
          onward.get(edge[from]).push(edge[to]);
        }
        const queue = [data.focus];
        const seen = new Set(queue);
        while (queue.length) for (const id of onward.get(queue.pop()) ?? []) {
          if (!seen.has(id)) { seen.add(id); this.reached.add(id); queue.push(id); }
        }
      };
      spread("from", "to");
      spread("to", "from");
      for (const id of this.pinned) this.reached.add(id);
    }

    lineShown(line) {
      return line.edges.some((edge) => this.tieShown(edge) && this.visible(edge.from) && this.visible(edge.to));
    }

    tieShown(edge) {
      if (!this.years) return true;
      if (!edge.start) return false;
      const year = Number(edge.start.slice(0, 4));
      return year >= this.years[0] && year <= this.years[1];
    }

    sight() {
      const { x, y } = this.network.getViewPosition();
      const scale = this.network.getScale();
      const across = this.canvas.clientWidth / scale / 2 + 40, down = this.canvas.clientHeight / scale / 2 + 40;
      return { left: x - across, right: x + across, top: y - down, bottom: y + down };
    }

    // From the right of one box to the left of another: x1, y1, two handles, x2, y2.
    curve(from, to) {
      const years = this.data.axis === "year";
      const x1 = from.right, y1 = from.y, y2 = to.y;
      let x2 = to.left;
      const down = from.left + 14;
      if (years && x2 - x1 <= 20 && x2 > down + 4) { // years overlap: from under the box
        const side = Math.sign(y2 - y1) * (BOX / 2);
        return [down, y1 + side, down, y2 - side * 0.2, down, y2, x2, y2];
      }
      if (x2 - x1 > (years ? 20 : 4)) {
        const middle = (x2 - x1) * 0.5;
        return [x1, y1, x1 + middle, y1, x2 - middle, y2, x2, y2];
      }
      if (years) return [x1, y1, x1 + 28, y1, x2 - 28, y2, x2, y2]; // the same year: behind the boxes
      x2 = to.right; // the same column, or back: around the right-hand side
      const out = Math.max(x1, x2) + 30;
      return [x1, y1, out, y1, out, y2, x2, y2];
    }

    ends(thing) {
      let { x, y } = thing;
      if (this.nowAt) {
        if (thing.layer !== undefined && this.people.get(thing.id) === thing) ({ x, y } = this.nowAt(thing));
        else { const { dx, dy } = this.shift((thing.leader ?? {}).id ?? thing.person); x += dx; y += dy; }
      }
      return { left: x - thing.width / 2, right: x + thing.width / 2, y };
    }

    inSight([x1, y1, , , , , x2, y2], sight) {
      return !(Math.min(y1, y2) > sight.bottom || Math.max(y1, y2) < sight.top || Math.min(x1, x2) > sight.right || Math.max(x1, x2) < sight.left);
    }

    drawTies(ctx) {
      const t = this.tokens;
      const sight = this.sight();
      const quiet = new Map(), strong = [], dated = [];
      const add = (channel, curve) => { if (!quiet.has(channel)) quiet.set(channel, []); quiet.get(channel).push(curve); };
      for (const line of this.lines) {
        if (!this.lineShown(line)) continue;
        const curve = this.curve(this.ends(line.from), this.ends(line.to));
        if (!this.inSight(curve, sight)) continue;
        const over = this.hover?.line === line;
        if (line.strong || over) strong.push([line.channel, curve]); else add(line.channel, curve);
        if (!line.half && (line.strong || over || this.data.dates)) dated.push([line, curve]);
      }
      for (const pill of this.pills) {
        if (!this.visible(pill.person) || this.years || (pill.beside && pill.direction === "down")) continue;
        const person = this.ends(this.studios.find((studio) => studio.id === pill.by) ?? this.people.get(pill.person));
        const { dx, dy } = this.shift(pill.person);
        const at = { left: pill.left + dx, right: pill.left + pill.width + dx, y: pill.y + dy };
        const curve = pill.direction === "up" ? this.curve(at, person) : this.curve(person, at);
        if (this.inSight(curve, sight)) add(pill.beside ? "mentorship" : (pill.channel ?? "mentorship").split(":")[0], curve);
      }
      ctx.save();
      ctx.lineCap = "butt";
      ctx.strokeStyle = t.ink;
      const trace = ([x1, y1, a, b, c, d, x2, y2]) => { ctx.moveTo(x1, y1); if (Math.abs(y2 - y1) < 0.5 && x2 > x1) ctx.lineTo(x2, y2); else ctx.bezierCurveTo(a, b, c, d, x2, y2); };
      ctx.globalAlpha = 0.38;
      ctx.lineWidth = 1.1;
      for (const [channel, curves] of quiet) {
        ctx.setLineDash(DASHES[channel] ?? []);
        ctx.beginPath();
        curves.forEach(trace);
        ctx.stroke();
      }
      ctx.globalAlpha = 1;
      ctx.lineWidth = 2;
      for (const [channel, curve] of strong) {
        ctx.setLineDash(DASHES[channel] ?? []);
        ctx.beginPath();
        trace(curve);
        ctx.stroke();
      }
      ctx.setLineDash([]);
      if (this.network.getScale() >= FAR) for (const [line, curve] of dated) this.drawDates(ctx, line, curve);
      ctx.restore();
    }

    // Right before the box it leads to, on the line, on paper: never over a name.
    drawDates(ctx, line, curve) {
      const edge = line.edges.find((one) => this.pathTies.has(`${one.from}\n${one.to}`)) ?? line.edges[0];
      const room = curve[6] - curve[0] - 10;
      let text = this.dates(edge);
      if (this.textWidth(text, false) > room) text = this.dates(edge, true);
      const width = this.textWidth(text, false);
      if (width > room) return;
      const x = curve[6] - 7 - width, y = curve[7];
      ctx.fillStyle = this.paper;
      ctx.fillRect(x - 3, y - 9, width + 6, 18);
      this.words13(ctx, text, x, y, line.strong ? this.tokens.ink : this.tokens.muted, false);
    }

    studioShown(studio) {
      return studio.closed ? !this.years : this.lines.some((line) => line.to === studio && this.lineShown(line));
    }

    shift(id) {
      const person = this.people.get(id);
      if (!this.nowAt || !person) return { dx: 0, dy: 0 };
      const at = this.nowAt(person);
      return { dx: at.x - person.x, dy: at.y - person.y };
    }

    drawPerson({ ctx, id, x, y }) {
      const person = this.people.get(id);
      if (!person) return { drawNode() {}, nodeDimensions: { width: 1, height: 1 } };
      return {
        drawNode: () => { if (this.visible(id)) this.paintPerson(ctx, person, x, y); },
        nodeDimensions: { width: person.width, height: BOX },
      };
    }

    paintPerson(ctx, p, x, y) {
      const t = this.tokens;
      const left = x - p.width / 2, top = y - BOX / 2;
      const inPath = this.path.has(p.id);
      const focus = p.state === "talent" && !p.link;
      if (this.network.getScale() < FAR) { this.paintFar(ctx, p, left, top, focus, inPath); return; }
      const chosen = this.selected === p.id, over = this.hover?.id === p.id;
      const box = (grow, radius) => {
        ctx.beginPath();
        ctx.roundRect(left - grow, top - grow, p.width + 2 * grow, BOX + 2 * grow, radius);
      };
      let colour = this.path.size && !inPath && !over ? t.muted : t.ink;
      if ((p.state === "none" || p.link) && !inPath && !over) colour = t.muted;
      ctx.setLineDash([]);
      box(0, 4);
      ctx.fillStyle = this.paper;
      if (focus) ctx.fillStyle = t.talent;
      else if (p.state === "driven" && !p.link && !(p.leading && !inPath)) ctx.fillStyle = t.soft;
      ctx.fill(); // paper under every name: no tie strikes through it
      if (p.state === "driven" && !p.link) this.bar(ctx, left, top, inPath ? t.ink : t.bar);
      const edge = (stroke, width, grow = 0) => {
        box(grow - width / 2 + 0.0, 4 + grow);
        ctx.strokeStyle = stroke;
        ctx.lineWidth = width;
        ctx.stroke();
      };
      if (focus) { colour = t.on_talent; }
      else if (p.leading && !p.link) edge(t.talent, inPath ? 2.2 : 1.8);
      else if (inPath) edge(t.ink, 1.8);
      else if (p.state === "pending" && !p.link) edge(t.ring, 1.1);
      const at = this.byKeys && this.cursor === p.id && this.root.activeElement === this.canvas;
      if (at) edge(t.link, 3, 4);
      else if ((chosen && !inPath) || over || this.also.has(p.id)) edge(t.link, 2, focus || p.leading || inPath ? 4 : 1);
      if (this.marks.has(p.id)) { edge(t.ink, 1.2); edge(t.ink, 1.2, 4); }
      this.words13(ctx, p.shown, left + PAD, y, colour, focus || inPath);
      let right = left + p.width - 6;
      if (p.honour) { right -= BADGE; this.honour(ctx, p.honour, right, y, focus ? t.on_talent : inPath || over ? t.ink : colour); right -= 4; }
      if (p.level) this.badge(ctx, p.level, right - BADGE, y, focus);
      if (this.pinned.has(p.id)) this.pinMark(ctx, left, top);
      if (this.tags.has(p.id)) this.tag(ctx, this.tags.get(p.id), left + p.width, top);
    }

    // From afar: boxes as blocks, no text.
    paintFar(ctx, p, left, top, focus, inPath) {
      const t = this.tokens;
      ctx.fillStyle = focus ? t.talent : inPath ? t.ink : p.level ? t.ladder[p.level - 1] : t.soft;
      ctx.fillRect(left, top, p.width, BOX);
      if (this.selected === p.id || (this.byKeys && this.cursor === p.id)) {
        ctx.strokeStyle = t.link;
        ctx.lineWidth = 2 / this.network.getScale();
        ctx.strokeRect(left, top, p.width, BOX);
      }
    }

    // The letters of the branches a person is in, on the corner of the box.
    tag(ctx, text, right, top) {
      const width = Math.max(16, this.textWidth(text, true) + 4);
      ctx.beginPath();
      ctx.roundRect(right - width + 6, top - 9, width, 16, 3);
      ctx.fillStyle = this.tokens.ink;
      ctx.fill();
      ctx.font = `700 12px ${FONT}`;
      ctx.textAlign = "center";
      ctx.fillStyle = this.paper;
      ctx.fillText(text, right - width / 2 + 6, top + 3.4);
    }

    bar(ctx, left, top, colour) {
      ctx.beginPath();
      ctx.roundRect(left, top, 3, BOX, [3, 0, 0, 3]);
      ctx.fillStyle = colour;
      ctx.fill();
    }

    words13(ctx, text, x, y, colour, bold) {
      ctx.font = `${bold ? 700 : 400} 13px ${FONT}`;
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      ctx.fillStyle = colour;
      ctx.fillText(text, x, y + 4.7);
    }

    centred(ctx, text, x, y, colour, size = 13) {
      ctx.font = `400 ${size}px ${FONT}`;
      ctx.textAlign = "center";
      ctx.textBaseline = "alphabetic";
      ctx.fillStyle = colour;
      ctx.fillText(text, x, y + size * 0.36);
    }

    badge(ctx, level, x, y, focus) {
      const t = this.tokens;
      ctx.beginPath();
      ctx.roundRect(x, y - BADGE / 2, BADGE, BADGE, 3);
      ctx.fillStyle = t.ladder[level - 1];
      ctx.fill();
      if (level > 6 && (t.ladder_outline || focus)) {
        ctx.lineWidth = 1;
        ctx.strokeStyle = focus ? t.on_talent : t.ladder_outline;
        ctx.stroke();
      }
      this.centred(ctx, String(level), x + BADGE / 2, y, t.on_ladder[level - 1]);
    }

    honour(ctx, mark, x, y, colour) {
      ctx.beginPath();
      ctx.roundRect(x + 0.5, y - BADGE / 2 + 0.5, BADGE - 1, BADGE - 1, 3);
      ctx.strokeStyle = colour;
      ctx.lineWidth = 1;
      ctx.stroke();
      this.centred(ctx, [...mark][0], x + BADGE / 2, y, colour, 12);
    }

    pinMark(ctx, left, top) {
      ctx.beginPath();
      ctx.arc(left, top, 4, 0, 7);
      ctx.fillStyle = this.tokens.link;
      ctx.fill();
      ctx.strokeStyle = this.paper;
      ctx.lineWidth = 1.5;
      ctx.stroke();
    }

    drawPills(ctx) {
      const t = this.tokens;
      const sight = this.sight();
      if (this.network.getScale() < FAR) { this.moveHeads(); return; }
      ctx.save();
      ctx.setLineDash([]);
      for (const studio of this.studios) {
        const { left, y } = this.ends(studio);
        if (!this.studioShown(studio) || left > sight.right || y < sight.top || y > sight.bottom) continue;
        const over = this.hover?.id === studio.id;
        const inPath = this.lines.some((line) => line.strong && line.to === studio);
        ctx.beginPath();
        ctx.roundRect(left, y - GROUP / 2, studio.width, GROUP, 3);
        ctx.fillStyle = this.paper;
        ctx.fill();
        ctx.setLineDash(DASHES.studio);
        ctx.strokeStyle = over ? t.link : inPath ? t.ink : t.ring;
        ctx.lineWidth = over || inPath ? 2 : 1.1;
        ctx.stroke();
        ctx.setLineDash([]);
        const colour = over || inPath || !this.path.size ? t.ink : t.muted;
        this.words13(ctx, studio.closed ? "▸" : "▾", left + 7, y, colour, false);
        this.words13(ctx, studio.text, left + 22, y, colour, false);
      }
      for (const pill of this.pills) {
        if (!this.visible(pill.person) || this.years) continue;
        const { dx, dy } = this.shift(pill.person);
        const left = pill.left + dx, y = pill.y + dy;
        if (left > sight.right || y < sight.top || y > sight.bottom) continue;
        const over = this.hover?.id === pill.id;
        ctx.beginPath();
        ctx.roundRect(left, y - 11, pill.width, 22, 11);
        ctx.fillStyle = this.paper;
        ctx.fill();
        ctx.strokeStyle = over ? t.link : t.hairline;
        ctx.lineWidth = over ? 2 : 1.1;
        ctx.stroke();
        this.centred(ctx, pill.text, left + pill.width / 2, y, over ? t.ink : t.muted);
      }
      ctx.restore();
      this.moveHeads();
    }

    drawHeads() {
      if (!this.network) return;
      this.heads.classList.toggle("years", this.data.axis === "year");
      this.headsAt = this.data.columns.map((column) => {
        const made = element("div", {}, element("b", { text: column.name }));
        if (column.count) made.append(element("span", { text: column.count }));
        return { made, x: column.x };
      });
      this.heads.replaceChildren(...this.headsAt.map((head) => head.made));
      for (const head of this.headsAt) head.width = head.made.offsetWidth;
      this.moveHeads();
    }

    moveHeads() {
      if (!this.headsAt) return;
      let free = -Infinity;
      for (const head of this.headsAt) {
        const x = Math.round(this.network.canvasToDOM({ x: head.x, y: 0 }).x);
        const shown = x >= free;
        if (shown) free = x + head.width + 12;
        head.made.style.transform = `translateX(${x}px)`;
        head.made.style.visibility = shown ? "visible" : "hidden";
      }
    }

    // ---- moving -----------------------------------------------------------------------------

    extent() {
      const all = [...this.people.values()].filter((p) => this.visible(p.id));
      const pills = [...(this.years ? [] : this.pills), ...this.studios];
      const lefts = [...all.map((p) => p.left), ...pills.map((p) => p.left)];
      const rights = [...all.map((p) => p.left + p.width), ...pills.map((p) => p.left + p.width)];
      const ys = [...all.map((p) => p.y), ...pills.map((p) => p.y)];
      const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
      const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
      return { left: least(lefts), right: most(rights), top: least(ys) - BOX / 2, bottom: most(ys) + BOX / 2 };
    }

    home() {
      const { left, right, top, bottom } = this.extent();
      const width = this.canvas.clientWidth - 8, height = this.canvas.clientHeight - 8;
      let scale = Math.min(1, width / (right - left));
      if (scale < 0.88) scale = 1;
      const focus = this.people.get(this.data.focus);
      const eye = this.people.get(this.selected) ?? focus;
      const half = width / scale / 2, high = height / scale / 2;
      const x = right - left <= width / scale ? Math.max((left + right) / 2, left + half - 4) : Math.max(left + half - 4, Math.min(right - half + 4, focus.left + half - 8));
      const y = bottom - top <= height / scale ? (top + bottom) / 2 : Math.min(Math.max(eye.y, top + high - 8), bottom - high + 8);
      this.network.moveTo({ position: { x, y }, scale, animation: false });
    }

    fit() {
      const { left, right, top, bottom } = this.extent();
      const scale = Math.min(1, (this.canvas.clientWidth - 16) / (right - left), (this.canvas.clientHeight - 16) / (bottom - top));
      if (scale >= LEGIBLE) this.move({ position: { x: (left + right) / 2, y: (top + bottom) / 2 }, scale });
      else { // too tall to read at once: all columns, around the person in focus
        const across = Math.min(1, Math.max(LEGIBLE, (this.canvas.clientWidth - 16) / (right - left)));
        const eye = this.people.get(this.selected) ?? this.people.get(this.data.focus);
        this.move({ position: { x: (left + right) / 2, y: eye.y }, scale: across });
      }
    }

    scaleBy(factor) {
      const scale = Math.min(3, Math.max(0.05, this.network.getScale() * factor));
      this.move({ position: this.network.getViewPosition(), scale });
    }

    move(to) {
      this.network.moveTo({ ...to, animation: calm() ? false : { duration: SLIDE, easingFunction: "easeInOutQuad" } });
    }

    keepInSight(person) {
      const sight = this.sight();
      const { x, y } = this.network.getViewPosition();
      const dx = person.left < sight.left + 48 ? person.left - sight.left - 60 : Math.max(0, person.left + person.width - sight.right + 60);
      const dy = person.y < sight.top + 60 ? person.y - sight.top - 80 : Math.max(0, person.y - sight.bottom + 80);
      if (dx || dy) this.move({ position: { x: x + dx, y: y + dy }, scale: this.network.getScale() });
    }

    centre(id) {
      const person = this.people.get(id);
      if (!person) return;
      this.move({ position: { x: person.left + person.width / 2, y: person.y }, scale: this.network.getScale() });
      this.hover = { id };
      this.network.redraw();
    }

    keepPivot(old) {
      const id = this.pivot && this.people.has(this.pivot) && old.has(this.pivot) ? this.pivot : this.data.focus;
      this.pivot = null;
      const was = old.get(id), is = this.people.get(id);
      if (!was || !is || (was.x === is.x && was.y === is.y)) return;
      const { x, y } = this.network.getViewPosition();
      this.offset = { x: is.x - was.x, y: is.y - was.y };
      this.network.moveTo({ position: { x: x + this.offset.x, y: y + this.offset.y }, animation: false });
    }

    slide(old) {
      const offset = this.offset ?? { x: 0, y: 0 };
      this.offset = null;
      if (calm() || this.people.size > MANY || !old.size) return;
      const from = new Map();
      for (const [id, person] of this.people) {
        const was = old.get(id);
        if (was) from.set(id, { x: was.x + offset.x, y: was.y + offset.y });
        else { const by = this.cameFrom(id, old); if (by) from.set(id, { x: by.x + offset.x, y: by.y + offset.y }); }
        const start = from.get(id);
        if (start && Math.abs(start.x - person.x) + Math.abs(start.y - person.y) < 1) from.delete(id);
      }
      if (!from.size) return;
      const begun = performance.now();
      cancelAnimationFrame(this.frame);
      let part = 0;
      this.nowAt = (person) => {
        const start = from.get(person.id);
        if (!start) return person;
        return { x: start.x + (person.x - start.x) * part, y: start.y + (person.y - start.y) * part };
      };
      const step = (time) => {
        const t = Math.min(1, Math.max(0, (time - begun) / SLIDE));
        part = 1 - (1 - t) ** 3;
        for (const id of from.keys()) {
          const person = this.people.get(id);
          if (!person || !this.network) continue;
          const at = this.nowAt(person);
          this.network.moveNode(id, at.x, at.y);
        }
        if (t < 1) this.frame = requestAnimationFrame(step);
        else { this.nowAt = null; this.network?.redraw(); }
      };
      step(begun);
    }

    cameFrom(id, old) {
      for (const edge of this.data.edges) {
        const by = edge.to === id ? edge.from : edge.from === id ? edge.to : null;
        if (by && old.has(by)) return old.get(by);
      }
      return null;
    }

    wheel(event) {
      if (event.ctrlKey || event.metaKey) return; // vis zooms
      event.stopPropagation();
      const { left, right, top, bottom } = this.extent();
      const sight = this.sight();
      const scale = this.network.getScale();
      let dx = (event.shiftKey ? event.deltaY : event.deltaX) / scale, dy = (event.shiftKey ? 0 : event.deltaY) / scale;
      const held = (by, low, high, from, to) => by < 0 ? Math.min(0, Math.max(by, low - 60 - from)) : Math.max(0, Math.min(by, high + 60 - to));
      dx = held(dx, left, right, sight.left, sight.right);
      dy = held(dy, top, bottom, sight.top, sight.bottom);
      if (!dx && !dy) return;
      event.preventDefault();
      const { x, y } = this.network.getViewPosition();
      this.network.moveTo({ position: { x: x + dx, y: y + dy }, animation: false });
    }

    // ---- pointing ---------------------------------------------------------------------------

    hit({ x, y }) {
      if (!this.years) for (const pill of this.pills) {
        if (this.visible(pill.person) && x >= pill.left - 2 && x <= pill.left + pill.width + 2 && Math.abs(y - pill.y) <= 13) return { pill, id: pill.id };
      }
      for (const person of this.people.values()) {
        if (this.visible(person.id) && Math.abs(x - person.x) <= person.width / 2 + 1 && Math.abs(y - person.y) <= BOX / 2 + 2) return { person, id: person.id };
      }
      for (const studio of this.studios) {
        if (this.studioShown(studio) && x >= studio.left - 1 && x <= studio.left + studio.width + 1 && Math.abs(y - studio.y) <= GROUP / 2 + 1) return { studio, id: studio.id };
      }
      return this.hitLine(x, y);
    }

    // The tie nearest to a point, if it is within a few pixels.
    hitLine(x, y) {
      const near = 5 / this.network.getScale();
      let best = null, least = near;
      for (const line of this.lines) {
        const curve = this.curve(this.ends(line.from), this.ends(line.to));
        const [x1, y1, a, b, c, d, x2, y2] = curve;
        if (x < Math.min(x1, x2) - near || x > Math.max(x1, x2, c) + near || y < Math.min(y1, y2) - near || y > Math.max(y1, y2) + near) continue;
        if (!this.lineShown(line)) continue;
        for (let part = 0; part <= 1; part += 1 / 24) {
          const rest = 1 - part;
          const px = rest ** 3 * x1 + 3 * rest ** 2 * part * a + 3 * rest * part ** 2 * c + part ** 3 * x2;
          const py = rest ** 3 * y1 + 3 * rest ** 2 * part * b + 3 * rest * part ** 2 * d + part ** 3 * y2;
          const apart = Math.hypot(px - x, py - y);
          if (apart < least) { least = apart; best = { line, id: line, x: px, y: py }; }
        }
      }
      return best;
    }

    at(event) {
      const box = this.canvas.getBoundingClientRect();
      return this.network.DOMtoCanvas({ x: event.clientX - box.left, y: event.clientY - box.top });
    }

    moved(event) {
      if (!this.network) return;
      const hit = event.buttons ? null : this.hit(this.at(event));
      this.canvas.classList.toggle("over", Boolean(hit));
      if ((hit?.id ?? null) === (this.hover?.id ?? null)) return;
      this.hover = hit;
      this.explain(hit);
      this.network.redraw();
    }

    leave() {
      if (!this.hover) return;
      this.hover = null;
      this.note.hidden = true;
      this.network.redraw();
    }

    explain(hit) {
      const { note } = this;
      note.hidden = true;
      if (!hit) return;
      const lines = hit.pill ? [fill(this.words.more, { count: hit.pill.count.toLocaleString("en") })]
        : hit.studio ? [hit.studio.name, this.words[hit.studio.closed ? "open_studio" : "close_studio"]]
          : hit.line ? hit.line.edges.slice(0, 4).map((edge) => this.tieTold(edge)) : [...hit.person.lines];
      if (hit.line?.edges.length > 4) lines.push("…");
      const reason = hit.person?.reason;
      if (hit.person && hit.person.shown !== hit.person.name) lines.unshift(hit.person.name);
      if (!reason && !lines.length) return;
      note.replaceChildren(...(reason ? [element("b", { text: reason })] : []), ...lines.map((text) => element("div", { text })));
      note.hidden = false;
      const thing = hit.person ?? hit.pill ?? hit.studio ?? { id: null, left: hit.x - 4, width: 8, y: hit.y };
      const end = this.network.canvasToDOM({ x: thing.left + thing.width, y: thing.y });
      const start = this.network.canvasToDOM({ x: thing.left, y: thing.y });
      const { x, y } = this.quietest(start, end, note.offsetWidth, note.offsetHeight, thing);
      note.style.left = `${Math.round(x)}px`;
      note.style.top = `${Math.round(y)}px`;
    }

    tieTold(edge) {
      const name = (id) => this.people.get(id).name;
      const whole = `${edge.start || this.words.undated}${edge.end ? ` – ${edge.end}` : ""}`;
      return `${this.words[edge.channel]}: ${name(edge.from)} → ${name(edge.to)}  ${whole}`;
    }

    // Beside the box, where the note covers the fewest others; never over what it explains.
    quietest(start, end, width, height, thing) {
      const { clientWidth: across, clientHeight: down } = this.stage;
      const scale = this.network.getScale();
      const half = (BOX * scale) / 2;
      const others = [...this.people.values(), ...(this.years ? [] : this.pills)].filter((o) => o.id !== thing.id && this.visible(o.person ?? o.id)).map((o) => {
        const { x, y } = this.network.canvasToDOM({ x: o.left, y: o.y });
        return { left: x, right: x + o.width * scale, top: y - half, bottom: y + half };
      });
      const tops = [end.y - height / 2, end.y + half - height, end.y - half, end.y + half - height - 8, end.y - half + 8];
      const places = [end.x + 10, start.x - 10 - width].flatMap((x) => tops.map((y) => ({ x, y })))
        .concat([end.y + half + 8, end.y - half - 8 - height].map((y) => ({ x: Math.max(2, Math.min(start.x, across - width - 2)), y })));
      let best = null;
      for (const place of places) {
        const out = Math.max(0, -place.x, place.x + width - across) + Math.max(0, -place.y, place.y + height - down);
        let covered = 0;
        for (const o of others) {
          const w = Math.min(o.right, place.x + width) - Math.max(o.left, place.x);
          const h = Math.min(o.bottom, place.y + height) - Math.max(o.top, place.y);
          if (w > 0 && h > 0) covered += w * h;
        }
        const cost = out * 1000 + covered;
        if (!best || cost < best.cost - 1) best = { ...place, cost };
      }
      return best;
    }

    clicked(event) {
      this.canvas.focus({ preventScroll: true });
      const hit = this.hit(event.pointer.canvas);
      if (hit?.pill) { this.open1(hit.pill); return; }
      if (hit?.studio) { this.pivot = hit.studio.leader?.id ?? null; this.done({ action: "studio", person: hit.studio.id }); return; }
      if (!hit?.person) return;
      this.cursor = hit.person.id;
      const pressed = event.event?.srcEvent ?? event.event;
      if (pressed?.shiftKey) this.done({ action: "also", person: hit.person.id });
      else this.select(hit.person.id);
    }

    doubled(event) {
      const hit = this.hit(this.at(event));
      if (hit?.person) this.toggle(hit.person);
    }

    open1(pill) {
      this.pivot = pill.person;
      this.done({ action: "expand", person: pill.person, direction: pill.direction, channel: pill.channel });
    }

    select(id, wait = 0) {
      if (this.selected === id && !wait) return;
      this.selected = id;
      this.pivot = id;
      this.tools();
      this.readOut();
      this.network.redraw();
      clearTimeout(this.waiting);
      // a double click selects and folds: the selection goes first, with the click itself
      const tell = () => this.send.select(id, ++this.number);
      if (wait) this.waiting = setTimeout(tell, wait); else tell();
    }

    done(what) {
      this.leave();
      this.send.done({ ...what, number: ++this.number });
    }

    onward(person, direction) {
      return this.data.edges.some((edge) => {
        const [from, to] = direction === "down" ? [edge.from, edge.to] : [edge.to, edge.from];
        if (from !== person.id) return false;
        const a = this.people.get(from).generation, b = this.people.get(to).generation;
        return direction === "down" ? b > a : b < a;
      });
    }

    directions(person) {
      return person.generation < 0 ? ["up"] : person.id === this.data.focus ? ["down", "up"] : ["down"];
    }

    canFold(person) { return this.directions(person).some((direction) => this.onward(person, direction)); }

    canExpand(person) { return this.pills.some((pill) => pill.person === person.id); }

    toggle(person) {
      if (this.canFold(person)) this.fold(person); else this.expand(person);
    }

    fold(person) {
      const direction = this.directions(person).find((way) => this.onward(person, way));
      this.pivot = person.id;
      if (direction) this.done({ action: "fold", person: person.id, direction });
    }

    expand(person) {
      const pill = this.pills.find((candidate) => candidate.person === person.id);
      if (pill) this.open1(pill);
    }

    expandSelected() { const p = this.people.get(this.selected); if (p) this.expand(p); }

    foldSelected() { const p = this.people.get(this.selected); if (p) this.fold(p); }

    onSelected(action) {
      if (this.people.has(this.selected)) this.done({ action, person: this.selected });
    }

    // ---- keys -------------------------------------------------------------------------------

    anyKey(event) {
      if (event.target === this.field) return; // the field has an undo of its own
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
        event.preventDefault();
        const action = event.shiftKey ? "redo" : "undo";
        if (this.data[action]) this.done({ action });
      } else if (event.key === "/") {
        event.preventDefault();
        this.field.focus();
      } else if (event.key === "?" && this.root.activeElement !== this.canvas) {
        event.preventDefault();
        this.help();
      }
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const person = this.people.get(this.cursor ?? this.selected) ?? null;
      const to = (action) => () => person && person.id !== this.data.focus && this.done({ action, person: person.id });
      const acts = {
        ArrowRight: () => this.walk("right"), ArrowLeft: () => this.walk("left"),
        ArrowUp: () => this.walk("up"), ArrowDown: () => this.walk("down"),
        Home: () => this.stand(this.people.get(this.data.focus)),
        Enter: () => person && (event.shiftKey ? this.done({ action: "also", person: person.id }) : this.select(person.id)),
        " ": () => person && this.toggle(person),
        "+": () => person && this.expand(person), "=": () => person && this.expand(person),
        "-": () => person && this.canFold(person) && this.fold(person),
        Escape: () => this.leaveStep(),
        f: to("focus"), h: to("hide"), p: to("pin"), t: to("trace"),
        d: () => this.done({ action: "dates" }), g: () => this.done({ action: "studios" }),
        "?": () => this.help(), 0: () => this.fit(),
        ">": () => this.scaleBy(1.25), "<": () => this.scaleBy(1 / 1.25),
      };
      const act = acts[event.key] ?? acts[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      event.stopPropagation();
      this.byKeys = true;
      act();
      this.network.redraw();
    }

    // Escape leaves what was entered last: help, the note, the person selected, the canvas.
    leaveStep() {
      if (!this.keysHelp.hidden) this.help(false);
      else if (!this.note.hidden) this.leave();
      else if (this.selected) this.select(null);
      else { this.cursor = null; this.canvas.blur(); }
    }

    stand(person) {
      if (!person) return;
      this.cursor = person.id;
      this.say(this.describe(person));
      this.keepInSight(person);
      this.network.redraw();
    }

    // Left to the mentor, right to the first taught, up and down within the column.
    walk(way) {
      const here = this.people.get(this.cursor ?? this.selected);
      if (!here) { this.stand(this.people.get(this.data.focus)); return; }
      const shown = [...this.people.values()].filter((p) => p.id !== here.id && this.visible(p.id));
      const near = (others, measure) => others.reduce((best, p) => (!best || measure(p) < measure(best) ? p : best), null);
      const tied = (from, to) => new Set(this.data.edges.filter((e) => e[from] === here.id).map((e) => e[to]));
      const column = (p) => (this.data.axis === "year" ? p.generation : p.layer);
      let next = null;
      if (way === "right") {
        const others = tied("from", "to");
        next = near(shown.filter((p) => others.has(p.id) && column(p) > column(here)), (p) => p.y);
      } else if (way === "left") {
        const others = tied("to", "from");
        next = near(shown.filter((p) => others.has(p.id) && column(p) < column(here)), (p) => Math.abs(p.y - here.y) + (this.path.has(p.id) ? 0 : 1e6));
      } else {
        const side = way === "down" ? 1 : -1;
        next = near(shown.filter((p) => column(p) === column(here) && (p.y - here.y) * side > 0), (p) => Math.abs(p.y - here.y));
      }
      if (next) this.stand(next);
    }

    // ---- finding ----------------------------------------------------------------------------

    find() {
      const text = this.field.value.trim().toLowerCase();
      if (!text) { this.closeFound(); return; }
      const matches = [...this.people.values()].filter((p) => p.name.toLowerCase().includes(text)).slice(0, 20);
      const heads = new Map(this.data.columns.map((column) => [column.x, column.name]));
      const choices = matches.map((p) => ({
        words: [element("span", { text: p.name }), element("small", { text: heads.get(p.left) ?? "" })],
        act: () => { this.byKeys = true; this.cursor = p.id; this.select(p.id); this.keepInSight(p); this.canvas.focus({ preventScroll: true }); },
      }));
      if (!matches.length) choices.push({ words: [element("small", { text: this.words.nobody })], act: null });
      choices.push({
        words: [element("span", { text: fill(this.words.everyone, { text: this.field.value.trim() }) })],
        act: () => this.done({ action: "search", text: this.field.value.trim() }),
      });
      this.choices = choices;
      this.choice = choices.findIndex((choice) => choice.act);
      this.found.replaceChildren(...choices.map((choice, at) => element("li", {
        role: "option", id: `found-${at}`, "aria-disabled": choice.act ? null : "true",
        onmousedown: (event) => { event.preventDefault(); this.choose(at); },
      }, ...choice.words)));
      this.found.hidden = false;
      this.field.setAttribute("aria-expanded", "true");
      this.markChoice();
    }

    markChoice() {
      [...this.found.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === this.choice)));
      this.field.setAttribute("aria-activedescendant", `found-${this.choice}`);
      this.found.children[this.choice]?.scrollIntoView({ block: "nearest" });
    }

    choose(at) {
      const act = this.choices?.[at]?.act;
      if (!act) return;
      act();
      this.field.value = "";
      this.closeFound();
    }

    closeFound() {
      this.found.hidden = true;
      this.field.setAttribute("aria-expanded", "false");
      this.field.removeAttribute("aria-activedescendant");
    }

    findKey(event) {
      event.stopPropagation();
      if (event.key === "Escape") { this.field.value = ""; this.closeFound(); this.canvas.focus({ preventScroll: true }); }
      if (this.found.hidden || event.isComposing) return;
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        const usable = this.choices.map((choice, at) => (choice.act ? at : -1)).filter((at) => at >= 0);
        const next = usable.indexOf(this.choice) + step;
        this.choice = usable[(next + usable.length) % usable.length];
        this.markChoice();
      }
      if (event.key === "Enter") { event.preventDefault(); this.choose(this.choice); }
    }

    // ---- time -------------------------------------------------------------------------------

    drawTime() {
      const { ties, window: within } = this.data;
      this.time.hidden = ties.length < 2;
      if (ties.length < 2) return;
      const first = ties[0][0], last = ties[ties.length - 1][0];
      const [from, to] = this.years ?? [first, last];
      this.bounds = [first, last];
      const step = 100 / (last - first + 1);
      const at = (year) => step * (year - first);
      const place = (made, left, width) => { made.style.left = `${left}%`; if (width !== undefined) made.style.width = `${width}%`; return made; };
      const most = Math.max(1, ...ties.map(([, count]) => count));
      const made = [];
      if (within) {
        const [a, b] = within.map((day) => Number(day.slice(0, 4)));
        const start = Math.max(a, first), end = Math.min(b, last);
        if (start <= end) made.push(place(element("div", { class: "within" }), at(start), step * (end - start + 1)));
      }
      for (const [year, count] of ties) {
        const bar = place(element("div", { class: year < from || year > to ? "bar out" : "bar", title: `${year}: ${count.toLocaleString("en")}` }), at(year) + step * 0.16, step * 0.68);
        const height = count ? Math.max(1, Math.round((26 * count) / most)) : 0;
        bar.style.top = `${35 - height}px`;
        bar.style.height = `${height}px`;
        made.push(bar);
      }
      made.push(element("div", { class: "line" }), place(element("div", { class: "chosen" }), at(from), step * (to - from + 1)));
      const every = Math.max(1, Math.ceil((last - first) / 7 / 5) * 5);
      for (let year = first; year <= last; year += 1) {
        const ticked = last - first < 8 || year === first || (year % every === 0 && year - first > every * 0.5);
        if (ticked) made.push(place(element("div", { class: "tick", text: String(year) }), at(year) + (year === first ? 0 : step / 2)));
      }
      this.handles ??= ["from", "to"].map((end, index) => element("div", {
        class: "handle", role: "slider", tabindex: "0", "data-end": end,
        onpointerdown: (event) => this.grab(event, index), onkeydown: (event) => this.nudge(event, index),
      }));
      this.handles.forEach((handle, index) => {
        handle.setAttribute("aria-label", this.words[index ? "to" : "from"]);
        handle.setAttribute("aria-valuemin", first);
        handle.setAttribute("aria-valuemax", last);
        handle.setAttribute("aria-valuenow", index ? to : from);
        handle.setAttribute("aria-valuetext", `${index ? to : from} (${from} – ${to})`);
        place(handle, index ? at(to) + step : at(from));
      });
      if (this.handles[0].parentNode === this.band) {
        for (const child of [...this.band.children]) if (!this.handles.includes(child)) child.remove();
        this.band.prepend(...made);
      } else this.band.replaceChildren(...made, ...this.handles);
      this.span.replaceChildren(element("b", { text: this.words.time }), element("span", { text: `${from} – ${to}` }));
    }

    grab(event, index) {
      event.preventDefault();
      this.stopPlaying();
      const handle = this.handles[index];
      handle.focus();
      handle.setPointerCapture(event.pointerId);
      const move = (moved) => {
        const box = this.band.getBoundingClientRect();
        const [first, last] = this.bounds;
        const step = box.width / (last - first + 1);
        const year = first + Math.round((moved.clientX - box.left) / step) - (index ? 1 : 0);
        this.chooseYear(index, year);
      };
      const end = () => {
        handle.removeEventListener("pointermove", move);
        handle.removeEventListener("pointerup", end);
        handle.removeEventListener("pointercancel", end);
        this.tellYears();
      };
      handle.addEventListener("pointermove", move);
      handle.addEventListener("pointerup", end);
      handle.addEventListener("pointercancel", end);
    }

    nudge(event, index) {
      const [first, last] = this.bounds;
      const now = (this.years ?? this.bounds)[index];
      const to = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, PageDown: now - 5, PageUp: now + 5, Home: first, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.stopPlaying();
      this.chooseYear(index, to);
      clearTimeout(this.yearsWait);
      this.yearsWait = setTimeout(() => this.tellYears(), 400);
    }

    chooseYear(index, year) {
      const [first, last] = this.bounds;
      const years = [...(this.years ?? this.bounds)];
      years[index] = Math.max(index ? years[0] : first, Math.min(index ? last : years[1], year));
      this.setYears(years);
    }

    setYears(years) {
      const [first, last] = this.bounds;
      const all = !years || (years[0] <= first && years[1] >= last);
      this.years = all ? null : years;
      this.reachable();
      this.drawTime();
      this.network.redraw();
    }

    tellYears() {
      if (String(this.years ?? "") !== String(this.data.years ?? "")) this.done({ action: "years", years: this.years });
    }

    play() {
      if (this.playing) { this.stopPlaying(); this.tellYears(); return; }
      const [first, last] = this.bounds;
      const from = this.years?.[0] ?? first;
      let year = this.years && this.years[1] < last ? this.years[1] : from;
      this.playing = setInterval(() => {
        if (year >= last) { this.stopPlaying(); this.tellYears(); return; }
        year += 1;
        this.setYears([from, year]);
      }, PLAY);
      this.setYears([from, year]);
      this.playWord();
    }

    stopPlaying() {
      clearInterval(this.playing);
      this.playing = null;
      if (this.playButton) this.playWord();
    }

    playWord() {
      const name = this.playing ? "stop" : "play";
      this.playButton.replaceChildren(icon(name), element("span", { text: this.words[name] }));
    }
  }

  window.ShichengLineage = ShichengLineage;
  window.dispatchEvent(new Event("shicheng-lineage-ready"));
})();
