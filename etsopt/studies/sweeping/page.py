"""The report of a sweep as one HTML page, made of the parts of the report of a run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from etsopt.common.language import _, capitalised, pgettext, speaking
from etsopt.presenting.charts import sweeps
from etsopt.presenting.documents.document import Document, KeyFigure, Section, named, noted
from etsopt.presenting.documents.figures import short_in
from etsopt.presenting.documents.quantities import SPACE
from etsopt.reports.write import write_document
from etsopt.studies.sweeping import charts_by_key
from etsopt.studies.sweeping.outcome import LEVELS, NO_ANSWER, PROVEN
from etsopt.studies.sweeping.sections import decisions, everything, indices_shown, moves, numbers, regrets
from etsopt.studies.sweeping.sweep_document import SweepSummary
from etsopt.studies.sweeping.sweep_overview import changes_of, outcomes_section, scenarios_section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etsopt.presenting.charts.chart import Chart


def write_sweep_report(folder: Path, path: Path, lang: str = "en", inline: bool = False) -> list[Path]:
    """Write the report of the sweep in a folder, and beside it the script that draws its charts.

    Parameters
    ----------
    folder
        Folder with the record of the sweep.
    path, lang, inline
        As of the report of a run.

    Raises
    ------
    UsageError
        If the folder has no record, another process holds it, or jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    with speaking(lang):
        return write_document(page_of(SweepSummary.read(folder)), path, inline)


def kicker(sweep: SweepSummary) -> str:
    """Return the line above the answer."""
    return sweep.kicker(_("sweep"))


def charts_of(sweep: SweepSummary) -> list[Chart]:
    """Return the charts of the report: numbers that come first, and what moves them."""
    moved = [sweeps.indices(number, one, sweep.about) for number, one in indices_shown(sweep)]
    return [*(chart for shown in sweep.shown for chart in charts_by_key.charts_of(sweep, shown)), *moved]


def page_of(sweep: SweepSummary) -> Document:
    """Return the report of a sweep, apart from its layout."""
    settled = sweep.scenarios["status"].isin((*PROVEN, *NO_ANSWER))
    return Document(
        title=named(sweep.about["instance"], _("sweep")),
        kicker=kicker(sweep),
        answer=_answer(sweep),
        status=_("{settled:,} of {count:,} scenarios proven", settled=int(settled.sum()), count=len(settled)),
        proven=bool(settled.all()),
        figures=tuple(_figures(sweep)),
        sections=tuple(_sections(sweep)),
        imprint=sweep.imprint,
    )


def _sections(sweep: SweepSummary) -> Iterator[Section]:
    yield scenarios_section(sweep)
    yield from decisions(sweep)
    yield from numbers(sweep)
    yield from moves(sweep)
    yield outcomes_section(sweep.scenarios)
    yield from everything(sweep)
    yield _reproduce(sweep)


def _answer(sweep: SweepSummary) -> str:
    """Return the answer in one sentence: the reach of the first number, and the decision of least regret."""
    if not sweep.answered:
        return _("No scenario has a proven answer.")
    if not sweep.shown:
        return _("No number with a chart moves from scenario to scenario.")
    first = sweep.shown[0]
    unit, rows, name = first.number.unit, first.ends, first.number.words
    if first.by_year:
        name = _("{name} in {year}", name=name, year=rows["year"].iloc[0])
    ends = (rows.loc[rows["mean"].idxmin()], rows.loc[rows["mean"].idxmax()])
    least, largest = (noted(_amount(row["mean"], unit), row["decision"]) for row in ends)
    if not sweep.sampled:
        return _(
            "Over {count:,} scenarios {name} runs from {least} to {largest}: {finding}.",
            count=sweep.answered,
            name=name,
            least=_amount(ends[0]["mean"], unit),
            largest=_amount(ends[1]["mean"], unit),
            finding=charts_by_key.finding_of(sweep, first),
        )
    mean, low, high = (_amount(rows[key].iloc[0], unit) for key in ("mean", "p05", "p95"))
    if (count := len(rows["decision"].unique())) == 1:
        finding = charts_by_key.finding_of(sweep, first)
        text = _("{name}: {mean} on average, and from {low} to {high} in 9 of 10 draws.")
        if finding:
            text = _("{name}: {mean} on average, and from {low} to {high} in 9 of 10 draws; {finding}.")
        return _(
            text,
            finding=finding,
            name=capitalised(name),
            mean=mean,
            low=low,
            high=high,
        )
    if first.table == LEVELS:
        best = regrets(sweep, first).iloc[0]
        return _(
            "Of {count:,} decisions, {decision} has the least largest regret in {name}: {regret}.",
            count=count,
            decision=best["decision"],
            name=name,
            regret=_amount(best["largest_regret"], unit),
        )
    if len(set(rows["mean"])) == 1:
        return _("The mean of {name} is {mean} in every decision.", name=name, mean=mean)
    return _(
        "Of {count:,} decisions the mean of {name} runs from {least} to {largest}.",
        count=count,
        name=name,
        least=least,
        largest=largest,
    )


def _amount(value: float, unit: str) -> str:
    """Return a number with its unit."""
    quantity = short_in(value, unit)
    return f"{quantity.shown(value)}{SPACE}{quantity.unit}".strip()


def _figures(sweep: SweepSummary) -> Iterator[KeyFigure]:
    yield KeyFigure(f"{len(sweep.scenarios):,}", "", pgettext("sweeping", "scenarios"))
    yield KeyFigure(f"{sweep.answered:,}", "", _("with a proven answer"))
    infeasible = int(sweep.scenarios["status"].isin(NO_ANSWER).sum())
    yield KeyFigure(f"{infeasible:,}", "", _("proven to be infeasible"))
    yield KeyFigure(f"{len(sweep.scenarios) - sweep.answered - infeasible:,}", "", _("without either"))
    if sweep.sampled:
        yield KeyFigure(f"{len(sweep.states['decision'].unique()):,}", "", _("decisions"))
        yield KeyFigure(f"{len(sweep.states['state'].unique()):,}", "", pgettext("sweeping", "draws"))


def _reproduce(sweep: SweepSummary) -> Section:
    """Return commands, versions and hashes that lead to the same tables."""
    file = shlex.quote(str(sweep.stated.get("file", "sweep.toml")))
    options = sweep.record.get("options") or {}
    facts = (
        (_("seed of the draws"), str(sweep.stated.get("seed", 0))),
        (_("options"), changes_of(options) if options else _("the defaults")),
    )
    return sweep.reproduce(f"etsopt sweep {file} --out again", _("scenarios, SHA-256"), *facts)
