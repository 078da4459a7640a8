"""Rows."""

from benchmarks.reliability.row import Row

ROWS: list[Row] = []
