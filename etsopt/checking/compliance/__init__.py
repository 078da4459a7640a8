"""Check a compliance year: conservation to the allowance, limits, fines and least cost."""
