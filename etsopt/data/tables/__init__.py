"""The tables of an instance: their schema, unconverted cells, validation, and columns as arrays."""
