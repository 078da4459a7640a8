"""Report the violations, objectives and bounds of a checked result."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import pandas as pd


@dataclass(frozen=True)
class Violation:
    """A statement that the results violate.

    Parameters
    ----------
    rule
        Name of the rule.
    where
        Unit, enterprise, sector, province or objective concerned.
    amount, unit
        Size of the violation and its unit.
    message
        The statement in words.
    """

    rule: str
    where: str
    amount: float
    unit: str
    message: str


class LevelStated(Protocol):
    """An objective as the result states it."""

    @property
    def name(self) -> str:
        """Name of the objective."""

    @property
    def value(self) -> float:
        """Value of the objective."""


@dataclass(frozen=True)
class LevelCheck:
    """An objective recomputed from the allowances, with a bound that needs no solver.

    No allocation that meets every limit and earlier objective at least as well has this objective below ``bound``.
    ``gap`` is ``value - bound``, a sum of terms that are each zero or more, with a bound of their rounding. The
    objective is certified if the gap is at most ``tolerance``, all in ``unit``, or, in an integer solve, at most the
    gap of that solve, ``asked``. A certified result may leave an objective uncertified that is not ``needed``.
    ``distance_t`` of the tie-break bounds the distance of every unit from the unique answer.
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
            # Infinite terms on either side prove nothing, so the gap is infinite.
            object.__setattr__(self, "bound", -math.inf)
            object.__setattr__(self, "gap", math.inf)

    @property
    def optimal(self) -> bool:
        """True if the value is proven to be the least."""
        return 0 <= self.gap <= self.tolerance

    @property
    def certified(self) -> bool:
        """True if value and bound agree, or differ by no more than the gap of the solve."""
        return self.optimal or self.tolerance < self.gap <= self.asked


@dataclass(frozen=True)
class CheckReport:
    """Violations and objectives of one result.

    ``infeasible_by_t`` is a proven lower bound of the infeasibility, ``misses_t`` the largest amount by which an answer
    misses a limit, and ``rounded_by_t`` the largest move from a real allowance to whole tonnes.
    """

    violations: tuple[Violation, ...]
    levels: tuple[LevelCheck, ...]
    infeasible_by_t: float | None = None
    rounded_by_t: float | None = None
    unproven: bool = False
    """True if the answer contains a claim that violates no statement and cannot be proven."""
    tolerated: bool = False
    """True if the infeasibility is within the amounts by which an answer may miss its limits."""
    misses_t: float | None = None
    kept: pd.DataFrame | None = None
    """Multipliers of earlier objectives that the result does not state and the checker found, as rows of ``duals``."""

    missing_days: float | None = None
    """Days of reviewers that are proven to be missing for a plan of reviews; None if there is a plan."""

    @property
    def distance_t(self) -> float | None:
        """Largest possible distance of a unit from the unique answer of the tie-break; None without a tie-break."""
        return next((level.distance_t for level in self.levels if level.distance_t is not None), None)

    @property
    def certified(self) -> bool:
        """True if nothing is violated and every objective is certified, or infeasibility is proven."""
        if self.infeasible_by_t is not None:
            return self.infeasible_by_t > 0 and not self.tolerated and not self.violations
        if self.missing_days is not None:
            return self.missing_days > 0 and not self.violations
        needed = [level for level in self.levels if level.needed]
        return not self.violations and not self.unproven and bool(needed) and all(level.certified for level in needed)

    @property
    def optimal(self) -> bool:
        """True if nothing is violated and every objective has its proven least value."""
        return self.certified and all(level.optimal for level in self.levels if level.needed)

    @property
    def proves(self) -> str:
        """Status of a certified allocation; a rounded one is not itself proven to be the best."""
        if not self.optimal:
            return "certified_gap"
        return "certified_optimal" if self.rounded_by_t is None else "certified_rounded"

    @property
    def table(self) -> pd.DataFrame:
        """Violations as a table."""
        columns = ["rule", "where", "amount", "unit", "message"]
        return pd.DataFrame([[getattr(item, name) for name in columns] for item in self.violations], columns=columns)
