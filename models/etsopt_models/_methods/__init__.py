"""Faster methods for an objective or the whole of a model, named after the model and the objective or method."""
