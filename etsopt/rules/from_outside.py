"""A rule from outside the package evaluated on an instance: what it returns is refused unless every part is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import InstanceOf, ValidationError

from etsopt.common.errors import DataError, EtsoptError, Problem
from etsopt.common.language import _
from etsopt.data.content import Derived
from etsopt.data.messages import counted
from etsopt.data.policy.allocation import BandRate
from etsopt.data.policy.parsing import problems_of
from etsopt.data.policy.section import Section
from etsopt.rules.reference import Reference, Term

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.declared import Rule
    from etsopt.rules.parameters import Parameters


def returned(found: Rule, instance: Instance, parameters: Parameters, fixed: NDArray[np.bool_]) -> Reference:
    """Return what a rule from outside the package gives, which may return anything.

    Raises
    ------
    DataError
        If the rule fails, or what it returns is wrong.
    """
    place = _("the rule {name} in {year}", name=found.name, year=instance.policy.year)
    try:
        # A rule may do with its tables and its policy what it likes.
        tables = {name: table.copy() for name, table in instance.tables.items()}
        own = replace(instance, **tables, policy=instance.policy.model_copy(deep=True), derived=Derived())
        reference = found.function(own, parameters, fixed.copy())
    except (EtsoptError, KeyboardInterrupt):
        raise
    except BaseException as error:
        what = _("fails: {name}: {error}", name=type(error).__name__, error=error)
        raise DataError(_("The rule"), [Problem(place, what, _("Correct its function."))]) from error
    if not isinstance(reference, Reference):
        reference = Reference(reference, fixed)
    if problems := _problems_of(place, reference, fixed):
        raise DataError(_("The rule"), problems)
    exact = _one_for_each(place, reference.exact_t, instance, fixed)
    rounded = None if reference.rounded_t is None else _one_for_each(place, reference.rounded_t, instance, fixed)
    unread = {"adjustment_t": reference.adjustment_t, "per_output": reference.per_output}
    for name, values in unread.items():
        if values is not None and (not _numbers(values).size or _numbers(values).any()):
            what = _("returns {name}, which no model reads: markets take allowances as lump sums", name=name)
            raise DataError(_("The rule"), [Problem(place, what, _("Leave it out, or return zeros."))])
    return replace(reference, exact_t=exact, rounded_t=rounded, fixed=fixed)


class _Stated(Section):
    """What a rule returns beside figures of units."""

    band: BandRate | None
    bands: Mapping[str, BandRate]
    terms: Sequence[InstanceOf[Term]]
    whole: bool
    equal: bool
    sectors: InstanceOf[pd.DataFrame]


def _problems_of(place: str, reference: Reference, fixed: NDArray[np.bool_]) -> list[Problem]:
    """Return what is wrong beside the figures of units."""
    problems = []
    try:
        stated = _Stated.model_validate({name: getattr(reference, name, None) for name in _Stated.model_fields})
    except ValidationError as error:
        problems += problems_of(error, place)
    else:
        for term in stated.terms:
            wrong = not (isinstance(term.name, str) and isinstance(term.source, str))
            if wrong or _numbers(term.value).shape not in ((), fixed.shape):
                what = _("has a term that is no name, source, and value of every unit or of all")
                problems.append(Problem(place, what, _("State these of each."), "terms"))
    if not np.array_equal(np.asarray(getattr(reference, "fixed", None)), fixed):
        what = _("returns other units with A = E than those that it is called with")
        advice = _("Return these: the policy says which they are, by scope, threshold and special cases.")
        problems.append(Problem(place, what, advice, "fixed"))
    return problems


def _one_for_each(place: str, values: Any, instance: Instance, fixed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the allowances of a rule, with A = E for fixed units [t].

    Raises
    ------
    DataError
        Unless they are one number from 0 on for each unit; a unit without emissions may have none.
    """
    if isinstance(values, pd.Series):
        if not values.index.is_unique or set(values.index) != set(instance.units.index):
            what = _("returns a series with another index than that of the units")
            raise DataError(
                _("The rule"), [Problem(place, what, _("Keep the index of instance.units, or return an array."))]
            )
        values = values.reindex(instance.units.index)
    allowances = _numbers(values)
    if not allowances.size:
        raise DataError(
            _("The rule"), [Problem(place, _("returns no numbers"), _("Return one allowance for each unit [t]."))]
        )
    if allowances.shape != fixed.shape:
        what = _(
            "returns an array of shape {given}: expected numbers of shape {wanted}",
            given=allowances.shape,
            wanted=fixed.shape,
        )
        raise DataError(_("The rule"), [Problem(place, what, _("Return one allowance for each unit [t]."))])
    allowances = np.where(fixed, instance.emissions_tco2e, allowances)
    idle = instance.emissions_tco2e == 0
    wrong = ~(np.isfinite(allowances) & (allowances >= 0)) & ~(idle & np.isnan(allowances))
    if wrong.any():
        cells = tuple(
            (f"of {unit}", f"{value:g}")
            for unit, value in zip(instance.units["unit_id"][wrong], allowances[wrong], strict=True)
        )
        what = _(
            "{counted} not a number from 0 on", counted=counted(len(cells), _("allowance is"), _("allowances are"))
        )
        raise DataError(_("The rule"), [Problem(place, what, _("Correct its function."), cells=cells)])
    # Output and base emissions of a unit without emissions may be absent: it then gets nothing.
    return np.where(idle & np.isnan(allowances), 0.0, allowances)


def _numbers(values: Any) -> NDArray[np.float64]:
    """Return numbers as floats, absent ones NaN; an empty array for what are none, such as texts, truths and dates."""
    try:
        found: Any = np.ma.asarray(values)
    except (TypeError, ValueError):
        return np.empty(0)
    if found.dtype.kind not in "iuf":
        return np.empty(0)
    numbers: NDArray[np.float64] = found.astype(float).filled(np.nan)
    return numbers
