import { element, icon } from "./elements.js";

/** @import { Lineage } from "./lineage.js" */

const YEAR_MS = 1000; // a year of what is played
const BAR_HEIGHT = 26; // px of the highest bar
const BAR_FOOT = 35; // px from the top of the band to where bars stand
const BAR_INSET = 0.16; // of a year, free on each side of a bar

/** The years below the canvas: ties a year, two handles, and playing them. */
export class TimeBand {
  /** @type {[number, number]} the first and the last year */
  bounds = [0, 0];
  /** @type {HTMLElement[]} of the first and of the last year shown */
  handles = [];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  playing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  waiting;
  span = element("div", { class: "span" });
  band = element("div", { class: "band" });

  /** @param {Lineage} lineage */
  constructor(lineage) {
    this.lineage = lineage;
    this.playButton = element("button", {
      type: "button",
      class: "play",
      "data-act": "play",
      onclick: () => this.play(),
    });
    this.element = element("div", { class: "time" }, this.span, this.band, this.playButton);
  }

  draw() {
    const { ties } = this.lineage.data;
    this.element.hidden = ties.length < 2;
    if (ties.length < 2) return;
    this.bounds = [ties[0][0], ties[ties.length - 1][0]];
    const [from, to] = this.lineage.shown.years ?? this.bounds;
    const chosen = element("div", { class: "chosen" });
    this.place(chosen, from, to + 1);
    this.placeHandles(from, to);
    const marks = [
      ...this.buildWindow(),
      ...this.buildBars(from, to),
      element("div", { class: "line" }),
      chosen,
      ...this.buildTicks(),
    ];
    for (const child of [...this.band.children]) {
      if (!this.handles.some((handle) => handle === child)) child.remove();
    }
    this.band.prepend(...marks); // the handles stay: one of them may have the focus
    this.span.replaceChildren(
      element("b", { text: this.lineage.words.time }),
      element("span", { text: `${from} – ${to}` }),
    );
  }

  /**
   * Puts an element at a year of the band, or from one year to another.
   *
   * @param {HTMLElement} made
   * @param {number} from
   * @param {number} [to]
   */
  place(made, from, to) {
    const [first, last] = this.bounds;
    const step = 100 / (last - first + 1);
    made.style.left = `${step * (from - first)}%`;
    if (to !== undefined) made.style.width = `${step * (to - from)}%`;
  }

  /** The policy's window, where it lies among the years. */
  buildWindow() {
    const { window: within } = this.lineage.data;
    if (!within) return [];
    const [first, last] = this.bounds;
    const [from, to] = within.map((day) => Number(day.slice(0, 4)));
    const start = Math.max(from, first), end = Math.min(to, last);
    if (start > end) return [];
    const made = element("div", { class: "within" });
    this.place(made, start, end + 1);
    return [made];
  }

  /**
   * New ties a year.
   *
   * @param {number} from
   * @param {number} to
   */
  buildBars(from, to) {
    const { ties } = this.lineage.data;
    const most = Math.max(1, ...ties.map(([, count]) => count));
    return ties.map(([year, count]) => {
      const made = element("div", {
        class: year < from || year > to ? "bar out" : "bar",
        title: `${year}: ${count.toLocaleString("en")}`,
      });
      this.place(made, year + BAR_INSET, year + 1 - BAR_INSET);
      const height = count ? Math.max(1, Math.round((BAR_HEIGHT * count) / most)) : 0;
      made.style.top = `${BAR_FOOT - height}px`;
      made.style.height = `${height}px`;
      return made;
    });
  }

  buildTicks() {
    const [first, last] = this.bounds;
    const every = Math.max(1, Math.ceil((last - first) / 7 / 5) * 5);
    const ticks = [];
    for (let year = first; year <= last; year += 1) {
      const ticked = last - first < 8 || year === first ||
        (year % every === 0 && year - first > every * 0.5);
      if (!ticked) continue;
      const made = element("div", { class: "tick", text: String(year) });
      this.place(made, year === first ? year : year + 0.5);
      ticks.push(made);
    }
    return ticks;
  }

