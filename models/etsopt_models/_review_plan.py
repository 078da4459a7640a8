"""The plan of reviews: enterprises, reviews, trips and draws before the program, its bound, and its tables.

Enterprises to review, possible reviews and trips at each level, least numbers, and the draws.

Bound of the uncovered tonnes by the multipliers of the days and of the least numbers, place by place.

Tables of a plan of reviews, and of missing days.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt_models._tolerances import DAY_DECIMALS, ENTERPRISE_COUNT_ROUNDING, MISSING_DAYS_MIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

    Numbers = NDArray[np.float64]

    Positions = NDArray[np.int64]

    Mask = NDArray[np.bool_]


LEVELS = ("municipal", "provincial", "national")
MUNICIPAL, NATIONAL = 0, 2


@dataclass(frozen=True)
class Reviews:
    """Possible reviews, by level and enterprise, and trips, by level and place; a group is a level in a province.

    Arrays of enterprises have the shape ``(e,)``, of reviews ``(3 e,)`` with the levels one after the other, of trips
    ``(3 places,)`` likewise, of groups ``(g,)``: the provinces at the municipal and then at the provincial level, and
    the country at the national one.

    Parameters
    ----------
    enterprises, name, province, city
        Identifiers in alphabetical order, and texts of each; a city may be empty.
    at_risk_tco2e
        Tonnes at risk of each enterprise.
    place, place_province, place_city, place_enterprise
        Place of each enterprise, and texts of each place. An enterprise without a city is a place of its own.
    group_of, trip_of, days, drawn
        Group and trip of each review, its days, and True for those that have to be in the plan.
    trip_group, trip_days
        Group of each trip, and its days.
    group_level, group_province, available, least, population
        Level and province of each group, its days (infinite without a limit), least number of reviews, and number of
        enterprises.
    """

    enterprises: NDArray[np.object_]
    name: NDArray[np.object_]
    province: NDArray[np.object_]
    city: NDArray[np.object_]
    at_risk_tco2e: Numbers
    place: Positions
    place_province: NDArray[np.object_]
    place_city: NDArray[np.object_]
    place_enterprise: NDArray[np.object_]
    group_of: Positions
    trip_of: Positions
    days: Numbers
    drawn: NDArray[np.bool_]
    trip_group: Positions
    trip_days: Numbers
    group_level: Positions
    group_province: NDArray[np.object_]
    available: Numbers
    least: Positions
    population: Positions

    @property
    def counts(self) -> NDArray[np.bool_]:
        """True for reviews that cover tonnes at risk: every enterprise is seen at the municipal level anyway."""
        return np.arange(len(self.days)) >= len(self.enterprises)


def reviews_of(instance: Instance) -> Reviews:  # long because each array has its line
    """Return the possible reviews of an instance.

    Raises
    ------
    DataError
        If a table of days by province leaves out a province, or names one without enterprises.
    """
    policy, labels = instance.policy.review_plan, instance.labels("enterprise_id")
    names = labels.names
    emissions = instance.units["emissions_tco2e"].to_numpy(dtype=float)
    size = np.bincount(labels.code, emissions, len(names))
    texts = {key: _stated(instance, names, key) for key in ("name", "province", "city")}
    province = np.where(texts["province"] == "", _of_largest_unit(instance), texts["province"]).astype(object)
    at_risk, days = (_numbers(instance, names, key) for key in ("at_risk_tco2e", "review_days"))
    at_risk = np.where(np.isnan(at_risk), size, at_risk)
    days = np.where(np.isnan(days), policy.days_per_review, days)
    provinces = sorted(set(province))
    place, of_place = _places(names, province, texts["city"])
    number, place_number = (
        np.array([provinces.index(one) for one in own], dtype=np.int64) for own in (province, of_place[0])
    )
    several, levels = len(provinces), (policy.municipal, policy.provincial, policy.national)
    group_of = _groups(number, several)
    population = np.bincount(group_of, minlength=2 * several + 1)
    weights = size.astype(float) if policy.drawn_by == "size" else np.ones(len(names))
    drawn, least = np.ones(3 * len(names), dtype=bool), population.copy()
    for group in range(several, 2 * several + 1):
        level = policy.national if group == 2 * several else policy.provincial
        own = np.flatnonzero(group_of == group)
        wanted = _number(level.drawn, level.drawn_share, population[group])
        seed, of_own = f"{policy.seed} {LEVELS[1 + (group == 2 * several)]}", own % len(names)
        drawn[own] = _draw(names[of_own], weights[of_own], wanted, seed)
        least[group] = _number(level.least, level.least_share, population[group])
    return Reviews(
        enterprises=names,
        name=texts["name"],
        province=province,
        city=texts["city"],
        at_risk_tco2e=at_risk,
        place=place,
        place_province=of_place[0],
        place_city=of_place[1],
        place_enterprise=of_place[2],
        group_of=group_of,
        trip_of=np.concatenate([level * len(place_number) + place for level in range(3)]),
        days=np.concatenate([np.round(level.effort * days, DAY_DECIMALS) for level in levels]),
        drawn=drawn,
        trip_group=_groups(place_number, several),
        trip_days=np.repeat([level.travel_days for level in levels], len(place_number)),
        group_level=np.append(np.repeat([0, 1], several), NATIONAL),
        group_province=np.array([*provinces, *provinces, ""], dtype=object),
        available=_available(instance, provinces),
        least=least,
        population=population,
    )


def _groups(province: Positions, provinces: int) -> Positions:
    """Return the groups of some enterprises or places at each level, one level after the other."""
    return np.concatenate([province, provinces + province, np.full(len(province), 2 * provinces)])


def _stated(instance: Instance, names: NDArray[np.object_], column: str) -> NDArray[np.object_]:
    """Return texts of the enterprises, empty where none is stated."""
    table = instance.enterprises
    if table is None or column not in table:
        return np.full(len(names), "", dtype=object)
    return table.set_index("enterprise_id")[column].reindex(names).fillna("").to_numpy(dtype=object)


def _numbers(instance: Instance, names: NDArray[np.object_], column: str) -> Numbers:
    """Return numbers of the enterprises, NaN where none is stated."""
    table = instance.enterprises
    if table is None or column not in table:
        return np.full(len(names), np.nan)
    return table.set_index("enterprise_id")[column].reindex(names).to_numpy(dtype=float)


def _of_largest_unit(instance: Instance) -> NDArray[np.object_]:
    """Return the province of each enterprise's unit with the most emissions, the first of equal ones."""
    units = instance.units.sort_values(["emissions_tco2e", "unit_id"], ascending=[False, True], kind="stable")
    first = units.drop_duplicates("enterprise_id").set_index("enterprise_id")["province"]
    return first.reindex(instance.labels("enterprise_id").names).to_numpy(dtype=object)


