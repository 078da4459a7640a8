"""Tables and policy of the next year's instance, from the tables of a compliance year.

Holdings, deductions, obligations outstanding and last year's emissions follow from the run. Emissions and output of the
next year do not: either the caller states its units, or those of this year stand in for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import DataError, UsageError, brief
from etsopt.common.language import _, joined
from etsopt.common.units import whole_tonnes
from etsopt.data.policy.plans import PLAN_YEARS
from etsopt.data.tables.raw import RawTable
from etsopt.data.tables.report_columns import REPORT_COLUMNS
from etsopt.data.tables.schema import ENTERPRISES, UNITS, USER_COLUMN_PREFIX
from etsopt.data.tables.user_columns import as_texts
from etsopt.data.tables.validate import validate_table
from etsopt.rules.carry_over import CARRY_OVER_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.data.instance import Instance

SALES_COUNT_IN = (2023, 2024)
"""Compliance years whose trades, in the calendar year after, are net sales of the carry-over: 2024 and 2025."""

CARRY_OVER_KEYS = ("carry_over_base_t", "carry_over_factor")


@dataclass(frozen=True)
class UnitChanges:
    """Units that differ between two years, by id: not in the next one, new in it, owned by another enterprise."""

    left_out: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    other_owner: tuple[str, ...] = ()


def units_as_placeholder(instance: Instance) -> pd.DataFrame:
    """Return this year's units in place of the next year's: without closed ones, and with new ones as existing."""
    units = instance.units
    if "special_case" in units:
        units = units[units["special_case"] != "closed"]
        units = units.assign(special_case=units["special_case"].where(units["special_case"] != "new", ""))
    of_year = ["pre_allocated_t", *(column.name for column in REPORT_COLUMNS)]
    units = units.drop(columns=of_year, errors="ignore")
    rows = instance.forecast
    if rows is not None and "reference_t" in rows:
        # References that are stated by year are those of the next one.
        rows = rows[rows["year"] == instance.policy.year + 1].set_index("unit_id")["reference_t"].dropna()
        units = units.assign(reference_t=units["unit_id"].map(rows).fillna(units["reference_t"]))
    return _with_prior_emissions(units, instance)


def units_as_stated(units: pd.DataFrame, instance: Instance) -> pd.DataFrame:
    """Return the stated units of the next year, validated, with this year's verified emissions as the prior ones.

    Raises
    ------
    DataError
        With every problem of the table.
    """
    if not isinstance(units, pd.DataFrame):
        raise UsageError(
            _("`units` is {units}: expected a data frame.", units=brief(units)),
            _("Pass a data frame, or leave it out."),
        )
    table, problems = validate_table(RawTable.from_frame(units, "units"), UNITS)
    if problems:
        raise DataError(_("The units of {year}", year=instance.policy.year + 1), problems)
    return _with_prior_emissions(table, instance)


def _with_prior_emissions(units: pd.DataFrame, instance: Instance) -> pd.DataFrame:
    """Set last year's verified emissions of every unit that existed; others keep what they state."""
    verified = instance.units.set_index("unit_id")["emissions_tco2e"]
    prior = units["unit_id"].map(verified).astype(float)
    if "prior_emissions_tco2e" in units:
        prior = prior.fillna(units["prior_emissions_tco2e"])
    return units.assign(prior_emissions_tco2e=prior)


def changes_of_units(before: pd.DataFrame, after: pd.DataFrame) -> UnitChanges:
    """Return the units that differ between this year and the next one."""
    owner, next_owner = (table.set_index("unit_id")["enterprise_id"] for table in (before, after))
    both = owner.index.intersection(next_owner.index)
    other = both[(owner[both] != next_owner[both]).to_numpy()]
    return UnitChanges(
        tuple(sorted(owner.index.difference(next_owner.index))),
        tuple(sorted(next_owner.index.difference(owner.index))),
        tuple(f"{name} ({owner[name]} to {next_owner[name]})" for name in sorted(other)),
    )


