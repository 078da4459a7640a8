"""The command ``store``: import of folders, export, and the journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import add_state, add_wait
from etsopt.cli.printing import print_files, print_json, records
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.accounting.store import Imported
    from etsopt.cli.parsing import Commands, Parser


STORE = _("file of the store, which ends in .duckdb")


def register(commands: Commands) -> None:
    """Add the command with its verbs."""
    verbs = commands.with_verbs("store", _("keep monthly reports with every version of every row in one file"))

    def add(name: str, text: str) -> Parser:
        verb = verbs.add(name, text, store)
        verb.add_argument("store", metavar="STORE", help=STORE)
        return verb

    text = _("add folders of monthly reports: what is there already stays, a changed row becomes a new version")
    put = add("import", text)
    text = _("a folder with register.csv and reports/*.csv, or a workbook with both")
    put.add_argument("data", nargs="+", metavar="DATA", help=text)
    add_wait(put)
    back = add("export", _("write the store as a folder of reports, or its tables as Parquet files"))
    back.add_argument("--out", type=Path, required=True, metavar="DIR", help=_("folder to write to: new, or empty"))
    text = _("csv: a folder of reports; parquet: all tables with journal and review (default: %(default)s)")
    back.add_argument("--format", default="csv", help=text)
    add_state(back)
    log = add("log", _("list imports and decisions, with the rows that they added"))
    add_wait(log)
    text = _("compare the store with the ledger beside it, and with a head that a page or receipt has: 0 or 5")
    compare = add("verify", text)
    compare.add_argument("head", nargs="*", metavar="HEAD", help=_("digits of a printed head, with or without spaces"))
    add_wait(compare)


def store(options: Namespace) -> int:
    """Run a verb of the store."""
    run = {"import": _import, "export": _export, "log": _log, "verify": _verify}[options.verb]
    return run(options)


def _import(options: Namespace) -> int:
    from etsopt.accounting.store import import_reports
    from etsopt.cli import terminal
    from etsopt.common import progress

    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        added = import_reports(options.store, options.data, options.wait)
    line = added[-1].line
    if options.json:
        imports = [{name: value for name, value in vars(one).items() if name != "line"} for one in added]
        print_json({"store": options.store, "imports": imports, "head": "" if line is None else line.head})
        return 0
    for one in added:
        print(_line(one))
    if line is not None:
        print(line.stamp)
    return 0


def _line(one: Imported) -> str:
    """Return a sentence on an import."""
    text = _(
        "Entry {entry}, {folder}: {rows_new:,} new rows, {rows_corrected:,} corrected, {rows_unchanged:,} unchanged; "
        "{units_new:,} new units, {units_changed:,} changed."
    )
    added = _(text, **vars(one))
    if one.parameters_changed:
        return _("{added} Its accounting.toml replaces the earlier one for all units.", added=added)
    return added


def _export(options: Namespace) -> int:
    from etsopt.accounting.store import export_reports
    from etsopt.cli import terminal
    from etsopt.common import progress

    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        files = export_reports(options.store, options.out, options.format, options.as_of, options.wait)
    if options.json:
        print_json({"folder": str(options.out), "files": files})
    else:
        print_files(files, options.out)
    return 0


def _log(options: Namespace) -> int:
    from etsopt.accounting.store import store_log
    from etsopt.accounting.store.ledger import line_at
    from etsopt.cli import terminal
    from etsopt.reports.monthly.review import journal, stamped

    table = store_log(options.store, options.wait)
    line = line_at(options.store, int(table["entry"].max())) if len(table) else None
    if options.json:
        print_json(records(table))
    else:
        terminal.show_blocks([journal(table), *stamped(line)])
    return 0


def _verify(options: Namespace) -> int:
    from etsopt.accounting.store import verify_store
    from etsopt.cli import terminal
    from etsopt.cli.exit_codes import REFUSED
    from etsopt.common import progress
    from etsopt.reports.monthly.review import compared

    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        found = verify_store(options.store, "".join(options.head), options.wait)
    if options.json:
        places = [
            {
                **{"entry": one.entry, "table": one.table, "what": str(one.what)},
                "rows": [{**row.key, "what": str(row.what)} for row in one.rows],
            }
            for one in found.alterations
        ]
        head = "" if found.last is None else found.last.head
        print_json(
            {
                "entries": found.entries,
                "head": head,
                "alterations": places,
                "not_kept": [line.head for line in found.not_kept],
            }
        )
    else:
        terminal.show(compared(found, bool(options.head)))
    return REFUSED if found.alterations else 0
