"""Self-balancing markets against a balance value repeated around a plain program, and markets that cannot clear."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import etsopt
from benchmarks.reliability.row import Found, Row
from etsopt.common.errors import EtsoptError
from tests.self_balancing_oracle import Market

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etsopt.running.results.results import Results

NEAR = 1e-6
"""Relative difference of two costs, or of two amounts of unmet demand, that counts as none."""

ANSWERED, SHORT, LARGE, LARGE_UNITS = 2_000, 500, 5, 5_000

LIMIT_S = 60.0
"""Most CPU time in which a market that cannot clear is recognised [s]."""

STARTS = (1.0, 0.9, 0.8, 1.05)
"""First balance values of the other iteration, as shares of those before abatement."""


def random_market(number: int, **market: Any) -> etsopt.Instance:
    """Return a self-balancing market of 3 to 14 units in one or two sectors, which may mix their plans."""
    random = np.random.default_rng(number)
    count, sectors = int(random.integers(3, 15)), ["cement", "steel"][: int(random.integers(1, 3))]
    emissions = np.round(10 ** random.uniform(5.0, 6.3, count))
    units = pd.DataFrame(
        {
            "unit_id": [f"u{place}" for place in range(count)],
            "enterprise_id": [f"e{owner}" for owner in random.integers(0, count, count)],
            "sector": [sectors[place % len(sectors)] for place in range(count)],
            "province": random.choice(["Hebei", "Anhui", "Fujian"], count),
            "emissions_tco2e": emissions,
            "output_t": np.round(emissions / random.uniform(0.6, 1.3, count)),
        }
    )
    owned = np.repeat(np.arange(count), random.integers(1, 4, count))
    rate = random.uniform(0.02, 0.4, len(owned))
    intensity = (units["emissions_tco2e"] / units["output_t"]).to_numpy()[owned]
    measures = pd.DataFrame(
        {
            "measure_id": [f"m{place}" for place in range(len(owned))],
            "unit_id": units["unit_id"].to_numpy()[owned],
            "abatement_rate": rate,
            "lifetime_years": 1,
            "variable_opex_cny_per_t": random.uniform(-1, 30, len(owned)) * rate * intensity,
        }
    )
    total = float(emissions.sum())
    terms: dict[str, Any] = {
        "transaction_cost_cny_per_t": float(random.choice([0.0, 1.0])),
        "external_demand_t": round(total * float(random.choice([0.0, 0.005, 0.02, 0.1]))),
        "auctioned_t": round(total * float(random.choice([0.0, 0.0, 0.01]))),
        "paid_share": float(random.choice([0.0, 0.0, 0.05, 0.3])),
        "terminal_price_cny_per_t": float(random.choice([0.0, 0.0, 30.0])),
    }
    if random.random() < 0.4:
        terms |= {"ccer_price_cny_per_t": 40.0, "ccer_supply_t": round(total * 0.02)}
    if random.random() < 0.8:
        terms |= {"ceiling_price_cny_per_t": float(random.uniform(60, 120)), "reserve_t": round(total * 0.2)}
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2025", "threshold_tco2e": 0.0},
        "abatement": {"divisible_measures": True},
        "market": terms | market,
    }
    return etsopt.Instance.from_frames(units, policy, measures=measures)


def short_market(number: int) -> tuple[etsopt.Instance, float]:
    """Return a market with a trading cost that cannot clear, and its unmet demand [t], from a tonne up.

    A self-balancing sector frees nothing, so that auctions and offsets alone serve other sectors.
    """
    random = np.random.default_rng([number, 1])
    instance = random_market(number, transaction_cost_cny_per_t=1.0, reserve_t=0.0, paid_share=0.0)
    market, total = instance.policy.market, float(instance.emissions_tco2e.sum())
    unmet = float(np.round(10 ** random.uniform(0.0, np.log10(0.5 * total))))
    served = float(instance.policy.model_dump()["market"]["auctioned_t"]) + float(market.model_dump()["ccer_supply_t"])
    changes = {"market.external_demand_t": served + unmet, "abatement.divisible_measures": bool(random.integers(2))}
    return instance.with_policy(changes), unmet


def large_market(number: int) -> tuple[etsopt.Instance, float | None]:
    """Return a market of many units with a trading cost that cannot clear, and its unmet demand [t], if it is known.

    The measures are China's. Every other market has lump sums, of which they free some: how many is not known before.
    """
    generated, measures = etsopt.generate(LARGE_UNITS, seed=number), etsopt.read("cn-2025").measures
    policy = {**generated.policy.model_dump(mode="json", exclude_unset=True), "horizon": {"price_year": 2024}}
    instance = etsopt.Instance.from_frames(generated.units, policy, measures=measures)
    demand = float(round((0.05 + 0.1 * (number % 3)) * float(instance.emissions_tco2e.sum())))
    lump_sums = bool(number % 2)
    if lump_sums:
        demand += float(instance.emissions_tco2e.sum())
    changes: dict[str, Any] = {
        "market.transaction_cost_cny_per_t": 1.0,
        "market.external_demand_t": demand,
        "pathway.self_balancing_until": 2024 if lump_sums else 2025,
    }
    return instance.with_policy(changes), None if lump_sums else demand


def compared(instance: etsopt.Instance, result: Results) -> tuple[str, str]:
    """Compare a result with the other iteration; return the outcome and its error."""
    other = Market(instance)
    if result.termination == "infeasible":
        unmet, stated = other.unmet_t(), result.infeasible_by_t or 0.0
        agree = result.certified and abs(stated - unmet) <= NEAR * unmet + 0.1
        return "cannot clear", "" if agree else f"{result.status}: {stated:.10g} t are unmet, and {unmet:.10g} t"
    table = result.tables["balance_values"]
    value, held = (table[name].to_numpy(dtype=float) for name in ("balance_value", "emissions_held_tco2e"))
    if not result.certified:
        found = [one for start in STARTS if (one := other.repeated(start)) is not None]
        return "balance values do not repeat", f"the other iteration ends at {found[0][0]}" if found else ""
    cost, near = result.levels[-1].value, NEAR * abs(result.levels[-1].value) + 1.0
    for fixed in (False, True):
        there = other.at(value, held, fixed)
        if there is None or abs(there.cost - cost) > near:
            what = "no fixed point" if there is None else f"{there.cost:.10g} CNY"
            return "another answer", f"costs {cost:.10g} CNY at {value}; the other program has there {what}"
    repeated = other.repeated()
    if repeated is None:
        return "a fixed point, which the other iteration does not reach", ""
    if np.allclose(repeated[0], value, rtol=NEAR, atol=0):
        wrong = "" if abs(repeated[1] - cost) <= near else f"costs {cost:.10g} CNY, and {repeated[1]:.10g} CNY"
        return "the same fixed point", wrong
    return "one of several fixed points", ""


def solved(numbers: Iterable[int]) -> Found:
    """Solve markets, and compare each with the other iteration."""
    found = Found()
    for number in numbers:
        try:
            instance = random_market(number)
            result = etsopt.solve(instance, "clearing")
        except EtsoptError as error:
            found.tried(number, "no answer", f"{type(error).__name__}: {error.failure}")
            continue
        how, wrong = compared(instance, result)
        found.tried(number, f"{result.status}: {how}", wrong)
    return found


def recognised(numbers: Iterable[int]) -> Found:
    """Solve markets that cannot clear, and compare the unmet demand and the CPU time."""
    found = Found()
    for number in numbers:
        instance, unmet = short_market(number) if number < SHORT else large_market(number - SHORT)
        began = time.process_time()
        try:
            result = etsopt.solve(instance, "clearing")
        except EtsoptError as error:
            found.tried(number, "no answer", f"{type(error).__name__}: {error.failure}")
            continue
        took = time.process_time() - began
        found.measured(f"CPU s, {'few units' if number < SHORT else f'{LARGE_UNITS:,} units'}", took)
        wrong = "" if took <= LIMIT_S else f"takes {took:.0f} CPU s"
        if result.status != "infeasible_certified":
            wrong = f"{result.status}, {result.termination}"
        elif unmet is not None and abs((result.infeasible_by_t or 0.0) - unmet) > NEAR * unmet + 0.1:
            wrong = f"{result.infeasible_by_t:.10g} t are proven to be unmet, and {unmet:.10g} t are"
        found.tried(number, result.status, wrong)
    return found


ROWS = [
    Row(
        name="A14",
        title="self-balancing markets of 3 to 14 units in one or two sectors, with auctions, offsets, a reserve, paid"
        " shares and both kinds of accounts, against a balance value that is repeated around a plain linear program",
        goal="A certified cost is that of the other program to 1e-6, at balance values that are a fixed point there"
        " too; unmet demand agrees to 1e-6; no fixed point is missed that the other iteration reaches.",
        count=ANSWERED,
        share=24,
        work=solved,
        patience_s=1_200.0,
    ),
    Row(
        name="A15",
        title="markets with a trading cost that cannot clear, by a tonne up to half of their emissions:"
        f" {SHORT} of 3 to 14 units, and {LARGE} of {LARGE_UNITS:,}",
        goal=f"Each is proven not to clear, with its unmet demand to 1e-6, within {LIMIT_S:.0f} CPU s.",
        count=SHORT + LARGE,
        share=24,
        work=recognised,
        chunk=101,
        patience_s=1_200.0,
    ),
]
