"""Where `etsopt solve --out` writes: a run folder, and beside it a workbook if that is what was named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.checking.theorem import default_gap
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.running.results.claims import is_judged, is_program

if TYPE_CHECKING:
    from collections.abc import Collection

    from etsopt.running.results.results import Results


def places(out: Path | None) -> tuple[Path | None, Path | None]:
    """Return the workbook and the run folder that ``--out`` asks for: the folder of a workbook has its name.

    Raises
    ------
    UsageError
        If a workbook is named and xlsxwriter is not installed, or the file is there and no workbook of a run. It is
        raised before the solve, so that none is in vain.
    """
    if out is None or out.suffix.lower() != ".xlsx" or out.is_dir():
        return None, out
    from etsopt.data.files.spreadsheet import load_xlsxwriter

    load_xlsxwriter(out.name)
    folder = out.with_suffix("")
    require_of_run(out, folder)
    return out, folder


def require_of_run(workbook: Path, folder: Path) -> None:
    """Refuse a workbook that is there, and is none of the run of a folder."""
    from etsopt.running.results.run_folder import holds_run

    if workbook.exists() and not holds_run(folder):
        what = _(
            "{out!r} exists, and {folder!r} holds no run that it would belong to.",
            out=str(workbook),
            folder=str(folder),
        )
        raise UsageError(what, _("Name another file: a result does not replace a workbook of your own."))


def require_alike(folder: Path, ends: Collection[str]) -> None:
    """Refuse a folder with a run for runs at both ends of an interval, which have folders in it, and the other way."""
    from etsopt.running.ends import ENDS
    from etsopt.running.results.run_folder import holds_run

    if holds_run(folder) if ends else any(holds_run(folder / end) for end in ENDS):
        what = _("{folder!r} holds a run that would lie beside what is written.", folder=str(folder))
        raise UsageError(
            what, _("Name another folder: runs at both ends of an interval have folders of their own in it.")
        )


def at_end(file: Path | None, end: str) -> Path | None:
    """Return a file beside that of a run, which has the end of an interval in its name."""
    return file.with_stem(f"{file.stem}-{end}") if file is not None and end else file


def save_workbook(result: Results, workbook: Path | None, folder: Path) -> None:
    """Write the workbook of a run folder, if one was named."""
    if workbook is not None:
        from etsopt.reports.workbook import write_result_workbook

        write_result_workbook(result, workbook, str(folder))


def gap_of(result: Results) -> str:
    """Return the option by which a check accepts the gap that a result was solved to; empty if it does anyway."""
    asked, accepted = result.provenance.options.gap, default_gap(result.provenance.model)
    return f" --gap {asked:g}" if result.status in ("certified_gap", "certified_program") and asked > accepted else ""


def about(result: Results, folder: Path, workbook: Path | None, written: bool, model: str = "") -> str:
    """Return the sentence on what was written, of a model as the command names it."""
    if written:
        again = _("; `etsopt check {folder}{gap}` checks it again", folder=folder, gap=gap_of(result))
        if is_program(result):
            text = _("; `etsopt check {folder} --model {model}{gap}` checks it again")
            again = _(text, folder=folder, model=model, gap=gap_of(result))
        place = (
            folder
            if workbook is None
            else _("{workbook}, and with every digit to the run folder {folder}", workbook=workbook, folder=folder)
        )
        return _("Written to {place}{again}.", place=place, again=again if is_judged(result) else "")
    why = _("There is no result") if result.status == "none" else _("The result was refused and a run exists there")
    return _("{why}: nothing is written to {place}.", why=why, place=workbook or folder)
