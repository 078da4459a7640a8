"""Check an investment under uncertainty: decisions, what follows in each scenario, and a bound of the cost."""
