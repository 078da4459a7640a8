"""Charts of a compliance year: how the largest deficits are covered, and what becomes of the largest surpluses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.charts.allocations import SHOWN, names_of
from etsopt.charts.chart import CHOSEN, FREE, OTHER, PAID, RULE, Chart, Panel, Series
from etsopt.charts.texts import ALLOWANCES_KT, NONE, both, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.charts.chart import Words
    from etsopt.data.instance import Instance

COLUMNS = (
    *("obligation_t", "issued_t", "cancelled_t", "shortfall_t", "bought_t", "offset_t", "opening_t", "closing_t"),
    "sold_t",
)
"""Columns that the chart reads."""

Parts = tuple[tuple[str, "Words", str], ...]

COVERED: Parts = (
    ("shortfall_t", ("shortfall", "未足额清缴"), OTHER),
    ("bought_t", ("bought", "买入"), CHOSEN),
    ("offset_t", ("offsets (CCER)", "抵销（核证自愿减排量）"), PAID),
    ("opening_t", ("holdings from before", "期初持仓量"), RULE),
)
"""What meets an obligation beyond the year's own allowances, in the order of a bar."""

USED: Parts = (("closing_t", ("kept", "结余"), FREE), ("sold_t", ("sold", "卖出"), PAID))
"""What becomes of allowances beyond the obligation."""


def compliance(tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any], instance: Instance | None) -> Chart:
    """Enterprises with the largest deficits and surpluses: purchases, offsets, shortfall, sales and what is kept.

    An instance has the names of enterprises.
    """
    table = tables["compliance"]
    known = None if instance is None else instance.enterprises
    names = (
        {} if known is None or "name" not in known else dict(zip(known["enterprise_id"], known["name"], strict=True))
    )
    table = table.assign(name=[names.get(one, "") for one in table["enterprise_id"]])
    # Allowances that are issued too many in advance are cancelled.
    need = (table["obligation_t"] - table["issued_t"] + table["cancelled_t"]).astype(float)
    lacking, over = need.nlargest(SHOWN).index[::-1], need.nsmallest(SHOWN).index[::-1]
    panels = (
        _panel(("largest deficits, met by", "缺口最大：补足方式"), table.loc[lacking][need[lacking] > 0], COVERED),
        _panel(("largest surpluses, used for", "盈余最大：用途"), table.loc[over][need[over] < 0], USED),
    )
    due, short = table["obligation_t"].sum() / 1e6, table["shortfall_t"].sum() / 1e3
    english = f"compliance: {due:,.1f} Mt due, {short:,.0f} kt not surrendered"
    chinese = f"清缴：应清缴 {due:,.1f} 百万吨，未足额清缴 {short:,.0f} 千吨"
    return Chart("compliance", title_of(about, english, chinese), tuple(one for one in panels if one.series))


def _panel(title: Words, rows: pd.DataFrame, parts: Parts) -> Panel:
    """Return a bar for each enterprise, of the parts that some have."""
    due, issued, returned = (rows[name].to_numpy(float) for name in ("obligation_t", "issued_t", "cancelled_t"))
    labels = both(
        (f"due {one:,.0f} t, issued {other:,.0f} t" for one, other in zip(due, issued, strict=True)),
        (f"应清缴 {one:,.0f} 吨，发放 {other:,.0f} 吨" for one, other in zip(due, issued, strict=True)),
    )
    names = names_of(rows).to_numpy(dtype=object)
    values = {name: rows[name].to_numpy(dtype=float) / 1e3 for name, _, _ in parts}
    if "opening_t" in values:
        # Of the holdings from before, no more than the deficit that the rest leaves is used for it.
        rest = (due - issued + returned) / 1e3 - values["shortfall_t"] - values["bought_t"] - values["offset_t"]
        values["opening_t"] = np.clip(rest, 0.0, None)
    series = tuple(
        Series("stack", words, values[name], names, colour, labels)
        for name, words, colour in parts
        if values[name].max(initial=0.0) > 0
    )
    return Panel(title, ALLOWANCES_KT, NONE, series, horizontal=True)
