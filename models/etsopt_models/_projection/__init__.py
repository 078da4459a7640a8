"""What the levels leave open: the allocation closest to the reference allowances, and whole tonnes of it."""
