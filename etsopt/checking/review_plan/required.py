"""Derive from the instance what a plan of reviews has to contain: enterprises, days, least numbers, and the draws."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from etsopt.checking.readings.instance_inputs import InstanceInputs

LEVELS = ("municipal", "provincial", "national")
COUNTING = LEVELS[1:]
"""Levels whose reviews cover tonnes."""

BITS = 52


@dataclass(frozen=True)
class Required:
    """Requirements of a plan.

    Parameters
    ----------
    enterprises
        By identifier, in alphabetical order: name, province, city, place, at_risk, size, days.
    groups
        By level and province (empty at the national level): available (NaN without a limit), least, population.
    days, drawn
        By enterprise, a column for each level: days of a review, and True if it has to be in the plan.
    travel
        Days of travel by level.
    """

    enterprises: pd.DataFrame
    groups: pd.DataFrame
    days: pd.DataFrame
    drawn: pd.DataFrame
    travel: dict[str, float]

    def members(self, level: str, province: str) -> pd.Index:
        """Return the enterprises of a group."""
        own = self.enterprises
        return own.index if level == LEVELS[2] else own.index[own["province"] == province]


def required_of(instance: InstanceInputs) -> Required:
    """Return the requirements of a plan of reviews."""
    policy, enterprises = instance.policy.review_plan, _enterprises(instance)
    levels = dict(zip(LEVELS, (policy.municipal, policy.provincial, policy.national), strict=True))
    days = pd.DataFrame({name: (level.effort * enterprises["days"]).round(6) for name, level in levels.items()})
    drawn = pd.DataFrame(False, index=enterprises.index, columns=list(LEVELS)).assign(municipal=True)
    rows: list[tuple[str, str, float, int, int]] = []
    for name, level in levels.items():
        for province in [""] if name == LEVELS[2] else sorted(set(enterprises["province"])):
            members = enterprises if name == LEVELS[2] else enterprises[enterprises["province"] == province]
            least = len(members)
            if name in COUNTING:
                sampled: Any = level
                least = _at_least(sampled.least, sampled.least_share, len(members))
                chosen = _drawn(members, instance, name, _at_least(sampled.drawn, sampled.drawn_share, len(members)))
                drawn.loc[chosen, name] = True
            limit: Any = level.days
            available = limit.get(province, math.nan) if isinstance(limit, dict) else limit
            rows.append((name, province, math.nan if available is None else float(available), least, len(members)))
    groups = pd.DataFrame(rows, columns=["level", "province", "available", "least", "population"])
    travel = {name: float(level.travel_days) for name, level in levels.items()}
    return Required(enterprises, groups.set_index(["level", "province"]), days, drawn, travel)


def _enterprises(instance: InstanceInputs) -> pd.DataFrame:
    """Return the enterprises that own units, with their place: a city, or the enterprise itself without one."""
    units = instance.units.sort_values(["unit_id"], kind="stable")
    by_size = units.sort_values("emissions_tco2e", ascending=False, kind="stable")
    table = pd.DataFrame({"size": units.groupby("enterprise_id")["emissions_tco2e"].sum()}).sort_index()
    own = pd.DataFrame(index=table.index)
    if instance.enterprises is not None:
        own = instance.enterprises.set_index("enterprise_id").reindex(table.index)
    for column in ("name", "province", "city"):
        table[column] = own[column].fillna("").astype(object) if column in own else ""
    seat = by_size.drop_duplicates("enterprise_id").set_index("enterprise_id")["province"].reindex(table.index)
    table["province"] = table["province"].where(table["province"] != "", seat)
    table["at_risk"] = own["at_risk_tco2e"].fillna(table["size"]) if "at_risk_tco2e" in own else table["size"]
    each = instance.policy.review_plan.days_per_review
    table["days"] = own["review_days"].fillna(each) if "review_days" in own else each
    alone = pd.Series(table.index, index=table.index).where(table["city"] == "", "")
    table["place"] = list(zip(table["province"], table["city"], alone, strict=True))
    return table


def _at_least(number: int, share: float, population: int) -> int:
    # A product of a share may exceed a whole number by its rounding alone.
    return min(population, max(number, math.ceil(share * population - 1e-9)))


def _drawn(members: pd.DataFrame, instance: InstanceInputs, level: str, number: int) -> list[str]:
    """Return the enterprises with the least logarithm of their number over their weight."""
    policy = instance.policy.review_plan
    ranks = []
    for name, size in members["size"].items():
        code = hashlib.sha256(f"{policy.seed} {level} {name}".encode()).hexdigest()[: BITS // 4]
        chance = (int(code, 16) + 0.5) / 2**BITS
        rank = -math.log(chance)
        if policy.drawn_by == "size":
            rank = rank / float(size) if size else math.inf
        ranks.append((rank, str(name)))
    return [name for _, name in sorted(ranks)[:number]]
