"""The tables by which a run of a user's own model holds its program: values, multipliers, splits, conflicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.program import NO_POINT, ProgramAnswer, ProgramQuestion, judge_program
from etsopt.common.language import _
from etsopt.modelling.solving.conflict import with_rows
from etsopt.modelling.solving.proving import alone
from etsopt.modelling.solving.solution import Tree
from etsopt.running.results.claims import PROGRAM, PROGRAM_VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.modelling.program.program import Program
    from etsopt.running.results.levels import LevelResult

VALUES, DUALS, NODES, CONFLICT = PROGRAM_VALUES, f"{PROGRAM}duals", f"{PROGRAM}nodes", "conflict"

COLUMNS = {
    VALUES: ("variable", "position", "value"),
    DUALS: ("level", "node", "row", "position", "multiplier"),
    NODES: ("level", "node", "parent", "variable", "position", "above", "value"),
    CONFLICT: ("part", "name", "position", "lower", "upper"),
}
"""Columns of the tables; those in `TEXTS` are names, all others are numbers."""

TEXTS = ("variable", "level", "row", "part", "name")

MOST_NARROWING = 300
"""Most rows that are left out one by one to see whether narrowing proves a conflict without them: a second at most."""

ZERO = 1e-9
"""Share of its terms up to which a reduced cost is zero."""


def earlier_objective(name: str) -> str:
    """Return the name of the row that keeps an earlier objective, which no component has."""
    return f"objective {name}"


def values_table(program: Program, x: NDArray[np.float64]) -> pd.DataFrame:
    """Return the values of all columns."""
    return _places(program.columns, "variable").assign(value=x)


def tables_of_trees(program: Program, names: Sequence[str], trees: Mapping[str, Tree]) -> dict[str, pd.DataFrame]:
    """Return the multipliers that are not zero, and the splits if there are any.

    Parameters
    ----------
    names
        Objectives in their order, each of which is a row of those after it.
    """
    rows = pd.concat(
        [_places(program.rows, "row"), pd.DataFrame({"row": [*map(earlier_objective, names)], "position": 0})]
    )
    places = _places(program.columns, "variable")
    duals, nodes = [rows.iloc[:0].assign(level="", node=0, multiplier=0.0)], []
    for name, tree in trees.items():
        for node, multipliers in enumerate(tree.multipliers):
            if multipliers is not None:
                where = np.flatnonzero(multipliers)
                duals.append(rows.iloc[where].assign(level=name, node=node, multiplier=multipliers[where]))
        split = places.iloc[tree.column[1:]].assign(level=name, node=np.arange(1, len(tree.parent)))
        nodes.append(split.assign(parent=tree.parent[1:], above=tree.above[1:].astype(int), value=tree.value[1:]))
    tables = {DUALS: pd.concat(duals, ignore_index=True)[[*COLUMNS[DUALS]]]}
    if any(map(len, nodes)):
        tables[NODES] = pd.concat(nodes, ignore_index=True)[[*COLUMNS[NODES]]]
    return tables


def rows_of(tree: Tree) -> NDArray[np.int64]:
    """Return the rows with a multiplier in a proof."""
    used = np.any([one != 0 for one in tree.multipliers if one is not None], axis=0)
    return np.flatnonzero(used).astype(np.int64)


def rows_by_narrowing(program: Program, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return those of some rows of which none can be left out, where bounds that they narrow prove that they conflict.

    More rows than `MOST_NARROWING`, and rows that narrowing does not prove to conflict, are returned as they are.
    """
    if len(rows) > MOST_NARROWING or not _narrow_to_nothing(with_rows(program, rows)):
        return rows
    for row in rows:
        rest = rows[rows != row]
        rows = rest if _narrow_to_nothing(with_rows(program, rest)) else rows
    return rows


def _narrow_to_nothing(program: Program) -> bool:
    """Return True if bounds that rows narrow prove by themselves that there is no point."""
    trees = {NO_POINT: alone(np.zeros(len(program.row_lower)))}
    return judge_program(ProgramQuestion(program, (), 0.0), ProgramAnswer(None, (), trees), "").infeasible


