"""Years of enterprises in every scenario, and the costs of the decision, by hand."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.investment.decisions import Decision
from etsopt.checking.investment.flows import Flows, _units, flows_of
from etsopt.checking.investment.statements import cells_follow
from tests.checking.investment.small import baseline_of, choices_of, instance_of, states_of, told
from tests.checking.market.small import table

if TYPE_CHECKING:
    from etsopt.checking.readings.baseline import Baseline
    from etsopt.checking.verdict import Violation

KEYS = ("enterprise_id", "scenario", "year")


# Of the first enterprise, a measure that halves the emissions of its first unit from 2025 on and doubles in cost; of
# the other, one that earns money, from 2026 on.
OFFERED = choices_of(
    [0],
    [-1],
    [1],
    left=[[0.5], [1.0], [0.75]],
    fixed=[[100.0], [0.0], [-50.0]],
    variable=[[2.0], [0.0], [-1.0]],
    growth=[[2.0], [1.0], [1.0]],
)
FIRST = np.array([[0], [0], [1]])
STATES = states_of([[10, 40], [20, 30], [8, 16]], [0.5, 0.25, 0.25])
INSTALLED = np.array([[True], [False], [True]])


def baselines_of() -> list[Baseline]:
    """In the second scenario half of everything but the allowances, in the others what it was before."""
    before = baseline_of()
    return [before, baseline_of(output=before.output / 2, emissions=before.emissions / 2), before]


def decision_of() -> Decision:
    """The first measure runs in both years, in the second one alone, and never; the other one in the second year."""
    runs = np.zeros((3, 1, 3, 2), dtype=bool)
    runs[0, 0] = [[True, True], [False, True], [False, False]]
    runs[2, 0, :, 1] = True
    return Decision(INSTALLED, None, runs)


# By enterprise and scenario, in both years.
BOUGHT = [[[0, 0], [0, 0], [5, 0]], [[0, 0], [1, 0], [0, 0]]]
SOLD = [[[30, 50], [80, 90], [0, 5]], [[10, 20], [30, 36], [17, 14]]]
YEARLY: dict[str, Any] = {
    "emissions_tco2e": [[[110, 100], [80, 50], [160, 140]], [[40, 30], [20, 15], [40, 30]]],
    "allowance_t": [[[130, 140]] * 3, [[50, 44]] * 3],
    # 100 and 2 * 10, twice the first and 4 * 10, or 4 * 5 for half of the output; -50 and -4, or -2.
    "measures_cost_cny": [[[120, 240], [100, 220], [100, 200]], [[0, -54], [0, -52], [0, -54]]],
    # From 30 t and 7 t: 30 + 130 - 30 - 110, and so on.
    "banked_t": [[[20, 10], [0, 0], [5, 0]], [[7, 1], [8, 1], [0, 0]]],
    "price_cny_per_t": [[[10, 40], [20, 30], [8, 16]]] * 2,
    "allowances_cost_cny": [
        [[-300, -2000], [-1600, -2700], [40, -80]],
        [[-100, -800], [-580, -1080], [-136, -224]],
    ],
    "total_cost_cny": [
        [[-180, -1760], [-1500, -2480], [140, 120]],
        [[-100, -854], [-580, -1132], [-136, -278]],
    ],
}


def yearly(**columns: Any) -> pd.DataFrame:
    made = {"bought_t": BOUGHT, "sold_t": SOLD} | YEARLY | columns
    keys = {
        "enterprise_id": np.repeat(["e", "f"], 6).astype(object),
        "scenario": np.tile(np.repeat(["a", "b", "c"], 2), 2).astype(object),
        "year": np.tile([2025, 2026], 6),
    }
    return pd.DataFrame(keys | {name: np.array(cells, dtype=float).ravel() for name, cells in made.items()})


def derived_of(instance: Any, before: Baseline, baselines: list[Baseline], states: Any, offered: Any) -> Any:
    parts = {"instance": instance, "before": before, "baselines": baselines, "states": states, "offered": offered}
    return SimpleNamespace(**parts, first=FIRST)


def flows(rows: pd.DataFrame) -> tuple[Flows | None, list[Violation]]:
    tables = {"scenario_years": rows}
    return flows_of(derived_of(instance_of(), baseline_of(), baselines_of(), STATES, OFFERED), decision_of(), tables)


@cache
def right_flows() -> tuple[Flows | None, list[Violation]]:
    return flows(yearly())


def test_all_that_follows_from_a_decision_in_every_scenario_and_year_is_right() -> None:
    found, violations = right_flows()
    assert violations == []
    assert found is not None


def test_costs_are_discounted_and_less_what_is_left_at_the_terminal_price() -> None:
    found, _ = right_flows()
    assert found is not None
    # Prices in CNY of 2025: 10 and 20, 20 and 15, 8 and 8; the terminal one is 15.
    assert found.costs.tolist() == [
        [120 + 240 / 2 - 300 - 1000 - 150, 100 + 220 / 2 - 1600 - 1350, 100 + 200 / 2 + 40 - 40],
        [0 - 54 / 2 - 100 - 400 - 15, 0 - 52 / 2 - 580 - 540 - 15, 0 - 54 / 2 - 136 - 112],
    ]


def test_spending_is_the_expected_cost_of_measures_and_turnover_of_trades_whatever_their_signs() -> None:
    found, _ = right_flows()
    assert found is not None
    worst = (120 + 120 + 300 + 1000) + (27 + 100 + 400)
    middle = (100 + 110 + 1600 + 1350) + (26 + 20 * 31 + 540)
    best = (100 + 100 + 40 + 40) + (27 + 136 + 112)
    assert (worst, middle, best) == (2067, 4346, 555)
    assert found.spending == 0.5 * 2067 + 0.25 * 4346 + 0.25 * 555
    # Who buys and sells a tonne more spends twice its price.
    more = yearly(bought_t=np.add(BOUGHT, 1), sold_t=np.add(SOLD, 1))
    twice, violations = flows(more)
    assert violations == []
    assert twice is not None
    assert twice.costs.tolist() == found.costs.tolist()
    assert twice.spending == found.spending + 2 * (2 * (0.5 * 30 + 0.25 * 35 + 0.25 * 16))


def test_an_account_gains_at_least_its_opening_and_what_waits_for_a_higher_price() -> None:
    found, _ = right_flows()
    assert found is not None
    # It keeps at most 30 t; 30 + 50 and 80 + 70 in the second scenario. The other keeps 17 and 21, and there 37 and 61.
    # The price rises by 10 after the first year, and by 15 - 8 after the second one in the third scenario.
    assert found.least_account_cost.tolist() == [
        [-10 * 30 - 10 * 30, -20 * 30, -8 * 30 - 7 * 30],
        [-10 * 7 - 10 * 17, -20 * 7, -8 * 7 - 7 * 21],
    ]


@pytest.mark.parametrize("column", ["enterprise_id", "scenario", "year"])
def test_rows_are_the_years_of_each_scenario_of_each_enterprise(column: str) -> None:
    rows = yearly()
    for wrong in (rows.iloc[:-1], rows.iloc[[1, 0, *range(2, 12)]], rows.assign(**{column: rows[column].iloc[-1]})):
        found, [violation] = flows(wrong)
        assert found is None
        assert (violation.rule, violation.amount, violation.unit) == ("same_rows", 1.0, "rows")
        assert violation.where in {"scenario_years.enterprise_id", "scenario_years.scenario", "scenario_years.year"}
    [violation] = flows(rows.assign(**{column: rows[column].iloc[-1]}))[1]
    assert violation.where == f"scenario_years.{column}"


@pytest.mark.parametrize("column", YEARLY)
def test_every_column_follows_from_the_decision_and_the_trades(column: str) -> None:
    cells = np.array(YEARLY[column], dtype=float)
    changed = cells.copy()
    changed[1, 0, 1] += 3.0
    _, violations = flows(yearly(**{column: changed}))
    assert told(violations) == [("tables_follow", f"f a 2026, {column}", 3.0)]
    # Only the first of all rows is told.
    assert told(flows(yearly(**{column: cells + 3.0}))[1]) == [("tables_follow", f"e a 2025, {column}", 3.0)]


def test_the_last_of_three_years_is_that_of_the_terminal_price() -> None:
    years = baseline_of(
        years=np.array([2025, 2026, 2027]),
        discount=np.array([1.0, 0.5, 0.25]),
        **{name: np.zeros(3) for name in ("paid_share", "slope", "cap")},
        follows_output=np.zeros(3, dtype=bool),
        follows=np.zeros((3, 3), dtype=bool),
        **{name: np.zeros((3, 3)) for name in ("output", "emissions", "given")},
    )
    rows = pd.DataFrame(
        {
            "enterprise_id": ["e"] * 3 + ["f"] * 3,
            "scenario": "a",
            "year": [2025, 2026, 2027] * 2,
            "bought_t": 0.0,
            "sold_t": [4.0, 6.0, 8.0, 0.0, 0.0, 0.0],
            **dict.fromkeys(YEARLY, 0.0),
        }
    )
    nothing = choices_of([-1], [-1], [-1])
    decision = Decision(np.zeros((3, 1), dtype=bool), None, np.zeros((3, 1, 1, 3), dtype=bool))
    states = states_of([[1, 4, 8]], [1.0])
    found, _ = flows_of(
        derived_of(instance_of(terminal_price=40.0), years, [years], states, nothing),
        decision,
        {"scenario_years": rows},
    )
    assert found is not None
    # Prices of 1, 2 and 2, and 10 at the end: 12 of 30 t are left, and all of 7.
    assert found.costs.tolist() == [[-4 - 12 - 16 - 120], [-70]]
    assert found.least_account_cost.tolist() == [[-30 - 30 - 30 * 8], [-7 - 7 - 7 * 8]]
    assert found.spending == 32.0


LIMITS = ("not_negative", "borrowing", "held")
NOTHING = ((0, 0), (0, 0))
NOWHERE = ((0, 0), (0, 0), (0, 0))


def limits(
    bought: Any,
    sold: Any,
    emissions: Any = NOWHERE,
    given: Any = NOWHERE,
    opening: tuple[float, float] = (0.0, 0.0),
) -> list[tuple[str, str, Any]]:
    """What trades and holdings miss of their limits, of one scenario without measures and prices."""
    before = baseline_of(emissions=table(*emissions), given=table(*given))
    keys = {"enterprise_id": ["e", "e", "f", "f"], "scenario": "a", "year": [2025, 2026] * 2}
    rows = pd.DataFrame(keys | {"bought_t": np.ravel(bought), "sold_t": np.ravel(sold)} | dict.fromkeys(YEARLY, 0.0))
    decision = Decision(np.zeros((3, 1), dtype=bool), None, np.zeros((3, 1, 1, 2), dtype=bool))
    states, nothing = states_of([[0, 0]], [1.0]), choices_of([-1], [-1], [-1])
    _, violations = flows_of(
        derived_of(instance_of(opening), before, [before], states, nothing), decision, {"scenario_years": rows}
    )
    found = [violation for violation in violations if violation.rule in LIMITS]
    assert {violation.unit for violation in found} <= {"t"}
    return told(found)


def rules(found: list[tuple[str, str, Any]]) -> list[tuple[str, str]]:
    return [(rule, where) for rule, where, _ in found]


@pytest.mark.parametrize(("by", "refused"), [(0.019, False), (0.02, False), (0.021, True)])
def test_nobody_buys_or_sells_less_than_nothing_by_more_than_20_kg(by: float, refused: bool) -> None:
    # What is sold below zero is held in the end, and what is bought is owed.
    trades = ((0, -by), (0, 0))
    wanted = [("not_negative", "e a 2026", by), ("borrowing", "e a 2026", by)]
    assert limits(trades, NOTHING) == (wanted if refused else [])
    wanted = [("not_negative", "e a 2026", by), ("held", "e a 2026", by)]
    assert limits(NOTHING, trades) == (wanted if refused else [])


def test_who_buys_and_sells_less_than_nothing_is_refused_though_he_holds_nothing_of_it() -> None:
    trades = ((0, 0), (-1, 0))
    assert limits(trades, trades) == [("not_negative", "f a 2025", 1.0)]


@pytest.mark.parametrize(("share", "refused"), [(0.99, False), (1.01, True)])
def test_limits_are_kept_within_a_billionth_of_what_is_emitted_and_kept(share: float, refused: bool) -> None:
    # 1e9 t are emitted, 1.5e9 t allocated, and so 5e8 t kept at most: 0.02 t and 1.5 t.
    by = 1.52 * share
    emissions, given = ((6e8, 0), (4e8, 0), (0, 0)), ((15e8, 0), (0, 0), (0, 0))
    found = limits(((by, 0), (0, 0)), ((0, by), (0, 0)), emissions, given)
    assert rules(found) == ([("held", "e a 2025")] if refused else [])
    assert [amount for _, _, amount in found] == pytest.approx([by] * refused, abs=1e-6)
    found = limits(((0, by), (0, 0)), ((5e8 + by, 0), (0, 0)), emissions, given)
    assert rules(found) == ([("borrowing", "e a 2025")] if refused else [])
    assert [amount for _, _, amount in found] == pytest.approx([by] * refused, abs=1e-6)


def test_an_account_keeps_at_most_its_opening_and_its_surpluses_of_years() -> None:
    # 10 t at the start; a deficit of 4 t, then a surplus of 3 t and 2 t of two units less 1 t of the other.
    emissions, given = ((4, 5), (0, 5), (0, 0)), ((0, 8), (0, 4), (0, 0))
    # Who buys the deficit keeps all there is, and who buys half a tonne more keeps too much, until he sells it.
    assert limits(((4, 0), (0, 0)), NOTHING, emissions, given, (10.0, 1.0)) == []
    found = limits(((4.5, 0), (0, 0)), ((0, 0.5), (0, 0)), emissions, given, (10.0, 1.0))
    assert found == [("held", "e a 2025", 0.5)]
    found = limits(((4, 0), (0, 0.5)), NOTHING, emissions, given, (10.0, 1.0))
    assert found == [("held", "f a 2026", 0.5)]
    # Who sells all of it owes what he sells beyond.
    found = limits(NOTHING, ((6, 2.5), (0, 0)), emissions, given, (10.0, 1.0))
    assert found == [("borrowing", "e a 2026", 0.5)]


def test_allowances_follow_what_measures_leave_of_emissions_intensity_and_output() -> None:
    before = baseline_of(
        follows=np.array([[True, False], [False, False], [False, False]]), follows_output=np.array([False, True])
    )
    offered = choices_of(
        *([0], [-1], [-1]),
        left=[[0.5], [1.0], [1.0]],
        intensity_left=[[0.5], [1.0], [1.0]],
        output_left=[[0.25], [1.0], [1.0]],
    )
    runs = np.zeros((3, 1, 2, 2), dtype=bool)
    runs[0, 0, 1] = True
    decision = Decision(np.array([[True], [False], [False]]), None, runs)
    # The intensity is 1.25 of the balance value, a rate of -0.125; half of it leaves one of 0.1875.
    rests, works = (_units(before, offered, decision, FIRST, number) for number in (0, 1))
    assert [part.tolist() for part in rests[:2]] == [before.emissions.tolist(), [[87.5, 90], [60, 50], [50, 44]]]
    assert works[0].tolist() == [[50, 40], [60, 60], [40, 40]]
    # In 2026 lump sums follow the output, of which a quarter is left.
    assert works[1].tolist() == [[50 * 1.1875, 90 / 4], [60, 50], [50, 44]]


@pytest.mark.parametrize(
    ("column", "size", "tolerance"),
    [
        ("total_cost_cny", 0.0, 1.0),
        ("total_cost_cny", -4e9, 5.0),
        ("banked_t", 0.0, 0.02),
        ("banked_t", -8e7, 0.1),
        ("emissions_tco2e", 8e7, 0.1),
        ("price_cny_per_t", 0.0, 1e-9),
        ("price_cny_per_t", 3.0, 4e-9),
    ],
)
def test_a_number_may_be_off_by_its_tolerance(column: str, size: float, tolerance: float) -> None:
    expected = {column: table((1.0, size))}
    keys = {"enterprise_id": "e", "scenario": "a", "year": [2025, 2026]}
    for share in (-1.1, -0.9, 0.9, 1.1):
        rows = pd.DataFrame(keys | {column: [1.0, size + share * tolerance]})
        found = told(cells_follow("scenario_years", rows, expected, KEYS))
        assert [(rule, where) for rule, where, _ in found] == (
            [("tables_follow", f"e a 2026, {column}")] if abs(share) > 1 else []
        )
    if size == 0:
        assert (
            told(cells_follow("scenario_years", pd.DataFrame(keys | {column: [1.0, tolerance]}), expected, KEYS)) == []
        )


def test_every_column_that_follows_is_looked_at() -> None:
    rows = pd.DataFrame({"enterprise_id": "e", "scenario": "a", "year": [2025, 2026]})
    expected = {"banked_t": table((1, 2)), "allowance_t": table((3, 4))}
    right = rows.assign(banked_t=[1.0, 2.0], allowance_t=[3.0, 4.0])
    assert told(cells_follow("scenario_years", right, expected, KEYS)) == []
    wrong = right.assign(banked_t=[9.0, np.nan], allowance_t=[3.0, 6.0])
    assert told(cells_follow("scenario_years", wrong, expected, KEYS)) == [
        ("tables_follow", "e a 2025, banked_t", 8.0),
        ("tables_follow", "e a 2026, allowance_t", 2.0),
    ]
