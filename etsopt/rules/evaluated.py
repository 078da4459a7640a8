"""A rule evaluated on an instance: its reference allowances, refused unless they are one number for each unit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.rules.reference import Reference

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.declared import Rule
    from etsopt.rules.parameters import Parameters


def evaluated(found: Rule, instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Return the reference allowances in arrays that cannot be written to.

    Units without emissions have no surplus rate: they get what the rule says, and no target or band moves it.

    Raises
    ------
    DataError
        If the rule fails or returns another type, or its allowances are not one number from 0 on for each unit.
    """
    import numpy as np

    from etsopt.common.units import nearest_tonnes

    if found.own:
        # Listing rules waits for no policy.
        from etsopt.rules.from_outside import returned

        reference = returned(found, instance, parameters, fixed)
    else:
        reference = _of_package(found, instance, parameters, fixed)
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
        what = _("returns {name}: expected Reference, as from every rule of the package", name=type(reference).__name__)
        advice = _("Return one, as `benchmark` in etsopt/rules/simple.py.")
        raise DataError(_("The rule"), [Problem(_("the rule {name}", name=found.name), what, advice)])
    return reference
