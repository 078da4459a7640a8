"""The command `etsopt fix`: a person's own file as a workbook that is read without an assumption."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.exit_codes import BAD_INPUT
from etsopt.common.errors import DataError, UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    command = commands.add(
        "fix", _("write a file of your own as a workbook without slips, and list what was changed"), fix
    )
    command.add_argument("file", type=Path, metavar="FILE", help=_("a workbook, or a CSV file of units"))
    command.add_argument("--out", type=Path, required=True, metavar="FILE.xlsx", help=_("workbook to write"))
    command.add_argument("--force", action="store_true", help=_("replace what is there"))


def fix(options: Namespace) -> int:
    """Write the workbook, and list what a person has to correct."""
    from etsopt.cli.workbooks import XLSX, require_new
    from etsopt.data.files.lenient.one_file import find_file
    from etsopt.data.files.read import is_file
    from etsopt.running import reading

    if options.out.suffix.lower() != XLSX:
        what = _("{file!r} is no name of a workbook.", file=str(options.out))
        raise UsageError(what, _("Name a file that ends in .xlsx: etsopt fix plants.csv --out clean.xlsx"))
    if not is_file(options.file):
        what = _("{file!r} is neither a workbook nor a CSV file.", file=str(options.file))
        raise UsageError(what, _("Name one; `etsopt validate` lists the defects of a folder."))
    find_file(options.file)
    if options.out.resolve() == options.file.resolve():
        what = _("{file!r} is not replaced by its own repair.", file=str(options.file))
        raise UsageError(what, _("Name another file by --out, and compare both."))
    require_new(options.out, options.force)
    fixed = reading.fix(options.file, options.out)
    if options.json:
        content = {
            "to": str(options.out),
            "changes": [change._asdict() for change in fixed.changes],
            "problems": [vars(problem) for problem in fixed.problems],
            "doubts": fixed.doubts,
        }
        print(json.dumps(content, ensure_ascii=False))
        return BAD_INPUT if fixed.problems else 0
    if fixed.changes:
        text = _("Written to {file}. Changes, which are on the sheet `changes`: {count:,}.")
        print(_(text, file=options.out, count=len(fixed.changes)))
    else:
        print(_("Written to {file}: nothing had to be changed.", file=options.out))
    for doubt in fixed.doubts:
        print(_("In doubt: {text}", text=doubt))
    if fixed.problems:
        print(_("What is left to do is on the sheet `to do`, and in colour in the tables:"))
        raise DataError(_("The file {name!r}", name=options.file.name), fixed.problems)
    return 0
