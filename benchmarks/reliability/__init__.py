"""Reliability of the package: a matrix of trials, each with a number that is its seed.

``python -m benchmarks.reliability [ROW ...]`` runs the trials and writes ``benchmarks/reliability.md``; the test suite
runs the first few of each row. A module holds the rows of one subject, and ``ROWS`` names all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.reliability.row import Row


def rows() -> dict[str, Row]:
    """Return all rows by name, in the order of the page."""
    from benchmarks.reliability import (
        answers,
        canary,
        certificates,
        comparison,
        curves,
        forgeries,
        hostile,
        infeasible,
        input_files,
        proofs,
        repository,
        runs,
        same_again,
        self_balancing,
        source_mutants,
        stress,
        whole_markets,
    )

    subjects = (
        answers,
        canary,
        certificates,
        comparison,
        curves,
        forgeries,
        hostile,
        infeasible,
        proofs,
        same_again,
        self_balancing,
        source_mutants,
        stress,
        whole_markets,
        input_files,
        runs,
        repository,
    )
    listed = [row for module in subjects for row in module.ROWS]
    return {row.name: row for row in sorted(listed, key=lambda row: (row.name[0], int(row.name[1:])))}
