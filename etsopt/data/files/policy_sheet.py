"""The policy of an instance as a sheet: a row for each key, which is the path that ``--set`` takes, and its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.files.sheets import TIMES, WRITE_AGAIN, text_of
from etsopt.data.files.workbook import column_name
from etsopt.data.files.write import toml_value
from etsopt.data.policy.keys import english_path, value_of_text
from etsopt.data.tables.recognise import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.data.files.workbook import Cells

POLICY = "policy.toml"
POLICY_SHEETS = ("policy", "政策")
KEY_HEADINGS = frozenset(("key", "键", "参数"))
VALUE_HEADINGS = frozenset(("value", "值", "取值"))


def heading_row(cells: list[Cells]) -> int | None:
    """Return the row with the headings of keys and values, if there is one."""
    for row, content in enumerate(cells):
        words = {plain(str(cell)) for cell in content}
        if words & KEY_HEADINGS and words & VALUE_HEADINGS:
            return row
    return None


def read_policy_sheet(cells: list[Cells], place: str) -> tuple[dict[str, Any] | None, dict[str, str], list[Problem]]:
    """Return the stated keys as nested dictionaries, the cell of each value by its path, and problems.

    A key without a value is not stated.
    """
    top = heading_row(cells)
    if top is None:
        what = _("has no row with the headings key and value")
        return None, {}, [Problem(place, what, _("Write them above the keys, or delete the sheet."))]
    content: dict[str, Any] = {}
    places: dict[str, str] = {}
    problems: list[Problem] = []
    for cell, text, value in rows_as_written(cells, top):
        path = english_path(text.split("."))
        if path == ["rule"]:
            # A rule without parameters is stated by its name.
            path = ["rule", "name"]
        key = ".".join(path)
        if not key and value != "":
            shown = ((cell, str(value)),)
            problems.append(Problem(place, _("value has no key"), _("Write its key, or empty it."), cells=shown))
        if not key or value == "":
            continue
        if isinstance(value, TIMES):
            problems.append(Problem(place, _("cell is a date"), WRITE_AGAIN, key, ((cell, str(value)),)))
            continue
        if key in places:
            advice = _("Keep one of them: which of them holds cannot be told.")
            problems.append(Problem(place, _("key is there twice"), advice, key, ((places[key], ""), (cell, ""))))
            continue
        places[key] = cell
        if not _put(content, path, plain_value(value)):
            what = _("is a value and a table of values at once")
            problems.append(Problem(place, what, _("State either the value, or each part of it."), key, ((cell, ""),)))
    return content, places, problems


def rows_as_written(cells: list[Cells], top: int) -> Iterator[tuple[str, str, Any]]:
    """Yield the place of each value below the row of headings, with its key as it is written, and the value."""
    words = [plain(str(cell)) for cell in cells[top]]
    at_key = next(at for at, word in enumerate(words) if word in KEY_HEADINGS)
    at_value = next(at for at, word in enumerate(words) if word in VALUE_HEADINGS)
    for row in range(top + 1, len(cells)):
        yield f"cell {column_name(at_value)}{row + 1}", text_of(cells[row][at_key], False).strip(), cells[row][at_value]


def plain_value(cell: Any) -> Any:
    """Return a cell as a value of the policy: a text in TOML as what it stands for, ``3 %`` as 0.03."""
    if isinstance(cell, float):
        return int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    try:
        return value_of_text(text)
    except ValueError:
        return text


def _put(content: dict[str, Any], path: list[str], value: Any) -> bool:
    """Put a value at a path; return False if there is a value in place of a table, or the reverse."""
    *parents, key = path
    for parent in parents:
        content = content.setdefault(parent, {})
        if not isinstance(content, dict):
            return False
    if isinstance(content.get(key), dict):
        return False
    content[key] = value
    return True


def rows_of_policy(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of every stated key; a table with a key that a path cannot name is one value."""
    for key, value in content.items():
        path = f"{above}{key}"
        if isinstance(value, dict) and value and not any("." in str(part) for part in value):
            yield from rows_of_policy(value, f"{path}.")
        else:
            yield path, value


def as_cell(value: Any) -> Any:
    """Return a value of the policy as a cell that reads back as the same value."""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return value if plain_value(value) == value else toml_value(value)
    return toml_value(value)
