"""Heat of the fuels of a process: fuels that make up for each other, and heat that is off per tonne of output.

Fuels are burnt for their heat. Where one is off and others of its process make up for it, the plant has switched or
blended them, and no figure is false. What they do not make up for is a cause of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import FLOW, ITEM
from etsopt.accounting.figures import FUELS
from etsopt.accounting.screening.causes.hypotheses import (
    COAL_EQUIVALENT,
    LEAST_RATIO,
    NAMED,
    USUAL,
    density,
    unknown_density,
)
from etsopt.accounting.screening.causes.rates import FEW, LEAST_SCALE
from etsopt.accounting.screening.causes.series import centre_and_scale, grouped_middle
from etsopt.accounting.screening.screening_data import FEWEST_MONTHS
from etsopt.accounting.vocabulary import ITEMS, TONNE

if TYPE_CHECKING:
    from etsopt.accounting.rows import Reports
    from etsopt.accounting.screening.causes.rates import Rates
    from etsopt.accounting.screening.causes.series import Flags, Floats, Suspects


MADE_UP = 0.3
"""Share of the heat by which a fuel is off, up to which that of its process may be off if others make up for it."""

DEFAULT, IN_TONNES = np.full(len(ITEMS), np.nan), np.zeros(len(ITEMS), dtype=bool)
"""Default calorific value of each fuel [GJ per unit], NaN for other items; and whether it is counted in tonnes."""
for _name, _values in FUELS.items():
    DEFAULT[ITEM[_name]], IN_TONNES[ITEM[_name]] = _values[0], ITEMS[_name].unit == TONNE


@dataclass(frozen=True, eq=False)
class Heat:
    """Heat of the counted fuels.

    Parameters
    ----------
    rates
        The counted quantities.
    value
        Calorific value of each fuel, measured or by default, NaN for other series [GJ per unit], shape ``(counted,)``.
    """

    rates: Rates
    value: Floats

    @classmethod
    def of(cls, rates: Rates, reports: Reports) -> Heat:
        """Take the median of the tests of each fuel, or its default."""
        own, value = rates.series.coded.select(rates.place), reports.rows["ncv_gj_per_unit"].to_numpy(dtype=float)
        rows = np.flatnonzero(reports.current & ~np.isnan(value))
        fuels, fuel = np.unique(reports.coded.unit[rows] * len(ITEMS) + reports.coded.item[rows], return_inverse=True)
        measured = np.append(np.exp(grouped_middle(np.log(value[rows])[:, None], fuel, len(fuels))[0]), np.nan)
        key, default = own.unit * len(ITEMS) + own.item, DEFAULT[own.item]
        place = np.searchsorted(fuels, key)
        known = ~np.isnan(default) & (np.append(fuels, -1)[place] == key)
        return cls(rates, np.where(known, measured[place], default))

    @property
    def equivalent(self) -> Floats:
        """Tonnes of coal equivalent in a tonne of each fuel, NaN for gases and what is no fuel."""
        tonnes = IN_TONNES[self.rates.series.coded.item[self.rates.place]]
        return np.where(tonnes, self.value, np.nan) / COAL_EQUIVALENT

    @cached_property
    def fuel(self) -> Flags:
        """True for fuels that a process burns."""
        return ~np.isnan(self.value) & (self.rates.series.coded.flow[self.rates.place] == FLOW["in"])

    @cached_property
    def excess(self) -> tuple[Floats, Floats]:
        """Heat of each fuel less that usual at the output, 0 for other series; and the heat of each [GJ]."""
        burnt = np.where(
            self.fuel[:, None], self.rates.series.hundredths[self.rates.place] / 100.0 * self.value[:, None], 0.0
        )
        usual = np.exp(self.rates.usual[:, None] + self.rates.output) * self.value[:, None]
        return np.where(self.fuel[:, None], burnt - usual, 0.0), burnt

    @cached_property
    def of_process(self) -> tuple[Floats, Floats, Floats]:
        """Of the process of each series: logarithm of its heat over that usual at the output, scale and usual heat."""
        process = self.rates.series.process[self.rates.place]
        _, burnt = self.excess
        total = np.zeros((int(process.max(initial=-1)) + 1, burnt.shape[1]))
        np.add.at(total, process, burnt)
        output = np.full_like(total, np.nan)
        output[process] = self.rates.output
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(total > 0, np.log(total) - output, np.nan)
        centre, scale = centre_and_scale(rate, FEWEST_MONTHS)
        off, expected = rate - centre[:, None], np.exp(centre[:, None] + output)
        return off[process], np.maximum(scale, LEAST_SCALE)[process, None], expected[process]

    @cached_property
    def made_up(self) -> Flags:
        """True where other fuels of a process make up for one that is off, shape ``(counted, months)``."""
        off, scale, expected = self.of_process
        excess = np.abs(self.excess[0])
        lacking = np.abs(np.expm1(off)) * expected
        return self.fuel[:, None] & (excess > FEW * scale * expected) & (lacking < MADE_UP * excess)

    def suspects(self, explained: Flags) -> Suspects:
        """Return the fuels farthest off where the heat of a process is, and no figure of it has another cause.

        Parameters
        ----------
        explained
            Figures with another cause, shape ``(series, months)``.
        """
        rates, (off, scale, expected), (excess, burnt) = self.rates, self.of_process, self.excess
        usual, open_ = USUAL * density(off / scale) / scale, unknown_density(off)
        probability = np.where(np.abs(off) > LEAST_RATIO, open_ / (open_ + usual), 0.0)
        process = rates.series.process[rates.place]
        other = np.zeros((int(process.max(initial=-1)) + 1, off.shape[1]), dtype=bool)
        # The last row is of units without an output.
        known = np.vstack([explained[rates.place], np.zeros((1, off.shape[1]), dtype=bool)])
        np.logical_or.at(other, process, known[:-1] | known[rates.base][rates.unit])
        signed = np.where(self.made_up, excess * np.sign(off), -np.inf)
        most = np.full_like(other, -np.inf, dtype=float)
        np.maximum.at(most, process, signed)
        wrong = (probability > NAMED) & ~other[process] & self.made_up & (signed == most[process]) & (signed > 0)
        row, column = np.nonzero(wrong)
        left = (burnt - np.expm1(off) * expected)[row, column]
        ratio = np.where(left > 0, burnt[row, column] / left, np.nan)
        values = {"cause": "heat_of_fuels", "probability": probability[row, column], "ratio": ratio}
        return rates.series.suspects(rates.place[row], column, **values)
