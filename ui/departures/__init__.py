"""Departures: who leaves, what hangs on each, and who could take over."""
