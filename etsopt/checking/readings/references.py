"""Derive the reference allowances of the rules that are no plan of China's system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings.forecast import factors
from etsopt.checking.readings.instance_inputs import cached, whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.checking.readings.instance_inputs import InstanceInputs


@cached
def outside_plans(instance: InstanceInputs) -> NDArray[np.float64]:
    """Return the references of a rule without a plan before rounding, shape ``(units,)`` [t]; NaN of another rule."""
    name, parameters = instance.policy.rule.name, instance.parameters
    if name == "given":
        return instance.first_stated("reference_t")
    if name == "grandfathering":
        return parameter_of(instance) * instance.first_stated("prior_emissions_tco2e")
    if name == "benchmark":
        return instance.labels("sector").mapped(parameters["benchmarks"]) * instance.first_stated("output_t")
    # A rule that is not written again here cannot be checked, so no value of it is right.
    return np.full(len(instance.units), np.nan)


def by_year(instance: InstanceInputs, years: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Return the references of each year, shape ``(units, years)`` [t]; None if only the year of the tables has any.

    Stated ones are those of the forecast, NaN where it has none. A benchmark counts the output of the year, and
    grandfathering the emissions of the year before, both rounded down.
    """
    name, rows, names = instance.policy.rule.name, instance.forecast, instance.units["unit_id"]
    first = outside_plans(instance)[:, None]
    if name == "given":
        if rows is None or "reference_t" not in rows or rows["reference_t"].isna().all():
            return None
        stated = np.full((len(names), len(years)), np.nan)
        with_reference = rows[rows["reference_t"].notna() & rows["year"].isin(years)]
        unit, year = (
            names.searchsorted(with_reference["unit_id"]),
            np.searchsorted(years, with_reference["year"].to_numpy()),
        )
        stated[unit, year] = with_reference["reference_t"].to_numpy()
        return np.where(years > instance.policy.year, stated, first)
    before = years - (name == "grandfathering")
    output, intensity = factors(instance, before)
    if name == "benchmark":
        return whole(first * output)
    if name == "grandfathering":
        emitted = parameter_of(instance) * instance.units["emissions_tco2e"].to_numpy(dtype=float)[:, None]
        return whole(np.where(years > instance.policy.year, emitted * output * intensity, first))
    return None


def parameter_of(instance: InstanceInputs) -> float:
    """Return the allowances per tonne of last year's emissions under grandfathering."""
    return float(instance.parameters.get("factor", 1.0))
