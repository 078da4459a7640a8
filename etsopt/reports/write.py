"""Pages of a run: its report, two runs side by side, and a single chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.language import _, speaking
from etsopt.data.files.atomic import write_file
from etsopt.presenting.documents.document import Document, Section
from etsopt.presenting.documents.figures import of_chart
from etsopt.reports import allocation, compliance, investment, market, outlook, own_model, reconciliation, reviews
from etsopt.reports.answer import answer, status
from etsopt.reports.certificate import assumptions, certificate, reproduce
from etsopt.reports.inputs_section import inputs_section
from etsopt.reports.key_figures import key_figures
from etsopt.reports.remarks import warnings
from etsopt.reports.run import Run
from etsopt.running.results.claims import is_checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from etsopt.presenting.documents.document import Figure
    from etsopt.running.results.results import Results

    Part = Callable[[Run], Iterator[Section]]

PARTS = (
    *(
        allocation.relaxed,
        market.unmet,
        reviews.missing_days,
        investment.investment,
        allocation.totals,
        compliance.compliance,
        market.prices,
        outlook.outlook,
        allocation.rates,
    ),
    *(market.quantities, market.balance_values, market.measures, allocation.provinces, allocation.enterprises),
    *(market.traders, allocation.binding, reconciliation.reconciliation, reviews.reviews, allocation.units),
    market.unit_years,
)
"""Sections between what was asked and what stands behind it, in their order."""


def write_report(
    results: Results,
    path: str | Path,
    lang: str = "en",
    inline: bool = False,
    *,
    folder: str = "RUN",
    checked: bool = False,
) -> list[Path]:
    """Write the report of a run, and beside it the script that draws its charts.

    Parameters
    ----------
    path
        File to write.
    lang
        ``en`` or ``zh``.
    inline
        True to write the script into the page.
    folder
        Name of the run folder in the commands of the page.
    checked
        True if the run was checked for this page, and every statement of it holds.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    UsageError
        If jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    with speaking(lang):
        return write_document(report(results, folder, checked), Path(path), inline)


def report(results: Results, folder: str = "RUN", checked: bool = False) -> Document:
    """Return the report of a run, apart from its layout, in the language of the moment."""
    run = Run(results, folder)
    return Document(
        title=f"{run.about.instance}: {run.about.model}",
        kicker=kicker(run),
        answer=answer(run),
        status=status(run),
        proven=results.certified,
        warnings=warnings(run),
        figures=key_figures(run) if is_checked(results) and results.status != "refused" else (),
        sections=tuple(_sections(run, checked)),
        imprint=run.imprint,
    )


BRIEF = (
    *("relaxed", "unmet", "missing-days", "investment", "scenarios", "totals", "nation", "shortfalls", "prices"),
    *("quantities", "balance-values", "measures", "outlook", "outlook-emissions", "outlook-products", "binding"),
    *("reconciliation", "reviews", "conflict", "tables"),
)
"""Sections of a summary, by their keys."""

LONG = (
    *(allocation.rates, allocation.provinces, allocation.fairness, allocation.enterprises, allocation.units),
    *(market.traders, market.unit_years),
)
"""Parts without such a section: tables of many rows, and charts."""


def summary(results: Results) -> Document:
    """Return what a terminal or a notebook shows of a run: what was found, the certificate, and what was assumed."""
    run = Run(results, with_charts=False)
    found = tuple(section for section in _found(run, LONG) if section.key in BRIEF)
    # Of no result there is nothing to prove, and nothing was assumed.
    behind = () if results.status == "none" else (certificate(run, checked=False), *assumptions(run))
    return Document(
        title=kicker(run),
        kicker=kicker(run),
        answer=answer(run),
        status=status(run),
        proven=results.certified,
        warnings=warnings(run),
        sections=(*found, *behind),
    )


def _sections(run: Run, checked: bool) -> Iterator[Section]:
    yield inputs_section(run)
    yield from _found(run)
    yield from assumptions(run)
    yield certificate(run, checked)
    yield reproduce(run)


def _found(run: Run, without: Sequence[Part] = ()) -> Iterator[Section]:
    """Yield what was found; nothing of what the checker refuses, and of a model of the user's own what it says.

    Parameters
    ----------
    without
        Parts that are left out.
    """
    if run.results.status != "refused":
        for part in PARTS if is_checked(run.results) else (own_model.own_model,):
            if part not in without:
                yield from part(run)


def write_comparison(
    one: Results,
    other: Results,
    path: str | Path,
    lang: str = "en",
    inline: bool = False,
    *,
    folders: tuple[str, str] = ("RUN", "RUN"),
) -> list[Path]:
    """Write a page with two runs side by side.

    Parameters
    ----------
    folders
        Names of the two run folders.

    Raises
    ------
    UsageError
        If the runs have nothing in common to show, or jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    with speaking(lang):
        # A summary of one run loads no charts of two.
        from etsopt.reports.run_comparison import run_comparison

        document = run_comparison(*(Run(run, name) for run, name in zip((one, other), folders, strict=True)))
        return write_document(document, Path(path), inline)


def write_chart(
    results: Results, kind: str, path: str | Path, lang: str = "en", year: int | None = None, inline: bool = False
) -> list[Path]:
    """Write a page with one chart of a run, which no check precedes, and beside it the script that draws it.

    Parameters
    ----------
    kind, year
        As in `etsopt.presenting.charts.chart_of`.
    inline
        True to write the script into the page.

    Raises
    ------
    UsageError
        If the run has no such chart, or jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    run = Run(results)
    with speaking(lang):
        figure = of_chart(run.about.instance, results.plot.chart(kind, year))
        return write_figure(figure, kicker(run), run.imprint, Path(path), inline)


def write_figure(figure: Figure, above: str, imprint: str, path: Path, inline: bool = False) -> list[Path]:
    """Write a page with one chart in the language of the moment, and beside it the script that draws it.

    Parameters
    ----------
    above, imprint
        Line above the title, and the last line of the page.
    """
    parts = (Section(figure.key, figure.title, (figure,)),)
    # Without a check the page states no verdict.
    document = Document(figure.title, above, figure.title, "", False, sections=parts, imprint=imprint)
    return write_document(document, path, inline, "chart.html")


def kicker(run: Run) -> str:
    """Return the line above the answer: instance, model and compliance year."""
    year = run.policy.get("year")
    when = _("compliance year {year}", year=year) if year else ""
    return " · ".join(str(part) for part in (run.about.instance, run.about.model, when) if part)


def write_document(document: Document, path: Path, inline: bool, template: str = "page.html") -> list[Path]:
    """Write a page in the language of the moment, and the library of charts beside it where it has any.

    Raises
    ------
    UsageError
        If jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    from etsopt.presenting.documents.html import library, page

    text = page(document, inline, template)
    written = [path]
    if document.charts and not inline:
        name, source = library()
        beside = path.parent / name
        if not beside.is_file() or beside.stat().st_size != len(source.encode()):
            write_file(beside, source)
        written.append(beside)
    write_file(path, text)
    return written
