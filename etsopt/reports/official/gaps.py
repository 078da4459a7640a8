"""Cells of the annex tables that an instance cannot fill: empty, with a note in the row, and listed in a file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from etsopt.reports.official.headings import BY_NAME, NOTES, NUMBERS_OF_USER, OUTSIDE, TEXTS_OF_USER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.reports.official.headings import Annex

OF_PRE_ALLOCATION = (
    *("pre_allocated", "pre_deducted", "pre_issued", "pre_remaining"),
    *("true_up", "deduction_returned", "deducted", "issued"),
)
"""Columns of which nothing is known without a pre-allocation; what is issued in all does not depend on it."""

OF_SCOPE = ("emissions", "determined", "obligation")
"""Columns of units that say nothing of one outside the scope: a 0 would be read as its emissions."""

WITHOUT_CODE = "统一社会信用代码待填（企业编号：{}）"
"""Note of a row without a code; it names the enterprise, so that the tables can be read back."""

NO_CODE = re.compile(WITHOUT_CODE.format("([^）]+)"))

OF_USER = (*NUMBERS_OF_USER, *TEXTS_OF_USER)

FILLED_BY = {
    "uscc": ("x_uscc of enterprises", "企业表的 x_uscc 列"),
    "prior": ("prior_emissions_tco2e of units", "单元表的 prior_emissions_tco2e 列"),
    "pre_allocated": (
        "prior_emissions_tco2e or pre_allocated_t of units",
        "单元表的 prior_emissions_tco2e 列或 pre_allocated_t 列",
    ),
    **{key: (f"x_{key} of units", f"单元表的 x_{key} 列") for key in OF_USER},
}
"""Keys of headings, and the column of the instance that fills them."""

OF_STEEL = {
    "output": ("intensity_output_t of units", "单元表的 intensity_output_t 列"),
    "intensity": (
        "intensity_output_t and intensity_emissions_tco2e of units",
        "单元表的 intensity_output_t 列和 intensity_emissions_tco2e 列",
    ),
}
"""The same of table 2-2 alone: other sectors measure intensity on the whole unit."""


def with_gaps(annex: Annex, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table without figures that nothing states or that are outside the scope, and their notes.

    Parameters
    ----------
    rows
        As `unit_rows` and `issue_rows` return them, with the columns ``stated``, ``all_stated`` and ``in_scope``.
    """
    keys = {key for key, *_ in annex.columns}
    stated, every = rows["stated"].to_numpy(), rows["all_stated"].to_numpy()
    rows = rows.assign(**{key: rows[key].where(stated) for key in OF_PRE_ALLOCATION if key in keys})
    if not annex.number.endswith("-5"):
        rows = rows.assign(**{key: rows[key].where(rows["in_scope"]) for key in OF_SCOPE if key in keys})
    notes = []
    for row, has_some, has_all in zip(rows.itertuples(index=False), stated, every, strict=True):
        parts = [str(row.notes)] if row.notes else []
        if not row.uscc:
            parts.append(WITHOUT_CODE.format(row.enterprise_id))
        if "pre_allocated" in keys and not has_all:
            parts.append("部分预分配配额待填" if has_some else "预分配配额待填")
        notes.append("；".join(parts))
    return rows.assign(notes=notes)


def columns_to_fill(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, str]]:
    """Yield a sentence for each column with cells to fill, in English and Chinese."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    words: dict[tuple[str, str], tuple[str, str]] = {}
    for name, table in tables.items():
        filled_by = FILLED_BY | (OF_STEEL if name == "2-2" else {})
        for key, heading, empty in cells_to_fill(name, table):
            found.setdefault((key, heading), {})[name] = int(np.count_nonzero(empty))
            words[key, heading] = filled_by[key]
    for (key, heading), of in found.items():
        count, (english, chinese) = sum(of.values()), words[key, heading]
        yield (
            f"{heading}: {count:,} empty cells in {', '.join(of)}; filled by the column {english}.",
            f"{heading}：表 {'、'.join(of)} 共 {count:,} 个空单元格；由{chinese}填写。",
        )


def cells_to_fill(
    name: str, table: pd.DataFrame, more: Sequence[str] = ()
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield key and heading of each column of a table with cells to fill, and True for these, shape ``(rows,)``.

    Columns of which only users know are among them if they are empty throughout: a part of them belongs to some units
    only. Of rows outside the scope only the code is to be filled.

    Parameters
    ----------
    more
        Keys of columns beside those that a column of the instance fills.
    """
    annex = BY_NAME[name]
    rows = np.arange(len(table)) < len(table) - annex.number.endswith("-5")
    inside = rows & ~table[NOTES[1]].str.contains(OUTSIDE, regex=False).to_numpy(dtype=bool)
    keys = {*FILLED_BY, *more, *(OF_STEEL if name == "2-2" else ())}
    for key, heading, _english in annex.columns:
        if key in keys:
            asked = rows if key == "uscc" else inside
            empty = asked & (table[heading].isna() | (table[heading] == "")).to_numpy(dtype=bool)
            if empty.any() and (key not in OF_USER or (empty == asked).all()):
                yield key, heading, empty
