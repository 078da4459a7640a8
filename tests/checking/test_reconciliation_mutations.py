"""A reconciliation that says more than the evidence is not certified: each claim by itself, with all sums in order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pandas as pd
import pytest

import etsopt
from etsopt.checking import CheckReport, check
from tests.reconciliations import by_hand

FACTOR = {"1 clinker": 0.5, "1 coal": 2.0, "2 clinker": 0.5, "2 coal": 2.0}


@dataclass(frozen=True)
class Stated:
    name: str
    value: float


@cache
def honest() -> etsopt.Results:
    return etsopt.solve(by_hand(), "reconciliation")


def checked(tables: dict[str, pd.DataFrame]) -> CheckReport:
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


def rules(report: CheckReport) -> set[str]:
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
