"""Numbers of an outcome that a design is judged by: goals to make small or large, and limits to keep."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from etsopt.common.language import _
from etsopt.data.policy.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from etsopt.studies.sweeping.outcome import Label

TAKE: dict[str, Callable[[list[float]], float]] = {
    "sum": math.fsum,
    "least": min,
    "largest": max,
    "mean": lambda values: math.fsum(values) / len(values),
}


class Number(Section):
    """One number of an outcome: a column of a table, of some of its rows, taken together."""

    table: str = Field(description="table of the result, or levels for the objectives")
    quantity: str = Field(description="column of the table; of levels: value")
    sector: str | None = Field(None, description="rows of this sector alone")
    province: str | None = Field(None, description="rows of this province alone")
    year: int | None = Field(None, description="rows of this year alone")
    id: str | None = Field(None, description="row of this enterprise, unit or objective alone")
    take: Literal["sum", "least", "largest", "mean"] = Field("sum", description="what is taken of several rows")

    def of(self, values: Mapping[Label, float]) -> float | None:
        """Return the number of an outcome; None if it has no such row."""
        found = [values[label] for label in self._labels(values)]
        return float(TAKE[self.take](found)) if found else None

    def unit(self, values: Mapping[Label, float]) -> str | None:
        """Return the unit of the number of an outcome; None if it has no such row."""
        return next((label.unit for label in self._labels(values)), None)

    def _labels(self, values: Mapping[Label, float]) -> list[Label]:
        asked = [("table", self.table), ("quantity", self.quantity), ("sector", self.sector)]
        asked += [("province", self.province), ("year", None if self.year is None else str(self.year)), ("id", self.id)]
        wanted = [(name, text) for name, text in asked if text is not None]
        return [label for label in values if all(getattr(label, name) == text for name, text in wanted)]


class Goal(Number):
    """A number to make as small or as large as possible."""

    best: Literal["least", "largest"] = Field("least", description="what is best")


class Limit(Number):
    """A number that has to stay within limits."""

    at_least: float | None = Field(None, description="least value")
    at_most: float | None = Field(None, description="largest value")

    @model_validator(mode="after")
    def _some_limit(self) -> Limit:
        if self.at_least is None and self.at_most is None:
            raise ValueError(_("states no limit"), _("State at_least, at_most, or both."))
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(_("states limits that nothing keeps"), _("State at_least below at_most."))
        return self

    def excess(self, value: float) -> float:
        """Return how far a value is beyond the limits, zero or less within them, in units of the limit.

        >>> limit = Limit(table="years", quantity="price_cny_per_t", at_most=200.0)
        >>> limit.excess(300.0), limit.excess(150.0)
        (0.5, -0.25)
        """
        sides = [] if self.at_least is None else [(self.at_least - value) / (abs(self.at_least) or 1.0)]
        sides += [] if self.at_most is None else [(value - self.at_most) / (abs(self.at_most) or 1.0)]
        return max(sides)
