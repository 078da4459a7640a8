"""Collect the texts of the package, merge them into the catalogue, and compile it: a tool for developing, by babel.

Texts are found where they are written: templates of `message` and `_`, literal failures and remedies of exceptions and
problems, whatever variable holds them, phases of progress, and the help of every command. ``python -m
etsopt.locale.build`` adds new texts without a translation, removes those that are gone, and lists what is missing.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Collection, Iterator

    from babel.messages.catalog import Catalog

HERE = Path(__file__).parent
PO = HERE / "zh" / "LC_MESSAGES" / "etsopt.po"
ROOT = HERE.parents[1]

CALLS = {
    **dict.fromkeys(("_", "message", "checkpoint", "tell", "stopped_anywhere", "literal", "DataError"), (0,)),
    **dict.fromkeys(("listed", "Usual", "parse_policy"), (1,)),
    **dict.fromkeys(("UsageError", "EtsoptError", "SolverError", "ModelError", "ValueError"), (0, 1)),
    **{
        "Problem": (0, 1, 2),
        "problem": (1, 2),
        "_add": (1, 2),
        "counted": (1, 2),
        "optional": (1, 2),
        "years_in": (1,),
        "RowCheck": (2, 3),
        "record_in": (2,),
        "see_that_drawable": (1,),
    },
}
"""Functions and classes, and the positions of their arguments that are texts."""

NAMES = frozenset(
    ("what", "advice", "failure", "text", "template", "past", "templates", "one", "several", "many", "words")
)
"""Names of texts that are given to these functions later."""

CONSTANTS = {
    *("BEGIN", "LINES", "LIMIT_IN_WORDS", "NO_SOLUTION", "SET_BY", "EXPECTED", "IDENTIFIED_BY", "KEEP_ONE"),
    *("ADVICE", "ADVICE_FOR_TEXT", "NO_EVIDENCE", "DATE", "LOST", "WRITE_AGAIN", "WRITE_AS_TEXT"),
    *("SOLVE_AGAIN", "CORRECT", "IN_WHOLE_TONNES", "SUBJECT", "OPEN_STATUS"),
}
"""Names of constants whose texts are, beside those of two texts."""

ARGPARSE = (
    *(
        "usage: ",
        "options",
        "positional arguments",
        "show this help message and exit",
        "%(prog)s: error: %(message)s\n",
    ),
    *("show program's version number and exit", "the following arguments are required: %s"),
    *("unrecognized arguments: %s", "argument %(argument_name)s: %(message)s", "expected one argument"),
    *("expected at least one argument", "invalid %(type)s value: %(value)r"),
    *("invalid choice: %(value)r (choose from %(choices)s)", "ambiguous option: %(option)s could match %(matches)s"),
    "ignored explicit argument %r",
)
"""Texts of argparse itself."""

TRANSLATED = (
    *("etsopt/cli", "etsopt/data", "etsopt/rules", "etsopt/running", "etsopt/results", "etsopt/explanation"),
    *(
        "etsopt/charts",
        "etsopt/accounting",
        "etsopt/solving",
        "etsopt/sweeping",
        "etsopt/designing",
        "etsopt/forecasting",
        "etsopt/reports/compliance.py",
        "etsopt/reports/monthly_sheets.py",
        "etsopt/reports/official",
        "etsopt/errors.py",
    ),
    *("etsopt/progress.py", "etsopt/modules.py", "models/etsopt_models", "argparse", "schema", "instances"),
)
"""Rooms whose texts are all in the catalogue; those of the others are English in every language."""

HAS_WORDS = re.compile(r"[A-Za-z]{2,}")
HAS_CHINESE = re.compile("[\u4e00-\u9fff]{3}")
SLOT = re.compile(r"%\(\w+\)[srd]|%[srd]")


def texts() -> dict[str, str]:
    """Return every text of the rooms that are translated, and the file, or the command, that has it."""
    return {text: place for text, place in all_texts().items() if place.startswith(TRANSLATED)}


def all_texts() -> dict[str, str]:
    """Return every text of the package that a user may see, and the file, or the command, that has it."""
    found: dict[str, str] = {}
    trees = {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for folder in ("etsopt", "models/etsopt_models")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    calls = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.Call)]
    # A constant may be of another module.
    constants = {name for call in calls for name in _names_in(call) if name.isupper()}
    for path, tree in trees.items():
        for text in _texts_of(tree, constants):
            place = path.relative_to(ROOT).as_posix()
            if not found.get(text, "").startswith(TRANSLATED):
                found[text] = place
    from etsopt.cli import parser_of

    for text in _texts_of_help(parser_of()):
        found.setdefault(text, "etsopt/cli")
    from etsopt.data.tables.chinese import WORDS
    from etsopt.data.tables.schema import TABLES

    found |= dict.fromkeys(ARGPARSE, "argparse")
    from etsopt.data.files import shipped
    from etsopt.rules.registry import RULES
    from etsopt.running import library
    from etsopt.solving.options import METHODS

    found |= dict.fromkeys(METHODS.values(), "etsopt/running")
    found |= dict.fromkeys(map(library.summary, library.names()), "models/etsopt_models")
    for rule in RULES.values():
        fields = rule.parameters.model_fields.values()
        found |= dict.fromkeys((rule.summary, *(field.description or "" for field in fields)), "etsopt/rules")
    for name in shipped.names():
        about = (shipped.folder(name) / "README.md").read_text(encoding="utf-8")
        found[about.lstrip("# ").split("\n")[0]] = "instances"
    for table in TABLES:
        found |= dict.fromkeys((table.meaning, *(column.meaning for column in table.columns)), "schema")
        found |= dict.fromkeys((column.at_zero for column in table.columns), "schema")
    for words in WORDS.values():
        found |= dict.fromkeys(words, "schema")
    return {text: place for text, place in found.items() if _is_text(text)}


def _is_text(text: str) -> bool:
    """Return True for words of people, which names of columns, keys and files are not."""
    bare = re.sub(r"{[^}]*}", "", text)
    if HAS_CHINESE.search(bare):
        return False
    # Between two values, marks alone have to be those of the language.
    marks = bare != text and re.search("[,;:.]", bare)
    is_name = re.fullmatch(r"[\w.*/-]*[_./0-9][\w.*/-]*", text)
    return bool(marks or (HAS_WORDS.search(bare) and not is_name))


def _texts_of(tree: ast.Module, constants: Collection[str] = ()) -> Iterator[str]:
    """Yield the texts of a module: arguments that are texts, and what is assigned to names that are given as such."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = {*constants, *(name for call in calls for name in _names_in(call))}
    for call in calls:
        for part in _text_arguments(call):
            yield from _literals(part)
    for node in ast.walk(tree):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name | ast.Attribute):
            target = node.targets[0]
            name = target.id if isinstance(target, ast.Name) else target.attr
            pair = name.isupper() and len(list(_literals(node.value))) == 2
            phrases = all(map(_is_phrase, _literals(node.value)))
            if name in NAMES | CONSTANTS or (phrases and (pair or name in given)):
                parts = [node.value]
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            # Several names at once, such as what is wrong and what to do.
            names = getattr(node.targets[0], "elts", ())
            parts = [part for one, part in zip(names, node.value.elts, strict=False) if getattr(one, "id", "") in NAMES]
        yield from (text for part in parts for text in _literals(part))


