"""Check raw tables against the schema, collecting every problem, and convert what is right."""

from __future__ import annotations

import difflib
import unicodedata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.data.schema import (
    LONGEST_IDENTIFIER,
    PLAUSIBLE_INTENSITY,
    UNITS,
    USER_COLUMN_PREFIX,
    Column,
    Table,
)
from etsopt.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.policy import Policy
    from etsopt.data.raw import RawTable

NUMBER_CHARACTERS = frozenset("0123456789.+-eE ")
SLIP = 100.0
"""An intensity this many times its sector's typical one, or this fraction of it, is a slip of units."""


def validate_table(raw: RawTable, table: Table) -> tuple[pd.DataFrame, list[Problem]]:
    """Check a table's columns and cells; return it with typed columns, sorted by its key.

    Optional numbers that are absent become NaN, optional texts the empty text.
    """
    problems = _problems_of_columns(raw, table)
    converted: dict[str, NDArray[Any]] = {}
    for name, cells in raw.columns.items():
        if name.startswith(USER_COLUMN_PREFIX):
            converted[name] = cells
        elif name in {column.name for column in table.columns}:
            column = table.column(name)
            converted[name], found = (_numbers if column.number else _texts)(raw, cells, column)
            problems += found
    if table.key in converted:
        problems += _problems_of_key(raw, converted[table.key], table.key)
    if not len(raw.rows):
        problems.append(Problem(raw.place, "has no rows", f"Add {table.meaning}."))
    # pandas would otherwise infer a dtype of its own from the cells; text stays plain Python text.
    frame = pd.DataFrame({name: pd.Series(cells, dtype=cells.dtype) for name, cells in converted.items()})
    if not problems:
        frame = frame.sort_values(table.key, kind="stable", ignore_index=True)
    return frame, problems


def _problems_of_columns(raw: RawTable, table: Table) -> list[Problem]:
    known = [column.name for column in table.columns]
    problems = []
    for column in table.columns:
        if column.required and column.name not in raw.columns:
            problems.append(
                Problem(raw.place, "the column is missing", f"Add it: {column.meaning}.", column.name)
            )
    for name in raw.columns:
        if name not in known and not name.startswith(USER_COLUMN_PREFIX):
            near = difflib.get_close_matches(name, known, 1)
            guess = f"Did you mean {near[0]!r}? " if near else ""
            advice = f"{guess}A column of your own starts with 'x_'."
            problems.append(Problem(raw.place, "is not a column of this table", advice, name))
    return problems


def _problem(
    raw: RawTable, column: Column, cells: NDArray[Any], bad: NDArray[np.bool_], what: str, advice: str
) -> Problem:
    """Name the bad cells of a column, in the order of the file."""
    where = np.flatnonzero(bad)
    shown = tuple((str(raw.rows[row]), str(cells[row])) for row in where)
    return Problem(raw.place, f"{len(where)} {what}", advice, column.name, shown)


def _numbers(raw: RawTable, cells: NDArray[Any], column: Column) -> tuple[NDArray[np.float64], list[Problem]]:
    """Convert a column of numbers and check its range."""
    unit = f" [{column.unit}]" if column.unit else ""
    if cells.dtype == object:
        stripped = np.array([str(cell).strip() for cell in cells], dtype=object)
        absent = stripped == ""
        readable = _readable(stripped) & ~absent
        values = np.full(len(cells), np.nan)
        values[readable] = stripped[readable].astype(float)
        unreadable = ~readable & ~absent
    else:
        values = np.asarray(cells, dtype=float)
        absent, unreadable = np.isnan(values), np.isinf(values)
    problems = []
    if unreadable.any():
        advice = (
            f"Write a plain finite number{unit}: digits with a point, no formula, separator, unit or NaN."
        )
        problems.append(_problem(raw, column, cells, unreadable, "cells are not numbers", advice))
    if column.required and absent.any():
        advice = f"Every row needs {column.meaning}{unit}."
        problems.append(_problem(raw, column, cells, absent, "cells are empty", advice))
    low = np.zeros(len(values), dtype=bool)
    limit = ""
    if column.at_least is not None:
        low, limit = values < column.at_least, f"at least {column.at_least:g}"
    if column.above is not None:
        low, limit = values <= column.above, f"above {column.above:g}"
    if low.any():
        advice = f"It is {limit}{unit}: {column.meaning}."
        problems.append(_problem(raw, column, cells, low, "values are out of range", advice))
    huge = values > 1e12
    if huge.any():
        advice = f"No unit has 1e12{unit} or more; an identifier or a unit may have slipped in."
        problems.append(_problem(raw, column, cells, huge, "values are far too large", advice))
    return values, problems


