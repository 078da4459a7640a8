r"""A plan of reviews: the reviewers of three levels cover the most tonnes at risk (mixed-integer program).

Every enterprise is seen at the municipal level, at least a share of each province at the provincial, and a sample of
the country at the national. A part is drawn at random, for deterrence. Days of reviewers are limited, by province at
the municipal and provincial levels and for the whole country at the national one. A review takes days at the
enterprise; a visit to a city takes days of travel once.

.. formulation:: formulate

The provincial and the national level cover tonnes; an enterprise that both review counts once. One row for each review
and trip, `trip_before_review`, is stronger than one for each trip. Before the tables are written, reviews that serve
nothing are removed: not drawn, beyond the least number, and covering no tonnes.

**Without a plan.** If the days of a group do not suffice for its least number and its draws, the least missing days
are stated, in the table `missing_days`.

**Draws.** Each enterprise has a number $u \in (0, 1)$, the hash (SHA-256) of seed, level and identifier. Those with the
least $-\ln(u) / w$ are drawn, where $w$ is the emissions of the enterprise, or 1. So the chance of each is in
proportion to $w$, one draw after the other without replacement, and another enterprise changes no number.

**Duals.** The multipliers $\mu_g$ of `days_of_group` and $\lambda_g$ of `enough_reviews` are those of the linear
relaxation: the tonnes that one more day would cover, and one more review would cost, next to the plan. With these
rows priced, the rest separates by city. In a group without a choice any number may be a multiplier: $\mu_g$ is at most
the largest $r_i / d_j$ of a review that is not drawn, and $\lambda_g$ is 0 if the draws suffice. The bound is

$$\sum_g (\lambda_g n_g - \mu_g D_g) + \sum_c \min_{x, y, z \in c} \Bigl[ \sum_{i \in c} r_i (1 - z_i)
  + \sum_{j \in c} (\mu_g d_j - \lambda_g) x_j + \sum_{k \in c} \mu_g \tau_k y_k \Bigr] \le \text{uncovered}.$$

The table `review_summary` states it. The checker evaluates it again, and proves the plan by a better one: the days of
the groups are kept by dynamic programming, and only the least numbers are priced.

References: Efraimidis and Spirakis (2006), Weighted random sampling with a reservoir; Geoffrion (1974) for the bound;
the three-level review (国家—省—市三级联审) of the 2026 work notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo

from etsopt.data.groups import Groups
from etsopt.modelling import Prepared, PreparedModel
from etsopt_models._review_plan import Reviews, missing_tables, plan_tables, possible_prices, reviews_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.instance import Instance


@dataclass(frozen=True)
class PreparedReviews(Prepared):
    """Possible reviews with their program, and its solver."""

    reviews: Reviews
    relax: Any


def formulate() -> pyo.AbstractModel:  # long because a symbol and an equation each have their line
    r"""Return the program without data.

    | symbol | meaning | unit | in the code |
    | --- | --- | --- | --- |
    | $i$ | enterprises | | `ENTERPRISES` |
    | $j$ | possible reviews: an enterprise and a level | | `REVIEWS`, `REVIEWS_OF_ENTERPRISE` (provincial and national), `REVIEWS_OF_GROUP` |
    | $k$ | possible trips: a city and a level; $k(j)$ is that of a review | | `TRIPS`, `TRIPS_OF_GROUP`, `trip_of` |
    | $g$ | groups: a level in a province, or the national level | | `GROUPS`, `LIMITED` (groups with limited days) |
    | $r_i$ | tonnes at risk | tCO2e | `at_risk` |
    | $d_j, \tau_k$ | days of a review, and of travel | days | `days`, `travel_days` |
    | $D_g$ | days of the reviewers | days | `available` |
    | $n_g$ | least number of reviews | reviews | `least` |
    | $\underline x_j$ | 1 for reviews that are drawn; at the municipal level for all | 1 | `drawn` |
    | $x_j \in \{\underline x_j, 1\}$ | 1 if the review is in the plan | 1 | `review` |
    | $y_k \in \{0, 1\}$ | 1 if the city is visited | 1 | `trip` |
    | $z_i \in [0, 1]$ | 1 if the tonnes at risk are covered | 1 | `covered` |
    | $m_g \ge 0$ | days that are missing; 0 but where infeasibility is explained | days | `missing`, `missing_most` |
    """
    m = pyo.AbstractModel("review_plan")
    m.ENTERPRISES, m.REVIEWS, m.TRIPS, m.GROUPS = pyo.Set(), pyo.Set(), pyo.Set(), pyo.Set()
    m.LIMITED = pyo.Set(within=m.GROUPS)
    m.REVIEWS_OF_ENTERPRISE = pyo.Set(m.ENTERPRISES, within=m.REVIEWS)
    m.REVIEWS_OF_GROUP = pyo.Set(m.GROUPS, within=m.REVIEWS)
    m.TRIPS_OF_GROUP = pyo.Set(m.GROUPS, within=m.TRIPS)

    m.at_risk = pyo.Param(m.ENTERPRISES, doc="tonnes at risk [tCO2e]")
    m.days = pyo.Param(m.REVIEWS, doc="days of the review [days]")
    m.drawn = pyo.Param(m.REVIEWS, doc="1 if the review is drawn [1]")
    m.trip_of = pyo.Param(m.REVIEWS, within=m.TRIPS, doc="position of the review's trip [1]")
    m.travel_days = pyo.Param(m.TRIPS, doc="days of travel [days]")
    m.available = pyo.Param(m.GROUPS, doc="days of the reviewers [days]")
    m.least = pyo.Param(m.GROUPS, doc="least number of reviews [reviews]")
    m.missing_most = pyo.Param(m.GROUPS, doc="most missing days, 0 where there has to be a plan [days]")

    m.review = pyo.Var(m.REVIEWS, domain=pyo.Integers, bounds=lambda m, j: (m.drawn[j], 1), doc="1 if in the plan [1]")
    m.trip = pyo.Var(m.TRIPS, domain=pyo.Binary, doc="1 if the city is visited [1]")
    m.covered = pyo.Var(m.ENTERPRISES, bounds=(0, 1), doc="1 if the tonnes at risk are covered [1]")
    m.missing = pyo.Var(m.LIMITED, bounds=lambda m, g: (0, m.missing_most[g]), doc="missing days [days]")

    # $$\sum_{j \in g} d_j x_j + \sum_{k \in g} \tau_k y_k \le D_g + m_g \tag{days_of_group}$$
    @m.Constraint(m.LIMITED, doc="reviews and travel take no more days than there are [days]")
    def days_of_group(m, g):
        at_enterprises = sum(m.days[j] * m.review[j] for j in m.REVIEWS_OF_GROUP[g])
        travelled = sum(m.travel_days[k] * m.trip[k] for k in m.TRIPS_OF_GROUP[g])
        return at_enterprises + travelled - m.missing[g] <= m.available[g]

    # $$\sum_{j \in g} x_j \ge n_g \tag{enough_reviews}$$
    @m.Constraint(m.GROUPS, doc="a level reviews at least its number of enterprises [reviews]")
    def enough_reviews(m, g):
        return sum(m.review[j] for j in m.REVIEWS_OF_GROUP[g]) >= m.least[g]

    # $$x_j \le y_{k(j)} \tag{trip_before_review}$$
    @m.Constraint(m.REVIEWS, doc="only where the city is visited is there a review [1]")
    def trip_before_review(m, j):
        return m.review[j] - m.trip[m.trip_of[j]] <= 0

    # $$z_i \le \sum_{j \in i} x_j \tag{covered_by_review}$$
    @m.Constraint(m.ENTERPRISES, doc="tonnes are covered by a provincial or a national review [1]")
    def covered_by_review(m, i):
        return m.covered[i] - sum(m.review[j] for j in m.REVIEWS_OF_ENTERPRISE[i]) <= 0

    # $$\min \sum_i r_i (1 - z_i) \tag{uncovered}$$
    @m.Objective(doc="tonnes at risk that no provincial or national review covers [t]")
    def uncovered(m):
        return sum(m.at_risk[i] * (1 - m.covered[i]) for i in m.ENTERPRISES)

    # $$\min \sum_g m_g \tag{missing_days}$$
    @m.Objective(doc="days that are missing for the least numbers and the draws [days]")
    def missing_days(m):
        return sum(m.missing[g] for g in m.LIMITED)

    return m


def objectives(instance: Instance) -> list[str]:
    """Return the uncovered tonnes alone: without a plan, `explain` states the missing days."""
    return ["uncovered"]


def prepare(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any) -> PreparedReviews:
    """Return the possible reviews with arrays for `formulate`.

    Raises
    ------
    DataError
        If a table of days by province leaves out a province, or names one without enterprises.
    """
    reviews = reviews_of(instance)
    enterprises, groups = len(reviews.enterprises), len(reviews.available)
    limited = np.flatnonzero(np.isfinite(reviews.available))
    counted = np.where(reviews.counts, np.arange(len(reviews.days)) % enterprises, -1)
    parameters = {
        "ENTERPRISES": enterprises,
        "REVIEWS": len(reviews.days),
        "TRIPS": len(reviews.trip_days),
        "GROUPS": groups,
        "LIMITED": limited,
        "REVIEWS_OF_ENTERPRISE": Groups.from_labels(counted, enterprises),
        "REVIEWS_OF_GROUP": Groups.from_labels(reviews.group_of, groups),
        "TRIPS_OF_GROUP": Groups.from_labels(reviews.trip_group, groups),
        "at_risk": reviews.at_risk_tco2e,
        "days": reviews.days,
        "drawn": reviews.drawn.astype(float),
        "trip_of": reviews.trip_of,
        "travel_days": reviews.trip_days,
        "available": np.where(np.isfinite(reviews.available), reviews.available, 0.0),
        "least": reviews.least.astype(float),
        "missing_most": np.zeros(groups),
    }
    return PreparedReviews(parameters, reviews, relax)


def explain(instance: Instance, prepared: PreparedReviews) -> tuple[dict[str, pd.DataFrame], Any]:
    """Return the least missing days of each group if there is no plan, and the objective."""
    reviews = prepared.reviews
    every = np.bincount(reviews.group_of, reviews.days) + np.bincount(reviews.trip_group, reviews.trip_days)
    solution = prepared.relax.whole(prepared.parameters | {"missing_most": every}, "missing_days", 0.0)
    missing = np.zeros(len(reviews.available))
    missing[prepared.parameters["LIMITED"]] = solution.values["missing"]
    return missing_tables(reviews, missing), solution.levels[0]


def tables(instance: Instance, solution: Any, prepared: PreparedReviews) -> dict[str, pd.DataFrame]:
    """Return the tables ``plan``, ``trips``, ``review_days``, ``uncovered`` and ``review_summary``."""
    reviews, level = prepared.reviews, solution.levels[0]
    of_day, of_review = np.zeros(len(reviews.available)), np.zeros(len(reviews.available))
    if level.multipliers:
        of_day[prepared.parameters["LIMITED"]] = -level.multipliers["days_of_group"]
        of_review = level.multipliers["enough_reviews"]
    chosen = solution.values["review"] > 0.5
    return plan_tables(instance, reviews, chosen, *possible_prices(reviews, of_day, of_review))


MODEL = PreparedModel(
    formulate=formulate,
    objectives=objectives,
    prepare=prepare,
    tables=tables,
    explain=explain,
    gap=1e-3,
    # No rule, target or band.
    reads=("review_plan",),
)
