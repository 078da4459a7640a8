"""Draw the other units of every sector, find its balance value, and give the own units their allowances at it.

A draw is the same draw whatever is shifted: errors of the prior are compared in the same states of the world. Changes
of sectors and factors on all own units of one are a Latin hypercube over the draws; what each unit draws is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.readings.balance import IMBALANCE_RELATIVE, imbalance_t
from etsopt.common.errors import DataError, Problem, SolverError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.common.units import nearest_tonnes, whole_tonnes
from etsopt.rules import parameters_of, reference_allowances
from etsopt.rules.balance import balance_value, surplus_rates
from etsopt.rules.intensity import IntensityParameters, allowances_at, balanced_sectors, published
from etsopt.studies.forecasting.belief import Belief
from etsopt.studies.forecasting.plan import PLACE
from etsopt.studies.sweeping.sampling import Distribution, Sample, draws
from etsopt.studies.sweeping.scenario import factors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.balance import BalanceValue
    from etsopt.studies.forecasting.plan import ForecastPlan, Prior

    Floats = NDArray[np.float64]

SHARE = Distribution(uniform=[0.0, 1.0])
SEEDS = 1_000_003
"""Distance of the seeds of forecasts in those of their draws, so that no two share any."""


@dataclass(frozen=True)
class Sector:
    """Own units of a sector as stated, and the belief of the others; arrays have the shape ``(own units,)``.

    Parameters
    ----------
    rows
        Positions of the own units in the instance.
    balanced
        True for those whose allowances follow from the balance value; the others get A = E.
    """

    name: str
    rows: NDArray[np.int64]
    emissions: Floats
    intensity: Floats
    balanced: NDArray[np.bool_]
    belief: Belief

    @property
    def prior(self) -> Prior:
        """What is stated of the sector."""
        return self.belief.prior

    @property
    def own_intensity(self) -> Floats:
        """Intensities of the own units that the rule balances [t/t]."""
        return self.intensity[self.balanced]

    @cached_property
    def total_of_others(self) -> float | None:
        """Sum of the sizes of other units, in their unit; None if no total is stated."""
        return None if self.prior.total is None else self.prior.total - self.own_size

    @property
    def own_size(self) -> float:
        """Sum of the sizes of the own units that the rule balances."""
        emissions = self.emissions[self.balanced]
        return float((emissions / self.own_intensity if self.prior.output_t else emissions).sum())


@dataclass(frozen=True)
class Drawn:
    """Draws of a forecast.

    Parameters
    ----------
    balance_values, imbalance
        Shape ``(sectors, draws)`` [t/t; the sector's allowances less its emissions, relative to these].
    emissions_tco2e, allowance_t, rate
        Shape ``(draws, own units)``, of units of the sectors that are forecast, then of the others [tCO2e, t, rate of
        the rule].
    benchmarked
        Positions in the instance of own units without a balance value, such as power units: their allowances follow
        from published benchmarks at the stated figures, the same in every draw.
    """

    sectors: list[Sector]
    balance_values: Floats
    imbalance: Floats
    emissions_tco2e: Floats
    allowance_t: Floats
    rate: Floats
    benchmarked: NDArray[np.int64]

    @property
    def surplus_t(self) -> Floats:
        """Surpluses, negative for a deficit, shape ``(draws, own units)`` [t]."""
        return self.allowance_t - self.emissions_tco2e


def sectors_of(instance: Instance, plan: ForecastPlan) -> list[Sector]:
    """Return what is known and believed of every sector of a forecast.

    Raises
    ------
    DataError
        If the rule has no balance values, a sector has no prior or a prior no sector, or sizes do not fit.
    """
    parameters, forecast = parameters_of(instance), balanced_sectors(instance)
    if not forecast or not isinstance(parameters, IntensityParameters):
        what = _("{rule} of {year} has no balance value", rule=instance.policy.rule.name, year=instance.policy.year)
        advice = _("Use a rule with balance values, such as cn-2025 or cn-2026, and units of industry.")
        raise DataError(_("The forecast"), [Problem("policy.toml", what, advice, "rule.name")])
    if problems := [*_unmatched(forecast, plan)]:
        raise DataError(_("The forecast"), problems)
    fixed = reference_allowances(instance).fixed
    found = []
    for name in sorted(plan.sectors):
        rows = np.flatnonzero(instance.labels("sector").where(name))
        belief = Belief(plan.sectors[name], parameters.slope, parameters.cap)
        own = (instance.emissions_tco2e[rows], instance.intensity[rows], ~fixed[rows])
        found.append(Sector(name, rows, *own, belief))
    if problems := [problem for sector in found for problem in _unfit(sector)]:
        raise DataError(_("The forecast"), problems)
    return found


def _unmatched(forecast: list[str], plan: ForecastPlan) -> Iterator[Problem]:
    """Yield sectors without a prior, and priors without a sector."""
    for name in sorted({*plan.sectors} - {*forecast}):
        what = _("is no sector of the own units that the rule balances")
        yield Problem(PLACE, what, _("Use {forecast}.", forecast=", ".join(forecast)), f"sectors.{name}")
    for name in sorted({*forecast} - {*plan.sectors}):
        advice = _("State the prior of this sector, or leave its units out of the instance.")
        yield Problem(PLACE, _("is missing"), advice, f"sectors.{name}")


def _unfit(sector: Sector) -> Iterator[Problem]:
    """Yield what does not fit between the own units of a sector and what is stated of it."""
    prior, key = sector.prior, f"sectors.{sector.name}"
    if not prior.other_units and not sector.balanced.any():
        advice = _("State the number of other units: no own one follows the balance value.")
        yield Problem(PLACE, _("is zero"), advice, f"{key}.other_units")
    if prior.other_units and sector.total_of_others is not None and sector.total_of_others <= 0:
        what = _("is {total:,.0f}, but own units have {own:,.0f}", total=prior.total, own=sector.own_size)
        name = "total_output_t" if prior.output_t else "total_emissions_tco2e"
        yield Problem(PLACE, what, _("State the sum over all units of the sector."), f"{key}.{name}")


def drawn(instance: Instance, plan: ForecastPlan, sectors: list[Sector], shift: float = 0.0) -> Drawn:
    """Draw every sector as often as the plan states.

    Parameters
    ----------
    shift
        Error of every prior's mean change in its standard deviations, which is added.

    Raises
    ------
    SolverError
        If a balance value does not balance its sector: a defect of the search.
    """
    parameters = parameters_of(instance)
    assert isinstance(parameters, IntensityParameters)
    shared, columns = _shared(plan), np.cumsum([0, *(len(sector.rows) for sector in sectors)])
    balance_values, imbalance = np.empty((2, len(sectors), plan.draws))
    emissions_tco2e, allowance_t, rate = np.empty((3, plan.draws, columns[-1]))
    for number, sector in enumerate(sectors):
        block = slice(columns[number], columns[number + 1])
        owns = [_own(sector, plan.seed * SEEDS + draw, one) for draw, one in enumerate(shared)]
        shares = np.array([one[_of(sector.name)] for one in shared])
        seen = np.array([own.intensity[sector.balanced] for own in owns])
        levels = sector.belief.levels(shares, seen, shift)
        for draw, (own, level) in enumerate(zip(owns, levels, strict=True)):
            checkpoint(_("draws"), number * plan.draws + draw, len(sectors) * plan.draws)
            emissions, intensity = _completed(own, level, plan.seed * SEEDS + draw)
            found = balance_value(emissions, intensity, parameters.slope, parameters.cap)
            imbalance[number, draw] = _verified(emissions, intensity, found, parameters, sector.name)
            value = balance_values[number, draw] = published(found, parameters).value
            emissions_tco2e[draw, block] = own.emissions
            allowance_t[draw, block], rate[draw, block] = _given(own, value, parameters)
    return _with_benchmarked(instance, sectors, balance_values, imbalance, (emissions_tco2e, allowance_t, rate))


def _of(sector: str) -> str:
    return f"{sector} change"


def _shared(plan: ForecastPlan) -> list[dict[str, float]]:
    """Return what is one number for a sector in each draw: the share of its change, and factors on all own units."""
    values = {_of(name): SHARE for name in plan.sectors}
    for sector, prior in plan.sectors.items():
        for name, factor in (("output", prior.own.output), ("intensity", prior.own.intensity)):
            if factor is not None and factor.each == "scenario":
                values[f"{sector} own {name}"] = factor
    return [draw.values for draw in draws(Sample(number=plan.draws, values=values), plan.seed)]


class _Own(NamedTuple):
    """Own units of a sector in a draw, shape ``(own units,)`` [tCO2e, t/t]."""

    sector: Sector
    emissions: Floats
    intensity: Floats


def _own(sector: Sector, seed: int, shared: dict[str, float]) -> _Own:
    """Draw what is still open of the own units of a sector."""

    def factor(name: str, stated: Distribution | None) -> float | Floats:
        key = f"{sector.name} own {name}"
        if stated is None or stated.each == "scenario":
            return float(shared.get(key, 1.0))
        return factors((stated, seed), key, len(sector.rows))

    intensity = factor("intensity", sector.prior.own.intensity)
    output = factor("output", sector.prior.own.output)
    return _Own(sector, sector.emissions * intensity * output, sector.intensity * intensity)


def _completed(own: _Own, level: float, seed: int) -> tuple[Floats, Floats]:
    """Return emissions and intensities of a sector: its own units that are balanced, and drawn ones."""
    sector = own.sector
    prior, count = sector.prior, sector.prior.other_units
    # Each sector has its own random numbers, whatever other sectors there are.
    random = np.random.default_rng([seed, int.from_bytes(sector.name.encode()[:8], "big")])
    intensity = level * sector.belief.factors(random.random(count))
    size = prior.size.quantiles(random.random(count)).astype(float)
    if sector.total_of_others is not None and count:
        size *= sector.total_of_others / size.sum()
    emissions = size * intensity if prior.output_t else size
    balanced = sector.balanced
    return (
        np.concatenate([own.emissions[balanced], emissions]),
        np.concatenate([own.intensity[balanced], intensity]),
    )


def _verified(
    emissions: Floats, intensity: Floats, found: BalanceValue, parameters: IntensityParameters, name: str
) -> float:
    """Return the imbalance of a sector relative to its emissions, found by the checker's code."""
    off = max(
        imbalance_t(emissions, intensity, end, parameters.slope, parameters.cap) for end in (found.lower, found.upper)
    )
    relative = off / float(emissions.sum())
    if not relative <= IMBALANCE_RELATIVE:
        what = _("A drawn balance value of {name} leaves {off:,.3f} t unbalanced.", name=name, off=off)
        raise SolverError(what, _("Report this; the forecast is not written."))
    return relative


def _given(own: _Own, value: float, parameters: IntensityParameters) -> tuple[Floats, Floats]:
    """Return allowances of own units in whole tonnes, as the rule rounds them, and its rates, NaN where A = E."""
    balanced = own.sector.balanced
    emissions, intensity = own.emissions[balanced], own.intensity[balanced]
    allowances, rates = nearest_tonnes(own.emissions), np.full(len(own.emissions), np.nan)
    allowances[balanced] = allowances_at(emissions, intensity, value, parameters)
    rates[balanced] = surplus_rates(intensity, value, parameters.slope, parameters.cap)
    return whole_tonnes(allowances), rates


def at_start(instance: Instance, sectors: list[Sector]) -> Drawn:
    """Return the one draw in which nothing changes: own figures as stated, at the balance values to start from."""
    parameters = parameters_of(instance)
    assert isinstance(parameters, IntensityParameters)
    values = np.array([[sector.prior.balance_value] for sector in sectors])
    stated = [_Own(sector, sector.emissions, sector.intensity) for sector in sectors]
    given = [_given(own, value, parameters) for own, (value,) in zip(stated, values, strict=True)]
    emissions = np.concatenate([own.emissions for own in stated])[None, :]
    allowances, rates = (np.concatenate(part)[None, :] for part in zip(*given, strict=True))
    return _with_benchmarked(instance, sectors, values, np.zeros_like(values), (emissions, allowances, rates))


def _with_benchmarked(
    instance: Instance, sectors: list[Sector], values: Floats, imbalance: Floats, of_units: tuple[Floats, ...]
) -> Drawn:
    """Return draws with the own units that no sector of the forecast has, at their stated figures."""
    forecast = np.concatenate([sector.rows for sector in sectors])
    rows = np.setdiff1d(np.arange(len(instance.units)), forecast)
    stated = (instance.emissions_tco2e[rows], reference_allowances(instance).reference_t[rows], np.nan)
    emissions, allowances, rates = (
        np.column_stack([drawn, np.broadcast_to(one, (len(drawn), len(rows)))])
        for drawn, one in zip(of_units, stated, strict=True)
    )
    return Drawn(sectors, values, imbalance, emissions, allowances, rates, rows)
