"""Tables of a plan of reviews, and of missing days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt_models._review_plan.bound import priced_bound
from etsopt_models._review_plan.reviews import LEVELS, MUNICIPAL
from etsopt_models._tolerances import DAY_DECIMALS, MISSING_DAYS_MIN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._review_plan.reviews import Numbers, Reviews

    Mask = NDArray[np.bool_]


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
    groups = _groups(reviews, chosen, credited)
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


def _groups(reviews: Reviews, chosen: Mask, credited: Mask) -> pd.DataFrame:
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
