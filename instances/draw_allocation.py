"""Draw an allocation beside the reference allocation: surplus rates by intensity, and the balance of provinces.

Run on a folder written by `etsopt solve INSTANCE --out RUN`: ``python instances/draw_allocation.py RUN PICTURE.svg``.
Needs the extra ``plot``. Both panels are charts of `etsopt.presenting.charts`; here they become one picture.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import etsopt
from etsopt.presenting.charts import Chart
from etsopt.presenting.charts.drawing import save


def draw(run: Path, picture: Path) -> None:
    """Draw the two panels and write them."""
    result = etsopt.load(run)
    (left,), (right,) = (result.plot.chart(kind).panels for kind in ("surplus", "provinces"))
    titles = "units, their area by emissions", "provinces"
    panels = tuple(replace(panel, title=title) for panel, title in zip((left, right), titles, strict=True))
    changes = {sector: policy.get("target_change") for sector, policy in result.provenance.policy["sectors"].items()}
    targets = "".join(f", {sector} {100 * change:+g} %" for sector, change in changes.items() if change)
    name = f"{result.provenance.instance}{targets}"
    title = f"{name}: allowances chosen by etsopt beside those of the rule"
    save(Chart("allocation", title, panels), picture)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    draw(arguments.run, arguments.picture)
