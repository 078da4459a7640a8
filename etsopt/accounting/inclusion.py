"""Inclusion: the entities on the list of a year, those outside it and why, and those near the threshold.

An entity is a legal entity, or the legal entities of one steel complex together. It is on the list of a sector if one
of its units has an activity in scope and if the direct emissions of all its units in that sector reach the threshold.
The list of a year follows from the emissions two years before, as those of 2026 and 2027 did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.schema import REGISTER
from etsopt.accounting.validated_rows import with_defaults
from etsopt.common.errors import UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from etsopt.accounting.accounts import Accounts
    from etsopt.data.instance import Instance

THRESHOLD_TCO2E = 26_000.0
"""Least direct emissions of a listed entity in a year (work plan of 20 March 2025, read)."""

THRESHOLD_MARGIN_SHARE = 0.05
"""Share of the threshold within which an entity is near it."""

YEARS_TO_LIST = 2
"""Years from the emissions to the list that follows from them."""

OWN_SECTOR = "own"
MARKED = ("source", "confidence")


@dataclass(frozen=True)
class Scope:
    """An activity in some years.

    Parameters
    ----------
    activity
        Activity of the register.
    first_year, last_year
        Years of the list; None if no text ends it.
    listed
        Sector of the list, ``own`` for that of the register, or empty if the activity is on none.
    source, confidence
        Text, and its mark.
    """

    activity: str
    first_year: int
    last_year: int | None
    listed: str
    source: str
    confidence: str


_LIST = "requirements of the list of 2027, 环办气候函〔2026〕32号, annex 1"
_PLAN = "work plan of 20 March 2025 for steel, cement and aluminium smelting"
SCOPE = (
    Scope("grid_power", 2019, None, "power", _LIST, "A"),
    Scope("long_process", 2024, None, "steel", _LIST, "A"),
    Scope("short_process", 2024, None, "", _LIST, "A"),
    Scope("rolling", 2024, None, "", _LIST, "A"),
    Scope("foundry_iron", 2024, None, "", _LIST, "A"),
    Scope("portland_clinker", 2024, None, "cement", _LIST, "A"),
    Scope("other_clinker", 2024, 2026, "", _PLAN, "A"),
    Scope("other_clinker", 2027, None, "cement", _LIST, "A"),
    Scope("primary_aluminium", 2024, None, "aluminium", _LIST, "A"),
    Scope("own_gas_power", 2019, 2026, "power", f"{_LIST}: by inference, as it moves them from 2027 on", "C"),
    Scope("own_gas_power", 2027, None, OWN_SECTOR, _LIST, "A"),
)
"""Activities on the lists by year. Captive plants that burn the gases of their enterprise join its list in 2027."""

REASONS = ("listed", "below threshold", "activity not in scope", "sector not covered yet", "emissions unknown")
"""Reasons for and against a place on the list."""

ACTIVITY_OF_SECTOR = {
    "steel": "long_process",
    "cement": "portland_clinker",
    "aluminium": "primary_aluminium",
    "power": "grid_power",
}
"""Assumed activity of the units of an instance, which states none."""


@dataclass(frozen=True, eq=False)
class Inclusion:
    """The list of a year.

    Parameters
    ----------
    year, emissions_year
        Year of the list, and of the emissions; None for emissions of the register alone.
    threshold_tco2e
        Least emissions of a listed entity.
    entities
        Entities by sector: emissions, distance from the threshold, the reason for or against their place, and the text
        of the scope with its confidence.
    units
        Units with entity, sector of the list, and emissions.
    sectors
        Entities and emissions of every sector, if those near the line change sides, and under last year's scope.
    """

    year: int
    emissions_year: int | None
    threshold_tco2e: float
    entities: pd.DataFrame
    units: pd.DataFrame
    sectors: pd.DataFrame


def register_of(instance: Instance) -> pd.DataFrame:
    """Return the units of an instance as a register, with the activity that a sector has as a rule."""
    units = instance.units
    frame = units[["unit_id", "enterprise_id", "sector", "province"]].copy()
    frame["activity"] = units["sector"].map(ACTIVITY_OF_SECTOR).astype(object)
    frame["direct_emissions_tco2e"] = units["emissions_tco2e"]
    return with_defaults(frame, REGISTER.columns)[[column.name for column in REGISTER.columns]]


def inclusion(
    register: pd.DataFrame,
    accounts: Accounts | None = None,
    year: int | None = None,
    emissions_year: int | None = None,
    threshold_tco2e: float = THRESHOLD_TCO2E,
    near: float = THRESHOLD_MARGIN_SHARE,
) -> Inclusion:
    """Return the entities on the list of a year.

    Parameters
    ----------
    register
        Units as in ``register.csv``; their stated emissions serve where the accounts have none.
    accounts
        Accounts of the units.
    year, emissions_year
        Year of the list, and of the emissions. By default the last year of the accounts, and the list two years after.
    threshold_tco2e, near
        Least emissions of a listed entity, and the share of it within which an entity is near the line.

    Raises
    ------
    UsageError
        If no year is stated and there are no accounts, or they have none of that year.
    """
    known = () if accounts is None else tuple(sorted(set(accounts.unit_years["year"].tolist())))
    if emissions_year is None and known:
        stated = None if year is None else year - YEARS_TO_LIST
        emissions_year = stated if stated in known else known[-1]
    if known and emissions_year not in known:
        raise UsageError(
            _("No unit has reports of {emissions_year}.", emissions_year=emissions_year),
            _("Choose one of {names}.", names=", ".join(map(str, known))),
        )
    if year is None and emissions_year is None:
        raise UsageError(_("The year of the list is unknown."), _("Name it by --year, for example 2027."))
    of_list = int(year if year is not None else (emissions_year or 0) + YEARS_TO_LIST)
    units = _with_emissions(register, accounts, emissions_year)
    now, entities = _listed(units, of_list, threshold_tco2e, near)
    _now, before = _listed(units, of_list - 1, threshold_tco2e, near)
    sectors = _sectors(now, entities, before)
    return Inclusion(of_list, emissions_year if known else None, threshold_tco2e, entities, now, sectors)


def _with_emissions(register: pd.DataFrame, accounts: Accounts | None, year: int | None) -> pd.DataFrame:
    """Return units with their entity, emissions and months of reports."""
    columns = ["unit_id", "enterprise_id", "sector", "province", "activity", "direct_emissions_tco2e"]
    units = register[columns].rename(columns={"direct_emissions_tco2e": "emissions_tco2e", "sector": "own_sector"})
    units["entity_id"] = register["complex_id"].where(register["complex_id"] != "", register["enterprise_id"])
    units["months"] = 0
    if accounts is not None:
        own = accounts.unit_years[accounts.unit_years["year"] == year].set_index("unit_id")
        units["emissions_tco2e"] = units["unit_id"].map(own["emissions_tco2e"]).fillna(units["emissions_tco2e"])
        units["months"] = units["unit_id"].map(own["months"]).fillna(0).astype(int)
    return units


def _listed(units: pd.DataFrame, year: int, threshold_tco2e: float, near: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return units and entities with their place on the list of a year."""
    scope = {row.activity: row for row in SCOPE if row.first_year <= year and year <= (row.last_year or year)}
    listed = units["activity"].map({activity: row.listed for activity, row in scope.items()})
    texts = {name: units["activity"].map({key: getattr(row, name) for key, row in scope.items()}) for name in MARKED}
    sector = listed.where(listed != OWN_SECTOR, units["own_sector"])
    units = units.assign(
        in_scope=sector.fillna("") != "",
        sector=sector.where(sector.fillna("") != "", units["own_sector"]),
        covered_tco2e=units["emissions_tco2e"].where(sector.fillna("") != "", 0.0),
        unknown=units["emissions_tco2e"].isna(),
        early=listed.isna(),
        **{name: cells.fillna("").astype(object) for name, cells in texts.items()},
    )
    entities = _entities(units)
    emissions = entities["emissions_tco2e"]
    # An entity of unknown units is listed if the known ones reach the threshold.
    cases = [entities["early"], ~entities["in_scope"], emissions >= threshold_tco2e, entities["unknown"]]
    names = ["sector not covered yet", "activity not in scope", "listed", "emissions unknown"]
    entities["reason"] = np.select(cases, names, "below threshold").astype(object)
    entities["listed"] = entities["reason"] == "listed"
    entities["margin_tco2e"] = emissions - threshold_tco2e
    entities["margin_rate"] = entities["margin_tco2e"] / threshold_tco2e
    close = entities["margin_rate"].abs() <= near
    entities["near"] = close & entities["in_scope"] & ~entities["unknown"]
    return units.drop(columns=["unknown", "early"]), entities.drop(columns=["unknown", "early"])


