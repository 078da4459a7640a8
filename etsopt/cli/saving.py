"""Where `etsopt solve --out` writes: a run folder, and beside it a workbook if that is what was named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.language import is_chinese
from etsopt.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.results.results import Results


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
    from etsopt.results.run_folder import holds_run

    load_xlsxwriter(out.name)
    folder = out.with_suffix("")
    if out.exists() and not holds_run(folder):
        what = f"{str(out)!r} exists, and {str(folder)!r} holds no run that it would belong to."
        raise UsageError(what, "Name another file: a result does not replace a workbook of your own.")
    return out, folder


def save_workbook(result: Results, workbook: Path | None, options: Namespace) -> None:
    """Write the workbook, if one was named."""
    if workbook is not None:
        from etsopt.reports.workbook import write_result_workbook

        write_result_workbook(result, workbook, is_chinese(options.lang), str(options.out))


def about(result: Results, folder: Path, workbook: Path | None, written: bool) -> str:
    """Return the sentence on what was written."""
    if written:
        again = f"; `etsopt check {folder}` checks it again" if result.provenance["checked"] else ""
        place = folder if workbook is None else f"{workbook}, and with every digit to the run folder {folder}"
        return f"Written to {place}{again}."
    why = "There is no result" if result.status == "none" else "The result was refused and a run exists there"
    return f"{why}: nothing is written to {workbook or folder}."
