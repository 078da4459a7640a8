"""Statements on the monthly quantities of a year: from reports, other months, peers, physical limits, and ledgers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.reconciliation.assumptions import FEWEST_MONTHS, FEWEST_PEERS, LEAST_SPREAD, figure
from etsopt.accounting.reconciliation.series import MONTHS, Series, median, of_others
from etsopt.accounting.screening.registry import RULES
from etsopt.accounting.screening.screening_data import NORMAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Statements:
    """Statements of one kind; the terms of each are those with its number in ``owner``.

    Parameters
    ----------
    kind, source
        Kind of evidence, and the document or assumption.
    name
        Beginning of the identifier.
    series, month
        Quantity that names the statement, shape ``(s,)``.
    value, lower, upper, uncertainty
        Shape ``(s,)``; NaN for an absent side.
    owner, quantity_series, quantity_month, coefficient
        Terms, shape ``(k,)``.
    """

    kind: str
    source: str
    name: str
    series: Places
    month: Places
    value: Floats
    lower: Floats
    upper: Floats
    uncertainty: Floats
    owner: Places
    quantity_series: Places
    quantity_month: Places
    coefficient: Floats

    @classmethod
    def of(
        cls,
        names: tuple[str, str, str],
        quantity: tuple[Places, Places],
        values: tuple[Floats, Floats, Floats],
        uncertainty: Floats,
        terms: Sequence[tuple[Places, Places, Places, Floats]],
    ) -> Statements:
        """Join the parts of statements.

        Parameters
        ----------
        names
            Kind, source, and beginning of the identifier.
        quantity
            Series and month of the quantity that names each.
        values
            Most likely value, and range.
        terms
            Owner, series, month and coefficient of the terms, in parts.
        """
        return cls(
            *names, *quantity, *values, uncertainty, *(np.concatenate(part) for part in zip(*terms, strict=True))
        )


class TypicalValues:
    """Typical quantities and ratios of every series, from its other months and from its peers.

    Parameters
    ----------
    series
        The series of a year.
    doubtful
        True for reports whose origin screening doubts, shape ``(n, 12)``.
    """

    def __init__(self, series: Series, doubtful: Mask) -> None:
        self.series, self.doubtful = series, doubtful
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(series.reported)
            base = np.where(series.base[:, None] >= 0, logs[series.base], np.nan)
            ratio = np.where(np.isfinite(logs - base), logs - base, np.nan)
        self.middle, self.spread, self.count = of_others(ratio)
        typical, _, _ = of_others(series.reported)
        own = np.where(np.isnan(typical), series.reported, typical)
        # A series of one month, or of zeros, has the size of its largest quantity.
        largest = np.nan_to_num(series.reported).max(axis=1, initial=0.0)[:, None]
        self.typical = np.where(own > 0, own, np.where(largest > 0, largest, 1.0))
        self.of_year = median(ratio)
        keys = series.keys
        self.peers = keys.groupby(["sector", "process", "item", "flow"], sort=False).ngroup().to_numpy()
        scores = self.spread * NORMAL
        self.width = figure("usual_spreads") * np.maximum(np.maximum(scores, self._common(scores)), LEAST_SPREAD)
        self.peer_middle, self.peer_width, self.peer_count = self._of_peers()

    def _common(self, spread: Floats) -> Floats:
        """Return the median spread of the peers of each series, shape ``(n, 1)``; 0 without any."""
        own = pd.Series(median(spread))
        return own.groupby(self.peers).transform("median").fillna(0.0).to_numpy()[:, None]

    def _of_peers(self) -> tuple[Floats, Floats, Places]:
        """Return middle, half-width and number of the yearly ratios of all units with the series, shape ``(n,)``."""
        own = pd.Series(self.of_year)
        groups = own.groupby(self.peers)
        middle = groups.transform("median")
        spread = (own - middle).abs().groupby(self.peers).transform("median") * NORMAL
        width = np.maximum(figure("peer_spreads") * spread.to_numpy(), np.log(figure("peer_factor")))
        return middle.to_numpy(), width, groups.transform("count").to_numpy()

    @property
    def unlike_peers(self) -> Mask:
        """True for series whose yearly ratio is outside the range of their peers, shape ``(n,)``."""
        with np.errstate(invalid="ignore"):
            outside = np.abs(self.of_year - self.peer_middle) > self.peer_width
        return outside & (self.peer_count >= FEWEST_PEERS)

    @property
    def of_peers(self) -> Floats:
        """Quantities by the ratio of peers and the typical output, NaN without enough of them, shape ``(n, 12)``."""
        ratio = np.where(self.peer_count >= FEWEST_PEERS, np.exp(self.peer_middle), np.nan)
        found: Floats = ratio[:, None] * self.base_of(self.typical)
        return found

    def base_of(self, table: Floats) -> Floats:
        """Return a table at the base of each series."""
        return table[self.series.base]

    def single(
        self,
        kind: str,
        source: str,
        name: str,
        is_used: Mask,
        values: tuple[Floats, Floats, Floats],
        uncertainty: Floats,
    ) -> Statements:
        """Return statements on one quantity each, from tables of shape ``(n, 12)``."""
        place, month = np.nonzero(is_used)
        told = values[0][is_used], values[1][is_used], values[2][is_used]
        terms = [(np.arange(len(place)), place, month, np.ones(len(place)))]
        return Statements.of((kind, source, name), (place, month), told, uncertainty[is_used], terms)

    def related(self) -> Mask:
        """True for quantities beside an output of their month, other than this output itself."""
        base = self.series.base
        is_used = self.series.exists & self.series.exists[base] & (base >= 0)[:, None]
        is_used[np.arange(len(base)) == base] = False
        return is_used


def uncertainty_of_reports(usual: TypicalValues, stated: Floats) -> Floats:
    """Return the uncertainty of each report, shape ``(n, 12)``, which does not grow with an error of the report itself.

    Parameters
    ----------
    stated
        Relative uncertainty that the reports state, NaN without one, shape ``(n, 12)``.
    """
    series = usual.series
    rate = np.where(np.isnan(stated), series.keys["rate"].to_numpy()[:, None], stated)
    # All months of a doubtful series may be false alike: the size is then that of peers, if it is smaller.
    doubted = np.fmin(usual.typical, usual.of_peers)
    doubted = np.where(doubted > 0, doubted, usual.typical)
    found: Floats = np.where(
        usual.doubtful, np.maximum(rate * usual.typical, figure("doubtful") * doubted), rate * usual.typical
    )
    return found


def usual_ratios(usual: TypicalValues) -> Statements:
    """Return the range of each quantity beside the output, from the unit's other months.

    A series unlike its peers, or of doubtful figures, states none: its other months are no witness.
    """
    witness = ~usual.unlike_peers & ~(usual.doubtful.sum(axis=1) > MONTHS / 2)
    is_used = usual.related() & (usual.count >= FEWEST_MONTHS) & witness[:, None]
    rate = figure("usual_beyond") * usual.series.keys["rate"].to_numpy()[:, None] * usual.typical
    return _ratios("usual_ratio", "ratio", usual, is_used, (usual.middle, usual.width), rate)


def peer_ratios(usual: TypicalValues) -> Statements:
    """Return the range of each quantity beside the output, from other units of the sector."""
    is_used = usual.related() & (usual.peer_count >= FEWEST_PEERS)[:, None]
    shape = usual.series.reported.shape
    middle, width = (np.broadcast_to(one[:, None], shape) for one in (usual.peer_middle, usual.peer_width))
    rate = figure("peer_beyond") * usual.series.keys["rate"].to_numpy()[:, None]
    uncertainty = rate * usual.of_peers
    return _ratios("peers", "peers", usual, is_used, (middle, width), uncertainty)


def _ratios(
    kind: str, name: str, usual: TypicalValues, is_used: Mask, logs: tuple[Floats, Floats], uncertainty: Floats
) -> Statements:
    """Return statements on a quantity less a ratio times the output: their range is that at a usual output."""
    place, month = np.nonzero(is_used)
    ratio, width = np.exp(logs[0][is_used]), logs[1][is_used]
    output = usual.base_of(usual.typical)[is_used]
    zero = np.zeros(len(place))
    lower, upper = ratio * np.expm1(-width) * output, ratio * np.expm1(width) * output
    number, base = np.arange(len(place)), usual.series.base[place]
    source = "months of the unit, [C]" if kind == "usual_ratio" else "units of the sector, [C]"
    terms = [(number, place, month, np.ones(len(place))), (number, base, month, -ratio)]
    return Statements.of((kind, source, name), (place, month), (zero, lower, upper), uncertainty[is_used], terms)


def activity(usual: TypicalValues) -> Statements:
    """Return the range of the output of each month, from the other months; the neighbours have the likely value."""
    series = usual.series
    is_base = series.base == np.arange(len(series.base))
    values = series.reported
    least, most, near = (np.full(values.shape, np.nan) for _ in range(3))
    count = np.zeros(values.shape, dtype=np.int64)
    for month in range(MONTHS):
        others = np.delete(values, month, axis=1)
        count[:, month] = (~np.isnan(others)).sum(axis=1)
        least[:, month], most[:, month] = np.fmin.reduce(others, axis=1), np.fmax.reduce(others, axis=1)
        beside = values[:, [one for one in (month - 1, month + 1) if 0 <= one < MONTHS]]
        near[:, month] = median(beside)
    near = np.where(np.isnan(near), usual.typical, near)
    is_used = series.exists & is_base[:, None] & (count >= FEWEST_MONTHS)
    margin = figure("activity_margin")
    lower, upper = (1 - margin) * least, (1 + margin) * most
    told = np.clip(near, lower, upper), lower, upper
    uncertainty = figure("activity_beyond") * usual.typical
    return usual.single("activity", "months of the unit, [C]", "output", is_used, told, uncertainty)


def limits(usual: TypicalValues) -> Iterator[Statements]:
    """Yield what chemistry allows, by the rules of screening: heat, anodes and coke per tonne of output."""
    series, keys = usual.series, usual.series.keys
    fuel = (keys["process"] == "clinker") & (keys["flow"] == "in") & (keys["unit"] == "GJ")
    anode = (keys["item"] == "anode") & (keys["flow"] == "in")
    coke = (keys["item"] == "coke") & (keys["process"] == "ironmaking") & (keys["flow"] == "in")
    per_unit = np.where(coke.to_numpy()[:, None], 1 / np.where(coke.to_numpy()[:, None], series.ncv, 1.0), 1.0)
    for name, which in (("heat_extreme", fuel), ("anode_extreme", anode), ("coke_extreme", coke)):
        rule = RULES[name]
        for side in ("lower", "upper"):
            yield _limit(usual, which.to_numpy(), per_unit, (name, side, rule.thresholds[side], rule.source))


def _limit(usual: TypicalValues, which: Mask, per_unit: Floats, stated: tuple[str, str, float, str]) -> Statements:
    """Return one side of a limit: the items of a month, in the unit of the rule, less the limit times the output."""
    name, side, ratio, source = stated
    is_used = usual.related() & which[:, None]
    place, month = np.nonzero(is_used)
    base = usual.series.base[place]
    # Several fuels of a month share one statement, which their output names.
    pair, owner = np.unique(base * MONTHS + month, return_inverse=True)
    output, of_month = pair // MONTHS, pair % MONTHS
    nothing, zero = np.full(len(pair), np.nan), np.zeros(len(pair))
    size = ratio * usual.typical[output, of_month]
    number = np.arange(len(pair))
    values = (nothing, zero, nothing) if side == "lower" else (nothing, nothing, zero)
    uncertainty = figure("limit_beyond") * figure("solid") * size
    terms = [(owner, place, month, per_unit[is_used]), (number, output, of_month, np.full(len(pair), -ratio))]
    names = ("limit", source, f"{name.partition('_')[0]} {side}")
    return Statements.of(names, (output, of_month), values, uncertainty, terms)