  /**
   * @param {number} from
   * @param {number} to
   */
  placeHandles(from, to) {
    if (!this.handles.length) {
      this.handles = [this.buildHandle("from", 0), this.buildHandle("to", 1)];
      this.band.append(...this.handles);
    }
    const [first, last] = this.bounds;
    this.handles.forEach((handle, index) => {
      const year = index ? to : from;
      handle.setAttribute("aria-label", this.lineage.words[index ? "to" : "from"]);
      handle.setAttribute("aria-valuemin", String(first));
      handle.setAttribute("aria-valuemax", String(last));
      handle.setAttribute("aria-valuenow", String(year));
      handle.setAttribute("aria-valuetext", `${year} (${from} – ${to})`);
      this.place(handle, index ? year + 1 : year);
    });
  }

  /**
   * @param {string} end
   * @param {number} index
   */
  buildHandle(end, index) {
    return element("div", {
      class: "handle",
      role: "slider",
      tabindex: "0",
      "data-end": end,
      /** @param {PointerEvent} event */
      onpointerdown: (event) => this.grab(event, index),
      /** @param {KeyboardEvent} event */
      onkeydown: (event) => this.nudge(event, index),
    });
  }

  /**
   * @param {PointerEvent} event
   * @param {number} index
   */
  grab(event, index) {
    event.preventDefault();
    this.stop();
    const handle = this.handles[index];
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    /** @param {PointerEvent} moved */
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
      this.sendYears();
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {number} index
   */
  nudge(event, index) {
    const [first, last] = this.bounds;
    const now = (this.lineage.shown.years ?? this.bounds)[index];
    /** @type {Record<string, number>} */
    const years = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageDown: now - 5,
      PageUp: now + 5,
      Home: first,
      End: last,
    };
    const to = years[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.stop();
    this.chooseYear(index, to);
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.sendYears(), 400);
  }

  /** Sends years chosen by keys that still wait for the next key: nothing done later overtakes. */
  flush() {
    if (this.waiting !== undefined) this.sendYears();
  }

  /**
   * @param {number} index
   * @param {number} year
   */
  chooseYear(index, year) {
    const [first, last] = this.bounds;
    const [from, to] = this.lineage.shown.years ?? this.bounds;
    const chosen = Math.max(index ? from : first, Math.min(index ? last : to, year));
    this.setYears(index ? [from, chosen] : [chosen, to]);
  }

  /**
   * @param {[number, number] | null} years
   */
  setYears(years) {
    const [first, last] = this.bounds;
    const all = !years || (years[0] <= first && years[1] >= last);
    this.lineage.shown.years = all ? null : years;
    this.lineage.shown.update();
    this.draw();
    this.lineage.heads.count();
    this.lineage.network.redraw();
  }

  sendYears() {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    if (String(this.lineage.shown.years ?? "") !== String(this.lineage.data.years ?? "")) {
      this.lineage.actions.send({ action: "years", years: this.lineage.shown.years });
    }
  }

  play() {
    if (this.playing) {
      this.stop();
      this.sendYears();
      return;
    }
    const [first, last] = this.bounds;
    const from = this.lineage.shown.years?.[0] ?? first;
    let year = this.lineage.shown.years && this.lineage.shown.years[1] < last
      ? this.lineage.shown.years[1]
      : Math.max(from, this.findFirstYear(from, last));
    this.playing = setInterval(() => {
      if (year >= last) {
        this.stop();
        this.sendYears();
        return;
      }
      year += 1;
      this.setYears([from, year]);
    }, YEAR_MS);
    this.setYears([from, year]);
    this.labelPlayButton();
  }

  /**
   * The first year in which a tie leads from the person in focus to somebody: before it nothing
   * moves.
   *
   * @param {number} from
   * @param {number} last
   */
  findFirstYear(from, last) {
    const own = this.lineage.data.edges.filter((edge) =>
      edge.start && [edge.from, edge.to].includes(this.lineage.data.focus)
    ).map((edge) => Number(edge.start.slice(0, 4)));
    const all = own.concat(this.lineage.data.figures.map(([, year]) => year)).filter((year) =>
      year >= from
    );
    return all.length ? Math.min(...all, last) : from;
  }

  stop() {
    clearInterval(this.playing);
    this.playing = undefined;
    if (this.lineage.words) this.labelPlayButton();
  }

  labelPlayButton() {
    const name = this.playing ? "stop" : "play";
    this.playButton.replaceChildren(
      icon(name),
      element("span", { text: this.lineage.words[name] }),
    );
  }
}
