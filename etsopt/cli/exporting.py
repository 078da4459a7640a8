"""The command ``export``: the annex tables of a run in files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _, in_both, in_chinese, joined
from etsopt.common.vocabulary import word
from etsopt.data.messages import first_of

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.data.instance import Instance


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("write the annex tables of the allocation plan from a run, as CSV files and a workbook")
    command = commands.add("export", text, export)
    command.add_argument("run", type=Path, help=_("a run folder of allocation or compliance"))
    command.add_argument(
        "--tables", required=True, metavar="NAME", help=_("official: tables 1-1 to 1-5 and 2-1 to 2-5")
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help=_("folder to write the files to"))
    command.add_argument("--province", default="", metavar="NAME", help=_("only this province (default: all)"))
    text = _("store of monthly reports: every page of the workbook states the head of its ledger in the foot")
    command.add_argument("--store", metavar="STORE", help=text)


def export(options: Namespace) -> int:
    """Write the annex tables of a run."""
    from etsopt.data.tables.provinces import one_name
    from etsopt.reports import official_tables, write_official_tables
    from etsopt.reports.official.files import NOTE
    from etsopt.reports.official.gaps import columns_to_fill
    from etsopt.reports.official.tables import require_province
    from etsopt.running.results import results
    from etsopt.running.results.notices import facts_of, notices
    from etsopt.running.results.words import STATUSES

    if options.tables != "official":
        raise UsageError(_("There are no tables {name}.", name=brief(options.tables)), _("Choose official."))
    result, instance = results.load_both(options.run)
    province = one_name(options.province)
    require_province(province, {name: word("province", name) for name in instance.provinces}, joined(("", "")))
    tables = official_tables(instance, result, province)
    alone = instance.provinces[0] if len(instance.provinces) == 1 else ""
    told = notices(facts_of(instance))
    note = (
        (" ".join(in_both(text)["en"] for text in told), "".join(in_both(text)["zh"] for text in told))
        if told
        else None
    )
    titled = (province or alone, instance.policy.year)
    stamp = "" if options.store is None else _stamp(options.store, instance)
    files, missing = write_official_tables(tables, options.out, *titled, note, stamp)
    if options.json:
        content = {"folder": str(options.out), "files": files, "status": result.status}
        content |= {"note": note[0]} if note is not None else {}
        print(json.dumps(content, ensure_ascii=False))
    else:
        text = _("{count} tables of a run that is {status} written to {folder}: {files}.")
        status = STATUSES[result.status] if in_chinese() else result.status
        print(_(text, count=len(tables), status=status, folder=options.out, files=joined(files)))
    if note is not None:
        print(note[in_chinese()], file=sys.stderr)
    if any(columns_to_fill(tables)):
        print(_("{name} lists the columns that are to be filled.", name=NOTE), file=sys.stderr)
    if missing:
        print(missing, file=sys.stderr)
    return 0


def _stamp(store: str, instance: Instance) -> str:
    """Return the last entry of a store and the head of its ledger, in words.

    Raises
    ------
    UsageError
        If store and ledger differ, the store cannot be read, or its reports are not those of the run.
    """
    from etsopt.accounting.reported import other_units
    from etsopt.accounting.store import verify_store

    found = verify_store(store)
    if found.alterations or found.last is None:
        what = _("The store {path!r} and its ledger differ, so no page states its head.", path=store)
        raise UsageError(what, _("See where: etsopt store verify {path}", path=store))
    if others := other_units(store, instance):
        what = _(
            "The run is not of the reports of the store {path!r}: those of {units} are others, so no page "
            "states its head.",
            path=store,
            units=first_of(others),
        )
        raise UsageError(what, _("Name the store of the run, or solve again from what the store has."))
    return str(found.last.stamp)
