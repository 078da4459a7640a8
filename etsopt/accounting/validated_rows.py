"""Tables of rows as people write them, with the headings and words of the schema, and validated."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from etsopt.accounting.coded import months_of
from etsopt.accounting.headings import FLOW_HEADINGS
from etsopt.accounting.row_headings import OF_QUANTITIES, heading_of, problem_of_stated_unit, problems_of_columns
from etsopt.accounting.schema import LARGEST_NCV, ROWS
from etsopt.accounting.vocabulary import FLOW_WORDS, ITEM_WORDS, ITEMS, POWERS_OF_TEN, PROCESS_WORDS, UNIT_WORDS, folded
from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.headings import as_stated
from etsopt.data.tables.recognise import Heading
from etsopt.data.tables.schema import USER_COLUMN_PREFIX
from etsopt.data.tables.text_columns import normalise
from etsopt.data.tables.validate import OUT_OF_RANGE, validate_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from etsopt.data.tables.raw import RawTable

NCV, LARGEST_KCAL, LARGEST_KJ = "ncv_gj_per_unit", 11_000.0, 1e6
"""Column of calorific values; what oils hardly reach in kcal/kg, and hardly any fuel stays below in kJ/kg; and a number
that is beyond any of kJ."""


class OtherUnit(NamedTuple):
    """A unit of heat in which a calorific value is filed, its factor over that of the schema, and the latter."""

    unit: str
    factor: float
    measure: str


KCAL, KJ = OtherUnit("kcal/kg", 238.85, "GJ/t"), OtherUnit("kJ/kg", 1000.0, "GJ/t")
KCAL_OF_GAS, KJ_OF_GAS = OtherUnit("kcal/Nm3", 23.885, "GJ/1e4 Nm3"), OtherUnit("kJ/Nm3", 100.0, "GJ/1e4 Nm3")
GASES = frozenset(name for name, item in ITEMS.items() if item.phase == "gas")


def other_unit(value: float, item: str) -> OtherUnit | None:
    """Return the unit that a calorific value beyond the largest one looks like; None if it looks like none.

    >>> other_unit(5011.465, "bituminous").unit, other_unit(38_931, "natural_gas").unit, other_unit(29.3, "coke")
    ('kcal/kg', 'kJ/Nm3', None)
    """
    if not LARGEST_NCV < value <= LARGEST_KJ:
        return None
    of_item = (KCAL_OF_GAS, KJ_OF_GAS) if item in GASES else (KCAL, KJ)
    return of_item[value > LARGEST_KCAL]


STATED_UNIT = re.compile(r"([0-9]+\.?[0-9]*)(kcal|kj|[千大]卡|千焦)/(?:kg|n?m3|千克|公斤|标方|立方米)")
"""A calorific value with a unit of kcal or kJ behind it, without spaces."""

WORDS = {"process": PROCESS_WORDS, "item": ITEM_WORDS, "flow": FLOW_WORDS, "unit": UNIT_WORDS}


def validated(raw: RawTable) -> tuple[pd.DataFrame | None, list[Problem]]:
    """Validate the cells of rows; return them with file and line, None if a required column is missing."""
    parts, problems = _named(raw)
    frames = []
    for part in parts:
        frame, of_part = _validated_part(part)
        problems += of_part
        frames.append(frame)
    # What the rows of several flows share has its problem once.
    problems = [*dict.fromkeys(problems)]
    found = [frame for frame in frames if frame is not None]
    if len(found) < len(parts):
        return None, problems
    return (found[0] if len(found) == 1 else pd.concat(found, ignore_index=True)), problems


def _validated_part(raw: RawTable) -> tuple[pd.DataFrame | None, list[Problem]]:
    frame, problems = validate_table(_translated(raw), ROWS)
    items = dict(zip(map(str, raw.rows), frame.get("item", ()), strict=False))
    problems = [as_stated(one, raw) for problem in problems for one in _in_other_units(problem, items)]
    if not all(column.name in frame for column in ROWS.columns if column.required):
        return None, problems
    frame = with_defaults(frame, ROWS.columns)
    power = _powers_of_ten(raw)
    for row in np.flatnonzero(power):
        # Shifting the decimal point of the number as it is written is exact; a product would be rounded.
        shifted = Decimal(repr(float(frame["quantity"].iat[row]))).scaleb(int(power[row]))
        frame.iat[row, frame.columns.get_loc("quantity")] = float(shifted)
    frame.insert(0, "file", np.full(len(frame), raw.place, dtype=object))
    frame.insert(1, "line", raw.rows)
    return frame, problems


def _in_other_units(problem: Problem, items: Mapping[str, str]) -> Iterator[Problem]:
    """Yield the problem of calorific values out of range, apart by the unit that they probably are in.

    Parameters
    ----------
    items
        Item of each row.

    >>> problem = Problem("a.csv", "1 value is out of range", "Correct it.", "ncv_gj_per_unit", (("2", "5011.465"),))
    >>> print(next(_in_other_units(problem, {"2": "bituminous"})).advice)
    It looks like kcal/kg: 5011.465 divided by 238.85 is 20.982 GJ/t.
    """
    if problem.column != NCV or problem.what != counted(len(problem.cells), *OUT_OF_RANGE):
        yield problem
        return
    of_unit: dict[OtherUnit | None, list[tuple[str, str]]] = {}
    for row, cell in problem.cells:
        of_unit.setdefault(other_unit(float(cell), items.get(row, "")), []).append((row, cell))
    for own, cells in of_unit.items():
        part = replace(problem, what=counted(len(cells), *OUT_OF_RANGE), cells=tuple(cells))
        if own is None:
            yield part
            continue
        text = _("It looks like {unit}: {number:.10g} divided by {factor:g} is {value:.3f} {measure}.")
        number = float(cells[0][1])
        advice = _(text, **own._asdict(), number=number, value=number / own.factor)
        yield replace(part, advice=advice, code="other_unit")


def _named(raw: RawTable) -> tuple[list[RawTable], list[Problem]]:
    """Return a table with headings as the schema has them and a column of the unit that one states, and its problems.

    Unknown headings stay; those of sheets are known before. A table whose headings name flows becomes one for each.
    """
    columns: dict[str, NDArray[Any]] = {}
    stated, letters, places = dict(raw.stated), dict(raw.letters), dict[str, list[tuple[str, str]]]()
    problems, units = list[Problem](), dict[str, str]()
    for heading, cells in raw.columns.items():
        own = heading.startswith(USER_COLUMN_PREFIX)
        named = Heading(heading) if own else heading_of(heading)
        name, label = named.column or heading, (raw.label_of(heading), raw.heading_of(heading))
        places.setdefault(name, []).append(label)
        problems += problem_of_stated_unit(raw.place, named, label)
        if named.unit and name in OF_QUANTITIES:
            units.setdefault(name, "".join(named.unit.split()))
        if name != heading:
            stated[name] = heading, cells
            letters |= {name: raw.letters[heading]} if heading in raw.letters else {}
        columns.setdefault(name, cells)
    problems += problems_of_columns(raw.place, places, units)
    table = replace(raw, columns=columns, stated=stated, letters=letters)
    flows = [name for name in FLOW_HEADINGS if name in columns]
    if not flows:
        return [_with_unit(table, units.get("quantity", ""))], problems
    filled = np.array([~(pd.isna(columns[name]) | (columns[name] == "")) for name in flows])
    # In a row without any quantity that of each flow is absent.
    kept = filled | ~filled.any(axis=0)
    parts = [_of_flow(table, name, flows, own, units) for name, own in zip(flows, kept, strict=True)]
    return [part for part in parts if len(part.rows)] or parts[:1], problems


def _of_flow(table: RawTable, flow: str, flows: list[str], kept: NDArray[np.bool_], units: dict[str, str]) -> RawTable:
    """Return the rows of a flow whose quantities a column has."""
    columns = {name: cells[kept] for name, cells in table.columns.items() if name not in flows}
    columns |= {"flow": np.full(kept.sum(), flow, dtype=object), "quantity": table.columns[flow][kept]}
    heading, _cells = table.stated.get(flow, (flow, None))
    stated = {name: (one, cells[kept]) for name, (one, cells) in table.stated.items()}
    stated["quantity"] = heading, columns["quantity"]
    letters = {"quantity": table.letters[flow]} if flow in table.letters else {}
    part = replace(table, columns=columns, rows=table.rows[kept], stated=stated, letters=letters)
    return _with_unit(part, units.get(flow, ""))


def _with_unit(raw: RawTable, unit: str) -> RawTable:
    """Return a table with a column of the unit that the heading of its quantity states, if it does."""
    if not unit or "unit" in raw.columns:
        return raw
    return replace(raw, columns={**raw.columns, "unit": np.full(len(raw.rows), unit, dtype=object)})


def _translated(raw: RawTable) -> RawTable:
    """Return a table with the words of its columns as the schema has them; unknown words stay."""
    columns = dict(raw.columns)
    if (months := columns.get("month")) is not None and months.dtype == object:
        columns["month"] = months_of(months)
    if (values := columns.get(NCV)) is not None and values.dtype == object:
        columns[NCV] = np.array([_without_unit(cell) for cell in values], dtype=object)
    for name, words in WORDS.items():
        cells = columns.get(name)
        if cells is not None and cells.dtype == object:
            code, spellings = pd.factorize(cells)
            known = [words.get(folded(normalise(word)), words.get(normalise(word), word)) for word in spellings]
            columns[name] = np.array(known, dtype=object)[code]
    return replace(raw, columns=columns)


def _without_unit(cell: Any) -> Any:
    """Return the number of a calorific value that states kcal or kJ and looks like it; any other cell as it is.

    >>> [_without_unit(cell) for cell in ("5011.5 kcal/kg", "800 kcal/kg", "23.1")]
    ['5011.5', '800 kcal/kg', '23.1']
    """
    stated = "".join(cell.split()).lower() if isinstance(cell, str) and "/" in cell else ""
    found = STATED_UNIT.fullmatch(stated)
    seen = None if found is None else other_unit(float(found[1]), "")
    is_kj = found is not None and found[2] in ("kj", "千焦")
    return cell if found is None or seen is None or is_kj != (seen == KJ) else found[1]


def _powers_of_ten(raw: RawTable) -> NDArray[np.int64]:
    """Return the power of ten by which the unit of each row multiplies its quantity, shape ``(rows,)``."""
    cells = raw.columns.get("unit", np.zeros(0))
    if cells.dtype != object:
        return np.zeros(len(raw.rows), dtype=np.int64)
    code, spellings = pd.factorize(cells)
    return np.array([POWERS_OF_TEN.get(folded(normalise(word)), 0) for word in spellings], dtype=np.int64)[code]


def with_defaults(frame: pd.DataFrame, columns: Any) -> pd.DataFrame:
    """Return a frame in which absent optional cells have their defaults."""
    frame = frame.copy(deep=False)
    for column in columns:
        if column.name not in frame:
            absent = np.nan if column.number else ""
            frame[column.name] = np.full(len(frame), absent, dtype=float if column.number else object)
        if column.number and column.default is not None:
            frame[column.name] = frame[column.name].fillna(column.default)
    return frame
