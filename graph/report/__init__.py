"""The monthly report: one structure, written as a Word file and as an HTML page."""
