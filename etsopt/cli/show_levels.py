"""Objectives on a terminal, and the statement of their certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

from etsopt.cli.terminal import new_table
from etsopt.units import format_tonnes

if TYPE_CHECKING:
    from rich.table import Table

    from etsopt.checking import CheckReport
    from etsopt.results.results import Results


def objectives(results: Results) -> Table:
    """Return the objectives of a result: value, unit, gap, certified, and algorithm."""
    table = new_table(
        "Objectives in lexicographic order", "objective", "value", "unit", "gap", "certified", "algorithm"
    )
    for level in results.levels:
        value = format_tonnes(level.value) if level.unit == "t" else f"{level.value:.6g}"
        gap = f"{abs(level.gap):.1e}" if np.isfinite(level.gap) else "-"
        # In full, iterations of more than one digit do not fit into 80 columns.
        algorithm = level.algorithm.replace(" iterations", " it.")
        table.add_row(*map(Text, (level.name, value, level.unit, gap, "yes" if level.certified else "no", algorithm)))
    return table


def certificate(proven: Results | CheckReport) -> str:
    """Return the statement proven of a certified allocation whose misses are reported."""
    away = proven.distance_t
    # A milligram is far below any figure that anybody states.
    near = None if away is None else max(away, 1e-9)
    unique = "" if near is None else f" The tie-break has one solution: no unit is farther than {near:.2g} t from it."
    misses = f"misses no limit by more than {proven.misses_t:.2g} t" if proven.misses_t else "keeps every limit"
    return (
        f"The allocation {misses}. No allocation that keeps all limits and "
        f"earlier objectives at least as well has an objective below its value minus the gap.{unique}"
    )


def infeasible(checked: CheckReport) -> str:
    """Return the statement of an infeasibility, in tonnes or in days; empty if there is none."""
    if checked.missing_days is not None:
        return f"At least {checked.missing_days:,.6g} reviewer days are missing: recomputed."
    if checked.infeasible_by_t is not None:
        return f"Infeasible by at least {format_tonnes(checked.infeasible_by_t)} t: recomputed."
    return ""


def recomputed(checked: CheckReport) -> Table:
    """Return the objectives as the checker recomputed them."""
    table = new_table(
        "Objectives recomputed from the tables", "objective", "value", "bound", "gap", "tolerance", "unit", "certified"
    )
    for level in checked.levels:
        figures = (f"{level.value:.10g}", f"{level.bound:.10g}", f"{level.gap:.1e}", f"{level.tolerance:.1e}")
        table.add_row(*map(Text, (level.name, *figures, level.unit, "yes" if level.certified else "no")))
    return table
