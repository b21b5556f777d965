"""How a test looks at a page: at rest, the lineage's people on the screen, a picture."""

from __future__ import annotations

import json
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from ui.pages import PAGES

ROOT = Path(__file__).parents[2]
AXE = Path(find_spec("axe_playwright_python").origin).with_name("axe.min.js")  # type: ignore[union-attr, arg-type]
WAIT = 180_000  # ms; the machine may be busy: only a test that fails waits so long
CALLS = count(1)
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
# The lineage stands in a shadow root; playwright's CSS selectors go through, scripts must ask.
CANVAS = """[...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map((host) => host.shadowRoot?.querySelector('.canvas')).find((canvas) => canvas)"""


def watch_pages(profile: Any) -> None:
    """Let the pages of a profile note what Streamlit is asked and answers: see `at_rest`."""
    finished = ForwardMsg.DESCRIPTOR.enum_types_by_name["ScriptFinishedStatus"]
    fields = {
        "rerun": BackMsg.RERUN_SCRIPT_FIELD_NUMBER,
        "newSession": ForwardMsg.NEW_SESSION_FIELD_NUMBER,
        "finished": ForwardMsg.SCRIPT_FINISHED_FIELD_NUMBER,
        "early": finished.values_by_name["FINISHED_EARLY_FOR_RERUN"].number,
    }
    script = Path(__file__).with_name("watching.js").read_text("utf-8")
    profile.add_init_script(f"({script})({json.dumps(fields)})")


# A click may be told to Streamlit a moment later: its tables wait 150 ms, its sliders 200 ms. The
# page's own clock counts, so that a slow machine has told it too; then nothing is asked or runs
# any more, the page has stood still and has nothing left to do. What moves for ever doesn't hold
# the test up.
AT_REST = f"""([call, told, still, most]) => {{
    const watch = globalThis.testWatch, now = performance.now();
    if (watch.call !== call) {{
        Object.assign(watch, {{ call, told: false, idle: 0 }});
        setTimeout(() => watch.told ||= watch.call === call, told);
    }}
    if (!watch.told || watch.asked || watch.runs) return false;
    if (!document.querySelector('{IDLE}') || document.querySelector('[data-testid=stSkeleton]'))
        return false;
    watch.idle ||= now;
    if (now - watch.idle > most) return true;
    if (now - watch.changed <= still || document.fonts.status !== 'loaded') return false;
    if (watch.rested === watch.changed) return true;
    // On a busy machine it may stand still and have work left: React draws in slices.
    const changed = watch.changed;
    requestIdleCallback(() => watch.rested = changed);
    return false;
}}"""
TOLD, STILL, MOST = 210, 100, 2_000  # ms
LOOK = 50  # ms; without it Chromium draws a frame for every look, 60 a second


def at_rest(page: Any, settle_ms: int = TOLD) -> Any:
    """The page when its script has ended and all that it drew stands."""
    call = next(CALLS)
    settled = [call, settle_ms, STILL, MOST]
    page.wait_for_function(AT_REST, arg=settled, timeout=WAIT, polling=LOOK)
    return page


def most_driven(network: Database, settings: Settings) -> dict[str, Any]:
    rows = measure_driven(take_snapshot(network, settings), Policy()).talents
    return rows.sort("driven").row(-1, named=True)


# vis counts frames, not time, when it moves the view, and draws on the next frame what was asked.
STEADY = f"""() => {{ const canvas = {CANVAS}, network = canvas?.shichengNetwork;
    return network && !network.renderer.renderingActive && !network.renderer.redrawRequested
        && !canvas.shichengLineage.camera.nowAt; }}"""


def lineage_steady(page: Any) -> Any:
    """The page when nothing of the lineage moves any more: boxes stand and are drawn."""
    page.wait_for_function(STEADY, timeout=WAIT)
    return page


def lineage_ready(page: Any) -> Any:
    page.wait_for_function(f"() => {CANVAS}?.shichengNetwork", timeout=WAIT)
    return lineage_steady(at_rest(page))


def people(page: Any) -> dict[str, tuple[float, float]]:
    """The people of the lineage: id -> where on the page."""
    places: dict[str, tuple[float, float]] = page.evaluate(
        f"""() => {{ const canvas = {CANVAS}; const network = canvas.shichengNetwork;
        const box = canvas.getBoundingClientRect();
        return Object.fromEntries(network.body.data.nodes.getIds().map((id) => {{
            const at = network.canvasToDOM(network.getPositions([id])[id]);
            return [id, [at.x + box.left, at.y + box.top]]; }})); }}"""
    )
    return places


def on_screen(page: Any) -> dict[str, tuple[float, float]]:
    """Those of the people whom one can click."""
    top, bottom = page.evaluate(
        f"() => {{ const box = {CANVAS}.getBoundingClientRect(); return [box.top, box.bottom]; }}"
    )
    left, right = page.evaluate(
        f"() => {{ const box = {CANVAS}.getBoundingClientRect(); return [box.left, box.right]; }}"
    )
    return {
        id: (x, y)
        for id, (x, y) in people(page).items()
        if top + 20 < y < min(bottom - 20, 880) and left + 30 < x < right - 40
    }


def picture(page: Any, folder: Path | None, name: str) -> str:
    """The name of a picture of the current page, taken when a folder is asked for."""
    page.mouse.move(0, 0)
    if folder:
        page.wait_for_timeout(250)
        page.screenshot(path=folder / f"{name}.png")
    return name


def pages_of_the_app() -> list[str]:
    """Every page by its address: see `ui.pages`."""
    return sorted(PAGES)


def serious_findings(page: Any) -> list[str]:
    """What axe finds on the current page that keeps people out; nothing else counts."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
