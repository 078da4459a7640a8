"""Units and enterprises by the names that people have for them: identifiers first, then names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import MOST_COMPARED, did_you_mean
from etsopt.data.tables.text_columns import normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_CHOICES, MOST_NEAR = 30, 5
"""Units that a message lists to choose from, and near names that it suggests."""


def enterprise_of(name: str, units: pd.DataFrame, enterprises: pd.DataFrame | None) -> str:
    """Return the enterprise of a name: its identifier or name, or those of one of its units.

    Parameters
    ----------
    units
        With ``unit_id`` and ``enterprise_id``, and perhaps ``name``.
    enterprises
        With ``enterprise_id`` and perhaps ``name``, or None.

    Raises
    ------
    UsageError
        If there is no such name, or several enterprises have it.
    """
    name, names = normalise(name), _names_of(enterprises)
    owner = units["enterprise_id"].astype(str)
    candidates = (
        owner[owner == name],
        owner[owner.map(names) == name],
        owner[units["unit_id"] == name],
        owner[_column(units, "name") == name],
    )
    found = next((list(dict.fromkeys(one)) for one in candidates if len(one)), [])
    if not found:
        near = _near(name, [*owner, *names.values(), *units["unit_id"], *_column(units, "name")])
        advice = _("{near}The table of units lists its enterprises.", near=near)
        raise UsageError(_("The run has no enterprise {name}.", name=brief(name)), advice)
    if len(found) > 1:
        what = _("{count} enterprises have the name {name}.", count=len(found), name=brief(name))
        raise UsageError(what, _("Choose one of {names}.", names=_listed(found)))
    return found[0]


def unit_of(name: str, units: pd.DataFrame, enterprises: pd.DataFrame | None) -> str:
    """Return the unit of a name: its identifier or name, or those of an enterprise with one unit.

    Raises
    ------
    UsageError
        If there is no such name, or it is that of several units.
    """
    name, names = normalise(name), _names_of(enterprises)
    owner, own_name = units["enterprise_id"].astype(str), _column(units, "name")
    found = next(
        (
            one
            for one in (units["unit_id"] == name, own_name == name, (owner == name) | (owner.map(names) == name))
            if any(one)
        ),
        None,
    )
    if found is None:
        near = _near(name, [*units["unit_id"], *own_name, *owner, *names.values()])
        advice = _("{near}The table of units lists them.", near=near)
        raise UsageError(_("The instance has no unit {unit_id}.", unit_id=brief(name)), advice)
    chosen = units.loc[found, "unit_id"].astype(str).tolist()
    if len(chosen) > 1:
        of_names = [
            f"{one} ({own})" if own and own != one else one for one, own in zip(chosen, own_name[found], strict=True)
        ]
        what = _("{name} has {count} units.", name=brief(name), count=len(chosen))
        raise UsageError(what, _("Choose one of {names}.", names=_listed(of_names)))
    return chosen[0]


def _names_of(enterprises: pd.DataFrame | None) -> dict[str, str]:
    """Return the names of enterprises by their identifiers."""
    if enterprises is None or "name" not in enterprises:
        return {}
    return dict(zip(enterprises["enterprise_id"].astype(str), _column(enterprises, "name"), strict=True))


def _column(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column of texts; empty ones where a table has none."""
    if column not in table:
        return pd.Series("", table.index, dtype=object)
    return table[column].astype(object).where(table[column].notna(), "").astype(str)


def _near(name: str, known: Sequence[str]) -> str:
    """Return a sentence with the nearest names, ending in a space; empty without any.

    Names that contain what is asked for come first: people type the short form of a company.
    """
    known = list(dict.fromkeys(str(one) for one in known if one))
    if len(known) > MOST_COMPARED:
        return ""
    longer = [one for one in known if name and name in one]
    near = list(dict.fromkeys([*longer, *difflib.get_close_matches(name, known, MOST_NEAR)]))[:MOST_NEAR]
    return (
        _("The nearest names are {names}. ", names=_listed(near))
        if len(near) > 1
        else did_you_mean(name, near or known)
    )


def _listed(names: Sequence[str]) -> str:
    more = f", … ({len(names)})" if len(names) > MOST_CHOICES else ""
    return ", ".join(names[:MOST_CHOICES]) + more
