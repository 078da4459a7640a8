"""Evidence on monthly quantities: positions of units, quantities, statements and terms, and their consistency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import Problem
from etsopt.common.language import _
from etsopt.data.messages import counted
from etsopt.data.tables.evidence import EVIDENCE, QUANTITIES, STATEMENTS, TERMS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.content import Content

    Positions = NDArray[np.int64]
    Floats = NDArray[np.float64]


def positions(table: pd.DataFrame, column: str, among: pd.DataFrame) -> Positions:
    """Return the row of `among` that has the ``unit_id`` and the ``column`` of each row, shape ``(rows,)``; -1 if none.

    `among` is sorted by both, as every validated table is, and each pair occurs once.
    """
    unit, name = (
        pd.factorize(np.concatenate([among[key].to_numpy(), table[key].to_numpy()]))[0] for key in ("unit_id", column)
    )
    pair = unit * (int(name.max(initial=0)) + 1) + name
    known, wanted = pair[: len(among)], pair[len(among) :]
    order = np.argsort(known, kind="stable")
    place = np.minimum(np.searchsorted(known[order], wanted), max(len(known) - 1, 0))
    if not len(known):
        return np.full(len(wanted), -1)
    found = order[place]
    return np.where(known[found] == wanted, found, -1)


def numbers(table: pd.DataFrame, column: str) -> Floats:
    """Return a column of numbers, NaN throughout if the table has none."""
    return table[column].to_numpy(dtype=float) if column in table else np.full(len(table), np.nan)


def ranges(statements: pd.DataFrame) -> tuple[Floats, Floats]:
    """Return the least and the largest value of each statement; minus and plus infinity without a limit."""
    value = numbers(statements, "value")
    lower, upper = numbers(statements, "lower"), numbers(statements, "upper")
    low, high = np.where(np.isnan(lower), value, lower), np.where(np.isnan(upper), value, upper)
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def problems_of_evidence(instance: Content) -> list[Problem]:
    """Return the inconsistencies of quantities, statements and terms with each other and with the units."""
    tables = [getattr(instance, table.name) for table in EVIDENCE]
    present = [table for table, frame in zip(EVIDENCE, tables, strict=True) if frame is not None]
    if not present:
        return []
    if len(present) < len(EVIDENCE):
        missing = [table.file for table in EVIDENCE if table not in present]
        what = _("is present without {missing}", missing=" and ".join(missing))
        return [
            Problem(
                present[0].file,
                what,
                _("Add {missing}, or leave all three tables out.", missing=" and ".join(missing)),
            )
        ]
    return [*_of_units(instance), *_of_reports(tables[0]), *_of_statements(tables[1]), *_of_terms(*tables)]


def _problem(
    table: pd.DataFrame, bad: NDArray[np.bool_], place: str, column: str, text: tuple[str, str, str]
) -> list[Problem]:
    """Return a problem of some rows, named by their unit and their own identifier; none without any."""
    if not bad.any():
        return []
    own = table.columns[table.columns.isin(["quantity_id", "statement_id"])][0]
    rows = table[bad]
    cells = tuple((f"of {unit}", str(name)) for unit, name in zip(rows["unit_id"], rows[own], strict=True))
    return [Problem(place, counted(int(bad.sum()), *text[:2]), text[2], column, cells)]


def _of_units(instance: Content) -> list[Problem]:
    problems = []
    for table in EVIDENCE:
        frame = getattr(instance, table.name)
        text = (_("unit is not in units.csv"), _("units are not in units.csv"), _("Correct them, or add the units."))
        unknown = ~frame["unit_id"].isin(instance.units["unit_id"]).to_numpy()
        problems += _problem(frame, unknown, table.file, "unit_id", text)
    return problems


def _of_reports(quantities: pd.DataFrame) -> list[Problem]:
    reported, uncertainty = numbers(quantities, "reported"), numbers(quantities, "uncertainty")
    text = (
        _("reported quantity has no uncertainty"),
        _("reported quantities have no uncertainty"),
        _("State how far each may be off, in its own unit."),
    )
    problems = _problem(quantities, ~np.isnan(reported) & np.isnan(uncertainty), QUANTITIES.file, "uncertainty", text)
    text = (
        _("quantity is above the largest possible one"),
        _("quantities are above the largest possible ones"),
        _("State a larger `most`: the report may be false, yet it has to be possible."),
    )
    with np.errstate(invalid="ignore"):
        above = np.fmax(reported, numbers(quantities, "substitute")) > numbers(quantities, "most")
    return problems + _problem(quantities, above, QUANTITIES.file, "most", text)


def _of_statements(statements: pd.DataFrame) -> list[Problem]:
    lower, upper = ranges(statements)
    value = numbers(statements, "value")
    text = (
        _("statement has neither a value nor a limit"),
        _("statements have neither a value nor a limit"),
        _("State value, lower or upper."),
    )
    problems = _problem(statements, np.isinf(lower) & np.isinf(upper), STATEMENTS.file, "value", text)
    text = (
        _("statement has a value outside its limits"),
        _("statements have a value outside their limits"),
        _("State limits with lower <= value <= upper."),
    )
    with np.errstate(invalid="ignore"):
        wrong = (lower > upper) | (value < lower) | (value > upper)
    return problems + _problem(statements, wrong, STATEMENTS.file, "lower, upper", text)


def _of_terms(quantities: pd.DataFrame, statements: pd.DataFrame, terms: pd.DataFrame) -> list[Problem]:
    quantity, statement = positions(terms, "quantity_id", quantities), positions(terms, "statement_id", statements)
    text = (
        _("term has an unknown quantity"),
        _("terms have unknown quantities"),
        _("Correct it, or add it to {file}.", file=QUANTITIES.file),
    )
    problems = _problem(terms, quantity < 0, TERMS.file, "quantity_id", text)
    text = (
        _("term has an unknown statement"),
        _("terms have unknown statements"),
        _("Correct it, or add it to {file}.", file=STATEMENTS.file),
    )
    problems += _problem(terms, statement < 0, TERMS.file, "statement_id", text)
    without = np.bincount(statement[statement >= 0], minlength=len(statements)) == 0
    text = (_("statement has no terms"), _("statements have no terms"), _("Add them to {file}.", file=TERMS.file))
    return problems + _problem(statements, without, STATEMENTS.file, "statement_id", text)
