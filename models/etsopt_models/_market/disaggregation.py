"""Who deals how much, where one account stood for all because trading costs nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Trades:
    """What each enterprise does in each year, shape ``(enterprises, years)``; stocks have one more column [t].

    Stocks stand at the beginning of each year and at the end of the last.
    """

    bought: NDArray[np.float64]
    sold: NDArray[np.float64]
    offset: NDArray[np.float64]
    banked: NDArray[np.float64]
    outstanding: NDArray[np.float64]


def trades_of_accounts(values: Mapping[str, NDArray[np.float64]], shape: tuple[int, int]) -> Trades:
    """Trades of accounts that are the enterprises' own."""
    stocks = (shape[0], shape[1] + 1)
    flows = (values[name].reshape(shape) for name in ("bought", "sold", "offset"))
    return Trades(*flows, *(values[name].reshape(stocks) for name in ("banked", "outstanding")))


def disaggregated(
    values: Mapping[str, NDArray[np.float64]],
    opening: NDArray[np.float64],
    before: NDArray[np.float64],
    emissions: NDArray[np.float64],
    allowance: NDArray[np.float64],
) -> Trades:
    """Trades of enterprises that together do what the one account did.

    Offsets go by emissions; what is newly owed by what is still due, and what is settled of it by what is owed, so that
    nobody owes more than he emitted. What is held over stays, as far as it goes, with those who have a surplus,
    in proportion to it; so no more is traded than has to be. What is left, held or borrowed, goes by emissions before
    abatement, as what is issued in advance does: so nobody borrows more than he may.

    Parameters
    ----------
    values
        Of the one account, by variable.
    opening
        Held at the beginning, shape ``(enterprises,)`` [t].
    before, emissions, allowance
        Emissions before and after abatement, and allowances, of each enterprise, shape ``(enterprises, years)`` [t].
    """
    by_emissions, by_advance = (_shares(part) for part in (emissions, before))
    offset = by_emissions * values["offset"]
    owed = _disaggregated_outstanding(emissions - offset, values["outstanding"])
    net_demand = emissions - allowance - offset - np.diff(owed, axis=1)
    banked = np.empty_like(owed)
    banked[:, 0] = opening
    for t in range(emissions.shape[1]):
        surplus = np.maximum(banked[:, t] - net_demand[:, t], 0.0)
        total, held = surplus.sum(), values["banked"][t + 1]
        kept = surplus * (min(max(held, 0.0), total) / total) if total > 0 else np.zeros(len(surplus))
        banked[:, t + 1] = kept + (held - kept.sum()) * by_advance[:, t]
    net = net_demand + np.diff(banked, axis=1)
    return Trades(np.maximum(net, 0.0), np.maximum(-net, 0.0), offset, banked, owed)


def _shares(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of each row in every column; in one of zeros that of all columns, and equal ones where there is nothing."""
    overall = parts.sum(axis=1, keepdims=True)
    otherwise = overall / overall.sum() if overall.any() else np.full_like(overall, 1 / len(overall))
    total = parts.sum(axis=0)
    return np.divide(parts, total, out=np.repeat(otherwise, len(total), axis=1), where=total > 0)


def _disaggregated_outstanding(due: NDArray[np.float64], owed: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is owed by each of several that owe together, shape ``(enterprises, years + 1)`` [t].

    Parameters
    ----------
    due
        What each has to surrender, shape ``(enterprises, years)`` [t].
    owed
        By all together, shape ``(years + 1,)`` [t].
    """
    shared = np.zeros((len(due), len(owed)))
    for t, more in enumerate(np.diff(owed)):
        by = due[:, t] if more > 0 else shared[:, t]
        total = by.sum()
        shared[:, t + 1] = shared[:, t] + (more * by / total if total > 0 else 0.0)
    return shared
