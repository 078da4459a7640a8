"""Accounts of a compliance year, their limits, and its result tables."""
