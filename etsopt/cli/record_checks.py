"""`etsopt check` of the folder of a sweep or a design search."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from etsopt.cli import designing, sweeping
from etsopt.cli.reporting import kind_of
from etsopt.common.errors import UsageError
from etsopt.common.language import _, joined

if TYPE_CHECKING:
    from argparse import Namespace

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt.studies.sweeping.checked import RecordCheck
    from etsopt.studies.sweeping.record import Record
    from etsopt.studies.sweeping.scenario import Planned


BESIDE = ("instance", "file", "seconds", "versions")
"""Words of a record that nothing confirms."""


def check(options: Namespace) -> int:
    """Compare the outcomes of a record with their hashes and with some that are solved again, and print what holds."""
    from etsopt.checking.theorem import default_gap
    from etsopt.cli import terminal
    from etsopt.common.progress import watched
    from etsopt.running.library import is_file
    from etsopt.running.reading import instance_checked
    from etsopt.studies.sweeping.checked import check_record, other_files
    from etsopt.studies.sweeping.record import Record

    if options.gap is not None or options.model is not None:
        what = _("The options --gap and --as are for a run: a sweep states the gap of its solves.")
        raise UsageError(what, _("Leave them out."))
    if options.again < 0 or (options.seed or 0) < 0:
        raise UsageError(_("--again or --seed is below 0."), _("State whole numbers from 0 on."))
    name = sweeping.RECORD if kind_of(options.run) == "sweep" else designing.RECORD
    with Record(options.run / name) as record:
        instance, plan, written = _contents(record, name, options.instance)
        with terminal.waiting(quiet=options.json) as tell, watched(None, tell):
            number = None if options.all else options.again
            found = check_record(record, instance, plan, number, options.seed, options.model_file)
        own = is_file(plan.model) and options.model_file is None
        other = other_files(written, options.run)
        about = instance_checked(instance, instance.name)
    # Proven is what the record asks for: a wider gap than that of a run is stated.
    stated = plan.options.get("gap")
    gap = stated if stated is not None and stated > default_gap(plan.model) else None
    beside = [word for word in BESIDE if word != "instance" or not about.shipped]
    holds = found.holds and not other
    if options.json:
        content = {"holds": holds, **asdict(found), "other_files": other, "not_checked": beside}
        content |= {"instance": about._asdict(), "gap": gap}
        print(json.dumps(content, ensure_ascii=False))
    else:
        print(about.told)
        if gap is not None:
            text = _("The record asks for a gap of {gap:g} where a check of a run accepts {accepted:g}.")
            print(_(text, gap=gap, accepted=default_gap(plan.model)))
        _report(found, other)
        if own:
            print(_("Nothing was solved again: a check runs no file that a record names. Name it: --model FILE"))
        if holds:
            text = _("Scenarios are those of the plan that the record states: {words} are not checked.")
            print(_(text, words=joined(beside)))
    return 0 if holds else 5


def _contents(record: Record, name: str, source: str | None) -> tuple[Instance, Planned, dict[str, pd.DataFrame]]:
    """Return the instance and the plan that a record states, and the files that are written from it."""
    from etsopt.studies.sweeping.checked import instance_of, plan_of_record

    if name == sweeping.RECORD:
        plan, written = plan_of_record(record.about), {sweeping.SCENARIOS: record.scenarios}
        return instance_of(record, source), plan, written | {sweeping.VALUES: record.values}
    from etsopt.studies.designing import designs_of
    from etsopt.studies.designing.plan import design_of_record

    design = design_of_record(record.about)
    instance, tables = instance_of(record, source), designing.tables_of(designs_of(design, record))
    return instance, design.of_enacted(instance), tables


def _report(found: RecordCheck, other: list[str]) -> None:
    """Print what was compared, and what is otherwise."""
    if found.damaged:
        text = _("Of {count:,} outcomes {number:,} were changed since they were kept: {names}.")
        shown = joined([*found.damaged[:8], *(["..."] if len(found.damaged) > 8 else [])])
        print(_(text, count=found.outcomes, number=len(found.damaged), names=shown), file=sys.stderr)
    else:
        print(_("All {count:,} outcomes are as they were kept.", count=found.outcomes))
    if lacking := found.scenarios - found.proven:
        text = _("Of {count:,} scenarios that the record states {number:,} have no proof: nothing is said of them.")
        print(_(text, count=found.scenarios, number=lacking))
    for scenario, what, kept, again in found.differences:
        text = _("{scenario}, {what}: {kept} is kept, and {again} is found.")
        print(_(text, scenario=scenario, what=what, kept=kept, again=again), file=sys.stderr)
    text = _("{again:,} of {proven:,} proven ones were solved again with the same answer (chosen by the seed {seed}).")
    if found.again and not found.differences:
        print(_(text, again=found.again, proven=found.proven, seed=found.seed))
    for name in other:
        print(_("The file {name} is not what the record holds.", name=name), file=sys.stderr)
