"""The command `etsopt sweep`: the scenarios of a sweep file, in one record that can be resumed."""

from __future__ import annotations

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError
from etsopt.common.language import _, in_chinese, joined

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Sequence

    import pandas as pd

    from etsopt.cli.parsing import Commands, Parser
    from etsopt.studies.sweeping import Record, SweepPlan
    from etsopt.studies.sweeping.progress import Progress

RECORD, SCENARIOS, VALUES, SUMMARY, SENSITIVITY = "sweep.sqlite", "scenarios", "values", "summary", "sensitivity"
"""Names of the record, and of the tables written from it."""

WORTH_PROCESSES = 50
"""Number of scenarios from which on starting processes, about a second, is worth it."""

FAILURES_SHOWN, LONGEST_FAILURE = 5, 300
"""Scenarios without a proven answer that are told as they come, and characters of each; the table has all."""


EXIT_CODES = _("""exit codes:
  0  every scenario is solved and certified, or proven to be infeasible
  2  invalid input or usage
  4  some scenarios failed, or are not proven
  130, 143  interrupted: --resume goes on""")


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("solve the scenarios of a sweep file: grids, lists, named ones and samples")
    command = commands.add("sweep", text, sweep, EXIT_CODES)
    command.add_argument("file", type=Path, metavar="FILE", help=_("a sweep file, such as sweep.toml"))
    text = _("folder to write to: sweep.sqlite, scenarios.csv, values.csv (default: that of FILE's name, beside it)")
    command.add_argument("--out", type=Path, metavar="DIR", help=text)
    command.add_argument("--count", action="store_true", help=_("say what the scenarios are, and solve none"))
    command.add_argument("--resume", action="store_true", help=_("go on with what an earlier run has left"))
    command.add_argument("--retry-failed", action="store_true", help=_("the same, and solve again what failed"))
    command.add_argument("--only", default="", metavar="PATTERN", help=_("only scenarios of such names: 'tight/*'"))
    add_workers(command)


def add_workers(command: Parser) -> None:
    """Add where scenarios are solved, and the format of their tables."""
    text = _("processes on this machine (default: as many as cores, if the extra 'sweep' is installed)")
    command.add_argument("--workers", type=int, metavar="N", help=text)
    command.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help=_("scheduler of a Dask cluster to solve on")
    )
    add_tables_format(command)


def add_tables_format(command: Parser) -> None:
    """Add the format of tables that no run has."""
    text = _("format of the tables: csv, or parquet, which needs the extra 'parquet' (default: %(default)s)")
    command.add_argument("--format", choices=("csv", "parquet"), default="csv", help=text)


def sweep(options: Namespace) -> int:
    """Solve the scenarios of a file that have no outcome yet, and write the tables."""
    from etsopt.cli import terminal
    from etsopt.cli.validating import tell_doubts
    from etsopt.data.files.write import check_format
    from etsopt.running.reading import read
    from etsopt.studies.sweeping import Record, read_plan, run_plan
    from etsopt.studies.sweeping.names import check_names, doubts_of
    from etsopt.studies.sweeping.outcome import NO_ANSWER, PROVEN
    from etsopt.studies.sweeping.workers import LostClusterError

    check_format(options.format)
    plan = read_plan(options.file)
    quiet = options.json
    in_every = set.intersection(*({*scenario.changes} for scenario in plan.scenarios))
    instance = read(plan.instance, stated=in_every)
    check_names(instance, plan.model, plan.scenarios, plan.place)
    doubts = doubts_of(instance, plan.scenarios)
    if not quiet:
        print(_count(plan))
        tell_doubts(doubts)
    if options.count:
        if quiet:
            names = [one.name for one in plan.scenarios]
            print(json.dumps({"scenarios": names, "doubts": doubts}, ensure_ascii=False))
        return 0
    folder = options.out or options.file.with_suffix("")
    prepare(folder, RECORD)
    with Record(folder / RECORD) as record:
        with terminal.telling(quiet, _("No scenario has ended yet.")) as tell:
            asked = {name: getattr(options, name) for name in ("resume", "retry_failed", "only", "scheduler")}
            asked["workers"] = workers_of(options.workers, len(plan.scenarios))
            progress = teller(tell, quiet, lambda number: plan.scenarios[number].name)
            try:
                termination = run_plan(plan, instance, record, progress=progress, **asked)
            except LostClusterError as error:
                print(error, file=sys.stderr)
                termination = "lost"
        written = _write(plan, record, folder, options.format)
        counts = record.counts
    if quiet:
        content = {"termination": termination, "counts": counts, "files": list(map(str, written)), "doubts": doubts}
        print(json.dumps(content, ensure_ascii=False))
    else:
        _summary(termination, counts, written)
    if termination == "interrupted":
        return 130
    return 0 if {*counts} <= {*PROVEN, *NO_ANSWER} else 4


