"""Comparison of two allocations, and what a result needs to be compared or reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _
from etsopt.running.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


COMPARED = {"allocation": "unit_id", "sectors": "sector", "provinces": "province"}
"""Tables that `compare` takes, and the key column of each."""

SOLVE_AGAIN = _("Solve again; a table of a run is not changed by hand.")


def policy_differences(
    one: Mapping[str, Any], other: Mapping[str, Any], before: str = ""
) -> dict[str, tuple[Any, Any]]:
    """Return the values of each dotted key in which two policies differ, None where it is not stated.

    >>> policy_differences({"rule": {"slope": 0.15}, "year": 2025}, {"rule": {"slope": 0.2}, "year": 2025})
    {'rule.slope': (0.15, 0.2)}
    """
    found: dict[str, tuple[Any, Any]] = {}
    for key in dict.fromkeys((*one, *other)):
        values = one.get(key), other.get(key)
        if any(isinstance(value, dict) for value in values):
            first, second = (value if isinstance(value, dict) else {} for value in values)
            found |= policy_differences(first, second, f"{before}{key}.")
        elif values[0] != values[1]:
            found[f"{before}{key}"] = values
    return found


def require(
    results: Results, texts: Mapping[str, Sequence[str]], numbers: Mapping[str, Sequence[str]], subject: str
) -> None:
    """Check that a result, which may come from a damaged folder, has tables and columns.

    Parameters
    ----------
    texts, numbers
        Columns of each table with strings, and with numbers.
    subject
        Name of the result in the message.

    Raises
    ------
    DataError
        With every missing table and column, and every column of another type.
    """
    problems = []
    for name in dict.fromkeys((*texts, *numbers)):
        place, table = f"tables/{name}", results.tables.get(name)
        if table is None:
            problems.append(Problem(place, _("the table is missing"), SOLVE_AGAIN))
            continue
        for column in (*texts.get(name, ()), *numbers.get(name, ())):
            if column not in table:
                problems.append(Problem(place, _("the column is missing"), SOLVE_AGAIN, column))
            elif column in numbers.get(name, ()):
                if not pd.api.types.is_numeric_dtype(table[column]) and len(table):
                    problems.append(Problem(place, _("does not hold numbers"), SOLVE_AGAIN, column))
            elif pd.api.types.infer_dtype(table[column], skipna=False) not in ("string", "empty"):
                problems.append(Problem(place, _("does not hold texts"), SOLVE_AGAIN, column))
    if problems:
        raise DataError(subject, problems)


def compare(one: Results, other: Results) -> dict[str, pd.DataFrame]:
    """Return the difference of two allocations, the second minus the first, by unit, sector and province [t].

    Raises
    ------
    UsageError
        If one of them holds no allocation, or their units differ.
    DataError
        If a table or column is missing, or a key occurs twice.
    """
    for run in (one, other):
        if not isinstance(run, Results):
            raise UsageError(_("A run is needed, not {run!r}.", run=run), _("Read one: etsopt.load(FOLDER)."))
    if "allocation" not in one.tables or "allocation" not in other.tables:
        raise UsageError(_("One of the two runs holds no allocation."), _("Compare runs with an allocation."))
    for run, subject in ((one, "The first run"), (other, "The second run")):
        keys = {name: (key,) for name, key in COMPARED.items()}
        require(run, keys, dict.fromkeys(COMPARED, ("emissions_tco2e", "allowance_t")), subject)
        repeated = [name for name, key in COMPARED.items() if run.tables[name][key].duplicated().any()]
        problems = [Problem(f"tables/{name}", _("names a row twice"), SOLVE_AGAIN, COMPARED[name]) for name in repeated]
        if problems:
            raise DataError(subject, problems)
    if set(one.tables["allocation"]["unit_id"]) != set(other.tables["allocation"]["unit_id"]):
        raise UsageError(
            _("The two runs do not have the same units."), _("Compare runs of one instance, under two policies.")
        )
    differences = {}
    for name, key in COMPARED.items():
        columns = [key, "emissions_tco2e", "allowance_t"]
        both = one.tables[name][columns].merge(
            other.tables[name][columns], on=key, how="outer", suffixes=("_one", "_other")
        )
        both["difference_t"] = both["allowance_t_other"] - both["allowance_t_one"]
        differences[name] = both
    return differences
