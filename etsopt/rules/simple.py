"""Rules without a balance value: equal allocation, grandfathering, benchmark and the user's own figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.rules.parameters import Parameters
from etsopt.rules.reference import Reference
from etsopt.rules.registry import rule, with_fixed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


@rule(
    "cn-2024",
    "MEE press briefing and Development Report 2026 on the 2024 and 2025 allocation plan of 16 November 2025: the "
    "allowances of 2024 equal verified emissions",
)
def equal_to_emissions(instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Allowances A = E: no surplus, no deficit."""
    return Reference(instance.emissions_tco2e, fixed, 0.0, True, equal=True)


class GrandfatheringParameters(Parameters):
    """Parameters of grandfathering."""

    factor: float = Field(1.0, gt=0, le=10, description=_("allowances per tonne of last year's emissions [t/tCO2e]"))


@rule(
    "grandfathering",
    "the general form A = factor x base emissions, for comparison; Boehringer and Lange (2005), On the design of "
    "optimal grandfathering schemes for emission allowances",
    GrandfatheringParameters,
    ("prior_emissions_tco2e",),
)
def grandfathering(instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Allowances in proportion to last year's verified emissions, in whole tonnes."""
    assert isinstance(parameters, GrandfatheringParameters)
    allowances = parameters.factor * instance.units["prior_emissions_tco2e"].to_numpy(dtype=float)
    return Reference(with_fixed(instance, allowances, fixed), fixed, whole=True)


class BenchmarkParameters(Parameters):
    """Parameters of the benchmark rule."""

    benchmarks: dict[str, Annotated[float, Field(gt=0)]] = Field(
        description=_("allowances per tonne of output_t, by sector [t/t]")
    )


@rule(
    "benchmark",
    "the general form A = benchmark x current output, for comparison; Fischer (2001), Rebating environmental policy "
    "revenues: output-based allocations and tradable performance standards",
    BenchmarkParameters,
    ("output_t",),
)
def benchmark(instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Allowances by output times the sector's benchmark, in whole tonnes."""
    assert isinstance(parameters, BenchmarkParameters)
    missing = sorted(set(instance.sectors) - set(parameters.benchmarks))
    if missing:
        what = _("has no benchmark for {missing}", missing=", ".join(missing))
        advice = _("State one for each sector that has units [t/t].")
        raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "rule.benchmarks")])
    output = instance.units["output_t"].to_numpy(dtype=float)
    allowances = instance.labels("sector").mapped(parameters.benchmarks) * output
    return Reference(with_fixed(instance, allowances, fixed), fixed, whole=True)


@rule("given", "the user: column reference_t of units.csv", Parameters, ("reference_t",))
def given(instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Allowances as the user states them, not rounded."""
    allowances = instance.units["reference_t"].to_numpy(dtype=float)
    return Reference(with_fixed(instance, allowances, fixed), fixed)
