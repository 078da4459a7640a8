"""The command `etsopt report`: a run, sweep, design search or curve as a page, a letter, or two runs side by side."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError
from etsopt.common.language import _, ngettext

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results

RECORDS = {"sweep.sqlite": "sweep", "design.sqlite": "design search", "curve.json": "curve"}
"""Files by which the folders of sweeps, design searches and curves are told from runs."""


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("write a run, sweep, design search or curve as an HTML page with charts, or a letter")
    command = commands.add("report", text, report)
    text = _("folder of a run, written by `etsopt solve --out`, of a sweep, design search or curve")
    command.add_argument("run", type=Path, help=text)
    text = _("file to write (default: report.html, letter-ENTERPRISE.html or beside.html in the run folder)")
    command.add_argument("--out", type=Path, metavar="FILE", help=text)
    text = _("write the script of the charts into the page, so that it is one file of 5 MB")
    command.add_argument("--inline", action="store_true", help=text)
    text = _("write the letter of one page to this enterprise instead: its identifier or name, or that of a unit")
    command.add_argument("--letter", metavar="ENTERPRISE", help=text)
    text = _(
        "write the letters to all enterprises instead, into the folder of --out (default: letters in the run folder)"
    )
    command.add_argument("--letters", action="store_true", help=text)
    command.add_argument("--beside", type=Path, metavar="OTHER", help=_("write this run beside another one instead"))
    text = _("write the sheets of every enterprise of a compliance year instead, in both languages")
    command.add_argument("--sheets", action="store_true", help=text)
    text = _("write the sheet of this enterprise only; repeatable")
    command.add_argument("--enterprise", action="append", default=[], metavar="ID", help=text)


def report(options: Namespace) -> int:
    """Write a page of a run, after a check of the run: what does not hold is on no page."""
    from etsopt.running.results import results

    asked = [f"--{name}" for name in ("letter", "letters", "beside") if getattr(options, name)]
    asked += ["--sheets"] if options.sheets or options.enterprise else []
    if len(asked) > 1:
        what = _("{options} ask for pages of their own.", options=" and ".join(asked))
        raise UsageError(what, _("Keep one of them."))
    if kind := kind_of(options.run):
        return _said(_of_many(options, kind, asked), options.json)
    if asked == ["--sheets"]:
        return _sheets(options)
    loaded = []
    for folder in filter(None, (options.run, options.beside)):
        result, instance = results.load_both(folder)
        if count := _violations(result, instance):
            return _refused(count, folder, options.json)
        loaded.append(result)
    result, *others = loaded
    if options.letters:
        return _letters(options, result)
    return _said(_write(options, result, others), options.json)


def _said(files: list[Path], as_json: bool) -> int:
    """Say which files were written."""
    if as_json:
        print(json.dumps({"file": str(files[0]), "files": [str(file) for file in files]}, ensure_ascii=False))
    else:
        print(_("Written to {path}.", path=files[0]), *map(script_notice, files[1:]))
    return 0


def kind_of(folder: Path) -> str:
    """Return what a folder holds, sweep, design search or curve; empty for a run."""
    return next((kind for record, kind in RECORDS.items() if (folder / record).is_file()), "")


def _of_many(options: Namespace, kind: str, asked: list[str]) -> list[Path]:
    """Write the page of a sweep, a design search or a curve, and return the files."""
    if asked:
        refuse(asked[0], options.run)
    path = options.out or options.run / "report.html"
    if kind == "sweep":
        from etsopt.studies.sweeping.page import write_sweep_report

        return write_sweep_report(options.run, path, options.lang, options.inline)
    if kind == "curve":
        from etsopt.cli import terminal
        from etsopt.common import progress
        from etsopt.studies.curves.curve_document import write_curve_report
        from etsopt.studies.curves.folder import read_line

        with terminal.telling(quiet=options.json) as tell, progress.watched(None, tell):
            curve = read_line(options.run)
        return write_curve_report(curve, path, options.lang, options.inline, str(options.run))
    from etsopt.studies.designing.page import write_design_report

    return write_design_report(options.run, path, options.lang, options.inline)


def refuse(option: str, folder: Path) -> None:
    """Refuse an option that only runs have.

    Raises
    ------
    UsageError
        Always.
    """
    what = _("{option} is for a run, which {folder!r} does not hold.", option=option, folder=str(folder))
    raise UsageError(what, _("Leave {option} out.", option=option))


def script_notice(script: Path) -> str:
    """Return the sentence on a script that has to stay beside a page."""
    return _("Its charts need {name} beside it; --inline writes one file.", name=script.name)


def _write(options: Namespace, result: Results, others: list[Results]) -> list[Path]:
    """Write the page that was asked for, and return the files."""
    from etsopt.reports.letters import write_letter
    from etsopt.reports.write import write_comparison, write_report

    lang, name = options.lang, options.run.resolve().name
    if options.letter is not None:
        return write_letter(result, options.letter, options.out or options.run, lang, folder=name)
    if others:
        path = options.out or options.run / "beside.html"
        names = (name, options.beside.resolve().name)
        return write_comparison(result, others[0], path, lang, options.inline, folders=names)
    path = options.out or options.run / "report.html"
    return write_report(result, path, lang, options.inline, folder=name, checked=True)


def _letters(options: Namespace, result: Results) -> int:
    """Write the letters to all enterprises."""
    from etsopt.cli import terminal
    from etsopt.common import progress
    from etsopt.reports.letters import write_letters

    folder, name = options.out or options.run / "letters", options.run.resolve().name
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        files = write_letters(result, folder, options.lang, run_folder=name)
    if options.json:
        return _said(files, as_json=True)
    print(
        ngettext(
            "{count:,} letter written to {folder}.", "{count:,} letters written to {folder}.", len(files), folder=folder
        )
    )
    return 0


def _violations(result: Results, instance: Instance) -> int:
    """Return how many statements of a run do not hold; of a model of the user's own only that on its instance."""
    from etsopt.running import run
    from etsopt.running.results.claims import check_instance, is_checked

    return len(run.check(instance, result).violations if is_checked(result) else check_instance(instance, result))


def _refused(count: int, folder: Path, as_json: bool) -> int:
    """Say that a run does not hold what it states, and return the exit code for that."""
    one = _("Of the run {folder!r}, {count} statement does not hold.")
    several = _("Of the run {folder!r}, {count} statements do not hold.")
    what = _(one if count == 1 else several, folder=str(folder), count=count)
    advice = _("No page is written. `etsopt check {folder}` lists them.", folder=folder)
    if as_json:
        print(json.dumps({"error": what, "advice": advice}, ensure_ascii=False))
    else:
        print(f"{what}\n\n{advice}", file=sys.stderr)
    return 5


def _sheets(options: Namespace) -> int:
    """Write the sheets of enterprises of a compliance year."""
    from etsopt.data.files.atomic import write_file
    from etsopt.reports import compliance_page
    from etsopt.running.results import results

    result, instance = results.load_both(options.run)
    path = options.out or options.run / "report.html"
    write_file(path, compliance_page(instance, result, options.enterprise))
    print(json.dumps({"file": str(path)}, ensure_ascii=False) if options.json else _("Written to {path}.", path=path))
    return 0
