"""Requirements of a plan of reviews: enterprises with their places, days, least numbers, and draws."""

from __future__ import annotations

import hashlib
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.review_plan import required as module
from etsopt.checking.review_plan.required import LEVELS, _at_least, _drawn, required_of
from tests.review_plans import by_hand, instance_of

MUNICIPAL, PROVINCIAL, NATIONAL = LEVELS


def test_days_are_rounded_to_six_decimals() -> None:
    days = required_of(InstanceInputs.of(by_hand({"days_per_review": 2.0, "provincial": {"effort": 1 / 3}}))).days
    assert days[PROVINCIAL].tolist() == [0.666667] * 4
    assert days[MUNICIPAL].tolist() == days[NATIONAL].tolist() == [2.0] * 4


@pytest.mark.parametrize(
    ("number", "share", "population", "least"),
    [
        (0, 0.0, 4, 0),
        (3, 0.0, 4, 3),
        (5, 0.0, 4, 4),
        (0, 0.3, 4, 2),
        (0, 0.5, 4, 2),
        (3, 0.3, 4, 3),
        (0, 0.7, 4, 3),
        (0, 1.0, 4, 4),
        # Within a billionth of a whole number by rounding.
        (0, 0.5 + 0.2e-9, 4, 2),
        (0, 0.5 - 0.2e-9, 4, 2),
        (0, 0.5 + 0.4e-9, 4, 3),
    ],
)
def test_a_least_share_is_rounded_up_and_no_more_than_all(
    number: int, share: float, population: int, least: int
) -> None:
    assert _at_least(number, share, population) == least


def test_least_numbers_and_limits_are_those_of_each_group() -> None:
    plan: dict[str, Any] = {
        "municipal": {"days": 7.0, "travel_days": 0.25},
        "provincial": {"days": {"Gansu": 3.0}, "least": 2, "travel_days": 0.5},
        "national": {"least_share": 0.6, "drawn": 1, "travel_days": 0.75},
    }
    required = required_of(InstanceInputs.of(by_hand(plan)))
    groups = required.groups.fillna(-1.0)
    assert groups.index.tolist() == [
        (MUNICIPAL, "Fujian"),
        (MUNICIPAL, "Gansu"),
        (PROVINCIAL, "Fujian"),
        (PROVINCIAL, "Gansu"),
        (NATIONAL, ""),
    ]
    assert groups["available"].tolist() == [7.0, 7.0, -1.0, 3.0, -1.0]
    assert groups["least"].tolist() == [3, 1, 2, 1, 3]
    assert groups["population"].tolist() == [3, 1, 3, 1, 4]
    assert required.travel == {MUNICIPAL: 0.25, PROVINCIAL: 0.5, NATIONAL: 0.75}
    assert required.drawn.sum().tolist() == [4, 0, 1]
    assert required.members(PROVINCIAL, "Fujian").tolist() == ["a", "b", "c"]
    assert required.members(MUNICIPAL, "Gansu").tolist() == ["d"]
    assert required.members(NATIONAL, "").tolist() == ["a", "b", "c", "d"]


def test_an_enterprise_without_figures_of_its_own_has_those_of_its_units() -> None:
    units = pd.DataFrame(
        {
            "unit_id": ["u1", "u2", "u3", "u4"],
            "enterprise_id": ["b", "a", "a", "b"],
            "sector": "cement",
            "province": ["Hainan", "Fujian", "Gansu", "Hainan"],
            "emissions_tco2e": [5.0, 10.0, 20.0, 2.0],
        }
    )
    policy = {"year": 2025, "rule": {"name": "cn-2024"}, "review_plan": {"days_per_review": 1.5}}
    alone = required_of(InstanceInputs.of(etsopt.Instance.from_frames(units, policy))).enterprises
    assert alone.index.tolist() == ["a", "b"]
    assert alone["size"].tolist() == alone["at_risk"].tolist() == [30.0, 7.0]
    # The seat of a is where its largest unit is.
    assert alone["province"].tolist() == ["Gansu", "Hainan"]
    assert alone["place"].tolist() == [("Gansu", "", "a"), ("Hainan", "", "b")]
    assert alone["days"].tolist() == [1.5, 1.5]
    assert alone["name"].tolist() == ["", ""]
    own = pd.DataFrame(
        {
            "enterprise_id": ["a", "b"],
            "name": ["A", None],
            "province": [None, "Anhui"],
            "city": ["X", None],
            "at_risk_tco2e": [np.nan, 4.0],
            "review_days": [3.0, np.nan],
        }
    )
    stated = required_of(InstanceInputs.of(etsopt.Instance.from_frames(units, policy, enterprises=own))).enterprises
    assert stated["name"].tolist() == ["A", ""]
    assert stated["place"].tolist() == [("Gansu", "X", ""), ("Anhui", "", "b")]
    assert stated["at_risk"].tolist() == [30.0, 4.0]
    assert stated["days"].tolist() == [3.0, 1.5]


@pytest.mark.parametrize("drawn_by", ["size", "equal"])
def test_the_first_52_bits_of_a_hash_draw_by_weight(drawn_by: str) -> None:
    rows = pd.DataFrame({"enterprise_id": list("abcdef"), "province": "Fujian", "at_risk_tco2e": [1, 9, 3, 0, 7, 2]})
    instance = instance_of(rows, {"seed": 7, "drawn_by": drawn_by, "national": {"drawn": 3}})
    ranks = {}
    for name, size in zip(rows["enterprise_id"], rows["at_risk_tco2e"], strict=True):
        bits = int.from_bytes(hashlib.sha256(f"7 national {name}".encode()).digest()[:8], "big") >> 12
        weight = float(size) if drawn_by == "size" else 1.0
        # What has no size is drawn last.
        ranks[name] = -math.log((bits + 0.5) / 2**52) / weight if weight else math.inf
    members, order = required_of(InstanceInputs.of(instance)).enterprises, sorted(ranks, key=lambda name: ranks[name])
    assert _drawn(members, InstanceInputs.of(instance), NATIONAL, 6) == order
    assert _drawn(members, InstanceInputs.of(instance), NATIONAL, 3) == order[:3]


def test_a_hash_is_taken_as_the_middle_of_its_part_of_the_chances(monkeypatch: pytest.MonkeyPatch) -> None:
    # The least chance is half of 2^-52, whose logarithm is -36.74; that of one half is -0.69, over a weight of 0.019.
    codes = {"a": "0" * 64, "b": "8" + "0" * 63}
    monkeypatch.setattr(
        module,
        "hashlib",
        SimpleNamespace(sha256=lambda text: SimpleNamespace(hexdigest=lambda: codes[text[-1:].decode()])),
    )
    rows = pd.DataFrame({"enterprise_id": ["a", "b"], "province": "Fujian", "at_risk_tco2e": [1.0, 1.0]})
    instance = instance_of(rows, {"national": {"drawn": 1}})
    for weight, first in ((0.0191, "b"), (0.0187, "a")):
        assert _drawn(
            pd.DataFrame({"size": [1.0, weight]}, index=["a", "b"]), InstanceInputs.of(instance), NATIONAL, 1
        ) == [first]