def enterprises_of(instance: Instance, tables: Mapping[str, pd.DataFrame], units: pd.DataFrame) -> pd.DataFrame:
    """Return the next year's enterprises: those of the run and of the next units, with their accounts."""
    names = pd.Index(sorted({*tables["compliance"]["enterprise_id"], *units["enterprise_id"]}), name="enterprise_id")
    table, year = pd.DataFrame(index=names), instance.policy.year
    given = pd.DataFrame({"enterprise_id": names}) if instance.enterprises is None else as_texts(instance.enterprises)
    given = given.set_index("enterprise_id")
    own = [name for name in given if name.startswith(USER_COLUMN_PREFIX)]
    # As texts, whole numbers stay whole beside the empty cells of a new enterprise.
    given = given.astype({name: str for name in own if pd.api.types.is_integer_dtype(given[name])})
    for name in ("name", "province", "city"):
        if name in given:
            table[name] = given[name].reindex(names)
    if year < CARRY_OVER_YEAR and (sales := _net_sales(given, tables["holdings"], names, year)).any():
        table["net_sales_t"] = sales
    for name, amount in _due(tables, instance, names).items():
        if amount.any():
            table[name] = amount
    for vintage, closing in closing_of(tables["holdings"], names).items():
        table[f"opening_{vintage}_t"] = closing
    return table.assign(**{name: given[name].reindex(names) for name in own}).reset_index()


def closing_of(holdings: pd.DataFrame, names: pd.Index[str]) -> dict[int, pd.Series[float]]:
    """Return the closing holdings of each vintage that anyone holds, by enterprise [t].

    Raises
    ------
    UsageError
        If a vintage is none that an instance can state.
    """
    closing = holdings.pivot_table(index="enterprise_id", columns="vintage", values="closing_t", aggfunc="sum")
    held = {int(vintage): closing[vintage].reindex(names).fillna(0.0) for vintage in closing if closing[vintage].any()}
    for vintage in held:
        if f"opening_{vintage}_t" not in {column.name for column in ENTERPRISES.columns}:
            known = sorted(column.name[8:12] for column in ENTERPRISES.columns if column.name.startswith("opening_"))
            what = _(
                "The run ends with allowances of vintage {vintage}: expected one of {first} to {last}.",
                vintage=vintage,
                first=known[0],
                last=known[-1],
            )
            raise UsageError(what, _("Roll over runs of these years only."))
    return held


def _net_sales(given: pd.DataFrame, holdings: pd.DataFrame, names: pd.Index[str], year: int) -> pd.Series[float]:
    """Return the net sales of vintages 2019-2024 up to the next year, by enterprise [t]."""
    sales = given["net_sales_t"].reindex(names).fillna(0.0) if "net_sales_t" in given else pd.Series(0.0, names)
    if year in SALES_COUNT_IN:
        old = holdings[holdings["vintage"] < CARRY_OVER_YEAR]
        of_run = (old["sold_t"] - old["bought_t"]).groupby(old["enterprise_id"]).sum()
        sales = sales + of_run.reindex(names).fillna(0.0)
    return sales


def _due(tables: Mapping[str, pd.DataFrame], instance: Instance, names: pd.Index[str]) -> dict[str, pd.Series[float]]:
    """Return what the next year deducts, and the obligations that stay outstanding, by enterprise [t].

    Tonnes of a shortfall that are deducted are not surrendered later as well.
    """
    run = tables["compliance"].set_index("enterprise_id")
    returned = tables["issuance"].groupby("enterprise_id")["return_t"].sum().reindex(run.index, fill_value=0)
    table = instance.enterprises
    due = pd.Series(0.0, run.index)
    if table is not None and "deduction_t" in table:
        stated = table.set_index("enterprise_id")["deduction_t"].reindex(run.index).fillna(0.0)
        due = pd.Series(whole_tonnes(stated.to_numpy(dtype=float)), run.index)
    still_due = due - (run["cancelled_t"] - returned)
    deduction = still_due + run["deducted_next_year_t"]
    outstanding = run["shortfall_t"] - run["deducted_next_year_t"]
    return {
        "deduction_t": deduction.reindex(names).fillna(0.0).astype(float),
        "outstanding_t": outstanding.reindex(names).fillna(0.0).astype(float),
    }


