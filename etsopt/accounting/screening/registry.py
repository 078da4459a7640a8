"""Registry of the rules of screening: name, official kind, source and thresholds of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etsopt.common import modules
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    Function = Callable[..., pd.DataFrame]

KINDS = ("extreme", "threshold", "correlation", "logic")
"""The four kinds of check of the national platform."""


@dataclass(frozen=True)
class Rule:
    """A rule of screening.

    Parameters
    ----------
    name, kind
        Its name, and one of `KINDS`.
    source
        Text or assumption that it rests on.
    function
        Returns findings of a `Material`: ``unit_id``, ``month``, ``item``, ``size_t``, ``reason`` and ``reason_zh``.
    thresholds
        Numbers that a user may set, with their defaults.
    """

    name: str
    kind: str
    source: str
    function: Function
    thresholds: Mapping[str, float]

    @property
    def summary(self) -> str:
        """First line of the function's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


RULES: dict[str, Rule] = {}
"""Rules by name."""


def rule(name: str, kind: str, source: str, **thresholds: float) -> Callable[[Function], Function]:
    """Enter a function in the registry under a name; its thresholds are passed to it by name.

    Raises
    ------
    UsageError
        If the kind is none of the four, a threshold no number, or another module has a rule of that name.
    """
    if kind not in KINDS:
        what = _(
            "Kind {kind} of rule {name} is unknown: expected one of {kinds}.",
            kind=brief(kind),
            name=brief(name),
            kinds=", ".join(KINDS),
        )
        raise UsageError(what, _("Name the kind that fits best."))
    for key, value in thresholds.items():
        _number(name, key, value)

    def enter(function: Function) -> Function:
        known = RULES.get(name)
        if known is not None and known.function.__module__ != function.__module__:
            raise UsageError(
                _("A rule of screening is named {name} already.", name=brief(name)), _("Choose another name.")
            )
        RULES[name] = Rule(name, kind, source, function, thresholds)
        return function

    return enter


def thresholds_of(changes: Mapping[str, Any] | None) -> dict[str, dict[str, float]]:
    """Return the thresholds of all rules, with changes by nested or dotted keys.

    Raises
    ------
    UsageError
        If there is no such rule or threshold, or a value is no number.
    """
    found = {name: dict(one.thresholds) for name, one in RULES.items()}
    for key, value in _flat(changes or {}):
        name, _dot, threshold = key.partition(".")
        if name not in found:
            advice = _("{guess}The rules are {found}.", guess=did_you_mean(name, found), found=", ".join(found))
            raise UsageError(_("There is no rule of screening {name}.", name=brief(name)), advice)
        if threshold not in found[name]:
            known = ", ".join(f"{name}.{one}" for one in found[name]) or "nothing"
            raise UsageError(
                _("Rule {name} has no threshold {threshold}.", name=name, threshold=brief(threshold)),
                _("It can be set: {known}.", known=known),
            )
        found[name][threshold] = _number(name, threshold, value)
    return found


def _flat(changes: Mapping[str, Any], before: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in changes.items():
        name = f"{before}{key}"
        pairs += _flat(value, f"{name}.") if isinstance(value, Mapping) else [(name, value)]
    return pairs


def _number(name: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise UsageError(
            _(
                "Threshold {name}.{key} is {value}: expected a number from 0 on.",
                name=name,
                key=key,
                value=brief(value),
            ),
            _("Correct it."),
        )
    return float(value)


def load_file(path: Path) -> list[str]:
    """Load a Python file of rules; return the names of those that it enters.

    Raises
    ------
    UsageError
        If there is no such file, it fails, or it enters no rule.
    """
    module = modules.load_file(path, "rule", UsageError, passed=(UsageError,))
    names = [one.name for one in RULES.values() if one.function.__module__ == module.__name__]
    if not names:
        what = _("The rule file {path!r} enters no rule of screening.", path=str(path))
        advice = _("Decorate a function with `@rule(name, kind, source)`; etsopt/accounting/README.md has an example.")
        raise UsageError(what, advice)
    return names
