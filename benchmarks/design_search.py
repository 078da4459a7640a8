"""The design search against scrambled Sobol points of equal number: `python -m benchmarks.design_search`.

Both choose bands of three sectors, the balance of provinces and the tightening of steel in `cn-2025`, for little moved
against the rule, few allowances, and no unit with a large deficit. What counts is the volume that the front leaves
behind, relative to a reference that all designs are better than.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import etsopt
from benchmarks.reporting import FOLDER, machine, provenance, table, versions, write_json
from etsopt.studies.designing import design_of, designs_of, hypervolume, search
from etsopt.studies.sweeping import Record
from etsopt.studies.sweeping.engine import Engine

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.studies.designing import DesignPlan

SEEDS = (1, 2, 3)
GENERATIONS, POPULATION = 10, 32

FILE: dict[str, Any] = {
    "instance": "cn-2025",
    "generations": GENERATIONS,
    "population": POPULATION,
    "choose": {
        "sectors.cement.band": {"lower": 0.01, "upper": 0.05},
        "sectors.steel.band": {"lower": 0.01, "upper": 0.05},
        "sectors.aluminium.band": {"lower": 0.01, "upper": 0.05},
        "provinces.balance": {"lower": 0.005, "upper": 0.03},
        "sectors.steel.target_change": {"lower": -0.02, "upper": 0.0},
    },
    "goals": {
        "moved": {"table": "levels", "id": "change", "quantity": "value"},
        "allowances": {"table": "sectors", "quantity": "allowance_t"},
        "burden": {"table": "allocation", "quantity": "surplus_rate", "take": "least", "best": "largest"},
    },
}


def costs_of(plan: DesignPlan, table: Any) -> NDArray[np.float64]:
    """Return the goals of proven designs within the limits, less is better."""
    signs = np.array([1.0 if goal.best == "least" else -1.0 for goal in plan.goals.values()])
    within = table[table["within_limits"] & (table["design"] != "enacted")]
    return within[[*plan.goals]].to_numpy(dtype=float) * signs


def searched(plan: DesignPlan, instance: Any) -> NDArray[np.float64]:
    """Return the goals of the designs of the search."""
    with tempfile.TemporaryDirectory() as folder, Record(Path(folder) / "design.sqlite") as record:
        search(plan, instance, record)
        return costs_of(plan, designs_of(plan, record))


def sobol(plan: DesignPlan, instance: Any, seed: int) -> NDArray[np.float64]:
    """Return the goals of as many points of a scrambled Sobol sequence."""
    from scipy.stats import qmc

    number = plan.generations * plan.population
    shares = qmc.Sobol(len(plan.choose), seed=seed).random_base2(int(np.ceil(np.log2(number))))[:number]
    rows, engine = [], Engine.of(plan, instance)
    for place, share in enumerate(shares):
        pairs = zip(plan.choose.items(), share, strict=True)
        values = {key: float(one.lower + part * (one.upper - one.lower)) for (key, one), part in pairs}
        outcome = engine.outcome(place, plan.design(f"sobol-{place}", values))
        if outcome.certified and outcome.status.startswith("certified"):
            found = [goal.of(outcome.values) for goal in plan.goals.values()]
            rows.append(
                [-one if goal.best == "largest" else one for goal, one in zip(plan.goals.values(), found, strict=True)]
            )
    return np.array(rows, dtype=float)


def main() -> int:
    instance, found = etsopt.read("cn-2025"), []
    for seed in SEEDS:
        plan = design_of(FILE | {"seed": seed})
        both = {"search": searched(plan, instance), "sobol": sobol(plan, instance, seed)}
        every = np.concatenate([*both.values()])
        # Goals are scaled to the range of all designs, so that none counts more than the others.
        low, high = every.min(axis=0), every.max(axis=0)
        row: dict[str, Any] = {"seed": seed}
        for name, costs in both.items():
            row[name] = hypervolume((costs - low) / (high - low), np.full(len(low), 1.0 + 1e-9))
            row[f"{name}_designs"] = len(costs)
        found.append(row)
        print(row, file=sys.stderr, flush=True)
    head = ["seed", "search", "Sobol points", "ratio", "certified designs of each"]
    rows = [
        [
            *(str(one["seed"]), f"{one['search']:.4f}", f"{one['sobol']:.4f}", f"{one['search'] / one['sobol']:.3f}"),
            f"{one['search_designs']} and {one['sobol_designs']}",
        ]
        for one in found
    ]
    ratios = [one["search"] / one["sobol"] for one in found]
    verdict = "better in every run" if min(ratios) > 1 else "not better in every run"
    text = f"""# Design search against Sobol points

{__doc__.partition(chr(10) * 2)[2].strip()}

{table(head, rows)}

Each has {GENERATIONS * POPULATION} designs of {len(instance.units):,} units, solved and checked. The search is
{verdict}.

{provenance(machine(), versions(["optuna", "scipy", "highspy"]))}
"""
    (FOLDER / "design_search.md").write_text(text, encoding="utf-8")
    write_json("design_search.json", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