def policy_of(instance: Instance, units: pd.DataFrame) -> tuple[dict[str, Any], list[str]]:
    """Return the content of the next year's policy, and a sentence on every key that changes beside the year."""
    policy, notes = instance.policy, []
    content = policy.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    content["year"] = following = policy.year + 1
    rule = content["rule"]
    if PLAN_YEARS.get(rule["name"]) == policy.year:
        successor = next((name for name, year in PLAN_YEARS.items() if year == following), None)
        if successor is None:
            notes.append(
                _(
                    "The package has no plan of {following}: the rule stays {name}.",
                    following=following,
                    name=rule["name"],
                )
            )
        rule["name"] = successor or rule["name"]
    if policy.year >= CARRY_OVER_YEAR:
        dropped = [f"rule.{key}" for key in CARRY_OVER_KEYS if rule.pop(key, None) is not None]
        if dropped:
            notes.append(
                _(
                    "{dropped} left out: the carry-over was in {carry_over_year} alone.",
                    dropped=" and ".join(dropped),
                    carry_over_year=CARRY_OVER_YEAR,
                )
            )
    horizon = content.get("horizon", {})
    past = [key for key in ("first_year", "last_year") if horizon.get(key, following) < following]
    if past:
        horizon |= dict.fromkeys(past, following)
        keys = ", ".join(f"horizon.{key}" for key in past)
        text = _("{following} in place of {year}: {keys}.")
        notes.append(_(text, following=following, year=policy.year, keys=keys))
    if instance.measures is not None:
        # The costs of measures stay in the money of their year.
        content["horizon"] = horizon | {"price_year": policy.price_year}
    return content, notes + _without_units(content, units)


def _without_units(content: dict[str, Any], units: pd.DataFrame) -> list[str]:
    """Leave out keys of sectors, provinces and enterprises without a unit; return a sentence on them, if any."""
    dropped = []
    balance = content.get("provinces", {}).get("balance")
    by_name = (
        ("sectors", content.get("sectors", {}), "sector"),
        ("abatement.output_cut", content.get("abatement", {}).get("output_cut", {}), "sector"),
        ("provinces.balance", balance if isinstance(balance, dict) else {}, "province"),
    )
    for path, section, column in by_name:
        for name in sorted(set(section) - set(units[column])):
            del section[name]
            dropped.append(f"{path}.{name}")
    compliance, owners = content.get("compliance", {}), set(units["enterprise_id"])
    for key in ("at_risk", "without_purchases", "speculating"):
        dropped += [
            _("{name} in compliance.{key}", name=name, key=key)
            for name in compliance.get(key, [])
            if name not in owners
        ]
        if key in compliance:
            compliance[key] = [name for name in compliance[key] if name in owners]
    return [_("Left out of the policy, since no unit is left: {names}.", names=joined(dropped))] if dropped else []


def rows_at_units(table: pd.DataFrame | None, units: pd.DataFrame) -> pd.DataFrame | None:
    """Return the rows of measures or of a forecast that belong to a sector or to a unit of the next year."""
    if table is None or "unit_id" not in table:
        return table
    rows = table[(table["unit_id"] == "") | table["unit_id"].isin(units["unit_id"])]
    return rows if len(rows) else None


def later_rows(forecast: pd.DataFrame | None, year: int) -> pd.DataFrame | None:
    """Return the rows of a forecast after a year, or None if there are none."""
    rows = None if forecast is None else forecast[forecast["year"] > year]
    return rows if rows is not None and len(rows) else None
