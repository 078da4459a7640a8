"""The file of a forecast: own units, and the prior of the other units of each sector."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, ValidationError

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean
from etsopt.data.policy.parsing import problems_of
from etsopt.data.policy.section import Section
from etsopt.studies.sweeping.files import instance_at, read_toml
from etsopt.studies.sweeping.sampling import Distribution

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PLACE = "forecast.toml"

SIZES = {"output_t": "total_output_t", "emissions_tco2e": "total_emissions_tco2e"}
"""Keys that state the sizes of other units, and those of the sum over all units of the sector."""

ENDS = np.array([2.0**-60, 1 - 2.0**-53])
"""Shares between which draws lie."""


class Uncertain(Section):
    """Factors on the own figures of a sector that are still open."""

    output: Distribution | None = Field(None, description="factor on output, which emissions follow")
    intensity: Distribution | None = Field(None, description="factor on intensity, which emissions follow")


class Prior(Section):
    """What is believed of the other units of a sector, which are drawn from it."""

    source: str = Field(min_length=1, description="where the figures come from")
    other_units: int = Field(ge=0, le=1_000_000, description="units that the rule balances, without the own ones")
    balance_value: float = Field(gt=0, description="balance value to start from: last year's, or that of a study")
    change: Distribution = Field(description="its relative change to the forecast year: -0.01 is 1 % less")
    spread: Distribution = Field(description="intensity of a unit relative to the others, in any scale")
    output_t: Distribution | None = Field(None, description="output of a unit [t]; its emissions follow intensity")
    emissions_tco2e: Distribution | None = Field(
        None, description="emissions of a unit [tCO2e], if those of the key process are only a part, as in steel"
    )
    total_output_t: float | None = Field(None, gt=0, description="sum of output_t over the sector, own units included")
    total_emissions_tco2e: float | None = Field(
        None, gt=0, description="sum of emissions_tco2e over the sector, own units included"
    )
    owner_deviation: float | None = Field(
        None,
        ge=0,
        description="how far the mean log intensity of an owner's units is from the sector's, a standard deviation; 0 "
        "if the own units are a random sample; without it they say nothing of the others",
    )
    own: Uncertain = Uncertain()

    @property
    def size(self) -> Distribution:
        """Distribution of the size of other units."""
        found = self.output_t or self.emissions_tco2e
        assert found is not None
        return found

    @property
    def total(self) -> float | None:
        """Sum of the sizes over the sector, own units included; None if it is not stated."""
        return self.total_output_t if self.output_t else self.total_emissions_tco2e


class ForecastFile(Section):
    """The keys of ``forecast.toml``."""

    instance: str = Field("", description="folder or file of the own units, relative to this one")
    draws: int = Field(1000, ge=1, le=1_000_000, description="number of sectors to draw")
    seed: int = Field(0, ge=0, description="seed of the draws")
    interval: float = Field(0.9, gt=0, lt=1, description="share of the draws within the interval")
    prices_cny_per_t: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        {}, description="price of an allowance in each case, by its name, for what has to be bought [CNY/t]"
    )
    sectors: dict[str, Prior] = Field(min_length=1, description="prior of each sector")


@dataclass(frozen=True)
class ForecastPlan:
    """A forecast that was read."""

    instance: str
    sectors: dict[str, Prior]
    draws: int = 1000
    seed: int = 0
    interval: float = 0.9
    prices_cny_per_t: dict[str, float] = field(default_factory=dict)


def read_forecast(path: str | Path) -> ForecastPlan:
    """Read the file of a forecast.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        With every key that is unknown, missing or wrong.
    """
    path = Path(path)
    plan = forecast_of(read_toml(path, _("The forecast")), path.name)
    if not plan.instance:
        problem = Problem(path.name, _("is missing"), _("Name the folder or file of the own units."), "instance")
        raise DataError(_("The forecast"), [problem])
    return replace(plan, instance=instance_at(path.parent, plan.instance))


def forecast_of(content: Mapping[str, Any], place: str = PLACE) -> ForecastPlan:
    """Return the plan of a forecast from its content.

    Raises
    ------
    DataError
        With every key that is unknown, missing or wrong.
    """
    try:
        found = ForecastFile.model_validate(dict(content))
    except ValidationError as error:
        problems = [_in_words(problem) for problem in problems_of(error, place)]
        raise DataError(_("The forecast"), problems) from None
    problems = [*_too_few(found, place)]
    for sector, prior in found.sectors.items():
        problems += _problems(prior, place, f"sectors.{sector}")
    if problems:
        raise DataError(_("The forecast"), problems)
    stated = (found.draws, found.seed, found.interval, found.prices_cny_per_t)
    return ForecastPlan(found.instance, found.sectors, *stated)


def _in_words(problem: Problem) -> Problem:
    """Return a problem of a key in the words of a forecast."""
    if problem.code == "missing":
        advice = _("Add the key; etsopt/studies/forecasting/README.md has an example.")
        return replace(problem, advice=advice)
    if problem.code != "unknown_key":
        return problem
    above, _dot, name = problem.column.rpartition(".")
    section: type[Section] = Distribution
    if above.count(".") <= 1:
        section = Prior if above else ForecastFile
    elif above.count(".") == 2 and above.endswith(".own"):
        section = Uncertain
    guess = did_you_mean(name, section.model_fields)
    advice = _("{guess}Use one of {known}.", guess=guess, known=", ".join(section.model_fields))
    what = _("is not a key of a forecast")
    return replace(problem, what=what, advice=advice)


def _too_few(found: ForecastFile, place: str) -> Iterator[Problem]:
    """Yield the problem of draws between whose least and largest there is less than the interval."""
    least = int(np.ceil(round(2 / (1 - found.interval), 6))) - 1
    if found.draws < least:
        what = _("is {draws}, too few for an interval of {interval:g}", draws=found.draws, interval=found.interval)
        yield Problem(place, what, _("State at least {least} draws.", least=least), "draws")


def _problems(prior: Prior, place: str, key: str) -> Iterator[Problem]:
    """Yield what is wrong with a prior."""
    stated = [name for name in SIZES if getattr(prior, name) is not None]
    if len(stated) != 1:
        what = _("states {stated}", stated=" and ".join(stated) or "no sizes of other units")
        yield Problem(place, what, _("State one of {sizes}.", sizes=", ".join(SIZES)), key)
    for size, total in SIZES.items():
        if getattr(prior, total) is not None and size not in stated:
            advice = _("Leave it out, or state {size}.", size=size)
            yield Problem(place, _("is the sum of sizes that are not stated"), advice, f"{key}.{total}")
    for name in ("change", "spread", *stated):
        distribution = getattr(prior, name)
        if "each" in distribution.model_fields_set:
            advice = _("Leave `each` out: only own figures have it.")
            yield Problem(place, _("is drawn anew for every unit or sector"), advice, f"{key}.{name}")
        yield from _not_positive(distribution, place, f"{key}.{name}", least=-1.0 if name == "change" else 0.0)
    for name in Uncertain.model_fields:
        if (factor := getattr(prior.own, name)) is not None:
            yield from _not_positive(factor, place, f"{key}.own.{name}")


def _not_positive(distribution: Distribution, place: str, key: str, least: float = 0.0) -> Iterator[Problem]:
    """Yield the problem of a distribution that reaches values without a meaning."""
    values = distribution.choice if distribution.choice is not None else distribution.quantiles(ENDS).tolist()
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        yield Problem(place, _("has values that are no numbers"), _("State numbers."), key)
    elif not least < min(values) <= max(values) < float("inf"):
        what = _("may be {value:.4g}: expected more than {least:g}", value=min(values), least=least)
        yield Problem(place, what, _("State a narrower one, or one with ends: lognormal, uniform, triangular."), key)
