"""State the figures of the plans and the law for each year, written again from their texts.

This module is independent of `etsopt.data.policy.official`, so that a wrong figure there is found here. A figure of the
policy replaces the official one, as it does there. Texts: the 2024 and 2025 plan for industry of 16 November 2025 as
secondary sources quote it, the consultation draft of the 2026 plan of 27 July 2026, annex 5 of the 2023 and 2024 plan
for power, the Interim Regulations (State Council Order 775) and their amendment of 8 August 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.checking.readings.instance_inputs import by_year, cached

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs

SLOPE, CAP = 0.15, 0.03
THRESHOLD_TCO2E = 26_000.0
AMENDED_LAW_FROM = 2025
"""First compliance year under the amended law: its deadline is 31 December 2026, the law in force since 15 August."""

CARRY_OVER_YEAR = 2025
"""Compliance year of the carry-over of allowances of 2019-2024; it ended on 10 June 2026."""

SELF_BALANCING_UNTIL = 2026
"""Last compliance year whose balance values the plans of 2025 and 2026 take from verified emissions."""

YEAR_OF = {"cn-2024": 2024, "cn-2025": 2025, "cn-2026": 2026}
NATIONAL = "cn"
"""The rule of all sectors, each by the plan of the year of the tables; the others are for industry."""

BAND_OF_POWER = 99.0
"""Power has no band; allowances of its rule are never farther from emissions than this rate."""

INDUSTRIES = ("cement", "steel", "aluminium")
"""Sectors of China's system beside power; pre-allocation and carry-over are of these alone."""

KILNS = ("white_clinker", "carbide_slag", "gypsum_acid")
OF_INDUSTRY = (*KILNS, "hydrogen_furnace", "new", "closed")
OUTSIDE_OF_POWER = (
    *("new", "closed", "biomass", "own_gas", "biomass_and_gas", "special_gas", "waste_gas", "converted"),
    *("oil_or_engine", "igcc"),
)
"""What the plans of 2023 and 2024 left out; earlier lists are taken to be the same."""

OF_POWER = (*OUTSIDE_OF_POWER, "reserve", "hydrogen_ammonia")
EVERY_CASE = tuple(dict.fromkeys((*OF_INDUSTRY, *OF_POWER)))


def year_of(instance: InstanceInputs) -> int:
    """Return the year whose plan applies: that of the rule's name, else that of the tables."""
    return YEAR_OF.get(instance.policy.rule.name, instance.policy.year)


def follows_plan(instance: InstanceInputs) -> bool:
    """Return True if the rule is one of the plans of China's system."""
    return instance.policy.rule.name in (*YEAR_OF, NATIONAL)


def of_power(instance: InstanceInputs) -> NDArray[np.bool_]:
    """Return the units that the rule treats as power, shape ``(units,)``; none under a rule for industry."""
    if instance.policy.rule.name != NATIONAL:
        return np.zeros(len(instance.units), dtype=bool)
    return instance.labels("sector").where("power")


def has_balance_value(instance: InstanceInputs, sector: str | None = None) -> bool:
    """Return True if the rule balances a sector, or any sector, by a balance value."""
    if instance.policy.rule.name == NATIONAL:
        sectors = instance.sectors if sector is None else [sector]
        return instance.policy.year >= 2025 and sectors != ["power"]
    return instance.policy.rule.name in ("cn-2025", "cn-2026")


