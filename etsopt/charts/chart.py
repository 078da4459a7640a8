"""A chart as data: panels of series with titles and axes in English and Chinese, for any library that draws."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Words = tuple[str, str]
"""A text in English and in Chinese."""

SECTOR_COLOURS = {"cement": "#8d6540", "steel": "#2b8ccf", "aluminium": "#e2670c", "power": "#8b3fdb"}
RULE, CHOSEN, OTHER, FREE, PAID = "#868686", "#2b8ccf", "#e2670c", "#dcd6cd", "#b9a98f"
"""Colours of sectors, of the rule alone, of the answer, of what stands against it, and of free and paid allowances."""


@dataclass(frozen=True)
class Series:
    """Points, a line or bars.

    Parameters
    ----------
    kind
        ``points``, ``line``, ``bars`` (side by side) or ``stack`` (bars on those before).
    name
        Its name in the legend; empty for none.
    x, y
        Numbers, or texts for categories, shape ``(points,)``.
    colour
        In hexadecimal.
    labels
        What each point is, for charts that show it on demand.
    sizes
        Weight of each point by which its area grows, at most 1.
    dashed
        True for a line that stands beside the others.
    """

    kind: Literal["points", "line", "bars", "stack"]
    name: Words
    x: NDArray[np.float64] | NDArray[np.object_]
    y: NDArray[np.float64] | NDArray[np.object_]
    colour: str
    labels: NDArray[np.object_] | None = None
    sizes: NDArray[np.float64] | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """One pair of axes.

    Parameters
    ----------
    title, x_label, y_label
        Texts.
    series
        From back to front.
    shaded
        Ranges to shade, such as a band.
    shaded_axis
        Axis of these ranges.
    horizontal
        True if values run along the x axis, and categories down the y axis.
    x_limits, y_limits
        Ends of the axes; None to fit the series.
    """

    title: Words
    x_label: Words
    y_label: Words
    series: tuple[Series, ...]
    shaded: tuple[tuple[float, float], ...] = ()
    shaded_axis: Literal["x", "y"] = "y"
    horizontal: bool = False
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None


@dataclass(frozen=True)
class Chart:
    """Panels side by side under a title."""

    kind: str
    title: Words
    panels: tuple[Panel, ...] = field(default_factory=tuple)
