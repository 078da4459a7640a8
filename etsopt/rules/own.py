"""Parameters that a policy states differently from the official ones; results report them as the user's own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from etsopt.common.provenance import OwnParameter
from etsopt.data.policy.official import INDUSTRY, LAST_YEAR, POWER, SOURCES
from etsopt.data.policy.plans import BY_COMPLIANCE_YEAR, NATIONAL, of_rule, plan_year

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.data.policy.official import Official
    from etsopt.data.policy.policy import Policy


NOTHING_IN_ADVANCE = ("given", "rule.pre_allocation_share", 0.0)
"""What an own rule says of China's pre-allocation once it is evaluated; the user said nothing."""


def own_parameters(instance: Instance) -> list[OwnParameter]:
    """Return the official parameters that the policy replaces by another value.

    Returns
    -------
    list
        One entry for a row of the official table and a value of the policy.
    """
    policy = instance.policy
    # Scenarios of a sweep seldom differ in what official tables state.
    key = policy.model_dump_json(include={"year", "horizon", "rule", "market", "penalty"})
    found: list[OwnParameter] = instance.cached("own parameters", lambda: _own_parameters(instance), key)
    return [*found]


def _own_parameters(instance: Instance) -> list[OwnParameter]:
    entries = _continuation(instance)
    for row in of_rule(instance.policy.rule.name):
        years = [year for year in _years(instance.policy, row.key) if row.holds(year)]
        parameters = {
            (sector, year): value
            for sector in sorted(set(row.sectors) & set(instance.sectors))
            for year in years
            if not _same(value := _stated(instance.policy, row.key, sector, year), row.value)
            and (instance.policy.rule.name, row.key, value) != NOTHING_IN_ADVANCE
        }
        for value in dict.fromkeys(parameters.values()):
            cells = [cell for cell, stated in parameters.items() if stated == value]
            entries.append(_entry(row, cells, value))
    return entries


def _continuation(instance: Instance) -> list[OwnParameter]:
    """Return entries for what the policy assumes of years after the last plan, of power and of industry."""
    policy = instance.policy
    last = max(policy.year, *policy.years)
    if policy.rule.name != NATIONAL or last <= LAST_YEAR:
        return []
    # Industry keeps a plan in the year of the tables alone: a path states what comes after.
    stated = (
        ("benchmark_change", POWER, range(LAST_YEAR + 1, last + 1), "rate"),
        ("continues_plan_of", INDUSTRY, [policy.year] * (policy.year > LAST_YEAR), "year"),
    )
    return [
        OwnParameter(
            key=f"rule.{key}",
            sectors=sectors,
            years=list(years),
            official="no plan",
            here=policy.rule.parameters[key],
            unit=unit,
            source=f"assumption: no plan is enacted for years after {LAST_YEAR}",
        )
        for key, which, years, unit in stated
        if key in policy.rule.parameters and years and (sectors := sorted(set(which) & set(instance.sectors)))
    ]


def _entry(row: Official, cells: list[tuple[str, int]], value: Any) -> OwnParameter:
    sectors, years = (sorted(set(part)) for part in zip(*cells, strict=True))
    stated = {"key": row.key, "official": row.shown, "unit": row.unit, "source": SOURCES[row.source]}
    as_list = list(value) if isinstance(value, tuple) else value
    return OwnParameter(sectors=sectors, years=years, here=as_list, **stated)


def _years(policy: Policy, key: str) -> list[int]:
    """Return the years whose official figure a parameter of the policy replaces."""
    if key.startswith("rule.") and key not in BY_COMPLIANCE_YEAR:
        if policy.rule.name == NATIONAL:
            return sorted({policy.year, *policy.years})
        year = plan_year(policy.rule.name, policy.year)
        return [] if year is None else [year]
    if key == "rule.pre_allocation_share":
        # A market borrows the pre-allocation of the next year.
        return sorted({policy.year, *(year + 1 for year in policy.years)} - {policy.years[-1] + 1})
    return sorted({policy.year, *policy.years}) if key.startswith(("market.", "penalty.")) else [policy.year]


def _stated(policy: Policy, key: str, sector: str, year: int) -> Any:
    """Return the policy's value of a parameter for a sector and a year, or None if it states none."""
    section, _, name = key.partition(".")
    if section != "rule":
        return getattr(getattr(policy, section), name)
    name, _, part = name.partition(".")
    value: Any = policy.rule.outside_scope if name == "outside_scope" else policy.rule.parameters.get(name)
    if part:
        value = (value or {}).get(part)
    if isinstance(value, list | tuple):
        return tuple(sorted(value))
    if not isinstance(value, dict):
        return value
    if name == "carry_over_base_t":
        return value.get(sector)
    from etsopt.data.policy.yearly import by_year

    number = float(by_year(value, [year])[0])
    return None if math.isnan(number) else number


def _same(stated: Any, official: Any) -> bool:
    """Return True if the policy states nothing or the official value."""
    expected = tuple(sorted(official)) if isinstance(official, tuple) else official
    return stated is None or stated == expected
