"""Where records come from: one file a source, and one line here.

Each module has `get(paths, source) -> raw tables`; `loaders.sync.sync` does the rest.
"""

from __future__ import annotations

# Name on the command line -> module.
SOURCES = {
    "folder": "loaders.folder",
    "wikidata": "loaders.wikidata",
}
