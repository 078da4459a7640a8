"""The measured programs, with their mathematics and data.

Pyomo and numpy are imported at first use only, because the whole process of each tool is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One program at any size.

    Parameters
    ----------
    name
        As on the command line.
    family
        Module here with ``formulate`` and ``parameters``, and name of the function of each tool that formulates it.
    objective
        Name of the minimised objective.
    levels
        Only of ``allocation``: the objectives whose columns and rows the program has.
    whole
        True if columns are integer.
    largest
        Number of firms up to which the program fits into memory.
    row_by_row_up_to
        Number of firms up to which Pyomo builds every row within two minutes.
    solved_up_to
        Number of firms up to which HiGHS solves the program within about a minute.
    """

    name: str
    family: str
    objective: str
    levels: tuple[str, ...] = ()
    whole: bool = False
    largest: int = 1_000_000
    row_by_row_up_to: int = 150_000
    solved_up_to: int = 1_000_000

    def module(self) -> Any:
        """Return the module with the mathematics and the data; it imports Pyomo."""
        return import_module(f"{__name__}.{self.family}")

    def formulate(self) -> Any:
        """Return the mathematics without data, an ``AbstractModel`` of Pyomo."""
        return self.module().formulate()

    def parameters(self, firms: int) -> dict[str, Any]:
        """Return the seeded data, the common input of all tools."""
        return self.module().parameters(firms, *([self.levels] if self.levels else []))


LEVELS = ("change", "largest_change", "deficit", "spread")

PROBLEMS = {
    problem.name: problem
    for problem in (
        *(Problem(f"allocation-{level}", "allocation", level, (level,)) for level in LEVELS),
        Problem("allocation-all", "allocation", "change", LEVELS),
        Problem("abatement", "abatement", "cost", whole=True, solved_up_to=1_500),
        # Fifty columns per firm: a million firms would be fifty million columns.
        Problem("banking", "banking", "cost", largest=150_000, row_by_row_up_to=15_000, solved_up_to=1_500),
    )
}
