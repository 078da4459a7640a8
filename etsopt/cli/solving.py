"""Solve a model on an instance, check the result, and write its run."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from etsopt.cli.exit_codes import exit_code
from etsopt.cli.options import EXIT_CODES, add_format, add_instance, add_time_limit, instance_of, pairs
from etsopt.common.language import _, chain

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from etsopt.cli.parsing import Commands
    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results


def register(commands: Commands) -> None:
    """Add the command."""
    command = commands.add("solve", _("solve a model on an instance and check the result"), solve, EXIT_CODES)
    text = _("name of a model, or path of a model file (default: %(default)s)")
    command.add_argument("--model", default="allocation", help=text)
    add_instance(command)
    text = _("folder to write the run to: tables, result.json, the instance; or a file that ends in .xlsx, for both")
    command.add_argument("--out", type=Path, help=text)
    add_format(command)
    add_time_limit(command)
    text = _("relative gap of integer programs (default: 1e-6, or the model's own)")
    command.add_argument("--gap", type=float, help=text)
    command.add_argument("--seed", type=int, default=0, help=_("seed of the solver (default: %(default)s)"))
    text = _("direct, aggregation, decomposition, or pyomo, which is slow (default: the fastest at this size)")
    command.add_argument("--method", help=text)
    text = _("an option of HiGHS; repeatable")
    command.add_argument("--solver-option", action="append", default=[], metavar="KEY=VALUE", help=text)
    text = _("if the policy is infeasible, solve it with the limits relaxed as in remedy N, which the result lists")
    command.add_argument("--apply-remedy", type=int, metavar="N", help=text)
    text = _("end with exit code 2, before anything is solved, if figures of the instance are in doubt")
    command.add_argument("--strict", action="store_true", help=text)
    text = _("write the program of the first objective in MPS format")
    command.add_argument("--mps", type=Path, metavar="FILE", help=text)


def solve(options: Namespace) -> int:
    """Solve, print a summary, and write the run folder if `--out` names one."""
    import numpy as np

    # OpenBLAS takes its work memory at the first product, and ends the process where it finds none: better now.
    np.matmul(*2 * [np.ones((200, 200))])
    from etsopt.cli import ends, remedying, saving, terminal
    from etsopt.common import progress
    from etsopt.data.files.write import check_format
    from etsopt.running import run
    from etsopt.running.ends import at_ends
    from etsopt.running.results.run_folder import require_writable

    check_format(options.format)
    workbook, options.out = saving.places(options.out)
    if options.out is not None:
        require_writable(options.out)
    # The time limit is that of the command: reading counts.
    with terminal.waiting(quiet=options.json) as tell, progress.watched(options.time_limit, tell):
        progress.tell(_("reading"))
        with progress.stopped_anywhere(_("reading")):
            instance = _instance_of(options)
        solve = partial(
            run.solve,
            model=options.model,
            time_limit_s=options.time_limit,
            gap=options.gap,
            seed=options.seed,
            method=options.method,
            solver_options=pairs(options.solver_option, "--solver-option"),
        )
        both = at_ends(instance)
        if options.out is not None:
            saving.require_alike(options.out, both)
        for end in both:
            if (beside := saving.at_end(workbook, end)) is not None:
                saving.require_of_run(beside, options.out / end)
        found = {end: _answer(options, one, solve, workbook, end) for end, one in (both or {"": instance}).items()}
    solved = {end: answer.result for end, answer in found.items()}
    if options.json:
        contents = {end: result.summary() | remedying.content(result) for end, result in solved.items()}
        content = {"ends": contents} if both else contents[""]
        print(json.dumps(content, ensure_ascii=False, allow_nan=False))
    else:
        if both:
            ends.show(solved, instance)
        for end, answer in found.items():
            answer.show(end)
    return max(map(exit_code, solved.values()))


def _instance_of(options: Namespace) -> Instance:
    """Read the instance; its doubts stand in the first lines of the summary.

    Raises
    ------
    UsageError
        If figures are in doubt, and the command is strict.
    """
    import warnings

    from etsopt.common.errors import DoubtWarning, UsageError
    from etsopt.data.doubts import doubts_of, sentences_of

    with warnings.catch_warnings():
        if options.strict or not options.json:
            warnings.simplefilter("ignore", DoubtWarning)
        instance = instance_of(options)
    doubts = doubts_of(instance) if options.strict else None
    if doubts:
        said = chain(sentences_of(doubts), "{first}\n{second}")
        advice = _(
            "Correct the figures, report what is missing, or close the findings in the review; without --strict they "
            "are taken."
        )
        raise UsageError(_("Figures of {name!r} are in doubt:\n{said}", name=instance.name, said=said), advice)
    return instance


def show_summary(result: Results) -> None:
    """Print the summary of a result, and the time that its solve took."""
    from etsopt.cli import terminal
    from etsopt.presenting.documents.quantities import SPACE
    from etsopt.reports.write import summary

    seconds = sum(result.provenance.seconds.values())
    terminal.show(summary(result), f"{seconds:.2f}{SPACE}s")


class Answer(NamedTuple):
    """A result, what its remedy was, and where it was written, in words."""

    result: Results
    remedy: str
    place: str

    def show(self, end: str) -> None:
        """Print it; of an end of an interval, whose figures stand in a table, what no table has."""
        from etsopt.cli import terminal
        from etsopt.reports import allocation
        from etsopt.reports.run import Run

        if self.remedy:
            print(f"{_(end)}: {self.remedy}\n" if end else f"{self.remedy}\n")
        if not end:
            show_summary(self.result)
        for section in allocation.relaxed(Run(self.result)) if end else ():
            print(f"\n{_(end)}")
            terminal.show_blocks(section.blocks)
        if self.place:
            print(self.place)


def _answer(
    options: Namespace,
    instance: Instance,
    solve: Callable[..., Results],
    workbook: Path | None,
    end: str,
) -> Answer:
    """Solve an instance and write its run, that of an end of an interval in a folder and a workbook of its name."""
    from etsopt.cli import remedying, saving
    from etsopt.common import progress
    from etsopt.running.results.run_folder import holds_run

    folder = None if options.out is None else options.out / end
    workbook, solve = saving.at_end(workbook, end), partial(solve, mps=saving.at_end(options.mps, end))
    result, remedy = solve(instance), ""
    if options.apply_remedy is not None:
        instance, result, remedy = remedying.applied(options.apply_remedy, instance, result, solve)
    if folder is None:
        return Answer(result, remedy, "")
    # Without a result, or with a refused one, an existing run stays.
    written = not (result.status == "none" or (result.status == "refused" and holds_run(folder)))
    if written:
        progress.tell(_("writing"))
        result.save(folder, instance, options.format)
        saving.save_workbook(result, workbook, folder)
    return Answer(result, remedy, saving.about(result, folder, workbook, written, options.model))
