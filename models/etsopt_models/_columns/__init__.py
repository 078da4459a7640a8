"""Markets solved by columns that prices find: the relaxation, whole plans, and the tree that proves them."""
