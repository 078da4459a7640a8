"""The check of a whole market names what is wrong with its plans, whatever else no longer fits then."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.market import market as of_market
from etsopt.checking.market import statements
from etsopt.checking.market.cost import cost_of
from etsopt.checking.market.leaves import Leaf
from etsopt.checking.market.market import check_market
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.verdict import Violation
from etsopt.common.units import tolerance_of
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


@cache
def solved() -> tuple[etsopt.Instance, etsopt.Results]:
    units = {"emissions_tco2e": [1e6], "reference_t": [0.95e6]}
    stated = {"horizon": {"last_year": 2026}, "penalty": {"reference_price_cny_per_t": 300.0}}
    instance = market(units, MEASURES, **stated)
    result = etsopt.solve(instance, "clearing")
    assert result.certified
    return instance, result


@pytest.mark.parametrize(
    ("taken", "rule"),
    [
        ({"one": 2025, "two": 2025}, "exclusive_group"),
        ({"one": 2025, "late": 2025}, "first_year"),
        ({"one": 2025, "next": 2026}, "requires"),
    ],
)
def test_a_plan_that_no_unit_may_have_is_refused_by_its_rule(taken: dict[str, Any], rule: str) -> None:
    instance, result = solved()
    assert result.tables["plans"]["measure_id"].tolist() != list(taken)
    rows = result.tables["plans"].iloc[[0] * len(taken)].reset_index(drop=True)
    plans = rows.assign(measure_id=pd.Series(list(taken), dtype=object), start_year=list(taken.values()))
    forged = replace(result, tables={**result.tables, "plans": plans})
    assert rule in {violation.rule for violation in etsopt.check(instance, forged).violations}


def test_a_cost_is_not_below_its_bound_and_its_gap_is_asked_for_relative_to_what_is_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance, result = solved()
    violations, level = check_market(InstanceInputs.of(instance), result.tables, "clearing", 0.5)
    assert violations == []
    assert level is not None
    assert level.asked == 0.5 * level.value
    for by, spending in ((1e6, 0.0), (1e6, 1e12), (-1e6, 0.0)):
        value = level.value - by
        monkeypatch.setattr(of_market, "cost_of", lambda *_, stated=(value, 0.0, spending): stated)
        broken, changed = check_market(InstanceInputs.of(instance), result.tables, "clearing", 0.5)
        assert changed is not None
        assert changed.asked == 0.5 * max(abs(value), spending)
        assert [v.rule for v in broken] == ["cost"] * (by > 0)
        assert [v.amount for v in broken] == pytest.approx([by] * (by > 0), abs=1.0)
        assert changed.gap == pytest.approx(max(-by, 0.0), abs=1.0)
        assert changed.tolerance == max(tolerance_of(value, "CNY"), 1e-10 * 2e6)


def test_what_rounding_leaves_open_of_a_cost_is_taken_off_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    instance, result = solved()
    _, level = check_market(InstanceInputs.of(instance), result.tables, "clearing", 0.5)
    assert level is not None
    monkeypatch.setattr(of_market, "cost_of", lambda *_: (level.value, 1e6, 0.0))
    _, uncertain = check_market(InstanceInputs.of(instance), result.tables, "clearing", 0.5)
    assert uncertain is not None
    assert uncertain.bound == pytest.approx(level.bound - 1e6, abs=1.0)


def test_a_table_of_balance_values_that_no_year_asks_for_ends_the_check() -> None:
    instance, result = solved()
    values = pd.DataFrame({"sector": ["cement"], "year": [2025]})
    violations, level = check_market(
        InstanceInputs.of(instance), result.tables | {"balance_values": values}, "clearing", 0.5
    )
    assert [(v.rule, v.where, v.amount) for v in violations] == [("tables", "balance_values", 1.0)]
    assert level is None


def test_an_uplift_that_no_plan_explains_is_found() -> None:
    instance, result = solved()
    assert result.tables["uplift"].empty
    uplift = pd.DataFrame({"unit_id": ["u0"], "uplift_cny": [5e4]})
    violations, _ = check_market(InstanceInputs.of(instance), result.tables | {"uplift": uplift}, "clearing", 0.5)
    assert [(v.rule, v.where) for v in violations] == [("uplift", "u0")]
    assert violations[0].amount == pytest.approx(5e4, abs=1.0)


@pytest.mark.parametrize(
    ("table", "column", "cell", "where"),
    [
        ("plans", None, None, "plans"),
        ("duals", None, None, "duals"),
        ("measure_years", None, None, "measure_years"),
        ("plans", "unit_id", 1.0, "plans.unit_id"),
        ("duals", "level", 1.0, "duals.level"),
        ("plans", "share", "x", "plans.share"),
        ("plans", "share", np.nan, "plans.share"),
        ("years", "released_t", np.inf, "years.released_t"),
        ("enterprise_years", "bought_t", np.nan, "enterprise_years.bought_t"),
        ("duals", "multiplier", "x", "duals.multiplier"),
        ("duals", "multiplier", np.nan, "duals.multiplier"),
    ],
)
def test_tables_hold_what_is_decided_in_numbers(table: str, column: str | None, cell: Any, where: str) -> None:
    instance, result = solved()
    tables = dict(result.tables)
    if column is None:
        del tables[table]
    else:
        tables[table] = tables[table].assign(**{column: cell})
    violations, level = check_market(InstanceInputs.of(instance), tables, "clearing", 0.0)
    assert [(v.rule, v.where, v.amount) for v in violations] == [("tables", where, 1.0)]
    assert level is None


def test_prices_are_in_the_money_of_a_year() -> None:
    instance, result = solved()
    years = result.tables["years"].assign(price_unit="CNY")
    violations, level = check_market(InstanceInputs.of(instance), result.tables | {"years": years}, "clearing", 0.0)
    assert [(v.where, v.amount) for v in violations] == [("price_unit", 1.0)]
    assert level is not None


@pytest.mark.parametrize(
    "name", ["limits_of_accounts", "holdings_within_need", "texts_follow", "columns_follow", "limits_of_market"]
)
def test_violations_of_every_statement_are_reported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    instance, result = solved()
    marked = Violation("marked", "", 1.0, "t", "")
    monkeypatch.setattr(statements, name, lambda *_: [marked])
    violations, level = check_market(InstanceInputs.of(instance), result.tables, "clearing", 0.0)
    assert marked in violations
    assert level is not None


def test_columns_that_are_missing_end_the_check_and_wrong_ones_do_not() -> None:
    instance, result = solved()
    years = result.tables["years"]
    for table, wrong in (
        ("years", years.drop(columns="unsold_t")),
        ("enterprise_years", result.tables["enterprise_years"].drop(columns="banked_t")),
    ):
        violations, level = check_market(InstanceInputs.of(instance), result.tables | {table: wrong}, "clearing", 0.0)
        assert "tables" in {violation.rule for violation in violations}
        assert level is None
    wrong = years.assign(unsold_t=-5.0)
    violations, level = check_market(InstanceInputs.of(instance), result.tables | {"years": wrong}, "clearing", 0.0)
    assert {violation.rule for violation in violations} == {"years", "market_not_negative"}
    assert level is not None


def test_leaves_prove_the_least_of_their_bounds_and_count_only_where_plans_and_allowances_are_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of levels with these bounds each has its own multipliers; the first is that of the reported price."""
    bounds: dict[str, float] = {}
    made: list[tuple[Any, ...]] = []

    class Given:
        def __init__(self, *given: Any) -> None:
            made.append(given)
            self.level = given[1]

        def under(self, *_: Any) -> float:
            return bounds[self.level]

    root: Any = Given("market", "cost", "leeway")
    root.market = SimpleNamespace(baseline=None, offered=None, costless="costless", unmet_most=77.0)
    root.leeway = "leeway"
    stated: Any = SimpleNamespace(at=lambda level, unit: (level, [f"{level} in {unit}"]))
    monkeypatch.setattr(of_market, "Bound", Given)
    monkeypatch.setattr(of_market, "Restricted", lambda *_: None)

    def proven(**of_levels: float) -> float:
        names = {"reported": "cost", "empty": "cost", "other": "cost:1", "unmet": "unmet_demand:1"}
        bounds.update({names[name]: value for name, value in of_levels.items()})
        leaves = [Leaf("" if name == "empty" else names[name], ()) for name in of_levels]
        least, multipliers, violations = of_market._proven_by([*leaves, *leaves], stated, root)
        assert [vars(one)["level"] for one in multipliers] == ["cost", *(["cost:1"] if "other" in of_levels else [])]
        units = {"cost:1": "CNY/t", "unmet_demand:1": "t/t"}
        known = [f"{leaf.level} in {units[leaf.level]}" for leaf in leaves if leaf.level in units]
        assert list(map(str, violations)) == known
        return least

    assert proven(reported=5.0, other=3.0) == 3.0
    assert made[-1] == (root.market, "cost:1", "leeway", 0.0)
    assert proven(reported=5.0, other=7.0) == 5.0
    assert proven(reported=np.inf, other=7.0) == 7.0
    assert proven(reported=5.0, unmet=1e-9) == 5.0
    assert made[-1] == ("costless", "unmet_demand:1", "leeway", 77.0)
    assert proven(reported=5.0, unmet=0.0) == -np.inf
    assert proven(empty=np.inf, other=4.0) == 4.0
    assert proven(empty=5.0, other=4.0) == -np.inf


