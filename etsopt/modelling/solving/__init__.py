"""From a program to a solution: scaling, the solver, and objectives in lexicographic order."""
