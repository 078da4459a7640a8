"""Kinds of charts by name, and the tables that each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.charts import allocations, markets
from etsopt.data.messages import did_you_mean
from etsopt.errors import UsageError, brief
from etsopt.wording import message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.charts.chart import Chart


class Kind(NamedTuple):
    """What a chart shows, the tables and columns that it needs, and the function that makes it."""

    about: str
    table: str
    columns: tuple[str, ...]
    make: Callable[[Mapping[str, pd.DataFrame], Mapping[str, Any]], Chart]


KINDS = {
    "surplus": Kind(
        "surplus rate of each unit by its intensity, beside the rule and a stated band",
        "allocation",
        ("surplus_rate", "intensity", "reference_t"),
        allocations.surplus,
    ),
    "rates": Kind("distribution of surplus rates by sector", "allocation", ("surplus_rate",), allocations.rates),
    "provinces": Kind(
        "surplus of each province, beside the rule",
        "provinces",
        ("balance_limit_t", "reference_t"),
        allocations.provinces,
    ),
    "enterprises": Kind(
        "enterprises with the most to buy and to sell", "enterprises", ("surplus_t",), allocations.enterprises
    ),
    "prices": Kind("price of each year with its interval", "years", ("price_cny_per_t", "price_unit"), markets.prices),
    "emissions": Kind(
        "emissions of each year beside allowances", "years", ("emissions_before_tco2e",), markets.emissions
    ),
    "measures": Kind("abatement of each year by measure", "measure_years", ("abated_tco2e",), markets.measures),
}


def kinds_of(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    """Return the kinds of charts that a run has the tables for."""
    return [
        name
        for name, kind in KINDS.items()
        if kind.table in tables and len(tables[kind.table]) and {*kind.columns} <= {*tables[kind.table]}
    ]


def chart_of(kind: str, tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> Chart:
    """Return a chart of a run.

    Parameters
    ----------
    about
        Provenance of the run.

    Raises
    ------
    UsageError
        If there is no such kind, or the run has no table for it.
    """
    if kind not in KINDS:
        advice = message("{guess}Choose one of {kinds}.", guess=did_you_mean(kind, KINDS), kinds=", ".join(KINDS))
        raise UsageError(message("There is no chart {kind}.", kind=brief(kind)), advice)
    known = kinds_of(tables)
    if kind not in known:
        what = message(
            "The run has no table for the chart {kind!r}, which needs {table!r}.", kind=kind, table=KINDS[kind].table
        )
        raise UsageError(what, message("Of this run there are: {value}.", value=", ".join(known) or "none"))
    return KINDS[kind].make(tables, about)
