"""What the checker found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import pandas as pd


@dataclass(frozen=True)
class Violation:
    """One statement that the results break.

    Parameters
    ----------
    rule
        Name of the rule.
    where
        Unit, enterprise, sector, province or level it concerns.
    amount, unit
        By how much, and in what.
    message
        The rule in words.
    """

    rule: str
    where: str
    amount: float
    unit: str
    message: str


class LevelStated(Protocol):
    """A level as the result states it."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def value(self) -> float:
        """Its value."""


@dataclass(frozen=True)
class LevelCheck:
    """A level recomputed from the allowances, with a bound that needs no solver.

    No allocation that keeps every limit and every earlier level at least as well has this level below ``bound``;
    ``gap`` is ``value - bound``, a sum of terms that are each zero or more, with what rounding can have done to them.
    The level is certified where the gap is at most ``tolerance``, all in ``unit``. A solve with whole numbers may have
    been asked to stop within a gap, ``asked``. A level that is not ``needed`` may stay uncertified in a certified
    result. ``distance_t`` says of the last step how far any unit can be from the one answer.
    """

    name: str
    unit: str
    value: float
    bound: float
    gap: float
    tolerance: float
    asked: float = 0.0
    needed: bool = True
    distance_t: float | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.gap):
            # Infinite terms on either side prove nothing, and are said to.
            object.__setattr__(self, "bound", -math.inf)
            object.__setattr__(self, "gap", math.inf)

    @property
    def optimal(self) -> bool:
        """Whether the value is proven to be the least."""
        return 0 <= self.gap <= self.tolerance

    @property
    def certified(self) -> bool:
        """Whether value and bound agree, or lie within the gap that was asked for."""
        return self.optimal or self.tolerance < self.gap <= self.asked


@dataclass(frozen=True)
class CheckReport:
    """Violations and levels of one result.

    ``infeasible_by_t`` is a proven lower bound where nothing is feasible, ``misses_t`` the most by which an answer
    misses a limit, and ``rounded_by_t`` the largest move where a real answer was rounded to whole tonnes.
    """

    violations: tuple[Violation, ...]
    levels: tuple[LevelCheck, ...]
    infeasible_by_t: float | None = None
    rounded_by_t: float | None = None
    unproven: bool = False
    """Whether the answer says something that breaks no statement and cannot be proven."""
    tolerated: bool = False
    """Whether what lacks is so little that an answer may miss its limits by it."""
    misses_t: float | None = None
    kept: pd.DataFrame | None = None
    """Multipliers of earlier levels that a result did not state and that were found, as rows of ``duals``."""

    @property
    def distance_t(self) -> float | None:
        """How far any unit can be from the one answer of the last step; None where nothing is told of it."""
        return next((level.distance_t for level in self.levels if level.distance_t is not None), None)

    @property
    def certified(self) -> bool:
        """Whether nothing is violated and every level is certified, or infeasibility is proven."""
        if self.infeasible_by_t is not None:
            return self.infeasible_by_t > 0 and not self.tolerated and not self.violations
        needed = [level for level in self.levels if level.needed]
        return not self.violations and bool(needed) and all(level.certified for level in needed)

    @property
    def optimal(self) -> bool:
        """Whether nothing is violated and every level has the value that is proven to be least."""
        return self.certified and all(level.optimal for level in self.levels if level.needed)

    @property
    def proves(self) -> str:
        """The status of a certified allocation; a rounded one is not itself proven to be the best."""
        if not self.optimal:
            return "certified_gap"
        return "certified_optimal" if self.rounded_by_t is None else "certified_rounded"

    @property
    def table(self) -> pd.DataFrame:
        """The violations as a table."""
        columns = ["rule", "where", "amount", "unit", "message"]
        return pd.DataFrame([[getattr(item, name) for name in columns] for item in self.violations], columns=columns)
