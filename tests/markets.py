"""Small markets for tests: units of the rule 'given', in which bands bind nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

import etsopt
from etsopt.data.policy.plans import NATIONAL
from etsopt.data.policy.policy import BALANCED
from etsopt.data.tables.schema import POWER_CASES
from etsopt.modelling import PreparedModel
from etsopt.modelling.solving.options import SolveOptions
from etsopt.rules import pre_allocation_shares
from etsopt.running import library, model_inputs, solve_model
from etsopt.running.compiling import compiled_program
from etsopt.running.methods import Method
from tests import market_oracle
from tests.reconciliations import with_evidence

MARKETS = ("abatement", "clearing", "pathway")


def market(
    units: Mapping[str, Sequence[float | str]], measures: list[dict[str, object]] | None = None, **policy: Any
) -> etsopt.Instance:
    """An instance with units ``u0``, ``u1``, ... each of an enterprise of its own if none is named, and some measures.

    ``output_t`` equals emissions, and measures live a year, unless they say otherwise.
    """
    frame = pd.DataFrame({"unit_id": [f"u{k}" for k in range(len(units["emissions_tco2e"]))], **units})
    for name, values in {"enterprise_id": frame["unit_id"], "sector": "cement", "province": "Hebei"}.items():
        if name not in frame:
            frame[name] = values
    if "output_t" not in frame:
        frame["output_t"] = frame["emissions_tco2e"]
    horizon = {"first_year": 2025, "last_year": 2025, **dict(policy.pop("horizon", {}))}
    content = {
        "year": horizon["first_year"],
        "rule": {"name": "given"},
        "sectors": {name: {"band": 0.999, "target_change": 1.0} for name in sorted(set(frame["sector"]))},
        "horizon": horizon,
        **policy,
    }
    enterprises, forecast = content.pop("enterprises", None), content.pop("forecast", None)
    table = None
    if measures:
        table = pd.DataFrame(measures)
        if "lifetime_years" not in table:
            table["lifetime_years"] = 1
    return etsopt.Instance.from_frames(frame, content, enterprises, table, forecast)


def at_falling_prices(
    rng: np.random.Generator, measures: list[dict[str, object]]
) -> tuple[etsopt.Instance, np.ndarray]:
    """A unit of 0.1 Mt over three years at drawn prices, and these: as they fall, holding allowances gains nothing."""
    prices = np.sort(rng.uniform(0, 120, 3))[::-1]
    stated: dict[str, Any] = {
        "horizon": {"last_year": 2027, "discount_rate": 0.1},
        "market": {
            "prices_cny_per_t": {str(2025 + t): float(price) for t, price in enumerate(prices)},
            "borrow_pre_allocation": False,
        },
    }
    return market({"emissions_tco2e": [1e5], "reference_t": [1e5]}, measures, **stated), prices


def as_filed(instance: etsopt.Instance, changes: Mapping[str, Any]) -> etsopt.Instance:
    """The instance as if the changes stood in its policy file, of which each model reads its own part."""
    return replace(instance.with_policy(changes), given=frozenset())


def random_market(seed: int, years: int = 1, **policy: Any) -> etsopt.Instance:
    """A market of a few units in two sectors, with measures of all kinds; how much is short differs."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 7))
    emissions = np.round(10 ** rng.uniform(4.5, 6, count))
    units = {
        "emissions_tco2e": list(emissions),
        "reference_t": list(np.round(emissions * rng.uniform(0.8, 1.0, count))),
        "sector": list(rng.choice(["cement", "steel"], count)),
        "enterprise_id": [f"f{k}" for k in rng.integers(0, count, count)],
    }
    measures: list[dict[str, object]] = [
        {
            "measure_id": f"m{number}",
            "sector": str(rng.choice(units["sector"])),
            "abatement_rate": float(rng.uniform(0.02, 0.4)),
            "maximum_share": float(rng.uniform(0.3, 1.0)),
            "capex_cny_per_t": float(rng.uniform(0, 100)),
            "variable_opex_cny_per_t": float(rng.uniform(-5, 20)),
            "lifetime_years": int(rng.integers(1, 20)),
            "first_year": int(2025 + rng.integers(0, years)),
            "exclusive_group": str(rng.choice(["", "", "g"])),
        }
        for number in range(int(rng.integers(2, 6)))
    ]
    stated = {"reference_price_cny_per_t": 200.0} | dict(policy.pop("penalty", {}))
    horizon = {"first_year": 2025, "last_year": 2024 + years}
    return market(units, measures, horizon=horizon, penalty=stated, **policy)


