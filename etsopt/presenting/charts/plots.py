"""Charts of a result as methods: ``result.plot.surplus()``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from etsopt.common.language import _, speaking
from etsopt.data.messages import did_you_mean
from etsopt.presenting.charts.kinds import chart_of, kinds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import pandas as pd

    from etsopt.common.provenance import Provenance
    from etsopt.data.instance import Instance
    from etsopt.presenting.charts.chart import Chart


class Plots:
    """Charts of one result, each a figure of matplotlib; a notebook shows it, and ``savefig`` writes it.

    Every method takes ``lang``, ``en`` or ``zh``, and raises UsageError if the result has no table for the chart or
    matplotlib is not installed. Charts of single years of a market take ``year`` as well: None for the first, the
    middle and the last.

    Parameters
    ----------
    tables, about
        Tables and provenance of the result.
    instance
        Returns its instance; None if it does not hold one.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        about: Provenance,
        instance: Callable[[], Instance] | None = None,
    ) -> None:
        self._tables, self._about, self._instance = tables, about, instance

    def __getattr__(self, name: str) -> NoReturn:
        near = "" if name.startswith("_") else did_you_mean(name, self.kinds)
        raise AttributeError(
            _("There is no chart {name!r}.\n\n{guess}`kinds` lists those of this result.", name=name, guess=near)
        )

    @property
    def kinds(self) -> list[str]:
        """Names of the charts that this result has the tables for."""
        return kinds_of(self._tables, self._read_instance())

    def chart(self, kind: str, year: int | None = None) -> Chart:
        """Return a chart by its name, as data in the language of the moment."""
        return chart_of(kind, self._tables, self._about, self._read_instance(), year)

    def _read_instance(self) -> Instance | None:
        """Return the instance of a market, an investment or a compliance year; no other chart reads one."""
        reads = any(name in self._tables for name in ("years", "investment_summary", "compliance"))
        return self._instance() if self._instance is not None and reads else None

    def save(self, kind: str, path: str | Path, lang: str = "en", year: int | None = None) -> None:
        """Write a chart as SVG or PNG, by the suffix of the file."""
        from pathlib import Path

        from etsopt.presenting.charts.drawing import save

        with speaking(lang):
            save(self.chart(kind, year), Path(path))

    def draw(self, kind: str, lang: str = "en", year: int | None = None) -> Any:
        """Return a chart by its name."""
        from etsopt.presenting.charts.drawing import draw

        with speaking(lang):
            return draw(self.chart(kind, year))

    def figures(self, kind: str, lang: str = "en", year: int | None = None) -> list[dict[str, Any]]:
        """Return the panels of a chart as figures that one can hover, plain data in the JSON schema of plotly.

        ``plotly.graph_objects.Figure(figure)`` shows one in a notebook, and plotly's script on a page.
        """
        from etsopt.presenting.charts.interactive import figures

        with speaking(lang):
            return figures(self.chart(kind, year))

    def surplus(self, lang: str = "en") -> Any:
        """Surplus rate of each unit by its intensity, beside the rule and a stated band."""
        return self.draw("surplus", lang)

    def moved(self, lang: str = "en") -> Any:
        """Allowances that limits move against the rule: what units of each sector and province give up and gain."""
        return self.draw("moved", lang)

    def intensity(self, lang: str = "en") -> Any:
        """Surplus rate of each unit by its emission intensity, with the balance value of its sector."""
        return self.draw("intensity", lang)

    def rates(self, lang: str = "en") -> Any:
        """Distribution of surplus rates by sector."""
        return self.draw("rates", lang)

    def provinces(self, lang: str = "en") -> Any:
        """Surplus of each province, beside the rule."""
        return self.draw("provinces", lang)

    def enterprises(self, lang: str = "en") -> Any:
        """Enterprises with the most to buy and to sell."""
        return self.draw("enterprises", lang)

    def relaxations(self, lang: str = "en") -> Any:
        """Relaxation of the limits of an infeasible policy."""
        return self.draw("relaxations", lang)

    def prices(self, lang: str = "en") -> Any:
        """Price of each year with the interval of prices that clear."""
        return self.draw("prices", lang)

    def emissions(self, lang: str = "en") -> Any:
        """Emissions of each year beside allowances."""
        return self.draw("emissions", lang)

    def measures(self, lang: str = "en") -> Any:
        """Abatement of each year by measure."""
        return self.draw("measures", lang)

    def cost_curve(self, lang: str = "en", year: int | None = None) -> Any:
        """Marginal abatement cost curve of single years, with the price."""
        return self.draw("cost_curve", lang, year)

    def supply_demand(self, lang: str = "en", year: int | None = None) -> Any:
        """Net demand for allowances by price in single years, what meets it, and the price."""
        return self.draw("supply_demand", lang, year)

    def unmet(self, lang: str = "en") -> Any:
        """Least unmet demand of a market that cannot clear."""
        return self.draw("unmet", lang)

    def compliance(self, lang: str = "en") -> Any:
        """How the largest deficits are covered, and what becomes of the largest surpluses."""
        return self.draw("compliance", lang)

    def equilibrium(self, lang: str = "en") -> Any:
        """Balance values that the responses of all units reproduce, and abatement by sector."""
        return self.draw("equilibrium", lang)

    def outlook(self, lang: str = "en") -> Any:
        """Price of one cap by the form of its free part, and emissions with and without the cap."""
        return self.draw("outlook", lang)

    def reconciliation(self, lang: str = "en") -> Any:
        """Emissions as reported beside the reconciled ones and their interval."""
        return self.draw("reconciliation", lang)

    def investment(self, lang: str = "en") -> Any:
        """What an investment under uncertainty costs in the scenarios, and the measures installed now."""
        return self.draw("investment", lang)

    def review_plan(self, lang: str = "en") -> Any:
        """Tonnes at risk that reviews cover, by province, and reviewers' days."""
        return self.draw("review_plan", lang)

    def missing_days(self, lang: str = "en") -> Any:
        """Least days that a plan of reviews lacks."""
        return self.draw("missing_days", lang)
