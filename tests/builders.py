"""Instances for the tests of models, checker and solver: small ones by hand, random ones by a seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import etsopt
from etsopt.rules import reference_allowances
from etsopt_models._allocation.tables import allocation_tables

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

TYPICAL_INTENSITY = {"cement": 0.83, "steel": 2.06, "aluminium": 1.57}


def given(
    rows: list[tuple[str, str, str, str, float, float]], policy: Mapping[str, Any], **columns: list[Any]
) -> etsopt.Instance:
    """An instance of the rule ``given``: rows of unit, enterprise, sector, province, emissions, reference."""
    names = ["unit_id", "enterprise_id", "sector", "province", "emissions_tco2e", "reference_t"]
    units = pd.DataFrame(rows, columns=names).assign(**columns)
    return etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "given"}, **policy})


def random_units(seed: int, count: int, *, cases: bool = True) -> pd.DataFrame:
    """Units of three sectors in three provinces: some own several, some are special cases or small."""
    random = np.random.default_rng(seed)
    sector = random.choice(["cement", "cement", "steel", "aluminium"], count)
    sector[:2] = "cement"
    emissions = np.round(10 ** random.uniform(4.6, 6.5, count))
    typical = pd.Series(sector).map(TYPICAL_INTENSITY).to_numpy()
    output = np.round(emissions / (typical * random.uniform(0.75, 1.3, count)))
    # Two units with the same intensity, so that the order of rates has an equality.
    emissions[1], output[1] = 2 * emissions[0], 2 * output[0]
    units = pd.DataFrame(
        {
            "unit_id": [f"u{number:03d}" for number in range(count)],
            "enterprise_id": [f"e{owner:02d}" for owner in random.integers(0, max(count * 2 // 3, 1), count)],
            "sector": sector,
            "province": random.choice(["Anhui", "Hebei", "Yunnan"], count),
            "emissions_tco2e": emissions,
            "output_t": output,
            "prior_emissions_tco2e": np.round(emissions * random.uniform(0.9, 1.1, count)),
        }
    )
    if cases:
        case = random.choice(["", "", "", "", "", "new"], count)
        case[:2] = ""
        units["special_case"] = case
        units["pre_allocated_t"] = np.where(random.random(count) < 0.2, np.round(emissions * 1.1), np.nan)
    return units


def random_policy(seed: int, units: pd.DataFrame, **allocation: Any) -> dict[str, Any]:
    """A policy for `random_units` with targets a little below emissions and balances of one to two per cent."""
    random = np.random.default_rng(seed + 10_000)
    sectors = {
        str(name): {
            "band": {"lower": round(random.uniform(0.03, 0.05), 4), "upper": 0.04},
            "target_change": round(random.uniform(-0.012, 0.0), 4),
        }
        for name in sorted(set(units["sector"]))
    }
    balance: Any = round(random.uniform(0.015, 0.025), 4)
    if seed % 2:
        balance = {"Anhui": balance} if (units["province"] == "Anhui").any() else None
    policy: dict[str, Any] = {
        "year": 2025,
        "rule": {"name": "cn-2025", "threshold_tco2e": 50_000.0},
        "sectors": sectors,
        "allocation": allocation,
    }
    if balance is not None:
        policy["provinces"] = {"balance": balance}
    if seed % 3 == 0:
        policy["national"] = {"target_change": -0.006}
    return policy


def random_instance(seed: int, count: int = 14, *, cases: bool = True, **allocation: Any) -> etsopt.Instance:
    """An instance by its seed; what stands in ``[allocation]`` by keyword."""
    units = random_units(seed, count, cases=cases)
    return etsopt.Instance.from_frames(units, random_policy(seed, units, **allocation), name=f"random {seed}")


def allowances(result: Results) -> pd.Series[float]:
    """Allowances by unit."""
    table = result.tables["allocation"]
    return pd.Series(table["allowance_t"].to_numpy(), index=pd.Index(table["unit_id"]))


def moved(
    instance: etsopt.Instance, result: Results, by: Mapping[str, float] | Callable[[pd.Series[float]], Any]
) -> dict[str, pd.DataFrame]:
    """All tables as they would be with some allowances moved, with the duals of the result."""
    allowance = allowances(result)
    if callable(by):
        allowance = by(allowance)
    else:
        for unit, tonnes in by.items():
            allowance[unit] += tonnes
    free = np.flatnonzero(~reference_allowances(instance).fixed)
    tables = allocation_tables(instance, allowance.to_numpy(dtype=float)[free])
    for name, key in (("sectors", "sector"), ("provinces", "province")):
        prices = [column for column in result.tables[name] if column.endswith("_shadow_price")]
        tables[name] = tables[name].merge(result.tables[name][[key, *prices]], on=key)
    return tables | {"duals": result.tables["duals"].copy()}
