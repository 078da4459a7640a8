"""A chart as data, for any library that draws: panels of series with their texts in the language of the moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SECTOR_COLOURS = {"cement": "#8d6540", "steel": "#2b8ccf", "aluminium": "#e2670c", "power": "#8b3fdb"}
RULE, CHOSEN, OTHER, PRICE, FREE, PAID = "#868686", "#2b8ccf", "#e2670c", "#d6336c", "#dcd6cd", "#b9a98f"
"""Colours of sectors, of the rule alone, of the answer, of what stands against it, of prices, and of free and paid
allowances. All but the last two, which are drawn with an outline, stand out from white and from dark pages."""

PALETTE = ("#2b8ccf", "#e2670c", "#8b3fdb", "#8d6540", "#476786", "#c42b05", "#d07d46", "#ed14c1", "#868686")
"""Colours of series without one of their own; the last is for all others."""

SHADES = ("#9fd8a4", "#7acaaf", "#59bcbb", "#41abc6", "#3299c9", "#2c84c2", "#2868ad", "#234a94")
"""Colours of classes of a value from low to high, which grow darker, and stand out from white and from dark pages."""


def shades(count: int) -> list[str]:
    """Return colours of so many series in an order, which grow darker from the first to the last.

    >>> shades(2), len(set(shades(36)))
    (['#9fd8a4', '#234a94'], 36)
    """
    parts = [[int(one[place : place + 2], 16) for one in SHADES] for place in (1, 3, 5)]
    places = np.linspace(0, len(SHADES) - 1, count)
    mixed = np.rint([np.interp(places, range(len(SHADES)), part) for part in parts]).astype(int).T.tolist()
    return ["#" + "".join(f"{part:02x}" for part in one) for one in mixed]


Style = Literal["marked", "plain", "dashed", "thin", "hollow", "hatched"]

FEWEST_ROWS = 6
"""Categories that a horizontal panel has room for, at least."""


def ink_on(colour: str) -> str:
    """Return black or white, whichever is read better on a colour.

    >>> ink_on("#93d3a2"), ink_on("#2456a0")
    ('#000000', '#ffffff')
    """
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#000000" if 0.3 * red + 0.59 * green + 0.11 * blue > 128 else "#ffffff"


@dataclass(frozen=True)
class Series:
    """Points, a line, bars or an area.

    Parameters
    ----------
    kind
        ``points``, ``line``, ``bars`` (over each other, if there are several), ``stack`` (bars on those before), or
        ``area`` (between `base` and `y`, so light that one shows through another).
    name
        Its name in the legend; empty for none.
    x, y
        Numbers, or texts for categories, shape ``(points,)``.
    colour
        In hexadecimal.
    labels
        What each point is, for charts that show it on demand.
    sizes
        Weight of each point, which its area is in proportion to, at most 1.
    style
        Of a line: ``marked`` at its points, ``plain``, ``dashed``, or ``thin``, of which many lie over each other; of
        points: ``hollow``, or filled; of bars: ``hatched``, or filled.
    widths
        Widths of bars along the axis of categories or years; None for equal ones that fill it.
    base
        Where each bar or area begins; None for zero.
    texts
        What is printed on each bar.
    reach
        Least and largest value that bars over classes count, if these are known: their places are middles of classes.
    """

    kind: Literal["points", "line", "bars", "stack", "area"]
    name: str
    x: NDArray[np.float64] | NDArray[np.object_]
    y: NDArray[np.float64] | NDArray[np.object_]
    colour: str
    labels: NDArray[np.object_] | None = None
    sizes: NDArray[np.float64] | None = None
    style: Style = "marked"
    widths: NDArray[np.float64] | None = None
    base: NDArray[np.float64] | None = None
    texts: NDArray[np.object_] | None = None
    reach: tuple[float, float] | None = None


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
    x_ticks, y_ticks
        Places on the axes and their texts, of several lines if need be; none to leave them to the drawing. With both,
        places are no amounts, and readers see the labels of points alone.
    wide
        True for a panel that needs the width of a page.
    """

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    shaded: tuple[tuple[float, float], ...] = ()
    shaded_axis: Literal["x", "y"] = "y"
    horizontal: bool = False
    x_limits: tuple[float, float] | None = None
    y_limits: tuple[float, float] | None = None
    x_ticks: tuple[tuple[float, str], ...] = ()
    y_ticks: tuple[tuple[float, str], ...] = ()
    wide: bool = False

    @property
    def years(self) -> list[int]:
        """Years of the x axis, in order; none if it has other values."""
        values = {value for series in self.series for value in series.x.tolist()}
        of_years = not self.horizontal and all(2000 < one < 2100 and one == round(one) for one in values)
        return sorted(int(one) for one in values) if of_years else []

    @property
    def rows(self) -> int:
        """Number of categories of a horizontal panel; 0 for another."""
        return len({str(name) for series in self.series for name in series.y}) if self.horizontal else 0

    @property
    def row_limits(self) -> tuple[float, float]:
        """Ends of the axis of categories, with room around few of them, so that no bar becomes a block."""
        room = max(0, FEWEST_ROWS - self.rows) / 2
        return -0.6 - room, self.rows - 0.4 + room

    def widths(self, series: Series) -> NDArray[np.float64] | float:
        """Return the widths of bars: stated, or 0.8 of a category or year, or all of a bin."""
        if series.widths is not None:
            return series.widths
        return 0.8 if self.horizontal or self.years or len(series.x) < 2 else float(series.x[1] - series.x[0])

    def categories(self, series: Series) -> list[str]:
        """Return the categories of a series of a horizontal panel."""
        return [str(name) for name in series.y]


@dataclass(frozen=True)
class Chart:
    """Panels side by side under a title."""

    kind: str
    title: str
    panels: tuple[Panel, ...] = field(default_factory=tuple)
