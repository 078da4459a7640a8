"""What a caller may say about how to solve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from etsopt.errors import UsageError

Progress = Callable[[str], None]


DEFAULT_GAP = 1e-6


def _silent(message: str) -> None:
    """Take progress messages nowhere."""


@dataclass(frozen=True)
class SolveOptions:
    """Options of a solve.

    Parameters
    ----------
    time_limit_s
        Seconds for all levels together; None for no limit.
    gap
        Relative gap at which a program with whole numbers may stop.
    seed
        Of the solver's random choices.
    method
        How the program is made and solved; ``reference`` is the one there is.
    solver_options
        Options of HiGHS by name; an unknown name or a value of the wrong type is an error.
    mps
        File to which the program of the first level is written in MPS format.
    progress
        Called with a line of text whenever something worth telling happens.
    """

    time_limit_s: float | None = None
    gap: float = DEFAULT_GAP
    seed: int = 0
    method: str = "reference"
    solver_options: dict[str, bool | int | float | str] = field(default_factory=dict)
    mps: Path | None = None
    progress: Progress = _silent

    def __post_init__(self) -> None:
        if self.time_limit_s is not None and not self.time_limit_s > 0:
            raise UsageError(f"The time limit is {self.time_limit_s} s.", "It is above zero.")
        if not 0 <= self.gap < 1:
            raise UsageError(f"The gap is {self.gap}.", "It is a fraction from 0 up to 1.")
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"The seed is {self.seed}.", "It is a whole number from 0 to 2147483647.")
        if self.method != "reference":
            raise UsageError(f"There is no method {self.method!r}.", "The method there is is 'reference'.")
