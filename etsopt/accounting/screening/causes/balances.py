"""Stocks that do not close: opening stock and purchases less consumption and closing stock, month by month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW, joined
from etsopt.accounting.screening.causes.hypotheses import (
    LEAST_RATIO,
    NAMED,
    UNKNOWN,
    USUAL,
    density,
    unknown_density,
)
from etsopt.accounting.screening.causes.rates import LEAST_SCALE
from etsopt.accounting.screening.causes.series import centre_and_scale, middle
from etsopt.accounting.screening.screening_data import FEWEST_MONTHS
from etsopt.accounting.vocabulary import ITEMS, PROCESSES

if TYPE_CHECKING:
    from etsopt.accounting.screening.causes.rates import Rates
    from etsopt.accounting.screening.causes.series import Flags, Floats, Integers, Series, Suspects


USUAL_BALANCES = 300.0
"""Weight of a balance that closes, among about as many months of stocks of 18 plants with one fault."""
AGREEING = 4.0
"""Scales within which a gap is that of the consumption, which then is off by its rate as well."""
BACK = 0.25
"""Share of a gap within which that of the next month is its opposite, as after a false closing stock."""


@dataclass(frozen=True, eq=False)
class Balances:
    """Balances of the items whose consumption, purchases and stocks are stated.

    Parameters
    ----------
    places
        Positions of the series of consumption, purchases and stock, each of shape ``(balances,)``.
    figures
        Opening stock, purchases, consumption and closing stock [t], shape ``(4, balances, months)``.
    gap_t
        What the balance has too much of, beyond what is usual, shape ``(balances, months)``.
    probability
        Probability that a figure of the balance is false, shape ``(balances, months)``.
    follows
        True for months whose gap is the opposite of that of the next, shape ``(balances, months)``.
    """

    places: tuple[Integers, Integers, Integers]
    figures: Floats
    gap_t: Floats
    probability: Floats
    follows: Flags

    @classmethod
    def of(cls, series: Series) -> Balances:
        """Find the items with all three, and balance them."""
        coded = series.coded
        key = joined([(coded.unit, 0), (coded.process, len(PROCESSES)), (coded.item, len(ITEMS))])
        every = [np.flatnonzero(coded.flow == FLOW[name]) for name in ("in", "purchase", "stock")]
        shared = np.intersect1d(key[every[0]], np.intersect1d(key[every[1]], key[every[2]]))
        first, second, third = (own[np.searchsorted(key[own], shared)] for own in every)
        stated = np.where(series.present, series.hundredths / 100.0, np.nan)
        used, bought, stock = stated[first], stated[second], stated[third]
        opening = np.column_stack([np.full(len(stock), np.nan), stock[:, :-1]])
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = middle(used)[:, None]
            share = (opening + bought - used - stock) / usual
            centre, scale = centre_and_scale(share, FEWEST_MONTHS)
            share, width = share - centre[:, None], np.maximum(scale, LEAST_SCALE)[:, None]
            closing, open_ = USUAL_BALANCES * density(share / width) / width, unknown_density(share)
            probability = np.where(np.abs(share) > LEAST_RATIO, open_ / (open_ + closing), 0.0)
            opposite = np.abs(share[:, 1:] + share[:, :-1]) < BACK * np.abs(share[:, :-1])
        wrong = probability > NAMED
        follows = np.zeros_like(wrong)
        follows[:, :-1] = wrong[:, :-1] & wrong[:, 1:] & opposite
        follows[:, 1:] &= ~follows[:, :-1]
        figures = np.stack([opening, bought, used, stock])
        return cls((first, second, third), figures, share * usual, np.nan_to_num(probability), follows)

    def weights(self, rates: Rates) -> Floats:
        """Return the weights of usual variation of all counted quantities, shape ``(counted, months)``.

        Where a balance lacks just what the rate of the consumption has too much, it is that of a mistake in purchases
        or stock, the two other figures.
        """
        weights = np.full(rates.logarithms.shape, USUAL)
        place = np.searchsorted(rates.place, self.places[0])
        off, width = rates.months.off[place], rates.months.width[place][:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            implied = np.log(self.figures[2] / (self.figures[2] + self.gap_t))
            single = (self.probability > NAMED) & ~self.follows
            single[:, 1:] &= ~self.follows[:, :-1]
            agreeing = single & (np.abs(implied - off) < AGREEING * width)
        weights[place] = np.where(agreeing, 2 * UNKNOWN, weights[place])
        return weights

    def suspects(self, rates: Rates, explained: Flags) -> Suspects:
        """Return stocks or purchases that are off, where no other cause explains the balance.

        A false closing stock leaves its opposite in the next month. With one gap the purchase is off, but in the
        first and the last month it is the figure that is farther from its level.

        Parameters
        ----------
        explained
            Figures with another cause, shape ``(series, months)``.
        """
        series, gap, (used, bought, stock) = rates.series, self.gap_t, self.places
        other = explained[used] | explained[bought] | explained[stock]
        other[:, 1:] |= explained[stock][:, :-1]
        wrong = (self.probability > NAMED) & ~other
        wrong[:, 1:] &= ~self.follows[:, :-1]
        row, column = np.nonzero(wrong)
        far = [self._distance(series, own)[row, column] for own in (bought, stock)]
        before = np.where(column > 0, self._distance(series, stock)[row, column - 1], 0.0)
        last = np.isnan(np.column_stack([gap[:, 1:], np.full(len(gap), np.nan)]))[row, column]
        closing = self.follows[row, column] | (last & (far[1] > far[0]))
        start = ~closing & np.isnan(gap[row, column - 1]) & (before > far[0])
        place = np.where(closing | start, stock[row], bought[row])
        names = ("opening", "bought", "used", "closing")
        figures = dict(zip(names, self.figures[:, row, column], strict=True))
        figures |= {"gap": gap[row, column], "other_month": column + series.first}
        probability = self.probability[row, column]
        return series.suspects(place, column - start, cause="stock_open", probability=probability, **figures)

    def _distance(self, series: Series, place: Integers) -> Floats:
        """Return how many scales each logarithm is from its centre, 0 where nothing is stated."""
        amount = series.hundredths[place]
        values = np.log(np.where(amount > 0, amount, np.nan))
        centre, scale = centre_and_scale(values, FEWEST_MONTHS)
        return np.nan_to_num(np.abs(values - centre[:, None]) / np.maximum(scale, LEAST_SCALE)[:, None])
