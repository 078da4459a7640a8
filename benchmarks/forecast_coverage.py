"""Forecasts of the balance value against held-out sectors: `python -m benchmarks.forecast_coverage`.

Sectors of 100 units are drawn, some of their units are shown to the forecast as own ones, and the interval of 90 %
either holds the true balance value or not. The truth is drawn from the prior that the forecast believes, or from
another one: a wrong mean, a wrong spread, an owner unlike the others, plants of the shipped instance. The guess to
compare with is that nothing changes: last year's balance value.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

import etsopt
from benchmarks.reporting import FOLDER, machine, provenance, table, versions, write_json
from etsopt.common.units import whole_tonnes
from etsopt.rules.balance import balance_value, surplus_rates
from etsopt.studies.forecasting import ForecastPlan, forecast_of
from etsopt.studies.forecasting.simulation import Sector, at_start, drawn, sectors_of
from etsopt.studies.forecasting.statistics import quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

    Floats = NDArray[np.float64]

HELD_OUT, DRAWS, UNITS = 250, 59, 100
ENDS = [0.05, 0.95]
SLOPE, CAP = 0.15, 0.03

# Of clinker lines: a fall of 0.5 % a year with a deviation of 1 %, and a spread of 5 % between lines.
PRIOR: dict[str, Any] = {
    "source": "figures near those of cement in cn-2025; the change is an assumption",
    "balance_value": 0.8315,
    "change": {"normal": [-0.005, 0.01]},
    "spread": {"lognormal": [1.0, 0.05]},
    "output_t": {"lognormal": [960_000.0, 0.55]},
}


@dataclass(frozen=True)
class Case:
    """What is true, what is believed, and how many units are own.

    Parameters
    ----------
    truth, believed
        Changes of the prior from which sectors are drawn, and of that of the forecast.
    own_factor
        Factor on the intensities of own units.
    shipped
        True to draw units from those of cement in ``cn-2025``.
    same_units
        True if last year's balance value is that of the same units, which all change alike.
    """

    name: str
    own: int = 3
    truth: dict[str, Any] = field(default_factory=dict)
    believed: dict[str, Any] = field(default_factory=dict)
    own_factor: float = 1.0
    shipped: bool = False
    same_units: bool = False


SAMPLE = {"owner_deviation": 0.0}
CASES = (
    Case("the prior is right; own units say nothing of the others"),
    Case("the prior is right; own units are a sample, and said to be", believed=SAMPLE),
    Case("the prior is right; own units say nothing of the others", own=10),
    Case("the prior is right; own units are a sample, and said to be", own=10, believed=SAMPLE),
    Case("the mean of the prior is wrong by 1 deviation", truth={"change": {"normal": [-0.015, 0.01]}}),
    Case("the mean of the prior is wrong by 2 deviations", truth={"change": {"normal": [-0.025, 0.01]}}),
    Case("the mean is wrong by 1, own units said to be a sample", 10, {"change": {"normal": [-0.015, 0.01]}}, SAMPLE),
    Case("the mean is wrong by 2, own units said to be a sample", 10, {"change": {"normal": [-0.025, 0.01]}}, SAMPLE),
    Case("own units are 5 % better, and said to be a sample", own=10, believed=SAMPLE, own_factor=0.95),
    Case("own units are 5 % better, owner_deviation = 0.05", 10, {}, {"owner_deviation": 0.05}, 0.95),
    Case("own units are 5 % better, and say nothing of the others", own=10, own_factor=0.95),
    Case("the spread is 10 % and believed to be 5 %", truth={"spread": {"lognormal": [1.0, 0.10]}}),
    Case("units of cement in cn-2025, drawn again", shipped=True),
    Case("the same units as last year, all changed alike", same_units=True),
)


def sector_of(prior: dict[str, Any], others: int) -> Sector:
    """Return a sector with a prior, and own units that a trial replaces."""
    plan = forecast_of({"sectors": {"cement": PRIOR | prior | {"other_units": others}}, "draws": DRAWS})
    return sectors_of(etsopt.read("tiny"), plan)[0]


@cache
def shipped_units() -> tuple[Floats, Floats]:
    """Return output and relative intensity of the units of cement in cn-2025, whose balance value is 1."""
    instance = etsopt.read("cn-2025")
    here = instance.labels("sector").where("cement")
    intensity, output = instance.intensity[here], instance.units["output_t"].to_numpy(dtype=float)[here]
    value = balance_value(output * intensity, intensity, SLOPE, CAP).value
    return output, intensity / value


def held_out(case: Case, truth: Sector, number: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw emissions and intensities of a sector, the own units first."""
    # Changes are spread evenly over the held-out sectors, so that chance moves the coverage less.
    level = truth.belief.levels((number + random.random(1)) / HELD_OUT, np.empty((1, 0)))[0]
    output = truth.prior.size.quantiles(random.random(UNITS)).astype(float)
    factor = truth.belief.factors(random.random(UNITS))
    if case.shipped:
        outputs, factors = shipped_units()
        chosen = random.integers(len(outputs), size=UNITS)
        output, factor = outputs[chosen], factors[chosen]
    if case.same_units:
        factor /= balance_value(output * factor, factor, SLOPE, CAP).value
    intensity = level * factor
    intensity[: case.own] *= case.own_factor
    return output * intensity, intensity


