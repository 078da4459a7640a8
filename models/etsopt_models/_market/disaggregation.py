"""Disaggregation of one account to enterprises, if trading costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Trades:
    """Trades of each enterprise in each year, shape ``(enterprises, years)``; stocks have one more column [t].

    Stocks are those at the beginning and at the end of each year; what is banked there may lapse.
    """

    bought: NDArray[np.float64]
    sold: NDArray[np.float64]
    offset: NDArray[np.float64]
    banked: NDArray[np.float64]
    outstanding: NDArray[np.float64]


def trades_of_accounts(values: Mapping[str, NDArray[np.float64]], shape: tuple[int, int]) -> Trades:
    """Return the trades of accounts that belong to one enterprise each."""
    stocks = (shape[0], shape[1] + 1)
    flows = (values[name].reshape(shape) for name in ("bought", "sold", "offset"))
    return Trades(*flows, *(values[name].reshape(stocks) for name in ("banked", "outstanding")))


def disaggregated(
    values: Mapping[str, NDArray[np.float64]],
    opening: NDArray[np.float64],
    banks: NDArray[np.bool_],
    before: NDArray[np.float64],
    emissions: NDArray[np.float64],
    allowance: NDArray[np.float64],
    advance: NDArray[np.float64],
) -> Trades:
    """Return trades of enterprises that together equal those of the one account.

    Offsets are shared by emissions. Newly outstanding tonnes are shared by the tonnes due, and later surrenders of them
    by the tonnes outstanding, so that no enterprise has more outstanding than it emitted. Banked tonnes stay, as far as
    possible, with the enterprises that have a surplus, in proportion to it, so that trade is least. The remainder that is
    banked is shared by emissions before abatement, and what is borrowed by the advance issue of each enterprise, so that
    none exceeds its limit.

    Parameters
    ----------
    values
        Values of the one account, by variable.
    opening
        Opening balance, shape ``(enterprises,)`` [t].
    banks
        Years at whose end allowances may be kept; in others what is left lapses, shape ``(years,)``.
    before, emissions, allowance, advance
        Emissions before and after abatement, allowances, and most that each enterprise may borrow, shape
        ``(enterprises, years)`` [t].
    """
    by_emissions, by_size, by_advance = (_shares(part) for part in (emissions, before, advance))
    offset = by_emissions * values["offset"]
    outstanding = _disaggregated_outstanding(emissions - offset, values["outstanding"])
    net_demand = emissions - allowance - offset - np.diff(outstanding, axis=1)
    left, begun = np.empty_like(emissions), opening
    net = np.empty_like(emissions)
    for t in range(emissions.shape[1]):
        surplus = np.maximum(begun - net_demand[:, t], 0.0)
        total, held = surplus.sum(), values["banked"][t + 1]
        kept = surplus * (min(max(held, 0.0), total) / total) if total > 0 else np.zeros(len(surplus))
        left[:, t] = kept + max(held - kept.sum(), 0.0) * by_size[:, t] + min(held, 0.0) * by_advance[:, t]
        net[:, t] = net_demand[:, t] + (left[:, t] - begun)
        begun = left[:, t] * banks[t]
    return Trades(np.maximum(net, 0.0), np.maximum(-net, 0.0), offset, np.column_stack([opening, left]), outstanding)


def _shares(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of each row by column; in a zero column that of all columns, or equal shares."""
    overall = parts.sum(axis=1, keepdims=True)
    otherwise = overall / overall.sum() if overall.any() else np.full_like(overall, 1 / len(overall))
    total = parts.sum(axis=0)
    return np.divide(parts, total, out=np.repeat(otherwise, len(total), axis=1), where=total > 0)


def _disaggregated_outstanding(due: NDArray[np.float64], outstanding: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outstanding obligation of each enterprise, shape ``(enterprises, years + 1)`` [t].

    Parameters
    ----------
    due
        Obligation of each, shape ``(enterprises, years)`` [t].
    outstanding
        Outstanding obligation of all together, shape ``(years + 1,)`` [t].
    """
    shared = np.zeros((len(due), len(outstanding)))
    for t, more in enumerate(np.diff(outstanding)):
        by = due[:, t] if more > 0 else shared[:, t]
        total = by.sum()
        shared[:, t + 1] = shared[:, t] + (more * by / total if total > 0 else 0.0)
    return shared
