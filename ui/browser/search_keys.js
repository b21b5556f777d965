// The keyboard of a search page: "/" to the box, arrows through what is found, Enter opens.
// The box and the results are Streamlit's own; this only moves the focus between them.
const BOX = ".st-key-find_typed_text input";
const RESULTS = ".st-key-find_results a[href]";
const IDLE = "[data-testid=stApp][data-test-script-state=notRunning]";
const STEP = 60; // ms between two looks whether the page is at rest
const PATIENCE = 100; // looks

/** @param {Element | null} element */
const typing = (element) =>
  element?.matches?.("input, textarea, select, [contenteditable=true]") ?? false;

// Opens the first result once the page has answered what is in the box.
function openFirst(left = PATIENCE, quiet = 0) {
  const idle = document.querySelector(IDLE) !== null;
  if (idle && quiet >= 4) {
    /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(RESULTS))[0]?.click();
  } else if (left > 0) {
    setTimeout(() => openFirst(left - 1, idle ? quiet + 1 : 0), STEP);
  }
}

/** @param {number} by */
function move(by) {
  const stops = /** @type {HTMLElement[]} */ ([
    ...document.querySelectorAll(BOX),
    ...document.querySelectorAll(RESULTS),
  ]);
  const at = stops.findIndex((stop) => stop === document.activeElement);
  if (at < 0) return false;
  const next = stops[Math.min(Math.max(at + by, 0), stops.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const box = /** @type {HTMLInputElement | null} */ (document.querySelector(BOX));
  if (!box) return;
  const here = document.activeElement;
  let done = false;
  if (event.key === "/" && !typing(here)) {
    box.focus();
    box.select();
    done = true;
  } else if (event.key === "ArrowDown") {
    done = move(1);
  } else if (event.key === "ArrowUp") {
    done = here !== box && move(-1);
  } else if (event.key === "Escape" && here?.matches?.(RESULTS)) {
    box.focus();
    done = true;
  } else if (event.key === "Enter" && here === box && box.value.trim()) {
    openFirst();
  }
  if (done) event.preventDefault();
}

export default function () {
  document.addEventListener("keydown", pressed, true);
  document.body.dataset.searchKeys = "listening";
  return () => {
    document.removeEventListener("keydown", pressed, true);
    delete document.body.dataset.searchKeys;
  };
}
