"""The public function `etsopt.forecast`: balance values and own surpluses before the authority publishes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from etsopt.common.language import speaking
from etsopt.running.provenance import versions
from etsopt.studies.forecasting.plan import ForecastPlan, forecast_of
from etsopt.studies.forecasting.simulation import at_start, drawn, sectors_of
from etsopt.studies.forecasting.statistics import every_draw, of_sectors, purchases, sensitivity, statistics

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt.presenting.charts.chart import Chart

SHIFTS = (-2.0, -1.0, 0.0, 1.0, 2.0)
"""Errors of the prior's mean of the sensitivity, in its standard deviations."""


@dataclass(frozen=True)
class Forecast:
    """A forecast, as tables.

    Parameters
    ----------
    numbers
        Mean, deviation, quantiles, interval and probabilities of every balance value, allowance and surplus.
    priors
        What is believed of each sector, before and after the own units are seen, with its source.
    sensitivity
        Means and probabilities if the mean of every prior is wrong by one or two of its standard deviations.
    draws
        Balance values of sectors and surpluses of enterprises in every draw.
    purchases
        What own enterprises have to buy for the year, and its cost in each stated case of the price; empty without.
    about
        Provenance: instance and its hash, year, rule, draws, seed, interval, priors as they were stated, and versions.
    """

    numbers: pd.DataFrame
    priors: pd.DataFrame
    sensitivity: pd.DataFrame
    draws: pd.DataFrame
    purchases: pd.DataFrame
    about: dict[str, Any]

    @property
    def benchmarked(self) -> pd.DataFrame:
        """Surpluses of the own units of sectors without a balance value, such as power units, in their rows."""
        rows, forecast = self.numbers, self.about["sectors"]
        of_units = (rows["level"] == "unit") & (rows["quantity"] == "surplus_t")
        return rows[of_units & ~rows["sector"].isin(forecast)]

    def __repr__(self) -> str:
        about = self.about
        return f"<Forecast for {about['year']} of {', '.join(about['sectors'])}: {about['draws']:,} draws>"

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by the names of their files."""
        names = ("forecast", "priors", "sensitivity", "draws")
        found = dict(zip(names, (self.numbers, self.priors, self.sensitivity, self.draws), strict=True))
        return found | ({"purchases": self.purchases} if len(self.purchases) else {})

    @property
    def chart(self) -> Chart:
        """Distributions of balance values, and intervals of the surpluses of own enterprises, as data."""
        from etsopt.presenting.charts.forecasts import forecast

        return forecast(self.tables, self.about)

    def draw(self, lang: str = "en") -> Any:
        """Return the chart as a figure of matplotlib, in ``en`` or ``zh``."""
        from etsopt.presenting.charts.drawing import draw

        with speaking(lang):
            return draw(self.chart)


def forecast(
    instance: Instance,
    priors: Mapping[str, Mapping[str, Any]] | ForecastPlan,
    *,
    draws: int = 1000,
    seed: int = 0,
    interval: float = 0.9,
    prices_cny_per_t: Mapping[str, float] | None = None,
) -> Forecast:
    """Forecast the balance value of each sector, and the surpluses of own units at it.

    Parameters
    ----------
    instance
        The own units alone, under a rule with balance values.
    priors
        What is believed of the other units of each sector, with the keys of ``[sectors.NAME]`` of a forecast file; or a
        plan, as `etsopt.studies.forecasting.read_forecast` returns it, which states draws, seed and interval itself.
    draws
        Number of sectors that are drawn and balanced.
    seed
        Seed of the draws.
    interval
        Share of the draws within the interval.
    prices_cny_per_t
        Price of an allowance in each case, by its name, for what has to be bought [CNY/t].

    Raises
    ------
    DataError
        If a key is unknown, missing or wrong, or the rule has no balance value.

    Notes
    -----
    Every draw completes the sector by units from the prior and finds its balance value by the exact search of the
    rule. The formulas are in `etsopt.studies.forecasting.belief`. The interval is right only if the prior is.

    Examples
    --------
    >>> import etsopt
    >>> prior = {
    ...     "source": "an example", "other_units": 200, "balance_value": 0.8315, "change": {"normal": [-0.005, 0.01]},
    ...     "spread": {"lognormal": [1.0, 0.05]}, "output_t": {"lognormal": [1e6, 0.5]}}
    >>> found = etsopt.forecast(etsopt.read("tiny"), {"cement": prior}, draws=199)
    >>> found.numbers.loc[0, ["mean", "lower", "upper"]].astype(float).round(2).tolist()
    [0.83, 0.81, 0.84]
    """
    plan = priors
    if not isinstance(plan, ForecastPlan):
        plan = forecast_of(
            {"sectors": dict(plan), "draws": draws, "seed": seed, "interval": interval}
            | {"prices_cny_per_t": dict(prices_cny_per_t or {})},
            "priors",
        )
    sectors = sectors_of(instance, plan)
    shifted = {shift: drawn(instance, plan, sectors, shift) for shift in SHIFTS}
    found = shifted[0.0]
    numbers = statistics(instance, found, at_start(instance, sectors), plan.interval)
    tables = (of_sectors(found), sensitivity(instance, shifted), every_draw(instance, found))
    bought = purchases(instance, found, plan.prices_cny_per_t, plan.interval)
    return Forecast(numbers, *tables, bought, _about(instance, plan))


def _about(instance: Instance, plan: ForecastPlan) -> dict[str, Any]:
    """Return the provenance of a forecast."""
    of_plan: dict[str, Any] = {"draws": plan.draws, "seed": plan.seed, "interval": plan.interval}
    of_plan |= {"prices_cny_per_t": plan.prices_cny_per_t, "due": f"{instance.policy.year + 1}-12-31"}
    stated = {name: prior.model_dump(exclude_defaults=True) for name, prior in plan.sectors.items()}
    policy = instance.policy
    of_instance = {"instance": instance.name, "sha256": instance.hash, "year": policy.year, "rule": policy.rule.name}
    return {**of_instance, **of_plan, "sectors": stated, "versions": versions().model_dump()}
