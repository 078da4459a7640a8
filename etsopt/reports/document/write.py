"""Pages of a run: its report, the letter of an enterprise, two runs side by side, and a single chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.data.files.atomic import write_file
from etsopt.language import LANGUAGE, _, speaking
from etsopt.reports.document import allocation, investment, market, other
from etsopt.reports.document.answer import answer, status
from etsopt.reports.document.asked import asked
from etsopt.reports.document.beside import beside
from etsopt.reports.document.certificate import assumptions, certificate, reproduce
from etsopt.reports.document.content import Document, Run, Section, Told
from etsopt.reports.document.figures import of_chart
from etsopt.reports.document.key_figures import key_figures
from etsopt.reports.document.layout import library, page
from etsopt.reports.document.letter import addressee, letter
from etsopt.reports.monthly_sheets import file_name
from etsopt.results.claims import is_checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.charts.chart import Chart
    from etsopt.results.results import Results

PARTS = (
    *(
        allocation.relaxed,
        market.unmet,
        other.missing_days,
        investment.investment,
        allocation.totals,
        other.compliance,
        market.prices,
        allocation.rates,
    ),
    *(market.quantities, market.balance_values, market.measures, allocation.provinces, allocation.enterprises),
    *(market.traders, allocation.binding, other.reconciliation, other.reviews, allocation.units),
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
    return write_document(report(results, lang, folder, checked), Path(path), inline)


def report(results: Results, lang: str = "en", folder: str = "RUN", checked: bool = False) -> Document:
    """Return the report of a run, apart from its layout."""
    run = Run(results, folder)
    with speaking(lang):
        return Document(
            lang=lang,
            title=f"{run.about['instance']}: {run.about['model']}",
            kicker=kicker(run),
            answer=answer(run),
            status=status(run),
            proven=results.certified,
            figures=key_figures(run) if is_checked(results) and results.status != "refused" else (),
            sections=tuple(_sections(run, checked)),
            imprint=imprint(run),
        )


def _sections(run: Run, checked: bool) -> Iterator[Section]:
    yield asked(run)
    if run.results.status != "refused":
        for part in PARTS if is_checked(run.results) else (other.own_model,):
            yield from part(run)
    yield from assumptions(run)
    yield certificate(run, checked)
    yield reproduce(run)


def write_letter(
    results: Results, enterprise: str, path: str | Path, lang: str = "en", *, folder: str = "RUN"
) -> list[Path]:
    """Write the letter of an enterprise, one page.

    Parameters
    ----------
    enterprise
        Its identifier or name, or that of one of its units.
    path
        File to write, or a folder, where the file is named by the enterprise.

    Raises
    ------
    UsageError
        If the run has no such enterprise or several, or jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    run, path = Run(results, folder), Path(path)
    with speaking(lang):
        found = addressee(run, enterprise)
        path = path / f"letter-{file_name(found)}.html" if path.is_dir() else path
        write_file(path, page(letter(run, found), template="letter.html"))
    return [path]


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
        document = beside(*(Run(run, name) for run, name in zip((one, other), folders, strict=True)))
    return write_document(document, Path(path), inline)


def write_chart(
    results: Results, kind: str, path: str | Path, lang: str = "en", year: int | None = None, inline: bool = False
) -> list[Path]:
    """Write a page with one chart of a run, which no check precedes, and beside it the script that draws it.

    Parameters
    ----------
    kind, year
        As in `etsopt.charts.chart_of`.
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
        return write_figure(run, results.plot.chart(kind, year), kicker(run), Path(path), inline)


def write_figure(told: Told, chart: Chart, above: str, path: Path, inline: bool = False) -> list[Path]:
    """Write a page with one chart in the language of the moment, and beside it the script that draws it.

    Parameters
    ----------
    above
        Line above the title.
    """
    figure = of_chart(told, chart)
    parts = (Section(figure.key, figure.title, (figure,)),)
    # Without a check the page states no verdict.
    document = Document(
        LANGUAGE.get(), figure.title, above, figure.title, "", False, sections=parts, imprint=imprint(told)
    )
    return write_document(document, path, inline, "chart.html")


def kicker(run: Run) -> str:
    """Return the line above the answer: instance, model and compliance year."""
    year = run.policy.get("year")
    when = _("compliance year {year}", year=year) if year else ""
    return " · ".join(str(part) for part in (run.about["instance"], run.about["model"], when) if part)


def imprint(run: Told) -> str:
    """Return the last line of a page."""
    version = (run.about.get("versions") or {}).get("etsopt", "")
    digest = str(run.about.get("instance_hash", ""))[:16]
    return _("etsopt {version}, instance {digest}…", version=version, digest=digest)


def write_document(document: Document, path: Path, inline: bool, template: str = "page.html") -> list[Path]:
    """Write a page, and the library of charts beside it where it has any; return the files.

    Raises
    ------
    UsageError
        If jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
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
