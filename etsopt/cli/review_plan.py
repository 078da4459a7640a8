"""The command ``review-plan``: from monthly reports, or an instance, to a checked plan of reviews."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.cli.exit_codes import exit_code
from etsopt.cli.options import EXIT_CODES, add_set, add_time_limit, pairs
from etsopt.cli.printing import print_files, print_json
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.data.instance import Instance

SECTION, NATIONAL = "review_plan", "national"


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("plan the reviews of three levels that cover the most tonnes at risk, from findings of screening")
    command = commands.add("review-plan", text, review_plan, EXIT_CODES)
    text = _("a folder with register.csv and reports, or an instance")
    command.add_argument("data", metavar="DATA", help=text)
    text = _(
        "reviewer days: national=60, or of every province, provincial=20, or of one, provincial.Hebei=40; repeatable"
    )
    command.add_argument("--days", action="append", default=[], metavar="LEVEL=DAYS", help=text)
    add_set(command, _("change a key of [review_plan], such as provincial.least_share=0.2 or seed=7; repeatable"))
    text = _("year of the findings (default: the last of the reports)")
    command.add_argument("--year", type=int, help=text)
    text = _("folder to write the run to; `etsopt check` checks it again")
    command.add_argument("--out", type=Path, metavar="DIR", help=text)
    command.add_argument("--tables", type=Path, metavar="DIR", help=_("folder to write the tables to, in the language"))
    command.add_argument("--gap", type=float, help=_("relative gap that may stay open (default: 1e-3)"))
    add_time_limit(command)


def review_plan(options: Namespace) -> int:
    """Plan reviews, print the plan, and write run and tables if folders are named."""
    from etsopt.accounting.save import save_plan
    from etsopt.cli import saving, terminal
    from etsopt.cli.solving import show_summary
    from etsopt.common import progress
    from etsopt.running import run
    from etsopt.running.results.run_folder import holds_run, require_writable

    if options.out is not None:
        require_writable(options.out)
    files = []
    with terminal.waiting(quiet=options.json) as tell, progress.watched(options.time_limit, tell):
        progress.tell(_("reading"))
        with progress.stopped_anywhere(_("reading")):
            instance = _instance(options)
        result = run.solve(instance, SECTION, time_limit_s=options.time_limit, gap=options.gap)
        kept = result.status == "none" or (result.status == "refused" and holds_run(options.out))
        written = options.out is not None and not kept
        if written:
            progress.tell(_("writing"))
            result.save(options.out, instance)
        if options.tables is not None and result.tables and result.status != "refused":
            files = save_plan(result.tables, options.tables)
    if options.json:
        print_json(result.summary())
        return exit_code(result)
    show_summary(result)
    print_files(files, options.tables)
    if options.out is not None:
        print(saving.about(result, options.out, None, written))
    return exit_code(result)


def _instance(options: Namespace) -> Instance:
    """Return the instance of a folder, of reports by screening them, with the changed policy."""
    from etsopt import accounting
    from etsopt.data.files.read import find_folder, read_instance, reports_in

    changes = {f"{SECTION}.{key}": value for key, value in pairs(options.set, "--set").items()}
    folder = find_folder(options.data)
    if reports_in(folder) is not None:
        source = accounting.read_source(folder)
        found = accounting.screen(source.reports, source.parameters)
        instance = accounting.review_plan_instance(found, year=options.year, name=folder.name)
    elif options.year is not None:
        raise UsageError(_("--year is of monthly reports."), _("Omit it: an instance has a year of its own."))
    else:
        instance = read_instance(options.data)
    return instance.with_policy(changes | _days(options.days, changes, instance))


def _days(texts: list[str], changes: dict[str, Any], instance: Instance) -> dict[str, Any]:
    """Return the changes of days; a province without its own number has that of the level."""
    from etsopt.accounting.review.words import LEVELS

    example = _("For example: --days national=60 --days provincial=20 --days provincial.Hebei=40")
    every: dict[str, float] = {}
    by_province: dict[str, dict[str, float]] = {}
    for text in texts:
        name, separator, number = text.partition("=")
        level, dot, province = name.strip().partition(".")
        try:
            days = float(number)
        except ValueError:
            separator = ""
        if not separator or level not in LEVELS or (dot and (not province or level == NATIONAL)):
            what = _(
                "--days {text} is not LEVEL=DAYS: expected a level of {levels}, and a number.",
                text=brief(text),
                levels=", ".join(LEVELS),
            )
            raise UsageError(what, example)
        target, key = (by_province.setdefault(level, {}), province) if dot else (every, level)
        if key in target or f"{SECTION}.{level}.days" in changes:
            raise UsageError(_("The days of {name} are stated twice.", name=brief(name)), _("Keep one of them."))
        target[key] = days
    found: dict[str, Any] = {f"{SECTION}.{level}.days": days for level, days in every.items()}
    for level, own in by_province.items():
        if level in every:
            own = dict.fromkeys(_provinces(instance), every[level]) | own
        found[f"{SECTION}.{level}.days"] = own
    return found


def _provinces(instance: Instance) -> list[str]:
    """Return the provinces of the enterprises as the model takes them: stated, or of their units."""
    table = instance.enterprises
    if table is None or "province" not in table or (table["province"] == "").all():
        return instance.provinces
    of_units = instance.units[~instance.units["enterprise_id"].isin(table["enterprise_id"][table["province"] != ""])]
    return sorted({*table["province"][table["province"] != ""], *of_units["province"]})
