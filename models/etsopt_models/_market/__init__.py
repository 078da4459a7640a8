"""Markets: accounts, measures and plans, the program over some of them, and its result tables."""
