"""Measurements of the project: ratios within one run, never tests."""
