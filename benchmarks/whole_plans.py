"""Hard markets of whole plans: gap, CPU time and certificate of each; ``python -m benchmarks.whole_plans``.

Heavy-tailed sizes, equal sizes, two clusters of costs, few and many measures, some units twenty times as large, one
and ten years, with and without a transaction cost. Each case runs in a separate process. Fills a section of
``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import etsopt
from benchmarks.at_scale.markets import DEMAND_SHARE, instance_of
from benchmarks.reporting import child, fill, machine, provenance, table, versions, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SEEDS, TAILS, FRICTIONS = (1, 2, 3, 4, 5), (1.6, 2.4), (0.0, 1.0)
PATIENCE_S = 300.0
SIZES = ("emissions_tco2e", "output_t", "intensity_output_t", "intensity_emissions_tco2e")
COSTS = ("capex_cny_per_t", "fixed_opex_cny_per_t", "variable_opex_cny_per_t")


def resized(
    units: int, seed: int, friction: float, factor: Callable[[pd.DataFrame], NDArray[np.float64]], measures: int = 4
) -> etsopt.Instance:
    """Return a generated market of one year with unit sizes multiplied by `factor`, and demand of other sectors."""
    made = etsopt.generate(units, seed=seed, measures=measures, own=True)
    frame = made.units.copy()
    times = factor(frame)
    for column in frame.columns.intersection(SIZES):
        frame[column] = (frame[column] * times).round(3)
    return short(made, frame, friction)


def short(made: etsopt.Instance, units: pd.DataFrame, friction: float) -> etsopt.Instance:
    policy = made.policy.model_dump(mode="json", exclude_none=True)
    policy["horizon"]["last_year"] = made.policy.year
    policy["market"]["external_demand_t"] = round(DEMAND_SHARE * float(units["emissions_tco2e"].sum()))
    policy["market"]["transaction_cost_cny_per_t"] = friction
    return etsopt.Instance.from_frames(units, policy, measures=made.measures, name=made.name)


def heavy(seed: int, tail: float, friction: float) -> etsopt.Instance:
    random = np.random.default_rng(seed + 99)
    return resized(6_000, seed, friction, lambda frame: np.minimum(np.exp(random.normal(0, tail, len(frame))), 3e4))


def some_large(friction: float) -> etsopt.Instance:
    """Return a market in which one unit in twenty is twenty times as large."""
    return resized(6_000, 1, friction, lambda frame: np.where(np.arange(len(frame)) % 20 == 0, 20.0, 1.0))


def equal(friction: float) -> etsopt.Instance:
    """Return a market in which all units of a sector have one size."""
    return resized(
        4_000,
        1,
        friction,
        lambda frame: (
            frame.groupby("sector")["emissions_tco2e"].transform("first") / frame["emissions_tco2e"]
        ).to_numpy(),
    )


def two_heaps(friction: float) -> etsopt.Instance:
    """Return a market in which half of the measures cost a tenth."""
    made = etsopt.generate(6_000, seed=1, measures=4, own=True)
    assert made.measures is not None
    cheap = np.where(np.arange(len(made.measures)) % 2 == 0, 0.1, 1.0)
    costs = {name: made.measures[name] * cheap for name in made.measures.columns.intersection(COSTS)}
    instance = etsopt.Instance.from_frames(
        made.units,
        made.policy.model_dump(mode="json", exclude_none=True),
        measures=made.measures.assign(**costs),
        name=made.name,
    )
    return short(instance, instance.units, friction)


def grouped(friction: float, groups: int = 5, size: int = 4) -> etsopt.Instance:
    """Return a market of 1,000 units with 20 measures each, in five groups of four that exclude each other."""
    parts, number = [], np.arange(groups * size)
    for measures in (8, 12):
        made = etsopt.generate(1_000, seed=1, measures=measures, own=True)
        assert made.measures is not None
        parts.append(made.measures)
    table = pd.concat(parts).sort_values("unit_id", kind="stable", ignore_index=True)
    table["measure_id"] = np.tile([f"m{one:02d}" for one in number], len(made.units))
    table["exclusive_group"] = np.tile([f"g{one // size}" for one in number], len(made.units))
    policy = made.policy.model_dump(mode="json", exclude_none=True)
    measured = etsopt.Instance.from_frames(made.units, policy, measures=table.assign(requires=""), name=made.name)
    return short(measured, measured.units, friction)


def cases() -> dict[str, tuple[str, Callable[[], etsopt.Instance]]]:
    """Return model and instance of each case, by name."""
    found: dict[str, tuple[str, Callable[[], etsopt.Instance]]] = {}
    for units, seeds in ((300, (1, 3)), (1_300, range(1, 9))):
        for seed in seeds:
            name = f"clearing, {units:,} units, seed {seed}"
            found[name] = (
                "clearing",
                lambda units=units, seed=seed: resized(  # type: ignore[misc]
                    units, seed, 0.0, lambda frame: np.ones(len(frame))
                ),
            )
    for units in (15_000, 150_000, 1_000_000):
        found[f"clearing, {units:,} units"] = "clearing", lambda units=units: instance_of("clearing", units, 0.0)  # type: ignore[misc]
    for friction in FRICTIONS:
        words = f"transaction cost {friction:g}"
        for tail in TAILS:
            for seed in SEEDS:
                found[f"tail {tail:g}, seed {seed}, {words}"] = (
                    "clearing",
                    lambda seed=seed, tail=tail, friction=friction: heavy(seed, tail, friction),  # type: ignore[misc]
                )
        found[f"equal sizes, {words}"] = "clearing", lambda friction=friction: equal(friction)  # type: ignore[misc]
        found[f"costs in two heaps, {words}"] = "clearing", lambda friction=friction: two_heaps(friction)  # type: ignore[misc]
        found[f"some units x 20, {words}"] = "clearing", lambda friction=friction: some_large(friction)  # type: ignore[misc]
        for measures in (2, 8, 12):
            units = 6_000 if measures < 12 else 1_300
            found[f"{measures} measures, {words}"] = (
                "clearing",
                lambda measures=measures, units=units, friction=friction: resized(  # type: ignore[misc]
                    units, 1, friction, lambda frame: np.ones(len(frame)), measures
                ),
            )
        found[f"20 measures in groups of 4, {words}"] = "clearing", lambda friction=friction: grouped(friction)  # type: ignore[misc]
        for units in (300, 2_000, 6_000, 20_000):
            found[f"pathway, {units:,} units, {words}"] = (
                "pathway",
                lambda units=units, friction=friction: instance_of("pathway", units, friction),  # type: ignore[misc]
            )
    return found


def solved(name: str) -> dict[str, float | str]:
    """Return the figures of one case."""
    model, make = cases()[name]
    instance = make()
    before = time.process_time()
    result = etsopt.solve(instance, model)
    cpu_s = time.process_time() - before
    if not result.levels:
        return {"case": name, "status": result.status, "cpu_s": cpu_s}
    level, leaves = result.levels[-1], result.tables.get("leaves")
    before = time.process_time()
    report = etsopt.check(instance, result)
    return {
        "case": name,
        "status": result.status,
        "value_cny": level.value,
        "gap": level.gap / max(abs(level.value), 1e-300),
        "cpu_s": cpu_s,
        "check_s": time.process_time() - before,
        "leaves": 1 if leaves is None else int(leaves["leaf"].max()),
        "multipliers": int(result.tables["duals"]["level"].str.startswith("cost").sum()),
        "violations": len(report.violations),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", help="of one process, printed as JSON")
    parser.add_argument("--only", default="", help="cases whose names hold this text; the table is then only printed")
    given = parser.parse_args()
    if given.case:
        print(json.dumps(solved(given.case)))
        return
    figures = []
    for name in cases():
        if given.only in name:
            said = child("benchmarks.whole_plans", "--case", name, timeout_s=PATIENCE_S)
            figures.append({"case": name, **said})
            print(figures[-1], flush=True)
    rows = [
        (
            str(one["case"]),
            str(one.get("status", "")),
            f"{one['gap']:.1e}" if "gap" in one else "",
            f"{one['cpu_s']:.1f}" if "cpu_s" in one else "",
            f"{one['check_s']:.2f}" if "check_s" in one else "",
            f"{one.get('leaves', '')}",
            f"{one.get('multipliers', '')}",
        )
        for one in figures
    ]
    head = ("market", "status", "gap", "CPU s", "check s", "leaves", "multipliers")
    text = table(head, rows)
    if given.only:
        print(text)
        return
    found = machine() | {"versions": versions(("etsopt", "highspy", "numpy")), "cases": figures}
    write_json("whole_plans.json", found)
    fill("whole plans", f"{provenance(found, found['versions'])}\n\n{text}")


if __name__ == "__main__":
    main()
