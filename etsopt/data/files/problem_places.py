"""Problems of an instance in terms of the files, sheets and cells that were read."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from etsopt.common.errors import DataError
from etsopt.data.files.policy_sheet import POLICY
from etsopt.data.tables.headings import in_cells
from etsopt.data.tables.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.common.errors import Problem
    from etsopt.data.files.lenient.found import OneFile
    from etsopt.data.tables.raw import RawTable


@contextmanager
def locate_problems(tables: Mapping[str, RawTable], file: OneFile | None = None) -> Iterator[None]:
    """Name the files, sheets and cells that were read in the problems of what is done with them.

    Checks of an instance name the CSV files and ``policy.toml``, and rows by their key.
    """
    try:
        yield
    except DataError as error:
        of_file = {table.file: table for table in TABLES if table.name in tables}
        found = []
        for problem in error.problems:
            if table := of_file.get(problem.place):
                raw = tables[table.name]
                problem = in_cells(replace(problem, place=raw.place), raw, table)
            elif file is not None and problem.place == POLICY:
                problem = in_sheet(problem, file)
            found.append(problem)
        raise DataError(error.subject, found) from None


def in_sheet(problem: Problem, file: OneFile) -> Problem:
    """Return a problem of a key of the policy with its sheet and cell, if the sheet has the key or one below it."""
    cells = [cell for key, cell in file.policy_cells.items() if f"{key}.".startswith(f"{problem.column}.")]
    if not cells:
        return problem
    shown = () if problem.cells or len(cells) > 1 else ((cells[0], ""),)
    return replace(problem, place=file.place_of_policy, cells=problem.cells or shown)
