"""The command `etsopt design`: a search of designs, in one record that can be resumed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.sweeping import EXIT_CODES, add_workers, listed_files, prepare, teller, workers_of, write_all
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    import pandas as pd

    from etsopt.cli.parsing import Commands
    from etsopt.data.instance import Instance
    from etsopt.studies.designing import DesignPlan

RECORD, DESIGNS, FRONT = "design.sqlite", "designs", "front"
"""Names of the record, and of the tables written from it."""

SHOWN = 12
"""Designs of the front in the summary; the table has all."""


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("search designs of a policy: goals, limits, and the designs none of which beats another")
    command = commands.add("design", text, design, EXIT_CODES)
    command.add_argument("file", type=Path, metavar="FILE", help=_("a design file, such as design.toml"))
    text = _("folder to write to: design.sqlite, designs.csv, front.csv (default: that of FILE's name, beside it)")
    command.add_argument("--out", type=Path, metavar="DIR", help=text)
    command.add_argument("--resume", action="store_true", help=_("go on with what an earlier run has left"))
    command.add_argument("--runs", action="store_true", help=_("write a run folder of every design of the front"))
    add_workers(command)


def design(options: Namespace) -> int:
    """Search designs, and write all of them and the front."""
    from etsopt.cli import terminal
    from etsopt.data.files.write import check_format
    from etsopt.running.reading import read
    from etsopt.studies.designing import designs_of, read_design, search
    from etsopt.studies.designing.search import load_optuna, require_names
    from etsopt.studies.sweeping import Record
    from etsopt.studies.sweeping.workers import LostClusterError

    check_format(options.format)
    load_optuna()
    plan = read_design(options.file)
    quiet = options.json
    folder = options.out or options.file.with_suffix("")
    instance = read(plan.instance, stated={*plan.policy, *plan.choose})
    require_names(plan, instance)
    if not quiet:
        about = {"count": plan.count, "instance": plan.instance, "model": plan.model, "generations": plan.generations}
        print(_("{count:,} designs of {instance}, model {model}; generations: {generations}.", **about))
    prepare(folder, RECORD)
    with Record(folder / RECORD) as record:
        with terminal.waiting(quiet) as tell:
            progress = teller(tell, quiet=True, name_of=lambda number: record.scenario(number)[0])
            asked = {"resume": options.resume, "scheduler": options.scheduler}
            asked["workers"] = workers_of(options.workers, plan.count)
            try:
                ended = search(plan, instance, record, progress=progress, **asked)
            except LostClusterError as error:
                print(error, file=sys.stderr)
                ended = "lost"
        designs = designs_of(plan, record)
    tables = tables_of(designs)
    front, written = tables[FRONT], write_all(tables, folder, options.format)
    runs = _write_runs(plan, instance, front, folder) if options.runs else 0
    if quiet:
        content = {"termination": ended, "designs": len(designs), "front": len(front), "runs": runs}
        print(json.dumps(content | {"files": list(map(str, written))}, ensure_ascii=False))
    else:
        _summary(plan, designs, front)
        print(_("Written to {path}.", path=listed_files([*written, *([folder / FRONT] if runs else [])])))
        if ended == "interrupted":
            print(_("What is done is kept: go on with --resume."), file=sys.stderr)
    return 130 if ended == "interrupted" else 0 if ended == "optimal" and len(front) else 4


def tables_of(designs: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables that are written of designs: all of them, and the front."""
    front = designs[designs["on_front"]].drop(columns=["within_limits", "on_front"])
    return {DESIGNS: designs, FRONT: front}


def _write_runs(plan: DesignPlan, instance: Instance, front: pd.DataFrame, folder: Path) -> int:
    """Solve the designs of the front again and write a run folder of each, which anyone can check."""
    from etsopt.running.run import solve

    for row in front.to_dict("records"):
        changed = plan.design(row["design"], {} if row["design"] == "enacted" else _chosen(plan, row)).of(instance)
        solve(changed, plan.model, **plan.options).save(folder / FRONT / row["design"].replace("/", "-"), changed)
    return len(front)


def _chosen(plan: DesignPlan, row: dict[str, object]) -> dict[str, object]:
    return {key: row[key] for key in plan.choose}


def _summary(plan: DesignPlan, designs: pd.DataFrame, front: pd.DataFrame) -> None:
    """Print how many designs there are, and the goals of those on the front."""
    from etsopt.cli import terminal
    from etsopt.presenting.documents.document import Column, Table
    from etsopt.presenting.documents.quantities import NUMBER
    from etsopt.studies.sweeping.outcome import NO_ANSWER

    infeasible = int(designs["status"].isin(NO_ANSWER).sum())
    proven = int(designs["certified"].sum()) - infeasible
    within = int(designs["within_limits"].sum())
    text = _("{proven:,} of {count:,} designs are certified, {within:,} of these keep the limits.")
    print(_(text, proven=proven, count=len(designs), within=within))
    if infeasible:
        print(_("Designs that are proven to have no answer: {count:,}.", count=infeasible))
    print(_("Designs on the front, which no other one beats: {count:,}.", count=len(front)))
    first = next(iter(plan.goals))
    ordered = front.sort_values(first, kind="stable")
    shown = ordered.iloc[:: max(1, -(-len(ordered) // SHOWN))]
    columns = (Column(_("design")), *(Column(name, NUMBER, 1) for name in plan.goals))
    rows = tuple(shown[["design", *plan.goals]].itertuples(index=False, name=None))
    terminal.show_blocks([Table(_("Front"), columns, rows)])
