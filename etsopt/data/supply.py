"""Sources of output and abatement by year, and their consistency with each other and with the forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.row_scope import filled
from etsopt.data.tables.schema import FORECAST, SUPPLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.content import Content

HEAD = ("supplies", "sector", "capacity_of")
"""Columns that are the same in every row of a source."""

DEMAND = ("elasticity", "product_price_cny_per_t")
"""Columns of the forecast without which the demand of a sector is not known."""


def sources_of(supply: pd.DataFrame) -> pd.DataFrame:
    """Return name, what it supplies, sector, and source of the capacity, by default itself, of each source."""
    heads = filled(supply, SUPPLY)[["supply_id", *HEAD]].drop_duplicates("supply_id").reset_index(drop=True)
    return heads.assign(capacity_of=heads["capacity_of"].where(heads["capacity_of"] != "", heads["supply_id"]))


def along_years(
    rows: pd.DataFrame, key: str, names: Sequence[str], column: str, years: Sequence[int], default: float = np.nan
) -> NDArray[np.float64]:
    """Return a column by name and year on straight lines between stated years, shape ``(names, years)``.

    It is constant before the first and after the last stated year.

    Parameters
    ----------
    default
        Value of a name without a stated year.
    """
    found = np.full((len(names), len(years)), default)
    if column not in rows:
        return found
    stated = rows.loc[rows[column].notna(), [key, "year", column]].sort_values("year")
    place = pd.Index(names).get_indexer(stated[key])
    year, value = (stated[name].to_numpy(dtype=float) for name in ("year", column))
    for one in np.unique(place[place >= 0]):
        found[one] = np.interp(years, year[place == one], value[place == one])
    return found


def problems_of_supply(instance: Content) -> list[Problem]:
    """Return the inconsistencies of sources with each other and with the units, each cell valid by itself."""
    supply = instance.supply
    if supply is None:
        return []
    heads = sources_of(supply)
    sector, kind = heads["sector"].to_numpy(), heads["supplies"].to_numpy()
    owner = heads["capacity_of"]
    of_owner = owner.map(dict(zip(heads["supply_id"], owner, strict=True)))
    stray = ~np.isin(sector, [*instance.sectors, ""]) | ((sector == "") & (kind != "abatement"))
    years = sorted(set(supply["year"].astype(int)))
    new, least = (
        along_years(supply, "supply_id", heads["supply_id"].tolist(), name, years, 0.0)
        for name in ("largest_new_t", "least_new_t")
    )
    unknown, forced = (of_owner != owner).to_numpy(), np.asarray((least > new).any(axis=1))
    problems = [
        *_problem(
            supply,
            _differs(supply),
            ", ".join(HEAD),
            (_("row differs from the first of its source"), _("rows differ from the first of their source")),
            _("State the same in every row of a source."),
        ),
        *_problem(
            heads,
            unknown,
            "capacity_of",
            (_("source uses a capacity that no other has"), _("sources use a capacity that no other has")),
            _("Name a supply_id that has a capacity of its own."),
        ),
        *_problem(
            heads,
            stray,
            "sector",
            (_("source is of a sector without units"), _("sources are of sectors without units")),
            _("Name a sector of units.csv; abatement alone may have none."),
        ),
        *_problem(
            heads,
            forced,
            "least_new_t",
            (_("source has to build more than it may"), _("sources have to build more than they may")),
            _("State at most largest_new_t in every year."),
        ),
    ]
    without = sorted({*instance.sectors} - {*sector[kind == "output"]})
    if without:
        what = _("no source supplies {sectors}", sectors=", ".join(without))
        advice = _("Add a source that supplies output for each sector of units.csv.")
        problems.append(Problem(SUPPLY.file, what, advice, "sector"))
    return problems


def _differs(supply: pd.DataFrame) -> NDArray[np.bool_]:
    """Return True for rows whose texts are not those of the first row of their source."""
    texts = filled(supply, SUPPLY)[list(HEAD)]
    found: NDArray[np.bool_] = (texts != texts.groupby(supply["supply_id"]).transform("first")).any(axis=1).to_numpy()
    return found


def _problem(
    table: pd.DataFrame, bad: NDArray[np.bool_], column: str, what: tuple[str, str], advice: str
) -> list[Problem]:
    """Return a problem of some sources, named by themselves and, where they have one, their year; none without any."""
    if not bad.any():
        return []
    rows = table[bad]
    years = rows["year"].astype(int) if "year" in rows else [""] * len(rows)
    named = zip(rows["supply_id"], years, strict=True)
    cells = tuple((f"of {name} in {year}" if year else f"of {name}", "") for name, year in named)
    return [Problem(SUPPLY.file, counted(int(bad.sum()), *what), advice, column, cells)]


def problems_of_demand(instance: Content) -> list[Problem]:
    """Return what the forecast lacks for a demand of every sector that answers to its price."""
    rows = instance.forecast if instance.forecast is not None else pd.DataFrame({"sector": [], "year": []})
    years = instance.policy.years
    elasticity, price = (along_years(rows, "sector", instance.sectors, name, years) for name in DEMAND)
    problems, unknown = [], np.asarray(np.isnan(elasticity).any(axis=1))
    priceless = np.asarray(((elasticity > 0) & np.isnan(price)).any(axis=1))
    if unknown.any():
        what = _("no elasticity is stated of {sectors}", sectors=_sectors(instance, unknown))
        advice = _("State it in a row of the sector: 0 for a demand that is fixed.")
        problems.append(Problem(FORECAST.file, what, advice, DEMAND[0]))
    if priceless.any():
        what = _("demand answers to a price that is not stated: {sectors}", sectors=_sectors(instance, priceless))
        advice = _("State the price of the product at which the elasticity holds.")
        problems.append(Problem(FORECAST.file, what, advice, DEMAND[1]))
    return problems


def _sectors(instance: Content, where: NDArray[np.bool_]) -> str:
    return ", ".join(np.array(instance.sectors)[where])
