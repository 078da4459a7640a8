"""Parameters that a policy states differently from the official ones; results report them as the user's own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from etsopt.data.policy.official import OFFICIAL, SOURCES
from etsopt.data.policy.plans import EVERY_PLAN, NATIONAL, plan_year
from etsopt.data.policy.power_plans import LAST_YEAR

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.data.policy.official import Official
    from etsopt.data.policy.policy import Policy

BY_COMPLIANCE_YEAR = ("rule.pre_allocation_share", "rule.carry_over_base_t", "rule.carry_over_factor")
"""Parameters of the rule by compliance year; the others are by the year of the plan."""


def own_parameters(instance: Instance) -> list[dict[str, Any]]:
    """Return the official parameters that the policy replaces by another value, as plain values.

    Returns
    -------
    list
        One entry for a row of the official table and a value of the policy: ``key``, ``sectors`` and ``years`` in which
        they differ, ``official`` as in the text, ``here`` (the policy's value), ``unit`` and ``source``.
    """
    entries = _continuation(instance)
    for row in EVERY_PLAN if instance.policy.rule.name == NATIONAL else OFFICIAL:
        years = [year for year in _years(instance.policy, row.key) if row.holds(year)]
        here = {
            (sector, year): value
            for sector in sorted(set(row.sectors) & set(instance.sectors))
            for year in years
            if not _same(value := _stated(instance.policy, row.key, sector, year), row.value)
        }
        for value in dict.fromkeys(here.values()):
            cells = [cell for cell, stated in here.items() if stated == value]
            entries.append(_entry(row, cells, value))
    return entries


def _continuation(instance: Instance) -> list[dict[str, Any]]:
    """Return an entry for the yearly change of the benchmarks of power in years after the last plan."""
    policy = instance.policy
    last = max(policy.year, *policy.years)
    change = policy.rule.parameters.get("benchmark_change")
    if policy.rule.name != NATIONAL or last <= LAST_YEAR or "power" not in instance.sectors or change is None:
        return []
    entry = {
        "key": "rule.benchmark_change",
        "sectors": ["power"],
        "years": list(range(LAST_YEAR + 1, last + 1)),
        "official": "no plan",
        "here": change,
        "unit": "rate",
        "source": f"assumption: no plan is enacted for years after {LAST_YEAR}",
    }
    return [entry]


def _entry(row: Official, cells: list[tuple[str, int]], value: Any) -> dict[str, Any]:
    sectors, years = (sorted(set(part)) for part in zip(*cells, strict=True))
    here = list(value) if isinstance(value, tuple) else value
    return {
        "key": row.key,
        "sectors": sectors,
        "years": years,
        "official": row.shown,
        "here": here,
        "unit": row.unit,
        "source": SOURCES[row.source],
    }


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