def test_tables_that_belong_to_other_markets_are_refused() -> None:
    instance, _ = solved()
    divisible: dict[str, Any] = {"abatement.divisible_measures": True}
    for kind, name, changes in (
        ("clearing", "leaves", {}),
        ("clearing", "leaves", divisible),
        ("abatement", "closure", {"market.prices_cny_per_t": 60.0}),
    ):
        given = instance.with_policy(changes)
        right = dict(etsopt.solve(given, kind).tables)
        assert check_market(InstanceInputs.of(given), right, kind, 0.0)[0] == []
        assert name not in right
        violations, _ = check_market(InstanceInputs.of(given), right | {name: pd.DataFrame({"a": [1]})}, kind, 0.0)
        assert [(v.where, v.rule, v.amount, v.unit) for v in violations] == [("", name, 1.0, "tables")]
    # Prices that are stated have no interval.
    for column, by in (("price_lower_cny_per_t", -1.0), ("price_upper_cny_per_t", 1.0)):
        years = right["years"].assign(**{column: right["years"][column] + by})
        violations, _ = check_market(InstanceInputs.of(given), right | {"years": years}, "abatement", 0.0)
        assert [violation.where for violation in violations] == ["2025", "2026"]


def test_without_measures_there_is_no_row_of_them_and_a_row_too_many_is_refused() -> None:
    instance = market({"emissions_tco2e": [1e6], "reference_t": [1.01e6]})
    right = dict(etsopt.solve(instance, "clearing").tables)
    assert check_market(InstanceInputs.of(instance), right, "clearing", 0.0)[0] == []
    assert len(right["measure_years"]) == 0
    more = right["measure_years"].reindex([0]).fillna(1.0).assign(year=2025)
    violations, _ = check_market(InstanceInputs.of(instance), right | {"measure_years": more}, "clearing", 0.0)
    assert [(v.rule, v.amount, v.unit) for v in violations] == [("measure_years", 1.0, "rows")]


