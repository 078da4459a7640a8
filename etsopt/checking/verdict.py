"""What is asked, what is brought, and what is proven of it: question, answer and verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.data.instance import Instance

OF_PROGRAM = ("certified_program", "infeasible_program")
"""Statuses of a program of the user's own: it is proven, and its formulation is taken as given."""

PROVEN = ("certified_optimal", "certified_gap", "certified_rounded", "calculated", "infeasible_certified", *OF_PROGRAM)
"""Statuses of which nothing is left to be trusted but, of a program, its formulation."""


class Columns(Protocol):
    """Columns by name: those of a table, or arrays."""

    def keys(self) -> Any:
        """Return the names."""

    def __getitem__(self, name: str, /) -> Any:
        """Return a column."""


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
    objective is certified if the gap is at most ``tolerance``, all in ``unit``, or, in an integer solve, at most
    ``asked``, the gap that the reader accepts. A certified result may leave an objective uncertified that is not
    ``needed``.
    ``distance_t`` of the tie-break bounds the distance of every unit from the unique answer. ``spending`` is that in
    the cost of whole plans, against which a gap counts where the cost is near zero. ``of_prices`` is the gap that the
    prices of a market leave by themselves, where leaves prove the rest.
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
    spending: float | None = None
    of_prices: float | None = None

    def __post_init__(self) -> None:
        if math.isnan(self.gap):
            # Infinite terms on either side prove nothing, so the gap is infinite.
            object.__setattr__(self, "bound", -math.inf)
            object.__setattr__(self, "gap", math.inf)

    @property
    def known(self) -> bool:
        """True if the value is recomputed; of an objective that is not stated nothing is."""
        return not math.isnan(self.value)

    @property
    def optimal(self) -> bool:
        """True if the value is proven to be the least."""
        return 0 <= self.gap <= self.tolerance

    @property
    def certified(self) -> bool:
        """True if value and bound agree, or differ by no more than the gap that the reader accepts."""
        return self.optimal or self.tolerance < self.gap <= self.asked

    @property
    def prices_prove(self) -> bool:
        """False if prices are stated that do not prove the objective by themselves."""
        return self.of_prices is None or self.of_prices <= max(self.tolerance, self.asked)

    @property
    def relative_gap(self) -> float:
        """Gap relative to the value; zero if both are zero within the tolerance, and infinite without a bound."""
        nothing = self.gap == 0 or (self.optimal and abs(self.value) <= self.tolerance)
        return 0.0 if nothing else abs(self.gap / self.value) if self.value else math.inf


@dataclass(frozen=True)
class Question:
    """What is asked: the theorem of a model on an instance.

    Parameters
    ----------
    instance
        Units, measures and limits of the policy; what was read of them before is not read again.
    model
        Name of the model, one of `etsopt.checking.theorem.THEOREMS`.
    gap
        Largest relative gap that proves an objective of whole plans, whole tonnes or exceptions; None for that of the
        theorem. Of real allowances at most `etsopt.checking.tolerances.REAL_GAP_RELATIVE` of it counts.
    """

    instance: Instance | InstanceInputs
    model: str = "allocation"
    gap: float | None = None


@dataclass(frozen=True)
class Answer:
    """What is brought: values, with hints that prove them.

    Parameters
    ----------
    tables
        Values and multipliers; without the main table of the theorem they prove that there is no answer.
    levels
        Name and value of each objective that is solved, in lexicographic order.
    stopped
        True if a limit or a failure ended the solve.
    """

    tables: Mapping[str, pd.DataFrame]
    levels: Sequence[LevelStated] = field(default=())
    stopped: bool = False


@dataclass(frozen=True)
class Verdict:
    """What is proven of an answer, and what is wrong with it.

    Parameters
    ----------
    violations
        Statements that do not hold.
    levels
        Objectives of the theorem in order, each with its bound; of one that is not proven nothing is known.
    infeasible_by_t
        Proven lower bound of the infeasibility, if there is no answer [t].
    rounded_by_t
        Largest move from a real allowance to whole tonnes [t].
    unproven
        True if the answer contains a claim that violates no statement and cannot be proven.
    tolerated
        True if the infeasibility is within the amounts by which an answer may miss its limits.
    misses_t
        Largest amount by which the answer misses a limit [t].
    kept
        Multipliers of earlier objectives that the answer does not state and the checker found, by objective and earlier
        one; `etsopt.checking.allocation.duals.table_of_kept` states them.
    missing_days
        Days of reviewers that are proven to be missing for a plan of reviews; None if there is a plan.
    theorem
        Name of the theorem; empty if nothing was asked, as of a model that the checker does not know.
    calculated
        True if nothing is optimised, so that every table follows from the instance.
    answered
        False if there is no answer: its infeasibility is what is proven.
    stopped
        True if the solve was stopped before its end, which may only weaken the status.
    of_program
        True if rows and objectives are those of a program, and not derived from the instance.
    infeasible
        True if a program is proven to have no point.
    unproven_prices
        Objectives whose multipliers, which tables may show as prices, do not prove them by themselves: beside whole
        numbers they are those of the program without them, or what the answer calls so.
    not_proven
        Columns of the tables that no statement covers, such as the user's own, or of which only the total is proven.
    """

    violations: tuple[Violation, ...]
    levels: tuple[LevelCheck, ...]
    infeasible_by_t: float | None = None
    rounded_by_t: float | None = None
    unproven: bool = False
    tolerated: bool = False
    misses_t: float | None = None
    kept: Mapping[tuple[str, str], float] | None = None
    missing_days: float | None = None
    theorem: str = ""
    calculated: bool = False
    answered: bool = True
    stopped: bool = False
    of_program: bool = False
    infeasible: bool = False
    unproven_prices: tuple[str, ...] = ()
    not_proven: tuple[str, ...] = ()

    @property
    def distance_t(self) -> float | None:
        """Largest possible distance of a unit from the unique answer of the tie-break; None without a tie-break."""
        return next((level.distance_t for level in self.levels if level.distance_t is not None), None)

    @property
    def largest_gap(self) -> float:
        """Largest relative gap of an objective that is needed; infinite without a bound, zero without objectives."""
        return max((level.relative_gap for level in self.levels if level.needed), default=0.0)

    @property
    def status(self) -> str:
        """The status that the verdict allows; a rounded allocation is not itself proven to be the best."""
        if self.violations:
            return "refused"
        needed = [level for level in self.levels if level.needed]
        proven = all(level.certified for level in needed)
        if self.of_program and not self.answered:
            return "none" if self.stopped else "infeasible_program" if self.infeasible else "infeasible_unproven"
        if not self.answered:
            infeasible = (self.missing_days or 0.0) > 0 or (not self.tolerated and (self.infeasible_by_t or 0.0) > 0)
            return (
                "none" if self.stopped else "infeasible_certified" if infeasible and proven else "infeasible_unproven"
            )
        if self.stopped or self.unproven or not proven or not (needed or self.calculated):
            return "feasible"
        if self.calculated or self.of_program:
            return "calculated" if self.calculated else "certified_program"
        if not all(level.optimal for level in needed):
            return "certified_gap"
        return "certified_optimal" if self.rounded_by_t is None else "certified_rounded"

    @property
    def certified(self) -> bool:
        """True if the status is proven, whatever it is."""
        return self.status in PROVEN

    @property
    def table(self) -> pd.DataFrame:
        """Violations as a table."""
        columns = ["rule", "where", "amount", "unit", "message"]
        return pd.DataFrame([[getattr(item, name) for name in columns] for item in self.violations], columns=columns)