def grouped_market(seed: int, groups: int = 5, size: int = 4, years: int = 1, **market_: Any) -> etsopt.Instance:
    """A market of three units with as many measures each, in groups of which every unit applies one measure at most.

    The measures of a group are neighbours if the seed is even, and far apart if it is odd.
    """
    rng = np.random.default_rng(seed)
    emissions = np.round(10 ** rng.uniform(5, 6, 3))
    units = {"emissions_tco2e": list(emissions), "reference_t": list(np.round(0.9 * emissions))}
    measures: list[dict[str, object]] = [
        {
            "measure_id": f"m{number:02d}",
            "unit_id": f"u{unit}",
            "abatement_rate": float(rng.uniform(0.01, 0.06)),
            "variable_opex_cny_per_t": float(rng.uniform(0.1, 4.0)),
            "exclusive_group": f"g{number % groups if seed % 2 else number // size}",
        }
        for unit in range(3)
        for number in range(groups * size)
    ]
    stated: dict[str, Any] = {"horizon": {"last_year": 2024 + years}, "market": market_}
    return market(units, measures, penalty={"reference_price_cny_per_t": 200.0}, **stated)


def of_model(instance: etsopt.Instance, model: str) -> etsopt.Instance:
    """The instance with what a model starts from: a path with a plan, that of 2024 giving A = E; with evidence."""
    if model == "reconciliation":
        return with_evidence(instance)
    if model != "pathway" or instance.policy.rule.name in BALANCED:
        return instance
    # Under the plan of industry the special cases of power are stated, or its units are refused.
    cases = {"special_cases": list(POWER_CASES)} if instance.policy.rule.name == NATIONAL else {}
    return as_filed(instance, {"rule": {"name": "cn-2024", **cases}})


def some_market(seed: int) -> etsopt.Instance:
    """A random market of one to three years whose measures do not exclude each other."""
    drawn = random_market(seed, 1 + seed % 3)
    assert drawn.measures is not None
    policy = drawn.policy.model_dump(mode="json", exclude_none=True)
    measures = drawn.measures.assign(exclusive_group="")
    rng = np.random.default_rng(seed)
    total = float(drawn.emissions_tco2e.sum())
    stated = {
        "market.transaction_cost_cny_per_t": float(rng.choice([0.0, 0.0, 2.0])),
        "market.auctioned_t": round(total * float(rng.choice([0.0, 0.02, 0.1]))),
        "market.external_demand_t": round(total * float(rng.choice([0.0, -0.02, 0.02]))),
        "abatement.divisible_measures": bool(rng.integers(2)),
    }
    if rng.integers(2):
        stated |= {"market.ccer_price_cny_per_t": 30.0, "market.ccer_supply_t": round(total * 0.01)}
    made = etsopt.Instance.from_frames(drawn.units, policy, measures=measures)
    return made.with_policy(stated)


def known(instance: etsopt.Instance, result: etsopt.Results, price: Any = None) -> market_oracle.Answer:
    """The independent answer to a market that starts from the allocation of a result."""
    share = float(pre_allocation_shares(instance, [instance.policy.year + 1])[0, 0])
    allowance = result.tables["allocation"]["allowance_t"].to_numpy(dtype=float)
    return market_oracle.solve(instance, allowance, share, price)


def two_enterprises() -> etsopt.Instance:
    """Two years of two enterprises with accounts of their own, offsets, auctions, and a reserve."""
    measures = [
        {"measure_id": "cut", "sector": "cement", "abatement_rate": 0.1, "variable_opex_cny_per_t": 5.0},
        {"measure_id": "cut", "sector": "steel", "abatement_rate": 0.2, "variable_opex_cny_per_t": 4.0},
    ]
    return market(
        {"emissions_tco2e": [1000.0, 2000.0], "reference_t": [900.0, 1900.0], "sector": ["cement", "steel"]},
        measures,
        horizon={"last_year": 2026, "discount_rate": 0.25},
        market={
            "prices_cny_per_t": 60.0,
            "transaction_cost_cny_per_t": 2.0,
            "external_demand_t": 50.0,
            "auctioned_t": 40.0,
            "floor_price_cny_per_t": 10.0,
            "ceiling_price_cny_per_t": 80.0,
            "reserve_t": 30.0,
            "ccer_price_cny_per_t": 20.0,
            "ccer_supply_t": 20.0,
            "terminal_price_cny_per_t": 5.0,
        },
        penalty={"reference_price_cny_per_t": 70.0},
    )


def prepared(model: Any, instance: etsopt.Instance, start: str = "", gap: float = 1e-6) -> dict[str, Any]:
    """Parameters with which the engine solves a model, from an allocation of its own choice or of a model named."""
    if not isinstance(model, PreparedModel):
        return dict(model.parameters(instance))
    name = start or model.starts_from
    # What a model starts from is solved whatever keys it does not read.
    first = solve_model.solve_model(library.load(name), instance, name, SolveOptions()) if name else None
    method, before = Method("direct", "", compiled_program), first.tables if first else {}
    return model_inputs.prepared_for(model, instance, SolveOptions(gap=gap), method, before).parameters
