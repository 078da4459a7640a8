"""Markets: accounts, measures and plans, the program over some plans, and its result tables."""
