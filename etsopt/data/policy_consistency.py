"""Consistency checks of a policy with the units, and of its sections over the years of the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import PROBLEMS_SHOWN, Problem, brief
from etsopt.common.language import _
from etsopt.data.content import output_of
from etsopt.data.messages import cells_of, counted, did_you_mean
from etsopt.data.policy.plans import uses_balance_value
from etsopt.data.policy.yearly import by_year
from etsopt.data.tables.schema import SECTORS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.content import Content
    from etsopt.data.policy.policy import Policy

FILE = "policy.toml"


def problems_of_policy(instance: Content) -> list[Problem]:
    """Find problems of an instance's policy, each key of which is valid by itself."""
    policy = instance.policy
    problems = _problems_of_sectors_and_provinces(instance)
    problems += _problems_of_coverage(policy)
    problems += _problems_of_enterprises(instance)
    problems += _problems_of_output_cuts(instance)
    problems += _problems_of_horizon(policy)
    # Prices are compared over the years of a valid horizon.
    return problems or _problems_of_prices(policy)


def problems_of_sectors(instance: Content) -> list[Problem]:
    """Find sectors of the units that a plan of China's does not have."""
    unknown = sorted(set(instance.sectors) - set(SECTORS)) if instance.policy.follows_plan else []
    if not unknown:
        return []
    of_other_sectors = np.isin(instance.labels("sector").code, np.flatnonzero(~np.isin(instance.sectors, SECTORS)))
    what = _(
        "{count} of a sector that the rule {name} does not have",
        count=counted(int(of_other_sectors.sum()), _("unit is"), _("units are")),
        name=instance.policy.rule.name,
    )
    advice = _("Use one of {sectors}, or another rule.", sectors=", ".join(SECTORS))
    cells = cells_of(instance.units, of_other_sectors, instance.units["sector"].to_numpy())
    return [Problem("units.csv", what, advice, "sector", cells)]


def _problems_of_sectors_and_provinces(instance: Content) -> list[Problem]:
    """Find sectors and provinces without a unit, and sectors that no key of the policy can name."""
    policy, sectors, provinces = instance.policy, instance.sectors, instance.provinces
    problems: list[Problem] = []
    if any("." in name for name in sectors):
        what, names = _("a dot in a name separates keys of the policy"), instance.units["sector"].to_numpy()
        cells = cells_of(instance.units, np.array(["." in name for name in names]), names)
        problems.append(Problem("units.csv", what, _("Write the sector without a dot."), "sector", cells))
    for path, stated in (("sectors", policy.sectors), ("abatement.output_cut", policy.abatement.output_cut)):
        for sector in stated:
            if sector not in sectors:
                what = _("the sector {sector!r} has no unit", sector=sector)
                problems.append(Problem(FILE, what, _("Remove its table, or add its units."), f"{path}.{sector}"))
    if isinstance(policy.provinces.balance, dict):
        for province in sorted(set(policy.provinces.balance) - set(provinces)):
            guess = did_you_mean(province, provinces) if len(problems) < PROBLEMS_SHOWN else ""
            what = _("the province {province} has no unit", province=brief(province))
            problems.append(
                Problem(FILE, what, _("{guess}Correct its name, or remove it.", guess=guess), "provinces.balance")
            )
    return problems


def _problems_of_coverage(policy: Policy) -> list[Problem]:
    """Find balance values that a rule does not use, and a national total of a part of the nation."""
    problems: list[Problem] = []
    for sector in policy.sectors:
        key = f"sectors.{sector}.balance_value"
        if policy.states_balance_value(sector) and not uses_balance_value(policy.rule.name, sector, policy.year):
            what = _(
                "is stated, but the rule {name!r} has no balance value of {sector} in {year}",
                name=policy.rule.name,
                sector=sector,
                year=policy.year,
            )
            problems.append(Problem(FILE, what, _("Leave it out, or use cn, cn-2025 or cn-2026."), key))
    until = policy.outlook.report_until
    if until is not None and until < policy.year:
        what = _("is {until}, before the year of the tables, {year}", until=until, year=policy.year)
        problems.append(Problem(FILE, what, _("Name a later year, or leave it out."), "outlook.report_until"))
    if policy.coverage == "part" and policy.national is not None and policy.national.target_keys:
        advice = _("State targets of sectors, which are those of the table, or coverage as nation.")
        key = f"national.{policy.national.target_keys[0]}"
        problems.append(Problem(FILE, _("is of the nation, but the table covers a part of it"), advice, key))
    return problems


