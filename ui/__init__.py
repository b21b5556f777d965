"""The app's screens: one folder a page, below them what pages share."""
