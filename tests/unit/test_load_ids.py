from __future__ import annotations

import time

from loaders.load_nodes import build_load_id


def test_loads_sort_in_the_order_in_which_they_began() -> None:
    # Several within one second: what follows the microsecond is random.
    ids = []
    for _ in range(200):
        ids.append(build_load_id())
        time.sleep(1e-5)
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
