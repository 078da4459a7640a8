"""The tables of a plan of reviews, derived again from its pairs of level and enterprise alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.review_plan.required import LEVELS
from etsopt.checking.theorem import OWN_TABLES

if TYPE_CHECKING:
    from etsopt.checking.review_plan.required import Required

COLUMNS = OWN_TABLES["review_plan"]


def plan_of(required: Required, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``plan`` of pairs of level and enterprise, in its order."""
    table = pairs.join(required.enterprises, on="enterprise_id")
    of_pairs = {level: (required.days[level].to_dict(), required.drawn[level].to_dict()) for level in LEVELS}
    keys = list(zip(table["level"], table["enterprise_id"], strict=True))
    table["days"] = [of_pairs[level][0][one] for level, one in keys]
    counting = table["level"] != LEVELS[0]
    seen = set(table.loc[table["level"] == LEVELS[1], "enterprise_id"])
    again = (table["level"] == LEVELS[2]) & table["enterprise_id"].isin(seen)
    table["covered_tco2e"] = table["at_risk"].where(counting & ~again, 0.0)
    drawn = [of_pairs[level][1][one] for level, one in keys]
    reason = np.where(table["covered_tco2e"] > 0, "risk", "coverage")
    table["reason"] = np.where(counting & np.array(drawn, dtype=bool), "drawn", reason)
    table["rank"] = table["level"].map(LEVELS.index)
    table = table.sort_values(["rank", "place", "enterprise_id"], ignore_index=True)
    table = table.rename(columns={"at_risk": "at_risk_tco2e"})
    return table[[*COLUMNS["plan"], "place"]]


def trips_of(required: Required, plan: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``trips``: the places that each level visits."""
    counts = plan.assign(rank=plan["level"].map(LEVELS.index)).groupby(["rank", "place"]).size()
    rows = [
        (LEVELS[rank], *place, int(number), required.travel[LEVELS[rank]])
        for (rank, place), number in sorted(counts.items())
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS["trips"]))


def groups_of(required: Required, plan: pd.DataFrame, trips: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``review_days`` without its prices."""
    rows = []
    for (level, province), group in required.groups.iterrows():
        national = level == LEVELS[2]
        own = plan[(plan["level"] == level) & (national | (plan["province"] == province))]
        travelled = trips[(trips["level"] == level) & (national | (trips["province"] == province))]
        days, travel = round(float(own["days"].sum()), 6), round(float(travelled["travel_days"].sum()), 6)
        members = required.members(level, province)
        rows.append(
            {
                "level": level,
                "province": province,
                "enterprises": int(group["population"]),
                "reviews": len(own),
                "least_reviews": int(group["least"]),
                "drawn": 0 if level == LEVELS[0] else int(required.drawn.loc[members, level].sum()),
                "available_days": group["available"],
                "review_days": days,
                "travel_days": travel,
                "left_days": round(group["available"] - days - travel, 6),
                "covered_tco2e": float(own["covered_tco2e"].sum()),
            }
        )
    return pd.DataFrame(rows)


def uncovered_of(required: Required, plan: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``uncovered``, the largest first."""
    covered = set(plan.loc[plan["level"] != LEVELS[0], "enterprise_id"])
    own = required.enterprises.reset_index(names="enterprise_id").rename(columns={"at_risk": "at_risk_tco2e"})
    left = own[~own["enterprise_id"].isin(covered) & (own["at_risk_tco2e"] > 0)]
    left = left.sort_values(["at_risk_tco2e", "enterprise_id"], ascending=[False, True], ignore_index=True)
    return left[list(COLUMNS["uncovered"])]
