"""What the checker found."""

from __future__ import annotations

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
    at most ``slack``. A solve with whole numbers may have been asked to stop within a gap, ``asked``.
    """

    name: str
    unit: str
    value: float
    bound: float
    gap: float
    tolerance: float
    slack: float = 0.0
    asked: float = 0.0

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
    """Violations and levels of one result; ``infeasible_by_t`` is a proven lower bound where nothing is feasible."""

    violations: tuple[Violation, ...]
    levels: tuple[LevelCheck, ...]
    infeasible_by_t: float | None = None

    @property
    def certified(self) -> bool:
        """Whether nothing is violated and every level is certified, or infeasibility is proven."""
        if self.infeasible_by_t is not None:
            return self.infeasible_by_t > LEAST_SHORTFALL_T and not self.violations
        return not self.violations and bool(self.levels) and all(level.certified for level in self.levels)

    @property
    def optimal(self) -> bool:
        """Whether nothing is violated and every level has the value that is proven to be least."""
        return self.certified and all(level.optimal for level in self.levels)

    @property
    def table(self) -> pd.DataFrame:
        """The violations as a table."""
        columns = ["rule", "where", "amount", "unit", "message"]
        return pd.DataFrame([[getattr(item, name) for name in columns] for item in self.violations], columns=columns)
