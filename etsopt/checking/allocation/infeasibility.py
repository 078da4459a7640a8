r"""That no allocation exists: what multipliers of the coupling rows prove to lack, whatever they are.

With $c$ in the middle of every unit's interval and $\pi = G^T y$, every allocation within the intervals has

$$\sum_r |y_r|\, (\text{what row } r \text{ gives way on its priced side})
  \ge F(y) = \sum_r y_r \Bigl( d_r - \sum_i g_{ri} c_i \Bigr)
  - \sum_i |\pi_i| \frac{\overline A_i - \underline A_i}{2}$$

so with $|y_r| \le 1$ in the rows that may give way, and none that gives way among the others, $F(y) > 0$ tonnes lack
at least. An answer is let off with a little in every interval and row. Only where more lacks than all of that is it
certified that nothing is feasible, so no instance can have both a certified answer and this certificate.

With exceptions $S$ the intervals of these are wider, and it is $F(y) - \sum_{i \in S} g_i(y)$ that lacks, where $g_i$
is what the wider band of $i$ gains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.allocation.rows import UNIT_TOLERANCE_T
from etsopt.checking.arithmetic import UNDERFLOW, difference, gamma, most_of, total, upward
from etsopt.checking.report import Violation

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.allocation.limits import Demands
    from etsopt.checking.allocation.rows import CouplingRows

GIVE_WAY = ("sector_target", "province_balance", "national_total")
"""Rows that may give way where nothing is feasible; orders of rates and bands of enterprises may not."""


WITH_ROUNDING = 1 + 1e-6
"""Times what an answer is let off with, for the rounding of what it is compared with."""


@dataclass(frozen=True)
class Shortfall:
    """What multipliers prove.

    Parameters
    ----------
    lacking
        The least that lacks without exceptions, where every limit is kept.
    let_off
        The most of it that the misses of an answer can make up.
    gains
        The most of it that each free unit makes up as an exception, shape ``(free,)``.
    """

    lacking: float
    let_off: float
    gains: NDArray[np.float64]


def shortfall(
    demands: Demands, price: NDArray[np.float64], row_misses: NDArray[np.float64], unit_miss: float
) -> Shortfall:
    """What multipliers of the coupling rows prove, where no unit is an exception in the demands.

    Parameters
    ----------
    row_misses
        By how much each row may be missed, in its unit.
    unit_miss
        By how much each unit may leave its interval [t].
    """
    rows, bands, free = demands.rows, demands.bands, ~demands.fixed
    price = rows.priced(price)
    lower, upper, inside = demands.lower, demands.upper.copy(), demands.enterprise >= 0
    # With exceptions an enterprise may have more, and any unit of it all of that.
    everything = np.bincount(demands.enterprise[inside], bands.shared_above[inside], len(rows))
    upper[inside] += everything[demands.enterprise[inside]]
    with np.errstate(all="ignore"):
        pull = rows.pull(price, len(free))
        middle = np.where(free, (lower + upper) / 2, 0.0)
        reach = np.maximum(upper - middle, middle - lower)[free] * (1 + gamma(4))
        at_middle, here = rows.totals(middle), price != 0
        side = np.where(price > 0, rows.least, rows.most)[here]
        high, low = difference(side, at_middle.high[here])
        away = price[here] * (high + (low - at_middle.low[here]))
        of_units, uncertain = np.abs(pull.at_unit)[free], pull.of(free).uncertain
        error = np.abs(price[here]) * (
            at_middle.error[here] + gamma(8) * (np.abs(high) + np.abs(low) + np.abs(at_middle.low[here]))
        )
        (given, off), taken = total(away), most_of((of_units + 1.01 * uncertain) * reach * (1 + gamma(4)))
        lacking = given - off - most_of(error * (1 + gamma(8))) - taken
        lacking -= gamma(8) * (abs(given) + taken)
        let_off = most_of(np.abs(price) * row_misses) + most_of((of_units + uncertain) * unit_miss)
        gains = _gains(demands, pull.at_unit, price)[free] * (1 + gamma(8))
        gains += 1.01 * uncertain * (bands.added_above + bands.added_below)[free] + UNDERFLOW
    # What overflows proves nothing: neither that something lacks, nor that nobody could make it up.
    if not (np.isfinite(lacking) and np.isfinite(let_off) and np.isfinite(gains).all()):
        return Shortfall(-np.inf, 0.0, np.zeros_like(gains))
    return Shortfall(lacking, upward(let_off, 8), gains)


def _gains(demands: Demands, pull: NDArray[np.float64], price: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the wider band of each unit, or of its enterprise, takes off what lacks."""
    bands, inside = demands.bands, demands.enterprise >= 0
    gains: NDArray[np.float64] = np.where(pull > 0, pull * bands.added_above, -pull * bands.added_below)
    shared = price[demands.enterprise[inside]]
    gains[inside] = np.where(shared > 0, shared * bands.shared_below[inside], -shared * bands.shared_above[inside])
    return gains


def multipliers_are_within_one(rows: CouplingRows, price: NDArray[np.float64]) -> list[Violation]:
    """A tonne by which a limit gives way counts one, so the multiplier of such a row is none above one."""
    message = "the multiplier of a limit that gives way is between minus one and one"
    return [
        Violation("duals", f"{rows.rule[row]} {rows.index[row]}".strip(), abs(float(price[row])), "t/t", message)
        for row in np.flatnonzero(np.isin(rows.rule, GIVE_WAY) & ~(np.abs(price) <= WITH_ROUNDING))
    ]


def proven_shortfall(demands: Demands, exceptions: int, duals: pd.DataFrame, level: str) -> tuple[float, bool]:
    """Tonnes by which coupling rows must give way, at least, and whether answers are let off with as much.

    A tonne of give costs one in every row that may give, so their multipliers are held to one. What as many exceptions
    as are allowed could mend is taken off.
    """
    price = demands.rows.prices(duals[duals["level"].to_numpy() == level])
    gives = np.isin(demands.rows.rule, GIVE_WAY)
    price = np.where(gives, np.clip(price, -1.0, 1.0), price)
    # Whole tonnes that miss a whole limit by less than a tonne keep it.
    rows_may, unit_may = (
        0.0 if demands.whole else WITH_ROUNDING * by for by in (demands.rows.tolerance, UNIT_TOLERANCE_T)
    )
    proof = shortfall(demands, price, np.broadcast_to(rows_may, len(demands.rows)), float(unit_may))
    if not np.isfinite(proof.lacking):
        return 0.0, True
    best = np.sort(proof.gains)[::-1][:exceptions]
    mended = most_of(np.maximum(best, 0.0))
    proven = max(proof.lacking - mended - gamma(4) * (abs(proof.lacking) + mended), 0.0)
    return proven, not proven > proof.let_off
