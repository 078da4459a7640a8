"""Random lump-sum markets against a program over all plans, and other markets by two methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import etsopt
from benchmarks.reliability.fuzzed import Case, solve
from etsopt.rules import pre_allocation_shares
from tests import market_oracle
from tests.markets import of_model, random_market, some_market

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

GAP = 1e-4
"""Relative gap of the markets."""

MOST_PLANS = 800
"""Most plans of all units together that the program over all of them solves in a second."""

METHODS = ("direct", "decomposition", "direct", "pyomo")
TAKER_CNY_PER_T = 45.0


def known_market(number: int) -> Case:
    """Return a lump-sum market: clearing, at given prices, a pathway, or with unmet demand."""
    random = np.random.default_rng(number)
    model = str(random.choice(["clearing", "clearing", "abatement", "pathway"]))
    drawn = of_model(some_market(number), model)
    policy: dict[str, Any] = drawn.policy.model_dump(mode="json", exclude_none=True)
    price = None
    if model == "abatement":
        price = np.full(len(drawn.policy.years), TAKER_CNY_PER_T)
        policy["market"]["prices_cny_per_t"] = TAKER_CNY_PER_T
    elif random.random() < 0.25:
        # Without a penalty no obligation stays outstanding, so excess demand is unmet.
        policy["penalty"] = {}
        share = float(random.choice([0.05, 0.2, 0.6]))
        policy["market"]["external_demand_t"] = round(share * float(drawn.emissions_tco2e.sum()))
    instance = etsopt.Instance.from_frames(drawn.units, policy, measures=in_steps(drawn, number))
    years = list(instance.policy.years)
    known = len(market_oracle.plans_of(instance, years, np.ones(len(years)))) <= MOST_PLANS
    return Case(
        model,
        instance,
        METHODS[number % 4],
        (lambda result: against_all_plans(instance, result, price)) if known else None,
    )


def in_steps(drawn: etsopt.Instance, number: int) -> pd.DataFrame:
    """Return the measures of a market, in a third of the markets built in steps unless they have alternatives."""
    random, measures = np.random.default_rng([number, 1]), drawn.measures
    assert measures is not None
    if random.random() > 1 / 3:
        return measures
    new = measures["maximum_share"] * random.choice([0.34, 0.5, 0.7, 1.0], len(measures))
    alone = measures["exclusive_group"].fillna("") == ""
    return measures.assign(largest_new_share_a_year=new.where(alone & (new > 0)))


def against_all_plans(instance: etsopt.Instance, result: Results, price: Any) -> str | None:
    """Compare the cost, or the unmet demand, with that of a program over all plans."""
    share = float(pre_allocation_shares(instance, [instance.policy.year + 1])[0, 0])
    allowance = instance.emissions_tco2e
    if "allocation" in result.tables:
        allowance = result.tables["allocation"]["allowance_t"].to_numpy(dtype=float)
    best = market_oracle.solve(instance, allowance, share, price)
    if result.termination == "infeasible":
        short = result.infeasible_by_t or 0.0
        if result.certified and not abs(short - best.unmet_t) <= 1e-6 * best.unmet_t + 0.1:
            return f"{short:g} t are proven to be missing, and a program over all plans leaves {best.unmet_t:g} t unmet"
        return "" if result.certified else None
    value, near = result.levels[-1].value, 1e-6 * abs(best.cost) + 1.0
    if value < best.cost - near:
        return f"costs {value:.10g} CNY, less than the {best.cost:.10g} CNY of the best of all plans"
    if not result.certified:
        return None
    if value > best.cost + GAP * abs(value) + near:
        return f"costs {value:.10g} CNY, and a program over all plans {best.cost:.10g} CNY"
    return ""


def any_market(number: int) -> Case:
    """Return a market with exclusive measures, rule-based allocation or a reserve, for two methods."""
    random = np.random.default_rng(number)
    model = str(random.choice(["clearing", "abatement", "pathway"]))
    drawn = of_model(random_market(number, int(random.integers(1, 4))), model)
    total = float(drawn.emissions_tco2e.sum())
    policy: dict[str, Any] = drawn.policy.model_dump(mode="json", exclude_none=True)
    policy["rule"] = {"name": "cn-2025"} if random.random() < 0.4 else policy["rule"]
    policy["abatement"] = {
        "divisible_measures": bool(random.random() < 0.4),
        "no_regret": str(random.choice(["include", "exclude"])),
    }
    policy["market"] = {
        "prices_cny_per_t": round(float(random.uniform(0, 100)), 2),
        "transaction_cost_cny_per_t": float(random.choice([0.0, 1.0])),
        "auctioned_t": round(total * float(random.choice([0.0, 0.05]))),
        "reserve_t": round(total * float(random.choice([0.0, 0.02]))),
        "ceiling_price_cny_per_t": float(random.uniform(60, 120)),
        "floor_price_cny_per_t": float(random.uniform(0, 20)),
        "terminal_price_cny_per_t": float(random.choice([0.0, 30.0])),
    }
    if policy["rule"]["name"] == "cn-2025" and random.random() < 0.5:
        policy["pathway"] = {"self_balancing_until": 2025}
    instance = etsopt.Instance.from_frames(drawn.units, policy, measures=in_steps(drawn, number))
    first, other = [("direct", "pyomo"), ("decomposition", "direct"), ("pyomo", "decomposition")][number % 3]
    return Case(model, instance, first, lambda result: against_method(Case(model, instance, other), result))


def against_method(case: Case, result: Results) -> str | None:
    """Compare the result with that of another method: neither may cost less than the bound of the other."""
    other = solve(case)
    if "infeasible" in (result.termination, other.termination):
        if result.termination != other.termination:
            return f"{result.status}, and by the method {case.method} {other.status}"
        one, two = result.infeasible_by_t or 0.0, other.infeasible_by_t or 0.0
        return "" if abs(one - two) <= 1e-6 * one + 0.1 else f"{one:g} t are missing, by {case.method} {two:g} t"
    if not (result.certified and other.certified):
        return None
    one, two = result.levels[-1], other.levels[-1]
    near = 1e-6 * max(abs(one.value), abs(two.value)) + 1.0
    if one.value < two.bound - near or two.value < one.bound - near:
        return f"costs {one.value:.10g} CNY, by the method {case.method} {two.value:.10g} CNY"
    return ""
