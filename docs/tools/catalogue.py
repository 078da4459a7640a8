"""Collect the texts of the package, merge them into the catalogue, and compile it: a tool for developing, by Babel.

Babel finds the calls of `etsopt.common.language`: `_`, `pgettext` and `ngettext`. Words that are declared otherwise are
added: those of argparse and of the schema, summaries of models, rules and instances. ``python -m docs.tools.catalogue``
adds new texts without a translation, removes those that are gone, and lists what is missing.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Catalog

ROOT = Path(__file__).parents[2]
PO = ROOT / "etsopt" / "common" / "locale" / "zh" / "LC_MESSAGES" / "etsopt.po"
FOLDERS = ("etsopt", "models/etsopt_models")

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

HAS_WORDS = re.compile(r"[A-Za-z]{2,}")
SLOT = re.compile(r"%\(\w+\)[srd]|%[srd]")

Key = tuple[str, str, str]
"""Context, text, and its plural; what is absent is empty."""


def texts() -> dict[Key, str]:
    """Return every text of the package that a user may see, and the file, or the command, that has it."""
    found = {("", text, ""): place for text, place in _declared() if HAS_WORDS.search(text)}
    return found | dict.fromkeys(_words(), "words of cells") | dict(_called())


def _called() -> Iterator[tuple[Key, str]]:
    """Yield the texts of calls."""
    from babel.messages.extract import extract_from_dir

    for folder in FOLDERS:
        found: Any = extract_from_dir(ROOT / folder, [("**.py", "python")], directory_filter=lambda _: True)
        for name, _line, text, _comments, context in found:
            one, many, *_more = (text, "") if isinstance(text, str) else (*text, "")
            yield (context or "", one, many), f"{folder}/{Path(name).as_posix()}"


def _declared() -> Iterator[tuple[str, str]]:
    """Yield the texts that no call of this package states."""
    from etsopt.accounting.screening import RULES as OF_SCREENING
    from etsopt.data.files import shipped
    from etsopt.rules.registry import RULES
    from etsopt.running import library

    yield from ((text, "argparse") for text in ARGPARSE)
    yield from ((library.summary(name), "models/etsopt_models") for name in library.names())
    for rule in RULES.values():
        yield rule.summary, "etsopt/rules"
    for one in OF_SCREENING.values():
        yield one.summary, "etsopt/accounting/screening"
        yield one.source, "etsopt/accounting/screening"
    for name in shipped.names():
        about = (shipped.folder(name) / "README.md").read_text(encoding="utf-8")
        yield about.lstrip("# ").split("\n")[0], "instances"


def _words() -> dict[Key, str]:
    """Return the words of cells under the column they stand in, those of inputs with what their vocabulary says."""
    from etsopt.accounting.chinese import CODES as OF_ACCOUNTS
    from etsopt.accounting.chinese import VOCABULARY
    from etsopt.common.vocabulary import CODES
    from etsopt.data.tables.chinese import WORDS
    from etsopt.data.tables.provinces import SHORT
    from etsopt.presenting.documents.columns import COLUMNS

    found = {
        (column, code, ""): ""
        for stated in (CODES, {"heading": COLUMNS}, OF_ACCOUNTS)
        for column, codes in stated.items()
        for code in codes
    }
    found |= {(column, code, ""): known[0] for column, words in WORDS.items() for code, known in words.items()}
    found |= {(column, code, ""): word for column, words in VOCABULARY.items() for code, word in words.items()}
    return found | {("province", name, ""): text for name, text in SHORT.items()}


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


def translations(stated: Catalog) -> dict[Key, str]:
    """Return the translations of a catalogue; in Chinese one form stands for every count."""
    found: dict[Key, str] = {}
    for entry in stated:
        text, string = entry.id, entry.string
        if isinstance(text, str) and text:
            found[entry.context or "", text, ""] = str(string)
        elif text:
            found[entry.context or "", text[0], text[1]] = string[0] if string else ""
    return found


def merged(before: Catalog) -> Catalog:
    """Return a catalogue of all present texts, with the translations that there are."""
    from babel.messages.catalog import Catalog

    now = Catalog(locale="zh", domain="etsopt", project="etsopt", charset="utf-8", fuzzy=False)
    now.mime_headers = before.mime_headers
    known = {**translations(before), **{key: word for key, word in _words().items() if word}}
    for key, place in sorted(texts().items(), key=lambda item: (item[1], item[0])):
        context, one, many = key
        text: Any = (one, many) if many else one
        string: Any = (known.get(key, ""),) if many else known.get(key, "")
        now.add(text, string, locations=[(place, 1)], context=context or None)
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
    missing = [key for key, string in translations(catalog).items() if not string]
    print(f"{len(catalog)} texts, {len(missing)} without a translation")
    print(*(f"Translate in {PO.relative_to(ROOT)}, and build again: {key}" for key in missing), sep="\n")
