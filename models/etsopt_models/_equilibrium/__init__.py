"""Responses of enterprises to a balance value, the values that they reproduce, and the result tables."""
