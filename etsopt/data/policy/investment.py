"""Section of the policy on an investment under uncertainty: budgets, and the weight of the worst scenarios."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from etsopt.common.language import _
from etsopt.data.policy.section import Amount, Fraction, Section, Share


def _enterprises(table: object) -> object:
    """Refuse an empty table, which would silently mean no limit."""
    if table == {}:
        raise ValueError(
            _("names no enterprise"), _("State one number for every enterprise, or an enterprise with its own.")
        )
    return table


class InvestmentPolicy(Section):
    """An investment now, of which the scenarios that come later are not known."""

    budget_cny: Amount | Annotated[dict[str, Amount], BeforeValidator(_enterprises)] | None = Field(
        None,
        description="most investment of an enterprise [CNY]: one number for each, or a table of enterprises; default "
        "no limit",
    )
    cvar_level: Share = Field(
        0.95, description="level of CVaR: it is the mean cost of the worst scenarios, whose probability is 1 less this"
    )
    cvar_weight: Fraction = Field(0.0, description="weight of CVaR in the objective; the expected cost has the rest")
