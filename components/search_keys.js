// The keyboard of a search page: "/" to the box, arrows through what is found, Enter opens.
// The box and the results are Streamlit's own; this only moves the focus between them.
const BOX = ".st-key-find_text input";
const RESULTS = ".st-key-find_results a[href]";
const IDLE = "[data-testid=stApp][data-test-script-state=notRunning]";
const STEP = 60; // ms between two looks whether the page is at rest
const PATIENCE = 100; // looks

const typing = (element) =>
  element?.matches?.("input, textarea, select, [contenteditable=true]") ?? false;

// Opens the first result once the page has answered what is in the box.
function openFirst(left = PATIENCE, quiet = 0) {
  const idle = document.querySelector(IDLE) !== null;
  if (idle && quiet >= 4) {
    document.querySelector(RESULTS)?.click();
  } else if (left > 0) {
    setTimeout(() => openFirst(left - 1, idle ? quiet + 1 : 0), STEP);
  }
}

function move(by) {
  const box = document.querySelector(BOX);
  const stops = [box, ...document.querySelectorAll(RESULTS)];
  const at = stops.indexOf(document.activeElement);
  if (at < 0) return false;
  const next = stops[Math.min(Math.max(at + by, 0), stops.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const box = document.querySelector(BOX);
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
  return () => document.removeEventListener("keydown", pressed, true);
}
