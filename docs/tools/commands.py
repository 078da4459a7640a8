"""The reference of the command line, from its parser."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from etsopt.cli import parser_of
from etsopt.cli.options import EXIT_CODES

INTRODUCTION = """\
# Commands

`etsopt COMMAND --help` prints the same. An instance is a folder, a workbook, a CSV file of units, or the name of a
shipped instance. `--json` prints machine-readable output and nothing else.

| exit code | meaning |
| --- | --- |
"""


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command by name, with those of its parts, such as ``store open``."""
    return dict(_below(parser_of(), ""))


def _below(parser: argparse.ArgumentParser, prefix: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, part in action.choices.items():
                yield f"{prefix}{name}", part
                yield from _below(part, f"{prefix}{name} ")


def write_pages(target: Path) -> None:
    """Write the reference below the folder of English sources."""
    folder = target / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    text = re.sub(r"\n {5,}", " ", EXIT_CODES.partition("\n")[2])
    codes = [f"| {code} | {meaning} |" for code, meaning in re.findall(r"(?m)^ {2}([\d, ]+?) {2}(.+)$", text)]
    pages = [INTRODUCTION + "\n".join(codes) + "\n", *(_section(name, part) for name, part in commands().items())]
    (folder / "commands.md").write_text("\n".join(pages), encoding="utf-8")


def _section(name: str, parser: argparse.ArgumentParser) -> str:
    usage = re.sub(r"(?i)^usage: ", "", " ".join(parser.format_usage().split()))
    usage = textwrap.fill(usage, 88, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    rows = [_row(action) for action in parser._actions if not isinstance(action, argparse._SubParsersAction)]
    about = (parser.description or "").strip()
    text = f"{about[:1].upper()}{about[1:]}" + ("" if about.endswith(".") else ".")
    table = "\n".join(["| argument | meaning |", "| --- | --- |", *rows])
    return f"## etsopt {name}\n\n{text}\n\n```text\n{usage}\n```\n\n{table}\n"


def _row(action: argparse.Action) -> str:
    shown = action.metavar if isinstance(action.metavar, str) else (action.dest or "").upper()
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else shown
    if not action.option_strings:
        names = f"`{action.metavar or action.dest}`"
    else:
        value = "" if action.nargs == 0 else f" {choices}"
        names = ", ".join(f"`{option}{value}`" for option in action.option_strings)
    values = {"prog": "etsopt", "default": action.default}
    meaning = (action.help or "") % values if "%" in (action.help or "") else (action.help or "")
    return f"| {_cell(names)} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    """Return text of one line that Markdown reads as it is."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
