"""References of power beside industry: each unit by the plan of its own sector."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation import statements
from etsopt.checking.readings.instance_inputs import InstanceInputs

UNITS = pd.DataFrame(
    {
        "unit_id": ["c", "p"],
        "enterprise_id": ["c", "p"],
        "sector": ["cement", "power"],
        "province": "Hebei",
        "emissions_tco2e": [5e4, 8e4],
        "output_t": [6e4, np.nan],
        "unit_class": ["", "I"],
        "capacity_mw": [np.nan, 600.0],
        "generation_mwh": [np.nan, 1e5],
        "load_factor": [np.nan, 0.9],
    }
)
INSTANCE = etsopt.Instance.from_frames(UNITS, {"year": 2025, "rule": {"name": "cn"}})
# At a balance value one sixth above its intensity a line would have 2.1 % more; power has 0.7902 t/MWh.
SECTORS = pd.DataFrame({"sector": ["cement", "power"], "balance_value": [5 / 6 * 7 / 6, np.nan]})
FREE = np.zeros(2, dtype=bool)


def test_references_of_power_and_of_industry_follow_their_own_plans() -> None:
    found = statements.before_rounding(InstanceInputs.of(INSTANCE), SECTORS, FREE)
    assert found == pytest.approx([5e4 * (1 + 0.15 / 7), 79_020.0], rel=1e-12)
    assert statements.before_rounding(InstanceInputs.of(INSTANCE), SECTORS, ~FREE).tolist() == [5e4, 8e4]


def test_a_wrong_reference_is_one_that_does_not_follow_the_rule() -> None:
    table = pd.DataFrame({"unit_id": ["c", "p"], "reference_t": [51_071.0, 79_020.0]})
    assert statements.reference_follows_rule(InstanceInputs.of(INSTANCE), table, SECTORS, FREE) == []
    (violation,) = statements.reference_follows_rule(
        InstanceInputs.of(INSTANCE), table.assign(reference_t=[51_071.0, 79_025.0]), SECTORS, FREE
    )
    assert (violation.where, violation.amount, violation.unit) == ("p", 5.0, "t")
    assert violation.message == "reference allowances follow the rule"
    # A sector without a balance value has no reference that could be right, and its units are named as such.
    without = statements.reference_follows_rule(
        InstanceInputs.of(INSTANCE), table, SECTORS.assign(balance_value=np.nan), FREE
    )
    assert [violation.message for violation in without] == ["the checker has no derivation of the rule cn"]
