"""Allocations with sizes over six decades, and markets of divisible measures: each has a proof, or is listed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import etsopt
from benchmarks.reliability.fuzzed import Case, seen
from benchmarks.reliability.fuzzed_allocations import METHODS, some_policy, some_units
from benchmarks.reliability.fuzzed_markets import TAKER_CNY_PER_T
from benchmarks.reliability.row import Row
from tests.markets import MARKETS, of_model, some_market

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.reliability.row import Found

MOST_UNITS, DECADES = 400, 6.0


def wide_allocation(number: int) -> Case:
    """Return an allocation of 1 to 400 units; in two of three the sizes span up to six decades."""
    random = np.random.default_rng(number)
    units = some_units(random, int(np.exp(random.uniform(0, np.log(MOST_UNITS)))))
    if random.integers(0, 3):
        size = 10.0 ** random.uniform(-random.uniform(0, DECADES), 0, len(units))
        emissions = np.maximum(units["emissions_tco2e"] * size, 1.0)
        emissions = np.round(emissions) if random.random() < 0.5 else emissions
        share = emissions / units["emissions_tco2e"]
        units = units.assign(
            emissions_tco2e=emissions,
            reference_t=units["reference_t"] * share,
            output_t=units["output_t"] * share,
        )
    policy = some_policy(random, units, str(random.choice(["cn-2025", "cn-2026", "given", "given", "cn-2024"])))
    # Exceptions, and whole tonnes in intensity order, are integer decisions.
    policy["allocation"]["exceptions"]["units"] = 0
    policy["allocation"]["integer_allowances"] &= not policy["allocation"]["intensity_order"]
    return Case("allocation", etsopt.Instance.from_frames(units, policy), METHODS[number % 4])


def divisible_market(number: int) -> Case:
    """Return a market of a few units with divisible measures."""
    model = MARKETS[number // 5 % len(MARKETS)]
    drawn = of_model(some_market(number), model)
    policy: dict[str, Any] = drawn.policy.model_dump(mode="json", exclude_none=True)
    policy["abatement"]["divisible_measures"] = True
    policy["market"]["prices_cny_per_t"] = TAKER_CNY_PER_T
    return Case(model, etsopt.Instance.from_frames(drawn.units, policy, measures=drawn.measures))


def proven(numbers: Iterable[int]) -> Found:
    """Solve four allocations per market, and list results without proof."""
    return seen(numbers, lambda number: (wide_allocation if number % 5 else divisible_market)(number))


ROWS = (
    Row(
        "E4",
        "random allocations of 1 to 400 units over six decades, and markets of divisible measures, four to one",
        "none is refused, and at most one in a thousand is neither certified nor proven infeasible; each is listed",
        10_000,
        25,
        proven,
    ),
)
