"""Draw an allocation beside the reference allocation: surplus rates by intensity, and the balance of provinces.

Run on a folder written by `etsopt solve INSTANCE --out RUN`: ``python instances/draw_allocation.py RUN PICTURE.svg``.
Needs matplotlib, one of the development requirements.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import etsopt

COLOURS = {"cement": "#7a6a58", "steel": "#2f6690", "aluminium": "#c8553d", "power": "#5b8c5a"}


def draw(run: Path, picture: Path) -> None:
    """Draw the two panels and write them as SVG."""
    mpl.rcParams.update(
        {"svg.hashsalt": "etsopt", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    result = etsopt.load(run)
    units, sectors = result.tables["allocation"], result.tables["sectors"].set_index("sector")
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), width_ratios=[1.25, 1], layout="constrained")
    _rates(left, units, sectors)
    _provinces(right, result.tables["provinces"])
    changes = {sector: policy.get("target_change") for sector, policy in result.provenance["policy"]["sectors"].items()}
    targets = "".join(f", {sector} {100 * change:+g} %" for sector, change in changes.items() if change)
    title = f"{result.provenance['instance']}{targets}: allowances chosen by etsopt beside those of the rule"
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    figure.savefig(picture, metadata={"Date": None}, dpi=160)


def _rates(axes: Any, units: pd.DataFrame, sectors: pd.DataFrame) -> None:
    balance = units["sector"].map(sectors["balance_value"])
    deviation = 100 * (balance - units["intensity"]) / balance
    line = np.linspace(-30, 30, 200)
    axes.plot(line, np.clip(0.15 * line, -3, 3), color="0.55", lw=1.2, zorder=1, label="the rule alone")
    for name, part in units.groupby("sector"):
        size = 4 + 40 * np.sqrt(part["emissions_tco2e"] / units["emissions_tco2e"].max())
        axes.scatter(
            deviation[part.index],
            100 * part["surplus_rate"],
            s=size,
            color=COLOURS[name],
            alpha=0.55,
            lw=0,
            label=name,
            zorder=2,
            rasterized=True,
        )
    for bound in (-3, 3):
        axes.axhline(bound, color="0.8", lw=0.8, ls=":")
    axes.set(
        xlim=(-30, 25),
        ylim=(-3.6, 3.6),
        xlabel="intensity better than the sector's balance value [%]",
        ylabel="surplus rate [%]",
    )
    axes.set_title("One dot a unit, its area by emissions", loc="left", fontsize=9)
    axes.legend(frameon=False, loc="upper left", markerscale=1.0)


def _provinces(axes: Any, provinces: pd.DataFrame) -> None:
    rule = 100 * (provinces["reference_t"] - provinces["emissions_tco2e"]) / provinces["emissions_tco2e"]
    order = rule.sort_values().index
    place = np.arange(len(order))
    axes.hlines(place, rule[order], 100 * provinces["surplus_rate"][order], color="0.8", lw=1.5, zorder=1)
    axes.scatter(rule[order], place, s=14, facecolors="white", edgecolors="0.45", zorder=2, label="the rule alone")
    axes.scatter(100 * provinces["surplus_rate"][order], place, s=14, color="#2f6690", zorder=3, label="etsopt")
    limit = 100 * float((provinces["balance_limit_t"] / provinces["emissions_tco2e"]).max())
    axes.axvspan(-limit, limit, color="#2f6690", alpha=0.08, lw=0)
    axes.set_yticks(place, provinces["province"][order], fontsize=6.5)
    axes.set(xlabel="surplus of the province [% of its emissions]")
    axes.set_title(f"Every province within ±{limit:.2g} %", loc="left", fontsize=9)
    axes.legend(frameon=False, loc="lower right")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    draw(arguments.run, arguments.picture)