def trial(case: Case, truth: Sector, believed: Sector, instance: Instance, number: int) -> tuple[float, ...]:
    """Return whether intervals hold balance value and surplus, the width of the first, and errors of mean and guess."""
    # Forecasts draw by other seeds than the truth.
    emissions, intensity = held_out(case, truth, number, np.random.default_rng([number, 7]))
    value = balance_value(emissions, intensity, SLOPE, CAP).value
    own, balanced = slice(case.own), np.ones(case.own, dtype=bool)
    figures = (np.arange(case.own), emissions[own], intensity[own], balanced)
    sector = Sector(believed.name, *figures, believed.belief)
    plan = ForecastPlan("", {believed.name: believed.prior}, DRAWS, number)
    found, guess = drawn(instance, plan, [sector]), at_start(instance, [sector])
    least, largest = quantiles(found.balance_values[0], ENDS)
    surplus = float(whole_tonnes(emissions[own] * (1 + surplus_rates(intensity[own], value, SLOPE, CAP))).sum())
    surplus -= float(emissions[own].sum())
    surpluses, emitted = found.surplus_t.sum(axis=1), float(emissions[own].sum())
    low, high = quantiles(surpluses, ENDS)
    return (
        float(least <= value <= largest),
        float(low <= surplus <= high),
        (largest - least) / value,
        abs(found.balance_values[0].mean() - value) / value,
        abs(guess.balance_values[0, 0] - value) / value,
        abs(surpluses.mean() - surplus) / emitted,
        abs(guess.surplus_t.sum() - surplus) / emitted,
    )


def measured(case: Case) -> dict[str, Any]:
    """Return the figures of a case over its held-out sectors."""
    truth, believed = (sector_of(prior, UNITS - case.own) for prior in (case.truth, case.believed))
    instance = etsopt.read("tiny")
    rows = np.array([trial(case, truth, believed, instance, number) for number in range(HELD_OUT)])
    names = ("covered", "surplus_covered", "width", "error", "guess_error", "surplus_error", "guess_surplus_error")
    row = {"case": case.name, "own": case.own, **dict(zip(names, rows.mean(axis=0).tolist(), strict=True))}
    print(row, file=sys.stderr, flush=True)
    return row


def verdict(found: list[dict[str, Any]]) -> str:
    """Return what the figures say; they are in the order of the cases."""
    held = [f"{row['covered']:.0%}" for row in found]
    right, guess = [row["covered"] for row in found[:4]], found[0]["guess_surplus_error"]
    first = f"""With a right prior {min(right):.1%} to {max(right):.1%} of the intervals hold the true value. A mean
    that is wrong by one deviation leaves {held[4]}, by two {held[5]}; own units that are a sample correct a part of it
    ({held[6]} and {held[7]}). Own units that are 5 % better, and said to be a sample, leave {held[8]}; with their
    deviation stated, or without the key, {held[9]} and {held[10]}. A spread of twice what is believed leaves
    {held[11]}. Intensities that are no lognormal draws, those of cement in cn-2025, do no harm: {held[12]}. If all
    units are those of last year, their spread is in last year's value already, and the forecast draws it again:
    {held[13]}."""
    second = f"""As a single number the mean is little better than the guess, since the expected change is half its
    deviation: the surplus is off by {found[0]["surplus_error"]:.3%} of emissions, that of the guess by {guess:.3%}. Ten
    own units that are a sample of a hundred make it {found[3]["surplus_error"]:.3%}; three make it
    {found[1]["surplus_error"]:.3%}. What the forecast adds is the interval."""
    return "\n\n".join(fill(" ".join(part.split()), 120) for part in (first, second))


def page(found: list[dict[str, Any]]) -> str:
    """Return the page of all figures."""
    head = ["case", "own units", "holds the balance value", "holds the surplus", "width", "error", "of the guess"]
    head += ["error of the surplus", "of the guess"]
    keys = ("covered", "surplus_covered", "width", "error", "guess_error")
    rows = [
        [row["case"], str(row["own"]), *(f"{row[key]:.1%}" if key in keys[:2] else f"{row[key]:.2%}" for key in keys)]
        + [f"{row[key]:.3%}" for key in ("surplus_error", "guess_surplus_error")]
        for row in found
    ]
    error = (0.9 * 0.1 / HELD_OUT) ** 0.5
    return f"""# Coverage of forecasts of the balance value

{__doc__.partition(chr(10) * 2)[2].strip()}

{table(head, rows)}

{HELD_OUT} held-out sectors a case, {DRAWS} draws a forecast; the standard error of 90 % is at most {error:.1%}.
*Width* of the interval and *errors* of the forecast mean and of the guess are means relative to the true balance value;
those of the surplus of all own units are relative to their emissions. The prior believes in a change of -0.5 % with a
deviation of 1 %, and a spread of 5 % between units. Surpluses rise with the balance value, so both intervals hold
together unless a cap is reached.

{verdict(found)}

{provenance(machine(), versions(["numpy", "scipy"]))}
"""


def main() -> int:
    found = [measured(case) for case in CASES]
    (FOLDER / "forecast_coverage.md").write_text(page(found), encoding="utf-8")
    write_json("forecast_coverage.json", found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
