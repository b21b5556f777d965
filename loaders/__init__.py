"""Where records come from: one file a source, and one line here.

Each module has `get(paths, source) -> raw tables`; `loaders.sync.load_records` does the rest.
"""

from __future__ import annotations

# Name on the command line -> module.
LOADER_MODULES = {
    "folder": "loaders.folder",
    "wikidata": "loaders.wikidata",
}
