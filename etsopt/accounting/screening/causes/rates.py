"""Causes of quantities that are off per tonne of output, and of outputs that are off against the items of the month.

The logarithm of every quantity over the output of its unit and month is compared with that of the other months. A shift
that most items of a month share is the output's. With many items their median takes the place of the output, which has
noise of its own. A unit that is off in all its months is compared with its peers in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW, ITEM, PROCESS, joined
from etsopt.accounting.screening.causes.hypotheses import (
    DOUBLED,
    LEAST_RATIO,
    QUANTITY,
    UNEXPLAINED,
    Mistakes,
    Verdict,
    judged,
)
from etsopt.accounting.screening.causes.series import (
    MEDIAN_DEVIATION,
    centre_and_scale,
    grouped_middle,
    middle,
    suspects,
)
from etsopt.accounting.screening.screening_data import FEWEST_MONTHS, FEWEST_PEERS, MWH_PER_GJ
from etsopt.accounting.vocabulary import FLOWS, GENERATION, ITEMS, PROCESSES

if TYPE_CHECKING:
    from collections.abc import Callable

    from etsopt.accounting.screening.causes.series import Flags, Floats, Integers, Series, Suspects


BASES = ("ironmaking", "clinker", "electrolysis", "bof", "eaf", GENERATION)
"""Processes whose product is the output of a unit, the first that it has."""
BESIDE = (ITEM["heat"], ITEM["boiler_heat"])
"""Products of a power unit that are not its output: the heat supplied adds to the electricity."""
MANY, FEW = 8, 3
"""Items whose median is more exact than the output; and fewest of which most tell which of both is wrong."""
LEAST_SCALE, LEAST_SCALE_OF_PEERS = 0.005, 0.05
"""Scales below which no series and no group of plants is taken to vary."""
ALIKE, ALIKE_SCALES, ALIKE_RATIO = 0.6, 5.0, 0.1
"""Share of the items that a shift of the output has in common, and how near they are to it."""
PAIR = 0.25
"""Share of a shift within which a unit's only two items have it: two mistakes are hardly of one factor."""
TOGETHER, LEAST_DOUBLED = 0.75, float(np.log(1.5))
"""Share of the figures of a month that are off together, and logarithm of the ratio from which they may be doubled."""
UNLIKE_PEERS = float(np.log(2))
"""Logarithm of the ratio to peers from which a whole year is named: plants do differ."""
USUAL_YEARS = 300.0
"""Weight of a series of a year without a fault, among about as many series of 18 plants."""


