"""From a program to a solution: scaling, the solver, and levels solved one after another."""
