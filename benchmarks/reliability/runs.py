"""Runs that are killed, refused what they need, interrupted, damaged, raced for, and made over and over."""

from benchmarks.reliability import kills, races, refusals, signals

ROWS = [*kills.ROWS, *refusals.ROWS, *signals.ROWS, *races.ROWS]
