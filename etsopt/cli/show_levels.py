"""Levels on a terminal, and what their certificate says."""

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


def levels(found: Results) -> Table:
    """Levels of results: value, gap, certified, and by what they were solved."""
    table = new_table("Levels, each held before the next", "level", "value", "unit", "gap", "certified", "by")
    for level in found.levels:
        value = format_tonnes(level.value) if level.unit == "t" else f"{level.value:.6g}"
        gap = f"{abs(level.gap):.1e}" if np.isfinite(level.gap) else "-"
        table.add_row(
            *map(Text, (level.name, value, level.unit, gap, "yes" if level.certified else "no", level.algorithm))
        )
    return table


def certificate(found: Results | CheckReport) -> str:
    """What a certified allocation is proven to be, where its misses are told."""
    away = found.distance_t
    nearest = "" if away is None else f" No unit is farther than {away:.2g} t from the one answer of the last step."
    misses = f"misses no limit by more than {found.misses_t:.2g} t" if found.misses_t else "keeps every limit"
    return (
        f"The answer {misses}. No allocation that keeps every limit and "
        f"every earlier level at least as well has a level below its value less the gap.{nearest}"
    )


def recomputed(checked: CheckReport) -> Table:
    """Levels as the checker recomputed them."""
    table = new_table(
        "Levels recomputed from the tables", "level", "value", "bound", "gap", "tolerance", "unit", "certified"
    )
    for level in checked.levels:
        figures = (f"{level.value:.10g}", f"{level.bound:.10g}", f"{level.gap:.1e}", f"{level.tolerance:.1e}")
        table.add_row(*map(Text, (level.name, *figures, level.unit, "yes" if level.certified else "no")))
    return table