def prepare(folder: Path, record: str) -> None:
    """Create the folder of a sweep or search, or see that it may be one.

    Raises
    ------
    UsageError
        If a folder that holds something else is there.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / record).exists():
        what = _("{folder!r} is there, and holds no record {record}.", folder=str(folder), record=record)
        raise UsageError(what, _("Name another folder by --out."))
    folder.mkdir(parents=True, exist_ok=True)


def workers_of(asked: int | None, scenarios: int) -> int:
    """Return the number of processes: those asked for, or one a core if there is enough to do and dask is installed."""
    if asked is not None:
        if asked < 1:
            raise UsageError(_("{asked} processes are asked for.", asked=asked), _("State --workers of at least 1."))
        return asked
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores if scenarios >= WORTH_PROCESSES and find_spec("distributed") else 1


def _count(plan: SweepPlan) -> str:
    """Say how many scenarios there are, before any is solved."""
    number = len(plan.scenarios)
    last = ("...", plan.scenarios[-1].name) if number > 3 else ()
    names = joined((*(one.name for one in plan.scenarios[:3]), *last))
    one = _("{number:,} scenario of {instance}, model {model}: {names}.")
    several = _("{number:,} scenarios of {instance}, model {model}: {names}.")
    about = {"number": number, "instance": plan.instance, "model": plan.model, "names": names}
    return _(several if number > 1 else one, **about)


def teller(tell: Callable[[str], None], quiet: bool, name_of: Callable[[int], str]) -> Callable[[Progress], None]:
    """Return the function that shows the progress, and each of the first failures as it comes."""
    from etsopt.studies.sweeping.outcome import PROVEN

    shown = 0

    def progress(now: Progress) -> None:
        nonlocal shown
        # The terminal adds the time that is left, as to every phase with a count.
        tell(now.line)
        # A proven answer has a message if it does not have a table to keep.
        failed = not now.last.certified or (now.last.status in PROVEN and now.last.message)
        if quiet or not failed or shown > FAILURES_SHOWN:
            return
        shown += 1
        words = " ".join(f"{name_of(now.last.number)}: {now.last.status} {now.last.message}".split())
        said = words if len(words) <= LONGEST_FAILURE else f"{words[:LONGEST_FAILURE]}..."
        more = _("Further ones are in the table of scenarios alone.") if shown > FAILURES_SHOWN else said
        print(more, file=sys.stderr)

    return progress


def _write(plan: SweepPlan, record: Record, folder: Path, table_format: str) -> list[Path]:
    """Write the tables of the record, and of draws their statistics."""
    from etsopt.studies.sweeping import inputs_of, proven, sensitivity, summary

    scenarios, values = record.scenarios, record.values
    tables = {SCENARIOS: scenarios, VALUES: values}
    names, answers = scenarios["scenario"].tolist(), proven(values, scenarios)
    if plan.sampled:
        tables[SUMMARY] = summary(answers, names)
    if inputs := inputs_of(plan.stated):
        tables[SENSITIVITY] = sensitivity(answers, inputs, names)
        _tell_rows(tables[SENSITIVITY])
    return write_all(tables, folder, table_format)


def _tell_rows(indices: pd.DataFrame) -> None:
    """Say from how many rows of their design Sobol indices are, if some rows lack an answer."""
    for decision, part in indices.groupby("decision", sort=False):
        used, of = int(part["rows"].max()), int(part["rows_of"].max())
        if used < of:
            text = _("Sobol indices of {decision}: {used:,} of {of:,} rows have every answer.")
            if part["first_order"].isna().all():
                text = _("Sobol indices of {decision}: none, {used:,} of {of:,} rows have every answer.")
            print(_(text, decision=decision, used=used, of=of), file=sys.stderr)


def write_all(tables: dict[str, pd.DataFrame], folder: Path, table_format: str) -> list[Path]:
    """Write tables by name, each as a whole, and return their files."""
    from etsopt.data.files.atomic import replaced
    from etsopt.data.files.write import write_table

    written = []
    for name, table in tables.items():
        written.append(folder / f"{name}.{table_format}")
        with replaced(written[-1]) as part:
            write_table(table, part)
    return written


def _summary(termination: str, counts: dict[str, int], written: list[Path]) -> None:
    """Print how many scenarios ended how, where their tables are, and how an interrupted sweep goes on."""
    from etsopt.cli import terminal
    from etsopt.presenting.documents.document import Column, Table
    from etsopt.presenting.documents.quantities import COUNT
    from etsopt.studies.sweeping.outcome import ENDED

    columns = (Column(_("status")), Column(_("number"), COUNT))
    rows = tuple((ENDED.get(status, status), number) for status, number in counts.items())
    terminal.show_blocks([Table(_("Scenarios"), columns, rows)])
    print(_("Written to {path}.", path=listed_files(written)))
    if termination == "interrupted":
        print(_("What is done is kept: go on with --resume."), file=sys.stderr)


def listed_files(files: Sequence[Path]) -> str:
    """Return the names of files one after the other, as a sentence has them."""
    if in_chinese() or len(files) < 2:
        return joined(files)
    return f"{', '.join(map(str, files[:-1]))} and {files[-1]}"
