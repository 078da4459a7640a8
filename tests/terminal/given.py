"""Names that a user gave: on the command line, and in the tables and files that it names."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pandas as pd

from etsopt.data.files import shipped
from etsopt.data.tables.provinces import SHORT
from tests.terminal.inputs import COMMANDS, DECIDED, first_part, item, names
from tests.terminal.latin import known
from tests.terminal.texts import TEXTS

COLUMNS = (
    *("unit_id", "enterprise_id", "complex_id", "name", "province", "city", "measure_id", "exclusive_group"),
    *("scenario", "quantity_id", "statement_id", "reported_by", "Remarks"),
)
"""Columns whose cells are names."""

QUOTED = re.compile(r"'([^']*)'")
STATED = re.compile(r"[\"']([\w-]+)[\"']|\.(\w+)\]|\bm\.(\w+)|^def (\w+)", re.MULTILINE)
"""Names that a file states: in quotation marks, of its sections, of parts of a model, and of its functions."""
KEY = re.compile(r"^(\w+) *=", re.MULTILINE)
SUFFIXES = (".csv", ".toml", ".py", ".json")
INSTANCE = re.compile(r'^instance = "(.*)"', re.MULTILINE)


@cache
def names_in(line: str) -> frozenset[str]:
    """Return the names on a command line and in what it names; a province of China has a Chinese name."""
    words = [word for own in _lines_of(line) for word in shlex.split(own)]
    found = {word for word in words if not word.startswith("-")}
    # An instance is called by the name of its file without the ending, and a misspelt key is the user's.
    found |= {part for word in words for part in re.split("[=/.]", word)} - known().codes
    for file in _files(words):
        if file.name == "result.json":
            found.add(json.loads(file.read_text(encoding="utf-8"))["instance"])
        elif file.suffix == ".csv":
            found |= _of_table(file)
        elif file.suffix in (".toml", ".py"):
            text = file.read_text(encoding="utf-8")
            found |= {name for parts in STATED.findall(text) for name in parts if name}
            found |= {*KEY.findall(text)} - known().codes
    return frozenset(found - {*SHORT})


def without_quotations(text: str, line: str) -> str:
    """Return a text without its quotations from the command line or a file."""
    files = _files(shlex.split(line))
    source = "\n".join([line, *(file.read_text(encoding="utf-8", errors="replace") for file in files)])
    return QUOTED.sub(lambda found: "''" if found[1] in source else found[0], text)


def _places(words: Iterable[str]) -> Iterator[Path]:
    """Yield the items and shipped instances that words name, and those that their files name."""
    for word in map(first_part, words):
        if word.endswith((".duckdb", ".xlsx")):
            # Its names are those of what it was made of.
            continue
        if word in names():
            yield item(word)
            if word in TEXTS:
                yield from _places(INSTANCE.findall(TEXTS[word]))
        elif word in shipped.names():
            yield shipped.folder(word)


def _files(words: Iterable[str]) -> list[Path]:
    """Return the text files that words name, but for tables of results, whose names are those of the instance."""
    found = [file for path in _places(words) for file in (sorted(path.rglob("*.*")) if path.is_dir() else [path])]
    return [file for file in found if file.suffix in SUFFIXES and "tables" not in file.parts]


@cache
def _of_table(file: Path) -> frozenset[str]:
    """Return the names in a table, and the columns that only the user knows."""
    table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig", nrows=400)
    cells = {cell for column in COLUMNS if column in table for cell in table[column]}
    return frozenset(cells | {*table.columns} - known().codes)


def _lines_of(line: str) -> list[str]:
    """Return a command line, and those that made the items it names."""
    lines, left = {line: None}, [line]
    while left:
        for word in map(first_part, shlex.split(left.pop())):
            for own in (COMMANDS.get(word, ""), *DECIDED.get(word, ())):
                if own and own not in lines:
                    lines[own] = None
                    left.append(own)
    return [*lines]
