"""What the checker found."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

LEAST_SHORTFALL_T = 2e-2
"""A shortfall up to what a total may miss is none: rounding of sums would prove it too."""


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


@dataclass(frozen=True)
class LevelCheck:
    """A level recomputed from the allowances, with a lower bound that needs no solver.

    ``gap`` is ``value - bound``; the level is certified where it is at most ``tolerance``, all in ``unit``. Limits
    may be missed by what the checker tolerates; at the prices of the rows that lets the value fall below the bound by
    at most ``slack``. A solve with whole numbers may have been asked to stop within a gap, ``asked``. A level that is
    not ``needed`` may stay uncertified in a certified result.
    """

    name: str
    unit: str
    value: float
    bound: float
    gap: float
    tolerance: float
    slack: float = 0.0
    asked: float = 0.0
    needed: bool = True

    def __post_init__(self) -> None:
        if math.isnan(self.gap):
            # Infinite terms on either side prove nothing, and are said to.
            object.__setattr__(self, "bound", -math.inf)
            object.__setattr__(self, "gap", math.inf)

    @property
    def optimal(self) -> bool:
        """Whether value and bound agree; a bound above the value by more than the limits explain is wrong too."""
        return -max(self.tolerance, self.slack) <= self.gap <= self.tolerance

    @property
    def certified(self) -> bool:
        """Whether value and bound agree, or lie within the gap that was asked for."""
        return self.optimal or self.tolerance < self.gap <= self.asked


@dataclass(frozen=True)
class CheckReport:
    """Violations and levels of one result.

    ``infeasible_by_t`` is a proven lower bound where nothing is feasible, and ``rounded_by_t`` the largest move where a
    real answer was rounded to whole tonnes.
    """

    violations: tuple[Violation, ...]
    levels: tuple[LevelCheck, ...]
    infeasible_by_t: float | None = None
    rounded_by_t: float | None = None
    unproven: bool = False
    """Whether the answer says something that breaks no statement and cannot be proven."""

    @property
    def certified(self) -> bool:
        """Whether nothing is violated and every level is certified, or infeasibility is proven."""
        if self.infeasible_by_t is not None:
            return self.infeasible_by_t > LEAST_SHORTFALL_T and not self.violations
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
