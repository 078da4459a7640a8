"""Content of files read without etsopt: by the csv, tomllib and json of Python, and Parquet by pyarrow alone."""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from etsopt.data.tables.provinces import LONG, SHORT
from etsopt.running.results.results import TONNES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from etsopt.data.policy.policy import Policy
    from etsopt.data.tables.table import Table
    from etsopt.running.results.results import Results

# An apostrophe precedes a text that a spreadsheet would execute.
PROTECTED = re.compile(r"'+[=+@\t\r\n＝＋－＠-]")


def cells_of(content: bytes) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a CSV file in UTF-8, or else GB 18030."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    records = [record for record in csv.reader(io.StringIO(text, newline=""), strict=True) if record]
    return [name.strip() for name in records[0]], records[1:]


def difference_of_table(content: bytes, table: Table, frame: pd.DataFrame) -> str:
    """Return the difference between an instance's file and the table read from it, in any row order."""
    header, rows = cells_of(content)
    kinds = {column.name: column.number for column in table.columns}
    # A heading is understood whatever its width, case, spacing and joints.
    header = [next((known for known in kinds if _joined(known) == _joined(name)), name) for name in header]

    def said(name: str, cell: str) -> str:
        if name not in kinds:
            return cell[1:] if PROTECTED.match(cell) else cell
        if kinds[name]:
            return repr(float(cell.strip())) if cell.strip() else "nan"
        text = unicodedata.normalize("NFKC", cell).strip(" ")
        return _one_name(text) if name == "province" else text

    wanted = sorted([said(name, cell) for name, cell in zip(header, row, strict=True)] for row in rows)
    columns = [[repr(float(cell)) if kinds.get(name) else cell for cell in frame[name].tolist()] for name in header]
    read = sorted(map(list, zip(*columns, strict=True)))
    if list(frame.columns) != header:
        return f"columns {list(frame.columns)} of {header}"
    return next((f"{one} became {other}" for one, other in zip(wanted, read, strict=True) if one != other), "")


def _joined(heading: str) -> str:
    return re.sub(r"[\s_-]", "", unicodedata.normalize("NFKC", heading)).casefold()


def difference_of_policy(content: bytes, policy: Policy) -> str:
    """Return the difference between a policy file and the policy read from it."""
    text = _decoded(content)
    return _differs(tomllib.loads(text), policy.model_dump(exclude_unset=True))


def _one_name(text: str) -> str:
    """Return the English name of a province of China, however short or long the Chinese."""
    chinese = {word: name for names in (SHORT, LONG) for name, word in names.items()}
    return chinese.get(text.strip(" "), text)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030")


def _differs(said: Any, read: Any, key: str = "") -> str:
    if isinstance(read, dict) and isinstance(said, int | float):
        # One number states both sides of a band.
        said = dict.fromkeys(("lower", "upper"), said)
    if isinstance(said, dict) and isinstance(read, dict):
        said = {_one_name(unicodedata.normalize("NFKC", name)): value for name, value in said.items()}
        # Capitals of a key are understood, as people write them in sheets.
        folded = {name.casefold(): name for name in read}
        said = {name if name in read else folded.get(name.casefold(), name): value for name, value in said.items()}
        if said.keys() != read.keys():
            return f"{key}: keys {sorted(said)} became {sorted(read)}"
        return next((found for name in said if (found := _differs(said[name], read[name], f"{key}.{name}"))), "")
    if isinstance(said, list):
        said = [unicodedata.normalize("NFKC", item) if isinstance(item, str) else item for item in said]
    if isinstance(said, str):
        said = unicodedata.normalize("NFKC", said)
    same = said == read and isinstance(said, bool) == isinstance(read, bool)
    return "" if same else f"{key}: {said!r} became {read!r}"


def difference_of_result(content: bytes, results: Results) -> str:
    """Return the difference between a ``result.json`` and the results read from it."""
    said = json.loads(content.decode("utf-8"))
    for name in ("tables", "prices", "violations", "levels"):
        stated = said.pop(name, None)
        if name == "levels":
            read = [(level.name, level.value, level.unit, level.certified) for level in results.levels]
            if [(one["name"], one["value"], one["unit"], one["certified"]) for one in stated] != read:
                return f"levels {stated} became {read}"
    for name in ("termination", "status", "certified", *TONNES):
        if said.pop(name, None) != getattr(results, name):
            return f"{name} became {getattr(results, name)!r}"
    said, read = {name: value for name, value in said.items() if value is not None}, results.provenance.as_json()
    return "" if said == read else f"{said} became {read}"


def difference_of_run_table(content: bytes, types: Mapping[str, str], frame: pd.DataFrame) -> str:
    """Return the difference between a run's CSV table and the table read from it, by the types of the run."""
    text = content.decode("utf-8")
    header, *rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if [*frame.columns] != header:
        return f"columns {header} became {[*frame.columns]}"
    for place, name in enumerate(header):
        if name not in types:
            continue
        said = [_typed(row[place], types[name]) for row in rows]
        read = frame[name].tolist()
        wrong = [(one, other) for one, other in zip(said, read, strict=True) if repr(one) != repr(other)]
        if wrong:
            return f"{name}: {wrong[0][0]!r} became {wrong[0][1]!r}"
    return ""


def _typed(cell: str, kind: str) -> Any:
    if kind == "text":
        return cell[1:] if PROTECTED.match(cell) else cell
    if kind == "bool":
        return {"true": True, "false": False}[cell.lower()]
    if kind.startswith(("int", "uint")):
        # 5e3 is a whole number too.
        return int(Decimal(cell))
    return float(cell) if cell else float("nan")


def difference_of_parquet(path: Path, frame: pd.DataFrame) -> str:
    """Return the difference between a Parquet file and the table read from it, in any row order."""
    from pyarrow import parquet

    columns = parquet.ParquetFile(path).read().to_pydict()
    if [*columns] != [*frame.columns]:
        return f"columns {[*columns]} became {[*frame.columns]}"

    def plain(name: str, cell: Any) -> str:
        if frame[name].dtype == object:
            return unicodedata.normalize("NFKC", "" if cell is None else str(cell)).strip(" ")
        return repr(float("nan" if cell is None or cell == "" else cell))

    wanted, read = (
        sorted(zip(*([plain(name, cell) for cell in cells] for name, cells in table.items()), strict=True))
        for table in (columns, frame.to_dict("list"))
    )
    return next((f"{one} became {other}" for one, other in zip(wanted, read, strict=True) if one != other), "")
