"""Charts of a compliance year: how the largest deficits are covered, and what becomes of the largest surpluses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _
from etsopt.common.scales import size_of
from etsopt.presenting.charts.allocations import SHOWN, names_of
from etsopt.presenting.charts.chart import CHOSEN, FREE, OTHER, PAID, RULE, Chart, Panel, Series
from etsopt.presenting.charts.texts import ALLOWANCES_KT, array_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.instance import Instance

COLUMNS = (
    *("obligation_t", "issued_t", "cancelled_t", "shortfall_t", "bought_t", "offset_t", "opening_t", "closing_t"),
    "sold_t",
)
"""Columns that the chart reads."""

Parts = tuple[tuple[str, str, str], ...]

COVERED: Parts = (
    ("shortfall_t", _("shortfall"), OTHER),
    ("bought_t", _("bought"), CHOSEN),
    ("offset_t", _("offsets (CCER)"), PAID),
    ("opening_t", _("holdings from before"), RULE),
)
"""What meets an obligation beyond the year's own allowances, in the order of a bar."""

USED: Parts = (("closing_t", _("kept"), FREE), ("sold_t", _("sold"), PAID))
"""What becomes of allowances beyond the obligation."""


def compliance(tables: Mapping[str, pd.DataFrame], instance: Instance | None) -> Chart:
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
        _panel(_("largest deficits, met by"), table.loc[lacking][need[lacking] > 0], COVERED),
        _panel(_("largest surpluses, used for"), table.loc[over][need[over] < 0], USED),
    )
    due, short = table["obligation_t"].sum() / size_of("Mt"), table["shortfall_t"].sum() / size_of("kt")
    text = _("compliance: {due:,.1f} Mt due, {short:,.0f} kt not surrendered", due=due, short=short)
    return Chart("compliance", text, tuple(one for one in panels if one.series))


def _panel(title: str, rows: pd.DataFrame, parts: Parts) -> Panel:
    """Return a bar for each enterprise, of the parts that some have."""
    due, issued, returned = (rows[name].to_numpy(float) for name in ("obligation_t", "issued_t", "cancelled_t"))
    pairs = zip(due, issued, strict=True)
    labels = array_of(_("due {due:,.0f} t, issued {issued:,.0f} t", due=one, issued=other) for one, other in pairs)
    names = names_of(rows).to_numpy(dtype=object)
    values = {name: rows[name].to_numpy(dtype=float) / size_of("kt") for name, *_look in parts}
    if "opening_t" in values:
        # Of the holdings from before, no more than the deficit that the rest leaves is used for it.
        rest = (
            (due - issued + returned) / size_of("kt") - values["shortfall_t"] - values["bought_t"] - values["offset_t"]
        )
        values["opening_t"] = np.clip(rest, 0.0, None)
    series = tuple(
        Series("stack", words, values[name], names, colour, labels)
        for name, words, colour in parts
        if values[name].max(initial=0.0) > 0
    )
    return Panel(title, ALLOWANCES_KT, "", series, horizontal=True)
