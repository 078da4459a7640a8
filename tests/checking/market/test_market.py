"""The check of a whole market names what is wrong with its plans, whatever else no longer fits then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import etsopt
from tests.markets import market

GROUP = {"exclusive_group": "g"}
MEASURES: list[dict[str, object]] = [
    {
        "measure_id": "one",
        "unit_id": "u0",
        "abatement_rate": 0.1,
        "variable_opex_cny_per_t": 1.0,
        "exclusive_group": "g",
    },
    {
        "measure_id": "two",
        "unit_id": "u0",
        "abatement_rate": 0.2,
        "variable_opex_cny_per_t": 9.0,
        "exclusive_group": "g",
    },
    {"measure_id": "late", "unit_id": "u0", "abatement_rate": 0.1, "variable_opex_cny_per_t": 2.0, "first_year": 2026},
    {"measure_id": "next", "unit_id": "u0", "abatement_rate": 0.1, "variable_opex_cny_per_t": 5.0, "requires": "late"},
]


@pytest.mark.parametrize(
    ("taken", "rule"),
    [
        ({"one": 2025, "two": 2025}, "exclusive_group"),
        ({"one": 2025, "late": 2025}, "first_year"),
        ({"one": 2025, "next": 2026}, "requires"),
    ],
)
def test_a_plan_that_no_unit_may_have_is_refused_by_its_rule(taken: dict[str, Any], rule: str) -> None:
    units = {"emissions_tco2e": [1e6], "reference_t": [0.95e6]}
    stated = {"horizon": {"last_year": 2026}, "penalty": {"reference_price_cny_per_t": 300.0}}
    instance = market(units, MEASURES, **stated)
    result = etsopt.solve(instance, "clearing")
    assert result.certified
    assert result.tables["plans"]["measure_id"].tolist() != list(taken)
    rows = result.tables["plans"].iloc[[0] * len(taken)].reset_index(drop=True)
    plans = rows.assign(measure_id=pd.Series(list(taken), dtype=object), start_year=list(taken.values()))
    forged = replace(result, tables={**result.tables, "plans": plans})
    assert rule in {violation.rule for violation in etsopt.check(instance, forged).violations}
