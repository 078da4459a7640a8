"""Tie-break of the objectives: projection of the reference allowances, and its whole tonnes."""
