"""Caps and tightening of China: emissions in 2035, cost and burden; run ``python -m benchmarks.national_front``.

Runs the design search of ``national_front.toml`` into a folder, and goes on where it ended before. Writes
``benchmarks/national_front.md`` and ``national_front.svg``.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.reporting import FOLDER, machine, provenance, table, versions
from etsopt.cli import main as command
from etsopt.presenting.charts.drawing import save
from etsopt.studies.designing.design_document import DesignSummary
from etsopt.studies.designing.plan import ENACTED

if TYPE_CHECKING:
    from collections.abc import Mapping

PLAN = FOLDER / "national_front.toml"

COLUMNS = {
    "design": ("design", 1.0, "s"),
    "pathway.cap_t.2030": ("cap of 2030 [Mt]", 1e6, ",.0f"),
    "pathway.cap_t.2035": ("cap of 2035 [Mt]", 1e6, ",.0f"),
    "pathway.tightening": ("tightening a year [%]", 0.01, ".2f"),
    "emissions_2035": ("emissions of 2035 [Mt]", 1e6, ",.0f"),
    "cost": ("discounted cost to 2060 [CNY billion]", 1e9, ",.0f"),
    "burden_2035": ("largest burden of 2035 [CNY/t]", 1.0, ",.1f"),
}
"""Columns of the page: heading, unit in which it is stated, and format."""


def cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of a design; an enacted one has what its instance states."""
    found = []
    for name, (_, unit, form) in COLUMNS.items():
        value = row[name]
        if isinstance(value, str):
            found.append(value)
        else:
            found.append("as enacted" if value is None or math.isnan(value) else format(value / unit, form))
    return found


def page(design: DesignSummary) -> str:
    """Return the page of a search."""
    designs, front = design.designs, design.front
    proven = designs[designs["certified"] & designs[[*design.plan.goals]].notna().all(axis=1)]
    enacted, on_front = designs[designs["design"] == ENACTED], ENACTED in front["design"].tolist()
    shown = [*([] if on_front else enacted.to_dict("records")), *front.to_dict("records")]
    # The search proposes some designs again; the first of each is shown.
    rows = {tuple(row[1:]): row for row in reversed(list(map(cells, shown)))}
    different = len(rows) - (not on_front)
    return f"""# Emissions in 2035 against cost and burden

`python -m benchmarks.national_front` writes this page: a design search on `cn-national-2025-2060`, the whole system to
2060. A design chooses the absolute caps of 2030 and 2035 and the yearly tightening before them; the cap of 2060 stays.
Costs are resource costs of the path, discounted to 2025. The burden is the largest cost of an enterprise in 2035, for
each tonne that it emits, trades included. Outputs, costs of measures and the stock of 2025 are assumptions of the
[instance](../instances/cn-national-2025-2060/README.md).

![goals of the designs, the front, and the enacted design](national_front.svg)

Of {len(designs):,} designs {len(proven):,} have a certified answer. On the front are {different:,} different ones, with
repetitions {len(front):,}: no other design of the search beats them in every goal. The enacted design is
{"" if on_front else "not "}on the front.

{table([heading for heading, *_ in COLUMNS.values()], reversed(rows.values()), ["design"])}

Nothing proves that no better design exists: the search chooses by NSGA-II, with the seed of `national_front.toml`.

{provenance(machine(), versions(["optuna", "highspy", "numpy", "pandas"]))}
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.national_front", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("runs/national-front"), help="record of the search")
    parser.add_argument("--workers", default="2", help="processes")
    given = parser.parse_args()
    code = command(["design", str(PLAN), "--out", str(given.folder), "--workers", given.workers, "--resume"])
    if code:
        return code
    design = DesignSummary.read(given.folder)
    save(design.chart, FOLDER / "national_front.svg")
    (FOLDER / "national_front.md").write_text(page(design), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
