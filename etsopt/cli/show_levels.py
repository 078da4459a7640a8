"""Objectives on a terminal, and the statement of their certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table
from etsopt.language import _, in_chinese
from etsopt.units import format_tonnes
from etsopt.vocabulary import algorithm_of, word

if TYPE_CHECKING:
    from rich.table import Table

    from etsopt.checking import Verdict
    from etsopt.results.results import Results


def objectives(results: Results) -> Table:
    """Return the objectives of a result: value, unit, gap, certified, and algorithm."""
    table = new_table(
        _("Objectives in lexicographic order"),
        _("objective"),
        _("value"),
        _("unit"),
        _("gap"),
        _("certified"),
        _("algorithm"),
    )
    for level in results.levels:
        value = format_tonnes(level.value) if level.unit == "t" else f"{level.value:.6g}"
        gap = f"{abs(level.gap):.1e}" if np.isfinite(level.gap) else "-"
        # In full, iterations of more than one digit do not fit into 80 columns.
        algorithm = level.algorithm if in_chinese() else level.algorithm.replace(" iterations", " it.")
        certified = _("yes") if level.certified else _("no")
        cells = (word("level", level.name), value, word("unit", level.unit), gap, certified, algorithm_of(algorithm))
        table.add_row(*map(Text, cells))
    return table


def certificate(proven: Results | Verdict) -> str:
    """Return the statement proven of a certified allocation whose misses are reported."""
    away = proven.distance_t
    # A milligram is far below any figure that anybody states.
    near = None if away is None else max(away, 1e-9)
    unique = (
        ""
        if near is None
        else _(" The tie-break has one solution: no unit is farther than {near:.2g} t from it.", near=near)
    )
    misses = (
        _("misses no limit by more than {misses_t:.2g} t", misses_t=proven.misses_t)
        if proven.misses_t
        else _("keeps every limit")
    )
    return _(
        "The allocation {misses}. No allocation that keeps all limits and earlier objectives "
        "at least as well has an objective below its value minus the gap.{unique}",
        misses=misses,
        unique=unique,
    )


def infeasible(checked: Verdict) -> str:
    """Return the statement of an infeasibility, in tonnes or in days; empty if there is none."""
    if checked.missing_days is not None:
        return _(
            "At least {missing_days:,.6g} reviewer days are missing: recomputed.", missing_days=checked.missing_days
        )
    if checked.infeasible_by_t is not None:
        return _(
            "Infeasible by at least {infeasible_by_t} t: recomputed.",
            infeasible_by_t=format_tonnes(checked.infeasible_by_t),
        )
    return ""


def recomputed(checked: Verdict) -> Table:
    """Return the objectives as the checker recomputed them."""
    table = new_table(
        _("Objectives recomputed from the tables"),
        _("objective"),
        _("value"),
        _("bound"),
        _("gap"),
        _("tolerance"),
        _("unit"),
        _("certified"),
    )
    for level in checked.levels:
        figures = (f"{level.value:.10g}", f"{level.bound:.10g}", f"{level.gap:.1e}", f"{level.tolerance:.1e}")
        certified = _("yes") if level.certified else _("no")
        table.add_row(*map(Text, (word("level", level.name), *figures, word("unit", level.unit), certified)))
    return table
