"""What proves the allocations of a folder: the run of an anchor with the instance, and multipliers.

Multipliers by which no allocation exists have the piece -1, -2 and so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import Field

from etsopt.checking.theorem import INFEASIBLE
from etsopt.common.language import _
from etsopt.running.run import check
from etsopt.studies.curves.curve_files import ANCHOR, VALUES_AGREE, StatedCurve, of_run
from etsopt.studies.curves.result import MULTIPLIERS
from etsopt.studies.curves.solver import MODEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from etsopt.running.results.results import Results
    from etsopt.studies.curves.solver import CurveSolver

    Array = NDArray[np.float64]


class Stated(StatedCurve):
    """What ``curve.json`` states of a curve of allocations."""

    anchor: str = Field(description="hash of the tables of the anchor")


def joined_tables(*tables: pd.DataFrame) -> pd.DataFrame:
    """Return tables of multipliers one after another."""
    # An empty table has no types, and a table joined to it would lose its own.
    parts = [part for part in tables if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else tables[0]


def missing(solver: CurveSolver, number: int, dual: Array) -> pd.DataFrame:
    """Return the multipliers by which no allocation exists somewhere, from duals of the checker's rows."""
    rows, has_dual = solver.rows, np.flatnonzero(dual)
    cells = (-number, INFEASIBLE, rows.rule[has_dual], rows.index[has_dual], dual[has_dual], dual[has_dual])
    return pd.DataFrame(dict(zip(MULTIPLIERS, cells, strict=True)))


def missing_of(solver: CurveSolver, number: int, multipliers: pd.DataFrame) -> Array:
    """Return the duals of the checker's rows by which no allocation exists somewhere."""
    own = multipliers[multipliers["piece"] == -number].fillna({"index": ""})
    dual: Array = solver.rows.duals_of(own.rename(columns={"multiplier_from": "multiplier"}))
    return dual


def duals_by_piece(solver: CurveSolver, multipliers: pd.DataFrame) -> Callable[[int], dict[str, Array]]:
    """Return a function of the duals of a piece by objective, in its middle, shape ``(rows,)``."""
    multipliers, names = (
        multipliers.fillna({"index": ""}),
        {pair: at for at, pair in enumerate(solver.parametric.names)},
    )
    of_piece = dict(list(multipliers.groupby("piece")))

    def duals_of(piece: int) -> dict[str, Array]:
        duals = {name: np.zeros(len(names)) for name in solver.box.names}
        for one in of_piece.get(piece, multipliers[:0]).itertuples(index=False):
            if (one.row, one.index) in names and one.level in duals:
                duals[one.level][names[one.row, one.index]] = (one.multiplier_from + one.multiplier_to) / 2
        return duals

    return duals_of


def of_multipliers(proven: pd.DataFrame, stated: pd.DataFrame) -> Iterator[str]:
    """Yield the pieces, or infeasible stretches, that other multipliers are stated of than those that prove them."""
    keys, ends = ["piece", "level", "row", "index"], ["multiplier_from", "multiplier_to"]
    twice = stated.duplicated(keys)
    tables = (table.fillna({"index": ""}).set_index(keys)[ends].astype(float) for table in (proven, stated[~twice]))
    both = pd.concat(tables, axis=1)
    shown = both.fillna(0.0).to_numpy()
    level = [both.index.get_level_values(name) for name in ("piece", "level")]
    size = pd.Series(np.abs(shown[:, :2]).max(axis=1), index=both.index).groupby(level).transform("max").to_numpy()
    off = np.abs(shown[:, :2] - shown[:, 2:]).max(axis=1) > VALUES_AGREE * size
    for piece in dict.fromkeys([*level[0][off], *stated.loc[twice, "piece"]]):
        yield str(_("piece {piece}: its multipliers are not those that prove it", piece=piece))


def of_anchor(solver: CurveSolver, anchor: Results, stated: Stated, is_answered: bool) -> Iterator[str]:
    """Yield what does not hold of the anchor, which has an allocation if any place has one."""
    if anchor.tables_hash != stated.anchor or anchor.provenance.instance_hash != solver.instance.hash:
        yield str(_("the anchor is not the one of the curve"))
    yield from of_run(ANCHOR, check(solver.instance, anchor).violations)
    if MODEL in anchor.tables:
        # Reference allowances of the anchor follow the rule: the curve has to measure from the same.
        off = np.abs(anchor.tables[MODEL]["reference_t"].to_numpy() - solver.reference.reference_t)
        if np.any(off != 0):
            yield str(_("the anchor has other reference allowances"))
    elif is_answered:
        yield str(_("the anchor has no allocation"))
