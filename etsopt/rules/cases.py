"""Special cases of units, by the plan of the rule and by the carbide-slag rate of a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import Problem
from etsopt.common.language import _, chain
from etsopt.data.messages import cells_of, counted
from etsopt.data.policy.plans import NATIONAL, PLAN_YEARS, cases_of_plan, official_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.parameters import Parameters

SLAG = "carbide_slag"


def special_units(instance: Instance, parameters: Parameters) -> NDArray[np.bool_]:
    """Return True for special cases with A = E, by ``special_case`` or carbide-slag rate, shape ``(units,)``."""
    special = instance.has_case({sector: _at_emissions(instance, parameters, sector) for sector in instance.sectors})
    if SLAG not in _at_emissions(instance, parameters, "cement") or "carbide_slag_rate" not in instance.units:
        return special
    return special | (_slag(instance) > _limit(instance, parameters))


def thresholds(instance: Instance, parameters: Parameters) -> NDArray[np.float64]:
    """Return the emissions below which the enterprise of a unit gets A = E, shape ``(units,)`` [tCO2e].

    Under the national rule they are those of the sector and the year, unless the policy states one for all.
    """
    policy, key = instance.policy, "threshold_tco2e"
    by_sector = dict.fromkeys(instance.sectors, parameters.threshold_tco2e)
    if policy.rule.name == NATIONAL and key not in policy.rule.parameters:
        by_sector = {name: official_value(f"rule.{key}", name, policy.year, 0.0) for name in by_sector}
    return instance.labels("sector").mapped(by_sector, 0.0)


def problems_of_cases(instance: Instance, parameters: Parameters) -> list[Problem]:
    """Find cases that the rule does not have, and carbide-slag rates that contradict the case."""
    rule, problems = instance.policy.rule, []
    at_emissions = {sector: _at_emissions(instance, parameters, sector) for sector in instance.sectors}
    outside = {sector: instance.policy.cases_outside(sector) for sector in instance.sectors}
    both = sorted({case for sector, cases in at_emissions.items() for case in cases if case in outside[sector]})
    if both:
        what = _("names {both}, to which rule.special_cases gives A = E", both=", ".join(both))
        problems.append(Problem("policy.toml", what, _("Keep each case in one of the two."), "rule.outside_scope"))
    has = {sector: (*cases, *outside[sector]) for sector, cases in at_emissions.items()}
    if (unknown := ~instance.has_case({sector: ("", *cases) for sector, cases in has.items()})).any():
        units = instance.units
        count = counted(int(unknown.sum()), _("unit has a special case"), _("units have a special case"))
        names, cases = (units[name].to_numpy()[unknown] for name in ("unit_id", "special_case"))
        advice = _(
            "Leave the cell empty, so that the unit is treated as any other, or add the case to rule.special_cases. "
            "{cases}",
            cases=_list_of(has),
        )
        shown = tuple((f"of {name}", str(case)) for name, case in zip(names, cases, strict=True))
        problems.append(
            Problem(
                "units.csv",
                _("{count} that the rule {name} does not have", count=count, name=rule.name),
                advice,
                "special_case",
                shown,
            )
        )
    return problems + (_problems_of_slag(instance, parameters) if "carbide_slag_rate" in instance.units else [])


def units_named(instance: Instance, problems: list[Problem]) -> NDArray[np.bool_]:
    """Return True for units that a problem names, shape ``(units,)``."""
    names = {row for problem in problems for row, _ in problem.cells}
    if not names:
        return np.zeros(len(instance.units), dtype=bool)
    return np.array([f"of {name}" in names for name in instance.units["unit_id"]], dtype=bool)


def _at_emissions(instance: Instance, parameters: Parameters, sector: str) -> tuple[str, ...]:
    """Return the special cases of a sector that get A = E: stated, or those of the plan."""
    if parameters.special_cases is not None:
        return parameters.special_cases
    policy = instance.policy
    return cases_of_plan("special_cases", policy.rule.name, sector, policy.year) or ()


def _list_of(cases: dict[str, tuple[str, ...]]) -> str:
    """Return the cases that a rule has as a sentence, by sector where they differ."""
    if len(set(cases.values())) == 1:
        return _("The rule has {cases}.", cases=", ".join(next(iter(cases.values()))) or _("none"))
    by_sector = chain(
        (_("for {sector} {cases}", sector=sector, cases=", ".join(has) or _("none")) for sector, has in cases.items()),
        _("{first}; {second}"),
    )
    return _("The rule has {cases}.", cases=by_sector)


def _problems_of_slag(instance: Instance, parameters: Parameters) -> list[Problem]:
    """Find carbide-slag rates of units that burn none, and those that contradict the case of their line."""
    units, slag, limit = instance.units, _slag(instance), _limit(instance, parameters)
    cement = (units["sector"] == "cement").to_numpy()
    slag_case, other_case = (
        instance.has_case(dict.fromkeys(instance.sectors, cases)) for cases in ((SLAG,), ("", SLAG))
    )
    other_case = ~other_case
    checks = (
        (
            ~np.isnan(slag) & ~cement,
            (_("unit is"), _("units are"), _("not a clinker line")),
            _("Leave the cell empty: only lines of the sector cement burn carbide slag."),
        ),
        (
            cement & slag_case & (slag <= limit),
            (
                _("line is"),
                _("lines are"),
                _("carbide_slag with a rate that is not above the limit of {limit:g}", limit=limit),
            ),
            _("Correct the rate, or leave the special case empty."),
        ),
        (
            cement & other_case & (slag > limit),
            (
                _("line has"),
                _("lines have"),
                _("another special case and a rate above the limit of {limit:g}", limit=limit),
            ),
            _("Leave the rate or the special case empty: a unit has one case."),
        ),
    )
    return [
        Problem(
            "units.csv",
            _("{count} {which}", count=counted(int(bad.sum()), one, many), which=which),
            advice,
            "carbide_slag_rate",
            cells_of(units, bad, slag, "{:g}"),
        )
        for bad, (one, many, which), advice in checks
        if bad.any()
    ]


def _slag(instance: Instance) -> NDArray[np.float64]:
    """Return the carbide-slag rate of each unit, NaN if none is stated."""
    return instance.units["carbide_slag_rate"].to_numpy(dtype=float)


def _limit(instance: Instance, parameters: Parameters) -> float:
    """Return the limit of the carbide-slag rate: stated, of the plan or of the year; infinite if there is none."""
    if parameters.carbide_slag_limit is not None:
        return parameters.carbide_slag_limit
    year = PLAN_YEARS.get(instance.policy.rule.name, instance.policy.year)
    return float(official_value("rule.carbide_slag_limit", "cement", year, np.inf))