def _text_arguments(call: ast.Call) -> list[ast.expr]:
    """Return the arguments of a call that are texts."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    return [call.args[at] for at in CALLS.get(name, ()) if at < len(call.args)]


def _names_in(call: ast.Call) -> Iterator[str]:
    """Yield the names of variables that a call takes as texts."""
    return (part.id for part in _text_arguments(call) if isinstance(part, ast.Name))


def _is_phrase(text: str) -> bool:
    return " " in text and _is_text(text)


def _literals(part: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be, or that are in it: a literal, one of two, or those of a table."""
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        yield part.value
    elif isinstance(part, ast.IfExp):
        yield from _literals(part.body)
        yield from _literals(part.orelse)
    elif isinstance(part, ast.Tuple | ast.List | ast.Starred | ast.Dict):
        below = (
            part.values if isinstance(part, ast.Dict) else [part.value] if isinstance(part, ast.Starred) else part.elts
        )
        for one in below:
            yield from _literals(one)


def _texts_of_help(parser: ArgumentParser) -> Iterator[str]:
    """Yield the texts of the help of a command and of those below it."""
    yield from filter(None, (parser.description, parser.epilog))
    for action in parser._actions:
        below = action.choices if isinstance(action.choices, dict) else {}
        for shown in (action, *getattr(action, "_choices_actions", ())):
            if shown.help:
                yield shown.help
        for command in below.values():
            yield from _texts_of_help(command)


def slots(text: str) -> set[str]:
    """Return the names of the values that a text shows, and those in the form of argparse."""
    try:
        named = {str(name).partition(".")[0] for _, name, _, _ in Formatter().parse(text) if name}
    except ValueError:
        named = set()
    return named | set(SLOT.findall(text))


def catalogue() -> Catalog:
    """Return the catalogue as it is written."""
    from babel.messages.pofile import read_po

    with PO.open("rb") as file:
        return read_po(file, locale="zh", domain="etsopt")


def merged(before: Catalog) -> Catalog:
    """Return a catalogue of all present texts, with the translations that there are."""
    from babel.messages.catalog import Catalog

    now = Catalog(locale="zh", domain="etsopt", project="etsopt", charset="utf-8", fuzzy=False)
    now.mime_headers = before.mime_headers
    for text, place in sorted(texts().items(), key=lambda item: (item[1], item[0])):
        known: Any = before.get(text)
        now.add(text, known.string if known is not None else "", locations=[(place, 1)])
    return now


def write(now: Catalog) -> None:
    """Write and compile a catalogue."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import write_po

    with PO.open("wb") as file:
        write_po(file, now, width=120, omit_header=False, sort_output=False, include_lineno=False)
    with PO.with_suffix(".mo").open("wb") as file:
        write_mo(file, now)


if __name__ == "__main__":
    catalog = merged(catalogue())
    write(catalog)
    missing = [text for text in texts() if not getattr(catalog.get(text), "string", "")]
    others = len(all_texts()) - len(texts())
    print(f"{len(texts())} texts, {len(missing)} without a translation; {others} of other rooms are left in English")
    print(*(f"Translate in {PO.relative_to(ROOT)}, and build again: {text}" for text in missing), sep="\n")
