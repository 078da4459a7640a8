"""The report of a sweep as one HTML page, made of the parts of the report of a run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from etsopt.charts import sweeps
from etsopt.charts.texts import scaled
from etsopt.documents.document import Commands, Document, Facts, KeyFigure, Section, named, noted, report_command
from etsopt.documents.figures import short
from etsopt.documents.quantities import SPACE
from etsopt.language import _, joined, pgettext, speaking
from etsopt.reports.run import imprint
from etsopt.reports.write import write_document
from etsopt.sweeping.asked import asked, changes_of, outcomes
from etsopt.sweeping.outcome import LEVELS, NO_ANSWER, PROVEN
from etsopt.sweeping.sections import chart_of, decisions, everything, indices_shown, moves, numbers, regrets
from etsopt.sweeping.told import ToldSweep, capitalised

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etsopt.charts.chart import Chart


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
        return write_document(page_of(ToldSweep.read(folder)), path, inline)


def kicker(sweep: ToldSweep) -> str:
    """Return the line above the answer."""
    return sweep.kicker(_("sweep"))


def charts_of(sweep: ToldSweep) -> list[Chart]:
    """Return the charts of the report: numbers that come first, and what moves them."""
    moved = [sweeps.indices(number, one, sweep.about) for number, one in indices_shown(sweep)]
    return [*(chart_of(sweep, shown) for shown in sweep.shown), *moved]


def page_of(sweep: ToldSweep) -> Document:
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
        imprint=imprint(sweep.about),
    )


def _sections(sweep: ToldSweep) -> Iterator[Section]:
    yield asked(sweep)
    yield outcomes(sweep.scenarios)
    yield from decisions(sweep)
    yield from numbers(sweep)
    yield from moves(sweep)
    yield from everything(sweep)
    yield _reproduce(sweep)


def _answer(sweep: ToldSweep) -> str:
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
            "Over {count:,} scenarios {name} runs from {least} to {largest}.",
            count=sweep.answered,
            name=name,
            least=least,
            largest=largest,
        )
    mean, low, high = (_amount(rows[key].iloc[0], unit) for key in ("mean", "p05", "p95"))
    if (count := len(rows["decision"].unique())) == 1:
        return _(
            "{name}: {mean} on average, and from {low} to {high} in 9 of 10 draws.",
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
    divisor, shown = scaled(value, unit)
    return f"{short(value / divisor)}{SPACE}{shown}".strip()


def _figures(sweep: ToldSweep) -> Iterator[KeyFigure]:
    yield KeyFigure(f"{len(sweep.scenarios):,}", "", pgettext("sweeping", "scenarios"))
    yield KeyFigure(f"{sweep.answered:,}", "", _("with a proven answer"))
    infeasible = int(sweep.scenarios["status"].isin(NO_ANSWER).sum())
    yield KeyFigure(f"{infeasible:,}", "", _("proven to be infeasible"))
    yield KeyFigure(f"{len(sweep.scenarios) - sweep.answered - infeasible:,}", "", _("without either"))
    if sweep.sampled:
        yield KeyFigure(f"{len(sweep.states['decision'].unique()):,}", "", _("decisions"))
        yield KeyFigure(f"{len(sweep.states['state'].unique()):,}", "", pgettext("sweeping", "draws"))


def _reproduce(sweep: ToldSweep) -> Section:
    """Return commands, versions and hashes that lead to the same tables."""
    about = sweep.record
    file = shlex.quote(str(sweep.stated.get("file", "sweep.toml")))
    versions = joined(f"{name} {version}" for name, version in (about.get("versions") or {}).items())
    options = about.get("options") or {}
    facts = (
        (_("instance, SHA-256"), str(about.get("instance_hash", "–"))),
        (_("scenarios, SHA-256"), str(about.get("plan", "–"))),
        (_("seed of the draws"), str(sweep.stated.get("seed", 0))),
        (_("options"), changes_of(options) if options else _("the defaults")),
        (_("versions"), versions),
    )
    lines = (f"etsopt sweep {file} --out again", report_command(shlex.quote(sweep.folder)))
    return Section("reproduce", _("How to reproduce it"), (Commands(lines), Facts(facts)))
