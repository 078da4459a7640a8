"""A reconciliation that says more than the evidence is not certified: each claim by itself, with all sums in order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import etsopt
from etsopt.checking.verdict import Violation
from tests.judging import check
from tests.reconciliations import by_hand, instance_of

if TYPE_CHECKING:
    from etsopt.checking import Verdict

FACTOR = {"1 clinker": 0.5, "1 coal": 2.0, "2 clinker": 0.5, "2 coal": 2.0}


@dataclass(frozen=True)
class Stated:
    name: str
    value: float


@cache
def honest() -> etsopt.Results:
    return etsopt.solve(by_hand(), "reconciliation")


def checked(tables: dict[str, pd.DataFrame]) -> Verdict:
    """The report on other tables, with every objective stated as recomputed from them."""
    levels = [Stated(level.name, level.value) for level in honest().levels]
    first = check(by_hand(), tables, levels, 0.0, "reconciliation")
    return check(by_hand(), tables, [Stated(level.name, level.value) for level in first.levels], 0.0, "reconciliation")


def moved(column: str, end: str, amounts: dict[str, float]) -> dict[str, pd.DataFrame]:
    """The tables with other quantities of unit a at one point, and its emissions with them."""
    tables = {name: table.copy() for name, table in honest().tables.items()}
    quantities = tables["reconciled_quantities"].set_index(["unit_id", "quantity_id"])
    for name, amount in amounts.items():
        quantities.loc[("a", name), column] = amount
    tables["reconciled_quantities"] = quantities.reset_index()[honest().tables["reconciled_quantities"].columns]
    if end:
        emissions = sum(factor * quantities.loc[("a", name), column] for name, factor in FACTOR.items())
        tables["reconciliation"].loc[0, f"{end}_tco2e"] = emissions
    return tables


def rules(report: Verdict) -> set[str]:
    return {violation.rule for violation in report.violations}


def test_the_honest_tables_are_certified() -> None:
    assert checked(honest().tables).certified


@pytest.mark.parametrize(("column", "end"), [("at_lowest", "lowest"), ("at_highest", "highest")])
def test_a_narrower_interval_is_not_proven(column: str, end: str) -> None:
    # Coal of month 1 one tonne nearer to the reconciled one: two tonnes of carbon dioxide are not allowed for.
    nearer = {"1 coal": 19.3 if end == "lowest" else 20.7}
    report = checked(moved(column, end, nearer))
    (interval,) = [level for level in report.levels if level.name == "interval"]
    assert not report.violations
    assert not interval.certified
    assert interval.gap == pytest.approx(2.0, abs=1e-4)


@pytest.mark.parametrize(("column", "end"), [("at_lowest", "lowest"), ("at_highest", "highest")])
def test_a_wider_interval_does_not_agree_with_the_evidence(column: str, end: str) -> None:
    wider = {"1 coal": 17.3 if end == "lowest" else 22.7}
    assert rules(checked(moved(column, end, wider))) == {"agrees"}


def test_a_larger_adjustment_is_not_the_least() -> None:
    # Coal at 25 t is off the report by 25 t and off the ratio by 4 t, 8 uncertainties: 33, where 29 are enough.
    tables = moved("least_adjusted", "", {"1 coal": 25.0})
    tables["reconciled_statements"].loc[0, ["least_adjusted_excess", "gross_error"]] = [8.0, True]
    tables["reconciled_statements"]["gross_error"] = tables["reconciled_statements"]["gross_error"].astype(bool)
    tables["reconciled_statements"].loc[0, ["lowest_multiplier", "highest_multiplier"]] = 0.0
    tables["reconciliation"].loc[0, "gross_statements"] = 1
    report = checked(tables)
    assert not report.violations
    assert not report.certified
    assert report.levels[0].gap == pytest.approx(4.0)


def test_a_report_cannot_be_called_false_or_true_at_will() -> None:
    tables = {name: table.copy() for name, table in honest().tables.items()}
    quantities = tables["reconciled_quantities"]
    quantities["gross_error"] = ~quantities["gross_error"]
    assert "gross_errors" in rules(checked(tables))


def test_objectives_are_those_of_a_reconciliation_in_order() -> None:
    levels = [Stated(level.name, level.value) for level in honest().levels]
    assert check(by_hand(), honest().tables, levels[:2], 0.0, "reconciliation").violations == ()
    (violation,) = check(by_hand(), honest().tables, levels[::-1], 0.0, "reconciliation").violations
    message = "the objectives are, in order: adjustment, estimate, interval"
    assert violation == Violation("levels", "interval, estimate, adjustment", 1.0, "levels", message)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_objective_has_the_value_of_the_tables_within_the_tolerance_of_both(place: int) -> None:
    levels = [Stated(level.name, level.value) for level in honest().levels]
    true = levels[place]
    # A millionth and a billionth of an uncertainty, or of 29 of them; twice 20 kg.
    tolerance = (1e-6 + 29e-9, 1e-6 + 1e-9, 0.04)[place]
    for share, refused in ((0.99, False), (1.01, True)):
        levels[place] = Stated(true.name, true.value + share * tolerance)
        violations = check(by_hand(), honest().tables, levels, 0.0, "reconciliation").violations
        assert [(one.rule, one.where) for one in violations] == [("level_is_kept", true.name)] * refused
        assert all(one.amount == pytest.approx(share * tolerance, rel=1e-2) for one in violations)


def test_an_objective_may_be_off_by_exactly_its_tolerance() -> None:
    unit = {"unit_id": "a"}
    instance = instance_of(
        [
            unit
            | {"quantity_id": "coal", "emissions_tco2e_per_unit": 1.0, "most": 9.0, "reported": 5.0, "uncertainty": 1.0}
        ],
        [unit | {"statement_id": "most", "kind": "limit", "upper": 6.0, "uncertainty": 1.0}],
        [unit | {"statement_id": "most", "quantity_id": "coal", "coefficient": 1.0}],
    )
    tables = etsopt.solve(instance, "reconciliation").tables
    for off, rules in ((1e-6 + 1e-9, []), (1.1e-6, ["level_is_kept"])):
        report = check(instance, tables, [Stated("adjustment", off)], 0.0, "reconciliation")
        assert report.levels[0].value == 0.0
        assert [violation.rule for violation in report.violations] == rules


def test_tables_of_other_rows_or_columns_end_the_check() -> None:
    tables = honest().tables
    statements = tables["reconciled_statements"]
    for broken, rule in ((statements.assign(kind="limit"), "same_rows"), (statements.drop(columns="kind"), "tables")):
        report = check(by_hand(), tables | {"reconciled_statements": broken}, (), 0.0, "reconciliation")
        assert rules(report) == {rule}
        assert not any(level.unit for level in report.levels)
