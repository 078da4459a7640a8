"""Relations after which a result can only improve or only worsen, and conservation in any result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.reliability.relations import allocation, compliance, market, no_better

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

NEAR_T = 1e-3


def a_looser_band(seed: int) -> str | None:
    """Widen every band on both sides: the first objective is never worse, and feasibility stays."""
    parts = allocation(seed)
    wider = {}
    for name, section in parts.policy["sectors"].items():
        for side in ("lower", "upper"):
            wider[f"sectors.{name}.band.{side}"] = 1.3 * section["band"][side] + 0.002
    return no_better(parts.stating(wider).solved(), parts.solved())


def a_tighter_target(seed: int) -> str | None:
    """Lower every target that is a limit: the first objective, independent of the target, is never better."""
    parts = allocation(seed, first=("change", "largest_change", "deficit"))
    lower = {
        f"sectors.{name}.target_change": section["target_change"] - 0.004
        for name, section in parts.policy["sectors"].items()
        if section.get("target_sense") == "at_most"
    }
    return no_better(parts.solved(), parts.stating(lower).solved())


def a_measure_more(seed: int) -> str | None:
    """Add one measure: no market costs more."""
    parts = market(seed, ("clearing", "abatement", "pathway")[seed % 3])
    assert parts.measures is not None
    random = np.random.default_rng(seed)
    new = parts.measures.iloc[[0]].assign(
        measure_id="new",
        abatement_rate=float(random.uniform(0.05, 0.3)),
        variable_opex_cny_per_t=float(random.uniform(0, 10)),
    )
    other = replace(parts, measures=pd.concat([parts.measures, new]))
    return no_better(other.solved(), parts.solved())


def more_free_allowances(seed: int) -> str | None:
    """Give one unit 5 % more free allowances: neither price takers nor a clearing market pay more."""
    parts = market(seed, ("clearing", "abatement")[seed % 2])
    units = parts.units.copy()
    place = seed // 2 % len(units)
    units.loc[units.index[place], "reference_t"] += np.round(0.05 * units["emissions_tco2e"].iloc[place])
    return no_better(replace(parts, units=units).solved(), parts.solved())


def what_is_sold_is_bought(seed: int) -> str | None:
    """Check that allowances are conserved in every account and year, and that trades add up to the external supply."""
    if seed % 3 == 0:
        return settled(compliance(seed).solved())
    parts = market(seed, ("clearing", "pathway")[seed % 2])
    result = parts.solved()
    if "years" not in result.tables:
        return None
    own = result.tables["enterprise_years"]
    left = own["banked_before_t"] + own["allowance_t"] + own["bought_t"]
    left -= own["surrendered_t"] + own["sold_t"] + own["banked_t"]
    if left.abs().max() > NEAR_T:
        return f"an account loses {left.abs().max():g} t"
    before = own.sort_values("year").groupby("enterprise_id")["outstanding_t"].shift(fill_value=0.0)
    owed = own["emissions_tco2e"] + before - own["surrendered_t"] - own["offset_t"] - own["outstanding_t"]
    if owed.abs().max() > NEAR_T:
        return f"an obligation of {owed.abs().max():g} t is lost"
    table = result.tables["years"]
    # Unsold allowances are not part of the auctioned ones.
    outside = table["auctioned_t"] + table["released_t"] - table["intake_t"]
    traded = table["bought_t"] - table["sold_t"] - outside + table["external_demand_t"]
    return "" if traded.abs().max() <= NEAR_T else f"trades leave {traded.abs().max():g} t"


def settled(result: Results) -> str:
    """Check conservation in whole allowances, by vintage and enterprise."""
    came = ["opening_t", "carried_over_t", "issued_t", "bought_t"]
    went = ["surrendered_t", "sold_t", "cancelled_t", "closing_t"]
    for name in ("compliance", "holdings", "compliance_provinces", "nation"):
        table = result.tables[name]
        if not (table[came].sum(axis=1) == table[went].sum(axis=1)).all():
            return f"{name} loses allowances"
    table = result.tables["compliance"]
    paid = table["surrendered_t"] + table["offset_t"] + table["shortfall_t"]
    return "" if (paid == table["obligation_t"]).all() else "an obligation is lost"


def a_price_of_zero(seed: int) -> str | None:
    """At a price of zero no unit pays for a measure; without scarcity the market price is zero."""
    parts = market(seed, ("clearing", "abatement")[seed % 2], market=FREE)
    assert parts.measures is not None
    costs = parts.measures["variable_opex_cny_per_t"].abs() + 0.5
    units = parts.units.assign(reference_t=parts.units["emissions_tco2e"] + (1.0 if parts.model == "clearing" else 0.0))
    policy: dict[str, Any] = parts.policy
    if parts.model == "abatement":
        units = parts.units
        policy["market"]["prices_cny_per_t"] = 0.0
    result = replace(parts, units=units, measures=parts.measures.assign(variable_opex_cny_per_t=costs)).solved()
    if result.termination != "optimal":
        return f"{result.status} where everything is free"
    table = result.tables["years"]
    if table["measures_cost_cny"].abs().max() > 0 or abs(result.levels[-1].value) > NEAR_T:
        return f"costs {result.levels[-1].value:g} CNY, and its measures {table['measures_cost_cny'].sum():g} CNY"
    return "" if table["price_cny_per_t"].abs().max() == 0 else f"a price of {table['price_cny_per_t'].max():g} CNY/t"


FREE = {"transaction_cost_cny_per_t": 0.0, "auctioned_t": 0.0, "external_demand_t": 0.0, "ccer_supply_t": 0.0}
