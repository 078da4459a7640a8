"""What files of sweeps and of design searches share: how they are read, and how they name an instance and keys."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import DataError, Problem, UsageError, brief
from etsopt.common.language import _
from etsopt.data.files.read import is_file
from etsopt.data.messages import did_you_mean, nearest
from etsopt.data.policy.allocation import ONE_VALUE
from etsopt.data.policy.keys import english_path
from etsopt.data.policy.parsing import ANY, SECTIONS, sections_in
from etsopt.data.policy.toml import checked_content, parse_toml
from etsopt.data.tables.schema import SECTORS, TABLES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from etsopt.data.policy.section import Section

TABLE_NAMES = [table.name for table in TABLES]

TWICE = re.compile(
    r"Cannot (?:declare|mutate immutable namespace) \((?P<steps>.*?),?\) (?:twice )?(?P<where>\(at .*\))"
)
"""What tomllib says of a table with two headings."""


def read_toml(path: Path, subject: str) -> dict[str, Any]:
    """Read a file of keys.

    Raises
    ------
    UsageError, DataError
        If there is no such file, or it is no TOML.
    """
    if not path.is_file():
        what = _("There is no file {path!r}.", path=str(path))
        raise UsageError(what, _("Name a file that states what to solve, in TOML."))
    try:
        return checked_content(parse_toml(path.read_text("utf-8-sig")), path.name)
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(subject, [_not_toml(path.name, str(error), error)]) from None


def _not_toml(place: str, said: str, error: Exception) -> Problem:
    """Return the problem of a text that is no TOML; one that states something twice in words of this package."""
    if twice := TWICE.fullmatch(said):
        table = ".".join(re.findall(r"'([^']*)'", twice["steps"]))
        what = _("states the table [{table}] twice {where}", table=table, where=twice["where"])
        return Problem(place, what, _("Put its keys under one heading, or name one of the tables differently."))
    if said.startswith("Cannot overwrite a value"):
        what = _("states a key twice {where}", where=said.removeprefix("Cannot overwrite a value "))
        return Problem(place, what, _("Keep one of them."))
    return Problem(
        place, _("is no TOML: {error}", error=error), _("Correct the file; the documentation has an example.")
    )


def instance_at(folder: Path, stated: str) -> str:
    """Return the instance that a file in a folder states: one beside it, else a shipped one of that name."""
    own = folder / stated
    return str(own) if own.exists() or is_file(own) else stated


def model_of_record(about: Mapping[str, Any]) -> str:
    """Return the model that a record states.

    Raises
    ------
    DataError
        If it states none.
    """
    if isinstance(model := about.get("model"), str):
        return model
    what, advice = _("is {model}, not the name of a model", model=brief(model)), _("Name another folder by --out.")
    raise DataError(_("The record"), [Problem("about", what, advice, "model")])


NOT_A_KEY_OF = {"sweep": _("is not a key of a sweep"), "design": _("is not a key of a design")}
"""What is said of an unknown key, by the kind of file."""


def in_words_of(problem: Problem, file: type[Section], name: str) -> Problem:
    """Return a problem of a key in the words of a kind of file, with the keys that its section has."""
    if problem.code != "unknown_key":
        return problem
    above, _dot, key = problem.column.rpartition(".")
    # A name that the user chooses, such as a key of the policy, may have several steps.
    sections = {path.replace(ANY, "*"): section for path, section in sections_in(file, "")}
    known = [*next((one.model_fields for path, one in sections.items() if above and fnmatchcase(above, path)), ())]
    known = known if above else [*file.model_fields]
    advice = _("{guess}Use one of {known}.", guess=did_you_mean(key, known), known=", ".join(known))
    return Problem(problem.place, NOT_A_KEY_OF[name], advice if known else problem.advice, problem.column)


def flat(
    content: Mapping[str, Any], above: str = "", *, varied: bool = False, kinds: Collection[str] = ()
) -> Iterator[tuple[str, Any]]:
    """Yield values by dotted path, whether keys are nested, dotted or quoted; a table that is a value stays one.

    Parameters
    ----------
    varied
        True if every value is a list or a range, so that years with such values are keys, as in ``cap_t.2035 = [...]``.
    kinds
        Keys of a table that is a value itself, such as a distribution.
    """
    for name, value in content.items():
        key = f"{above}.{name}" if above else str(name)
        if isinstance(value, dict) and (_leads_on(key, value, kinds) or (varied and _varies_by_year(value))):
            yield from flat(value, key, varied=varied, kinds=kinds)
        else:
            yield key, value


def _varies_by_year(value: Mapping[str, Any]) -> bool:
    """Return True for years with a list or a range of values each."""
    return bool(value) and all(str(year).isdecimal() and isinstance(one, list | dict) for year, one in value.items())


def _leads_on(key: str, value: Mapping[str, Any], kinds: Collection[str]) -> bool:
    """Return True if a table holds further keys of the policy or of tables, and is no value itself."""
    steps = english_path(key.split("."))
    if steps[0] in TABLE_NAMES:
        return len(steps) == 1 or (len(steps) == 2 and bool(value) and _by_sector(value, kinds))
    if steps[0] not in SECTIONS[""].model_fields:
        # Whatever is below an unknown name, the message is of that name.
        return bool(value) and not {*value} & {*kinds}
    if steps == ["rule"]:
        # A rule with its name replaces the whole section.
        return not isinstance(value.get("name"), str)
    for path, section in SECTIONS.items():
        # A band is one value, whether of one number or of two.
        parts = [] if section in ONE_VALUE else path.split(".")[: len(steps)]
        if len(parts) == len(steps) and all(one in (ANY, step) for one, step in zip(parts, steps, strict=True)):
            return True
    return False


def _by_sector(value: Mapping[str, Any], kinds: Collection[str]) -> bool:
    """Return True if the keys of a column's table are sectors, even misspelt ones, and not those of a value."""
    if {*value} & {*kinds}:
        return False
    return not kinds or any(isinstance(one, dict) or nearest(str(key), SECTORS) for key, one in value.items())
