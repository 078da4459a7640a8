"""Pictures: gap of power by year and load share, prices by scenario, and what moves the price of 2025.

``python -m benchmarks.history.picture`` draws all three from ``history.json`` and ``national_path.json``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from benchmarks.history.balance import NOT_PUBLISHED, OFFICIAL
from benchmarks.history.prices import BASE, BIOMASS_COST, BIOMASS_FROM, CASES, MARKET, bars
from benchmarks.reporting import FOLDER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

BLUE, RED, GREY = "#2f6690", "#c8553d", "0.45"
FAN = {"0.0": "#8fb8d6", "0.1": "#5f97c0", "0.3": BLUE, "0.5": "#1f4a6b", "0.7": "#102a3f"}

MARKET_AT = max(MARKET.values())

# A fixed salt and no date: the same figures give the same file.
STYLE = {"svg.hashsalt": "etsopt", "svg.fonttype": "none", "font.size": 9}
STYLE |= {"axes.spines.top": False, "axes.spines.right": False}


def gap(loads: dict[str, Any], path: Path) -> None:
    """Draw the gap of power by year and load share, and the official one."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
        years = [int(year) for year in loads["0.3"]]
        axes.plot([years[0] - 0.5, years[-1]], [0, 0], color="0.3", lw=0.8)
        for share, of_year in loads.items():
            gaps = [of_year[str(year)]["gap_percent"] for year in years]
            axes.plot(years, gaps, color=FAN[share], marker="o", ms=3.5, lw=2.4 if share == "0.3" else 1.2)
            text = f"{share}, shipped" if share == "0.3" else share
            axes.annotate(text, (years[-1], gaps[-1]), (7, -3), textcoords="offset points", color=FAN[share])
        axes.annotate("load share", (years[-1], 3.75), (7, 0), textcoords="offset points", color=GREY)
        known = {year: float(one.gap_percent) for year, one in OFFICIAL.items() if one.gap != NOT_PUBLISHED}
        axes.scatter(list(known), list(known.values()), color=RED, marker="D", s=38, zorder=4)
        axes.annotate("official", (2022, known[2022]), (9, -4), textcoords="offset points", color=RED)
        axes.annotate("the rule on the units of cn-national-2025", (2021, 0.6), (0, 9), textcoords="offset points",
                      color=BLUE)  # fmt: skip
        axes.annotate("Since 2025 the plan no longer corrects loads of\n50 to 65 %. The share of output at such loads\n"
                      "decides the sign, and is not public.", (2021, 2.9), color="0.25")  # fmt: skip
        axes.set(xticks=years, xlim=(years[0] - 0.5, years[-1] + 0.75), ylim=(-0.9, 4.0), xlabel="compliance year")
        for height, text in ((0.07, "short"), (-0.07, "surplus")):
            axes.annotate(text, (years[0] - 0.47, height), va="bottom" if height > 0 else "top", color=GREY, fontsize=8)
        axes.set_title("Gap of power: emissions less allowances, in % of emissions", loc="left")
        _save(figure, path)


