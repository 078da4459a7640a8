"""Designs none of which beats another, and the volume that they leave behind, which compares searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def front_of(costs: Floats) -> NDArray[np.bool_]:
    """Return True for each design that no other beats: better in one goal and not worse in any.

    Parameters
    ----------
    costs
        Goals of each design, less is better, shape ``(designs, goals)``; of equal designs each is kept.

    >>> front_of(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 3.0], [3.0, 1.0]])).tolist()
    [True, True, False, True]
    """
    front = np.ones(len(costs), dtype=bool)
    for place, one in enumerate(costs):
        beaten = (costs <= one).all(axis=1) & (costs < one).any(axis=1)
        front[place] = not beaten.any()
    return front


def hypervolume(costs: Floats, reference: Floats) -> float:
    """Return the volume between designs and a reference that all goals are better than, of one to four goals.

    It is found by slices along the last goal: between two of its values the volume of the goals before it is the same.

    >>> hypervolume(np.array([[1.0, 3.0], [2.0, 2.0], [3.0, 1.0]]), np.array([4.0, 4.0]))
    6.0
    """
    costs = costs[(costs < reference).all(axis=1)]
    if not len(costs):
        return 0.0
    if costs.shape[1] == 1:
        return float(reference[0] - costs.min())
    ordered = costs[np.argsort(costs[:, -1], kind="stable")]
    ends = np.append(ordered[1:, -1], reference[-1])
    volume = 0.0
    for count, (low, high) in enumerate(zip(ordered[:, -1], ends, strict=True), 1):
        if high > low:
            volume += (high - low) * hypervolume(ordered[:count, :-1], reference[:-1])
    return float(volume)
