"""The shipped model ``allocation`` on generated instances, with the columns and rows of some objectives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import etsopt
from etsopt_models import allocation

if TYPE_CHECKING:
    from collections.abc import Sequence

UNIT_T = 2.0**20
"""Unit of all quantities [t], about a million tonnes; a power of two, so no digit changes.

In tonnes the costs of ``largest_change`` and ``spread`` are so small that any point is optimal within the absolute
tolerances of HiGHS. The product scales each program; here the input is in larger units, so that all tools pass the
same program.
"""

QUANTITIES = (
    *("emissions", "reference", "lower", "upper", "increase_most", "decrease_most", "at_target_rate"),
    *("target_least", "target_most", "balance_least", "balance_most", "nation_least", "nation_most"),
    *("enterprise_lower", "enterprise_upper", "obligation"),
    *("band_lower", "band_upper", "widening_lower", "widening_upper"),
)
RECIPROCALS = ("per_emission", "per_total_emissions")

formulate = allocation.formulate


def parameters(firms: int, levels: Sequence[str]) -> dict[str, Any]:
    """Return arrays for the sets and parameters of the model, quantities in `UNIT_T`."""
    instance = etsopt.generate(firms, seed=1)
    # With slack everywhere each unit could have its target rate, and `spread` would be zero.
    balance = {name: 0.02 if number % 2 else 0.001 for number, name in enumerate(instance.provinces)}
    policy = {"allocation.objectives": list(levels), "provinces.balance": balance}
    data = allocation.parameters(instance.with_policy(policy))
    data |= {name: data[name] / UNIT_T for name in QUANTITIES}
    return data | {name: data[name] * UNIT_T for name in RECIPROCALS}