def conflict_table(program: Program, rows: NDArray[np.int64], tree: Tree) -> pd.DataFrame:
    """Return the rows that conflict, and the bounds of columns that a proof without splits needs beside them.

    A proof without multipliers, which narrows bounds alone, may need every bound of the columns in the rows.

    Parameters
    ----------
    program
        The program in which only these rows have limits.
    """
    of_rows = _places(program.rows, "name").iloc[rows]
    sides = {"lower": _finite(program.row_lower)[rows], "upper": _finite(program.row_upper)[rows]}
    parts = [of_rows.assign(part="row", **sides)]
    multipliers = tree.multipliers[0]
    if len(tree.parent) == 1 and multipliers is not None:
        slope = program.matrix.transposed_times(multipliers)
        size = program.matrix.absolute().transposed_times(np.abs(multipliers))
        # A column without a value between its bounds is a conflict by itself.
        crossed = np.zeros(len(slope), dtype=bool)
        crossed[np.flatnonzero(program.without_value())[:1]] = True
        needed = (np.abs(slope) > ZERO * size) | crossed
        if not (multipliers.any() or crossed.any()) and _narrow_to_nothing(program):
            in_rows = np.isin(np.arange(len(multipliers)), rows).astype(float)
            bounded = np.isfinite(program.column_lower) | np.isfinite(program.column_upper)
            needed = (program.matrix.absolute().transposed_times(in_rows) > 0) & bounded
        where = np.flatnonzero(needed)
        # The proof takes a column at one of its ends, and needs no bound at the other.
        lower = np.where((slope > 0) & ~crossed, np.nan, _finite(program.column_lower))[where]
        upper = np.where((slope < 0) & ~crossed, np.nan, _finite(program.column_upper))[where]
        parts.append(_places(program.columns, "name").iloc[where].assign(part="bound", lower=lower, upper=upper))
    return pd.concat(parts, ignore_index=True)[[*COLUMNS[CONFLICT]]]


