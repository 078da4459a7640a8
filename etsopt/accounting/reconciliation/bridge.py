"""From monthly reports to an instance of reconciliation: quantities, statements and terms of a year."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.accounts import account
from etsopt.accounting.bridge import units_of
from etsopt.accounting.reconciliation import ledgers, statements
from etsopt.accounting.reconciliation.assumptions import figure
from etsopt.accounting.reconciliation.series import MONTHS, Series, median
from etsopt.accounting.screening.copies import copied_processes
from etsopt.accounting.screening.digits import last_digits
from etsopt.accounting.screening.material import Material
from etsopt.accounting.screening.registry import RULES
from etsopt.accounting.vocabulary import POWER
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.data.instance import Instance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.reconciliation.statements import Statements
    from etsopt.accounting.rows import Reports

    Floats = NDArray[np.float64]

LARGEST_QUANTITY_FACTOR = 2.0
"""Largest possible quantity over the largest reported one, or ten times the typical one if that is more."""


def evidence_of(  # long because its docstring states the rule of substitutes
    reports: Reports,
    year: int | None = None,
    parameters: Mapping[str, Any] | None = None,
    accounts: Accounts | None = None,
    name: str = "reports",
) -> Instance:
    """Return the instance of the model ``reconciliation`` for a year of monthly reports.

    A month without a report has quantities all the same, without reported values: their conservative substitute is the
    largest quantity of the other months, or the least one of a quantity that lowers emissions, figures beyond twice or
    half the median left out. That is an assumption: the guideline asks for a conservative rule in the data-quality
    control plan, and leaves open which.

    Parameters
    ----------
    year
        Year of the emissions; None for the last one of the reports.
    parameters, accounts
        Factors in place of the official ones, and accounts of these reports, if they exist already.

    Raises
    ------
    UsageError
        If no unit has reports in that year.
    DataError
        As `account` does.
    """
    accounts = _industry(account(reports, parameters) if accounts is None else accounts)
    # Other models read every unit of the register; here each has its own year.
    units = units_of_year(accounts, year)
    year = int(accounts.unit_years["year"].max()) if year is None else year
    checkpoint(_("evidence"))
    series = Series.of(accounts, year)
    material = Material(reports, accounts)
    usual = statements.TypicalValues(series, _doubtful(series, material, year))
    parts = [
        statements.usual_ratios(usual),
        statements.peer_ratios(usual),
        statements.activity(usual),
        *statements.limits(usual),
        *ledgers.balances(usual),
        *ledgers.ledgers(reports, usual, year),
    ]
    ids = _quantity_ids(series, year)
    stated = ledgers.stated_rates(reports, series, year)
    table, terms = _tables(series, parts, ids, year)
    return Instance.from_frames(
        units,
        {"year": year, "rule": {"name": "cn-2024"}},
        quantities=_quantities(usual, stated, ids, year),
        statements=table,
        terms=terms,
        name=name,
    )


def _industry(accounts: Accounts) -> Accounts:
    """Return accounts without power units, whose months have now measured carbon and now heat: no ratio holds for both.

    Raises
    ------
    UsageError
        If there are power units alone.
    """
    register = accounts.register
    power = register.loc[register["sector"] == POWER, "unit_id"]
    tables = {name: getattr(accounts, name) for name in ("unit_months", "unit_years", "lines")}
    found = replace(accounts, **{name: table[~table["unit_id"].isin(power)] for name, table in tables.items()})
    if found.unit_years.empty and not accounts.unit_years.empty:
        what = _("All units with reports are power units, which reconciliation has no statements of.")
        raise UsageError(what, _("Take their accounted emissions."))
    return found


def units_of_year(accounts: Accounts, year: int | None) -> pd.DataFrame:
    """Return the units of a year, not as complexes, with their emissions as reported.

    A gross error may let emissions seem negative, which no instance takes: they are 0 there, not in the results.
    """
    units = units_of(replace(accounts, register=accounts.register.assign(complex_id="")), year)
    units["emissions_tco2e"] = units["emissions_tco2e"].clip(lower=0.0)
    return units[["unit_id", "enterprise_id", "name", "sector", "province", "emissions_tco2e"]]


def _doubtful(series: Series, material: Material, year: int) -> NDArray[np.bool_]:
    """Return True for reports whose figures are copies, or end alike, by the rules of screening."""
    keys = series.keys
    doubtful = np.zeros(series.reported.shape, dtype=bool)
    copies = copied_processes(material)
    copies = copies[copies["month"].str.startswith(f"{year:04d}-")]
    of_process = keys.reset_index().merge(copies, on=["unit_id", "process"])
    doubtful[of_process["index"], of_process["month"].str[5:].astype(int) - 1] = True
    digits = last_digits(material, **RULES["last_digits"].thresholds)
    pair = pd.MultiIndex.from_frame(digits[["unit_id", "item"]])
    alike = pd.MultiIndex.from_frame(keys[["unit_id", "item"]]).isin(pair)
    doubtful[alike] = True
    return doubtful & ~np.isnan(series.reported)


def _months(year: int) -> NDArray[np.object_]:
    return np.array([f"{year:04d}-{month:02d}" for month in range(1, MONTHS + 1)], dtype=object)


def _quantity_ids(series: Series, year: int) -> NDArray[np.object_]:
    """Return the identifier of every quantity, shape ``(n, 12)``."""
    own = (series.keys["process"] + " " + series.keys["item"] + " " + series.keys["flow"]).to_numpy(dtype=object)
    found: NDArray[np.object_] = (_months(year) + " ")[None, :] + own[:, None]
    return found


def series_of(ids: pd.Series[str]) -> pd.DataFrame:
    """Return month, process, item and flow of quantities, by the identifiers that `evidence_of` gives them."""
    return ids.str.split(" ", n=3, expand=True).set_axis(["month", "process", "item", "flow"], axis=1)


def _quantities(usual: statements.TypicalValues, stated: Floats, ids: NDArray[np.object_], year: int) -> pd.DataFrame:
    series = usual.series
    place, month = np.nonzero(series.exists)
    values, factor = series.reported, series.factor
    most = np.fmax.reduce(values, axis=1)[:, None]
    middle, usual_factor = median(values)[:, None], figure("substitute_factor")
    # A false figure is no substitute.
    plausible = np.where((values <= usual_factor * middle) & (values * usual_factor >= middle), values, np.nan)
    lowers = np.fmin.reduce(plausible, axis=1)[:, None]
    substitute = np.where(factor < 0, lowers, np.fmax.reduce(plausible, axis=1)[:, None])
    largest = np.maximum(LARGEST_QUANTITY_FACTOR * np.broadcast_to(most, values.shape), 10 * usual.typical)
    exists = series.exists
    uncertainty = statements.uncertainty_of_reports(usual, stated)
    return pd.DataFrame(
        {
            "unit_id": series.keys["unit_id"].to_numpy(dtype=object)[place],
            "quantity_id": ids[exists],
            "month": _months(year)[month],
            "unit": series.keys["unit"].to_numpy(dtype=object)[place],
            "emissions_tco2e_per_unit": factor[exists],
            "reported": values[exists],
            "uncertainty": np.where(np.isnan(values), np.nan, uncertainty)[exists],
            "substitute": np.where(np.isnan(values), substitute, np.nan)[exists],
            "most": largest[exists],
        }
    )


def _tables(
    series: Series, parts: list[Statements], ids: NDArray[np.object_], year: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of statements and of their terms."""
    unit = series.keys["unit_id"].to_numpy(dtype=object)
    tables, terms = [], []
    for part in parts:
        if not len(part.series):
            continue
        name = part.name + " " + ids[part.series, part.month]
        of_unit = unit[part.series]
        tables.append(
            pd.DataFrame(
                {
                    "unit_id": of_unit,
                    "statement_id": name,
                    "kind": np.full(len(name), part.kind, dtype=object),
                    "value": part.value,
                    "lower": part.lower,
                    "upper": part.upper,
                    "uncertainty": part.uncertainty,
                    "source": np.full(len(name), part.source, dtype=object),
                }
            )
        )
        terms.append(
            pd.DataFrame(
                {
                    "unit_id": of_unit[part.owner],
                    "statement_id": name[part.owner],
                    "quantity_id": ids[part.quantity_series, part.quantity_month],
                    "coefficient": part.coefficient,
                }
            )
        )
    return pd.concat(tables, ignore_index=True), pd.concat(terms, ignore_index=True)
