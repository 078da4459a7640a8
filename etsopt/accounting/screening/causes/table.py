"""The table of causes: one for each unit, month, process, item and flow, with size and a reason in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.coded import Coded
from etsopt.accounting.periods import period_text
from etsopt.accounting.screening.causes.absences import missing_months, missing_rows, totals
from etsopt.accounting.screening.causes.balances import Balances
from etsopt.accounting.screening.causes.calorific_values import calorific_values
from etsopt.accounting.screening.causes.copies import copies
from etsopt.accounting.screening.causes.heat import Heat
from etsopt.accounting.screening.causes.hypotheses import QUANTITY, QUANTITY_OF_YEARS, UNEXPLAINED
from etsopt.accounting.screening.causes.rates import UNLIKE_PEERS, USUAL_YEARS, Rates, Shifts
from etsopt.accounting.screening.causes.reasons import OTHERS, OUTPUT, PEERS, with_reasons
from etsopt.accounting.screening.causes.series import NONE, Series, chained, middle
from etsopt.accounting.vocabulary import FLOWS, ITEMS, PROCESSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.rows import Reports
    from etsopt.accounting.screening.causes.series import Flags, Floats, Integers, Suspects


KEY = ["unit_id", "month", "process", "item", "flow"]
COLUMNS = [*KEY, "cause", "probability", "factor", "size_t", "reason", "reason_zh"]
CAUSES = (
    *("factor_1000", "factor_10", "factor_10000", "counted_twice", "calorific_unit", "copied_month"),
    *("total_and_parts", "stock_open", "missing_row", "missing_month", "tonnes_of_coal_equivalent", "heat_of_fuels"),
    "unexplained",
)
"""All causes."""
MOST_CERTAIN = 0.999
"""Largest probability that is stated: no cause is certain before the enterprise has looked."""


def causes_of(reports: Reports, accounts: Accounts, months: pd.DataFrame) -> pd.DataFrame:
    """Return the likeliest cause of what is suspicious in reports, the largest first.

    Identities take precedence over rates, as these follow from them.

    Parameters
    ----------
    reports, accounts
        Validated reports, and the accounts of them.
    months
        Emissions of every unit and month, ``unit_id, emissions_tco2e`` [tCO2e].

    Returns
    -------
    pandas.DataFrame
        Unit, month, process, item and flow (empty for a month that is missing); cause, its probability among the
        hypotheses (NaN for a month that is missing, a fact), factor of stated over true figure (NaN without one),
        ``size_t`` [tCO2e], by which a correction would change emissions (NaN if that cannot be said), and reason in
        English and Chinese.
    """
    series = Series.of(reports)
    rates, balances = Rates.of(series), Balances.of(series)
    copied, copied_cells = copies(rates)
    heat = Heat.of(rates, reports)
    switched = np.zeros_like(series.present)
    switched[rates.place] = heat.made_up
    doubled = rates.doubled()
    parts = [
        missing_months(series),
        doubled,
        totals(series),
        copied,
        *_of_rates(rates, heat.equivalent, balances.weights(rates), copied_cells | heat.made_up),
        missing_rows(series, switched),
        calorific_values(series, reports),
    ]
    explained = _cells(series, parts)
    explained[rates.place] |= copied_cells
    for unit, column in zip(doubled["unit"], doubled["column"], strict=True):
        explained[series.coded.unit == unit, column] = True
    parts.append(heat.suspects(explained))
    parts.append(balances.suspects(rates, explained | _cells(series, parts[-1:])))
    found = chained(parts)
    figure = (found["unit"] * series.present.shape[1] + found["column"]) * (len(series) + 1) + found["series"] + 1
    first = np.sort(np.unique(figure, return_index=True)[1])
    kept = {name: values[first] for name, values in found.items()}
    of_line = Coded.of(accounts.lines, reports.register)
    return _table(kept, series, *_sizes(kept, series, of_line, accounts.lines, months))


def _of_rates(rates: Rates, equivalent: Floats, weights: Floats, explained: Flags) -> list[Suspects]:
    """Return quantities that are off against the other months, or against peers in most months, and have no cause yet.

    Where most months of a series are wrong, so is what is usual in it: then all its months are compared with peers.
    """
    months, years = rates.months, rates.years
    series, _, _ = years.judged(equivalent, QUANTITY_OF_YEARS, USUAL_YEARS)
    unlike = np.isin(np.arange(len(rates.place)), series) & (np.abs(years.off[:, 0]) > UNLIKE_PEERS)
    found = []
    for which, off, width, mistakes, usual in (
        (~unlike, months.off, months.width, QUANTITY, weights),
        (unlike, np.nan_to_num(months.off) + years.off, years.width, QUANTITY_OF_YEARS, USUAL_YEARS),
    ):
        able = which[:, None] & ~explained & (rates.series.hundredths[rates.place] > 0)
        shifts = Shifts(np.where(able, off, np.nan), width)
        row, column, verdict = shifts.judged(equivalent, mistakes, usual)
        if which is unlike:
            kept = _once_a_series(shifts.off, row, column, verdict.cause == UNEXPLAINED)
            row, column = row[kept], column[kept]
            verdict = verdict.select(kept)
        by = PEERS if which is unlike else np.where(rates.item[row], OUTPUT, OTHERS)
        values = {"ratio": np.exp(shifts.off[row, column]), "usual_by": by, **vars(verdict)}
        found.append(rates.series.suspects(rates.place[row], column, **values))
    return found


def _once_a_series(off: Floats, row: Integers, column: Integers, unexplained: Flags) -> Integers:
    """Return the figures to name: one question, the month farthest off, where all months are, or no mistake fits."""
    whole = np.bincount(row, minlength=len(off)) == (~np.isnan(off)).sum(axis=1)
    order = np.lexsort((-np.abs(off[row, column]), row))
    first = order[np.unique(row[order], return_index=True)[1]]
    return np.flatnonzero(~(whole[row] | unexplained) | np.isin(np.arange(len(row)), first))


def _cells(series: Series, parts: list[Suspects]) -> Flags:
    """Return which figures have a cause, shape ``(series, months)``."""
    cells = np.zeros(series.present.shape, dtype=bool)
    for part in parts:
        own = part["series"] >= 0
        cells[part["series"][own], part["column"][own]] = True
    return cells


def _table(found: Suspects, series: Series, size: Floats, concerned: Floats, aside: Flags) -> pd.DataFrame:
    """Return suspicious figures in words, the largest first; their sizes as `_sizes` returns them."""
    coded, place = series.coded, found["series"]
    words: dict[str, Iterable[str]] = {"process": PROCESSES, "item": ITEMS, "flow": FLOWS}
    names = {
        # What is absent is the last.
        name: np.append(np.array(list(known), dtype=object)[getattr(coded, name)], "")[place]
        for name, known in words.items()
    }
    months = period_text(np.arange(series.present.shape[1]) + series.first, yearly=False)
    other_month = np.where(found["other_month"] < 0, -1, found["other_month"] - series.first)
    values = {
        "unit_id": coded.units[found["unit"]],
        "month": months[found["column"]],
        **names,
        "other_unit": np.append(coded.units, "")[found["other_unit"]],
        "other_month": np.append(months, "")[other_month],
        "size_t": size.round(2),
        "aside": aside,
        # That a month is missing is a fact.
        "probability": np.where(
            found["cause"] == "missing_month", np.nan, np.minimum(found["probability"].round(3), MOST_CERTAIN)
        ),
        "order": np.where(np.isnan(size), concerned, size),
    }
    table = with_reasons(pd.DataFrame({**found, **values}))
    return table.sort_values(["order", *KEY], ascending=[False, *[True] * len(KEY)], ignore_index=True)[COLUMNS]


def _sizes(
    found: Suspects, series: Series, of_line: Coded, lines: pd.DataFrame, months: pd.DataFrame
) -> tuple[Floats, Floats, Flags]:
    """Return the tonnes by which emissions would change if each figure were corrected, and those of its process.

    Further whether the account takes the measured carbon of a fuel and not its calorific value. The first are NaN if
    they cannot be said. For a stock they are those of the tonnes that the balance lacks, if the consumption were false.
    """
    emitted = np.zeros((len(series) + 1, series.present.shape[1]))
    np.add.at(emitted, (series.place(of_line), of_line.month - series.first), lines["emissions_tco2e"].to_numpy())
    by_heat = np.zeros(emitted.shape, dtype=bool)
    valued = lines["ncv_gj_per_unit"].notna().to_numpy()
    by_heat[series.place(of_line)[valued], of_line.month[valued] - series.first] = True
    # Tests, purchases and stocks are of the fuel that is consumed.
    inward = series.consumption()
    place, column, cause = inward[found["series"]], found["column"], found["cause"]
    own = np.abs(emitted[place, column]) * np.nan_to_num(found["heat_share"], nan=1.0)
    aside = ~np.isnan(found["heat_share"]) & (own > 0) & ~by_heat[place, column]
    own = np.where(aside, 0.0, own)
    fits = np.where(np.isnan(found["factor"]), found["ratio"], found["factor"])
    usual = np.abs(middle(np.where(emitted == 0, np.nan, emitted)))[found["series"]]
    of_unit = np.zeros((len(series.coded.units), emitted.shape[1]))
    np.add.at(of_unit, (of_line.unit, of_line.month - series.first), lines["emissions_tco2e"].to_numpy())
    own = np.where(found["series"] < 0, np.abs(of_unit[found["unit"], column]), own)
    monthly = months.groupby("unit_id")["emissions_tco2e"].median().abs()
    size = np.select(
        [cause == "stock_open", cause == "missing_row", cause == "missing_month"],
        [
            own * np.abs(found["gap"]) / np.where(found["used"] > 0, found["used"], np.nan),
            usual,
            monthly.reindex(series.coded.units[found["unit"]]).to_numpy(dtype=float),
        ],
        own * np.abs(1 - 1 / fits),
    )
    concerned = np.zeros_like(emitted)
    np.add.at(concerned, series.process, np.abs(emitted[:-1]))
    # What has no emissions of its own, as an output of steel, changes intensities alone.
    sizes = np.where(aside | (size > 0), size, np.nan)
    return sizes, concerned[np.append(series.process, NONE)[found["series"]], column], aside
