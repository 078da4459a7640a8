"""Limits of an allocation, exceptions to them, and its result tables."""
