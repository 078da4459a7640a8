"""Read the multipliers of the table, and check the prices that they prove."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.market import statements
from etsopt.checking.market.arcs import Multipliers
from etsopt.checking.market.bound import Bound
from etsopt.checking.theorem import COST
from etsopt.checking.tolerances import PRICE_PROOF_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from etsopt.checking.arrays import Floats
    from etsopt.checking.market.accounts import Accounts
    from etsopt.checking.readings.baseline import Baseline


class StatedMultipliers:
    """Multipliers of the rows of accounts and market in a table, by objective; zero if absent."""

    def __init__(self, baseline: Baseline, accounts: Accounts, duals: pd.DataFrame) -> None:
        self.shape = (len(accounts.labels), len(baseline.years))
        self.levels, self._names = pd.factorize(duals["level"])[0], pd.unique(duals["level"])
        names = list(Multipliers.__dataclass_fields__)
        index = duals["index"].fillna("").to_numpy(dtype=object)
        self.row = pd.Index(names).get_indexer(duals["row"])
        self.account = np.where(self.row < OF_ACCOUNTS, pd.Index(accounts.labels).get_indexer(index), 0)
        self.year = pd.Index(baseline.years.astype(float)).get_indexer(duals["year"].to_numpy(dtype=float))
        self.value, self.unit = duals["multiplier"].to_numpy(dtype=float), duals["unit"].to_numpy()
        self.rows = duals["row"].to_numpy()
        bad = (self.row < 0) | (self.year < 0) | ~np.isfinite(self.value) | (self.account < 0)
        bad |= (self.row >= OF_ACCOUNTS) & (index != "")
        self.bad = bad | duals.duplicated(["level", "row", "index", "year"]).to_numpy()
        order = np.argsort(self.levels, kind="stable")
        parts = np.split(order, np.flatnonzero(np.diff(self.levels[order])) + 1)
        self.places = {str(self._names[self.levels[part[0]]]): part for part in parts if len(part)}

    def at(self, level: str, unit: str) -> tuple[Multipliers, list[Violation]]:
        """Return the multipliers of an objective, and their violations."""
        places = self.places.get(level, np.zeros(0, dtype=np.int64))
        bad = self.bad[places] | (self.unit[places] != unit)
        message = _("a multiplier in {unit} is a finite number, of a row of the program, and stated once", unit=unit)
        violations = [Violation("duals", str(row), 1.0, "rows", message) for row in self.rows[places[bad]]]
        places, arrays = places[~bad], []
        for row in range(len(Multipliers.__dataclass_fields__)):
            mine = places[self.row[places] == row]
            array = np.zeros(self.shape)
            array[self.account[mine], self.year[mine]] = self.value[mine]
            arrays.append(array if row < OF_ACCOUNTS else array[0])
        return Multipliers(*arrays), violations


OF_ACCOUNTS = 3
"""Number of first fields of `Multipliers` that belong to accounts; the others belong to the market."""


def interval_is_proven(
    root: Bound,
    others: Sequence[Bound],
    stated: StatedMultipliers,
    years: pd.DataFrame,
    price: Floats,
    bound: float,
    tolerance: float,
) -> list[Violation]:
    """Check that the price interval is spanned by stated prices, at each of which the market clears.

    The market clears at a price if the multipliers with it bound the cost as well as those of the reported price, up to
    the value of a little demand, `PRICE_PROOF_RELATIVE` of all emissions, between the two.

    Parameters
    ----------
    root, bound
        Bound at the multipliers of the reported price, over all plans, and its value [CNY].
    others
        Bounds at other multipliers, such as those of leaves: a price that bounds the cost worse is none of the market.
    tolerance
        Of the cost [CNY].
    """
    baseline = root.market.baseline
    violations, prices, bounds = [], [price], [bound]
    levels = [name for name in stated.places if re.fullmatch(rf"{COST}:\d+", name)]
    for level in levels:
        end, wrong = stated.at(level, "CNY/t")
        violations += wrong
        prices.append(-end.market_balance / baseline.discount)
        bounds.append(Bound(root.market, end, root.leeway).of_all())
    # The reported price is that of the relaxation itself, without the demand by which the ends are found.
    better = max([*bounds, *(other.of_all() for other in others)]) - bound
    if not better <= tolerance + PRICE_PROOF_RELATIVE * abs(bound):
        message = _("no other stated prices bound the cost better than those reported")
        violations.append(Violation("price", COST, better, "CNY", message))
    demand, best = PRICE_PROOF_RELATIVE * float(baseline.emissions.mean(axis=1).sum()), max(bounds)
    for level, at, proven in zip([COST, *levels], prices, bounds, strict=True):
        apart = demand * max(float((baseline.discount * np.abs(other - at)).sum()) for other in prices)
        # Relaxations are solved to this share of their cost.
        if levels and not best - proven <= apart + tolerance + PRICE_PROOF_RELATIVE * abs(best):
            message = _("the market clears at the price and at both ends of its interval")
            violations.append(Violation("price", str(level), best - proven, "CNY", message))
    no_label = np.array([""], dtype=object)
    ends = {
        "price_lower_cny_per_t": np.min(prices, axis=0)[None],
        "price_upper_cny_per_t": np.max(prices, axis=0)[None],
    }
    return violations + statements.columns_follow("years", no_label, baseline.years, years, ends)
