"""Instances: their tables and policy; reading, checks and writing."""
