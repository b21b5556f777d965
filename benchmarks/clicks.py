"""What a click on somebody in the lineage page sends to the browser, element by element.

    python -m benchmarks.clicks --home DATA_FOLDER PERSON_ID [--port 8598]

Opens the page of a person in headless Chromium on a data folder that is loaded, selects the second
of the people drawn, then the third, and prints the bytes of the second answer by what they are for,
the largest first. `benchmarks.lineage` has the widget alone.
"""

from __future__ import annotations

import argparse
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.lineage import CANVAS, WAIT
from benchmarks.visitors import serve_app
from tests import install
from tests.browser.conftest import FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import WebSocket

QUIET = 3_000  # ms after which an answer is taken to be complete


def part_of(payload: bytes) -> str:
    """What a message is for: its type, and of an element its type and its label or key."""
    message = ForwardMsg()
    message.ParseFromString(payload)
    kind = str(message.WhichOneof("type"))
    if kind != "delta":
        return kind
    if message.delta.WhichOneof("type") != "new_element":
        return f"{kind}: {message.delta.WhichOneof('type')}"
    element = message.delta.new_element
    name = str(element.WhichOneof("type"))
    inner = getattr(element, name)
    label = getattr(inner, "label", "") or getattr(inner, "component_name", "")
    label = label or getattr(inner, "id", "") or getattr(inner, "body", "")
    return f"{name}: {' '.join(str(label).split())[:60]}"


def _record_frames(received: list[bytes], socket: WebSocket) -> None:
    def record(frame: bytes | str) -> None:
        if isinstance(frame, bytes):  # the app's own messages; text is none of them
            received.append(frame)

    socket.on("framereceived", record)


def measure_click_bytes(url: str) -> Counter[str]:
    """The bytes of the answer to a click, by part."""
    from playwright.sync_api import sync_playwright

    received: list[bytes] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=install.chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.on("websocket", partial(_record_frames, received))
        page.goto(url)
        drawn = f"() => {CANVAS}?.shichengLineage?.data?.nodes?.length > 3"
        page.wait_for_function(drawn, polling=100, timeout=2 * WAIT)
        for number in (1, 2):
            page.wait_for_timeout(QUIET)
            received.clear()
            page.evaluate(
                f"() => {{ const view = {CANVAS}.shichengLineage;"
                f" view.actions.select(view.data.nodes.filter((n) => !n.group)[{number}].id); }}"
            )
            page.wait_for_timeout(QUIET)
        browser.close()
    sizes: Counter[str] = Counter()
    for payload in received:
        raw = payload if isinstance(payload, bytes) else str(payload).encode()
        sizes[part_of(raw)] += len(raw)
    return sizes


def main() -> None:
    """Serves the app, clicks, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8598)
    parser.add_argument("person")
    given = parser.parse_args()
    with serve_app(given.home, given.port):
        query = urlencode({"id": given.person, "lang": "zh"})
        sizes = measure_click_bytes(f"http://127.0.0.1:{given.port}/lineage?{query}")
        print("| part of the answer to a click | bytes |\n|---|---|")
        for part, size in [*sizes.most_common(25), ("all", sum(sizes.values()))]:
            print(f"| {part} | {size:,} |")


if __name__ == "__main__":
    main()
