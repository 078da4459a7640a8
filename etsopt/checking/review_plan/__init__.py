"""Checks of a plan of reviews: what it has to contain, its days, and a bound of the tonnes that any plan leaves."""
