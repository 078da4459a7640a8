"""The price of a market for every value of a key: pieces, each proven as a whole, and what lies between."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from etsopt.common.offered import offered
from etsopt.studies.curves.line_curve import LineCurve
from etsopt.studies.curves.price_search import PricePiece, PriceSolver

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.presenting.charts.chart import Chart
    from etsopt.running.results.results import Results
    from etsopt.studies.curves.axes import Axis


class PricePoint(NamedTuple):
    """Prices at one value of the key.

    Parameters
    ----------
    price_cny_per_t
        By year, in CNY of `PriceCurve.price_unit`; empty where there is no price.
    status
        ``certified_optimal``, or the status of a solve.
    solved
        True if no proven piece had the answer, so that it was solved by itself.
    """

    price_cny_per_t: pd.Series[float]
    status: str
    solved: bool


class PriceCurve(LineCurve[PriceSolver, PricePiece]):
    """The price of every year along a line of policies; its anchor is the answer at its first place."""

    @property
    def axis(self) -> Axis:
        """The keys that move."""
        return self.solver.axis

    @property
    def price_unit(self) -> str:
        """Unit of the prices, in CNY of the price year."""
        return f"CNY {self.instance.policy.price_year}/t"

    @cached_property
    def pieces(self) -> pd.DataFrame:
        """Every piece, with the cost at both ends and the largest gap between.

        Columns: ``piece, from, to, cost_from_cny, cost_to_cny, gap_cny, tolerance_cny, certified``. ``from`` and ``to``
        are values of the key; of keys that move together places from 0 to 1.
        """
        rows = [
            (
                number,
                *(self.axis.shown(place) for place in (piece.start, piece.end)),
                *piece.verdict.values,
                piece.verdict.gap,
                piece.verdict.tolerance,
                piece.certified,
            )
            for number, piece in enumerate(self.cover.pieces, 1)
        ]
        names = ["piece", "from", "to", "cost_from_cny", "cost_to_cny", "gap_cny", "tolerance_cny", "certified"]
        return pd.DataFrame(rows, columns=names)

    @cached_property
    def prices(self) -> pd.DataFrame:
        """Prices of each year at both ends of every proven piece, between which they lie on a straight line.

        Columns: ``piece, year, price_from_cny_per_t, price_to_cny_per_t, price_unit``. Along sides of the market both
        are the same.
        """
        rows = [
            (number, year, start, end, self.price_unit)
            for number, piece in enumerate(self.cover.pieces, 1)
            if piece.certified and piece.verdict.prices is not None
            for year, start, end in zip(self.years, *piece.verdict.prices.tolist(), strict=True)
        ]
        return pd.DataFrame(rows, columns=["piece", "year", "price_from_cny_per_t", "price_to_cny_per_t", "price_unit"])

    @property
    def years(self) -> list[int]:
        """Compliance years of the prices."""
        return [*self.instance.policy.years]

    def at(self, value: float) -> PricePoint:
        """Return the prices at a value of the key; of keys that move together at a place from 0 to 1.

        From a proven piece it takes microseconds; elsewhere the market is solved and checked under that policy.

        Raises
        ------
        UsageError
            If the value is outside the curve.
        """
        place = self.axis.place(value)
        piece = self._piece_at(place)
        if piece is not None and piece.certified and piece.verdict.prices is not None:
            first, last = piece.verdict.prices
            share = (place - piece.start) / (piece.end - piece.start)
            return PricePoint(self._of_years(first + share * (last - first)), "certified_optimal", False)
        results = self.solver.results(place)
        table = results.tables.get("years")
        found = [] if table is None else table["price_cny_per_t"]
        return PricePoint(self._of_years(found), results.status, True)

    def _of_years(self, prices: Any) -> pd.Series[float]:
        years = pd.Index(self.years[: len(prices)], name="year")
        return pd.Series(list(prices), index=years, name="price_cny_per_t", dtype=float)

    def results(self, value: float) -> Results:
        """Solve the market at a value of the key, with all tables, as `etsopt.solve` does.

        Raises
        ------
        UsageError
            If the value is outside the curve.
        """
        return self.solver.results(self.axis.place(value))

    def chart(self) -> Chart:
        """Return the chart of the curve: the price by the key, a line for each year.

        Raises
        ------
        UsageError
            If no piece is proven.
        """
        drawn: Chart = offered("PriceCurve.chart")(self)
        return drawn

    def save(self, folder: str | Path, table_format: str = "csv") -> None:
        """Write the curve into a folder: pieces, prices, and the runs at their ends, which `etsopt check` proves.

        Raises
        ------
        UsageError
            If the folder holds something else.
        """
        offered("PriceCurve.save")(self, folder, table_format)
