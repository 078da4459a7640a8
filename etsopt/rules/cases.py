"""Special cases of units: which a plan has, and which a line is by its share of carbide slag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.data.messages import cells_of, counted
from etsopt.data.official import PLAN_YEARS, official_value
from etsopt.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.parameters import Parameters

SLAG = "carbide_slag"


def special_units(instance: Instance, parameters: Parameters) -> NDArray[np.bool_]:
    """Units that are a special case with A = E, by ``special_case`` or by their carbide slag, shape ``(units,)``."""
    special = _is_one_of(instance, parameters.special_cases)
    if SLAG not in parameters.special_cases or "carbide_slag_rate" not in instance.units:
        return special
    return special | (_slag(instance) > _limit(instance, parameters))


def problems_of_cases(instance: Instance, parameters: Parameters) -> list[Problem]:
    """Cases that the rule does not have, and shares of carbide slag that contradict them."""
    rule, problems = instance.policy.rule, []
    both = sorted(set(parameters.special_cases) & set(rule.cases_outside))
    if both:
        what = f"names {', '.join(both)}, to which rule.special_cases gives A = E"
        problems.append(Problem("policy.toml", what, "Keep each case in one of the two.", "rule.outside_scope"))
    has = (*parameters.special_cases, *rule.cases_outside)
    if (strange := ~_is_one_of(instance, ("", *has))).any():
        units = instance.units
        count = counted(int(strange.sum()), "unit is of a case", "units are of a case")
        names, cases = (units[name].to_numpy()[strange] for name in ("unit_id", "special_case"))
        advice = (
            f"It has {', '.join(has) or 'none'}. Leave the cell empty, and the unit is treated as any other; or add "
            "the case to rule.special_cases."
        )
        shown = tuple((f"of {name}", str(case)) for name, case in zip(names, cases, strict=True))
        problems.append(
            Problem("units.csv", f"{count} that the rule {rule.name} does not have", advice, "special_case", shown)
        )
    return problems + (_problems_of_slag(instance, parameters) if "carbide_slag_rate" in instance.units else [])


def _problems_of_slag(instance: Instance, parameters: Parameters) -> list[Problem]:
    """Rates of carbide slag of units that burn none, and such as contradict the case of their line."""
    units, slag, limit = instance.units, _slag(instance), _limit(instance, parameters)
    cement = (units["sector"] == "cement").to_numpy()
    named, other = _is_one_of(instance, (SLAG,)), ~_is_one_of(instance, ("", SLAG))
    found = (
        (
            ~np.isnan(slag) & ~cement,
            ("unit is", "units are", "no clinker line"),
            "Only lines of the sector cement burn carbide slag: leave the cell empty.",
        ),
        (
            cement & named & (slag <= limit),
            ("line is", "lines are", f"carbide_slag with a rate that is not above the limit of {limit:g}"),
            "Correct the rate, or leave the case empty.",
        ),
        (
            cement & other & (slag > limit),
            ("line is", "lines are", f"of another case with a rate above the limit of {limit:g}"),
            "A unit is one case: leave the rate or the case empty.",
        ),
    )
    return [
        Problem(
            "units.csv",
            f"{counted(int(bad.sum()), one, many)} {which}",
            advice,
            "carbide_slag_rate",
            cells_of(units, bad, slag, "{:g}"),
        )
        for bad, (one, many, which), advice in found
        if bad.any()
    ]


def _is_one_of(instance: Instance, cases: Sequence[str]) -> NDArray[np.bool_]:
    """Units whose case is one of some; a unit that states none has the empty one."""
    if "special_case" not in instance.units:
        return np.full(len(instance.units), "" in cases)
    labels = instance.labels("special_case")
    found: NDArray[np.bool_] = np.isin(labels.names.astype(str), list(cases))[labels.code]
    return found


def _slag(instance: Instance) -> NDArray[np.float64]:
    """The carbide-slag rate of each unit, NaN where it states none."""
    return instance.units["carbide_slag_rate"].to_numpy(dtype=float)


def _limit(instance: Instance, parameters: Parameters) -> float:
    """The limit of the carbide-slag rate: stated, of the plan, or of the year; infinite where there is none."""
    if parameters.carbide_slag_limit is not None:
        return parameters.carbide_slag_limit
    year = PLAN_YEARS.get(instance.policy.rule.name, instance.policy.year)
    return float(official_value("rule.carbide_slag_limit", "cement", year, np.inf))