def _places(
    names: NDArray[np.object_], province: NDArray[np.object_], city: NDArray[np.object_]
) -> tuple[Positions, tuple[NDArray[np.object_], ...]]:
    """Return the place of each enterprise, and province, city and, without a city, enterprise of each place."""
    keys = [(own, town, "" if town else name) for name, own, town in zip(names, province, city, strict=True)]
    known = {key: number for number, key in enumerate(sorted(set(keys)))}
    texts = [np.array([key[part] for key in known], dtype=object) for part in range(3)]
    return np.array([known[key] for key in keys], dtype=np.int64), tuple(texts)


def _number(stated: int, share: float, population: int) -> int:
    """Return the larger of a number and a share, rounded up, at most all."""
    return min(max(stated, math.ceil(share * population - ENTERPRISE_COUNT_ROUNDING)), int(population))


def _draw(names: NDArray[np.object_], weights: Numbers, wanted: int, seed: str) -> NDArray[np.bool_]:
    """Draw enterprises without replacement, with chances by weight (Efraimidis and Spirakis 2006).

    The number of an enterprise follows from the seed and its identifier alone, so that no other enterprise changes it,
    and anyone can verify the draw.
    """
    chances = np.array([_between_0_and_1(f"{seed} {name}") for name in names])
    with np.errstate(divide="ignore"):
        keys = -np.log(chances) / weights
    chosen = np.zeros(len(names), dtype=bool)
    chosen[np.lexsort((np.arange(len(names)), keys))[:wanted]] = True
    return chosen


