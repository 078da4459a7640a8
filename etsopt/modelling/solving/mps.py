"""Programs as MPS files; a write leaves the whole old file or the whole new one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.files.atomic import replaced
from etsopt.modelling.solving.loading import construct, load, require, set_options

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.modelling.program.program import Program

LAST_LINE = f"ENDATA{os.linesep}".encode()


def write_mps(program: Program, name: str, path: Path) -> None:
    """Write one objective of a program as MPS, unscaled, with names.

    Raises
    ------
    UsageError
        If the name of the file does not end in ``.mps``, or it could not be written to its end.
    OSError
        With the name of the file.
    SolverError
        If the program is refused.
    """
    if path.suffix != ".mps":
        raise UsageError(
            _("The file {path!r} does not end in .mps.", path=str(path)),
            _("Name one that does: HiGHS takes the format from it."),
        )
    with replaced(path) as part:
        # If a file cannot be written HiGHS gives no reason, but the operating system does.
        part.open("wb").close()
        _write(program, name, part)
        if part.is_file() and not _is_complete(part):
            advice = _("Make room, or name another place; what was there before is still there.")
            raise UsageError(_("The file {path!r} could not be written to its end.", path=str(path)), advice)


def _write(program: Program, name: str, path: Path) -> None:
    """Let HiGHS write a program, every row and column named after its component and its position in it."""
    highs = construct()
    set_options(highs, {"output_flag": False})
    load(highs, program, name)
    for slices, pass_name in ((program.rows, highs.passRowName), (program.columns, highs.passColName)):
        for block, part in slices.items():
            for position in range(part.start, part.stop):
                require(pass_name(position, f"{block}_{position - part.start}"), f"{block} could not be named")
    require(highs.writeModel(str(path)), f"the file {path} could not be written")


def _is_complete(path: Path) -> bool:
    """Return True if a file has its last line: on a full disk HiGHS reports success for a partial file."""
    with path.open("rb") as file:
        file.seek(-min(len(LAST_LINE), path.stat().st_size), os.SEEK_END)
        return file.read() == LAST_LINE
