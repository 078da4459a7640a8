"""States of the world for the model `investment`: prices and outputs of the draws of a sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.schema import SCENARIOS
from etsopt.studies.sweeping.outcome import PROVEN
from etsopt.studies.sweeping.result import Sweep
from etsopt.studies.sweeping.statistics import states_of
from etsopt.studies.sweeping.sweep_document import RECORD, record_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRICES, PRICE = "years", "price_cny_per_t"
"""Table and column of the prices of a market or a path."""

OUTPUT = "units.output_t"
"""Key of a sweep file whose factor multiplies the output of every unit, or of those of the sector after it."""


def investment_scenarios(
    sweep: str | Path | Sweep, decision: str | None = None, *, proven_only: bool = False
) -> pd.DataFrame:
    """Return the draws of a sweep of `pathway` or `clearing` as the table ``scenarios`` of an instance.

    Every draw is a state of the same probability, with its prices by year, and with its factors on output from the
    first of these years on. Whatever else a draw changes acts through its prices alone. The allowances of an investment
    are those of its own policy: where the prices are those of a tightened path, state in the column
    ``allowance_factor`` of ``scenarios.csv`` how much fewer allowances there are.

    Parameters
    ----------
    sweep
        Folder of a sweep, as ``etsopt sweep`` writes it, or what `etsopt.sweep` returns.
    decision
        Decision whose draws are the states, such as ``tight/grid-2``; None if the sweep has only one.
    proven_only
        Leave out draws without a proven answer, such as those in which the market cannot clear. The states are then
        those of the other draws alone.

    Returns
    -------
    pandas.DataFrame
        Columns of ``scenarios.csv``. Prices are in CNY of the ``horizon.price_year`` of the sweep, which that of the
        investment must be.

    Raises
    ------
    UsageError
        If the folder has no record, or there is no such decision, or no prices by year; if a draw has no proven answer;
        or if each row draws a factor of its own, which is no factor of a sector.

    Examples
    --------
    >>> import etsopt
    >>> prices = {"low": 60.0, "high": 90.0}
    >>> scenarios = {name: {"market.terminal_price_cny_per_t": price} for name, price in prices.items()}
    >>> swept = etsopt.sweep(etsopt.read("cn-2025-2035"), scenarios, "pathway")
    >>> investment_scenarios(swept).groupby("scenario").size().to_dict()
    {'high': 11, 'low': 11}
    """
    if isinstance(sweep, Sweep):
        scenarios, values, stated = (
            sweep.scenarios,
            sweep.numbers,
            [one.changes_and_factors for one in sweep.plan.scenarios],
        )
    else:
        with record_in(Path(sweep), RECORD, _("Name a folder written by `etsopt sweep`.")) as record:
            scenarios, values = record.scenarios, record.values
            stated = [record.scenario(number)[1] for number in range(len(scenarios))]
    scenarios = scenarios[["scenario", "status"]]
    states = pd.concat([states_of(scenarios["scenario"].tolist()), scenarios], axis=1).assign(stated=stated)
    states = states[states["decision"] == _chosen(decision, states["decision"].unique().tolist())]
    proven = states["status"].isin(PROVEN)
    if not proven.all() and not proven_only:
        what = counted(int((~proven).sum()), _("draw has no proven answer"), _("draws have no proven answer"))
        advice = _("Complete the sweep with --resume or --retry-failed, or leave them out with proven_only=True.")
        raise UsageError(_("{what}.", what=what), advice)
    states = states[proven]
    priced = values[(values["table"] == PRICES) & (values["quantity"] == PRICE)]
    priced = priced[priced["scenario"].isin(states["scenario"])]
    if priced.empty:
        raise UsageError(
            _("The sweep has no prices by year."), _("Sweep the model pathway or clearing, and keep its table years.")
        )
    by_scenario = {name: rows.set_index("year")["value"].sort_index() for name, rows in priced.groupby("scenario")}
    rows = [
        {"scenario": state, "probability": 1 / len(states), **row}
        for state, name, changes in states[["state", "scenario", "stated"]].itertuples(index=False)
        for row in _rows(by_scenario[name], changes)
    ]
    columns = [column.name for column in SCENARIOS.columns]
    return pd.DataFrame(rows).reindex(columns=[name for name in columns if any(name in row for row in rows)])


def _chosen(decision: str | None, decisions: list[str]) -> str:
    """Return the decision whose draws are asked for."""
    if decision is None and len(decisions) == 1:
        return decisions[0]
    if decision is not None and decision in decisions:
        return decision
    several = _("The sweep has {number} decisions.", number=len(decisions))
    what = several if decision is None else _("The sweep has no decision {decision!r}.", decision=decision)
    raise UsageError(what, _("Choose one of {known}.", known=", ".join(decisions)))


def _rows(prices: pd.Series[float], changes: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a state: a price a year, and the outputs of sectors from the first year on."""
    factors = {key.removeprefix(OUTPUT).removeprefix("."): one for key, one in changes.items() if _is_output(key)}
    if by_row := [f"{OUTPUT}.{sector}".rstrip(".") for sector, one in factors.items() if isinstance(one, dict)]:
        what = _("Each row draws a factor of its own for {keys}.", keys=", ".join(by_row))
        raise UsageError(what, _('Draw one for all rows: each = "scenario".'))
    of_all = {"output_factor": factors.pop("")} if "" in factors else {}
    for year, price in prices.items():
        yield {"sector": "", "year": year, PRICE: price, **of_all}
    for sector, factor in factors.items():
        # A sector with rows of its own follows these alone, so that the factor of all counts here too.
        yield {"sector": sector, "year": prices.index[0], "output_factor": factor * of_all.get("output_factor", 1.0)}


def _is_output(key: str) -> bool:
    return key == OUTPUT or key.startswith(f"{OUTPUT}.")
