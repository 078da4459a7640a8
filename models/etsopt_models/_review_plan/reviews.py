"""Enterprises to review, possible reviews and trips at each level, least numbers, and the draws."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt_models._tolerances import DAY_DECIMALS, ENTERPRISE_COUNT_ROUNDING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

    Numbers = NDArray[np.float64]
    Positions = NDArray[np.int64]

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
