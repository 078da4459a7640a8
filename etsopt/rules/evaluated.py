"""A rule evaluated on an instance: its reference allowances, refused unless they are one number for each unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etsopt.data.messages import counted
from etsopt.errors import DataError, EtsoptError, Problem
from etsopt.rules.reference import Reference, Term
from etsopt.wording import message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.parameters import Parameters
    from etsopt.rules.registry import Rule


def evaluated(found: Rule, instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Return the reference allowances in arrays that cannot be written to.

    Units without emissions have no surplus rate: they get what the rule says, and no target or band moves it.

    Raises
    ------
    DataError
        If the rule fails or returns another type, or its allowances are not one number from 0 on for each unit.
    """
    import numpy as np

    from etsopt.units import nearest_tonnes

    reference = (_of_own if found.own else _of_package)(found, instance, parameters, fixed)
    idle = instance.emissions_tco2e == 0
    # Output and base emissions of a unit without emissions may be absent: it then gets nothing.
    exact = np.where(idle & np.isnan(reference.exact_t), 0.0, reference.exact_t)
    rounded = replace(reference, exact_t=exact).reference_t
    # A = E is rounded to the nearest tonne, as emissions are owed, so that it leaves nothing to buy.
    rounded = np.where(fixed | reference.equal, nearest_tonnes(exact), rounded)
    reference = replace(reference, exact_t=exact, rounded_t=rounded, fixed=fixed | idle)
    for array in (reference.exact_t, reference.reference_t, reference.fixed):
        array.flags.writeable = False
    return reference


def _of_package(found: Rule, instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Evaluate a rule of the package."""
    reference = found.function(instance, parameters, fixed)
    if not isinstance(reference, Reference):
        what = message(
            "returns {name}: expected Reference, as from every rule of the package", name=type(reference).__name__
        )
        advice = "Return one, as `benchmark` in etsopt/rules/simple.py."
        raise DataError("The rule", [Problem(message("the rule {name}", name=found.name), what, advice)])
    return reference


def _of_own(found: Rule, instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Evaluate a rule from outside the package, which may return anything."""
    import numpy as np

    from etsopt.data.content import Derived

    place = message("the rule {name} in {year}", name=found.name, year=instance.policy.year)
    try:
        # A rule may do with its tables what it likes.
        own = replace(instance, units=instance.units.copy(), derived=Derived())
        reference = found.function(own, parameters, fixed.copy())
    except EtsoptError:
        raise
    except Exception as error:
        what = message("fails: {name}: {error}", name=type(error).__name__, error=error)
        raise DataError("The rule", [Problem(place, what, "Correct its function.")]) from error
    if not isinstance(reference, Reference):
        reference = Reference(reference, fixed)
    if any(not isinstance(term, Term) for term in reference.terms):
        what = "returns terms that are no `Term`"
        raise DataError("The rule", [Problem(place, what, "Give each its name, value and source.")])
    exact = _one_for_each(place, reference.exact_t, instance, fixed)
    rounded = None if reference.rounded_t is None else _one_for_each(place, reference.rounded_t, instance, fixed)
    unread = {"adjustment_t": reference.adjustment_t, "per_output": reference.per_output}
    for name, values in unread.items():
        if values is not None and np.any(values):
            what = message("returns {name}, which no model reads: markets take allowances as lump sums", name=name)
            raise DataError("The rule", [Problem(place, what, "Leave it out, or return zeros.")])
    return replace(reference, exact_t=exact, rounded_t=rounded, fixed=fixed)


def _one_for_each(place: str, values: Any, instance: Instance, fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the allowances of a rule, with A = E for fixed units [t].

    Raises
    ------
    DataError
        Unless they are one number from 0 on for each unit; a unit without emissions may have none.
    """
    import numpy as np
    import pandas as pd

    if isinstance(values, pd.Series):
        if not values.index.is_unique or set(values.index) != set(instance.units.index):
            what = "returns a series with another index than that of the units"
            raise DataError("The rule", [Problem(place, what, "Keep the index of instance.units, or return an array.")])
        values = values.reindex(instance.units.index)
    try:
        allowances = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        allowances = np.empty(0)
    if allowances.shape != fixed.shape:
        what = message(
            "returns an array of shape {shape}: expected numbers of shape {shape_2}",
            shape=np.shape(values),
            shape_2=fixed.shape,
        )
        raise DataError("The rule", [Problem(place, what, "Return one allowance for each unit [t].")])
    allowances = np.where(fixed, instance.emissions_tco2e, allowances)
    idle = instance.emissions_tco2e == 0
    wrong = ~(np.isfinite(allowances) & (allowances >= 0)) & ~(idle & np.isnan(allowances))
    if wrong.any():
        cells = tuple(
            (f"of {unit}", f"{value:g}")
            for unit, value in zip(instance.units["unit_id"][wrong], allowances[wrong], strict=True)
        )
        what = message(
            "{counted} not a number from 0 on", counted=counted(len(cells), "allowance is", "allowances are")
        )
        raise DataError("The rule", [Problem(place, what, "Correct its function.", cells=cells)])
    # Output and base emissions of a unit without emissions may be absent: it then gets nothing.
    return np.where(idle & np.isnan(allowances), 0.0, allowances)