def _problems_of_enterprises(instance: Content) -> list[Problem]:
    """Find enterprises without a unit, which have no obligation."""
    problems: list[Problem] = []
    policy = instance.policy
    budgets = policy.investment.budget_cny
    named = {
        "compliance.at_risk": policy.compliance.at_risk,
        "compliance.without_purchases": policy.compliance.without_purchases,
        "compliance.speculating": policy.compliance.speculating,
        "investment.budget_cny": budgets if isinstance(budgets, dict) else (),
    }
    for key, names in named.items():
        stated = set(names)
        known = set(instance.labels("enterprise_id").names) if stated else stated
        for name in sorted(stated - known):
            guess = did_you_mean(name, sorted(known)) if len(problems) < PROBLEMS_SHOWN else ""
            what = _("the enterprise {name} has no unit", name=brief(name))
            problems.append(
                Problem(
                    FILE,
                    what,
                    _("{guess}Correct its name, or remove it.", guess=guess),
                    key,
                )
            )
    return problems


def _problems_of_output_cuts(instance: Content) -> list[Problem]:
    units, sector, named = instance.units, instance.labels("sector"), instance.policy.abatement.output_cut
    cut = np.array([name in named for name in sector.names], dtype=bool)[sector.code]
    if not cut.any():
        return []
    without = cut & np.isnan(output_of(units))
    if not without.any():
        return []
    what = _("{count} no output that could be cut", count=counted(int(without.sum()), _("unit has"), _("units have")))
    advice = _("Fill the column, of power generation_mwh, or remove the sector from abatement.output_cut.")
    return [Problem("units.csv", what, advice, "output_t", cells_of(units, without))]


def _problems_of_horizon(policy: Policy) -> list[Problem]:
    horizon, problems = policy.horizon, []
    first = policy.year if horizon.first_year is None else horizon.first_year
    if first < policy.year:
        what = _("is {first}: expected {year}, the year of the tables, or later", first=first, year=policy.year)
        problems.append(Problem(FILE, what, _("State that year or a later one."), "horizon.first_year"))
    if horizon.last_year is not None and horizon.last_year < first:
        what = _("is {last_year}: expected {first}, the first year, or later", last_year=horizon.last_year, first=first)
        problems.append(Problem(FILE, what, _("State that year or a later one."), "horizon.last_year"))
    cap_from = policy.pathway.cap_from
    if cap_from is not None and cap_from <= first:
        what = _(
            "is {cap_from}: expected a year after {first}, the first, since the cap starts from the total before it",
            cap_from=cap_from,
            first=first,
        )
        problems.append(Problem(FILE, what, _("State a later year, or begin the horizon earlier."), "pathway.cap_from"))
    no_bank_from = policy.pathway.no_bank_from
    if no_bank_from is not None and no_bank_from <= first:
        what = _(
            "is {no_bank_from}: expected a year after {first}, the first, which begins with what enterprises hold",
            no_bank_from=no_bank_from,
            first=first,
        )
        advice = _("State a later year, or begin the horizon earlier.")
        problems.append(Problem(FILE, what, advice, "pathway.no_bank_from"))
    return problems


def _problems_of_prices(policy: Policy) -> list[Problem]:
    """Find years whose prices contradict each other or are missing."""
    market, years = policy.market, policy.years
    floor = by_year(market.floor_price_cny_per_t, years)
    ceiling = by_year(market.ceiling_price_cny_per_t, years)
    supply = by_year(market.ccer_supply_t, years, 0.0)
    offset = by_year(market.ccer_price_cny_per_t, years)
    expected = by_year(market.prices_cny_per_t, years)
    checks = [
        (
            np.isnan(expected) & (market.prices_cny_per_t is not None),
            "market.prices_cny_per_t",
            _("is stated for later years, but not for {years}"),
            _("State the price from the first year of the horizon on."),
        ),
        (
            floor > ceiling,
            "market.floor_price_cny_per_t",
            _("is above the ceiling price in {years}"),
            _("Lower the floor or raise the ceiling."),
        ),
        (
            (supply > 0) & np.isnan(offset),
            "market.ccer_price_cny_per_t",
            _("is missing, while there is ccer_supply_t, in {years}"),
            _("State the price of an offset, or remove the supply."),
        ),
    ]
    return [
        Problem(FILE, _(what, years=_year_range(bad, years)), advice, key)
        for bad, key, what, advice in checks
        if bad.any()
    ]


def _year_range(where: NDArray[np.bool_], years: list[int]) -> str:
    """Return the selected year, or the number, first and last of several."""
    selected = [years[position] for position in np.flatnonzero(where)]
    if len(selected) == 1:
        return str(selected[0])
    return _("{count} years from {first} to {last}", count=len(selected), first=selected[0], last=selected[-1])
