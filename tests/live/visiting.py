"""A visit without a browser: to another address, and what the page there says."""

from __future__ import annotations

import re

from streamlit.testing.v1 import AppTest


def go(test: AppTest, page: str, /, **query: str) -> AppTest:
    """The same visit at another address."""
    test.session_state["opened"] = page
    test.query_params.clear()
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def text(test: AppTest) -> str:
    """All its HTML."""
    return "\n".join(element.proto.body for element in test.get("html"))


def lead(test: AppTest) -> str:
    """Its first sentence, as text."""
    assert not test.exception
    found = re.search(r'<h1 class="sc-lead">(.*?)</h1>', text(test), re.DOTALL)
    assert found, text(test)
    return re.sub("<[^>]+>", "", found[1])
