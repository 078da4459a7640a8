"""Causes of quantities that are off per tonne of output, and of outputs that are off against the items of the month.

The logarithm of every quantity over the output of its unit and month is compared with that of the other months. A shift
that most items of a month share is the output's. With many items their median takes the place of the output, which has
noise of its own. A unit that is off in all its months is compared with its peers in the same way.

Fuels are burnt for their heat. Where one is off and others of its process make up for it, the plant has switched or
blended them, and no figure is false.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW, ITEM, PROCESS, joined
from etsopt.accounting.figures import FUELS
from etsopt.accounting.screening.causes.hypotheses import (
    COAL_EQUIVALENT,
    LEAST_RATIO,
    QUANTITY,
    Mistakes,
    Verdict,
    judged,
)
from etsopt.accounting.screening.causes.series import MEDIAN_DEVIATION, centre_and_scale, grouped_middle
from etsopt.accounting.screening.screening_data import FEWEST_MONTHS, FEWEST_PEERS
from etsopt.accounting.vocabulary import FLOWS, ITEMS, PROCESSES, TONNE

if TYPE_CHECKING:
    from collections.abc import Callable

    from etsopt.accounting.rows import Reports
    from etsopt.accounting.screening.causes.series import Flags, Floats, Integers, Series


BASES = ("ironmaking", "clinker", "electrolysis", "bof", "eaf")
"""Processes whose product is the output of a unit, the first that it has."""
MANY, FEW = 8, 3
"""Items whose median is more exact than the output; and fewest of which most tell which of both is wrong."""
LEAST_SCALE, LEAST_SCALE_OF_PEERS = 0.005, 0.05
"""Scales below which no series and no group of plants is taken to vary."""
ALIKE, ALIKE_SCALES, ALIKE_RATIO = 0.6, 5.0, 0.1
"""Share of the items that a shift of the output has in common, and how near they are to it."""
UNLIKE_PEERS = float(np.log(2))
"""Logarithm of the ratio to peers from which a whole year is named: plants do differ."""
USUAL_YEARS = 300.0
"""Weight of a series of a year without a fault, among about as many series of 18 plants."""

MADE_UP = 0.3
"""Share of the heat by which a fuel is off, up to which that of its process may be off if others make up for it."""

DEFAULT, IN_TONNES = np.full(len(ITEMS), np.nan), np.zeros(len(ITEMS), dtype=bool)
"""Default calorific value of each fuel [GJ per unit], NaN for other items; and whether it is counted in tonnes."""
for _name, _values in FUELS.items():
    DEFAULT[ITEM[_name]], IN_TONNES[ITEM[_name]] = _values[0], ITEMS[_name].unit == TONNE


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

    def heat(self, reports: Reports) -> Floats:
        """Return the calorific value of each fuel, measured or by default, NaN for other series [GJ per unit]."""
        own, value = self.series.coded.select(self.place), reports.rows["ncv_gj_per_unit"].to_numpy(dtype=float)
        rows = np.flatnonzero(reports.current & ~np.isnan(value))
        fuels, fuel = np.unique(reports.coded.unit[rows] * len(ITEMS) + reports.coded.item[rows], return_inverse=True)
        measured = np.append(np.exp(grouped_middle(np.log(value[rows])[:, None], fuel, len(fuels))[0]), np.nan)
        key, default = own.unit * len(ITEMS) + own.item, DEFAULT[own.item]
        place = np.searchsorted(fuels, key)
        known = ~np.isnan(default) & (np.append(fuels, -1)[place] == key)
        return np.where(known, measured[place], default)

    def equivalent(self, heat: Floats) -> Floats:
        """Return the tonnes of coal equivalent in a tonne of each fuel, NaN for gases and what is no fuel."""
        tonnes = IN_TONNES[self.series.coded.item[self.place]]
        return np.where(tonnes, heat, np.nan) / COAL_EQUIVALENT

    def made_up(self, heat: Floats) -> Flags:
        """Return where other fuels of a process make up for one that is off, shape ``(counted, months)``."""
        fuel = ~np.isnan(heat) & (self.series.coded.flow[self.place] == FLOW["in"])
        process = self.series.process[self.place]
        burnt = np.where(fuel[:, None], self.series.hundredths[self.place] / 100.0 * heat[:, None], 0.0)
        total = np.zeros((int(process.max(initial=-1)) + 1, burnt.shape[1]))
        np.add.at(total, process, burnt)
        output = np.full_like(total, np.nan)
        output[process] = self.output
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(total > 0, np.log(total) - output, np.nan)
            centre, scale = centre_and_scale(rate, FEWEST_MONTHS)
            expected = np.exp(centre[:, None] + output)
            lacking, noise = np.abs(total - expected), FEW * np.maximum(scale, LEAST_SCALE)[:, None] * expected
            off = np.abs(burnt - np.exp(self.usual[:, None] + self.output) * heat[:, None])
            return fuel[:, None] & (off > noise[process]) & (lacking[process] < MADE_UP * off)

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
        able = np.flatnonzero((own.flow == FLOW["product"]) & (rank[own.process] < len(BASES)))
        total = self.series.hundredths[self.place].sum(axis=1)
        order = able[np.lexsort((-total[able], rank[own.process[able]], own.unit[able]))]
        units, first = np.unique(own.unit[order], return_index=True)
        found = np.full(len(own.units), -1)
        found[units] = order[first]
        return found

    @cached_property
    def output(self) -> Floats:
        """Logarithm of the output of the unit of each series, NaN without one."""
        base = self.base[self.unit]
        return np.where((base < 0)[:, None], np.nan, self.logarithms[base])

    @cached_property
    def item(self) -> Flags:
        """True for series that are not the output of their unit."""
        return np.arange(len(self.place)) != self.base[self.unit]

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
        alike = np.zeros_like(common)
        np.add.at(alike, unit[item], near[item])
        has = np.flatnonzero(self.base >= 0)
        ours, theirs = np.full_like(common, np.nan), grouped_middle(np.abs(level[item]), unit[item], len(common))[0]
        ours[has] = np.abs(level[self.base[has]])
        able = (alike >= ALIKE * items) & ((items >= FEW) | (ours > theirs)) & ~without
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
