"""The models: one file, one formulation, found by its name."""
