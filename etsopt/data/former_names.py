"""Names of version 0.1.0, accepted for one release with a warning.

The hash of an instance does not depend on the names in its files: `as_hashed` returns the former ones.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from etsopt.errors import DataError, FormerNameWarning, Problem, warn
from etsopt.wording import message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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

MOVED = ("abatement", "follow_emissions_until"), ("pathway", "self_balancing_until")
"""A key of another section, before and now. Its years held the balance values before abatement, now those after it."""

VALUES = {"no_regret": {"taken": "include", "left": "exclude"}}
"""Values of a key, by its present name."""

COLUMNS = {"units": {"case": "special_case"}}
"""Columns of a table of an instance."""


def current(kind: str, names: Mapping[str, str], name: str) -> str:
    """Return the present name of a model, method or column, and warn if a former one is stated."""
    if name not in names:
        return name
    _warn([f"the {kind} {name!r} is now {names[name]!r}"])
    return names[name]


def current_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a solve with the present name of the method."""
    method = options.get("method")
    return {**options, "method": current("method", METHODS, method)} if isinstance(method, str) else dict(options)


def current_policy(content: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the content of a policy file under present names, and warn with a list of the former ones.

    Raises
    ------
    DataError
        If a key is stated under both names.
    """
    renamed: list[str] = []
    current_content = _renamed(content, SECTIONS, "", renamed, place)
    for section, keys in KEYS.items():
        if isinstance(stated := current_content.get(section), dict):
            current_content[section] = _renamed(stated, keys, f"{section}.", renamed, place)
    _move(current_content, renamed, place)
    allocation = current_content.get("allocation")
    if isinstance(allocation, dict) and isinstance(allocation.get("objectives"), list):
        former = [name for name in allocation["objectives"] if isinstance(name, str) and name in OBJECTIVES]
        renamed += [f"the objective {name!r} is now {OBJECTIVES[name]!r}" for name in former]
        objectives = [OBJECTIVES[name] if name in former else name for name in allocation["objectives"]]
        current_content["allocation"] = {**allocation, "objectives": objectives}
    if renamed:
        _warn([f"{place}: {', '.join(renamed)}"])
    return current_content


def _move(content: dict[str, Any], renamed: list[str], place: str) -> None:
    """Move the key that now stands in another section, and list it in ``renamed``."""
    (section, key), (now_in, name) = MOVED
    stated, present = content.get(section), content.get(now_in, {})
    if not isinstance(stated, dict) or key not in stated or not isinstance(present, dict):
        return
    if name in present:
        what = message("is the former name of {now_in}.{name}, which is also stated", now_in=now_in, name=name)
        raise DataError("The policy", [Problem(place, what, "Keep the present one.", f"{section}.{key}")])
    content[section] = {other: value for other, value in stated.items() if other != key}
    content[now_in] = {**present, name: stated[key]}
    renamed.append(
        message(
            "{section}.{key} is now {now_in}.{name}, with balance values after abatement",
            section=section,
            key=key,
            now_in=now_in,
            name=name,
        )
    )


def _renamed(
    stated: Mapping[str, Any], names: Mapping[str, str], above: str, renamed: list[str], place: str
) -> dict[str, Any]:
    """Return a table with its keys, and the values of renamed keys, under present names; list these in ``renamed``."""
    table: dict[str, Any] = {}
    for key, value in stated.items():
        name = names.get(key, key)
        if name != key:
            if name in stated:
                what = message("is the former name of {above}{name}, which is also stated", above=above, name=name)
                raise DataError("The policy", [Problem(place, what, "Keep the present one.", f"{above}{key}")])
            renamed.append(message("{above}{key} is now {above}{name}", above=above, key=key, name=name))
            if isinstance(value, str):
                value = VALUES.get(name, {}).get(value, value)
        table[name] = value
    return table


def current_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changes of a policy, by dotted paths, under present names, and warn as `current_policy` does."""
    renamed, present = [], {}
    for path, value in changes.items():
        section, *rest = str(path).split(".")
        section = SECTIONS.get(section, section)
        if rest and (name := KEYS.get(section, {}).get(rest[0])) is not None:
            rest = [name, *rest[1:]]
            value = VALUES.get(name, {}).get(value, value) if isinstance(value, str) else value
        if (section, ".".join(rest)) == MOVED[0]:
            section, *rest = MOVED[1]
        now = ".".join([section, *rest])
        renamed += [f"{path} is now {now}"] if now != str(path) else []
        present[now] = value
    if renamed:
        _warn(renamed)
    return present


def current_columns(table: str, columns: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return the columns of a table of an instance under present names, and warn with a list of the former ones."""
    names = {old: new for old, new in COLUMNS.get(table, {}).items() if old in columns and new not in columns}
    if not names:
        return dict(columns)
    _warn([f"{place}: the column {old!r} is now {new!r}" for old, new in names.items()])
    return {names.get(name, name): cells for name, cells in columns.items()}


def columns_as_hashed(table: str, columns: Iterable[str]) -> dict[str, str]:
    """Return the columns of a table by the names that enter its hash, in their order."""
    former = {new: old for old, new in COLUMNS.get(table, {}).items()}
    return dict(sorted((former.get(column, column), column) for column in columns))


def as_hashed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a policy, as in `Policy.content`, by the names that enter its hash."""
    hashed = dict(content)
    for section, keys in KEYS.items():
        if section in hashed:
            hashed[section] = _as_hashed(hashed[section], keys)
    if "allocation" in hashed:
        former = {new: old for old, new in OBJECTIVES.items()}
        objectives = [former.get(name, name) for name in hashed["allocation"]["objectives"]]
        hashed["allocation"] = {**hashed["allocation"], "objectives": objectives}
    return {old: hashed.pop(new) for old, new in SECTIONS.items() if new in hashed} | hashed


def _as_hashed(stated: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    hashed = dict(stated)
    for old, new in keys.items():
        if new in hashed:
            value = hashed.pop(new)
            former = {present: past for past, present in VALUES.get(new, {}).items()}
            hashed[old] = former.get(value, value) if isinstance(value, str) else value
    return hashed


@contextmanager
def accepted_silently() -> Iterator[None]:
    """Accept former names without a warning: the reader of a run did not choose its names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FormerNameWarning)
        yield


def _warn(renamed: list[str]) -> None:
    what = message("{renamed}. Former names are accepted until the next release.", renamed="; ".join(renamed))
    warn(what[0].upper() + what[1:] if what.startswith("the ") else what, FormerNameWarning)
