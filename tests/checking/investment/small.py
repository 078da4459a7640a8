"""Three units of two enterprises, and what the checker of investments derives of them, put together by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.checking.investment.objective import Objective
from etsopt.checking.investment.sets import SetCosts
from etsopt.checking.investment.states import States
from etsopt.checking.readings.baseline import Baseline
from etsopt.checking.readings.choices import Choices
from etsopt.checking.readings.families import Family, SlotGroup
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.checking.market.small import table
from tests.markets import market

if TYPE_CHECKING:
    from etsopt.checking.verdict import Violation

UNITS = pd.DataFrame(
    {
        "unit_id": ["u0", "u1", "u2"],
        "enterprise_id": ["e", "e", "f"],
        "sector": ["cement", "steel", "cement"],
    }
)


def units_alone(**policy: Any) -> InstanceInputs:
    """The units, and of a policy these sections alone."""
    stated: Any = SimpleNamespace(**policy)
    return InstanceInputs(units=UNITS, policy=stated)


@cache
def instance_of(opening: tuple[float, float] = (30.0, 7.0), terminal_price: float = 30.0) -> InstanceInputs:
    """The units under a policy of two years, with what each enterprise holds at the start."""
    units = {name: UNITS[name].tolist() for name in ("enterprise_id", "sector")}
    enterprises = pd.DataFrame({"enterprise_id": ["e", "f"], "opening_2025_t": opening})
    made = market(
        units | {"emissions_tco2e": [100.0, 60.0, 40.0], "reference_t": [70.0, 60.0, 50.0]},
        horizon={"last_year": 2026},
        market={"terminal_price_cny_per_t": terminal_price},
        enterprises=enterprises,
    )
    return InstanceInputs.of(made)


def baseline_of(**changes: Any) -> Baseline:
    """Two years of lump sums, of which the second counts half."""
    made = Baseline(
        years=np.array([2025, 2026]),
        discount=np.array([1.0, 0.5]),
        base_output=np.array([10.0, 20.0, 4.0]),
        in_tonnes=np.ones(3, dtype=bool),
        output=table((10, 10), (20, 20), (4, 4)),
        emissions=table((100, 80), (60, 60), (40, 40)),
        intensity=table((10, 8), (3, 3), (10, 10)),
        measured_output=table((10, 10), (20, 20), (4, 4)),
        given=table((70, 90), (60, 50), (50, 44)),
        paid_share=np.zeros(2),
        follows=np.zeros((3, 2), dtype=bool),
        follows_output=np.zeros(2, dtype=bool),
        slope=np.array([0.5, 0.5]),
        cap=np.array([0.25, 0.25]),
        balance_value=table((8, 8), (4, 4), (np.nan, np.nan)),
    )
    return replace(made, **changes)


def choices_of(*code: Sequence[int], base_year: int = 2025, **parts: Any) -> Choices:
    """Measures a, b and c by their codes in the slots of each unit, which do nothing unless they are said to."""
    shape = np.shape(code)
    nothing, one = np.zeros(shape), np.ones(shape)
    made = Choices(
        names=np.array(["a", "b", "c", "output_cut"], dtype=object),
        code=np.array(code),
        step=np.ones(shape, dtype=np.int64),
        steps=np.ones(shape, dtype=np.int64),
        alone=nothing,
        left=one,
        intensity_left=one,
        output_left=one,
        fixed=nothing,
        variable=nothing,
        growth=one,
        first_year=np.zeros(shape, dtype=np.int64),
        group=np.full(shape, -1),
        stops=np.zeros(shape, dtype=bool),
        required=np.full((*shape, 1), -2),
        base_year=base_year,
    )
    changed: dict[str, Any] = {name: np.array(values) for name, values in parts.items()}
    return replace(made, **changed)


def states_of(price: Sequence[Sequence[float]], probability: Sequence[float]) -> States:
    """Scenarios a, b, ... of the price alone."""
    names = tuple("abcdef"[: len(probability)])
    return States(names, np.array(probability), np.array(price), np.ones((len(names), 3, 2, np.shape(price)[1])))


def objective_of(probability: Sequence[float], tail: float = 1.0, weight: float = 0.0) -> Objective:
    return Objective(np.array(probability), tail, weight)


def costs_of(
    units: Sequence[int],
    cost: Any,
    investment: Any,
    size: Any = None,
    at_mean: Any = None,
    groups: tuple[SlotGroup, ...] = (),
) -> SetCosts:
    """Costs of the sets of some units, shape ``(scenarios, sets, units)``."""
    made = np.array(cost, dtype=float)
    sets: Any = SimpleNamespace(units=np.array(units), family=Family(groups))
    sizes = np.zeros((made.shape[0], made.shape[2])) if size is None else np.array(size, dtype=float)
    mean = made.mean(axis=0) if at_mean is None else np.array(at_mean, dtype=float)
    return SetCosts(sets, made, mean, np.array(investment, dtype=float), sizes)


def told(violations: Iterable[Violation]) -> list[tuple[str, str, Any]]:
    """Rule, place and amount of each violation."""
    return [(violation.rule, violation.where, violation.amount) for violation in violations]