@dataclass(frozen=True, eq=False)
class Rates:
    """Counted quantities per tonne of output.

    Parameters
    ----------
    series
        All series.
    place
        Positions of the counted ones among them, shape ``(counted,)``.
    """

    series: Series
    place: Integers

    @classmethod
    def of(cls, series: Series) -> Rates:
        """Take the counted series."""
        return cls(series, np.flatnonzero(series.counted))

    @property
    def unit(self) -> Integers:
        """Unit of each series."""
        return self.series.coded.unit[self.place]

    @cached_property
    def peers(self) -> Integers:
        """Group of comparable series: of one sector, process, item and flow, and of units with outputs of one process.

        Blast and electric furnaces use the same items, and other amounts of them.
        """
        own = self.series.coded.select(self.place)
        made = np.append(own.process, len(PROCESSES))[self.base][self.unit]
        sizes = ((own.sector, 0), (made, len(PROCESSES) + 1), (own.process, len(PROCESSES)))
        return np.unique(joined((*sizes, (own.item, len(ITEMS)), (own.flow, len(FLOWS)))), return_inverse=True)[1]

    @cached_property
    def logarithms(self) -> Floats:
        """Logarithms of the quantities, NaN where there is none."""
        amount = self.series.hundredths[self.place]
        return np.log(np.where(amount > 0, amount / 100.0, np.nan))

    @cached_property
    def level(self) -> Floats:
        """Logarithm of each quantity over that of a usual month."""
        return self.logarithms - centre_and_scale(self.logarithms, 1)[0][:, None]

    @cached_property
    def base(self) -> Integers:
        """Position of the output of each unit, -1 for units without one."""
        own = self.series.coded.select(self.place)
        rank = np.full(len(PROCESSES), len(BASES))
        rank[[PROCESS[name] for name in BASES]] = np.arange(len(BASES))
        made = (own.flow == FLOW["product"]) & ~np.isin(own.item, BESIDE)
        able = np.flatnonzero(made & (rank[own.process] < len(BASES)))
        total = self.series.hundredths[self.place].sum(axis=1)
        order = able[np.lexsort((-total[able], rank[own.process[able]], own.unit[able]))]
        units, first = np.unique(own.unit[order], return_index=True)
        found = np.full(len(own.units), -1)
        found[units] = order[first]
        return found

    @cached_property
    def output(self) -> Floats:
        """Logarithm of the output of the unit of each series, NaN without one; of a power unit with heat supplied."""
        base, own = self.base[self.unit], self.series.coded.select(self.place)
        amount = self.series.hundredths[self.place] / 100.0
        supplied = np.zeros((len(self.base), amount.shape[1]))
        of_heat = (own.item == ITEM["heat"]) & (own.flow == FLOW["product"])
        np.add.at(supplied, self.unit[of_heat], MWH_PER_GJ * amount[of_heat])
        output = np.where(amount[base] > 0, amount[base] + supplied[self.unit], np.nan)
        return np.where((base < 0)[:, None], np.nan, np.log(output))

    @cached_property
    def item(self) -> Flags:
        """True for series that are not the output of their unit; the heat supplied is, and follows the weather."""
        beside = np.isin(self.series.coded.item[self.place], BESIDE)
        return (np.arange(len(self.place)) != self.base[self.unit]) & ~beside

    @cached_property
    def usual(self) -> Floats:
        """Logarithm of the usual quantity per tonne of output of each series."""
        return centre_and_scale(self.logarithms - self.output, FEWEST_MONTHS)[0]

    @cached_property
    def months(self) -> Shifts:
        """Every quantity against the other months of its unit."""
        rate = self.logarithms - self.output
        absent = np.isnan(self.output)
        off = np.where(absent, self.level, rate - self.usual[:, None])
        return self._shifts(off, self.level, absent, self._scale_of_months)

    @cached_property
    def years(self) -> Shifts:
        """The usual quantity of every series against those of its peers, in a single column."""
        output = centre_and_scale(self.logarithms, FEWEST_MONTHS)[0]
        off, level = (self._beyond_peers(values[:, None]) for values in (self.usual, output))
        return self._shifts(off, level, (self.base < 0)[self.unit, None], self._scale_of_peers)

    def doubled(self) -> Suspects:
        """Return the months in which the figures of a unit are together about twice those of its other months.

        No rate is off in them. Outages make low months, and what a plant can make bounds the high ones: the width is
        the distance from the usual month to the largest of the others.
        """
        common, count = grouped_middle(self.level, self.unit, len(self.base))
        together = np.zeros_like(common)
        np.add.at(together, self.unit, np.abs(self.level - common[self.unit]) < PAIR * np.log(2))
        unit, column = np.nonzero((common > LEAST_DOUBLED) & (together >= TOGETHER * count) & (count > 1))
        others = common[unit]
        others[np.arange(len(unit)), column] = np.nan
        usual = middle(others)
        ratio, width = common[unit, column] - usual, np.nanmax(others, axis=1, initial=-np.inf) - usual
        able = np.flatnonzero((~np.isnan(others)).sum(axis=1) >= FEWEST_MONTHS)
        fault, found = judged(ratio[able], np.maximum(width[able], LEAST_SCALE_OF_PEERS), DOUBLED)
        able, twice = able[fault], found.cause != UNEXPLAINED
        able = able[twice]
        unit, column, ratio = unit[able], column[able], np.exp(ratio[able])
        values = {**vars(found.select(twice)), "ratio": ratio, "count": count[unit, column]}
        return suspects(unit, column=column, **values)

    def _shifts(self, off: Floats, level: Floats, absent: Flags, scale: Callable[[Floats, Integers], Floats]) -> Shifts:
        """Tell shifts of items from those of outputs.

        Parameters
        ----------
        off, level
            Logarithm of the ratio to the usual per tonne of output, and without regard to output.
        absent
            Whether the unit of each series states no output.
        scale
            Scales of some series from their values and positions.
        """
        unit, item, off = self.unit, self.item, np.where(self.item[:, None], off, np.nan)
        common, items = grouped_middle(off, unit, len(self.base))
        without = np.ones_like(common, dtype=bool)
        without[unit] = absent
        many = (items >= MANY) | (without & (items >= FEW))
        left = np.where((without & ~many)[unit], np.nan, off - np.where(many, common, 0.0)[unit])
        width = scale(left, np.arange(len(left)))
        # Most items share a shift of the output; if there are few, the figure farthest from its level is wrong.
        near = np.abs(off - common[unit]) < np.maximum(ALIKE_SCALES * width[:, None], ALIKE_RATIO)
        alike, paired = np.zeros_like(common), np.zeros_like(common)
        np.add.at(alike, unit[item], near[item])
        np.add.at(paired, unit[item], (np.abs(off - common[unit]) < PAIR * np.abs(common[unit]))[item])
        has = np.flatnonzero(self.base >= 0)
        ours, theirs = np.full_like(common, np.nan), grouped_middle(np.abs(level[item]), unit[item], len(common))[0]
        ours[has] = np.abs(level[self.base[has]])
        able = (alike >= ALIKE * items) & ((items >= FEW) | (paired > 1) | (ours > theirs)) & ~without
        output = -common[has]
        of_output = scale(output, self.base[has])
        wrong = np.zeros_like(many)
        wrong[has] = able[has] & judged(output, of_output[:, None], QUANTITY)[0]
        left -= np.where(wrong & ~many, common, 0.0)[unit]
        left[self.base[has]] = np.where(able[has], output, np.nan)
        width[self.base[has]] = of_output
        return Shifts(left, width)

    def _scale_of_months(self, off: Floats, place: Integers) -> Floats:
        """Return scales over months, drawn half way to those usual among peers, as twelve months say little."""
        own, peers = centre_and_scale(off, FEWEST_MONTHS)[1], self.peers[place]
        usual, count = grouped_middle(own[:, None], peers, int(self.peers.max(initial=-1)) + 1)
        drawn = np.where(count >= FEWEST_PEERS, usual, np.nan)[peers, 0]
        return np.maximum(np.where(np.isnan(drawn), own, np.sqrt(own * drawn)), LEAST_SCALE)

    def _beyond_peers(self, values: Floats) -> Floats:
        middle, count = grouped_middle(values, self.peers, int(self.peers.max(initial=-1)) + 1)
        return values - np.where(count >= FEWEST_PEERS, middle, np.nan)[self.peers]

    def _scale_of_peers(self, off: Floats, place: Integers) -> Floats:
        """Return scales over peers."""
        peers = self.peers[place]
        usual, count = grouped_middle(np.abs(off), peers, int(self.peers.max(initial=-1)) + 1)
        found = np.where(count >= FEWEST_PEERS, usual / MEDIAN_DEVIATION, np.nan)[peers, 0]
        return np.maximum(found, LEAST_SCALE_OF_PEERS)


@dataclass(frozen=True, eq=False)
class Shifts:
    """Logarithm of stated over usual quantities of counted series; that of an output by the items of its month.

    Parameters
    ----------
    off
        The logarithm, NaN where nothing is usual, shape ``(counted, months)``.
    width
        Scale of the usual variation of each series, shape ``(counted,)``.
    """

    off: Floats
    width: Floats

    def judged(
        self, equivalent: Floats, mistakes: Mistakes, usual: Floats | float
    ) -> tuple[Integers, Integers, Verdict]:
        """Return row, column and verdict of the figures that are off.

        Parameters
        ----------
        equivalent
            Tonnes of coal equivalent in a tonne of each series, NaN for items that are no fuel.
        mistakes
            Kinds of mistake.
        usual
            Weight of usual variation, of all figures or of each.
        """
        # Within a few scales nothing can be found, whatever the hypotheses.
        row, column = np.nonzero(np.abs(self.off) > np.maximum(LEAST_RATIO, FEW * self.width)[:, None])
        weight = np.broadcast_to(usual, self.off.shape)[row, column]
        fault, found = judged(self.off[row, column], self.width[row], mistakes, weight, equivalent[row])
        return row[fault], column[fault], found
