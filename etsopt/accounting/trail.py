"""The trail: from every figure of an account to the rows, versions and factors that it comes from.

A figure is a line of an account. Its rows have a role: ``quantity``, ``ncv`` (a batch whose calorific value enters the
month's), ``minutes`` (of anode effect), ``carbon`` (a measured content, or a batch that weights it) or ``oxidation``. A
change of a row changes no figure without that row in its trail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting import aluminium
from etsopt.accounting.coded import SECTOR
from etsopt.accounting.lines import NO_LINE
from etsopt.accounting.vocabulary import POWER

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.calorific import MonthlyValues
    from etsopt.accounting.lines import Lines

    Integers = NDArray[np.int64]

ROLES = ("quantity", "ncv", "minutes", "carbon", "oxidation")


def trail(lines: Lines, rows: pd.DataFrame, slope: bool) -> pd.DataFrame:
    """Return figure, role, file, line and version of every row of every figure, in the order of figures.

    Parameters
    ----------
    rows
        The current rows, in the order of ``lines.of_row``.
    slope
        True if the anode effect follows from its minutes.
    """
    row = np.flatnonzero(lines.of_row != NO_LINE)
    carbon, oxidation = (values.value[lines.fuel] for values in (lines.carbon, lines.oxidation))
    burnt = lines.coded.is_fuel & (lines.coded.sector == SECTOR[POWER])
    # Emissions by measured carbon have no use for the calorific value.
    by_heat = ~np.isnan(lines.ncv) & ~(burnt & ~np.isnan(carbon))
    parts = [(lines.of_row[row], row, 0), (*_of_values(lines, lines.values, np.flatnonzero(by_heat)), 1)]
    if slope:
        parts.append((*_of_minutes(lines), 2))
    for place, values, value in ((3, lines.carbon, carbon), (4, lines.oxidation, oxidation)):
        parts.append((*_of_values(lines, values, np.flatnonzero(burnt & ~np.isnan(value))), place))
    figure = np.concatenate([part[0] for part in parts])
    source = np.concatenate([part[1] for part in parts])
    role = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])
    order = np.lexsort((source, role, figure))
    figure, source, role = figure[order], source[order], role[order]
    return pd.DataFrame(
        {
            "figure": figure,
            "role": np.array(ROLES, dtype=object)[role],
            "file": rows["file"].to_numpy()[source],
            "line": rows["line"].to_numpy()[source],
            "version": rows["version"].to_numpy()[source].astype(np.int64),
            "batch": rows["batch"].to_numpy()[source],
            "evidence": rows["evidence"].to_numpy()[source],
            "reported_by": rows["reported_by"].to_numpy()[source],
        }
    )


def _of_values(lines: Lines, values: MonthlyValues, line: Integers) -> tuple[Integers, Integers]:
    """Return pairs of figure and row: each of some lines, and each row of the value that it uses."""
    row = np.flatnonzero(values.counts)
    row = row[np.argsort(values.fuel[row], kind="stable")]
    count = np.bincount(values.fuel[row], minlength=len(values.value))
    start = np.cumsum(count) - count
    fuel = lines.fuel[line]
    repeated = count[fuel]
    first = np.repeat(start[fuel], repeated)
    within = np.arange(repeated.sum()) - np.repeat(np.cumsum(repeated) - repeated, repeated)
    return np.repeat(line, repeated), row[first + within]


def _of_minutes(lines: Lines) -> tuple[Integers, Integers]:
    """Return pairs of figure and row: each line of aluminium, and the row of minutes of its month."""
    metal = np.flatnonzero(aluminium.output(lines))
    row_of_line = np.full(len(lines), -1, dtype=np.int64)
    row = np.flatnonzero(lines.of_row != NO_LINE)
    row_of_line[lines.of_row[row]] = row
    return metal, row_of_line[aluminium.minutes_of(lines)[metal]]
