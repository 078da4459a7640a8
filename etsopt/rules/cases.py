"""Special cases of units: which a plan has, and which a line is by its share of carbide slag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.data.official import PLAN_YEARS, official_value
from etsopt.data.words import cells_of, counted
from etsopt.errors import Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.registry import Parameters

SLAG = "carbide_slag"


def special_units(instance: Instance, parameters: Parameters) -> NDArray[np.bool_]:
    """Units that are a special case with A = E, by their ``case`` or by their carbide slag, shape ``(units,)``."""
    special = np.isin(_case(instance), parameters.special_cases)
    return special | (_above(instance, parameters) & (SLAG in parameters.special_cases))


def problems_of_cases(instance: Instance, parameters: Parameters) -> list[Problem]:
    """Cases that the rule does not have, and shares of carbide slag that contradict them."""
    units, rule = instance.units, instance.policy.rule
    case, slag, above = _case(instance), _slag(instance), _above(instance, parameters)
    limit = _limit(instance, parameters)
    both = sorted(set(parameters.special_cases) & set(rule.cases_outside))
    problems = []
    if both:
        what = f"names {', '.join(both)}, to which rule.special_cases gives A = E"
        problems.append(Problem("policy.toml", what, "Keep each case in one of the two.", "rule.outside_scope"))
    has = (*parameters.special_cases, *rule.cases_outside)
    cement = (units["sector"] == "cement").to_numpy()
    found = (
        (
            (case != "") & ~np.isin(case, has),
            "case",
            ("unit is of a case", "units are of a case", f"that the rule {rule.name} does not have"),
            f"It has {', '.join(has) or 'none'}. Leave the cell empty, and the unit is treated as any other; or add "
            "the case to rule.special_cases.",
        ),
        (
            ~np.isnan(slag) & ~cement,
            "carbide_slag_rate",
            ("unit is", "units are", "no clinker line"),
            "Only lines of the sector cement burn carbide slag: leave the cell empty.",
        ),
        (
            cement & (case == SLAG) & (slag <= limit),
            "carbide_slag_rate",
            ("line is", "lines are", f"carbide_slag with a rate that is not above the limit of {limit:g}"),
            "Correct the rate, or leave the case empty.",
        ),
        (
            cement & (case != "") & (case != SLAG) & above,
            "carbide_slag_rate",
            ("line is", "lines are", f"of another case with a rate above the limit of {limit:g}"),
            "A unit is one case: leave the rate or the case empty.",
        ),
    )
    for bad, column, (one, many, which), advice in found:
        if bad.any():
            values = slag if column == "carbide_slag_rate" else None
            shown = cells_of(units, bad, values, "{:g}") if values is not None else _named(instance, bad, case)
            problems.append(
                Problem("units.csv", f"{counted(int(bad.sum()), one, many)} {which}", advice, column, shown)
            )
    return problems


def _named(instance: Instance, where: NDArray[np.bool_], case: NDArray[np.object_]) -> tuple[tuple[str, str], ...]:
    names = instance.units["unit_id"].to_numpy()
    return tuple((f"of {names[row]}", str(case[row])) for row in np.flatnonzero(where))


def _case(instance: Instance) -> NDArray[np.object_]:
    """The case of each unit, empty where it states none."""
    units = instance.units
    return units["case"].to_numpy(dtype=object) if "case" in units else np.full(len(units), "", dtype=object)


def _slag(instance: Instance) -> NDArray[np.float64]:
    """The carbide-slag rate of each unit, NaN where it states none."""
    units = instance.units
    there = "carbide_slag_rate" in units
    return units["carbide_slag_rate"].to_numpy(dtype=float) if there else np.full(len(units), np.nan)


def _above(instance: Instance, parameters: Parameters) -> NDArray[np.bool_]:
    """Units whose carbide-slag rate is above the limit."""
    return _slag(instance) > _limit(instance, parameters)


def _limit(instance: Instance, parameters: Parameters) -> float:
    """The limit of the carbide-slag rate: stated, of the plan, or of the year; infinite where there is none."""
    if parameters.carbide_slag_limit is not None:
        return parameters.carbide_slag_limit
    year = PLAN_YEARS.get(instance.policy.rule.name, instance.policy.year)
    return float(official_value("rule.carbide_slag_limit", "cement", year, np.inf))
