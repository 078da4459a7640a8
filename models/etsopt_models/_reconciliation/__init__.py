"""Evidence of reconciliation as arrays, and its result tables."""
