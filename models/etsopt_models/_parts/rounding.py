"""Whole tonnes near real allowances: an order of rates is one before rounding, so it is solved for in real numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.rules import reference_allowances
from etsopt_models._parts.exceptions import bounds_with
from etsopt_models._parts.limits import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

DECIMALS = 3
"""Of the tonnes from which moves are measured: what is less than a kilogram is rounding, which must break no tie."""


def before_rounding(instance: Instance) -> Instance:
    """The instance whose real answer is rounded; the same where nothing is."""
    if not instance.policy.allocation.rounds:
        return instance
    return instance.with_policy({"allocation.whole_allowances": False})


def to_round(instance: Instance) -> Instance:
    """The instance whose limits the whole tonnes keep: every one but the order of rates."""
    return instance.with_policy({"allocation.fair_order": False, "allocation.objectives": []})


def chosen_exceptions(values: Mapping[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Which of the units that are not fixed are exceptions in a solution."""
    exceptional, units = values["exceptional"], len(values["allowance"])
    return exceptional > 0.5 if len(exceptional) else np.zeros(units, dtype=bool)


def nearest_to(rounded: Instance, values: Mapping[str, NDArray[np.float64]]) -> dict[str, Any]:
    """Parameters of `allocation` that differ where whole tonnes are sought near a real answer.

    Parameters
    ----------
    rounded
        What `to_round` returns.
    values
        Of the real answer, by variable; its exceptions are settled and widen the limits.
    """
    chosen, data = chosen_exceptions(values), limits(rounded, reference_allowances(rounded))
    lower, upper = bounds_with(data, chosen)
    groups, nobody = data.rows["UNITS_OF_ENTERPRISE"], np.arange(0)
    below, above = (
        np.array([side[groups[group]][chosen[groups[group]]].sum() for group in range(len(data.enterprises))])
        for side in (data.widening.lower, data.widening.upper)
    )
    everyone = np.arange(len(data.free))
    return {
        "ROUNDED": everyone,
        "reference": np.round(values["allowance"], DECIMALS),
        "lower": lower,
        "upper": upper,
        "BANDED": np.arange(len(data.enterprises)),
        "enterprise_lower": data.rows["enterprise_lower"] - below,
        "enterprise_upper": data.rows["enterprise_upper"] + above,
        "MAY_BE_EXCEPTIONAL": nobody,
        "WITH_OWN_BAND": nobody,
        "WIDENED": nobody,
        "LIMITED": 0,
    }
