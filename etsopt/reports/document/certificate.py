"""What stands behind a page: assumptions, the certificate, and how to obtain it again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.language import _, in_chinese, joined, pgettext
from etsopt.reports.document.answer import status
from etsopt.reports.document.cells import signed, tonnes
from etsopt.reports.document.content import (
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
from etsopt.results.claims import is_checked, is_judged, is_program
from etsopt.vocabulary import algorithm_of, word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.document.content import Block, Run

RECOMPUTED = {
    "allocation": _("reference allowances, balance values, bands, targets, balances, and all totals"),
    "years": _("accounts of every enterprise, cost of every plan, the balance of the market, and prices"),
    "equilibrium": _("the best response of every unit, and the balance of every sector"),
    "compliance": _("issue, accounts by vintage, surrender, fines, and all totals"),
    "relaxed_limits": _("a combination of the limits that no allocation can keep"),
    "reconciliation": _("every piece of evidence, and the ends of every interval"),
    "plan": _("days, draws and coverage, and a bound on what any plan covers"),
}
"""What the checker recomputes, by a table of the run."""


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
    lines = [*_origin(run), *_given(run), *_own_parameters(run)]
    # What lapses is worth nothing, whatever the policy states.
    terminal = float(run.tables["closure"]["terminal_price_cny_per_t"].iloc[-1]) if "closure" in run.tables else 0.0
    if terminal:
        lines.append(
            _(
                "An allowance kept after the last year is worth {price:,.2f} CNY/t (terminal_price_cny_per_t).",
                price=terminal,
            )
        )
    if unused := run.about.get("ignored"):
        lines.append(_("Policy keys without effect in this model: {keys}.", keys=joined(unused)))
    lines.append(_("The certificate is about arithmetic and optimality: it does not say that the data are true."))
    yield Section("assumptions", _("Assumptions"), (Points(tuple(lines)),))


def _origin(run: Run) -> Iterator[str]:
    """Yield what a shipped instance says of its data, and the origin of the units where the instance states it."""
    from etsopt.data.files import shipped

    name = str(run.about.get("instance"))
    if name in shipped.names():
        text = (shipped.folder(name) / "README.md").read_text(encoding="utf-8").lstrip("# ").split("\n")[0]
        yield _("The shipped instance {name} says: {text}", name=name, text=text)
    table = run.tables.get("allocation")
    if table is not None and "x_origin" in table:
        counts = table["x_origin"].astype(str).replace("", "–").value_counts()
        origins = joined(f"{count:,} {origin}" for origin, count in counts.items())
        yield _("Origin of the units (column x_origin): {origins}.", origins=origins)


def _given(run: Run) -> Iterator[str]:
    if rule := run.about.get("own_rule"):
        yield _(
            "The rule {name} is your own: its reference allowances are taken as given, not derived again.",
            name=rule["name"],
        )


def _own_parameters(run: Run) -> Iterator[str]:
    for entry in run.about.get("own_parameters") or ():
        yield _(
            "{key}: official {official} ({year}, {sectors}), here {here}.",
            key=entry["key"],
            official=entry["official"],
            year=entry["years"][0],
            sectors=", ".join(entry["sectors"]),
            here=entry["here"],
        )


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
        text = _("The checker does not know this model: nothing was checked.")
        blocks.append(Paragraph(text, "warning"))
    return Section("certificate", _("Certificate"), tuple(blocks))


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


def _levels(run: Run) -> Table:
    heads = (_("objective"), _("value"), _("proven bound"), _("gap"), _("unit"), _("certified"), _("algorithm"))
    rows = [
        (
            word("level", level.name),
            figure_of(level.value),
            figure_of(level.bound),
            f"{abs(level.gap):.1e}" if np.isfinite(level.gap) else "–",
            word("unit", level.unit),
            _("yes") if level.certified else _("no"),
            algorithm_of(level.algorithm),
        )
        for level in run.results.levels
    ]
    columns = tuple(Column(head, "", place in (1, 2, 3)) for place, head in enumerate(heads))
    return Table(_("Objectives in their order"), columns, tuple(rows))


def _method(run: Run) -> str:
    """Return the method; its reason, which a run states in English, in English only."""
    method = str(run.about.get("method", "–"))
    if in_chinese():
        return noted(METHODS[method], method) if method in METHODS else method
    return f"{method}. {run.about.get('method_reason', '')}".strip()


def figure_of(value: float) -> str:
    """Return a value of an objective with the digits that matter, or a dash for none."""
    if not np.isfinite(value):
        return "–"
    return signed(f"{value:,.2f}" if abs(value) >= 1e6 else f"{value:,.10g}")


def reproduce(run: Run) -> Section:
    """Return commands, versions and hashes that lead to the same result."""
    about = run.about
    folder = shlex.quote(run.folder)
    options: dict[str, Any] = about.get("options") or {}
    solve = f"etsopt solve {folder}/instance --model {shlex.quote(str(about['model']))}"
    solve += f" --method {about['method']}" if about.get("method") in ("direct", "aggregation", "decomposition") else ""
    solve += f" --gap {options['gap']:g}" if options.get("gap") is not None else ""
    solve += f" --seed {about.get('seed', 0)} --out again"
    versions = joined(f"{name} {version}" for name, version in (about.get("versions") or {}).items())
    facts = (
        (_("instance, SHA-256"), str(about.get("instance_hash", "–"))),
        (_("result, SHA-256"), run.results.hash),
        (_("versions"), versions),
        (_("method"), _method(run)),
    )
    model = f" --model {shlex.quote(str(about['model']))}" if is_program(run.results) else ""
    lines = (f"etsopt check {folder}{model}", solve, report_command(folder))
    return Section("reproduce", _("How to reproduce it"), (Commands(lines), Facts(facts)))
