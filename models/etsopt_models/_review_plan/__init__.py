"""Room of the plan of reviews: enterprises, reviews, trips and draws before the program, and tables after it."""
