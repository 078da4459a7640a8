"""An outlook: arrays of the program, its cases, and its tables."""