def _readable(cells: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which cells are plain finite numbers; Python alone would also take '1_000', 'nan' and full-width digits."""
    if set("".join(cells)) <= NUMBER_CHARACTERS:
        try:
            return np.isfinite(np.where(cells == "", "0", cells).astype(float))
        except ValueError:
            pass
    return np.array([_is_number(cell) for cell in cells], dtype=bool)


def _is_number(cell: str) -> bool:
    try:
        return set(cell) <= NUMBER_CHARACTERS and bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _texts(raw: RawTable, cells: NDArray[Any], column: Column) -> tuple[NDArray[Any], list[Problem]]:
    """Normalise a column of text and check what it may hold."""
    if cells.dtype != object:
        # A frame's numeric ids: whole numbers are written as such, and 15 digits are all that a double keeps.
        cells = np.array(["" if np.isnan(cell) else f"{cell:.15g}" for cell in cells], dtype=object)
    texts = np.array([unicodedata.normalize("NFKC", cell).strip() for cell in cells], dtype=object)
    problems = []
    empty = texts == ""
    if column.required and empty.any():
        advice = f"Every row needs it: {column.meaning}."
        problems.append(_problem(raw, column, cells, empty, "cells are empty", advice))
    formula = np.array([text.startswith(("=", "@", "+", "-")) for text in texts], dtype=bool)
    if formula.any():
        advice = "A spreadsheet would run it: write the text itself, and leave an absent one empty."
        problems.append(_problem(raw, column, cells, formula, "cells hold a formula", advice))
    if column.choices:
        wrong = ~np.isin(texts, column.choices) & ~empty
        if wrong.any():
            near = difflib.get_close_matches(str(texts[wrong][0]), column.choices, 1)
            guess = f"Did you mean {near[0]!r}? " if near else ""
            advice = f"{guess}It is one of {', '.join(column.choices)}."
            problems.append(_problem(raw, column, cells, wrong, "values are not known", advice))
    if column.identifier:
        unfit = np.array(
            [len(text) > LONGEST_IDENTIFIER or not text.isprintable() for text in texts], dtype=bool
        )
        if unfit.any():
            advice = f"Use at most {LONGEST_IDENTIFIER} printable characters on one line."
            problems.append(
                _problem(raw, column, cells, unfit, "identifiers are too long or unprintable", advice)
            )
    return texts, problems


def _problems_of_key(raw: RawTable, keys: NDArray[Any], name: str) -> list[Problem]:
    twice = pd.Series(keys).duplicated(keep=False).to_numpy() & (keys != "")
    if not twice.any():
        return []
    order = np.argsort(keys[twice], kind="stable")
    cells = tuple((str(raw.rows[row]), str(keys[row])) for row in np.flatnonzero(twice)[order])
    return [
        Problem(
            raw.place, f"{len(cells)} rows share an identifier", "Give each row one of its own.", name, cells
        )
    ]


def validate_together(units: pd.DataFrame, enterprises: pd.DataFrame | None, policy: Policy) -> list[Problem]:
    """Check what no table can show alone: references, quantities that belong together, slips of units."""
    problems = _problems_of_references(units, enterprises)
    problems += _problems_of_quantities(units)
    sectors, provinces = set(units["sector"]), set(units["province"])
    for sector in policy.sectors:
        if sector not in sectors:
            what = f"the sector {sector!r} has no unit"
            problems.append(
                Problem("policy.toml", what, "Remove its table, or add its units.", f"sectors.{sector}")
            )
        elif policy.sectors[sector].target_intensity is not None:
            problems += _problems_of_target_intensity(units, sector)
    if isinstance(policy.provinces.balance, dict):
        for province in sorted(set(policy.provinces.balance) - provinces):
            near = difflib.get_close_matches(province, sorted(provinces), 1)
            advice = f"Did you mean {near[0]!r}?" if near else "Remove it, or correct its name."
            what = f"the province {province!r} has no unit"
            problems.append(Problem("policy.toml", what, advice, "provinces.balance"))
    return problems


def _cells(units: pd.DataFrame, where: NDArray[np.bool_], column: str) -> tuple[tuple[str, str], ...]:
    """Name units instead of lines, since the rows are sorted by now."""
    rows = np.flatnonzero(where)
    return tuple((f"of {units['unit_id'].iat[row]}", f"{units[column].iat[row]:g}") for row in rows)


def _problems_of_references(units: pd.DataFrame, enterprises: pd.DataFrame | None) -> list[Problem]:
    if enterprises is None:
        return []
    missing = sorted(set(units["enterprise_id"]) - set(enterprises["enterprise_id"]))
    if not missing:
        return []
    cells = tuple((identifier, "") for identifier in missing)
    what = f"{len(missing)} enterprises of units.csv have no row"
    return [Problem("enterprises.csv", what, "Add them, or leave the table out.", "enterprise_id", cells)]


def _problems_of_quantities(units: pd.DataFrame) -> list[Problem]:
    problems = []
    emissions = units["emissions_tco2e"].to_numpy()
    if "intensity_emissions_tco2e" in units:
        part = units["intensity_emissions_tco2e"].to_numpy()
        above = part > emissions * (1 + 1e-9)
        if above.any():
            what = f"{above.sum()} values exceed the unit's whole emissions"
            advice = "They are a part of emissions_tco2e: ironmaking and sintering of a steel enterprise."
            cells = _cells(units, above, "intensity_emissions_tco2e")
            problems.append(Problem(UNITS.file, what, advice, "intensity_emissions_tco2e", cells))
    output, part = intensity_base(units)
    intensity = np.divide(part, output, out=np.full(len(units), np.nan), where=output > 0)
    typical = units["sector"].map(PLAUSIBLE_INTENSITY).to_numpy(dtype=float)
    ratio = intensity / typical
    slip = (ratio > SLIP) | ((ratio < 1 / SLIP) & (part > 0))
    if slip.any():
        factor = 10 ** round(float(np.log10(np.median(ratio[slip]))))
        what = f"{slip.sum()} units have about {factor:g} times their sector's plausible intensity"
        advice = "Emissions are in tonnes and output in tonnes: check for kt, 10 000 t (万吨) or kg in one of them."
        shown = tuple(
            (f"of {units['unit_id'].iat[row]}", f"{intensity[row]:.3g} t/t") for row in np.flatnonzero(slip)
        )
        problems.append(Problem(UNITS.file, what, advice, "emissions_tco2e or output_t", shown))
    return problems


def _problems_of_target_intensity(units: pd.DataFrame, sector: str) -> list[Problem]:
    here = (units["sector"] == sector).to_numpy()
    if "output_t" not in units:
        absent = here
    else:
        absent = here & np.isnan(units["output_t"].to_numpy())
    if not absent.any():
        return []
    what = f"{absent.sum()} units of {sector} have no output, but its target is an intensity"
    cells = tuple((f"of {units['unit_id'].iat[row]}", "") for row in np.flatnonzero(absent))
    return [
        Problem(UNITS.file, what, "Fill the column, or state target_change or target_t.", "output_t", cells)
    ]


def intensity_base(units: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Output and emissions on which a unit's intensity is measured, shapes ``(units,)`` [t, tCO2e].

    Where the columns of the intensity are absent, those of the whole unit stand in; NaN where there is no output.
    """
    nothing = np.full(len(units), np.nan)
    output = units["output_t"].to_numpy(dtype=float) if "output_t" in units else nothing
    emissions = units["emissions_tco2e"].to_numpy(dtype=float)
    if "intensity_output_t" in units:
        part = units["intensity_output_t"].to_numpy(dtype=float)
        output = np.where(np.isnan(part), output, part)
    if "intensity_emissions_tco2e" in units:
        part = units["intensity_emissions_tco2e"].to_numpy(dtype=float)
        emissions = np.where(np.isnan(part), emissions, part)
    return output, emissions