def paths(scenarios: dict[str, Any], path: Path) -> None:
    """Draw the prices of all scenarios with an allowance worth nothing at the end, and the market's own."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(9, 4.8), layout="constrained")
        ends = []
        for key, found in scenarios.items():
            prices = {int(year): price for year, price in found["0"]["prices"].items()}
            colour = BLUE if key == "B" else "#7a9cb5"
            style: dict[str, Any] = {
                "color": colour,
                "lw": 2.6 if key == "B" else 1.0,
                "zorder": 3 if key == "B" else 2,
            }
            for part in _parts(prices):
                beyond = min(part.values()) > BIOMASS_COST
                axes.plot(*zip(*part.items(), strict=True), **style | ({"color": "#d9a79b"} if beyond else {}))
            ends.append((prices[max(prices)], key, colour))
        _labels_at_the_end(axes, ends)
        axes.fill_between([2024.5, 2029.5], BIOMASS_COST, 1600, color="#f6e7e3", lw=0, zorder=0)
        axes.annotate("above the cost of biomass: all burns\nthat the assumed speed allows", (2030, 880), color=RED)
        axes.scatter([2025, 2025], list(MARKET.values()), color=RED, marker="D", s=34, zorder=5)
        axes.annotate("the market's own in 2026: 84 on average\nfrom January to August, 97.9 on 31 August",
                      (2025, 97.9), (2030, 270), color=RED,
                      arrowprops={"arrowstyle": "-", "color": RED, "lw": 0.7, "relpos": (0, 0)})  # fmt: skip
        axes.set(yscale="log", ylim=(40, 1600), xlim=(2024.2, 2070), xticks=range(2025, 2061, 5))
        axes.yaxis.set_major_locator(FixedLocator([50, 100, 200, 400, 800]))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.grid(axis="y", color="0.9", lw=0.6)
        axes.set_xlabel("compliance year, settled a year later")
        axes.set_title("Price of an allowance by scenario, CNY of 2024 per tonne", loc="left")
        _save(figure, path)


def _parts(prices: dict[int, float]) -> list[dict[int, float]]:
    """Return the prices in pieces that end where the price falls: no bank links the two years."""
    parts: list[dict[int, float]] = [{}]
    for year, price in prices.items():
        if parts[-1] and price < prices[year - 1]:
            parts.append({})
        parts[-1][year] = price
    return parts


LAST_WORDS = {
    "A": "A, no cap", "B": "B, the shipped policy", "C": "C, tight cap", "C2": "C2, cap from 2028",
    "D": "D, loose cap", "E": "E, 93 % of 2025 in 2035", "E'": "E', 90 %", "F": "F, high power output",
    "G": "G, low power output", "H": "H, load share 0.5, 150 Mt", "I": "I, tight, 0.5, high output",
    "J": "J, petrochemicals",
}  # fmt: skip


def _labels_at_the_end(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Name each line beside its last price, moved apart where lines end close together."""
    heights, previous = [], 0.0
    for price, key, _ in sorted(ends):
        previous = max(price, previous * 1.12)
        heights.append((previous, key))
    of_key = {key: (price, colour) for price, key, colour in ends}
    for height, key in heights:
        price, colour = of_key[key]
        weight = "bold" if key == "B" else "normal"
        line = {"arrowstyle": "-", "color": colour, "lw": 0.5, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
        style: dict[str, Any] = {"color": "0.25", "va": "center", "fontsize": 7.5, "weight": weight, "arrowprops": line}
        axes.annotate(f"{LAST_WORDS[key]}: {price:,.0f}", (2060, price), (2061.4, height), **style)


def tornado(found: dict[str, Any], path: Path) -> None:
    """Draw the price of compliance year 2025 with one assumption changed at a time, widest first."""
    rows = bars(found)
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(10, 0.38 * len(rows) + 1.4), layout="constrained")
        top = len(rows) - 0.4
        axes.axvspan(BIOMASS_FROM, 700, color="#f6e7e3", lw=0, zorder=0)
        axes.axvspan(*MARKET.values(), color="#e6c65c", alpha=0.7, lw=0, zorder=0)
        base = found[BASE]["prices"]["2025"]
        axes.plot([base, base], [-0.6, top], color="0.2", lw=1.0)
        for place, (about, keys) in enumerate(reversed(rows)):
            prices = {key: found[key]["prices"]["2025"] for key in keys}
            for side, colour in ((-1, BLUE), (1, RED)):
                _bar(axes, place, base, {key: p for key, p in prices.items() if side * (p - base) > 0.5}, colour)
            axes.annotate(about, (0, place), (-6, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                          ha="right", va="center", annotation_clip=False)  # fmt: skip
        for price, text, colour, ha in (
            (base, f"shipped: {base:,.0f} ", "0.2", "right"),
            (MARKET_AT, " the market's own in 2026: 84 to 97.9", "#8a6d00", "left"),
        ):
            axes.annotate(text, (price, top), color=colour, ha=ha, va="bottom")
        text = f"above {BIOMASS_FROM:.0f} CNY: biomass,\none assumed cost"
        axes.annotate(text, (1.07 * BIOMASS_FROM, 1.0), color=RED, va="center")
        axes.set(xscale="log", yticks=[], ylim=(-0.6, len(rows) + 0.2), xlim=(17, 700))
        axes.xaxis.set_major_locator(FixedLocator([25, 50, 100, 200, 400]))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.spines["left"].set_visible(False)
        title = (
            "Price of compliance year 2025 with one assumption changed at a time, CNY/t (in brackets what is shipped)"
        )
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.5)
        _save(figure, path)


def _bar(axes: Axes, place: int, base: float, prices: dict[str, float], colour: str) -> None:
    """Draw the farthest of some prices on one side of the shipped one, and name them all."""
    if not prices:
        return
    far = max(prices.values(), key=lambda price: abs(price - base))
    beyond = far > BIOMASS_FROM
    axes.barh(place, far - base, left=base, height=0.55, color=colour, alpha=0.45 if beyond else 0.9, lw=0)
    for price in prices.values():
        axes.plot([price, price], [place - 0.275, place + 0.275], color="white", lw=0.0 if price == far else 1.2)
    text = ", ".join(f"{CASES[key].value}: {price:,.0f}" for key, price in prices.items())
    side = 1 if far > base else -1
    axes.annotate(text, (far, place), (4 * side, 0), textcoords="offset points", fontsize=8,
                  ha="left" if side > 0 else "right", va="center")  # fmt: skip


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=130)
    plt.close(figure)


def draw_history(content: dict[str, Any], folder: Path = FOLDER) -> None:
    """Draw the pictures of ``history.md`` into a folder."""
    gap(content["balance"]["loads"], folder / "history_gap.svg")
    tornado(content["prices"], folder / "history_prices.svg")


def read(name: str) -> dict[str, Any]:
    """Return the figures of a file of this folder."""
    found: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    draw_history(read("history.json"))
    paths(read("national_path.json")["scenarios"], FOLDER / "national_path.svg")
