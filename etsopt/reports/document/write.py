"""Pages of a run: its report, the letter of an enterprise, and two runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.data.files.atomic import write_file
from etsopt.reports.document import allocation, market, other
from etsopt.reports.document.answer import answer, key_figures, status
from etsopt.reports.document.asked import asked
from etsopt.reports.document.certificate import assumptions, certificate, reproduce
from etsopt.reports.document.content import Document, Run
from etsopt.reports.document.layout import library, page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.document.content import Section
    from etsopt.results.results import Results

PARTS = (
    *(allocation.relaxed, market.unmet, allocation.totals, other.compliance, market.prices, allocation.rates),
    *(market.quantities, market.balance_values, market.measures, allocation.provinces, allocation.enterprises),
    *(market.traders, allocation.binding, other.reconciliation, other.reviews, other.own_model, allocation.units),
)
"""Sections between what was asked and what stands behind it, in their order."""


def write_report(
    results: Results, path: str | Path, lang: str = "en", inline: bool = False, violations: int | None = None
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
    violations
        Number of statements that did not hold when the run was checked for this page; None if it was not.

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
    return _write(report(results, lang, violations), Path(path), inline)


def report(results: Results, lang: str = "en", violations: int | None = None) -> Document:
    """Return the report of a run, apart from its layout."""
    run = Run(results, lang == "zh", _folder(results))
    return Document(
        lang=lang,
        title=f"{run.about['instance']}: {run.about['model']}",
        kicker=kicker(run),
        answer=answer(run),
        status=status(run),
        proven=results.certified,
        figures=() if results.status == "refused" else key_figures(run),
        sections=tuple(_sections(run, violations)),
        imprint=imprint(run),
    )


def _sections(run: Run, violations: int | None) -> Iterator[Section]:
    yield asked(run)
    if run.results.status != "refused":
        for part in PARTS:
            yield from part(run)
    yield from assumptions(run)
    yield certificate(run, violations)
    yield reproduce(run)


def kicker(run: Run) -> str:
    """Return the line above the answer: instance, model and compliance year."""
    year = run.policy.get("year")
    when = run.say(f"compliance year {year}", f"{year}年度") if year else ""
    return " · ".join(part for part in (run.about["instance"], run.about["model"], when) if part)


def imprint(run: Run) -> str:
    """Return the last line of a page."""
    version = (run.about.get("versions") or {}).get("etsopt", "")
    digest = str(run.about.get("instance_hash", ""))[:16]
    return run.say(f"etsopt {version}, instance {digest}…", f"etsopt {version},算例 {digest}…")


def _folder(results: Results) -> str:
    """Return the name of the folder of a loaded run; empty for one just solved."""
    return str(results.held) if isinstance(results.held, Path) else ""


def _write(document: Document, path: Path, inline: bool) -> list[Path]:
    """Write a page, and the library of charts beside it where it has any."""
    text = page(document, inline)
    written = [path]
    if document.charts and not inline:
        name, source = library()
        beside = path.parent / name
        if not beside.is_file() or beside.stat().st_size != len(source.encode()):
            write_file(beside, source)
        written.append(beside)
    write_file(path, text)
    return written
