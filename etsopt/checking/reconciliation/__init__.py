"""Check a reconciliation: agreement with the evidence, gross errors, sums and bounds."""
