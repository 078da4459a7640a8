"""Runs that are killed, refused what they need, interrupted, damaged, raced for, and made over and over."""

from benchmarks.reliability import damage, kills, races, refusals, signals, soak

ROWS = [row for module in (kills, refusals, signals, damage, races, soak) for row in module.ROWS]
