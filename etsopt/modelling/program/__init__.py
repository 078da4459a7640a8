"""Linear and mixed-integer programs as arrays: shared ground of the compiler and the solver."""
