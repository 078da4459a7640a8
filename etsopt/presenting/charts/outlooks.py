"""Chart of an outlook: the price of one cap by the form of its free part, and emissions with and without the cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from etsopt.common.language import _, pgettext
from etsopt.common.scales import in_unit, size_of
from etsopt.presenting.charts.chart import CHOSEN, OTHER, PRICE, RULE, Chart, Panel, Series
from etsopt.presenting.charts.texts import YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

COLUMNS = ("case", "year", "price_cny_per_t", "observed_price_cny_per_t", "emissions_tco2e", "cap_t")
FORMS = {"fixed": pgettext("free part", "free part fixed"), "output": pgettext("free part", "free part by output")}
COLOURS = {"fixed": CHOSEN, "output": OTHER}


def outlook(tables: Mapping[str, pd.DataFrame], policy: Mapping[str, dict[str, int | None]]) -> Chart:
    """Prices by form, beside the market's own; emissions with the cap and with benchmarks alone, beside the cap."""
    cases, years = tables["outlook"].set_index("case"), tables["outlook_years"]
    last = (policy.get("outlook") or {}).get("report_until") or int(years["year"].max())
    years = years[years["year"] <= last]
    prices, emissions = [], []
    for case, form in cases["free_part"].items():
        of_case = years[years["case"] == case]
        place, without = of_case["year"].to_numpy(dtype=float), case == "no cap"
        if case not in ("policy", "other form", "no cap"):
            continue
        words = pgettext("case", "benchmarks, no cap") if without else FORMS[form]
        colour = RULE if without else COLOURS[form]
        style: Literal["dashed", "plain"] = "dashed" if without else "plain"
        prices.append(
            Series("line", words, place, of_case["price_cny_per_t"].to_numpy(dtype=float), colour, style=style)
        )
        emitted = of_case["emissions_tco2e"].to_numpy(dtype=float) / size_of("Mt")
        emissions.append(Series("line", words, place, emitted, colour, style=style))
    own = years[years["case"] == "policy"]
    seen = own.dropna(subset=["observed_price_cny_per_t"])
    if len(seen):
        observed = seen["observed_price_cny_per_t"].to_numpy(dtype=float)
        prices.append(Series("points", _("the market itself"), seen["year"].to_numpy(dtype=float), observed, PRICE))
    capped = own.dropna(subset=["cap_t"])
    if len(capped):
        cap = capped["cap_t"].to_numpy(dtype=float) / size_of("Mt")
        emissions.append(Series("points", _("cap"), capped["year"].to_numpy(dtype=float), cap, RULE, style="hollow"))
    panels = (
        Panel("", YEAR, in_unit(_("price"), "CNY/t"), tuple(prices)),
        Panel("", YEAR, _("emissions [Mt]"), tuple(emissions)),
    )
    return Chart("outlook", _title(cases, years, int(last)), panels)


def _title(cases: pd.DataFrame, years: pd.DataFrame, last: int) -> str:
    """Return the finding: how many times as much one cap costs by the form of its free part, ten years on."""
    if "other form" not in cases.index:
        return _("price of an allowance and emissions until {last}", last=last)
    year = min(int(years["year"].min()) + 10, last, int(years["year"].max()))
    at = years[years["year"] == year].set_index("case")["price_cny_per_t"]
    low, high = np.sort([at["policy"], at["other form"]])
    text = _("the same cap costs {low:,.0f} or {high:,.0f} CNY/t in {year}, by whether its free part follows output")
    return _(text, low=low, high=high, year=year)
