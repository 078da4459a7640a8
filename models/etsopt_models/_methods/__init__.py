"""Faster methods for a step of a model, named after the model and the step."""
