"""Draw a pathway: the allowance price with and without a terminal price, and emissions beside allowances.

Run on an instance: ``python instances/draw_pathway.py INSTANCE PICTURE.svg``. Needs the extra ``plot``. The second
panel is the chart ``emissions`` of `etsopt.presenting.charts`; the first has the prices of two solves and the market's
own, which are no chart of one run.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import etsopt
from etsopt.common.scales import in_unit
from etsopt.presenting.charts import Chart, Panel, Series
from etsopt.presenting.charts.chart import CHOSEN, OTHER, RULE
from etsopt.presenting.charts.drawing import save
from etsopt.presenting.charts.texts import YEAR

MARKET = {2025: 84.0}  # CNY/t by compliance year: 2025 is surrendered in 2026, average of January to August


def draw(instance: etsopt.Instance, picture: Path) -> None:
    """Solve the pathway with and without a terminal price, draw both panels and write the picture."""
    terminal_price = instance.policy.market.terminal_price_cny_per_t
    results = [
        etsopt.solve(instance.with_policy({"market.terminal_price_cny_per_t": value}), "pathway")
        for value in (terminal_price, 0.0)
    ]
    years = results[0].tables["years"]
    last, unit = years["year"].max(), str(years["price_unit"].iloc[0])
    names = (
        f"an allowance is worth {terminal_price:g} CNY after {last}",
        f"it is worth nothing after {last}",
    )
    series = [
        _prices(result, name, colour) for result, name, colour in zip(results, names, (CHOSEN, OTHER), strict=True)
    ]
    of_market = np.array(list(MARKET), dtype=float), np.array(list(MARKET.values()))
    name = "the market's own, January to August 2026"
    series.append(Series("points", name, *of_market, RULE))
    top = 1.15 * max(float(one.y.astype(float).max()) for one in series)
    title = "price of an allowance, settled a year later"
    price = Panel(title, YEAR, in_unit("price", unit), tuple(series), y_limits=(0.0, top))
    quantities = replace(results[0].plot.chart("emissions").panels[0], title="emissions and allowances")
    save(Chart("pathway", f"{instance.name}: pathway", (price, quantities)), picture)


def _prices(result: etsopt.Results, name: tuple[str, str], colour: str) -> Series:
    """Return the prices of a result, without years that balance themselves: in them every price clears."""
    years = result.tables["years"]
    found = years[result.tables["closure"]["set_by"] != "self-balancing"]
    columns = (found[column].to_numpy(dtype=float) for column in ("year", "price_cny_per_t"))
    return Series("line", name, *columns, colour)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instance")
    parser.add_argument("picture", type=Path)
    arguments = parser.parse_args()
    draw(etsopt.read(arguments.instance), arguments.picture)
