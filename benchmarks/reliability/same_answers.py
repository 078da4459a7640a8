"""Relations after which the result is equal or scaled."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import etsopt
from benchmarks.reliability.fuzzed import Case, solve
from benchmarks.reliability.relations import Parts, allocation, compliance, market, same
from etsopt.data.files.write import write_instance

IN_TONNES = ("emissions_tco2e", "output_t", "reference_t", "prior_emissions_tco2e")
COSTS = ("capex_cny_per_t", "fixed_opex_cny_per_t", "variable_opex_cny_per_t", "fuel_saving_cny_per_t")
PRICES = ("prices", "transaction_cost", "ccer_price", "floor_price", "ceiling_price", "terminal_price")


def any_of(seed: int, **options: Any) -> Parts:
    """Return an allocation or, every third time, a market."""
    return market(seed) if seed % 3 == 0 else allocation(seed, **options)


def another_order_of_rows(seed: int) -> str | None:
    """Shuffle the rows of all tables: every result table is equal to the last bit."""
    parts = (allocation, market, compliance)[seed % 3](seed)
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        write_instance(parts.instance, Path(folder))
        for path in Path(folder).glob("*.csv"):
            head, *lines = path.read_text(encoding="utf-8").splitlines()
            path.write_text("\n".join([head, *random.permutation(lines)]) + "\n", encoding="utf-8")
        one, other = parts.solved(), etsopt.solve(etsopt.read(folder), parts.model)
    for name, table in one.tables.items():
        if not table.astype(object).equals(other.tables[name].astype(object)):
            return f"the table {name} differs"
    return "" if one.tables.keys() == other.tables.keys() else "other tables"


def other_names(seed: int) -> str | None:
    """Rename units, enterprises and provinces, which changes their order."""
    parts, random = any_of(seed), np.random.default_rng(seed)
    units = parts.units.copy()
    for column in ("unit_id", "enterprise_id", "province"):
        names = sorted(set(units[column]))
        new = dict(zip(names, (f"n{number}" for number in random.permutation(len(names))), strict=True))
        units[column] = units[column].map(new)
    return same(parts.solved(), replace(parts, units=units).solved())


def a_unit_split_in_two(seed: int) -> str | None:
    """Split a unit into two halves of equal intensity in one enterprise."""
    parts = market(seed, abatement={"divisible_measures": True}) if seed % 3 == 0 else allocation(seed, whole=False)
    place = seed % len(parts.units)
    halves = parts.units.iloc[[place, place]].copy()
    for column in IN_TONNES:
        if column in halves:
            halves[column] = halves[column] / 2
    halves["unit_id"] = ["half-1", "half-2"]
    units = pd.concat([parts.units.drop(index=parts.units.index[place]), halves])
    return same(parts.solved(), replace(parts, units=units).solved())


def an_idle_unit_more(seed: int) -> str | None:
    """Add a unit without emissions."""
    parts = any_of(seed)
    idle = parts.units.iloc[[0]].assign(unit_id="idle", enterprise_id="idle", emissions_tco2e=0.0, reference_t=0.0)
    if parts.model != "allocation":
        # In a sector without measures, because measures cost or save by output.
        idle["sector"] = "aluminium"
    return same(parts.solved(), replace(parts, units=pd.concat([parts.units, idle])).solved())


def tonnes_times_a_power_of_two(seed: int) -> str | None:
    """Scale all tonnes: objectives in tonnes and costs scale, rates stay."""
    parts = any_of(seed, whole=False)
    factor = 2.0 ** int(np.random.default_rng(seed).integers(-4, 7))
    columns = [column for column in IN_TONNES if column in parts.units]
    units = parts.units.assign(**{column: parts.units[column] * factor for column in columns})
    policy = dict(parts.policy)
    if "market" in policy:
        scaled = {key: value * factor for key, value in policy["market"].items() if key.endswith("_t")}
        scaled = {key: value for key, value in scaled.items() if not key.endswith("per_t")}
        policy["market"] = {**policy["market"], **scaled}
    other = replace(parts, units=units, policy=policy).solved()
    return same(parts.solved(), other, {"t": factor, "CNY": factor})


def money_times_a_power_of_ten(seed: int) -> str | None:
    """Scale all prices and costs of a market: its cost scales."""
    parts = market(seed, ("clearing", "abatement", "pathway")[seed % 3])
    factor = 10.0 ** int(np.random.default_rng(seed).integers(-2, 4))
    assert parts.measures is not None
    columns = [column for column in COSTS if column in parts.measures]
    measures = parts.measures.assign(**{column: parts.measures[column] * factor for column in columns})
    policy = {**parts.policy, "penalty": scaled(parts.policy["penalty"], factor)}
    policy["market"] = scaled(policy["market"], factor)
    other = replace(parts, measures=measures, policy=policy).solved()
    return same(parts.solved(), other, {"CNY": factor})


def scaled(section: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return a section with every amount of money scaled."""
    return {key: value * factor if "_cny" in key and value is not None else value for key, value in section.items()}


def what_an_answer_has_made_a_target(seed: int) -> str | None:
    """Make each sector's resulting total its exact target: the result stays feasible and therefore optimal."""
    parts = allocation(seed)
    one = parts.solved()
    if "allocation" not in one.tables or "spread" in parts.policy["allocation"]["objectives"]:
        # Without limits on totals there is a result; the spread is relative to the target itself.
        sectors = {name: {"band": section["band"]} for name, section in parts.policy["sectors"].items()}
        stated = {**parts.policy["allocation"], "objectives": ["change", "largest_change"]}
        parts = replace(parts, policy={**parts.policy, "sectors": sectors, "allocation": stated})
        parts.policy.pop("national", None)
        one = parts.solved()
    totals = one.tables["allocation"].groupby("sector")["allowance_t"].sum()
    other = parts.stating({f"sectors.{name}.target_t": float(total) for name, total in totals.items()})
    other = other.stating({f"sectors.{name}.target_sense": "exactly" for name in totals.index})
    return same(one, other.solved())


def without_presolve(seed: int) -> str | None:
    """Solve without presolve."""
    parts = any_of(seed)
    return same(parts.solved(), parts.solved(solver_options={"presolve": "off"}))


def by_another_method(seed: int) -> str | None:
    """Solve by each method other than the default for few units."""
    parts = any_of(seed)
    other = ("pyomo", "aggregation" if parts.model == "allocation" else "decomposition")[seed // 3 % 2]
    return same(parts.solved(), solve(Case(parts.model, parts.instance, other)))
