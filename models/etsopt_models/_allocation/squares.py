"""Tie-breaks of an allocation: sums of squared distances from a centre over a weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

SQUARES = {
    "least_squares": "least_squares",
    "equal_rates": "squared_rates",
    "proportional": "squared_shares",
    "equal_losses": "squared_losses",
}
"""Objective of each tie-break of the policy."""


def square_of(name: str, parameters: Mapping[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return weights and centres of the squares of an objective, shape ``(units,)`` [t].

    Parameters
    ----------
    parameters
        As `allocation.parameters` returns them.
    """
    emissions = parameters["emissions"]
    centre = parameters["at_target_rate" if name == "squared_rates" else "reference"]
    if name == "squared_shares":
        return 1 / parameters["per_reference"], centre
    if name == "squared_losses" and len(emissions):
        return np.full(len(emissions), 1 / parameters["per_mean_emissions"]), centre
    return emissions, centre
