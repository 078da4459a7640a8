"""Plans that are read from their table, whether they may be chosen, and what they come to, by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.market import plans as of_plans
from etsopt.checking.market.plans import (
    Amounts,
    SelectedPlans,
    amounts,
    of_measures,
    of_units,
    plans_are_admissible,
    read_plans,
)
from etsopt.checking.tolerances import SHARE_EXCESS
from tests.checking.market.small import baseline_of, choices_of, table

PRICE = np.array([50.0, 60.0])


def instance(divisible: bool = True) -> Any:
    return SimpleNamespace(
        units=pd.DataFrame({"unit_id": ["u", "v", "w"], "sector": ["steel", "cement", "cement"]}),
        policy=SimpleNamespace(abatement=SimpleNamespace(divisible_measures=divisible)),
    )


def rows_of(*rows: tuple[str, int, float, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["unit_id", "plan", "share", "measure_id", "start_year"])


RIGHT = (
    ("u", 0, 0.5, "a", 2025),
    ("u", 0, 0.5, "b", 2026),
    ("v", 0, 0.25, "a", 2026),
    ("v", 1, 0.75, "c", 2025),
)


def running(starts: Any) -> np.ndarray:
    """Years in which measures run that start in some of two years, and never stop."""
    return np.asarray(np.array(starts)[:, :, None] <= np.arange(2))


def test_plans_are_read_with_their_shares_and_starts() -> None:
    taken, broken = read_plans(instance(), baseline_of(), choices_of(), rows_of(*RIGHT))
    assert broken == []
    assert taken is not None
    assert taken.unit.tolist() == [0, 1, 1]
    assert taken.share.tolist() == [0.5, 0.25, 0.75]
    assert taken.runs.tolist() == running([[0, 1], [1, 2], [2, 0]]).tolist()
    assert plans_are_admissible(instance(), baseline_of(), choices_of(), taken) == []
    none, broken = read_plans(instance(), baseline_of(), choices_of(), rows_of())
    assert (broken, none is not None and len(none.unit)) == ([], 0)


def test_shares_that_add_up_to_one_but_for_rounding_are_parts_of_their_sum() -> None:
    for beyond, parts in ((0.0, 1.0), (0.9e-8, 1 + 0.9e-8), (1.1e-8, 1.0), (-0.25, 1.0)):
        rows = rows_of(("v", 0, 0.25, "a", 2026), ("v", 1, 0.75 + beyond, "c", 2025))
        taken, _ = read_plans(instance(), baseline_of(), choices_of(), rows)
        assert taken is not None
        assert taken.share == pytest.approx([0.25 / parts, (0.75 + beyond) / parts], rel=1e-15)
    assert SHARE_EXCESS == 1e-8


def test_shares_may_exceed_one_by_their_tolerance_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_plans, "SHARE_EXCESS", 2.0**-20)
    for beyond, within in ((2.0**-20, True), (2.0**-19, False)):
        rows = rows_of(("v", 0, 0.25, "a", 2026), ("v", 1, 0.75 + beyond, "c", 2025))
        taken, _ = read_plans(instance(), baseline_of(), choices_of(), rows)
        assert taken is not None
        assert taken.share[0] == (0.25 / (1 + beyond) if within else 0.25)
        read = SelectedPlans(taken.unit, np.array([0.25, 0.75 + beyond]), taken.runs)
        broken = plans_are_admissible(instance(), baseline_of(), choices_of(), read)
        assert [violation.rule for violation in broken] == ([] if within else ["shares"] * 2)


@pytest.mark.parametrize(
    ("row", "rules"),
    [
        (("x", 0, 1.0, "a", 2025), ["plans_are_known"]),
        (("w", 0, 1.0, "a", 2025), ["measures_are_on_offer"]),
        (("u", 0, 0.5, "c", 2025), ["measures_are_on_offer"]),
        (("u", 1, 0.5, "nothing", 2025), ["measures_are_on_offer"]),
        (("u", 1, 0.5, "a", 2024), ["plans_are_known"]),
        (("u", 1, 0.5, "a", 2027), ["plans_are_known"]),
        (("u", 0, 0.5, "a", 2025), ["plans_are_known"]),
        (("u", 0, 0.5, "b", 2025), ["plans_are_known"]),
        (("u", 0, 0.4, "a", 2025), ["plans_are_known", "plans_are_known"]),
        (("u", 2, 0.5, "a", 2025), ["plans_are_known"]),
        (("v", 3, 0.5, "a", 2025), ["plans_are_known"]),
    ],
)
def test_a_row_is_of_a_unit_a_measure_and_a_year_and_plans_are_numbered(row: Any, rules: list[str]) -> None:
    taken, broken = read_plans(instance(), baseline_of(), choices_of(), rows_of(*RIGHT, row))
    assert taken is None
    assert [violation.rule for violation in broken] == rules
    assert {(violation.where, violation.amount) for violation in broken} == {(row[0], 1.0)}


def taken_of(*plans: tuple[int, float, tuple[int, int]]) -> SelectedPlans:
    units, shares, starts = zip(*plans, strict=True)
    return SelectedPlans(np.array(units), np.array(shares), running(starts))


@pytest.mark.parametrize(
    ("plan", "changes", "divisible", "rules"),
    [
        ((0, 1.0, (0, 1)), {}, False, []),
        ((0, 1.0, (0, 0)), {}, False, ["first_year"]),
        ((0, 1.0, (2, 2)), {"first_year": np.full((3, 2), 2099)}, False, []),
        ((0, 1.0, (2, 1)), {}, False, ["requires"]),
        ((0, 1.0, (1, 0)), {"first_year": np.zeros((3, 2))}, False, ["requires"]),
        ((0, 1.0, (1, 1)), {}, False, []),
        ((0, 1.0, (0, 1)), {"required": np.array([[[-2], [-1]]] * 3)}, False, ["requires"]),
        ((0, 1.0, (0, 2)), {"required": np.array([[[-2], [-1]]] * 3)}, False, []),
        ((0, 1.0, (0, 1)), {"required": np.array([[[-2], [7]]] * 3)}, False, ["requires"]),
        ((0, 1.0, (1, 2)), {"required": np.array([[[0], [0]]] * 3)}, False, []),
        ((0, 1.0, (1, 1)), {"required": np.array([[[1], [-2]]] * 3), "first_year": np.zeros((3, 2))}, False, []),
        ((1, 1.0, (0, 1)), {}, False, ["exclusive_group"]),
        ((1, 1.0, (0, 2)), {}, False, []),
        ((1, 1.0, (2, 1)), {}, False, []),
        ((1, 1.0, (0, 1)), {"group": np.array([[0, 0]] * 3)}, False, ["exclusive_group"]),
        ((1, 1.0, (0, 1)), {"group": np.array([[0, 1]] * 3)}, False, []),
        ((1, 1.0, (0, 1)), {"group": np.array([[-1, -1]] * 3)}, False, []),
        ((1, 0.5, (0, 2)), {}, False, ["shares"]),
        ((1, 0.5, (0, 2)), {}, True, []),
        ((1, 0.0, (0, 2)), {}, True, ["shares"]),
        ((1, -0.5, (0, 2)), {}, True, ["shares"]),
        ((1, 1 + 0.9e-8, (0, 2)), {}, True, []),
        ((1, 1 + 1.1e-8, (0, 2)), {}, True, ["shares"]),
        ((1, 1 + 1e-7, (0, 2)), {}, False, ["shares", "shares"]),
    ],
)
def test_a_plan_keeps_first_years_groups_requirements_and_shares(
    plan: Any, changes: Any, divisible: bool, rules: list[str]
) -> None:
    found = plans_are_admissible(instance(divisible), baseline_of(), choices_of(**changes), taken_of(plan))
    assert [violation.rule for violation in found] == rules
    assert {(violation.where, violation.amount) for violation in found} <= {("uvw"[plan[0]], 1.0)}


def test_a_measure_of_a_group_excludes_those_of_its_own_unit_alone() -> None:
    """The first unit has no group, so its measures may run together."""
    taken = taken_of((0, 1.0, (0, 1)), (1, 1.0, (0, 1)))
    broken = plans_are_admissible(instance(), baseline_of(), choices_of(), taken)
    assert [(violation.rule, violation.where) for violation in broken] == [("exclusive_group", "v")]


def free(unit: int, year: int, emissions: float, kept: float) -> float:
    """Allowances of a unit: a lump in the first year, by its intensity in the second."""
    found = baseline_of()
    if year == 0:
        return float(found.given[unit, 0] * 0.75)
    rate = 0.0 if unit == 2 else max(-0.2, min(0.2, 0.5 * (1 - found.intensity[unit, 1] * kept)))
    return emissions * (1 + rate) * 0.875


def test_a_plan_comes_to_what_its_measures_leave_and_cost() -> None:
    found, offered = baseline_of(), choices_of(left=table((0.9, 0.8), (0.75, 0.5), (1, 1)))
    unit, start = np.array([0, 1, 2, 0]), np.array([[0, 1], [2, 1], [2, 2], [2, 2]])
    own = amounts(found, offered, unit, running(start), PRICE)
    emissions: Any = [[72, 88 * 0.72], [240, 114], [50, 0], [80, 88]]
    kept: Any = [[0.95, 0.95 * 0.85], [1, 0.6], [1, 1], [1, 1]]
    assert own.emissions == pytest.approx(np.array(emissions))
    for k, one in enumerate(unit):
        for year in range(2):
            known = free(int(one), year, emissions[k][year], kept[k][year])
            assert own.free[k, year] == pytest.approx(known)
    cost = [[100 + 2 * 100, 100 + 300 + 5 * 110], [0, 900 - 4 * 190], [0, 0], [0, 0]]
    assert own.cost.tolist() == cost
    # In the first year a tonne less is worth the price; in the second one loses allowances by it.
    assert own.incentive_measured[:, 0].tolist() == own.incentive_elsewhere[:, 0].tolist() == [50.0] * 4
    for k, one in enumerate(unit):
        wanted = 0.5 * (1 - found.intensity[one, 1] * kept[k][1])
        rate = 0.0 if one == 2 else float(np.clip(wanted, -0.2, 0.2))
        assert own.incentive_elsewhere[k, 1] == pytest.approx(60 * (1 - 0.875 * (1 + rate)))
        slack = 0.0
        if one != 2 and abs(wanted) < 0.2:
            slack = 0.5 * emissions[k][1] / found.measured_output[one, 1]
        assert own.incentive_measured[k, 1] == pytest.approx(60 * (1 - 0.875 * (1 + rate - slack)))


def test_costs_grow_from_the_year_in_which_they_are_stated() -> None:
    offered = choices_of(growth=np.full((3, 2), 2.0), base_year=2024, steps=np.full((3, 2), 4))
    taken = taken_of((0, 1.0, (0, 1)))
    own = amounts(baseline_of(), offered, np.array([0]), running([[0, 1]]), PRICE)
    assert own.cost.tolist() == [[2 * (100 + 2 * 100), 4 * (100 + 300 + 5 * 110)]]
    _, columns = of_measures(instance(), baseline_of(), offered, taken, own)
    assert columns["measures_cost_cny"].tolist() == [[2 * 300, 4 * (100 + 220)], [0, 4 * (300 + 330)]]
    # A measure in four steps is complete with all of them.
    assert columns["units"].tolist() == [[0.25, 0.25], [0, 0.25]]


def test_a_marginal_incentive_follows_the_rule_where_allowances_follow_emissions() -> None:
    """At an intensity of 0.6 of a balance value of 2 the unit is exactly at the cap of 20 %."""
    follows = np.array([[False, True], [False, False], [False, True]])
    parts = {"follows": follows, "intensity": table((0.8, 1.2), (1.2, 1.2), (1.25, 1.25))}
    found = baseline_of(balance_value=table((2, 2), (2, 2), (np.nan, np.nan)), **parts)
    none = np.full((2, 2), 2)
    own = amounts(found, choices_of(), np.array([0, 1]), running(none), PRICE)
    assert own.incentive_measured[:, 1] == pytest.approx([60 * (1 - 0.875 * 1.2), 60])
    assert own.incentive_elsewhere[:, 1] == pytest.approx([60 * (1 - 0.875 * 1.2), 60])
    inner = baseline_of(balance_value=table((2, 2), (2, 2), (np.nan, np.nan)), follows=follows, slope=np.full(2, 0.25))
    one = amounts(inner, choices_of(), np.array([0]), running(none[:1]), PRICE)
    rate, slack = 0.25 * (1 - 0.8 / 2), 0.25 * 88 / (2 * 110)
    assert one.incentive_measured[0, 1] == pytest.approx(60 * (1 - 0.875 * (1 + rate - slack)))
    # Where no allowance follows emissions, no balance value is asked for.
    never = baseline_of(follows=np.zeros((3, 2), dtype=bool), balance_value=np.zeros((3, 2)))
    assert amounts(never, choices_of(), np.array([0]), running(none[:1]), PRICE).incentive_measured.tolist() == [
        [50, 60]
    ]


def test_a_cut_of_output_leaves_less_output_to_measure_on() -> None:
    offered = choices_of(output_left=table((1, 0.8), (1, 1), (1, 1)))
    own = amounts(baseline_of(), offered, np.array([0]), running([[0, 1]]), PRICE)
    wanted = 0.5 * (1 - 0.8 * 0.95 * 0.85)
    assert abs(wanted) < 0.2
    slack = 0.5 * (88 * 0.72) / (110 * 0.8)
    assert own.incentive_measured[0, 1] == pytest.approx(60 * (1 - 0.875 * (1 + wanted - slack)))


def test_units_are_mixtures_of_their_plans_and_of_no_measures() -> None:
    found, offered = baseline_of(), choices_of()
    taken = taken_of((0, 0.5, (0, 1)), (1, 0.25, (1, 2)), (1, 0.75, (2, 0)))
    total, own = of_units(found, offered, taken, PRICE)
    plain = amounts(found, offered, np.arange(3), running(np.full((3, 2), 2)), PRICE)
    for name in Amounts.__dataclass_fields__:
        plan, without, mixed = getattr(own, name), getattr(plain, name), getattr(total, name)
        assert mixed[0] == pytest.approx(0.5 * plan[0] + 0.5 * without[0])
        assert mixed[1] == pytest.approx(0.25 * plan[1] + 0.75 * plan[2])
        assert mixed[2] == pytest.approx(without[2], nan_ok=True)


def test_what_a_plan_abates_is_divided_by_what_each_measure_would_do_alone() -> None:
    found, offered = baseline_of(), choices_of()
    taken = taken_of((0, 0.5, (0, 1)), (1, 0.25, (1, 2)), (1, 0.75, (2, 0)))
    _, own = of_units(found, offered, taken, PRICE)
    keys, columns = of_measures(instance(), found, offered, taken, own)
    assert keys.to_numpy().tolist() == [["a", "cement"], ["a", "steel"], ["b", "steel"], ["c", "cement"]]
    assert columns["units"].tolist() == [[0, 0.25], [0.5, 0.5], [0, 0.5], [0.75, 0.75]]
    both = 88 * 0.28 * 0.5
    assert columns["abated_tco2e"] == pytest.approx(
        np.array([[0, 0.25 * 228 * 0.25], [0.5 * 8, both / 3], [0, both * 2 / 3], [0.75 * 120, 0.75 * 114]])
    )
    assert columns["measures_cost_cny"] == pytest.approx(
        np.array(
            [
                [0, 0.25 * (-50 + 190)],
                [0.5 * 300, 0.5 * (100 + 220)],
                [0, 0.5 * (300 + 330)],
                [0.75 * (900 - 800), 0.75 * (900 - 760)],
            ]
        )
    )
