"""Consistency of an instance that has problems, so that those of a later check are reported beside them.

A table with a problem is left out; of the units alone, its columns. Reported is only what does not depend on these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.data.consistency import PAIR, validate_consistency
from etsopt.data.content import Content
from etsopt.data.policy.policy import Policy
from etsopt.data.tables.evidence import EVIDENCE
from etsopt.data.tables.schema import UNITS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pandas as pd

    from etsopt.common.errors import Problem

DEPENDENT = {
    "sector": ("sectors.", "abatement.output_cut.", "requires", *PAIR),
    "province": ("provinces.",),
    "generation_mwh": ("output_t",),
}
"""Beginnings of the columns and keys whose problems depend on a column of the units, beside those of its own name."""

OF_POLICY = ("year", "price_year")
"""Columns of further tables that are compared with the policy."""


def further_problems(
    frames: Mapping[str, pd.DataFrame],
    broken: Mapping[str, Collection[str]],
    policy: Policy | None,
    informal: bool,
    complete: bool,
) -> list[Problem]:
    """Return the inconsistencies of tables and policy that do not depend on what has a problem.

    Parameters
    ----------
    frames
        Tables that were read, by name.
    broken
        Columns of each that have a problem; empty texts for problems of the table.
    policy
        None if it has a problem.
    informal
        As `validate_consistency` takes it.
    complete
        True if every table and cell of the files is among ``frames``.
    """
    columns = {column.name: column for column in UNITS.columns}
    units, of_units = frames.get(UNITS.name), set(broken.get(UNITS.name, ()))
    if units is None or of_units & {"", *UNITS.key, "enterprise_id"}:
        return []
    unknown = of_units & columns.keys()
    if of_units - columns.keys():
        # A heading that is not understood may be meant for any column.
        unknown |= columns.keys() - {*units}
    if not complete:
        unknown |= {name for name, column in columns.items() if column.number and not column.required}
    if any(column.required and not column.number and name not in units for name, column in columns.items()):
        return []
    units = units.assign(**{name: np.nan for name in unknown & of_units if columns[name].number})
    others = {name: frame for name, frame in frames.items() if name != UNITS.name and not broken.get(name)}
    evidence = {table.name for table in EVIDENCE}
    if not complete or evidence & frames.keys() != evidence & others.keys():
        others = {name: frame for name, frame in others.items() if name not in evidence}
    # Of a policy that is not known nothing is reported; the checks of other tables need some.
    stated = policy or Policy.model_validate({"year": 2026, "rule": {"name": "cn"}})
    enterprises = others.pop("enterprises", None)
    content = Content("", units=units, enterprises=enterprises, policy=stated, **others)
    hidden = {key for name in unknown for key in (name, *DEPENDENT.get(name, ()))}
    hidden |= {*OF_POLICY} if policy is None else set()
    found = validate_consistency(content, informal, with_policy=policy is not None)
    return [problem for problem in found if not _depends(problem.column, hidden)]


def _depends(column: str, hidden: Collection[str]) -> bool:
    """Return True if a column, or one of several, is hidden, or begins as a hidden key of the policy does."""
    parts = column.replace(" or ", ", ").split(", ")
    return any(part == key or (key.endswith(".") and part.startswith(key)) for part in parts for key in hidden)
