"""Draw the measures of an instance: abatement cost, and abatement of each measure alone in its sector.

Run on an instance: ``python instances/draw_measures.py INSTANCE PICTURE.svg``. Needs matplotlib, one of the development
requirements. No chart of `etsopt.presenting.charts` has this: ``cost_curve`` is of a run and a year, where units take
one measure of each group and every measure acts on what earlier ones left; here each stands alone, as it is published.
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
from etsopt.presenting.charts.chart import SECTOR_COLOURS as COLOURS

MARKET = (51.24, 105.65)  # CNY/t: lowest close of 2025 and highest of 2024; closes of 2026 are in between
FARTHEST = (-700, 1300)  # CNY/t; costs beyond are written at the edge


def table(instance: etsopt.Instance) -> pd.DataFrame:
    """Return the sector measures with a direct effect, the most expensive first: cost [CNY/t], abatement [Mt/a]."""
    measures = instance.measures
    if measures is None:
        raise SystemExit(f"The instance {instance.name!r} has no measures.csv.")
    measures = measures[(measures["electricity_only"] != "yes") & measures["sector"].notna()].copy()
    totals = instance.units.groupby("sector")[["emissions_tco2e", "output_t"]].sum()
    emissions, output = (measures["sector"].map(totals[name]).astype(float) for name in totals.columns)
    rate, life = instance.policy.horizon.discount_rate, measures["lifetime_years"].astype(float)
    annuity = measures["capex_cny_per_t"] * (rate / (1 - (1 + rate) ** -life) if rate else 1 / life)
    cost = annuity + measures["fixed_opex_cny_per_t"] + measures["variable_opex_cny_per_t"]
    cost -= measures["fuel_saving_cny_per_t"]
    measures["cost"] = cost * output / (measures["abatement_rate"] * emissions)
    measures["abatement"] = measures["abatement_rate"] * measures["maximum_share"] * emissions / 1e6
    return measures.sort_values(["cost", "measure_id"], ascending=False, ignore_index=True)


def draw(instance: etsopt.Instance, picture: Path) -> None:
    """Draw both panels and write the picture."""
    mpl.rcParams.update(
        {"svg.hashsalt": "etsopt", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    measures = table(instance)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 0.24 * len(measures) + 1.3), width_ratios=[1.35, 1], sharey=True, layout="constrained"
    )
    place, colours = np.arange(len(measures)), measures["sector"].map(COLOURS)
    _costs(left, measures, place, colours)
    right.scatter(measures["abatement"], place, color=colours, s=22)
    right.grid(axis="x", color="0.9", lw=0.8)
    right.set_axisbelow(True)
    right.set_xscale("log")
    right.set_xlim(0.1, 10_000)  # room for the notes
    right.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    right.minorticks_off()
    for row, (amount, group) in enumerate(zip(measures["abatement"], measures["exclusive_group"], strict=True)):
        note = f"  one of {group}" if isinstance(group, str) and group else ""
        right.text(amount * 1.3, row, f"{amount:.1f}{note}", va="center", fontsize=6.5, color="0.35")
    right.set_xlabel("abatement, each measure alone [Mt a year]")
    right.set_title("Together less: rates multiply", loc="left", fontsize=9)
    figure.suptitle(f"{instance.name}: measures as published, each at its sector's mean unit", x=0.01, ha="left")
    figure.savefig(picture, metadata={"Date": None} if picture.suffix == ".svg" else None, dpi=160)


def _costs(axes: Any, measures: pd.DataFrame, place: np.ndarray, colours: pd.Series) -> None:
    axes.axvspan(*MARKET, color="#e0b04f", alpha=0.45, lw=0, label="allowances, 2024-2026")
    axes.axvline(0, color="0.6", lw=0.8)
    inside = measures["cost"].clip(*FARTHEST)
    axes.hlines(place, 0, inside, color=colours, lw=1.4, alpha=0.6)
    axes.scatter(inside, place, color=colours, s=22, zorder=3)
    for row in place[(measures["cost"] != inside).to_numpy()]:
        axes.annotate(f"{measures['cost'][row]:,.0f} →", (inside[row] - 30, row), ha="right", va="bottom", fontsize=7)
    for sector in sorted(set(measures["sector"])):
        axes.scatter([], [], color=COLOURS[sector], s=22, label=sector)
    axes.set_xlim(FARTHEST[0] - 50, FARTHEST[1] + 50)
    axes.set_ylim(-0.7, len(measures) - 0.3)
    axes.set_yticks(
        place, [_label(name, year) for name, year in zip(measures["name"], measures["first_year"], strict=True)]
    )
    axes.tick_params(axis="y", labelsize=7.5)
    axes.set_xlabel("cost of a tonne abated, capex as an annuity [CNY]")
    axes.set_title("Left of zero, the saving is worth more", loc="left", fontsize=9)
    axes.legend(frameon=False, loc="upper right", fontsize=8)


def _label(name: str, first_year: float) -> str:
    short = name if len(name) < 56 else name[:54].rsplit(" ", 1)[0] + " …"
    return short if pd.isna(first_year) else f"{short}, {first_year:.0f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance")
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    draw(etsopt.read(arguments.instance), arguments.picture)
