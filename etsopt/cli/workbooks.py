"""The commands `etsopt new` and `etsopt convert`: workbooks to fill in, and instances as a workbook or a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import INSTANCE, add_format
from etsopt.common.errors import UsageError
from etsopt.common.language import _, in_chinese

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands

XLSX = ".xlsx"


def register(commands: Commands) -> None:
    """Add the commands."""
    blank = commands.add(
        "new", _("write a workbook to fill in: sheets of units, enterprises, measures and policy"), new
    )
    blank.add_argument("file", type=Path, metavar="FILE.xlsx", help=_("workbook to write"))
    text = _("monthly reports in place of an instance: register, activity, tests, stocks and evidence")
    blank.add_argument("--monthly", action="store_true", help=text)
    other = commands.add("convert", _("write an instance as a workbook or a folder, without loss"), convert)
    other.add_argument("instance", help=INSTANCE)
    other.add_argument("to", type=Path, metavar="TO", help=_("a file that ends in .xlsx, or a folder: new, or empty"))
    add_format(other)
    for command in (blank, other):
        command.add_argument("--force", action="store_true", help=_("replace what is there"))


def new(options: Namespace) -> int:
    """Write a workbook to fill in: an instance, or monthly reports."""
    if options.file.suffix.lower() != XLSX:
        what = _("{file!r} is no name of a workbook.", file=str(options.file))
        raise UsageError(what, _("Name a file that ends in .xlsx: etsopt new plants.xlsx"))
    require_new(options.file, options.force)
    text = _("Written to {file}. Fill in the sheets, then: etsopt solve {file} --out result.xlsx")
    if options.monthly:
        from etsopt.accounting import write_monthly_workbook

        text = _("Written to {file}. Fill in the sheets, then: etsopt account {file}")
        write_monthly_workbook(options.file, in_chinese())
    else:
        from etsopt.data.files.instance_sheets import write_workbook

        write_workbook(options.file, in_chinese=in_chinese())
    if options.json:
        print(json.dumps({"file": str(options.file)}, ensure_ascii=False))
    else:
        print(_(text, file=options.file))
    return 0


def convert(options: Namespace) -> int:
    """Write an instance in another form, and read it back."""
    from etsopt.data.files.atomic_folder import require_empty
    from etsopt.data.files.instance_sheets import write_workbook
    from etsopt.data.files.read import read_instance
    from etsopt.data.files.write import check_format, write_instance
    from etsopt.running.reading import read

    check_format(options.format)
    to_workbook = options.to.suffix.lower() == XLSX
    if to_workbook:
        require_new(options.to, options.force)
    elif not options.force:
        try:
            require_empty(options.to)
        except UsageError as error:
            advice = _("{advice} Or add --force to replace the instance in it.", advice=error.advice)
            raise UsageError(error.failure, advice) from None
    instance = read(options.instance)
    if to_workbook:
        write_workbook(options.to, instance, in_chinese())
    else:
        write_instance(instance, options.to, table_format=options.format)
    if read_instance(options.to).hash != instance.hash:
        what = _("{file!r} does not read back as the instance that was written to it.", file=str(options.to))
        raise UsageError(what, _("Do not use it, and report the defect as SECURITY.md says."))
    if options.json:
        print(json.dumps({"to": str(options.to), "units": len(instance.units), "hash": instance.hash}))
    else:
        text = _("{name}: {count:,} units written to {to}, which reads back the same.")
        print(_(text, name=instance.name, count=len(instance.units), to=options.to))
    return 0


def require_new(path: Path, force: bool) -> None:
    """Check that a file does not exist, or may be replaced.

    Raises
    ------
    UsageError
        If it exists and ``force`` is False.
    """
    if path.exists() and not (force and path.is_file()):
        raise UsageError(_("{path!r} exists.", path=str(path)), _("Name another file, or add --force to replace it."))
