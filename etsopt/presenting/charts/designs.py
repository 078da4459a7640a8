"""Designs as points: where each is along every key, what it reaches, which key matters most, and where none exists."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from etsopt.common.language import _
from etsopt.common.scales import scaled, unit_text
from etsopt.presenting.charts.texts import short

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from etsopt.presenting.charts.texts import Number

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

NO_BREAK = "\u00a0"
"""Space between a number and its unit in a sentence."""

FEWEST_RANKS = 10
"""Answers from which a rank correlation is stated."""

MOST_CUTS = 64
"""Values of a key at which the designs without an answer are set apart from the others; of more, quantiles."""


@dataclass(frozen=True)
class Axis:
    """A key along which designs differ.

    Parameters
    ----------
    words, unit
        What it is.
    places
        Place of each design: its value in this unit, or the place of its text; NaN where none is stated.
    texts
        Texts of the places, if the values are no numbers.
    """

    words: str
    unit: str
    places: Floats
    texts: tuple[str, ...] = ()
    alone: bool = False
    """True if the texts say by themselves what they are."""

    def of(self, rows: NDArray[np.int64]) -> Axis:
        """Return the axis of some of its designs."""
        return replace(self, places=self.places[rows])

    @property
    def label(self) -> str:
        """Its words with the unit, for an axis or a heading."""
        return f"{self.words} [{unit_text(self.unit)}]" if self.unit else str(self.words)

    def text(self, place: float) -> str:
        """Return a value without its unit."""
        if not np.isfinite(place):
            return "–"
        return self.texts[int(place)] if self.texts else short(place)

    def phrase(self, place: float) -> str:
        """Return words and value, such as ``target of cement −0.8 %``."""
        value = self.value(place)
        return value if self.alone else str(_("{key} {value}", key=self.words, value=value))

    def value(self, place: float) -> str:
        """Return a value with its unit."""
        unit = unit_text(self.unit) if self.unit and np.isfinite(place) else ""
        return f"{self.text(place)} {unit}".strip()

    def steps(self) -> Floats:
        """Return its different places, in order."""
        return np.unique(self.places[np.isfinite(self.places)])


class Where(NamedTuple):
    """The part of an axis that tells designs without an answer best: its words, and their numbers in it and outside."""

    words: str
    infeasible: int
    size: int
    infeasible_elsewhere: int
    size_elsewhere: int


@dataclass(frozen=True)
class Designs:
    """Designs, and one number that each reaches.

    Parameters
    ----------
    axes
        Keys along which they differ.
    number
        What the values are.
    values
        Number of each design in its unit, NaN without an answer.
    infeasible
        True for designs that have no answer, by proof.
    grid
        True if there is one design for every combination of values.
    """

    axes: tuple[Axis, ...]
    number: Number
    values: Floats
    infeasible: Mask
    grid: bool = True

    @cached_property
    def effects(self) -> Floats:
        """How far each key moves the number, shape ``(axes,)``.

        In a grid it is the distance between the least and the largest value along the key, with all others as they
        are, on average over their combinations with two answers or more. Otherwise it is the size of the rank
        correlation. It is 0 where there are no two answers.
        """
        places = pd.DataFrame({name: axis.places for name, axis in enumerate(self.axes)})
        answered = np.isfinite(self.values)
        places, values = places[answered], pd.Series(self.values[answered], places.index[answered])
        found = [
            self._range(places.drop(columns=name), values) if self.grid else _correlation(places[name], values)
            for name in places
        ]
        return np.nan_to_num(np.array(found, dtype=float))

    def _range(self, others: pd.DataFrame, values: pd.Series) -> float:
        groups = values.groupby([others[name] for name in others] if len(others.columns) else np.zeros(len(values)))
        found = groups.agg(["min", "max", "count"])
        found = found[found["count"] > 1]
        return float((found["max"] - found["min"]).mean()) if len(found) else 0.0

    @property
    def order(self) -> list[int]:
        """Places of the keys, the one that moves the number most first."""
        return np.argsort(-self.effects, kind="stable").tolist()

    @property
    def scale(self) -> tuple[float, str]:
        """Divisor of the values, and their label with the unit."""
        return self.number.label(float(np.max(np.abs(self.values), initial=0.0, where=np.isfinite(self.values))))

    def phrases(self) -> list[str]:
        """Return each design by its values."""
        return phrases(self.axes)

    @property
    def finding(self) -> str:
        """Which key matters most, and where there is no answer, in a sentence without an end."""
        where = self.infeasible_where
        return str(_("{moves}; {where}", moves=self.moves, where=where)) if where else self.moves

    @property
    def moves(self) -> str:
        """Which key moves the number most."""
        if not self.effects.any():
            return str(_("no key moves it"))
        if not self.grid and np.isfinite(self.values).sum() < FEWEST_RANKS:
            return str(_("too few answers to tell which key moves it"))
        first = self.order[0]
        words = self.axes[first].words
        if not self.grid:
            return str(_("{key} moves it most (rank correlation {value:.2f})", key=words, value=self.effects[first]))
        divisor, unit = scaled(self.effects[first], self.number.unit)
        amount = f"{short(self.effects[first] / divisor)}{NO_BREAK}{unit}".strip()
        if len(self.axes) == 1:
            return str(_("{key} moves it by {amount}", key=words, amount=amount))
        return str(_("{key} moves it most, by {amount} on average", key=words, amount=amount))

    @property
    def infeasible_where(self) -> str:
        """Where there is no answer; empty if there is one everywhere."""
        if not self.infeasible.any():
            return ""
        if self.infeasible.all():
            return str(_("no design has an answer"))
        where = max(self._cuts(), key=_tells, default=None)
        if where is None:
            return str(_("infeasible: {count:,} of {all:,}", count=self.infeasible.sum(), all=len(self.infeasible)))
        if where.infeasible == where.size and not where.infeasible_elsewhere:
            return str(_("infeasible exactly where {where}", where=where.words))
        text = _("infeasible: {infeasible:,} of {count:,} where {where}, {others:,} of {rest:,} elsewhere")
        counts = {"infeasible": where.infeasible, "count": where.size}
        rest = {"others": where.infeasible_elsewhere, "rest": where.size_elsewhere}
        return str(_(text, where=where.words, **counts, **rest))

    def _cuts(self) -> Iterator[Where]:
        """Yield every part of an axis below or above one of its values, and of texts each one."""
        for axis in self.axes:
            steps = axis.steps()
            if axis.texts:
                for place in steps:
                    yield self._where(axis.places == place, _("{key} is {value}"), axis, place)
                continue
            if len(steps) > MOST_CUTS:
                steps = np.unique(np.quantile(steps, np.linspace(0, 1, MOST_CUTS), method="nearest"))
            for low, high in itertools.pairwise(steps):
                yield self._where(axis.places <= low, _("{key} is {value} or less"), axis, low)
                yield self._where(axis.places >= high, _("{key} is {value} or more"), axis, high)

    def _where(self, within: Mask, text: str, axis: Axis, place: float) -> Where:
        words = str(_(text, key=axis.words, value=axis.value(place).replace(" ", NO_BREAK)))
        both = (self.infeasible[within], self.infeasible[~within])
        return Where(words, *(int(one) for part in both for one in (part.sum(), len(part))))


def phrases(axes: Sequence[Axis]) -> list[str]:
    """Return each design by its values, such as ``target of cement −0.8 %, balance of provinces 1 %``."""
    comma = str(_(", "))
    columns = [[axis.phrase(place) for place in axis.places] for axis in axes]
    return [comma.join(row) for row in zip(*columns, strict=True)]


def _tells(where: Where) -> float:
    """Return how well a part tells designs without an answer: its share of these less its share of the others."""
    infeasible = where.infeasible + where.infeasible_elsewhere
    answered = where.size + where.size_elsewhere - infeasible
    return where.infeasible / infeasible - (where.size - where.infeasible) / answered


def _correlation(places: pd.Series, values: pd.Series) -> float:
    """Return the size of the rank correlation; 0 if either is constant."""
    stated = places.notna()
    ranks = np.array([places[stated].rank(), values[stated].rank()])
    moves = ranks.size and np.ptp(ranks, axis=1).all()
    return abs(float(np.corrcoef(ranks)[0, 1])) if moves else 0.0
