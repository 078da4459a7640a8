"""The page `benchmarks/outlook.md` from a swept sample of `cn-outlook`.

    time etsopt sweep benchmarks/outlook.toml --workers 2 --out outlook-sweep
    python -m benchmarks.outlook outlook-sweep --wall-s 300 --cpu-s 600

The two figures are those of `time`. The ranges are those of `benchmarks/outlook.toml`: independent, uniform, and
assumptions.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from benchmarks.reporting import machine, provenance, versions

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("outlook.md")
YEARS = (2025, 2030, 2035, 2045, 2060)
PERCENTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CASES = {
    "policy": "cap, free part fixed",
    "other form": "cap, free part by output, auctions rise",
    "no cap": "benchmarks, no cap",
}
OBSERVED = 84.0
"""The market's own price of compliance year 2025 [CNY/t]."""

MOVERS = 4
"""Inputs that are named of each price."""

HEAD = """# What moves a national outlook

`etsopt sweep benchmarks/outlook.toml --out outlook-sweep` solves {stated} draws of
[cn-outlook](../instances/cn-outlook/README.md) by the sweep engine: a Latin hypercube of 23 inputs, whose ranges
stand in that file, independent, uniform and **assumptions all**. Each draw has the price of one cap with a free part
that is fixed and with one that follows output, and of benchmarks without a cap. Of the {stated} draws {draws} are
solved and {certified} certified, which are counted below; `--resume` goes on with others.
These are probabilities of the ranges, not of China, and the level of the prices is not validated. With {draws} draws
a percentile of 5 or 95 rests on a few of them: read the order of size. `python -m benchmarks.outlook outlook-sweep`
writes this page.
"""


WALL_GOAL_S = 300
"""Seconds of the draws on two cores that were the goal."""


def table(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scenarios of a swept folder with their inputs, and their numbers."""
    scenarios = pd.read_csv(folder / "scenarios.csv").set_index("scenario")
    values = pd.read_csv(folder / "values.csv")
    return scenarios, values[values["scenario"].isin(scenarios.index[scenarios["status"] == "certified_optimal"])]


def fans(values: pd.DataFrame) -> Iterator[str]:
    """Yield the percentiles of prices by case and year, and how often emissions peak by 2030."""
    prices = values[(values["table"] == "outlook_years") & (values["quantity"] == "price_cny_per_t")]
    peaks = values[(values["table"] == "outlook") & (values["quantity"] == "peak_year")]
    yield (
        "| price [CNY/t]: 5, 25, **50**, 75, 95 % | "
        + " | ".join(map(str, YEARS))
        + " | peak by 2030 | 2025 at least 84 |"
    )
    yield "| --- |" + " --- |" * len(YEARS) + " ---: | ---: |"
    for case, words in CASES.items():
        cells = []
        for year in YEARS:
            here = prices.loc[(prices["id"] == case) & (prices["year"] == year), "value"]
            found = [f"{value:.0f}" for value in here.quantile(list(PERCENTILES))]
            found[len(found) // 2] = f"**{found[len(found) // 2]}**"
            cells.append(", ".join(found))
        peak = (peaks.loc[peaks["id"] == case, "value"] <= 2030).mean()
        above = (prices.loc[(prices["id"] == case) & (prices["year"] == 2025), "value"] >= OBSERVED).mean()
        yield f"| {words} | " + " | ".join(cells) + f" | {peak:.0%} | {above:.0%} |"


def movers(scenarios: pd.DataFrame, values: pd.DataFrame) -> Iterator[str]:
    """Yield the inputs with the largest rank correlation of each price."""
    inputs = scenarios.select_dtypes("number")
    inputs = inputs.loc[:, inputs.std() > 0].rank()
    prices = values[(values["table"] == "outlook_years") & (values["quantity"] == "price_cny_per_t")]
    yield "| price of | " + " | ".join(["most", "then", "then", "then"]) + " |"
    yield "| --- |" + " --- |" * MOVERS
    for case, words in CASES.items():
        for year in (2025, 2035, 2060):
            here = prices[(prices["id"] == case) & (prices["year"] == year)].set_index("scenario")["value"].rank()
            rho = inputs.loc[here.index].corrwith(here)
            most = rho.abs().sort_values(ascending=False).index[:MOVERS]
            yield f"| {year}, {words} | " + " | ".join(f"`{name}` {rho[name]:+.2f}" for name in most) + " |"


def page(folder: Path, wall_s: float, cpu_s: float) -> str:
    """Return the page of a swept folder, and of what the sweep took."""
    scenarios, values = table(folder)
    solved = int((scenarios["status"] != "pending").sum())
    took = (
        f"The {solved} draws took {wall_s:,.0f} s on two processes and {cpu_s:,.0f} CPU s, {cpu_s / solved:.2f} a draw "
        f"with its three cases and their proofs. The goal is {WALL_GOAL_S} s for 500 on two cores; other work ran too."
    )
    off = values[(values["quantity"] == "auctioned_share_off") & (values["id"] == "other form")]["value"]
    shares = (
        f"Auctioned shares of the free part by output are off those of the policy by {off.median():.1%} in the median"
    )
    return "\n".join(
        [
            HEAD.format(stated=len(scenarios), draws=solved, certified=values["scenario"].nunique()),
            *fans(values),
            "",
            f"{shares}, {off.quantile(0.95):.1%} in 95 %; allowances are the cap in all.",
            "",
            "Rank correlation of inputs and prices, the largest first:",
            "",
            *movers(scenarios, values),
            "",
            took,
            provenance(machine(), versions(("etsopt", "highspy", "numpy", "pandas"))),
            "",
        ]
    )


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description="Write benchmarks/outlook.md from a swept sample.")
    parser.add_argument("folder", type=Path)
    for name in ("--wall-s", "--cpu-s"):
        parser.add_argument(name, type=float, required=True)
    asked = parser.parse_args()
    PAGE.write_text(page(asked.folder, asked.wall_s, asked.cpu_s), encoding="utf-8")


if __name__ == "__main__":
    main()
