"""Uncertainty from the draws of a sweep: what each decision leads to over all states of the world, and its regret.

A draw is the same state of the world under every decision: named scenarios, points of the grid and pairs. All draws
have the same weight. Only proven answers count, as far as the statuses are told. A decision without one in some states
has fewer numbers than states, which `count` and `states` tell; statistics are then of the states with an answer alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.studies.sweeping.outcome import PROVEN

if TYPE_CHECKING:
    from collections.abc import Sequence

WHAT = ["table", "sector", "province", "year", "id", "quantity", "unit"]
"""Columns that say what a number is."""

QUANTILES = {"p05": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}

BASE = "base"
"""Decision of a sweep that has draws alone."""


def states_of(names: Sequence[str]) -> pd.DataFrame:
    """Return decision and state of scenarios with draws, whose name ends in that of the draw.

    >>> states_of(["tight/grid-2/sample-7", "sample-7"]).to_numpy().tolist()
    [['tight/grid-2', 'sample-7'], ['base', 'sample-7']]
    """
    parts = [str(name).rpartition("/") for name in names]
    return pd.DataFrame([(one or BASE, state) for one, _, state in parts], columns=["decision", "state"])


def summary(values: pd.DataFrame, scenarios: Sequence[str] = ()) -> pd.DataFrame:
    """Return mean, deviation, ends and quantiles of every number of each decision over the draws.

    Parameters
    ----------
    values
        Numbers of a sweep with a sample, as ``values.csv`` has them.
    scenarios
        Names of all scenarios, if some have no number at all.

    Returns
    -------
    pandas.DataFrame
        A row a decision and number: ``decision``, what it is, ``count``, ``states``, ``mean``, ``deviation``,
        ``least``, ``p05`` to ``p95``, ``largest``, all in its unit.
    """
    numbers, states = by_state(values, scenarios)
    groups = numbers.groupby(["decision", *WHAT], sort=False, dropna=False)["value"]
    found = groups.agg(count="count", mean="mean", deviation=lambda one: one.std(ddof=0), least="min", largest="max")
    whole = found.assign(**{name: groups.quantile(share) for name, share in QUANTILES.items()}).reset_index()
    whole.insert(len(WHAT) + 2, "states", states)
    return whole[[*whole.columns[: len(WHAT) + 3], "mean", "deviation", "least", *QUANTILES, "largest"]]


def regret(
    values: pd.DataFrame, table: str, quantity: str, best: Literal["least", "largest"] = "least"
) -> pd.DataFrame:
    """Return how far each decision is from the best one of every state: on average, and at most.

    A number with several rows, such as one a year, is summed in each scenario. In a state in which a decision has no
    answer it has no regret; the best of such a state is that of the others.

    Parameters
    ----------
    table, quantity
        Number to compare, such as ``years`` and ``total_cost_cny``.
    best
        Whether the least or the largest is best.

    Returns
    -------
    pandas.DataFrame
        A row a decision, the least largest regret first: ``decision, count, states, mean, mean_regret,
        largest_regret, worst_state, unit``.

    Raises
    ------
    UsageError
        If there is no such number.
    """
    numbers, states = by_state(values)
    chosen = numbers[(numbers["table"] == table) & (numbers["quantity"] == quantity)]
    if not len(chosen):
        known = numbers[numbers["table"] == table]["quantity"].unique()
        what = _("The sweep has no number {quantity!r} in the table {table!r}.", quantity=quantity, table=table)
        if not len(known):
            raise UsageError(what, _("Choose a table that the sweep keeps."))
        raise UsageError(what, _("Choose one of {known}.", known=", ".join(map(str, known))))
    totals = chosen.pivot_table("value", "decision", "state", aggfunc="sum", sort=False)
    sign = 1.0 if best == "least" else -1.0
    lost = (sign * totals).sub((sign * totals).min(), axis="columns")
    found = pd.DataFrame(
        {
            "count": totals.notna().sum(axis="columns"),
            "states": states,
            "mean": totals.mean(axis="columns"),
            "mean_regret": lost.mean(axis="columns"),
            "largest_regret": lost.max(axis="columns"),
            "worst_state": lost.fillna(-np.inf).idxmax(axis="columns"),
            "unit": chosen["unit"].iloc[0],
        }
    )
    # A decision that has no answer everywhere comes after those that have one.
    order = found.assign(lacks=found["count"] < states).sort_values(["lacks", "largest_regret"], kind="stable")
    return order.drop(columns="lacks").reset_index()


def proven(values: pd.DataFrame, scenarios: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers of proven answers alone.

    Parameters
    ----------
    values, scenarios
        Tables of a record; of the second ``scenario`` and ``status`` are read.
    """
    names = scenarios.loc[scenarios["status"].isin(PROVEN), "scenario"]
    return values[values["scenario"].isin(names)]


def by_state(values: pd.DataFrame, scenarios: Sequence[str] = ()) -> tuple[pd.DataFrame, int]:
    """Return the numbers with their decision and state, and the number of states."""
    names = pd.Index(dict.fromkeys([*scenarios, *values["scenario"].drop_duplicates()]), name="scenario")
    states = states_of(names.tolist()).set_index(names)
    counted = values["value"].notna()
    if "status" in values:
        counted &= values["status"].isin(PROVEN)
    # Where no scenario has a number the column has no type.
    numbers = values[counted].astype({"value": float})
    return numbers.join(states, on="scenario"), states["state"].nunique()
