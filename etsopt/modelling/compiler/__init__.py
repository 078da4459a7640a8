"""Compile a model without data and arrays without a model to one program: matrix, bounds, costs, names."""