@pytest.mark.parametrize("proof", ["_proven_by", "proven_together"])
def test_what_is_uncertain_of_a_cost_counts_against_its_bound(monkeypatch: pytest.MonkeyPatch, proof: str) -> None:
    instance, result = solved()

    def uncertain(*given: Any) -> tuple[float, float, Any]:
        value, _, spending = cost_of(*given)
        return value, 7.0, spending

    monkeypatch.setattr(of_market, "cost_of", uncertain)
    monkeypatch.setattr(of_market, "read_leaves", lambda *_: ([object()], []))
    monkeypatch.setattr(of_market, "proven_together", lambda *_: (-np.inf, [], []))
    monkeypatch.setattr(of_market, "_proven_by", lambda *_: (-np.inf, [], []))
    monkeypatch.setattr(of_market, proof, lambda *_: (1e12, [], []))
    violations, level = check_market(InstanceInputs.of(instance), result.tables, "clearing", 0.0)
    assert level is not None
    # A bound above the cost is a violation by what it is above.
    assert [one.amount for one in violations if one.rule == "cost"] == [1e12 - 7.0 - level.value]


def test_divisible_measures_are_proven_by_prices_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = solved()[0].with_policy({"abatement.divisible_measures": True})
    tables = etsopt.solve(instance, "clearing").tables

    def never(*_: Any) -> Any:
        raise AssertionError

    for name in ("read_leaves", "_proven_by", "proven_together"):
        monkeypatch.setattr(of_market, name, never)
    violations, level = check_market(InstanceInputs.of(instance), tables, "clearing", 0.0)
    assert violations == []
    assert level is not None
    assert level.bound <= level.value


@pytest.mark.parametrize("column", ["price_lower_cny_per_t", "price_upper_cny_per_t"])
def test_an_end_of_the_prices_that_no_multipliers_state_is_refused(column: str) -> None:
    instance, result = solved()
    years = result.tables["years"]
    tables = {**result.tables, "years": years.assign(**{column: years[column] + 1.0})}
    violations, _ = check_market(InstanceInputs.of(instance), tables, "clearing", 0.0)
    assert {violation.where for violation in violations} == {"2025", "2026"}


def test_prices_that_leaves_have_to_help_are_not_proven() -> None:
    instance, result = solved()
    _, level = check_market(InstanceInputs.of(instance), result.tables, "clearing", 0.0)
    assert level is not None
    assert level.of_prices is not None
    assert not replace(level, of_prices=2 * level.tolerance + 1.0).prices_prove
    assert replace(level, of_prices=level.tolerance).prices_prove
    divisible = instance.with_policy({"abatement.divisible_measures": True})
    _, level = check_market(InstanceInputs.of(divisible), etsopt.solve(divisible, "clearing").tables, "clearing", 0.0)
    assert level is not None
    assert level.of_prices is None
