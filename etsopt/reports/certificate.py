"""What stands behind a page: assumptions, the certificate, and how to obtain it again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _, gettext, in_chinese, joined, pgettext
from etsopt.common.scales import signed
from etsopt.common.units import format_tonnes
from etsopt.common.vocabulary import algorithm_of, word
from etsopt.presenting.documents.document import (
    Column,
    Commands,
    Facts,
    Paragraph,
    Points,
    Section,
    Table,
    clauses,
    noted,
    report_command,
)
from etsopt.presenting.documents.quantities import FIGURES, GAP, NUMBER, WORDS, YES_NO, tonnes
from etsopt.reports.answer import status
from etsopt.reports.remarks import ignored, own_parameters
from etsopt.running.results.claims import REAL_GAP_RELATIVE, accepted_gap, is_checked, is_judged, is_program
from etsopt.running.results.words import TERMINATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.presenting.documents.document import Block
    from etsopt.reports.run import Run
    from etsopt.running.results.results import LevelResult

RECOMPUTED = {
    "allocation": _("reference allowances, balance values, bands, targets, balances, and all totals"),
    "years": _("accounts of every enterprise, cost of every plan, the balance of the market, and prices"),
    "equilibrium": _("the best response of every unit, and the balance of every sector"),
    "compliance": _("issue, accounts by vintage, surrender, fines, and all totals"),
    "outlook": _("the program of every case, its prices, the cap, and all totals"),
    "relaxed_limits": _("a combination of the limits that no allocation can keep"),
    "reconciliation": _("every piece of evidence, and the ends of every interval"),
    "plan": _("days, draws and coverage, and a bound on what any plan covers"),
}
"""What the checker recomputes, by a table of the run."""


VIOLATIONS_SHOWN = 8

OF_PROGRAM = {
    "certified_program": _(
        "Every row, bound and whole number of the program of the model file was recomputed. No point that keeps "
        "them, and earlier objectives at least as well, has an objective below its value minus the gap. That it "
        "says what its author means was not checked."
    ),
    "infeasible_program": _(
        "No point keeps every row and bound of the program of the model file: recomputed. That the program says "
        "what its author means was not checked."
    ),
}
"""What is proven of a program of the user's own, by status."""

METHODS = {
    "direct": pgettext("method", "direct"),
    "aggregation": pgettext("method", "aggregation"),
    "decomposition": pgettext("method", "decomposition"),
    "pyomo": pgettext("method", "pyomo"),
}
"""Names of methods."""


def assumptions(run: Run) -> Iterator[Section]:
    """Yield what the result rests on: data, parameters, keys that have no effect."""
    lines = [*_origin(run), *own_parameters(run.about.own_parameters)]
    # What lapses is worth nothing, whatever the policy states.
    terminal = float(run.tables["closure"]["terminal_price_cny_per_t"].iloc[-1]) if "closure" in run.tables else 0.0
    if terminal:
        lines.append(
            _(
                "An allowance kept after the last year is worth {price:,.2f} CNY/t (terminal_price_cny_per_t).",
                price=terminal,
            )
        )
    lines += ignored(run)
    lines.append(_("The certificate is about arithmetic and optimality: it does not say that the data are true."))
    yield Section("assumptions", _("Assumptions"), (Points(tuple(lines)),))


def _origin(run: Run) -> Iterator[str]:
    """Yield what a shipped instance says of its data, and the origin of the units where the instance states it."""
    from etsopt.data.files import shipped

    name = run.about.instance
    if name in shipped.names():
        text = (shipped.folder(name) / "README.md").read_text(encoding="utf-8").lstrip("# ").split("\n")[0]
        yield _("The shipped instance {name} says: {text}", name=name, text=gettext(text))
    table = run.tables.get("allocation")
    if table is not None and "x_origin" in table:
        counts = table["x_origin"].astype(str).replace("", "–").value_counts()
        origins = joined(f"{count:,} {origin}" for origin, count in counts.items())
        yield _("Origin of the units (column x_origin): {origins}.", origins=origins)


