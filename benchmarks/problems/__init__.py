"""The programs that are measured: which there are, and how to get the mathematics and the data of one.

Nothing of Pyomo or numpy is imported before it is asked for, because the process of each tool is measured whole.
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
        Name of the objective that is minimised.
    levels
        Only of ``allocation``: the levels whose columns and rows the program has.
    whole
        Whether columns are whole numbers.
    largest
        Number of firms up to which it fits into memory.
    row_by_row_up_to
        Number of firms up to which Pyomo builds every row within two minutes.
    solved_up_to
        Number of firms up to which HiGHS solves it within a minute or so.
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
        """The module with the mathematics and the data; it imports Pyomo."""
        return import_module(f"{__name__}.{self.family}")

    def formulate(self) -> Any:
        """The mathematics without data, an ``AbstractModel`` of Pyomo."""
        return self.module().formulate()

    def parameters(self, firms: int) -> dict[str, Any]:
        """The data: seeded, and the common input of all tools."""
        return self.module().parameters(firms, *([self.levels] if self.levels else []))


LEVELS = ("change", "worst", "deficit", "spread")

PROBLEMS = {
    problem.name: problem
    for problem in (
        *(Problem(f"allocation-{level}", "allocation", level, (level,)) for level in LEVELS),
        Problem("allocation-all", "allocation", "change", LEVELS),
        Problem("abatement", "abatement", "cost", whole=True, solved_up_to=1_500),
        # Fifty columns a firm: a million firms would be fifty million columns.
        Problem("banking", "banking", "cost", largest=150_000, row_by_row_up_to=15_000, solved_up_to=1_500),
    )
}
