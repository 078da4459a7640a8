"""The annex tables as data frames, from a run and its instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean
from etsopt.data.tables.provinces import LONG
from etsopt.reports.official.gaps import OF_PRE_ALLOCATION, with_gaps
from etsopt.reports.official.headings import ANNEXES, PROVINCE, TOTAL, Annex
from etsopt.reports.official.identities import check_identities
from etsopt.reports.official.issue import issue_rows
from etsopt.reports.official.rows import table_of_units, unit_rows
from etsopt.rules.coverage import coverage_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results

FIRST_YEAR = 2025
"""First compliance year of the plan whose tables these are."""


def official_tables(instance: Instance, results: Results, province: str = "") -> dict[str, pd.DataFrame]:
    """Return the annex tables of the allocation plan by their names, such as ``2-1`` and ``2-5-power``.

    Columns have the headings of the annex. A table is left out if no unit is of its sector, and those of
    pre-allocation if the instance knows neither last year's emissions nor pre-allocated allowances. Cells of which the
    instance states nothing are empty, and a note of the row says so.

    Parameters
    ----------
    results
        Of ``allocation`` or ``compliance``, in whole tonnes.
    province
        Province whose rows to return; all if empty, with a column that names it.

    Raises
    ------
    UsageError
        If the run holds no allowances of units, is of a year before 2025, or has no such province.
    DataError
        With every figure that violates an identity, or if a table of the run is damaged.
    """
    _check_run(instance, results)
    units = unit_rows(instance, results)
    issue = issue_rows(instance, units)
    check_identities(units, issue, results)
    provinces = sorted(set(units["province"]))
    require_province(province, {name: name for name in provinces})
    several = not province and len(provinces) > 1
    known = bool({"prior_emissions_tco2e", "pre_allocated_t"} & set(instance.units))
    tables = {}
    for annex in ANNEXES:
        if annex.number.startswith("1-") and not known:
            continue
        of_issue = annex.number.endswith("-5")
        rows = issue if of_issue else units
        rows = rows[(rows["sector"] == annex.sector) & (rows["province"].isin([province] if province else provinces))]
        if len(rows):
            if annex.number == "1-5":
                rows = rows.assign(reason=rows["pre_reason"])
            rows = with_gaps(annex, rows.sort_values(["province", "enterprise_id"], kind="stable"))
            tables[annex.name] = _frame(annex, rows, several)
    return tables


def require_province(province: str, said: Mapping[str, str], separator: str = ", ") -> None:
    """Raise UsageError if a run has no such province.

    Parameters
    ----------
    said
        Provinces of the run, and how the message names each.
    """
    if province and province not in said:
        guess = did_you_mean(province, said.values())
        advice = _("{guess}Its provinces are {known}.", guess=guess, known=separator.join(said.values()))
        raise UsageError(_("The run has no province {name}.", name=brief(province)), advice)


def _check_run(instance: Instance, results: Results) -> None:
    """Raise UsageError if a run is none that the annex has tables for."""
    without = results.status in ("none", "refused") or results.status.startswith("infeasible")
    if without or table_of_units(results) not in results.tables:
        advice = _("Solve first: etsopt solve INSTANCE --out DIR, or the same with --model compliance.")
        raise UsageError(_("The run holds no allowances of units."), advice)
    if instance.policy.coverage == "part" and (found := coverage_of(instance)) and found.alone:
        what = _("The balance value of {sectors} is not known: the table is a part.", sectors=", ".join(found.alone))
        advice = _("State the nation's: sectors.{sector}.balance_value.", sector=found.alone[0])
        raise UsageError(what, advice)
    if instance.policy.year < FIRST_YEAR:
        text = _("The run is of {year}: the official tables are those of the plans from {first} on.")
        what = _(text, year=instance.policy.year, first=FIRST_YEAR)
        raise UsageError(what, _("Solve a later compliance year."))


def _frame(annex: Annex, rows: pd.DataFrame, several: bool) -> pd.DataFrame:
    """Return one table with the headings of the annex; tables of issue end with a row of totals."""
    columns, open_ = annex.columns, set() if rows["all_stated"].all() else {*OF_PRE_ALLOCATION}
    if several:
        columns = (columns[0], PROVINCE, *columns[1:])
    frame = pd.DataFrame(index=range(len(rows) + annex.number.endswith("-5")))
    for key, chinese, _unit in columns:
        cells = pd.Series(range(1, len(rows) + 1)) if key == "number" else rows[key].reset_index(drop=True)
        if key == PROVINCE[0]:
            cells = cells.map(lambda name: LONG.get(name, name))
        # A sum of some rows is no total.
        frame[chinese] = _plain(cells, key, len(frame), several, is_open=key in open_)
    return frame


def _plain(cells: pd.Series, key: str, length: int, several: bool, is_open: bool) -> pd.Series:
    """Return a column as whole numbers if all are, else as numbers or texts, with a cell for the row of totals."""
    more = range(length - len(cells))
    if not pd.api.types.is_numeric_dtype(cells):
        label = TOTAL[several] if key == "name" else ""
        return pd.Series([*cells.fillna(""), *(label for _ in more)], dtype=object)
    without = is_open or key in ("number", "gap_percent") or cells.isna().all()
    total = np.nan if without else cells.sum()
    numbers = pd.Series([*cells, *(total for _ in more)], dtype=float)
    whole = numbers.isna() | (numbers == np.floor(numbers))
    return numbers.astype("Int64") if whole.all() else numbers
