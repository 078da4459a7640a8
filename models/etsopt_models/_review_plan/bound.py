"""Bound of the uncovered tonnes by the multipliers of the days and of the least numbers, place by place."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from etsopt_models._review_plan.reviews import MUNICIPAL

if TYPE_CHECKING:
    from etsopt_models._review_plan.reviews import Numbers, Reviews


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
