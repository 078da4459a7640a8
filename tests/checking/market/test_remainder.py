"""What the regulator offers for what rounding down took, unit by unit and year by year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market import remainder as of_remainder
from etsopt.checking.market.remainder import remainder
from etsopt.checking.readings.baseline import derive_baseline
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.markets import market

REFERENCE = [100.75, 200.5, 50.25]


def offered(
    allowance: list[float], left: tuple[float, float] = (99.0, 99.0), changes: Any = None, **policy: Any
) -> list[float]:
    """Whole allowances of two lines of cement and one of steel, whose references are not whole."""
    units: dict[str, Any] = {
        "emissions_tco2e": [100.0, 200.0, 50.0],
        "reference_t": REFERENCE,
        "sector": ["cement", "cement", "steel"],
    }
    instance = market(units, **({"horizon": {"last_year": 2026}} | policy))
    table = pd.DataFrame({"allowance_t": allowance})
    sectors = pd.DataFrame({"sector": ["cement", "steel"], "under_target_t": left})
    found = derive_baseline(InstanceInputs.of(instance), table)
    if changes is not None:
        found = changes(found)
    return remainder(InstanceInputs.of(instance), found, {"allocation": table, "sectors": sectors}).tolist()


@pytest.mark.parametrize(
    ("allowance", "known"),
    [
        # What a real allowance has beyond the rule is lost to nobody, and one below it counts for nothing.
        (REFERENCE, 0.0),
        ([100.75, 200.5, 51.0], 0.0),
    ],
)
def test_nothing_is_lost_where_allowances_are_those_of_the_rule(allowance: list[float], known: float) -> None:
    assert offered(allowance) == offered(allowance, (0.0, 0.0)) == [known, known]


def of_whole(
    allowance: list[float], left: tuple[float, float] = (99.0, 99.0), national: Any = None, factor: float = 1.0
) -> list[float]:
    """Under a benchmark of one lines are due as many tonnes as their output has, of which fractions are lost."""
    units: dict[str, Any] = {
        "emissions_tco2e": [1_000_000.0, 2_000_000.0, 500_000.0],
        "output_t": [1_000_500.75, 2_000_000.5, 500_000.25],
        "sector": ["cement", "cement", "steel"],
    }
    policy: dict[str, Any] = {"rule": {"name": "benchmark", "benchmarks": {"cement": 1.0, "steel": 1.0}}}
    if national is not None:
        policy["national"] = national
    instance = market(units, horizon={"last_year": 2026}, **policy)
    table = pd.DataFrame({"allowance_t": allowance})
    sectors = pd.DataFrame({"sector": ["cement", "steel"], "under_target_t": left})
    found = derive_baseline(InstanceInputs.of(instance), table)
    emissions = found.emissions * np.array([1.0, factor])
    changed = type(found)(**(vars(found) | {"emissions": emissions}))
    return remainder(InstanceInputs.of(instance), changed, {"allocation": table, "sectors": sectors}).tolist()


WHOLE = [1_000_500.0, 2_000_000.0, 500_000.0]


def test_what_was_lost_is_offered_rounded_up_and_no_tonne_more() -> None:
    # 0.75, 0.5 and 0.25 t.
    assert of_whole(WHOLE) == [2.0, 2.0]
    assert of_whole(WHOLE, factor=10.0) == [2.0, 15.0]
    assert of_whole(WHOLE, factor=0.01) == [2.0, 0.0]
    assert of_whole(WHOLE, factor=(2 + 0.9e-6) / 1.5) == [2.0, 2.0]
    assert of_whole(WHOLE, factor=(2 + 1.1e-6) / 1.5) == [2.0, 3.0]
    assert of_whole(WHOLE, factor=0.0199 / 1.5) == [2.0, 0.0]
    assert of_whole(WHOLE, factor=0.0201 / 1.5) == [2.0, 1.0]


def test_a_unit_counts_where_it_gets_no_less_than_the_rule_gives_and_what_it_gets_more_is_not_lost() -> None:
    below = [WHOLE[0] - 1, *WHOLE[1:]]
    assert of_whole(below) == [1.0, 1.0]
    assert of_whole([WHOLE[0] - 0.019, *WHOLE[1:]]) == [2.0, 2.0]
    assert of_whole([WHOLE[0] - 0.021, *WHOLE[1:]]) == [1.0, 1.0]
    above = [WHOLE[0] + 0.75, WHOLE[1] + 0.5, WHOLE[2]]
    assert of_whole(above, factor=4.0) == [1.0, 1.0]
    assert of_whole(above, factor=4.4) == [1.0, 2.0]
    assert of_whole([WHOLE[0] + 5.0, WHOLE[1] + 5.0, WHOLE[2] + 5.0]) == [0.0, 0.0]


def test_units_of_a_sector_count_no_more_than_its_target_leaves() -> None:
    assert of_whole(WHOLE, (1.25, 99.0), factor=10.0) == [2.0, 15.0]
    assert of_whole(WHOLE, (0.625, 99.0), factor=10.0) == [1.0, 9.0]
    assert of_whole(WHOLE, (0.0, 99.0), factor=10.0) == [1.0, 3.0]
    assert of_whole(WHOLE, (-5.0, 99.0), factor=10.0) == [1.0, 3.0]
    assert of_whole(WHOLE, (0.5, 0.0), factor=10.0) == [1.0, 5.0]


def test_all_units_count_no_more_than_the_nation_leaves() -> None:
    total = sum(WHOLE)
    for room, known in (
        (0.75, [1.0, 8.0]),
        (0.0, [0.0, 0.0]),
        (-3.0, [0.0, 0.0]),
        (99.0, [2.0, 15.0]),
        (1.5, [2.0, 15.0]),
    ):
        assert of_whole(WHOLE, national={"target_t": total + room}, factor=10.0) == known
        change = (total + room) / 3_500_000 - 1
        assert of_whole(WHOLE, national={"target_change": change}, factor=10.0)[1] == pytest.approx(known[1], abs=1.0)
    assert of_whole([part - 5 for part in WHOLE], national={"target_t": total}) == [0.0, 0.0]
    # Emissions are 500 t below the allowances, so a target of no change leaves no room.
    assert of_whole(WHOLE, national={"target_change": 0.0}, factor=10.0) == [0.0, 0.0]


def test_a_year_in_which_allowances_follow_emissions_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def follows(found: Any) -> Any:
        return type(found)(**(vars(found) | {"follows": np.array([[True, False]] * 3)}))

    assert offered([100.0, 200.0, 50.0], changes=follows) == [0.0, 0.0]
    monkeypatch.setattr(of_remainder, "before_rounding", lambda *_: np.array([5.9, 7.9, 9.9]))
    benchmark = {"name": "benchmark", "benchmarks": {"cement": 1.0, "steel": 1.0}}
    assert offered([5.0, 7.0, 9.0], rule=benchmark) == [3.0, 3.0]
    assert offered([5.0, 7.0, 9.0], changes=follows, rule=benchmark) == [0.0, 3.0]


@pytest.mark.parametrize(
    ("exact", "allowance", "lost"),
    [
        # An allowance of whole tonnes loses nothing, and counts for nothing if a tonne is missing.
        (5.0, 5.0, 0.0),
        (5.0, 4.0, 0.0),
        (5.5, 4.98, 0.5),
        # A millionth of a tonne is the least that a unit loses; less below a whole tonne is a whole tonne.
        (1e-6, 0.0, 1e-6),
        (7 + 1.5e-6, 7.0, 1.5e-6),
        (7 + 0.5e-6, 7.0, 0.0),
        (7 - 1.5e-6, 6.0, 1 - 1.5e-6),
        (7 - 0.5e-6, 6.0, 0.0),
    ],
)
def test_a_unit_loses_what_rounding_down_takes(
    exact: float, allowance: float, lost: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_remainder, "before_rounding", lambda *_: np.array([exact, 0.0, 0.0]))

    def millionfold(found: Any) -> Any:
        return type(found)(**(vars(found) | {"emissions": found.emissions * 1e6}))

    benchmark = {"name": "benchmark", "benchmarks": {"cement": 1.0, "steel": 1.0}}
    found = offered([allowance, 0.0, 0.0], changes=millionfold, rule=benchmark)
    assert found == [np.ceil(lost * 1e6 - 1e-6)] * 2


def test_a_unit_of_half_a_tonne_loses_as_well_and_the_least_total_that_is_offered_is_above_20_kg(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    units: dict[str, Any] = {"emissions_tco2e": [0.5, 0.0, 64.0], "output_t": [0.5, 1.0, 64.0], "sector": "cement"}
    policy: dict[str, Any] = {"rule": {"name": "benchmark", "benchmarks": {"cement": 1.0}}}
    instance = market(units, horizon={"last_year": 2025}, **policy)
    table = pd.DataFrame({"allowance_t": [0.0, 0.0, 0.0]})
    tables = {"allocation": table, "sectors": pd.DataFrame({"sector": ["cement"], "under_target_t": [99.0]})}
    found = derive_baseline(InstanceInputs.of(instance), table)
    for exact, offered_t in (([0.75, 0.0, 0.0], 1.0), ([0.0, 0.0, 2e-2], 0.0), ([0.0, 0.0, 2.01e-2], 1.0)):
        monkeypatch.setattr(of_remainder, "before_rounding", lambda *_, exact=exact: np.array(exact))
        assert remainder(InstanceInputs.of(instance), found, tables).tolist() == [offered_t]
