"""Check a saved run, a curve, its page, or the record of a sweep or design search."""

from __future__ import annotations

import json
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError
from etsopt.common.language import _, joined
from etsopt.common.vocabulary import word

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from etsopt.checking import Verdict
    from etsopt.cli.parsing import Commands
    from etsopt.presenting.documents.document import Block, Table
    from etsopt.reports.run import Run
    from etsopt.running.reading import InstanceChecked
    from etsopt.running.results.results import Results


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("check a saved run or curve from its instance and tables alone, or the record of a sweep or search")
    command = commands.add("check", text, check)
    text = _("a run folder written by `etsopt solve --out`, or folder of a curve or record; of --page, the instance")
    command.add_argument("run", type=Path, help=text)
    text = _(
        "largest relative gap that proves whole plans, whole tonnes and exceptions (default: 1e-4, of reviews 1e-3)"
    )
    command.add_argument("--gap", type=float, metavar="G", help=text)
    text = _("model whose theorem is to be proven (default: the one that the run names)")
    command.add_argument("--as", dest="model", metavar="MODEL", help=text)
    text = _("file of your own model, whose program is compiled and proven again")
    command.add_argument("--model", dest="model_file", metavar="FILE", help=text)
    text = _("of a record, how many of its proven outcomes are solved again (default: 20)")
    command.add_argument("--again", type=int, default=20, metavar="K", help=text)
    command.add_argument("--all", action="store_true", help=_("of a record, solve all proven outcomes again"))
    text = _("of a record, seed of their choice (default: a new one, which is printed)")
    command.add_argument("--seed", type=int, metavar="S", help=text)
    text = _("a page of `etsopt explore`, whose data are derived again from the instance that is named")
    command.add_argument("--page", type=Path, metavar="FILE", help=text)
    text = _("of a record, its instance, if it no longer lies where it lay")
    command.add_argument("--instance", metavar="INSTANCE", help=text)


def check(options: Namespace) -> int:
    """Check a run folder and the claims of its result.json, or the record of a sweep or design search."""
    from etsopt.cli import curving, record_checks, reporting
    from etsopt.modelling.solving.options import SolveOptions
    from etsopt.running.library import is_file

    # A gap that no solve takes is refused before anything is read.
    SolveOptions(gap=options.gap)
    if options.model is not None and options.model_file is not None:
        raise UsageError(_("--as and --model ask for two theorems."), _("Leave one of them out."))
    if options.model is not None and is_file(options.model):
        raise UsageError(_("--as takes the name of a model of the library."), _("Name a file of your own by --model."))
    if options.model_file is not None and not is_file(options.model_file):
        raise UsageError(_("--model takes the file of a model of your own, ending in .py."), _("Name another by --as."))
    if options.page is not None:
        from etsopt.cli import exploring

        return exploring.check(options)
    if kind := reporting.kind_of(options.run):
        return curving.check(options) if kind == "curve" else record_checks.check(options)
    from etsopt.running import reading, run
    from etsopt.running.results import results, run_folder
    from etsopt.running.results.claims import is_checked, unchecked_words

    result, instance = results.load_both(options.run)
    verdict = run.check(instance, result, options.gap, options.model or options.model_file)
    # Prices of a market have a paragraph of their own.
    told = {level.name for level in verdict.levels if not level.prices_prove}
    prices = [f"{name}: multipliers" for name in verdict.unproven_prices if name not in told]
    about = reading.instance_checked(instance, result.provenance.instance)
    words = [word for word in unchecked_words(result) if word != "instance" or not about.shipped]
    beside = [*words, *verdict.not_proven, *run_folder.unlisted_files(options.run), *prices]
    # A claim that differs from the recomputed value is a violation.
    holds = not verdict.violations
    if options.json:
        content = {
            "certified": verdict.certified,
            "checked": bool(verdict.theorem),
            "theorem": verdict.theorem,
            "status": verdict.status if verdict.theorem or not holds else "unchecked",
            "largest_gap": verdict.largest_gap,
            "instance": about._asdict(),
            "infeasible_by_t": verdict.infeasible_by_t,
            "missing_days": verdict.missing_days,
            "levels": [{**vars(level), "certified": level.certified} for level in verdict.levels],
            "violations": verdict.table.to_dict("records"),
            "not_checked": beside,
        }
        print(json.dumps(results.finite(content), ensure_ascii=False, allow_nan=False))
    else:
        _show(result, verdict, about, beside)
    if not holds:
        return 5
    if not verdict.theorem:
        return 6
    # Of a theorem that the reader asked for, not the run, only a proof will do.
    asked = options.model is not None and not is_checked(result)
    return 4 if asked and not verdict.certified else 0


