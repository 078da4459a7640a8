"""Charts of a result as methods: ``result.plot.surplus()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.charts.kinds import chart_of, kinds_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd


class Plots:
    """Charts of one result, each a figure of matplotlib; a notebook shows it, and ``savefig`` writes it.

    Every method takes ``lang``, ``en`` or ``zh``, and raises UsageError if the result has no table for the chart or
    matplotlib is not installed.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame], about: Mapping[str, Any]) -> None:
        self._tables, self._about = tables, about

    @property
    def kinds(self) -> list[str]:
        """Names of the charts that this result has the tables for."""
        return kinds_of(self._tables)

    def save(self, kind: str, path: str | Path, lang: str = "en") -> None:
        """Write a chart as SVG or PNG, by the suffix of the file."""
        from pathlib import Path

        from etsopt.charts.drawing import save

        save(chart_of(kind, self._tables, self._about), Path(path), lang)

    def draw(self, kind: str, lang: str = "en") -> Any:
        """Return a chart by its name."""
        from etsopt.charts.drawing import draw

        return draw(chart_of(kind, self._tables, self._about), lang)

    def surplus(self, lang: str = "en") -> Any:
        """Surplus rate of each unit by its intensity, beside the rule and a stated band."""
        return self.draw("surplus", lang)

    def rates(self, lang: str = "en") -> Any:
        """Distribution of surplus rates by sector."""
        return self.draw("rates", lang)

    def provinces(self, lang: str = "en") -> Any:
        """Surplus of each province, beside the rule."""
        return self.draw("provinces", lang)

    def enterprises(self, lang: str = "en") -> Any:
        """Enterprises with the most to buy and to sell."""
        return self.draw("enterprises", lang)

    def prices(self, lang: str = "en") -> Any:
        """Price of each year with the interval of prices that clear."""
        return self.draw("prices", lang)

    def emissions(self, lang: str = "en") -> Any:
        """Emissions of each year beside allowances."""
        return self.draw("emissions", lang)

    def measures(self, lang: str = "en") -> Any:
        """Abatement of each year by measure."""
        return self.draw("measures", lang)
