"""Accounts of enterprises before a compliance year, in whole tonnes: obligation, holdings, carry-over and issue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.units import nearest_tonnes, whole_tonnes
from etsopt.data.policy.yearly import by_year
from etsopt.rules import carried_over, issuance, reference_allowances
from etsopt_models._market.holdings import LASTING_FROM, enterprise_column, vintages_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


@dataclass(frozen=True)
class Accounts:
    """Accounts before the compliance year: ``f`` enterprises in the order of their id, ``v`` vintages, oldest first.

    Parameters
    ----------
    enterprises, province
        Identifiers, and the province of the seat, else that of the unit with the most emissions, shape ``(f,)``.
    owner
        Position of the enterprise of each unit, shape ``(units,)``.
    units
        A row for each unit: allowances of the rule, pre-allocation, top-up and return [t].
    sectors
        Results of the rule by sector, such as its balance value.
    vintages, usable
        Calendar years, and True for those that may be surrendered for the year, shape ``(v,)``.
    newest
        Position of the vintage that is issued for the year.
    opening, converted, issued, cancelled
        Shape ``(f, v)`` [t]. A carry-over is negative if allowances leave a vintage; cancelled tonnes are the returned
        part of the pre-allocation, and the deduction for earlier shortfalls.
    emissions, outstanding, obligation
        Verified emissions [tCO2e]; obligations of earlier years, and these with the emissions of each unit to the nearest
        tonne [t]; shape ``(f,)``.
    at_risk
        True if the allowances go to the account of the province first, shape ``(f,)``.
    """

    enterprises: NDArray[np.object_]
    province: NDArray[np.object_]
    owner: NDArray[np.int64]
    units: pd.DataFrame
    sectors: pd.DataFrame
    vintages: NDArray[np.int64]
    usable: NDArray[np.bool_]
    newest: int
    opening: NDArray[np.float64]
    converted: NDArray[np.float64]
    issued: NDArray[np.float64]
    cancelled: NDArray[np.float64]
    emissions: NDArray[np.float64]
    outstanding: NDArray[np.float64]
    obligation: NDArray[np.float64]
    at_risk: NDArray[np.bool_]

    @property
    def held(self) -> NDArray[np.float64]:
        """Holdings before any trade, shape ``(f, v)`` [t]."""
        return self.opening + self.converted + self.issued - self.cancelled

    @property
    def available(self) -> NDArray[np.float64]:
        """Holdings that may be surrendered for the year, sold or kept, shape ``(f, v)`` [t]."""
        return np.where(self.usable, self.held, 0.0)

    @property
    def from_province(self) -> NDArray[np.float64]:
        """Tonnes that the account of the province receives and surrenders first, shape ``(2, f)`` [t]."""
        received = np.where(self.at_risk, (self.issued - self.cancelled)[:, self.newest], 0.0)
        return np.stack([received, np.minimum(received, self.obligation)])


def accounts_of(instance: Instance) -> Accounts:
    """Return the accounts of all enterprises that own a unit, also outside the scope, or hold allowances."""
    units, year = instance.units, instance.policy.year
    names = set(units["enterprise_id"])
    if instance.enterprises is not None:
        names |= set(instance.enterprises["enterprise_id"])
    enterprises = np.array(sorted(names), dtype=object)
    owner = np.searchsorted(enterprises, units["enterprise_id"].to_numpy(dtype=object))
    vintages = vintages_of(instance)
    newest = int(np.searchsorted(vintages, year))
    opening = np.stack(
        [enterprise_column(instance, enterprises, f"opening_{vintage}_t") for vintage in vintages], axis=1
    )
    opening = whole_tonnes(opening)
    net_sales = enterprise_column(instance, enterprises, "net_sales_t")
    old = np.where(vintages < LASTING_FROM, opening, 0.0)
    total = carried_over(instance, enterprises, old.sum(axis=1), net_sales)
    given, sectors = _issue(instance)
    issued, cancelled = np.zeros_like(opening), np.zeros_like(opening)
    gross = (given["pre_allocated_t"] + given["top_up_t"]).to_numpy()
    issued[:, newest] = np.bincount(owner, gross, len(enterprises))
    cancelled[:, newest] = np.bincount(owner, given["return_t"].to_numpy(), len(enterprises))
    # What exceeds the allowances of the year is deducted in a later one.
    deduction = whole_tonnes(enterprise_column(instance, enterprises, "deduction_t"))
    cancelled[:, newest] += np.minimum(deduction, (issued - cancelled)[:, newest])
    emissions, owed = (
        np.bincount(owner, tonnes, len(enterprises)).astype(float)
        for tonnes in (instance.emissions_tco2e, nearest_tonnes(instance.emissions_tco2e))
    )
    outstanding = whole_tonnes(enterprise_column(instance, enterprises, "outstanding_t"))
    return Accounts(
        enterprises=enterprises,
        province=_provinces(instance, enterprises, owner),
        owner=owner,
        units=given,
        sectors=sectors,
        vintages=vintages,
        usable=vintages >= LASTING_FROM if year >= LASTING_FROM else vintages <= year,
        newest=newest,
        opening=opening,
        converted=_converted(old, vintages, total),
        issued=issued,
        cancelled=cancelled,
        emissions=emissions,
        outstanding=outstanding,
        obligation=owed + outstanding,
        at_risk=_at_risk(instance, enterprises, owner),
    )


def _issue(instance: Instance) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the issue to each unit for the year: the only source of a compliance year's allowances."""
    reference = reference_allowances(instance)
    paid = by_year(instance.policy.market.paid_share, [instance.policy.year], 0.0)[0]
    allowance = whole_tonnes((1 - paid) * reference.reference_t)
    table = instance.units[["unit_id", "enterprise_id", "sector", "province"]].copy()
    table["emissions_tco2e"] = instance.emissions_tco2e
    if not instance.in_scope.all():
        table["in_scope"] = instance.in_scope
    table["reference_t"], table["allowance_t"] = reference.reference_t, allowance
    advance = whole_tonnes(issuance(instance, allowance)["pre_allocated_t"].to_numpy())
    table["pre_allocated_t"] = advance
    table["top_up_t"] = np.maximum(allowance - advance, 0.0)
    table["return_t"] = np.maximum(advance - allowance, 0.0)
    return table, reference.sectors