def _between_0_and_1(text: str) -> float:
    """Return a number above 0 and below 1 from the first 52 bits of a hash.

    >>> round(_between_0_and_1("1 national a"), 6) == round(_between_0_and_1("1 national a"), 6)
    True
    """
    bits = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 12
    return (bits + 0.5) / 2**52


def _available(instance: Instance, provinces: list[str]) -> Numbers:
    """Return the days of each group, infinite without a limit."""
    policy, problems, found = instance.policy.review_plan, [], []
    for level, days in (("municipal", policy.municipal.days), ("provincial", policy.provincial.days)):
        if isinstance(days, dict):
            wrong = sorted(set(days) ^ set(provinces))
            if wrong:
                what = _(
                    "names other provinces than those of the enterprises: {names}",
                    names=", ".join(map(repr, wrong[:5])),
                )
                advice = _(
                    "State the days of every province: {names}; or one number for each.", names=", ".join(provinces)
                )
                problems.append(Problem("policy.toml", what, advice, f"review_plan.{level}.days"))
        found += [
            math.inf if days is None else float(days.get(one, 0.0) if isinstance(days, dict) else days)
            for one in provinces
        ]
    if problems:
        raise DataError(_("The policy of {name!r}", name=instance.name), problems)
    national = policy.national.days
    return np.array([*found, math.inf if national is None else national])


def priced_bound(reviews: Reviews, of_day: Numbers, of_review: Numbers) -> float:
    """Return the bound of the page of `review_plan` [tCO2e]; of each place the best of its four choices of trips."""
    enterprises, places = len(reviews.enterprises), len(reviews.place_city)
    group = reviews.group_of
    cost = (of_day[group] * reviews.days - of_review[group]).reshape(3, enterprises)
    travel = (of_day[reviews.trip_group] * reviews.trip_days).reshape(3, places)
    drawn = reviews.drawn.reshape(3, enterprises)
    best = np.full(places, np.inf)
    for trips in itertools.product((False, True), repeat=2):
        options = []
        for taken in itertools.product((False, True), repeat=2):
            possible = np.ones(enterprises, dtype=bool)
            value = np.zeros(enterprises) if any(taken) else reviews.at_risk_tco2e.copy()
            for level, (visited, reviewed) in enumerate(zip(trips, taken, strict=True), 1):
                possible &= visited if reviewed else ~drawn[level]
                value += float(reviewed) * cost[level]
            options.append(np.where(possible, value, np.inf))
        least = np.min(options, axis=0)
        at_place = np.bincount(reviews.place, np.where(np.isfinite(least), least, 0.0), places)
        at_place[reviews.place[~np.isfinite(least)]] = np.inf
        for level, visited in enumerate(trips, 1):
            at_place += float(visited) * travel[level]
        best = np.minimum(best, at_place)
    # At the municipal level nothing is chosen.
    of_all = float(cost[MUNICIPAL].sum() + travel[MUNICIPAL].sum() + best.sum())
    limited = np.isfinite(reviews.available)
    return of_all + float(of_review @ reviews.least - of_day[limited] @ reviews.available[limited])


