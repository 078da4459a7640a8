"""Quantities that repeat those of another month or unit, and which of both is the copy.

The chance that two figures are equal is the density of their distribution times the step of the last digit. Figures of
one unit that are equal together multiply their chances. A copy of the month before may have been rounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import joined
from etsopt.accounting.screening.causes.hypotheses import NAMED, chance_or_fault, density
from etsopt.accounting.screening.causes.rates import LEAST_SCALE
from etsopt.accounting.screening.causes.series import OUTLYING, centre_and_scale, chained, steps
from etsopt.accounting.vocabulary import ITEMS

if TYPE_CHECKING:
    from etsopt.accounting.screening.causes.rates import Rates
    from etsopt.accounting.screening.causes.series import Flags, Floats, Integers, Suspects


EQUAL = 0.25
"""Density with which two draws of a distribution of scale 1 are equal."""
SCALE_OF_UNITS = 0.5
"""Scale of the logarithm of quantities among units of one kind."""
CONVENTION = 0.25
"""Share of the months in which figures of two units may be equal and yet be copies."""
ALL_EQUAL = 1e-9
"""Scale of a series whose figures are all equal, so that none of them is a copy."""
EARLIER = float(np.log(20))
"""Logarithm of the odds from which the earlier month is taken to be the copy: months are copied forwards."""


def copies(rates: Rates) -> tuple[Suspects, Flags]:
    """Return copied figures, one of each unit and month, and which quantities they explain, ``(counted, months)``."""
    amount = rates.series.hundredths[rates.place]
    explained = np.zeros(amount.shape, dtype=bool)
    found = [_of_months(rates, amount, explained), _of_units(rates, amount, explained)]
    return chained(found), explained


def _chance(amount: Integers, step: Integers, likely: Floats) -> Floats:
    """Return the logarithm of the chance of an amount within its step, from the density of its logarithm."""
    chance: Floats = np.log(np.minimum(1.0, likely * step / amount))
    return chance


def _of_months(rates: Rates, amount: Integers, explained: Flags) -> Suspects:
    """Find quantities that are those of another month."""
    months = amount.shape[1]
    order = np.argsort(amount, axis=1, kind="stable")
    ordered = np.take_along_axis(amount, order, axis=1)
    row, nth = np.nonzero((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] > 0))
    before, after = order[row, nth], order[row, nth + 1]
    # Of the month before a figure may be repeated with fewer digits.
    step = steps(amount)
    coarse = np.maximum(step[:, 1:], step[:, :-1])
    apart = np.abs(np.diff(amount, axis=1))
    near, column = np.nonzero((apart > 0) & (2 * apart <= coarse) & (np.minimum(amount[:, 1:], amount[:, :-1]) > 0))
    row, before, after = (np.concatenate(pair) for pair in ((row, near), (before, column), (after, column + 1)))
    shifts = rates.months
    # How likely each figure is at the output of its month; where that says nothing, among all months.
    score = shifts.off / shifts.width[:, None]
    scale = np.maximum(centre_and_scale(rates.logarithms, 1)[1], ALL_EQUAL)[:, None]
    likely = np.where(np.abs(score) < OUTLYING, density(score) / shifts.width[:, None], EQUAL / scale)
    odds = np.log(likely[row, before] / likely[row, after])
    group = _groups(rates, row, before, after, months)
    early = np.bincount(group, odds, len(group))[group] < -EARLIER
    copy, source = np.where(early, before, after), np.where(early, after, before)
    others = np.where(after == before + 1, 1, months - 1)
    coarse = np.maximum(step[row, before], step[row, after])
    chance = _chance(amount[row, after], coarse, others * likely[row, copy])
    return _named(rates, row, copy, group, chance, explained, other_month=source + rates.series.first)


def _of_units(rates: Rates, amount: Integers, explained: Flags) -> Suspects:
    """Find quantities that are those of another unit in the same month; the one farther from its level is the copy."""
    place, column = np.nonzero(amount)
    value, months = amount[place, column], amount.shape[1]
    kind = rates.peers[place] * months + column
    order = np.lexsort((value, kind))
    kind, value, place, column = kind[order], value[order], place[order], column[order]
    same = np.flatnonzero((kind[1:] == kind[:-1]) & (value[1:] == value[:-1]))
    # Units that agree in many months share a meter or halve a figure; neither is a copy.
    pair = np.unique(place[same] * len(rates.place) + place[same + 1], return_inverse=True)[1]
    same = same[np.bincount(pair)[pair] <= max(1, CONVENTION * months)]
    one, two, column, value = place[same], place[same + 1], column[same], value[same]
    chance = _chance(value, steps(value), (np.bincount(kind)[kind[same]] - 1) * EQUAL / SCALE_OF_UNITS)
    score = rates.level / np.maximum(centre_and_scale(rates.logarithms, 1)[1], LEAST_SCALE)[:, None]
    likely = np.log(density(np.nan_to_num(score)))
    odds = likely[one, column] - likely[two, column]
    group = _groups(rates, one, column, rates.unit[two], len(rates.base))
    first = np.bincount(group, odds, len(group))[group] < 0
    copy, source = np.where(first, one, two), np.where(first, two, one)
    return _named(rates, copy, column, group, chance, explained, other_unit=rates.unit[source])


def _groups(rates: Rates, row: Integers, column: Integers, other: Integers, others: int) -> Integers:
    """Number the pairs of one unit, month, and other month or unit."""
    sizes = ((rates.unit[row], 0), (column, rates.logarithms.shape[1]), (other, others))
    return np.unique(joined(sizes), return_inverse=True)[1]


def _items(series: Integers, rates: Rates) -> str:
    """Return the items of series, each once."""
    names = list(ITEMS)
    return " ".join(dict.fromkeys(names[item] for item in rates.series.coded.item[series]))


def _named(
    rates: Rates, row: Integers, column: Integers, group: Integers, chance: Floats, explained: Flags, **other: Integers
) -> Suspects:
    """Return, of each group that is no chance, its largest quantity, of an input if there is one."""
    probability = chance_or_fault(np.bincount(group, chance, len(group)).astype(float)[group])
    kept = probability > NAMED
    explained[row[kept], column[kept]] = True
    series = rates.place[row]
    # Flows are in this order: in, out, product.
    order = np.lexsort((-rates.series.hundredths[series, column], rates.series.coded.flow[series], group))
    first = order[np.unique(group[order], return_index=True)[1]]
    first = first[kept[first]]
    # If the output is copied as well, no rate tells what the quantities were.
    with_output = np.bincount(group, ~rates.item[row], len(group))[group][first] > 0
    ratio = np.where(with_output, np.nan, np.exp(rates.months.off[row[first], column[first]]))
    values = {name: codes[first] for name, codes in other.items()}
    values |= {
        "ratio": ratio,
        "also": np.array([_items(series[group == own], rates) for own in group[first]], dtype=object),
    }
    return rates.series.suspects(
        series[first], column[first], cause="copied_month", probability=probability[first], **values
    )
