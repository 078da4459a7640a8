"""The keys along which scenarios differ, as axes, and scenarios named by their values along these."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import _, joined
from etsopt.presenting.charts.designs import Axis, phrases
from etsopt.presenting.documents.keys import axis_of, axis_of_texts, key_words
from etsopt.studies.sweeping.statistics import BASE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd


def decision_axes(stated: Mapping[str, Any]) -> tuple[Axis, ...]:
    """Return the axes of decisions in the order of the scenarios: named ones, each key of the grid, and lists.

    Parameters
    ----------
    stated
        Parts of the sweep file. One that has a single element is no axis.
    """
    parts: list[Axis] = []
    if names := stated.get("scenarios"):
        parts.append(axis_of_texts(_("scenario"), [*names], alone=True))
    parts += [axis_of(key, values) for key, values in (stated.get("grid") or {}).items()]
    if lists := stated.get("paired"):
        parts.append(_paired({key: axis_of(key, values) for key, values in lists.items()}))
    shape = [len(one.places) for one in parts]
    places = np.unravel_index(np.arange(math.prod(shape)), shape) if shape else ()
    found = (one.of(at) for one, at in zip(parts, places, strict=True))
    return tuple(one for one in found if len(one.steps()) > 1)


def _paired(lists: Mapping[str, Axis]) -> Axis:
    """Return the axis of lists that are taken together, whose values are those of all."""
    if len(lists) == 1:
        return next(iter(lists.values()))
    words = joined(key_words(key) for key in lists)
    return axis_of_texts(words, phrases([*lists.values()]), alone=True)


def drawn_axes(stated: Mapping[str, Any], scenarios: pd.DataFrame) -> tuple[Axis, ...]:
    """Return the axes of keys that all rows draw as one, of all scenarios."""
    values = (stated.get("sample") or {}).get("values") or {}
    keys = [key for key, one in values.items() if one.get("each") != "row" and key in scenarios]
    return tuple(axis_of(key, scenarios[key].tolist()) for key in keys)


def names_of(stated: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return scenarios by their values and draws, such as ``band of cement 3 %/sample-07``; each name is another.

    >>> stated = {"grid": {"sectors.cement.target_change": [0.0, -0.008]}}
    >>> names_of(stated, ["grid-1", "grid-2"])
    ['target of cement 0 %', 'target of cement −0.8 %']
    """
    axes = decision_axes(stated)
    if not axes and "sample" not in stated and len(names) > 1:
        # No file states by what they differ.
        return [*names]
    decisions = phrases(axes) if axes else [next(iter(stated.get("scenarios") or {}), "")]
    draws = len(names) // len(decisions)
    states = [name.rpartition("/")[2] for name in names] if "sample" in stated else [""] * len(names)
    seen: Counter[str] = Counter()
    distinct = []
    for one in decisions:
        seen[one] += 1
        # Values that differ in later digits than are shown, or are stated twice.
        distinct.append(f"{one} ({seen[one]})" if seen[one] > 1 else one)
    found = ("/".join(filter(None, (distinct[at // draws], state))) for at, state in enumerate(states))
    return [one or BASE for one in found]