def _entities(units: pd.DataFrame) -> pd.DataFrame:
    """Return units together by sector of the list and entity."""
    groups = units.groupby(["sector", "entity_id"], as_index=False)
    entities = groups.agg(
        province=("province", "first"),
        enterprises=("enterprise_id", "nunique"),
        units=("unit_id", "size"),
        emissions_tco2e=("emissions_tco2e", "sum"),
        covered_tco2e=("covered_tco2e", "sum"),
        in_scope=("in_scope", "any"),
        unknown=("unknown", "any"),
        early=("early", "all"),
        months=("months", "min"),
        source=("source", "first"),
        confidence=("confidence", "max"),
    )
    # What is absent is not zero; unknown units of an entity beside known ones count nothing.
    entities["emissions_tco2e"] = groups["emissions_tco2e"].sum(min_count=1)["emissions_tco2e"]
    return entities


def _sectors(units: pd.DataFrame, entities: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Return entities and emissions by sector, on either side of the line, and under the scope of the year before."""
    listed, near = entities["listed"], entities["near"]
    masks = {
        "listed": listed,
        "not_listed": ~listed,
        "near": near,
    }
    by_sector = entities["sector"]
    sectors = pd.Index(sorted({*by_sector, *before["sector"]}), name="sector")
    table = {name: mask.groupby(by_sector).sum().reindex(sectors, fill_value=0) for name, mask in masks.items()}

    def tonnes(mask: pd.Series, frame: pd.DataFrame = entities, column: str = "covered_tco2e") -> pd.Series:
        return frame[column].where(mask, 0.0).groupby(frame["sector"]).sum().reindex(sectors, fill_value=0.0)

    total = tonnes(listed)
    table |= {
        "listed_tco2e": total,
        "not_listed_tco2e": tonnes(pd.Series(True, index=entities.index), column="emissions_tco2e") - total,
        "without_near_tco2e": total - tonnes(listed & near),
        "with_near_tco2e": total + tonnes(~listed & near),
        "scope_of_year_before_tco2e": tonnes(before["listed"], before),
    }
    return pd.DataFrame(table).reset_index()
