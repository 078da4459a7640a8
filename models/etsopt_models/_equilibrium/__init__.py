"""Responses of units to a balance value, the values that they reproduce, and the result tables."""
