"""Draw a pathway: the allowance price, and emissions beside allowances.

Run on an instance: ``python instances/draw_pathway.py INSTANCE PICTURE.svg``. Needs matplotlib, one of the
development requirements.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt

import etsopt

if TYPE_CHECKING:
    import pandas as pd

MARKET = {2025: 84.0}  # CNY/t by compliance year: 2025 is surrendered in 2026, average of January to August


def draw(instance: etsopt.Instance, picture: Path) -> None:
    """Solve the pathway with and without a terminal price, draw both panels and write the picture."""
    mpl.rcParams.update(
        {"svg.hashsalt": "etsopt", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    terminal_price = instance.policy.market.terminal_price_cny_per_t
    for value, colour in ((terminal_price, "#2f6690"), (0.0, "#c8553d")):
        tables = etsopt.solve(instance.with_policy({"market.terminal_price_cny_per_t": value}), "pathway").tables
        years = tables["years"]
        # In self-balancing years every price clears, so none is drawn.
        found = years[tables["closure"]["set_by"] != "self-balancing"]
        left.plot(found["year"], found["price_cny_per_t"], color=colour, marker="o", ms=3)
        last = years["year"].max()
        text = f"worth {value:g} CNY after {last}" if value else f"worth nothing after {last}"
        left.annotate(
            text,
            (years["year"].iloc[-1], years["price_cny_per_t"].iloc[-1]),
            color=colour,
            xytext=(-6, 6),
            textcoords="offset points",
            ha="right",
        )
        if value:
            _quantities(right, years)
    left.scatter(list(MARKET), list(MARKET.values()), color="0.4", marker="x", zorder=3)
    note = "the market's own,\nJanuary to August 2026"
    left.annotate(note, (2025, MARKET[2025]), xytext=(-4, 6), textcoords="offset points", color="0.4")
    left.set_xlabel("compliance year, settled a year later")
    left.set_ylim(0, 1.15 * max(left.get_ylim()[1], max(MARKET.values())))
    left.set_title(f"Price of an allowance, {years['price_unit'].iloc[0]}", loc="left")
    figure.savefig(picture, metadata={"Date": None})


def _quantities(axes: Any, years: pd.DataFrame) -> None:
    """Draw emissions before and after abatement, and free and paid allowances."""
    year = years["year"]
    free, paid = years["allowance_t"] / 1e6, years["auctioned_t"] / 1e6
    axes.bar(year, free, color="#dcd6cd", label="allowances, free")
    axes.bar(year, paid, bottom=free, color="#b9a98f", label="allowances, paid")
    axes.plot(year, years["emissions_before_tco2e"] / 1e6, color="0.5", ls="--", label="emissions without abatement")
    axes.plot(year, years["emissions_tco2e"] / 1e6, color="#2f6690", marker="o", ms=3, label="emissions")
    axes.set_ylim(0, 1.1 * float((free + paid).max()))
    axes.legend(loc="lower left", fontsize=8)
    axes.set_title("Emissions and allowances, Mt", loc="left")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance")
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    draw(etsopt.read(arguments.instance), arguments.picture)
