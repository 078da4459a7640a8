"""Random markets of whole plans, solved to a millionth, against a program over every plan of every unit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

import etsopt
from benchmarks.reliability.row import Found, Row
from etsopt.common.errors import EtsoptError
from etsopt.rules import pre_allocation_shares
from etsopt.running.results.claims import PROVEN
from tests import market_oracle
from tests.markets import market

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etsopt.running.results.results import Results

GAP = 1e-6
"""Requested relative gap of a market."""

NEAR_CNY = 1.0
"""Allowed difference of two results beside the gap [CNY]: the value of a limit missed by 0.01 t."""

MOST_UNITS, MOST_YEARS, MOST_MEASURES = 30, 4, 3

LIMIT_S = 20.0
"""Time limit of the program over all plans, which then ends with a bound and an incumbent [s]."""


def whole_market(number: int) -> etsopt.Instance:
    """Return a market of whole plans: one account or many, with auctions, offsets, a reserve, or excess demand."""
    random = np.random.default_rng(number)
    count, years = int(random.integers(2, MOST_UNITS + 1)), int(random.integers(1, MOST_YEARS + 1))
    emissions = np.round(10 ** random.uniform(4.5, 6.5, count))
    total, sectors = float(emissions.sum()), ["cement", "steel"]
    units = {
        "emissions_tco2e": list(emissions),
        "reference_t": list(np.round(emissions * random.uniform(0.8, 1.0, count))),
        "sector": [sectors[k] for k in random.integers(0, 2, count)],
        "enterprise_id": [f"f{k}" for k in random.integers(0, count, count)],
    }
    measures: list[dict[str, object]] = [
        {
            "measure_id": f"m{place}",
            "sector": sector,
            "abatement_rate": float(random.uniform(0.02, 0.4)),
            "maximum_share": float(random.uniform(0.3, 1.0)),
            "capex_cny_per_t": float(random.uniform(0, 100)),
            "variable_opex_cny_per_t": float(random.uniform(-5, 20)),
            "lifetime_years": int(random.integers(1, 20)),
            "first_year": int(2025 + random.integers(0, years)),
        }
        for sector in sectors
        for place in range(int(random.integers(1, MOST_MEASURES + 1)))
        if sector in units["sector"]
    ]
    terms: dict[str, Any] = {
        "transaction_cost_cny_per_t": float(random.choice([0.0, 1.0])),
        "auctioned_t": round(total * float(random.choice([0.0, 0.02, 0.1]))),
        "external_demand_t": round(total * float(random.choice([0.0, -0.02, 0.02, 0.15]))),
        "terminal_price_cny_per_t": float(random.choice([0.0, 30.0])),
    }
    if random.random() < 0.4:
        terms |= {"ccer_price_cny_per_t": 30.0, "ccer_supply_t": round(total * 0.01)}
    if random.random() < 0.3:
        terms |= {"ceiling_price_cny_per_t": float(random.uniform(60, 120)), "reserve_t": round(total * 0.02)}
    penalty = {} if random.random() < 0.3 else {"reference_price_cny_per_t": 200.0}
    return market(units, measures, horizon={"last_year": 2024 + years}, penalty=penalty, market=terms)


def compared(instance: etsopt.Instance, result: Results) -> tuple[str, str]:
    """Compare a result with that of a program over all plans; return the outcome and its error."""
    share = float(pre_allocation_shares(instance, [instance.policy.year + 1])[0, 0])
    allowance = result.tables["allocation"]["allowance_t"].to_numpy(dtype=float)
    best = market_oracle.solve(instance, allowance, share, None, LIMIT_S)
    if result.termination == "infeasible":
        missing = result.infeasible_by_t or 0.0
        agree = abs(missing - best.unmet_t) <= GAP * best.unmet_t + 0.1
        return "cannot clear", "" if agree else f"{missing:g} t are missing, and {best.unmet_t:g} t"
    level = result.levels[-1]
    near = GAP * max(abs(level.value), abs(best.cost)) + NEAR_CNY
    if level.value < best.bound - near:
        return "cheaper", f"costs {level.value:.10g} CNY, which is proven to be impossible: {best.bound:.10g} CNY"
    if best.cost < level.value - near:
        return "dearer", f"costs {level.value:.10g} CNY, and a program over all plans {best.cost:.10g} CNY"
    if best.cost > level.value + near:
        return "cheaper than the other program, which was stopped or took parts of plans for none", ""
    return "equal", ""


def solved(numbers: Iterable[int]) -> Found:
    """Solve markets to a millionth, and compare each with a program over all plans."""
    found = Found()
    for number in numbers:
        instance = whole_market(number)
        kind = "own accounts" if instance.policy.market.transaction_cost_cny_per_t else "one account"
        began = time.process_time()
        try:
            result = etsopt.solve(instance, "clearing", gap=GAP)
        except EtsoptError as error:
            found.tried(number, f"{kind}: no answer", f"{type(error).__name__}: {error.failure}")
            continue
        found.measured(f"CPU s of a market, {kind}", time.process_time() - began)
        how, wrong = compared(instance, result)
        if result.status not in PROVEN:
            wrong = wrong or f"{result.status}, not proven to a millionth"
        found.tried(number, f"{kind}: {result.status}, {how}", wrong)
    return found


ROWS = [
    Row(
        name="A13",
        title=f"markets of whole plans, of 2 to {MOST_UNITS} units, 1 to {MOST_YEARS} years and both kinds of accounts,"
        " to a gap of 1e-6, against a mixed-integer program over every plan, whose choice is summed by hand",
        goal="Every market is proven to 1e-6, or that it cannot clear; none is dearer than the other program finds, or"
        " cheaper than that proves.",
        count=400,
        share=4,
        work=solved,
        chunk=20,
        patience_s=1_200.0,
    )
]
