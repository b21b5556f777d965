// Before a page's own scripts: note what Streamlit is asked and answers, and when the page changed.
// `FIELDS` are numbers of Streamlit's messages. `seeing.py` gives them and reads `testWatch`.
(FIELDS) => {
  const watch = { asked: false, runs: false, changed: performance.now() };
  globalThis.testWatch = watch;

  // The top-level fields of a protobuf message: [number, value of a varint or null].
  function* readFields(bytes) {
    let at = 0;
    const readNumber = () => {
      let value = 0, scale = 1, byte;
      do {
        byte = bytes[at++];
        value += (byte & 127) * scale;
        scale *= 128;
      } while (byte & 128);
      return value;
    };
    while (at < bytes.length) {
      const tag = readNumber(), kind = tag % 8, number = Math.floor(tag / 8);
      if (kind === 0) yield [number, readNumber()];
      else {
        const length = kind === 1 ? 8 : kind === 5 ? 4 : readNumber();
        at += length;
        yield [number, null];
      }
    }
  }

  function noteAnswer(data) {
    if (!(data instanceof ArrayBuffer)) return;
    for (const [number, value] of readFields(new Uint8Array(data))) {
      if (number === FIELDS.newSession) Object.assign(watch, { asked: false, runs: true });
      // A run that ended early for another is followed by that other one.
      if (number === FIELDS.finished && value !== FIELDS.early) watch.runs = false;
    }
  }

  const Own = globalThis.WebSocket;
  globalThis.WebSocket = class extends Own {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", (event) => noteAnswer(event.data));
      this.addEventListener("close", () => Object.assign(watch, { asked: false, runs: false }));
    }
    send(data) {
      const bytes = ArrayBuffer.isView(data) ? data : new Uint8Array(0);
      for (const [number] of readFields(bytes)) if (number === FIELDS.rerun) watch.asked = true;
      super.send(data);
    }
  };
  const noteChange = () => watch.changed = performance.now();
  new MutationObserver(noteChange)
    .observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  // A scroll or a font moves what no node says.
  document.addEventListener("scroll", noteChange, { capture: true, passive: true });
  new PerformanceObserver(noteChange).observe({ type: "layout-shift" });
}
