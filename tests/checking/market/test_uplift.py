"""Who would rather have another plan at the prices: an uplift just inside and outside what it may be off."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market.plans import Amounts
from etsopt.checking.market.uplift import uplift_follows
from tests.checking.market.small import market_of, table

INSTANCE: Any = SimpleNamespace(units=pd.DataFrame({"unit_id": ["u", "v", "w"]}))
NEED, EMITTED = table((50, 40), (30, 20)), table((-2, 1), (3, 0))
EMISSIONS, FREE, COST = (
    table((70, 80), (240, 220), (50, 0)),
    table((60, 70), (230, 220), (33, 2)),
    table((10, 20), (-30, 40), (5, 0)),
)
SPENT = [
    10 + 16 + 50 * 10 + 40 * 10 - 2 * 70 + 80,
    -30 + 32 + 50 * 10 - 2 * 240 + 220,
    5 + 30 * 17 - 20 * 2 + 3 * 50,
]
SIZES = [26 + 50 * 130 + 40 * 150, 62 + 50 * 470 + 40 * 440, 5 + 30 * 83 + 20 * 2]


def found(stated: list[float], *, whole: bool = True, table_: Any = None, scale: float = 1.0) -> list[str]:
    at: Any = SimpleNamespace(
        market=market_of(),
        demand_dual=scale * NEED,
        emission_dual=scale * EMITTED,
        plans=scale * np.array([900.0, 200.0, 600.0]),
    )
    units = Amounts(EMISSIONS, FREE, scale * COST, COST, COST)
    if table_ is None:
        table_ = pd.DataFrame({"unit_id": ["w", "u", "v"], "uplift_cny": [stated[2], stated[0], stated[1]]})
    broken = uplift_follows(INSTANCE, units, at, table_, whole)
    assert all(violation.amount == 1.0 for violation in broken if violation.unit != "CNY")
    return [f"{violation.where} {violation.unit}".strip() for violation in broken]


UPLIFTS = [SPENT[0] - 900.0, SPENT[1] - 200.0, SPENT[2] - 600.0]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_an_uplift_is_what_a_plan_costs_more_than_the_best(place: int, scale: float) -> None:
    stated = [scale * uplift for uplift in UPLIFTS]
    assert found(stated, scale=scale) == []
    tolerance = 2.0 + 1e-8 * scale * SIZES[place]
    for by, broken in (
        (0.9999, []),
        (-0.9999, []),
        (1.0001, [f"{'uvw'[place]} CNY"]),
        (-1.0001, [f"{'uvw'[place]} CNY"]),
    ):
        changed = list(stated)
        changed[place] += by * tolerance
        assert found(changed, scale=scale) == broken


def test_a_unit_that_is_not_named_has_none_and_the_first_wrong_one_is_told() -> None:
    table_ = pd.DataFrame({"unit_id": ["v"], "uplift_cny": [UPLIFTS[1]]})
    assert found([], table_=table_) == ["u CNY"]
    few = pd.DataFrame({"unit_id": ["u", "w"], "uplift_cny": [UPLIFTS[0], UPLIFTS[2]]})
    assert found([], table_=few) == ["v CNY"]


def test_the_table_is_there_where_plans_are_whole_and_has_a_row_for_a_unit_once() -> None:
    right = pd.DataFrame({"unit_id": ["u", "v", "w"], "uplift_cny": UPLIFTS})
    assert found([], table_=right) == []
    assert found([], table_=right, whole=False) == ["tables"]
    for wrong, message in (
        (right.rename(columns={"uplift_cny": "x"}), "tables"),
        (right.assign(more=1.0), "tables"),
        (right.assign(uplift_cny="x"), "uplift.uplift_cny columns"),
        (right.assign(unit_id=1.0), "uplift.unit_id columns"),
        (right.assign(unit_id=["u", "v", "x"]), "rows"),
        (right.assign(unit_id=["u", "v", "v"]), "rows"),
    ):
        assert found([], table_=wrong) == [message]
    at: Any = SimpleNamespace()
    nothing = Amounts(COST, COST, COST, COST, COST)
    (missing,) = uplift_follows(INSTANCE, nothing, at, None, True)
    assert (missing.amount, missing.unit) == (1.0, "tables")
    assert uplift_follows(INSTANCE, nothing, at, None, False) == []
