"""Run a model on an instance: read, build, solve, tabulate, check."""
