"""A finder of Latin words in a Chinese text.

A Chinese text keeps names: of a user's units, of commands, of files and of codes in them. `known` says which these are,
each group with its reason and from where it is taken. Every other word of two Latin letters or more is English.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from etsopt.accounting.figures import FIGURES
from etsopt.accounting.headings import ROW_HEADINGS
from etsopt.accounting.monitoring.schema import Settings
from etsopt.accounting.review.words import ACTORS, DECISIONS
from etsopt.accounting.schema import ACTIVITIES, REGISTER, ROWS
from etsopt.accounting.screening.records import LABORATORIES
from etsopt.accounting.screening.registry import RULES as SCREENING_RULES
from etsopt.accounting.vocabulary import FLOWS, GASES, ITEMS, PROCESSES
from etsopt.cli import parser_of
from etsopt.common.vocabulary import OBJECTIVES
from etsopt.data.files import shipped
from etsopt.data.policy.policy import Policy
from etsopt.data.tables.provinces import SHORT
from etsopt.data.tables.schema import SECTORS, SPECIAL_CASES, TABLES
from etsopt.modelling.solving.options import METHODS
from etsopt.presenting.charts.kinds import KINDS
from etsopt.presenting.documents.columns import COLUMNS
from etsopt.rules import RULES
from etsopt.running import library
from etsopt.running.results.run_schema import Content
from etsopt.running.results.words import TABLES as RESULT_TABLES
from etsopt.studies.designing.plan import DesignFile
from etsopt.studies.forecasting.plan import ForecastFile
from etsopt.studies.sweeping.plan import SweepFile
from tests.terminal.pieces import MARKS, PIECE

PROGRAMS = (
    *("HiGHS", "Pyomo", "Dask", "Python", "JavaScript", "Excel", "CSV", "JSON", "TOML", "HTML", "SVG", "PNG", "MPS"),
    "Parquet",
)
PACKAGES = ("highspy", "numpy", "pandas", "python", "scipy")
UNITS_OF_MEASURE = (
    *("kt", "Mt", "CO2", "CO2e", "tCO2", "tCO2e", "tC", "MW", "MWh", "GJ", "CNY", "Nm3", "1e4", "MB", "min", "pot-day"),
    *("kgce", "kcal", "kJ", "kg", "Al2O3"),
)
TERMS = (
    "CCER",
    "IPCC",
    "CVaR",
    "Sobol",
    "BP",
    "NCV",
    "NaN",
    "SHA-256",
    "UTC",
    "RUN",
    "UNIT",
    "again",
    "II",
    "III",
    "IV",
)
NOT_IN_THE_PARSER = (
    *("official", "accounted", "low", "reconciled", "high", "verified", "priors", "sensitivity", "purchases"),
    "front",
    *("bashrc", "letter", "tight", "enterprise", "reports", "points"),
    *("NonNegativeReals", "Integers", "Binary", "from_labels", "read_curve", "load", "CURVE"),
)
"""Values of options and tables that no schema lists, domains of Pyomo, functions of Python, and names in examples."""

SUFFIX = "csv|toml|json|xlsx|html|svg|png|duckdb|py|md|parquet|sqlite|txt|js"
FILE = re.compile(rf"[\w*./\\-]*\.(?:{SUFFIX})\b")
ENDING = re.compile(SUFFIX)
ADDRESS = re.compile(r"https?://[!-~]+")
STANDARD = re.compile(r"[A-Z]{2,}[A-Z0-9./-]*\d[\w./-]*")
"""Codes of standards, such as CETS-AG-03.01-V01-2024."""
HASH = re.compile(r"(?:[0-9a-f]{10,})(?:…|\.\.\.)?")
HEAD = re.compile(r"(?:[0-9a-f]{4}[ \xa0]){7}[0-9a-f]{4}")
"""The printed head of a ledger."""
SCENARIO = re.compile(r"(?:grid|paired|sample|generation)-\d+(?:/\d+)?")
"""Names that a sweep or a search gives."""

WORD = re.compile(r"[A-Za-z](?:[\w-]*\w)?")
LETTER = re.compile("[A-Za-z]")
"""A word has two letters or more; a single one is a symbol of a formula."""
CODE_MARKS = re.compile(r"[._=/\[{]")
BESIDE_CODES = frozenset("'\"`，、：；。（）“”—")
"""Marks beside which a plain word is a code, as in a list of keys; alone in a cell it is a word."""


@dataclass(frozen=True)
class Known:
    """Words that a Chinese text keeps.

    Parameters
    ----------
    names
        Kept wherever they are.
    codes
        Kept in quotation marks, in a list, or in a dotted key.
    parts
        Kept in a dotted key.
    commands
        Kept behind ``etsopt`` and behind an option.
    phrases
        Names of several words, kept as a whole.
    """

    names: frozenset[str]
    codes: frozenset[str]
    parts: frozenset[str]
    commands: frozenset[str]
    phrases: tuple[str, ...] = ()

    def with_names(self, given: Iterable[str]) -> Known:
        """Return these words and the names that a user gave."""
        given = set(given)
        phrases = sorted((name for name in given if " " in name), key=len, reverse=True)
        return replace(self, names=self.names | given, phrases=(*self.phrases, *phrases))

    def latin(self, text: str) -> set[str]:
        """Return the Latin words of a Chinese text that are none of these.

        >>> sorted(known().latin("已写入 result.json，单元 12：kept as policy.toml，'year' year Mt"))
        ['as', 'kept', 'year']
        """
        found = set()
        text = HEAD.sub(" ", COMMAND_LINE.sub("", ADDRESS.sub(" ", text)))
        for phrase in self.phrases:
            text = text.replace(phrase, " ")
        for typed in (COMMAND, OPTION):
            text = typed.sub(self._without_commands, text)
        for piece in PIECE.finditer(text):
            core = piece[0].strip(MARKS)
            if core in self.names or any(kind.fullmatch(core) for kind in (ENDING, STANDARD, HASH)):
                continue
            beside = text[max(0, piece.start() - 1) : piece.start()] + text[piece.end() : piece.end() + 1]
            dotted = CODE_MARKS.search(core) is not None
            code = dotted or piece[0] != core or BESIDE_CODES & set(beside)
            kept = self.names | (self.codes if code else set()) | (self.parts if dotted else set())
            words = WORD.findall(SCENARIO.sub(" ", FILE.sub(" ", core)))
            found |= {word for word in words if word not in kept and len(LETTER.findall(word)) > 1}
        return found

    def _without_commands(self, found: re.Match[str]) -> str:
        return " ".join(word for word in found[0].split(" ") if word not in self.commands)


COMMAND = re.compile(r"\betsopt(?: [a-z-]+)*")
OPTION = re.compile(r"--[a-z-]+ [\w-]+")
COMMAND_LINE = re.compile(r"^ +etsopt [!-~ ]*?(?=  | [^ -~])", re.MULTILINE)


def _of_schema(schema: Any) -> Iterator[str]:
    """Yield the keys of a file and of its sections, from the JSON schema of it."""
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
        yield from (name for name in schema.get("enum", ()) if isinstance(name, str))
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _of_schema(part)


@cache
def of_parser() -> frozenset[str]:
    """Return commands, options, their choices, and what stands for their values."""
    found = {"etsopt"}

    def walk(parser: Any) -> None:
        for action in parser._actions:
            shown = action.metavar or (action.dest if not action.option_strings else action.dest.upper())
            found.update(action.option_strings, map(str, action.choices or ()), re.findall(r"[\w-]+", str(shown)))
            for own in action.choices.values() if isinstance(action.choices, dict) else ():
                walk(own)

    walk(parser_of())
    return frozenset(found)


@cache
def known() -> Known:
    """Return the words that every Chinese text keeps, each group for its reason."""
    own_rules = {name: rule for name, rule in RULES.items() if not rule.own}
    names = {
        # Options, and what stands for their values, are typed as they are.
        *(word for word in of_parser() if word.startswith("-") or word.isupper() or word == "etsopt"),
        # Models, rules, methods and shipped instances are called by name.
        *(*library.names(), *own_rules, *SCREENING_RULES, *METHODS, *shipped.names()),
        # Programs, formats, units of measure and gases have no other name, terms and symbols none that is in use.
        *(*PROGRAMS, *PACKAGES, *UNITS_OF_MEASURE, *GASES, *TERMS, *LABORATORIES),
    }
    tables = (*TABLES, REGISTER, ROWS)
    codes = {
        # Commands in a sentence, values of options, and charts.
        *(*of_parser(), *KINDS, *NOT_IN_THE_PARSER),
        # Keys of files.
        *(
            key
            for file in (Policy, SweepFile, DesignFile, ForecastFile)
            for key in _of_schema(file.model_json_schema())
        ),
        *(key for rule in own_rules.values() for key in rule.parameters.model_fields),
        *(part for figure in FIGURES for part in figure.split(".")),
        *(part for rule in SCREENING_RULES.values() for part in rule.thresholds),
        *Settings.__dataclass_fields__,
        # Keys of result.json.
        *Content.model_fields,
        # Tables and columns.
        *(part for table in tables for part in (table.name, *(column.name for column in table.columns))),
        *(*RESULT_TABLES, *COLUMNS, *ROW_HEADINGS),
        # Words of cells, as files have them.
        *(*SECTORS, *SPECIAL_CASES, *ACTIVITIES, *ACTORS, *DECISIONS, *FLOWS, *ITEMS, *PROCESSES, *OBJECTIVES),
    }
    return Known(frozenset(names), frozenset(codes), frozenset(SHORT), of_parser())
