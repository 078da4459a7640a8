"""Next year's instance from a certified compliance year: holdings by vintage, deductions, prior emissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.data.instance import Instance
from etsopt.rules import as_given, reference_allowances
from etsopt.running import next_year
from etsopt.running.results.emissions_status import emissions_status, not_verified
from etsopt.running.run import check

if TYPE_CHECKING:
    from etsopt.running.next_year import UnitChanges
    from etsopt.running.results.results import Results

IN, OUT = (
    ("opening_t", "carried_over_t", "issued_t", "bought_t"),
    ("surrendered_t", "sold_t", "cancelled_t", "closing_t"),
)
"""Flows into and out of the holdings of each vintage, in the table ``holdings``."""

KIND = "compliance"
"""Kind of the results that can be rolled over."""


@dataclass(frozen=True)
class NextYear:
    """The next year's instance, and its balance with the run.

    Parameters
    ----------
    instance
        The instance of the next compliance year.
    balance
        One row for each vintage that moves: the flows of the run, and ``next_opening_t`` of the instance [t].
    forecast
        True if this year's emissions and output stand in for the next year's.
    units
        Units that differ between the years.
    notes
        A sentence on every other difference.
    """

    instance: Instance
    balance: pd.DataFrame
    forecast: bool
    units: UnitChanges
    notes: tuple[str, ...]

    @property
    def total(self) -> dict[str, int]:
        """The balance over all vintages [t]."""
        return {str(name): int(self.balance[name].sum()) for name in self.balance if name != "vintage"}


def roll(results: Results, instance: Instance, units: pd.DataFrame | None = None) -> Instance:
    """Return the next year's instance after a certified compliance year.

    Parameters
    ----------
    results
        Results of the model ``compliance``, checked again here.
    instance
        The instance that was solved.
    units
        Units of the next year, as in its ``units.csv``. By default this year's emissions and output stand in for the
        next year's.

    Raises
    ------
    UsageError
        If the results are of another model or instance, or not certified.
    DataError
        With every problem of the next year's tables and policy.

    Examples
    --------
    >>> import etsopt
    >>> year = etsopt.read("tiny").with_policy({"market.prices_cny_per_t": 80.0, "sectors": {}})
    >>> following = etsopt.roll(etsopt.solve(year, "compliance"), year)
    >>> following.policy.year, following.policy.rule.name
    (2026, 'cn-2026')
    """
    return roll_over(results, instance, units).instance


def roll_over(results: Results, instance: Instance, units: pd.DataFrame | None = None) -> NextYear:
    """Return the next year's instance with its balance and notes; `roll` states the parameters and errors."""
    instance = as_given(instance)
    _see_that_certified(results, instance)
    tables, year = results.tables, instance.policy.year
    forecast = units is None
    after = next_year.units_as_placeholder(instance) if units is None else next_year.units_as_stated(units, instance)
    policy, notes = next_year.policy_of(instance, after)
    further = {
        "measures": next_year.rows_at_units(instance.measures, after),
        "forecast": next_year.later_rows(next_year.rows_at_units(instance.forecast, after), year + 1),
        "scenarios": instance.scenarios,
        "supply": instance.supply,
    }
    for name, table in further.items():
        before = getattr(instance, name)
        if before is not None and (left := len(before) - (0 if table is None else len(table))):
            notes.append(
                _(
                    "{left} of {count} rows of {name} left out: past years, or units that are left out.",
                    left=left,
                    count=len(before),
                    name=name,
                )
            )
    if note := not_verified(emissions_status(instance.units)):
        notes.append(_("Prior emissions are those of {year}. {note}", year=year, note=note))
    if results.provenance.own_rule:
        notes.append(
            _("The rule was your own: reference_t is that of {year}. Solve with --rule to apply it.", year=year)
        )
    following = Instance.from_frames(
        after,
        policy,
        next_year.enterprises_of(instance, tables, after),
        name=_name_of(results.provenance.instance, year),
        **further,
    )
    # The next solve needs an answer of the rule, under which units may lack a column.
    reference_allowances(following)
    balance = _balance(tables["holdings"], following)
    return NextYear(following, balance, forecast, next_year.changes_of_units(instance.units, after), tuple(notes))


def _name_of(name: str, year: int) -> str:
    return f"{name.removesuffix(f'-{year}')}-{year + 1}"


def _see_that_certified(results: Results, instance: Instance) -> None:
    """Raise UsageError unless the results are a compliance year of the instance that the checker certifies."""
    about = results.provenance
    if about.model != KIND:
        what = _("The run is of the model {get!r}: expected 'compliance'.", get=about.model)
        raise UsageError(what, _("Solve with --model compliance: only a compliance year ends with holdings."))
    if about.instance_hash != instance.hash:
        what = _("The run is of another instance: its hash differs.")
        raise UsageError(what, _("Give the instance that was solved, or solve this one."))
    report = check(instance, results) if results.certified else None
    if report is None or report.violations:
        why = _("its status is {status}", status=results.status) if report is None else report.violations[0].message
        raise UsageError(
            _("The run is not certified: {why}.", why=why), _("Solve it again; `etsopt check` lists what fails.")
        )


def _balance(holdings: pd.DataFrame, following: Instance) -> pd.DataFrame:
    """Return the balance of every vintage, checked to the tonne for each enterprise.

    Raises
    ------
    DataError
        If inflows and outflows differ, or the next year's opening holdings from the closing ones.
    """
    keys = ["enterprise_id", "vintage"]
    table = holdings[[*keys, *IN, *OUT]].merge(_openings(following), on=keys, how="outer")
    flows = [*IN, *OUT, "next_opening_t"]
    table[flows] = table[flows].fillna(0.0)
    problems = []
    for off, what in (
        (table[[*IN]].sum(axis=1) - table[[*OUT]].sum(axis=1), _("inflows differ from outflows and closing holdings")),
        (table["closing_t"] - table["next_opening_t"], _("closing holdings differ from the next year's opening ones")),
    ):
        wrong = table[off != 0]
        cells = tuple((f"{row.enterprise_id}, {row.vintage}", f"{off[row.Index]:g} t") for row in wrong.itertuples())
        if cells:
            problems.append(Problem("tables/holdings", what, _("Solve the year again."), cells=cells))
    if problems:
        raise DataError(_("The balance of the run"), problems)
    totals = table.groupby("vintage")[flows].sum().astype("int64")
    return totals[(totals != 0).any(axis=1)].reset_index()


def _openings(instance: Instance) -> pd.DataFrame:
    """Return the opening holdings of an instance by enterprise and vintage [t]."""
    table = instance.enterprises
    assert table is not None
    names = [name for name in table if name.startswith("opening_")]
    long = table.melt("enterprise_id", names, "vintage", "next_opening_t")
    return long.assign(vintage=long["vintage"].str[8:12].astype("int64"))
