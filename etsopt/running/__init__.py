"""Run a model on an instance: read, build, solve, make tables, check."""