def _converted(
    old: NDArray[np.float64], vintages: NDArray[np.int64], total: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the carry-over of vintages 2019-2024 into 2025, oldest first, shape ``(f, v)`` [t]."""
    older = old.cumsum(axis=1) - old
    moved: NDArray[np.float64] = -np.clip(total[:, None] - older, 0.0, old)
    moved[:, vintages == LASTING_FROM] = total[:, None]
    return moved


def _provinces(instance: Instance, enterprises: NDArray[np.object_], owner: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return the province of each enterprise; empty if it is unknown."""
    province = np.full(len(enterprises), "", dtype=object)
    # Written from the least emissions to the most; among equal ones the first unit is kept.
    order = np.lexsort((-np.arange(len(owner)), instance.emissions_tco2e))
    province[owner[order]] = instance.units["province"].to_numpy(dtype=object)[order]
    table = instance.enterprises
    if table is not None and "province" in table:
        seat = table.set_index("enterprise_id")["province"].reindex(enterprises).fillna("").to_numpy(dtype=object)
        province = np.where(seat == "", province, seat)
    return province


def _at_risk(instance: Instance, enterprises: NDArray[np.object_], owner: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return True for enterprises with a closed unit, and for those that the policy names."""
    risky = np.isin(enterprises, instance.policy.compliance.at_risk)
    if "special_case" in instance.units:
        risky[owner[(instance.units["special_case"] == "closed").to_numpy()]] = True
    return risky