def balance_value_from_outside(
    instance: InstanceInputs, sector: str, years: Sequence[int] | NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the balance value that the policy states of a sector in each year [t/t]; NaN for none, or an interval."""
    section = instance.policy.sectors.get(sector)
    value = None if section is None else section.balance_value
    return by_year(value if isinstance(value, float | Mapping) else None, years)


def is_from_outside(instance: InstanceInputs, sector: str) -> bool:
    """Return True if the policy states the balance value of a sector, which then need not balance."""
    return sector in instance.policy.sectors and instance.policy.sectors[sector].balance_value is not None


def parameter(instance: InstanceInputs, key: str, otherwise: Any) -> Any:
    """Return a parameter of the rule as the policy states it, else the official one."""
    value = instance.parameters.get(key)
    return otherwise if value is None else value


def slope(instance: InstanceInputs) -> float:
    """Return the surplus rate per relative deviation from the balance value."""
    return float(parameter(instance, "slope", SLOPE))


def cap(instance: InstanceInputs) -> float:
    """Return the largest surplus and deficit rate: that of the plan, zero in 2024, infinite outside the plans."""
    if has_balance_value(instance):
        return float(parameter(instance, "cap", CAP))
    return 0.0 if follows_plan(instance) else np.inf


def threshold(instance: InstanceInputs) -> NDArray[np.float64]:
    """Return the emissions below which the enterprise of a unit gets A = E, shape ``(units,)`` [tCO2e].

    Without a statement it is zero outside the plans, and for power up to 2024: whoever was on the list was in.
    """
    listed = of_power(instance) & (instance.policy.year <= 2024)
    official = np.where(listed, 0.0, THRESHOLD_TCO2E if follows_plan(instance) else 0.0)
    own = parameter(instance, "threshold_tco2e", None)
    return official if own is None else np.full(len(instance.units), float(own))


def is_case(instance: InstanceInputs, named: Sequence[str]) -> NDArray[np.bool_]:
    """Return the units whose table states one of the named cases, shape ``(units,)``."""
    if "special_case" not in instance.units:
        return np.zeros(len(instance.units), dtype=bool)
    labels = instance.labels("special_case")
    result: NDArray[np.bool_] = np.isin(labels.names.astype(str), list(named))[labels.code]
    return result


def inside(instance: InstanceInputs, year: int | None = None) -> NDArray[np.bool_]:
    """Return the units in scope, shape ``(units,)``.

    New and closed lines of industry are excluded in 2024 and 2025, not later; up to 2024 the special cases that the
    plans of power knew.

    Parameters
    ----------
    year
        Year whose plan applies under the national rule; default that of the tables.
    """
    outside = instance.policy.rule.outside_scope
    if outside is not None:
        return ~is_case(instance, outside)
    if year is None or instance.policy.rule.name != NATIONAL:
        year = year_of(instance)
    lines = is_case(instance, ["new", "closed"]) & (follows_plan(instance) and year in (2024, 2025))
    return ~np.where(of_power(instance), is_case(instance, OUTSIDE_OF_POWER) & (year <= 2024), lines)


def inside_in(instance: InstanceInputs, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the units in scope by year, shape ``(units, years)``: a year later a new line is in, a closed one out."""
    later = np.array([year > instance.policy.year for year in years])
    stated = np.column_stack([inside(instance, max(int(year), instance.policy.year)) for year in years])
    joined = stated | (is_case(instance, ["new"])[:, None] & later)
    present: NDArray[np.bool_] = joined & ~(is_case(instance, ["closed"])[:, None] & later)
    return present


@cached
def emissions_inside(instance: InstanceInputs) -> NDArray[np.float64]:
    """Return the verified emissions of the units in scope, zero for the others, shape ``(units,)`` [tCO2e]."""
    return instance.units["emissions_tco2e"].to_numpy(dtype=float) * inside(instance)


def is_special(instance: InstanceInputs) -> NDArray[np.bool_]:
    """Return the units that are a special case with A = E, by name or by carbide slag, shape ``(units,)``."""
    of_industry: Sequence[str] = EVERY_CASE
    if follows_plan(instance):
        of_industry = KILNS if year_of(instance) in (2024, 2025) else OF_INDUSTRY if year_of(instance) >= 2026 else ()
    named = parameter(instance, "special_cases", of_industry)
    special = is_case(instance, named)
    if instance.parameters.get("special_cases") is None:
        cases = OF_POWER if instance.policy.year >= 2025 else ()
        special = np.where(of_power(instance), is_case(instance, cases), special)
    if "carbide_slag_rate" in instance.units and "carbide_slag" in named:
        year = year_of(instance)
        limit = 0.15 if year in (2024, 2025) else 0.30 if year >= 2026 else np.inf
        special |= instance.units["carbide_slag_rate"].to_numpy(dtype=float) > parameter(
            instance, "carbide_slag_limit", limit
        )
    return special


def advance_shares(instance: InstanceInputs, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of last year's emissions that is pre-allocated, shape ``(units, years)``.

    Industry: nothing for 2024, 70 % for 2025, at most 50 % from 2026 on. Power: 70 % from 2021 to 2024, then at most
    50 %.
    """
    sector = instance.units["sector"]
    power, known = ((mask.to_numpy()[:, None]) for mask in (sector == "power", sector.isin((*INDUSTRIES, "power"))))
    year = np.asarray(years)
    of_power = np.select([year >= 2025, year >= 2021], [0.5, 0.7], 0.0)
    of_industry = np.select([year >= 2026, year == 2025], [0.5, 0.7], 0.0)
    own = by_year(parameter(instance, "pre_allocation_share", None), years)
    shares: NDArray[np.float64] = np.where(np.isnan(own), np.where(power, of_power, of_industry) * known, own)
    return shares


def most_carried_over(
    instance: InstanceInputs, owners: NDArray[Any], net_sales_t: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the limit of each enterprise's carry-over from 2019-2024 into 2025, before rounding, shape ``(f,)`` [t].

    The limit is 100,000 t in industry and 10,000 t in power, and 1.5 t for each tonne sold net; the sector is that of
    the unit with the most emissions. The carry-over ended on 10 June 2026, so tables of another year have none. An
    earlier year has none even if the policy states one: its holdings serve the compliance of their own years.
    """
    units = instance.units.sort_values(["emissions_tco2e", "unit_id"], ascending=[False, True], kind="stable")
    sector = units.drop_duplicates("enterprise_id").set_index("enterprise_id")["sector"].reindex(owners)
    names = sector.fillna("power").to_numpy()
    now = (instance.policy.year == CARRY_OVER_YEAR) & np.isin(names.astype(str), (*INDUSTRIES, "power"))
    base = np.where(names == "power", 10_000.0, 100_000.0) * now
    own = parameter(instance, "carry_over_base_t", None)
    if isinstance(own, dict):
        base = np.array([own.get(name, value) for name, value in zip(names, base, strict=True)], dtype=float)
    elif own is not None:
        base = np.full(len(owners), float(own))
    factor = parameter(instance, "carry_over_factor", 1.5 * now)
    result: NDArray[np.float64] = base + factor * np.maximum(net_sales_t, 0.0)
    return result * (instance.policy.year >= CARRY_OVER_YEAR)


def fixed_fines(instance: InstanceInputs, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the fine for a shortfall, shape ``(years,)`` [CNY]: at least a million under the amended law."""
    own = instance.policy.penalty.fixed_fine_cny
    return np.where(np.asarray(years) >= AMENDED_LAW_FROM, 1e6, 0.0) if own is None else np.full(len(years), own)


def deducted_share(instance: InstanceInputs) -> float:
    """Return the share of a shortfall deducted from next year's allowances: 1 before the amended law, 0 under it."""
    own = instance.policy.penalty.deduction_share
    return float(instance.policy.year < AMENDED_LAW_FROM) if own is None else float(own)


def self_balancing(
    instance: InstanceInputs, years: NDArray[np.int64], allocation: pd.DataFrame | None
) -> NDArray[np.bool_]:
    """Return the years in which a sector's allowances equal its emissions after abatement, shape ``(sectors, years)``.

    Without a statement of the policy they are those of the plan, for sectors to which an allocation gives their
    emissions, but for a tonne of each unit. Without an allocation, on a path, they are years of phase 1.
    """
    path, name = instance.policy.pathway, instance.policy.rule.name
    stated = path.self_balancing_until
    until = np.full(len(instance.sectors), -1)
    for number, sector in enumerate(instance.sectors):
        outside = is_from_outside(instance, sector)
        own = stated.get(sector) if isinstance(stated, dict) else None if outside else stated
        in_sector = instance.labels("sector").where(sector)
        by_plan = name in ("cn-2025", "cn-2026") or (name == NATIONAL and not of_power(instance)[in_sector].any())
        if own is not None:
            until[number] = own
        elif by_plan and not outside and (allocation is None or _gives_emissions(instance, allocation, in_sector)):
            until[number] = SELF_BALANCING_UNTIL
    in_phase_1 = years < path.phase_2_from if allocation is None else np.ones(len(years), dtype=bool)
    return (years <= until[:, None]) & in_phase_1


def at_value_from_outside(
    instance: InstanceInputs, years: NDArray[np.int64], allocation: pd.DataFrame | None
) -> NDArray[np.bool_]:
    """Return the years in which a sector's allowances follow emissions at a stated balance value, like self-balancing.

    They do as the plan gives them: under another allocation, and in phase 2 of a path, they are lump sums.
    """
    is_self_balancing = np.zeros((len(instance.sectors), len(years)), dtype=bool)
    for number, sector in enumerate(instance.sectors):
        of_sector = instance.labels("sector").where(sector)
        if is_from_outside(instance, sector) and (allocation is None or _is_of_rule(allocation, of_sector)):
            value = instance.policy.sectors[sector].balance_value
            named = [int(year) for year in value] if isinstance(value, Mapping) else []
            is_self_balancing[number] = years <= max([SELF_BALANCING_UNTIL, instance.policy.year, *named])
    return (
        is_self_balancing & (years < instance.policy.pathway.phase_2_from) if allocation is None else is_self_balancing
    )


def _is_of_rule(allocation: pd.DataFrame, where: NDArray[np.bool_]) -> bool:
    """Return True if an allocation gives some units in sum what the rule does, within a tonne of each."""
    moved = allocation["allowance_t"].to_numpy(dtype=float) - allocation["reference_t"].to_numpy(dtype=float)
    return bool(abs(moved[where].sum()) <= np.count_nonzero(where))


def _gives_emissions(instance: InstanceInputs, allocation: pd.DataFrame, where: NDArray[np.bool_]) -> bool:
    """Return True if an allocation gives some units their emissions in sum, within a tonne of each."""
    off = allocation["allowance_t"].to_numpy(dtype=float)[where].sum() - emissions_inside(instance)[where].sum()
    return bool(abs(off) <= np.count_nonzero(where))
