"""Instances: what the tables hold, how they are read, checked and written."""