def plan_tables(
    instance: Instance, reviews: Reviews, chosen: Mask, of_day: Numbers, of_review: Numbers
) -> dict[str, pd.DataFrame]:
    """Return all tables of a plan.

    Parameters
    ----------
    chosen
        Reviews of the solution.
    of_day, of_review
        Multipliers of the groups, zero or more [tCO2e per day, per review].
    """
    chosen = _needed(reviews, chosen)
    credited = _credited(reviews, chosen)
    plan = _plan(reviews, chosen, credited)
    groups = _groups_of_reviews(reviews, chosen, credited)
    groups["further_day_covers_tco2e"] = of_day
    groups["further_review_costs_tco2e"] = of_review
    at_risk = reviews.at_risk_tco2e
    covered = np.logical_or.reduce(credited.reshape(3, -1), axis=0)
    left = np.flatnonzero(~covered & (at_risk > 0))
    uncovered = pd.DataFrame(
        {
            "enterprise_id": reviews.enterprises[left],
            "name": reviews.name[left],
            "province": reviews.province[left],
            "city": reviews.city[left],
            "at_risk_tco2e": at_risk[left],
        }
    ).sort_values(["at_risk_tco2e", "enterprise_id"], ascending=[False, True], ignore_index=True)
    summary = pd.DataFrame(
        {
            "enterprises": [len(at_risk)],
            "seed": [instance.policy.review_plan.seed],
            "at_risk_tco2e": [float(at_risk.sum())],
            "covered_tco2e": [float(at_risk[covered].sum())],
            "uncovered_tco2e": [float(at_risk[~covered].sum())],
            "priced_bound_tco2e": [priced_bound(reviews, of_day, of_review)],
        }
    )
    return {
        "plan": plan,
        "trips": _trips(reviews, chosen),
        "review_days": groups,
        "uncovered": uncovered,
        "review_summary": summary,
    }


def possible_prices(reviews: Reviews, of_day: Numbers, of_review: Numbers) -> tuple[Numbers, Numbers]:
    """Return the multipliers of days and of least numbers within what a day can cover and a review can cost.

    A multiplier beyond comes from a group without a choice, where any number is one.
    """
    count, free = len(reviews.available), reviews.counts & ~reviews.drawn
    worth = np.tile(reviews.at_risk_tco2e, 3) / reviews.days
    most = np.zeros(count)
    np.maximum.at(most, reviews.group_of[free], worth[free])
    drawn = np.bincount(reviews.group_of[reviews.drawn], minlength=count)
    total = float(reviews.at_risk_tco2e.sum()) * (reviews.least > drawn)
    return np.clip(of_day, 0.0, most), np.clip(of_review, 0.0, total)


def _needed(reviews: Reviews, chosen: Mask) -> Mask:
    """Return the plan without reviews that serve nothing, those with the most days first."""
    chosen, enterprises = chosen.copy(), len(reviews.enterprises)
    number = np.bincount(reviews.group_of[chosen], minlength=len(reviews.least))
    times = np.bincount(np.flatnonzero(chosen & reviews.counts) % enterprises, minlength=enterprises)
    may_go = np.flatnonzero(chosen & ~reviews.drawn)
    for review in may_go[np.argsort(-reviews.days[may_go], kind="stable")]:
        group, enterprise = reviews.group_of[review], review % enterprises
        serves = times[enterprise] == 1 and reviews.at_risk_tco2e[enterprise] > 0
        if number[group] > reviews.least[group] and not serves:
            chosen[review] = False
            number[group] -= 1
            times[enterprise] -= 1
    return chosen


def _credited(reviews: Reviews, chosen: Mask) -> Mask:
    """Return the reviews that cover the tonnes of their enterprise; of two, the provincial one."""
    by_level = (chosen & reviews.counts).reshape(3, -1)
    return np.concatenate([by_level[0], by_level[1], by_level[2] & ~by_level[1]])


