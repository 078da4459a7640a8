"""Regions of limits on which one set of multipliers serves, so that the answer is affine there."""
