"""Arrays of the program of an outlook that are the same in every case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.data.groups import Groups
from etsopt.data.policy.yearly import by_year
from etsopt_models._outlook.inputs import ELECTRICITY, FIRM, MILLION, STEP, STEPS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._outlook.inputs import Outlook

    Floats = NDArray[np.float64]


def program_arrays(outlook: Outlook) -> dict[str, Any]:
    """Return the arrays of the program that are the same in every case."""
    columns, years, discount = outlook.columns, len(outlook.years), outlook.discount
    shared, limited, elastic, owner = outlook.shared, outlook.limited, outlook.elastic, outlook.owner
    new, most = np.cumsum(columns["largest_new_t"], axis=1), outlook.most
    least_new = np.where(np.isnan(columns["least_new_t"]), -new, columns["least_new_t"])
    flows = _flows(outlook)
    pairs = [(k, other) for k in limited.tolist() for other in _base_of(outlook, k).tolist()]
    limited_of, base = (
        (np.array(part, dtype=np.int64) for part in zip(*pairs, strict=True)) if pairs else (np.zeros(0, int),) * 2
    )
    abates = outlook.holds("supplies", "abatement")[limited_of]
    share = columns["largest_share"][limited_of] * np.where(abates[:, None], outlook.emissions[base], 1.0)
    sector_of_step = np.repeat(elastic, STEPS)
    place = np.tile(np.arange(STEPS), len(elastic))[:, None]
    # A step of a year in which demand does not answer has no size, and no worth.
    answers = outlook.elasticity > 0
    slope = np.divide(outlook.price, outlook.elasticity, out=np.zeros(answers.shape), where=answers)
    cost = np.where(answers, outlook.cost, 0.0)
    worth = cost[sector_of_step] + slope[sector_of_step] * (1 - FIRM - STEP * (place + 0.5))
    market = outlook.instance.policy.market
    offsets = by_year(market.ccer_supply_t, outlook.years, 0.0) / MILLION
    with_emissions = np.maximum(-outlook.emissions, 0.0) + columns["benchmark_tco2e_per_t"]
    gained = (with_emissions * most).sum(axis=0) + np.where(np.isinf(outlook.cap), 0.0, outlook.cap) + offsets
    banked = np.concatenate([[0.0], np.cumsum(gained)]) + outlook.opening
    return {
        "SOURCES": len(owner),
        "SECTORS": len(outlook.demand),
        "YEARS": years,
        "TIMES": years + 1,
        "STEPS": len(sector_of_step),
        "FLOWS": len(flows[0]),
        "PAIRS": len(base),
        "SHARED": shared,
        "LIMITED": limited,
        "FLOWS_OF_SECTOR": Groups.from_labels(flows[1], len(outlook.demand)),
        "STEPS_OF_SECTOR": Groups.from_labels(sector_of_step, len(outlook.demand)),
        "SOURCES_OF_OWNER": Groups.from_labels(owner, len(owner)),
        "PAIRS_OF_SOURCE": Groups.from_labels(limited_of, len(owner)),
        "flow_source": flows[0],
        "flow": flows[2],
        "pair_source": base,
        "share": share,
        "firm_demand": outlook.firm,
        "step_most": outlook.step[sector_of_step],
        "step_worth": discount * worth,
        "least": columns["least_t"],
        "most": np.where(np.isin(owner, shared)[:, None], most, columns["existing_t"]),
        "existing": columns["existing_t"],
        "built_most": np.concatenate([np.zeros((len(owner), 1)), new], axis=1),
        "least_new": least_new,
        "largest_new": columns["largest_new_t"],
        "emission": outlook.emissions,
        "benchmark": columns["benchmark_tco2e_per_t"],
        "source_cost": discount * columns["cost_cny_per_t"],
        "capacity_cost": discount * columns["capacity_cost_cny_per_t"],
        "offset_most": offsets,
        "offset_share": market.ccer_share,
        "offset_cost": discount * by_year(market.ccer_price_cny_per_t, outlook.years, 0.0),
        "banked_least": np.concatenate([[outlook.opening], np.zeros(years)]),
        "banked_most": np.where(_lasting(outlook), banked, 0.0),
    }


def _flows(outlook: Outlook) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return source, sector and amount of each flow: an output into its sector, electricity out of that of power."""
    sectors, made = outlook.instance.sectors, outlook.holds("supplies", "output")
    of_sector = (
        outlook.sources["sector"]
        .map({name: place for place, name in enumerate(sectors)})
        .fillna(-1)
        .to_numpy(dtype=np.int64)
    )
    used = outlook.columns["electricity_mwh_per_t"]
    takes = np.flatnonzero((used != 0).any(axis=1)) if ELECTRICITY in sectors else np.zeros(0, dtype=np.int64)
    makes = np.flatnonzero(made)
    amount = np.concatenate([np.ones((len(makes), len(outlook.years))), -used[takes]])
    power = np.full(len(takes), sectors.index(ELECTRICITY) if len(takes) else 0)
    return np.concatenate([makes, takes]), np.concatenate([of_sector[makes], power]), amount


def _base_of(outlook: Outlook, k: int) -> NDArray[np.int64]:
    """Return the sources of the output, or of its emissions, of which a source may be a share."""
    return np.flatnonzero(
        outlook.holds("sector", outlook.sources["sector"].iloc[k]) & outlook.holds("supplies", "output")
    )


def _lasting(outlook: Outlook) -> NDArray[np.bool_]:
    """Return True for points in time at which allowances may be kept, the opening included, shape ``(t + 1,)``."""
    first = outlook.instance.policy.pathway.no_bank_from
    ends = np.concatenate([[outlook.years[0] - 2], outlook.years])
    return np.full(len(ends), True) if first is None else ends < first - 1