def _plan(reviews: Reviews, chosen: Mask, credited: Mask) -> pd.DataFrame:
    """Return a row for each review, in the order of level, province, city and enterprise."""
    rows = np.flatnonzero(chosen)
    enterprise, level = rows % len(reviews.enterprises), rows // len(reviews.enterprises)
    order = np.lexsort((enterprise, reviews.place[enterprise], level))
    rows, enterprise, level = rows[order], enterprise[order], level[order]
    at_risk = reviews.at_risk_tco2e[enterprise]
    covers = np.where(credited[rows], at_risk, 0.0)
    reason = np.where(reviews.drawn[rows], "drawn", np.where(covers > 0, "risk", "coverage"))
    reason[level == MUNICIPAL] = "coverage"
    return pd.DataFrame(
        {
            "enterprise_id": reviews.enterprises[enterprise],
            "name": reviews.name[enterprise],
            "province": reviews.province[enterprise],
            "city": reviews.city[enterprise],
            "level": np.array(LEVELS, dtype=object)[level],
            "days": reviews.days[rows],
            "at_risk_tco2e": at_risk,
            "covered_tco2e": covers,
            "reason": reason.astype(object),
        }
    )


def _trips(reviews: Reviews, chosen: Mask) -> pd.DataFrame:
    """Return a row for each visited place, with the number of enterprises reviewed there."""
    number = np.bincount(reviews.trip_of[chosen], minlength=len(reviews.trip_days))
    rows = np.flatnonzero(number)
    place = rows % len(reviews.place_city)
    return pd.DataFrame(
        {
            "level": np.array(LEVELS, dtype=object)[rows // len(reviews.place_city)],
            "province": reviews.place_province[place],
            "city": reviews.place_city[place],
            "enterprise_id": reviews.place_enterprise[place],
            "reviews": number[rows],
            "travel_days": reviews.trip_days[rows],
        }
    )


def _groups_of_reviews(reviews: Reviews, chosen: Mask, credited: Mask) -> pd.DataFrame:
    """Return a row for each level and province: numbers, days, and tonnes covered."""
    count, group = len(reviews.available), reviews.group_of
    at_risk = np.tile(reviews.at_risk_tco2e, 3)
    visited = np.zeros(len(reviews.trip_days), dtype=bool)
    visited[reviews.trip_of[chosen]] = True
    at_enterprises = np.round(np.bincount(group[chosen], reviews.days[chosen], count), DAY_DECIMALS)
    travel = np.round(np.bincount(reviews.trip_group[visited], reviews.trip_days[visited], count), DAY_DECIMALS)
    available = np.where(np.isfinite(reviews.available), reviews.available, np.nan)
    return pd.DataFrame(
        {
            "level": np.array(LEVELS, dtype=object)[reviews.group_level],
            "province": reviews.group_province,
            "enterprises": reviews.population,
            "reviews": np.bincount(group[chosen], minlength=count),
            "least_reviews": reviews.least,
            "drawn": np.where(reviews.group_level == MUNICIPAL, 0, np.bincount(group[reviews.drawn], minlength=count)),
            "available_days": available,
            "review_days": at_enterprises,
            "travel_days": travel,
            "left_days": np.round(available - at_enterprises - travel, DAY_DECIMALS),
            "covered_tco2e": np.bincount(group[credited], at_risk[credited], count),
        }
    )


def missing_tables(reviews: Reviews, missing: Numbers) -> dict[str, pd.DataFrame]:
    """Return the groups whose days do not suffice for their least numbers and draws."""
    missing = np.round(missing, DAY_DECIMALS)
    rows = np.flatnonzero(missing > MISSING_DAYS_MIN)
    drawn = np.bincount(reviews.group_of[reviews.drawn], minlength=len(missing))
    table = pd.DataFrame(
        {
            "level": np.array(LEVELS, dtype=object)[reviews.group_level[rows]],
            "province": reviews.group_province[rows],
            "enterprises": reviews.population[rows],
            "needed_reviews": np.maximum(reviews.least, drawn)[rows],
            "available_days": reviews.available[rows],
            "needed_days": np.round(reviews.available[rows] + missing[rows], DAY_DECIMALS),
            "missing_days": missing[rows],
        }
    )
    return {"missing_days": table}