def certificate(run: Run, checked: bool) -> Section:
    """Return the verdict, the objectives with their bounds, and what was recomputed.

    Parameters
    ----------
    checked
        True if the run was checked for this page, and every statement of it holds.
    """
    results = run.results
    blocks: list[Block] = [Facts(tuple(_verdict(run, checked)))]
    if results.levels:
        blocks.append(_levels(run))
    blocks += [Paragraph(text) for text in _proven(run)]
    if results.violations:
        blocks.append(violations(results.violations))
    known = [text for name, text in RECOMPUTED.items() if name in run.tables]
    if is_checked(results) and known:
        text = _(
            "The checker shares no code with the solver. From the instance and the tables alone it recomputes {parts}; "
            "a lower bound for each objective follows from multipliers that nobody has to trust.",
            parts=clauses(known),
        )
        blocks.append(Paragraph(text, "note"))
    if results.status in OF_PROGRAM:
        blocks.append(Paragraph(OF_PROGRAM[results.status], "note"))
        if isinstance(results.held, Path):
            # Of a run on disk that is a claim, until it is checked with the file of its model.
            text = _("This page states what the run says of itself; the check below was not made for it.")
            blocks.append(Paragraph(text, "warning"))
    elif not is_judged(results):
        blocks.append(Paragraph(unchecked(run), "warning"))
    elif results.status == "feasible":
        blocks.append(Paragraph(open_gaps(run), "warning"))
    return Section("certificate", _("Certificate"), tuple(blocks))


def _proven(run: Run) -> Iterator[str]:
    """Yield the statement that is proven of a certified allocation, and what holds of its whole tonnes."""
    results = run.results
    if results.certified and results.misses_t is not None:
        yield certified(results.misses_t, results.distance_t)
    if results.rounded_by_t is not None:
        units = run.tables["allocation"]
        yield _(
            "Rounded to whole tonnes: no unit moves by more than {rounded_by_t:.3g} t, {total} t in total. Objectives, "
            "shadow prices and intensity order hold before rounding, every other limit also after it.",
            rounded_by_t=results.rounded_by_t,
            total=format_tonnes(float((units["allowance_t"] - units["before_rounding_t"]).abs().sum())),
        )


def certified(misses_t: float, distance_t: float | None) -> str:
    """Return the statement that is proven of an allocation whose misses are reported."""
    misses = _("misses no limit by more than {misses_t:.2g} t", misses_t=misses_t)
    text = _(
        "The allocation {misses}. No allocation that keeps all limits and earlier objectives at least as well has an "
        "objective below its value minus the gap.",
        misses=misses if misses_t else _("keeps every limit"),
    )
    if distance_t is None:
        return text
    # A milligram is far below any figure that anybody states.
    near = _(
        "The tie-break has one solution: no unit is farther than {near:.2g} t from it.", near=max(distance_t, 1e-9)
    )
    return _("{first} {second}", first=text, second=near)


def unchecked(run: Run) -> str:
    """Return why nothing of a run was checked."""
    if not is_program(run.results):
        return _("The checker does not support this model: nothing was checked.")
    text = _("Nothing was checked: a check runs no file that a run names. Name that of the model: --model {model}")
    return _(text, model=run.about.model)


def open_gaps(run: Run) -> str:
    """Return the open gaps of a result that keeps every limit, and how to close them."""
    results = run.results
    if "equilibrium" in run.tables:
        return _without_fixed_point(run)
    open_ = [level for level in results.levels if not level.certified]
    if not open_:
        return _("Every limit holds.")
    names = joined(f"{word('level', level.name)} {_in_percent(level)}" for level in open_)
    proven = _("Every limit holds. Not certified: {open}.", open=names)
    if results.termination == "solver_error":
        return _("{proven}\nThe solver failed at the last of the objectives shown.", proven=proven)
    if results.termination in TERMINATIONS:
        return _("{proven}\nA longer --time-limit may close the gap.", proven=proven)
    accepted, largest = accepted_gap(results), max(level.relative_gap for level in open_)
    accepts = _("`--gap {largest:.1e}` accepts the result; ", largest=largest * 1.01) if accepted < largest < 1 else ""
    remedy = _("{accepts}another --method or --seed may close the gap.", accepts=accepts)
    # Of real allowances the checker asks more than an integer solve does.
    text = _("{proven}\nThe requested gap is {requested:.2g} %: {remedy}")
    if largest <= accepted:
        accepted = REAL_GAP_RELATIVE
        text = _("{proven}\nReal allowances need a gap of {requested:.2g} %: {remedy}")
    return _(text, proven=proven, requested=100 * accepted, remedy=remedy)


def _without_fixed_point(run: Run) -> str:
    """Return a statement of the sectors and years in which no balance value is a fixed point of best responses."""
    found = run.tables["equilibrium"]
    cycles = found[found["status"] == "cycle"].to_dict("records")
    return _(
        "No balance value is a fixed point in {where}: the best responses cycle (table "
        "`cycles`).\nAt the value shown every unit responds optimally, but the sector does "
        "not balance.",
        where=joined(f"{word('sector', row['sector'])} {row['year']}" for row in cycles),
    )


