"""Ranges of one unit: by hand, against independent programs and all whole allocations, and where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.optimize import linprog

import etsopt
from etsopt.checking.allocation.near_optimal import NearOptimal
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.common.errors import UsageError
from etsopt.common.progress import watched
from etsopt.rules import reference_allowances
from etsopt.running import near_optimal
from tests import oracle, whole_oracle
from tests.builders import given, random_instance
from tests.models.test_allocation import small

if TYPE_CHECKING:
    from etsopt.presenting.explanation.near_optimal import NearOptimalRanges
    from etsopt.running.results.results import Results

SHARES = (0.0, 0.01, 0.05)


def ends(found: NearOptimalRanges) -> list[tuple[float, float]]:
    """Bounds of ranges of which each is reached."""
    assert all(one.reached for one in found.ranges), found
    return [(round(one.at_least_t, 3), round(one.at_most_t, 3)) for one in found.ranges]


def free_units(result: Results) -> list[int]:
    """Positions of the units that the allocation may move."""
    return np.flatnonzero(~reference_allowances(result.instance).fixed).tolist()


def near_change(result: Results) -> NearOptimal:
    """The allocations with the change of an answer."""
    return NearOptimal.of(InstanceInputs.of(result.instance), result.tables["allocation"], ["change"])


def test_the_ranges_of_tiny_are_those_worked_by_hand() -> None:
    """The change is at least 9,200 t: South has to gain 3,200 t, and the target then takes 6,000 t from North.

    - south-1 gets its 158,400 t. With 92 t more, half of them go up here, and half down in North.
    - North gives up 6,000 t in all, in whatever parts: north-1 has at most R = 103,000 t, and at least the lower end of
      its band, 97,000 t, where north-2 has its R. A tonne more to north-1 than R costs two. But that is its band's end.
    - north-2 gives up all 6,000 t at least: 295,800 t. With 92 t more it gives up 92 t that nobody else gets.
    """
    result = etsopt.solve(etsopt.read("tiny"))
    north, other, south = (result.near_optimal(name) for name in ("north-1", "north-2", "south-1"))
    assert ends(north) == [(97_000, 103_000)] * 3
    assert ends(other) == [(295_800, 301_800), (295_708, 301_800), (295_340, 301_800)]
    assert ends(south) == [(158_400, 158_400), (158_400, 158_446), (158_400, 158_630)]
    assert (north.settled, other.settled, south.settled) == (False, False, True)
    assert list(north.table["within_rate"]) == [*SHARES]


def test_two_units_share_what_a_target_takes() -> None:
    """Both are at their references, 100 t above the target: each gives up from 0 to 100 t with the least change.

    At 1 % more, 101 t of change, one gives up 101 t, or gains half a tonne while the other gives up 100.5 t.
    """
    rows = [("a", "a", "cement", "N", 1000.0, 1000.0), ("b", "b", "cement", "N", 1000.0, 1000.0)]
    policy = {"sectors": {"cement": {"band": 0.2, "target_t": 1900.0}}}
    result = etsopt.solve(given(rows, policy))
    assert ends(result.near_optimal("a")) == [(900, 1000), (899, 1000.5), (895, 1002.5)]


def by_linear_program(instance: etsopt.Instance, order: list[str], share: float, unit: int) -> tuple[float, float]:
    """The least and the greatest allowance, by scipy over rows that are written down apart from the package."""
    held, size = oracle.limits_of(instance), float(instance.emissions_tco2e.max())
    for name in order:
        value = oracle.least(instance, held, name) * (1 + (share if name == order[-1] else 0.0))
        oracle.hold(instance, held, name, value + 1e-3 * (1.0 if name in ("change", "deficit") else 1 / size))
    found = []
    for sign in (1.0, -1.0):
        cost = sign * np.eye(len(instance.units))[unit]
        exact = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
        solution = linprog(cost, held.matrix, held.limit / size, bounds=(None, None), method="highs-ds", options=exact)
        assert solution.status == 0, solution.message
        found.append(sign * solution.fun * size)
    return found[0], found[1]


@pytest.mark.everyday("['deficit', 'change']-enterprise-False")
@pytest.mark.parametrize(
    ("order", "band_on", "fair"),
    [
        (["change", "largest_change"], "unit", False),
        (["deficit", "change"], "enterprise", False),
        (["largest_change", "change"], "unit", False),
        (["spread"], "unit", False),
        (["change"], "unit", True),
    ],
    ids=str,
)
def test_ranges_are_those_of_an_independent_program(order: list[str], band_on: str, fair: bool) -> None:
    kept = order[: order.index("change") + 1] if "change" in order else order
    compared = 0
    for seed in range(4):
        instance = small(seed, objectives=order, band_on=band_on, intensity_order=fair)
        result = etsopt.solve(instance)
        for unit in (seed, 7 - seed):
            found = result.near_optimal(f"u{unit:03d}")
            for share, own in zip(SHARES, ends(found), strict=True):
                assert own == pytest.approx(by_linear_program(instance, kept, share, unit), abs=0.1)
                compared += 1
    assert compared == 24


@pytest.mark.everyday("['deficit', 'change']-0")
@pytest.mark.parametrize(
    ("order", "exceptions"), [(["change"], 0), (["deficit", "change"], 0), (["change"], 1)], ids=str
)
def test_whole_tonnes_are_those_of_all_whole_allocations(order: list[str], exceptions: int) -> None:
    compared = 0
    for seed in range(12):
        instance = whole_oracle.tiny_instance(seed, order, exceptions)
        answer = whole_oracle.answer(instance)
        if answer is None:
            continue
        result = etsopt.solve(instance)
        points = whole_oracle.every_allocation(instance, answer.exceptions)
        for name in order[:-1]:
            value = whole_oracle.level_at(instance, name, points)
            points = points[value <= value.min() + 1e-9]
        change = whole_oracle.level_at(instance, "change", points)
        for share, own in zip(SHARES, ends(result.near_optimal("u0")), strict=True):
            near = points[change <= change.min() * (1 + share) + 1e-9][:, 0]
            assert own == (near.min(), near.max())
            compared += 1
    assert compared >= 15


WAYS: list[dict[str, Any]] = [
    {"band_on": "enterprise"},
    {"integer_allowances": True, "objectives": ["largest_change", "change"]},
    {"integer_allowances": True, "intensity_order": True},
    {"exceptions": {"units": 3, "lower": 0.05, "upper": 0.05}},
]


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_ranges_contain_the_answer_and_each_other_and_are_reached(way: dict[str, Any]) -> None:
    changes = {"sectors.cement.band.lower": 0.01, "sectors.cement.target_change": -0.009} if "exceptions" in way else {}
    for seed in range(2):
        result = etsopt.solve(random_instance(seed, 14, **way).with_policy(changes))
        assert result.certified
        rounded = bool(way.get("intensity_order"))
        column = "before_rounding_t" if rounded else "allowance_t"
        for unit in free_units(result)[:3]:
            row = result.tables["allocation"].iloc[unit]
            found = result.near_optimal(str(row["unit_id"]))
            assert found.allowance_t == row[column]
            assert (found.before_rounding, found.exceptions) == (rounded, "exceptions" in way)
            least, most = zip(*ends(found), strict=True)
            assert list(least) == sorted(least, reverse=True)
            assert list(most) == sorted(most)
            assert least[0] - 1e-3 <= row[column] <= most[0] + 1e-3


def test_a_stopped_search_states_the_band_and_that_it_is_not_reached() -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    with watched(1e-9, None):
        found = result.near_optimal("north-2")
    assert [(one.at_least_t, one.at_most_t) for one in found.ranges] == [(291_000, 309_000)] * 3
    assert {(one.least_found_t, one.greatest_found_t) for one in found.ranges} == {(297_300, 297_300)}
    assert not any(one.reached for one in found.ranges)
    assert found.settled is None


def test_a_run_without_ranges_is_refused_by_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = etsopt.read("tiny")
    result = etsopt.solve(tiny)
    with pytest.raises(UsageError, match="Only a run of the model allocation"):
        etsopt.solve(tiny, "balance_value").near_optimal("north-1")
    with pytest.raises(UsageError, match="with an objective"):
        etsopt.solve(tiny.with_policy({"allocation.objectives": []})).near_optimal("north-1")
    allocation = result.tables["allocation"].assign(allowance_t=[103_000.0, 295_800.0, 158_400.0])
    forged = replace(result, tables={**result.tables, "allocation": allocation})
    with pytest.raises(UsageError, match="does not pass its check"):
        forged.near_optimal("north-1")
    fixed = etsopt.solve(given([("a", "a", "cement", "N", 9.0, 9.0)], {}, special_case=["new"]))
    with pytest.raises(UsageError, match="set by the rule alone"):
        fixed.near_optimal("a")
    verdict = etsopt.check(tiny, result)
    open_levels = tuple(replace(level, gap=np.inf) for level in verdict.levels)
    with monkeypatch.context() as patched:
        patched.setattr(near_optimal, "check", lambda *_given: replace(verdict, levels=open_levels))
        with pytest.raises(UsageError, match="It is not proven that the run has the least change"):
            result.near_optimal("north-1")
    monkeypatch.setattr(near_optimal, "UNITS_MAX", 2)
    with pytest.raises(UsageError, match="The run has 3 units: ranges are searched up to 2"):
        result.near_optimal("north-1")


def test_an_allocation_is_near_optimal_only_if_it_keeps_limits_and_objectives() -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    near = near_change(result)
    assert near.holds(near.answer)
    # As good as the answer, but not its tie-break; then 4 t more of change, beyond a limit, and no number.
    assert near.holds(near.answer + np.array([-1000.0, 1000.0, 0.0]))
    farther = near.answer - np.array([4.0, 0.0, 0.0])
    assert not near.holds(farther)
    assert near.within("change", 0.01).holds(farther)
    assert not near.holds(near.answer + np.array([1.0, 0.0, 0.0]))
    assert not near.holds(near.answer * np.nan)


@pytest.mark.everyday("1.0-0")
@pytest.mark.parametrize("unit", [0, 1, 2])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_false_multipliers_and_points_only_widen_a_range(unit: int, sign: float) -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    near = NearOptimal.of(InstanceInputs.of(result.instance), result.tables["allocation"], ["change"]).within(
        "change", 0.01
    )
    one = result.near_optimal(result.tables["allocation"]["unit_id"][unit]).ranges[1]
    true = one.at_least_t if sign > 0 else one.at_most_t
    random, wider = np.random.default_rng(unit), 0
    end = float((near.bounds.lower if sign > 0 else near.bounds.upper)[unit])
    for _number in range(300):
        dual = np.round(random.normal(0, 1, len(near.demands.rows)), 1)
        point = near.answer + random.choice([0.0, 1.0, 1000.0]) * random.normal(0, 1, 3)
        bound = near.bound(unit, sign, point, dual, {"change": float(np.round(random.normal(0.5, 1), 1))})
        assert sign * bound <= sign * true + 1e-6
        assert sign * bound >= sign * end
        wider += sign * bound < sign * true - 1.0
    assert wider or true == end
    for wrong in (np.nan, np.inf):
        dual = np.full(len(near.demands.rows), wrong)
        assert near.bound(unit, sign, near.answer, dual, {"change": wrong}) == end
    assert near.bound(unit, sign, near.answer * np.nan, np.zeros(len(dual)), {}) == end