def _show(result: Results, verdict: Verdict, about: InstanceChecked, beside: list[str]) -> None:
    """Print the checker's report on a run, and what the run says beside that."""
    from etsopt.cli import terminal
    from etsopt.presenting.documents.document import Document, Paragraph, Section
    from etsopt.reports.remarks import own_rule
    from etsopt.reports.run import Run
    from etsopt.reports.write import kicker
    from etsopt.running.results.words import STATUSES

    # Above the answer stand the name and year of the instance, not those that the run states.
    told = {"instance": about.name, "policy": {"year": about.year}}
    run = Run(replace(result, provenance=result.provenance.model_copy(update=told)))
    status = STATUSES[verdict.status] if verdict.theorem or verdict.violations else _("not checked")
    section = Section("check", "", tuple(_found(run, verdict, about, beside)))
    proven = not verdict.violations and bool(verdict.theorem)
    given = tuple(Paragraph(text, "warning") for text in own_rule(result.provenance.own_rule))
    terminal.show(Document("", kicker(run), "", status, proven, given, sections=(section,)))


def _found(run: Run, verdict: Verdict, about: InstanceChecked, beside: list[str]) -> Iterator[Block]:
    from etsopt.presenting.documents.document import Paragraph
    from etsopt.reports.certificate import OF_PROGRAM, certified, unchecked, violations
    from etsopt.running.results.claims import violations_of

    yield Paragraph(about.told)
    infeasible = _infeasible(verdict) if verdict.certified else ""
    if not infeasible and any(level.known for level in verdict.levels):
        yield _recomputed(verdict)
    if verdict.violations:
        yield violations(violations_of(verdict))
        return
    if not verdict.theorem:
        yield Paragraph(unchecked(run))
        return
    if not run.tables:
        yield Paragraph(_("The run has no result: there is nothing to check."))
        return
    yield Paragraph(infeasible) if infeasible else Paragraph(_("Every statement holds."), "good")
    if verdict.certified and verdict.misses_t is not None:
        yield Paragraph(certified(verdict.misses_t, verdict.distance_t))
    for level in verdict.levels:
        if verdict.certified and not level.prices_prove:
            text = _(
                "The prices are not proven: alone they leave {amount:,.6g} CNY of the cost open, which whole plans and "
                "leaves prove."
            )
            yield Paragraph(_(text, amount=level.of_prices), "warning")
    if verdict.of_program and verdict.certified:
        yield Paragraph(OF_PROGRAM[verdict.status])
    yield Paragraph(_theorem(verdict))
    text = _("What the run says beside its answer is not checked: {words}.", words=joined(beside))
    yield Paragraph(text, "note")


def _infeasible(verdict: Verdict) -> str:
    """Return the statement of an infeasibility, in tonnes or in days; empty if there is none."""
    from etsopt.common.units import format_tonnes

    if verdict.missing_days is not None:
        text = _("At least {missing_days:,.6g} reviewer days are missing: recomputed.")
        return _(text, missing_days=verdict.missing_days)
    if verdict.infeasible_by_t is None:
        return ""
    text = _("Infeasible by at least {infeasible_by_t} t: recomputed.")
    return _(text, infeasible_by_t=format_tonnes(verdict.infeasible_by_t))


def _recomputed(verdict: Verdict) -> Table:
    """Return the objectives as the checker recomputed them."""
    from etsopt.presenting.documents.document import Column, Table
    from etsopt.presenting.documents.quantities import DIGITS, GAP, WORDS, YES_NO

    columns = (
        Column(_("objective")),
        Column(_("value"), DIGITS, 1),
        Column(_("bound"), DIGITS, 2),
        Column(_("gap"), GAP, 1),
        Column(_("tolerance"), GAP, 3),
        Column(_("unit"), WORDS, 1),
        Column(_("proven"), YES_NO, 1),
    )
    names = ("value", "bound", "gap", "tolerance", "unit", "certified")
    levels = ([word("level", level.name), *(getattr(level, name) for name in names)] for level in verdict.levels)
    rows = tuple((*row[:5], word("unit", row[5]), row[6]) for row in levels)
    return Table(_("Objectives recomputed from the tables"), columns, rows)


def _theorem(verdict: Verdict) -> str:
    """Return the name of the theorem, the status that is proven, and the largest relative gap."""
    from etsopt.running.results.words import STATUSES

    text = _("Theorem of {model}: {status}.", model=verdict.theorem, status=STATUSES[verdict.status])
    if not any(level.needed for level in verdict.levels) or not isfinite(verdict.largest_gap):
        return text
    gap = _("The largest relative gap is {gap:.1e}.", gap=verdict.largest_gap)
    return _("{first} {second}", first=text, second=gap)