def _in_percent(level: LevelResult) -> str:
    """Return the gap of an objective in percent of its value, of whole plans as well of what is spent."""
    if not np.isfinite(level.relative_gap):
        return _("(no bound)")
    if not level.spending:
        return _("(gap {share:.2g} %)", share=100 * level.relative_gap)
    spent = 100 * abs(level.gap) / level.spending
    if not level.value:
        return _("(gap {spent:.2g} % of spending, and the cost that is minimised is zero)", spent=spent)
    cost = 100 * abs(level.gap / level.value)
    return _("(gap {spent:.2g} % of spending, {cost:.2g} % of the cost that is minimised)", spent=spent, cost=cost)


def violations(found: Sequence[Mapping[str, Any]]) -> Table:
    """Return what the checker found to be violated."""
    heads = (_("rule"), _("where"), _("by"), _("unit"), _("statement"))
    columns = tuple(Column(head, NUMBER if at == 2 else WORDS, 1) for at, head in enumerate(heads))
    names = ("rule", "where", "amount", "unit", "message")
    rows = tuple(tuple(item[name] for name in names) for item in list(found)[:VIOLATIONS_SHOWN])
    return Table(_("The checker refuses the result"), columns, rows)


def _verdict(run: Run, checked: bool) -> Iterator[tuple[str, str]]:
    results = run.results
    yield _("verdict"), status(run)
    if checked and is_checked(results):
        yield _("checked for this page"), _("every statement of the run holds")
    if results.misses_t is not None:
        misses = _("{tonnes:.2g} t", tonnes=results.misses_t) if results.misses_t else _("none")
        yield _("largest violation of a limit"), misses
    if results.distance_t is not None:
        away = _("{tonnes:.2g} t", tonnes=max(results.distance_t, 1e-9))
        yield _("no unit is farther from the one solution than"), away
    if results.rounded_by_t is not None:
        yield _("moved at most by rounding"), tonnes(results.rounded_by_t)
    if results.infeasible_by_t is not None:
        yield _("infeasible by at least"), tonnes(results.infeasible_by_t)
    if results.levels:
        yield _("method"), _method(run)


def _levels(run: Run) -> Table:
    """Return the objectives with their bounds."""
    rows = tuple(
        (
            word("level", level.name),
            figure_of(level.value),
            figure_of(level.bound),
            abs(level.gap),
            word("unit", level.unit),
            level.certified,
            algorithm_of(level.algorithm),
        )
        for level in run.results.levels
    )
    columns = (
        Column(_("objective")),
        Column(_("value"), FIGURES, 1),
        Column(_("proven bound"), FIGURES, 3),
        Column(_("gap"), GAP),
        Column(_("unit"), WORDS, 1),
        Column(_("proven"), YES_NO),
        Column(_("algorithm"), WORDS, 3),
    )
    return Table(_("Objectives in their order"), columns, rows)


def _method(run: Run) -> str:
    """Return the method; its reason, which a run states in English, in English only."""
    method = run.about.method or "–"
    if in_chinese():
        return noted(METHODS[method], method) if method in METHODS else method
    return f"{method}. {run.about.method_reason}".strip()


def figure_of(value: float) -> str:
    """Return a value of an objective with the digits that matter, or a dash for none."""
    if not np.isfinite(value):
        return "–"
    return signed(f"{value:,.2f}" if abs(value) >= 1e6 else f"{value:,.10g}")


def reproduce(run: Run) -> Section:
    """Return commands, versions and hashes that lead to the same result."""
    about = run.about
    folder = shlex.quote(run.folder)
    solve = f"etsopt solve {folder}/instance --model {shlex.quote(about.model)}"
    solve += f" --method {about.method}" if about.method in ("direct", "aggregation", "decomposition") else ""
    solve += f" --gap {about.options.gap:g} --seed {about.seed} --out again"
    versions = joined(f"{name} {version}" for name, version in about.versions if version)
    facts = (
        (_("instance, SHA-256"), about.instance_hash),
        (_("result, SHA-256"), run.results.hash),
        (_("versions"), versions),
    )
    model = f" --model {shlex.quote(about.model)}" if is_program(run.results) else ""
    lines = (f"etsopt check {folder}{model}", solve, report_command(folder))
    return Section("reproduce", _("How to reproduce it"), (Commands(lines), Facts(facts)))
