"""The tie-break of `allocation` with changes in proportion to the reference, by duals as `least_squares`."""

from __future__ import annotations

from functools import partial

from etsopt_models._methods.allocation_least_squares import solve_square

solve_objective = partial(solve_square, "squared_shares")
