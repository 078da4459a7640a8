"""Markets by column generation: the relaxation, integer plans, and the tree that proves them."""
