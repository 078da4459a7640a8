"""Room of the investment under uncertainty: scenarios, alternatives of units, programs over them, and tables."""
