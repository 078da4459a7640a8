"""Letters in files: that of an enterprise, found by any of its names, or those to all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.language import _, speaking
from etsopt.data.files.atomic import write_file
from etsopt.presenting.explanation.named import enterprise_of
from etsopt.reports.files import file_name, write_each
from etsopt.reports.letter import letter, units_of
from etsopt.reports.run import Run

if TYPE_CHECKING:
    from etsopt.running.results.results import Results

LETTER = "letter-{}.html"
"""Name of the file of a letter."""


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
    from etsopt.presenting.documents.html import page

    run, path = Run(results, folder), Path(path)
    with speaking(lang):
        found = addressee(run, enterprise)
        path = path / LETTER.format(file_name(found)) if path.is_dir() else path
        write_file(path, page(letter(run, found), template="letter.html"))
    return [path]


def write_letters(results: Results, folder: str | Path, lang: str = "en", *, run_folder: str = "RUN") -> list[Path]:
    """Write the letter of every enterprise into a folder, all of them or none; earlier letters in it are replaced.

    Raises
    ------
    UsageError
        If the run has no table of units, or jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written; the folder is unchanged.
    """
    from etsopt.presenting.documents.html import page

    run = Run(results, run_folder)

    def made(enterprise: str) -> str:
        return page(letter(run, enterprise), template="letter.html")

    with speaking(lang):
        return write_each(Path(folder), LETTER, addressees(run), made, _("writing letters"))


def addressees(run: Run) -> list[str]:
    """Return the identifiers of all enterprises of a run.

    Raises
    ------
    UsageError
        If the run has no table of units.
    """
    return sorted(units_of(run)["enterprise_id"].unique())


def addressee(run: Run, name: str) -> str:
    """Return the identifier of the enterprise that a name means: its own, or that of one of its units.

    Raises
    ------
    UsageError
        If the run has no table of units, or no such enterprise or several.
    """
    enterprises = run.results.instance.enterprises if run.results.held is not None else run.tables.get("enterprises")
    return enterprise_of(name, units_of(run), enterprises)
