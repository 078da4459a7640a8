"""The keys of a curve: each moves from one value to another, alone or together with others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import DataError, Problem, UsageError, brief
from etsopt.common.language import _
from etsopt.data.policy.keys import english_path, nested
from etsopt.data.policy.plausibility import doubtful_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

MOST_AXES = 2
"""Axes of a box; of more, regions are too many to meet one again."""


@dataclass(frozen=True)
class Axis:
    """Keys of the policy that move together, each from its first to its second value.

    Parameters
    ----------
    ends
        Both values by the dotted path of the key.
    """

    ends: Mapping[str, tuple[float, float]]

    @property
    def key(self) -> str:
        """The only key; empty if several move together, whose place runs from 0 to 1."""
        return next(iter(self.ends)) if len(self.ends) == 1 else ""

    @property
    def name(self) -> str:
        """The keys, in words."""
        return ", ".join(self.ends)

    def values(self, place: float) -> dict[str, float]:
        """Return the value of each key at a place from 0 to 1."""
        # The ends are exactly themselves.
        return {
            key: start if place == 0 else end if place == 1 else start + place * (end - start)
            for key, (start, end) in self.ends.items()
        }

    def shown(self, place: float) -> float:
        """Return what people read at a place: the value of the only key, else the place itself."""
        return self.values(place)[self.key] if self.key else place

    def place(self, value: float) -> float:
        """Return the place of a value of the only key, or of a place itself.

        Raises
        ------
        UsageError
            If it is outside the axis.
        """
        if not isinstance(value, Real):
            what = _("The place is {value}: expected a number.", value=brief(value))
            raise UsageError(what, _("A share is a fraction: -0.0073 is -0.73 %."))
        start, end = self.ends[self.key] if self.key else (0.0, 1.0)
        place = (value - start) / (end - start)
        if not 0 <= place <= 1:
            name = self.key or _("the place")
            what = _(
                "{value} is outside: {name} runs from {start:g} to {end:g}.",
                value=value,
                name=name,
                start=start,
                end=end,
            )
            raise UsageError(what, _("Ask within the range, or make a curve over a wider one."))
        return place


def axes_of(vary: Mapping[str, Any] | None, along: Mapping[str, Any] | None) -> tuple[Axis, ...]:
    """Return the axes of a curve: one for each key that varies by itself, or one for all that move along a line.

    Raises
    ------
    UsageError
        If there is none or too many, or a key has no two different numbers.
    """
    advice = _(
        'Name a key and its ends: {"sectors.cement.target_change": (-0.01, 0.0)} in Python, '
        "--vary sectors.cement.target_change=-0.01:0 on the command line."
    )
    if bool(vary) == bool(along):
        what = _("A curve needs a key that varies.") if not vary else _("A curve takes keys of `vary`, or of `along`.")
        raise UsageError(what, _("Keep one of them.") if vary else advice)
    if not isinstance(vary or along, Mapping):
        what = _("The keys are {stated}: expected a mapping with both ends of each.", stated=brief(vary or along))
        raise UsageError(what, advice)
    ends: dict[str, tuple[float, float]] = {}
    for stated, both in (vary or along or {}).items():
        key = ".".join(english_path(stated.split(".")))
        if key in ends:
            raise UsageError(_("{key} varies twice.", key=key), _("Keep one of them."))
        ends[key] = _ends(stated, both)
    if along:
        return (Axis(ends),)
    if len(ends) > MOST_AXES:
        what = _("{count} keys vary by themselves: expected {most} at most.", count=len(ends), most=MOST_AXES)
        raise UsageError(what, _("Move keys together on one line: `along` in Python, --along on the command line."))
    return tuple(Axis({key: both}) for key, both in ends.items())


def _ends(key: str, stated: Any) -> tuple[float, float]:
    """Return the two ends of a key."""
    try:
        start, end = (float(one) for one in stated)
    except (TypeError, ValueError):
        what = _("{key} varies over {stated}: expected two numbers.", key=key, stated=brief(stated))
        raise UsageError(what, _("Name both ends, as (-0.01, 0.0); on the command line KEY=-0.01:0.")) from None
    if not (math.isfinite(start) and math.isfinite(end)) or start == end:
        what = _(
            "{key} varies from {start:g} to {end:g}: expected two different numbers.", key=key, start=start, end=end
        )
        raise UsageError(what, _("Name two ends that differ."))
    return start, end


def instance_at(instance: Instance, axes: Sequence[Axis], point: NDArray[np.float64] | Sequence[float]) -> Instance:
    """Return the instance under the policy of a point, shape ``(axes,)`` from 0 to 1."""
    changes = {key: value for axis, place in zip(axes, point, strict=True) for key, value in axis.values(place).items()}
    return instance.with_policy(changes)


def doubts_of(instance: Instance, axes: Sequence[Axis]) -> list[str]:
    """Return a sentence on each value of the policy, or of an end, that is probably a slip of its unit of measure."""
    ends = (nested(axis.values(place)) for axis in axes for place in (0.0, 1.0))
    stated = [text for policy in (instance.policy.content, *ends) for text in doubtful_values(policy)]
    return list(dict.fromkeys(stated))


def corners(instance: Instance, axes: Sequence[Axis]) -> list[Instance]:
    """Return the instance under the policies of the origin and of the corner of each axis.

    Raises
    ------
    DataError
        With every problem of every corner.
    """
    found, problems = [], list[Problem]()
    for point in [[0.0] * len(axes), *([float(one == axis) for one in range(len(axes))] for axis in range(len(axes)))]:
        try:
            found.append(instance_at(instance, axes, point))
        except DataError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise DataError(_("The range of the curve"), problems)
    return found
