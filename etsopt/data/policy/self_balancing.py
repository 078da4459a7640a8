"""Years in which allowances follow emissions after abatement, as a policy states them: in a sector, they equal them.

The plans of 2025 and 2026 take the balance value from verified emissions. So abatement moves allowances between the
units of a sector, and frees none in sum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.data.policy.policy import BALANCED

if TYPE_CHECKING:
    from etsopt.data.policy.policy import Policy

LAST_PLAN = 2026
"""Compliance year of the last enacted plan that balances sectors."""

WITHOUT_BALANCE_VALUE = BALANCED[0]
"""The plan of 2024 by itself, which gives A = E and states no balance value for later years."""


def self_balancing_until(policy: Policy, sector: str) -> int | None:
    """Return the last self-balancing year of a sector; None if there is none."""
    until = policy.pathway.self_balancing_until
    if isinstance(until, dict):
        until = until.get(sector)
    elif policy.states_balance_value(sector):
        # One year for all sectors is of those whose allowances have to equal their own emissions.
        return None
    if until is None and policy.balances(sector) and policy.rule.name != WITHOUT_BALANCE_VALUE:
        until = LAST_PLAN
    return until


def follows_outside_until(policy: Policy, sector: str) -> int | None:
    """Return the last year in which allowances of a sector follow emissions at a balance value from outside, if any.

    The plans take it from verified emissions of the nation, which no unit moves. After the last plan they do so up to
    the last year for which a value is stated.
    """
    if not policy.states_balance_value(sector):
        return None
    stated = policy.sectors[sector].balance_value
    years = [int(year) for year in stated] if isinstance(stated, dict) else []
    return max(LAST_PLAN, policy.year, *years)


def states_self_balancing(policy: Policy, sector: str) -> bool:
    """Return True if the policy states the self-balancing years of a sector; else they are those of its plan."""
    until = policy.pathway.self_balancing_until
    return sector in until if isinstance(until, dict) else until is not None
