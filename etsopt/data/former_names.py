"""Names of version 0.1.0, accepted for one release with a warning.

An instance keeps its hash whichever names it was written with: `as_hashed` gives the former ones.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from etsopt.errors import DataError, FormerNameWarning, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MODELS = {"settlement": "compliance", "allocation_relief": "allocation_elastic"}
METHODS = {"stamped": "direct", "reference": "pyomo", "merged": "aggregation", "prices": "decomposition"}
OBJECTIVES = {"worst": "largest_change"}
"""Objectives of ``allocation.objectives``."""

SECTIONS = {"settlement": "compliance"}
"""Sections of ``policy.toml``."""

KEYS = {
    "allocation": {"fair_order": "intensity_order", "whole_allowances": "integer_allowances"},
    "abatement": {"pays_by_itself": "no_regret"},
}
"""Keys of a section, by its present name."""

VALUES = {"no_regret": {"taken": "include", "left": "exclude"}}
"""Values of a key, by its present name."""

COLUMNS = {"units": {"case": "special_case"}}
"""Columns of a table of an instance."""


def current(kind: str, names: Mapping[str, str], name: str) -> str:
    """Return the present name of a model, method or column, with a warning where the former one is given."""
    if name not in names:
        return name
    _warn([f"the {kind} {name!r} is now {names[name]!r}"])
    return names[name]


def current_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a solve with the present name of a method."""
    method = options.get("method")
    return {**options, "method": current("method", METHODS, method)} if isinstance(method, str) else dict(options)


def current_policy(content: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the content of a policy file under present names, with a warning that lists the former ones.

    Raises
    ------
    DataError
        Where a key is stated under both names.
    """
    told: list[str] = []
    found = _renamed(content, SECTIONS, "", told, place)
    for section, keys in KEYS.items():
        if isinstance(stated := found.get(section), dict):
            found[section] = _renamed(stated, keys, f"{section}.", told, place)
    if isinstance(allocation := found.get("allocation"), dict) and isinstance(allocation.get("objectives"), list):
        former = [name for name in allocation["objectives"] if isinstance(name, str) and name in OBJECTIVES]
        told += [f"the objective {name!r} is now {OBJECTIVES[name]!r}" for name in former]
        objectives = [OBJECTIVES[name] if name in former else name for name in allocation["objectives"]]
        found["allocation"] = {**allocation, "objectives": objectives}
    if told:
        _warn([f"{place}: {', '.join(told)}"])
    return found


def _renamed(
    stated: Mapping[str, Any], names: Mapping[str, str], above: str, told: list[str], place: str
) -> dict[str, Any]:
    """Return a table with its keys, and the values of those renamed, under present names; add what to tell."""
    found: dict[str, Any] = {}
    for key, value in stated.items():
        name = names.get(key, key)
        if name != key:
            if name in stated:
                what = f"is the former name of {above}{name}, which is stated too"
                raise DataError("The policy", [Problem(place, what, "Keep the new one.", f"{above}{key}")])
            told.append(f"{above}{key} is now {above}{name}")
            if isinstance(value, str):
                value = VALUES.get(name, {}).get(value, value)
        found[name] = value
    return found


def current_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes of a policy, by dotted paths, under present names, with a warning as `current_policy` gives."""
    told, found = [], {}
    for path, value in changes.items():
        section, *rest = str(path).split(".")
        section = SECTIONS.get(section, section)
        if rest and (name := KEYS.get(section, {}).get(rest[0])) is not None:
            rest = [name, *rest[1:]]
            value = VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value
        now = ".".join([section, *rest])
        told += [f"{path} is now {now}"] if now != str(path) else []
        found[now] = value
    if told:
        _warn(told)
    return found


def current_columns(table: str, columns: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the columns of a table of an instance under present names, with a warning that lists the former ones."""
    names = {old: new for old, new in COLUMNS.get(table, {}).items() if old in columns and new not in columns}
    if not names:
        return dict(columns)
    _warn([f"{place}: the column {old!r} is now {new!r}" for old, new in names.items()])
    return {names.get(name, name): cells for name, cells in columns.items()}


def columns_as_hashed(table: str, columns: Iterable[str]) -> dict[str, str]:
    """Return the columns of a table by the names that its hash is made of, in their order."""
    former = {new: old for old, new in COLUMNS.get(table, {}).items()}
    return dict(sorted((former.get(column, column), column) for column in columns))


def as_hashed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a policy, as `Policy.content` gives it, by the names that its hash is made of."""
    found = dict(content)
    for section, keys in KEYS.items():
        if section in found:
            found[section] = _as_hashed(found[section], keys)
    if "allocation" in found:
        former = {new: old for old, new in OBJECTIVES.items()}
        objectives = [former.get(name, name) for name in found["allocation"]["objectives"]]
        found["allocation"] = {**found["allocation"], "objectives": objectives}
    return {old: found.pop(new) for old, new in SECTIONS.items() if new in found} | found


def _as_hashed(stated: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    found = dict(stated)
    for old, new in keys.items():
        if new in found:
            value = found.pop(new)
            former = {present: past for past, present in VALUES.get(new, {}).items()}
            found[old] = former.get(value, value) if isinstance(value, str) else value
    return found


def _warn(told: list[str]) -> None:
    what = f"{'; '.join(told)}. Former names are accepted until the next release."
    warnings.warn(what[0].upper() + what[1:] if what.startswith("the ") else what, FormerNameWarning, stacklevel=3)
