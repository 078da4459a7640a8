"""Official parameters in force: of a plan, a sector and a compliance year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.data.policy.official import FIRST_YEAR_OF_INDUSTRY, INDUSTRY, OFFICIAL, POWER, Official

if TYPE_CHECKING:
    from collections.abc import Iterator

NATIONAL = "cn"
"""The rule of the whole national market: the plan of every sector in the year of the tables."""

PLAN_YEARS = {"cn-2024": 2024, "cn-2025": 2025, "cn-2026": 2026}
"""Compliance year of the plan of each rule for industry that follows one plan."""

BY_COMPLIANCE_YEAR = ("rule.pre_allocation_share", "rule.carry_over_base_t", "rule.carry_over_factor")
"""Parameters of the rule by compliance year; the others are by the year of the plan."""


def plan_year(rule: str, year: int) -> int | None:
    """Return the year whose plan a rule follows: its own, that of the tables under ``cn``, or None without a plan."""
    return year if rule == NATIONAL else PLAN_YEARS.get(rule)


def uses_balance_value(rule: str, sector: str, year: int) -> bool:
    """Return True if a rule compares the intensity of a sector with a balance value in a year of the tables."""
    if rule == NATIONAL:
        return sector in INDUSTRY and year > FIRST_YEAR_OF_INDUSTRY
    return PLAN_YEARS.get(rule, 0) > FIRST_YEAR_OF_INDUSTRY


def official(key: str, sector: str, year: int) -> Official | None:
    """Return the row of a key in force for a sector and a compliance year, or None if there is no text.

    >>> official("rule.pre_allocation_share", "steel", 2025).value, official("rule.slope", "steel", 2024)
    (0.7, None)
    >>> official("rule.electricity_benchmarks.I", "power", 2025).value
    0.7902
    """
    return next((row for row in OFFICIAL if row.key == key and sector in row.sectors and row.holds(year)), None)


def official_value(key: str, sector: str, year: int, otherwise: Any) -> Any:
    """Return the value of `official`, or ``otherwise`` if there is no text."""
    row = official(key, sector, year)
    return otherwise if row is None else row.value


def of_year(rule: str, year: int) -> Iterator[Official]:
    """Iterate over the rows of a rule that are in force in a year, in the order of the table."""
    return (row for row in of_rule(rule) if row.holds(year))


def of_rule(rule: str) -> Iterator[Official]:
    """Iterate over the rows of a rule: the plans for power belong to ``cn`` alone."""
    return (row for row in OFFICIAL if rule == NATIONAL or row.sectors != POWER or row.key in BY_COMPLIANCE_YEAR)


def of_plan(rule: str, year: int) -> dict[str, Any]:
    """Return the parameters of a rule's plan for all units alike, by the rule's names; empty for a rule without a plan.

    Special cases under ``cn`` differ by sector, so they are not among them; its threshold is that of industry.
    """
    number = plan_year(rule, year)
    if number is None:
        return {}
    common = ("slope", "cap", "balance_value_decimals", "threshold_tco2e", "special_cases", "carbide_slag_limit")
    rows = {row.key.removeprefix("rule."): row.value for row in of_rule("") if row.holds(number)}
    return {key: rows[key] for key in common if key in rows and (rule, key) != (NATIONAL, "special_cases")}


def cases_of_plan(key: str, rule: str, sector: str, year: int) -> tuple[str, ...] | None:
    """Return the special cases of a rule's plan, or those outside its scope; None for a rule without a plan.

    Parameters
    ----------
    key
        ``special_cases`` or ``outside_scope``.
    """
    number = plan_year(rule, year)
    if number is None:
        return None
    # A rule for industry treats any sector as one of industry.
    return tuple(official_value(f"rule.{key}", sector if rule == NATIONAL else "cement", number, ()))
