"""Outlooks: the program derived again, its answer proven, and all tables that follow from it."""
