"""The lineage widget in headless Chromium: first paint, a click, an expansion.

`python -m benchmarks.lineage` prints a table for docs/benchmarks.md. Each view of invented people
is opened in a fresh profile, from the request to the canvas drawn with its people, Streamlit's
own start included; medians of `ROUNDS`. Machines differ: compare the ratios to 500 people.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from benchmarks.visitors import serve_app
from graph.server.configuration import find_free_port
from tests import install
from tests.browser.conftest import FLAGS

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "tests" / "browser" / "lineage_demo.py"
SIZES = (50, 500, 1_000, 5_000)
GROUPED = (5_000, 20_000)  # people, all of them in groups
BASE = 500
ROUNDS = 3
WAIT = 60_000  # ms
CANVAS = """[...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
    .map((host) => host.shadowRoot?.querySelector('.canvas')).find((canvas) => canvas)"""
DRAWN = "() => performance.getEntriesByName('shicheng-lineage-drawn')[0]?.startTime"


def measure_lineage(
    browser: Any, url: str, people: int, *, grouped: bool = False
) -> dict[str, float]:
    """Seconds to the first paint, of a click until Python has answered, of an expansion; kB.

    An expansion is everyone again after a fold; `grouped`, a group that opens in place.
    """
    profile = browser.new_context(viewport={"width": 1400, "height": 900})
    page = profile.new_page()
    received: list[int] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda f: received.append(len(f))))
    page.goto(f"{url}/?people={people}{'&groups=1' if grouped else ''}")
    paint = page.wait_for_function(DRAWN, polling=20, timeout=WAIT).json_value() / 1000
    page.wait_for_timeout(500)
    first, received[:] = sum(received), []
    took = {"first paint s": paint, "first load kB": first / 1000}
    took["click s"] = _measure_until(
        page,
        "(view) => view.actions.select(view.data.nodes[1].id)",
        "(view) => view.data.selected === view.data.nodes[1].id",
    )
    page.wait_for_timeout(600)
    took["click kB"] = sum(received) / 1000
    if grouped:
        took["expansion s"] = _measure_until(
            page,
            "(view) => view.actions.openGroup("
            "[...view.people.values()].find((box) => box.group?.target))",
            "(view) => [...view.people.values()].some((box) => box.group?.open)",
        )
        profile.close()
        return took
    page.evaluate(
        f"() => {CANVAS}.shichengLineage.actions.send({{action: 'fold', direction: 'down',"
        f" person: {CANVAS}.shichengLineage.data.focus}})"
    )
    page.wait_for_function(f"() => {CANVAS}.shichengLineage.data.nodes.length < 5", timeout=WAIT)
    page.wait_for_timeout(400)
    took["expansion s"] = _measure_until(
        page,
        "(view) => view.actions.send("
        "{action: 'expand', direction: 'down', person: view.data.focus})",
        f"(view) => view.data.nodes.length === {people}",
    )
    profile.close()
    return took


def _measure_until(page: Any, act: str, holds: str) -> float:
    """Seconds, in the browser, from an act to the frame drawn after what it leads to holds."""
    took: float = page.evaluate(
        f"""() => new Promise((done) => {{
            const view = {CANVAS}.shichengLineage;
            const began = performance.now();
            ({act})(view);
            const look = () => ({holds})(view)
                ? requestAnimationFrame(() => done(performance.now() - began))
                : setTimeout(look, 5);
            look(); }})"""
    )
    return took / 1000


def main() -> None:
    """Prints the table."""
    from playwright.sync_api import sync_playwright

    executable = install.chromium()
    found: dict[str, dict[str, float]] = {}
    port = find_free_port(0)
    url = f"http://127.0.0.1:{port}"
    with serve_app(None, port, DEMO), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        measure_lineage(browser, url, 50)  # imports, and the server's first run
        cases = [(n, False) for n in SIZES] + [(n, True) for n in GROUPED]
        for people, grouped in cases:
            rounds = [measure_lineage(browser, url, people, grouped=grouped) for _ in range(ROUNDS)]
            name = f"{people:,}{', in groups' if grouped else ''}"
            found[name] = {k: statistics.median(r[k] for r in rounds) for k in rounds[0]}
        browser.close()
    names = list(found[str(BASE)])
    print("| people | " + " | ".join([*names, f"first paint to {BASE}"]) + " |")
    print("|---" * (len(names) + 2) + "|")
    for size, row in found.items():
        ratio = row["first paint s"] / found[str(BASE)]["first paint s"]
        cells = [f"{row[name]:.0f}" if "kB" in name else f"{row[name]:.2f}" for name in names]
        print(f"| {size} | " + " | ".join([*cells, f"{ratio:.1f}"]) + " |")


if __name__ == "__main__":
    main()
