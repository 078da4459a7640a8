"""The command `etsopt methods`: the rule, tie-breaks and objectives on one instance, in one table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import add_instance, add_time_limit, instance_of
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.studies.methods import Comparison

EXIT_CODES = _("""exit codes:
  0  every method has a proven answer
  2  invalid input or usage, or no allocation keeps the limits
  4  a method is not proven, or was stopped
  130, 143  interrupted""")


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("compare ways to allocate: the rule, tie-breaks and objectives, how equal they are, and who pays")
    command = commands.add("methods", text, methods, EXIT_CODES)
    add_instance(command)
    command.add_argument("--price", type=float, metavar="CNY", help=_("price of deficits for bills [CNY/t]"))
    text = _("page (.html) or workbook (.xlsx) to write; repeatable")
    command.add_argument("--out", action="append", type=Path, default=[], metavar="FILE", help=text)
    text = _("write the script of the charts into the page, so that it is one file of 5 MB")
    command.add_argument("--inline", action="store_true", help=text)
    add_time_limit(command)


def methods(options: Namespace) -> int:
    """Print the comparison, and write it as a page and a workbook."""
    from etsopt.cli import terminal
    from etsopt.common.progress import watched
    from etsopt.running.results.results import finite
    from etsopt.studies.methods import compare_methods
    from etsopt.studies.methods.document import document_of

    if options.price is not None and not 0 <= options.price < 1e6:
        what = _("--price {price} is no price in CNY/t.", price=options.price)
        raise UsageError(what, _("For example: {flag} 84", flag="--price"))
    for path in options.out:
        if path.suffix.lower() not in (".html", ".xlsx"):
            what = _("--out {path} ends neither in .html nor in .xlsx.", path=brief(str(path)))
            raise UsageError(what, _("Name a page or a workbook."))
    with terminal.waiting(quiet=options.json) as tell, watched(options.time_limit, tell):
        found = compare_methods(instance_of(options), options.price)
    written = [file for path in options.out for file in _write(found, path, options.inline)]
    if options.json:
        rows = finite(found.table.to_dict("records"))
        print(json.dumps({"methods": rows, "files": list(map(str, written))}, ensure_ascii=False, allow_nan=False))
    else:
        terminal.show(document_of(found))
        for path in written:
            print(_("Written to {path}.", path=path))
    return 0 if found.certified else 4


def _write(found: Comparison, path: Path, inline: bool) -> list[Path]:
    from etsopt.presenting.documents.workbook import write_workbook
    from etsopt.reports.write import write_document
    from etsopt.studies.methods.document import document_of, sheets_of

    if path.suffix.lower() == ".html":
        return write_document(document_of(found), path, inline)
    write_workbook(path, sheets_of(found), {})
    return [path]