@dataclass
class Reading:
    """These tables of a run, read for a program and its objectives, and what is wrong with them."""

    tables: Mapping[str, pd.DataFrame]
    program: Program
    names: Sequence[str]

    def __post_init__(self) -> None:
        self.problems: list[str] = []
        self._read = {name: self._typed(name) for name in COLUMNS if name in self.tables}
        count = len(self.program.row_lower)
        self._rows = {name: (block.start, block.stop) for name, block in self.program.rows.items()}
        self._rows |= {
            earlier_objective(name): (count + place, count + place + 1) for place, name in enumerate(self.names)
        }
        self._columns = {name: (block.start, block.stop) for name, block in self.program.columns.items()}

    def values(self) -> NDArray[np.float64] | None:
        """Return the values of all columns; None if the run has none."""
        if VALUES not in self._read:
            return None
        table = self._read[VALUES]
        place = self._place(table, "variable", self._columns, VALUES)
        if not np.array_equal(place, np.arange(len(self.program.column_lower))):
            self.problems.append(
                _("the table {table} has a row for every column of the program, in their order", table=VALUES)
            )
            return None
        return table["value"].to_numpy(dtype=float)

    def trees(self) -> dict[str, Tree]:
        """Return the trees by objective, and the one that there is no point; a node without multipliers has zeros."""
        duals, nodes = self._read.get(DUALS), self._read.get(NODES)
        trees = {}
        for place, name in enumerate((*self.names, NO_POINT)):
            length = len(self.program.row_lower) + (0 if name == NO_POINT else place)
            own = None if nodes is None else nodes[nodes["level"] == name]
            count, splits = (1, set()) if own is None else (1 + len(own), {*own["parent"]} - {0})
            multipliers: list[NDArray[np.float64] | None] = [np.zeros(length) for _ in range(count)]
            for node, part in () if duals is None else duals[duals["level"] == name].groupby("node"):
                found = self._place(part, "row", self._rows, DUALS)
                if not (0 <= node < count and node == round(node) and (found < length).all()) or self.problems:
                    self.problems.append(_("the table {table} has the nodes and rows of each objective", table=DUALS))
                    continue
                if node in splits or len(np.unique(found)) < len(found):
                    text = _("the table {table} has a row of each leaf, or of the whole program, once", table=DUALS)
                    self.problems.append(text)
                    continue
                whole = np.zeros(length)
                whole[found] = part["multiplier"].to_numpy(dtype=float)
                multipliers[int(node)] = whole
            trees[name] = alone(multipliers[0]) if own is None or not len(own) else self._tree(own, multipliers)
        return trees

    def conflict(self, tree: Tree) -> NDArray[np.int64]:
        """Return the rows that are said to conflict, each of which has a multiplier in the proof that they do."""
        table = self._read[CONFLICT]
        rows = self._place(table[table["part"] == "row"], "name", self._rows, CONFLICT)
        used = rows_of(tree)
        if (len(used) and not np.array_equal(rows, used)) or len(np.unique(rows)) < len(rows):
            self.problems.append(_("the table {table} has the rows of the proof", table=CONFLICT))
            return rows[:0]
        if not len(used) and len(rows_by_narrowing(self.program, rows)) < len(rows):
            text = _("the table {table} has rows of which none can be left out", table=CONFLICT)
            self.problems.append(text)
        return rows

    def see_levels(self, levels: Sequence[LevelResult], termination: str) -> None:
        """See that the objectives that a run states are those of the model in their order, and nothing of others."""
        stated, wanted = [level.name for level in levels], [*self.names]
        wanted = [] if termination == "infeasible" else wanted if termination == "optimal" else wanted[: len(stated)]
        if stated != wanted:
            self.problems.append(_("the run states the objectives of the model in their order"))
        proven = [NO_POINT] if termination == "infeasible" else stated
        for name in (DUALS, NODES):
            if name in self._read and not set(self._read[name]["level"]) <= {*proven}:
                self.problems.append(_("the table {table} has the objectives that the run states", table=name))

    def _tree(self, nodes: pd.DataFrame, multipliers: list[NDArray[np.float64] | None]) -> Tree:
        column = self._place(nodes, "variable", self._columns, NODES)
        if not np.array_equal(nodes["node"], np.arange(1, len(nodes) + 1)) or len(column) != len(nodes):
            self.problems.append(_("the table {table} numbers the nodes of each objective from 1 on", table=NODES))
            return alone(multipliers[0])
        parent, above, value = (nodes[name].to_numpy(dtype=float) for name in ("parent", "above", "value"))
        if (np.abs(parent) > len(nodes)).any() or (parent != np.round(parent)).any() or not set(above) <= {0.0, 1.0}:
            self.problems.append(_("the table {table} has whole numbers of its nodes", table=NODES))
            return alone(multipliers[0])
        return Tree(
            np.append(0, parent.astype(np.int64)),
            np.append(0, column),
            np.append(False, above != 0),
            np.append(0.0, value),
            multipliers,
        )

    def _place(
        self, table: pd.DataFrame, key: str, places: Mapping[str, tuple[int, int]], name: str
    ) -> NDArray[np.int64]:
        """Return the rows or columns of the program that a table names; those that there are not are a problem."""
        block = table[key].astype(str)
        start, stop = (block.map({name: one[end] for name, one in places.items()}).fillna(-1) for end in (0, 1))
        position = table["position"].to_numpy(dtype=float)
        place = start.to_numpy(dtype=float) + position
        known = (position >= 0) & (position == np.round(position)) & (place < stop.to_numpy(dtype=float))
        if not known.all():
            self.problems.append(_("the table {table} names rows and columns of the program", table=name))
        return np.asarray(place[known], dtype=np.int64)

    def _typed(self, name: str) -> pd.DataFrame:
        """Return a table with numbers where they belong; without rows if it has others."""
        table = self.tables[name]
        if set(table) != set(COLUMNS[name]):
            self.problems.append(
                _("the table {table} has the columns {names}", table=name, names=", ".join(COLUMNS[name]))
            )
            return pd.DataFrame(columns=COLUMNS[name])
        numbers = [column for column in COLUMNS[name] if column not in TEXTS]
        typed = table.assign(**{column: pd.to_numeric(table[column], errors="coerce") for column in numbers})
        finite = [column for column in numbers if column not in ("lower", "upper")]
        if np.isfinite(typed[finite].to_numpy(dtype=float)).all():
            return typed
        self.problems.append(
            _("the table {table} has a number in every cell of {names}", table=name, names=", ".join(finite))
        )
        return typed.iloc[:0]


def _finite(side: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return limits with NaN for those that there are not."""
    return np.where(np.isfinite(side), side, np.nan)


def _places(blocks: Mapping[str, slice], key: str) -> pd.DataFrame:
    """Return component and position of each column or row, in their order."""
    counts = [block.stop - block.start for block in blocks.values()]
    names = np.repeat(np.array([*blocks], dtype=object), counts)
    return pd.DataFrame({key: names, "position": np.concatenate([np.zeros(0, int), *map(np.arange, counts)])})
