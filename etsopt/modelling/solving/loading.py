"""Load a program into HiGHS: check the status of each call, and count the loaded rows, columns and coefficients.

Pyomo's own interface ignores HiGHS's return codes: one coefficient of 1e15 makes HiGHS refuse every row, and the
answer still says "optimal".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import highspy
import numpy as np

from etsopt.common.errors import SolverError, UsageError, brief
from etsopt.common.language import _
from etsopt.modelling.solving.options import OWN_OPTIONS, WORDS
from etsopt.modelling.solving.silence import silenced

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program


LEAST_MEMORY, MEMORY_OF_A_COEFFICIENT = 1 << 24, 200
"""Memory [bytes] that has to be free where a program is loaded, and as much more for each of its coefficients."""


def construct() -> Any:
    """Return a new solver; from 1.16 on its constructor prints a banner, which is silenced."""
    with silenced():
        return highspy.Highs()


def require(status: Any, failure: str) -> None:
    """Raise unless a call returned without even a warning."""
    if status != highspy.HighsStatus.kOk:
        advice = _("The solver gave no reason; report it with the instance and the model.")
        raise SolverError(_("HiGHS: {failure} ({status}).", failure=failure, status=status), advice)


def set_options(highs: Any, options: dict[str, Any]) -> None:
    """Set options of HiGHS.

    Raises
    ------
    UsageError
        If an option is unknown, of the wrong type, out of its range, or names a file.
    """
    kinds = {
        highspy.HighsOptionType.kBool: bool,
        highspy.HighsOptionType.kInt: int,
        highspy.HighsOptionType.kDouble: float,
        highspy.HighsOptionType.kString: str,
    }
    for key, value in options.items():
        status, kind = highs.getOptionType(key)
        if status != highspy.HighsStatus.kOk:
            raise UsageError(
                _("HiGHS has no option {key}.", key=brief(key)),
                _("Choose one of those listed at https://highs.dev."),
            )
        wanted = kinds[kind]
        if wanted is str and key not in WORDS:
            what = _("The option {key} of HiGHS cannot be chosen: it names a file of the scaled program.", key=key)
            raise UsageError(what, _("Leave it out; --mps writes the program to a file."))
        given = float(value) if wanted is float and type(value) is int else value
        if type(given) is not wanted:
            what = _(
                "The option {key} of HiGHS is {value}: expected a {name}.",
                key=key,
                value=brief(value),
                name=wanted.__name__,
            )
            raise UsageError(what, _("Give a value of that type."))
        # HiGHS takes NaN for any number, which no comparison finds out of range.
        if given != given or highs.setOptionValue(key, given) != highspy.HighsStatus.kOk:
            raise UsageError(
                _("The option {key} of HiGHS is out of range: got {value}.", key=key, value=brief(value)),
                _("Change its value."),
            )


def load(highs: Any, program: Program, name: str) -> None:
    """Pass a program in one call, and count the rows, columns and coefficients that arrived."""
    objective, matrix = program.objectives[name], program.matrix
    rows, columns = matrix.shape
    # HiGHS does not look at every allocation that fails, and the process would end without a word.
    np.empty(LEAST_MEMORY + MEMORY_OF_A_COEFFICIENT * matrix.nnz, np.uint8)
    status = highs.passModel(
        columns,
        rows,
        matrix.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        objective.constant,
        objective.linear,
        program.column_lower,
        program.column_upper,
        program.row_lower,
        program.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data,
        program.integer.astype(np.int32),
    )
    require(status, "the program was not accepted")
    if objective.quadratic is not None:
        # HiGHS minimises half of x'Qx, so the diagonal is doubled, and neglects what is tiny with a warning.
        where = np.flatnonzero(np.abs(2 * objective.quadratic) > OWN_OPTIONS["small_matrix_value"])
        starts = np.searchsorted(where, np.arange(columns + 1)).astype(np.int32)
        status = highs.passHessian(
            columns, len(where), 1, starts, where.astype(np.int32), 2 * objective.quadratic[where]
        )
        require(status, "the quadratic objective was not accepted")
    loaded = (highs.getNumRow(), highs.getNumCol(), highs.getNumNz())
    if loaded != (rows, columns, matrix.nnz):
        what = _(
            "HiGHS holds a part of the program: expected {value} rows, columns and coefficients",
            value=(rows, columns, matrix.nnz),
        )
        raise SolverError(
            _("{what}, got {loaded}.", what=what, loaded=loaded),
            _("Report it with the instance and the model; nothing was solved."),
        )
