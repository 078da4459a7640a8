"""Check a plan of reviews against the instance: its rows, days, numbers and draws, and the tonnes that it leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.checking.cells import TEXTS, above, are_whole, distance
from etsopt.checking.review_plan.bound import Prices, best_bound, bound
from etsopt.checking.review_plan.expected import groups_of, plan_of, trips_of, uncovered_of
from etsopt.checking.review_plan.least_days import least_days
from etsopt.checking.review_plan.required import LEVELS, required_of
from etsopt.checking.theorem import MISSING, MISSING_TABLES, OWN_STAGE, OWN_TABLES
from etsopt.checking.tolerances import DAYS_TOLERANCE
from etsopt.checking.verdict import LevelCheck, Verdict, Violation
from etsopt.common.language import _
from etsopt.common.units import tolerance_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.checking.arrays import Floats
    from etsopt.checking.readings.instance_inputs import InstanceInputs
    from etsopt.checking.review_plan.required import Required

(UNCOVERED,) = OWN_STAGE["review_plan"]

PRICED = ("further_day_covers_tco2e", "further_review_costs_tco2e")


def check(instance: InstanceInputs, tables: Mapping[str, pd.DataFrame], gap: float) -> Verdict:
    """Check a plan of reviews, or the days that are missing for one.

    Parameters
    ----------
    gap
        Largest relative gap that the reader accepts.

    Returns
    -------
    Verdict
        Violations, and the uncovered tonnes with a bound that no plan is below; or the missing days.
    """
    infeasible = "plan" not in tables
    violations = are_whole(tables, MISSING_TABLES if infeasible else OWN_TABLES["review_plan"])
    if violations:
        return Verdict(tuple(violations), ())
    required = required_of(instance)
    if infeasible:
        return _missing(required, tables[MISSING])
    violations = _pairs(required, tables["plan"])
    if violations:
        return Verdict(tuple(violations), ())
    plan = plan_of(required, tables["plan"][["level", "enterprise_id"]])
    trips = trips_of(required, plan)
    groups, uncovered = groups_of(required, plan, trips), uncovered_of(required, plan)
    expected = {"plan": plan.drop(columns="place"), "trips": trips, "review_days": groups, "uncovered": uncovered}
    for name, table in expected.items():
        violations += _compared(name, tables[name], table)
    violations += _requirements(required, plan, groups)
    if violations or len(tables["review_summary"]) != 1:
        if not violations:
            violations.append(Violation("tables", "review_summary", 1.0, "rows", _("the summary has one row")))
        return Verdict(tuple(violations), ())
    value = float(uncovered["at_risk_tco2e"].sum())
    day, review = (tables["review_days"][name].to_numpy(dtype=float) for name in PRICED)
    prices = Prices.of(required.groups, day, review)
    violations += _prices(required, groups, day, review)
    violations += _summary(instance, required, tables["review_summary"], value, prices)
    tolerance, asked = tolerance_of(value, "t"), gap * value
    least = best_bound(required, prices, value, tolerance)
    level = LevelCheck(UNCOVERED, "t", value, least, value - least, tolerance, asked=asked)
    return Verdict(tuple(violations), (level,))


def _pairs(required: Required, plan: pd.DataFrame) -> list[Violation]:
    """Check that every row is a review of a known enterprise at a known level, once."""
    known = plan["enterprise_id"].isin(required.enterprises.index) & plan["level"].isin(LEVELS)
    message = _("a review is of an enterprise of the instance, at a level")
    violations = above("reviews", plan["enterprise_id"], ~known, 0.0, "rows", message)
    twice, message = plan.duplicated(["level", "enterprise_id"]), _("an enterprise is reviewed once at a level")
    return violations + above("reviews", plan["enterprise_id"], twice, 0.0, "rows", message)


def _compared(name: str, stated: pd.DataFrame, expected: pd.DataFrame) -> Iterator[Violation]:
    """Check every cell of a table that follows from the reviews."""
    rule = "tables_follow_plan"
    if len(stated) != len(expected):
        by = float(abs(len(stated) - len(expected)))
        yield Violation(rule, name, by, "rows", _("the table has {rows} rows", rows=len(expected)))
        return
    for column in expected if len(expected) else ():
        where, unit = f"{name}.{column}", column.rpartition("_")[2]
        if column in TEXTS:
            differ = stated[column].to_numpy(dtype=object) != expected[column].to_numpy(dtype=object)
            if differ.any():
                yield Violation(rule, where, float(differ.sum()), "cells", _("the column follows from the reviews"))
            continue
        apart = distance(stated[column], expected[column])
        size = np.nan_to_num(expected[column].to_numpy(dtype=float))
        if not (apart <= DAYS_TOLERANCE + 1e-9 * np.abs(size)).all():
            yield Violation(rule, where, float(np.max(apart)), unit, _("the column follows from the reviews"))


def _requirements(required: Required, plan: pd.DataFrame, groups: pd.DataFrame) -> Iterator[Violation]:
    """Check draws, least numbers and days."""
    pairs = set(zip(plan["level"], plan["enterprise_id"], strict=True))
    for level in LEVELS:
        rule = "every_enterprise" if level == LEVELS[0] else "drawn"
        everyone, drawn = _("every enterprise has a municipal review"), _("a drawn enterprise is reviewed")
        message = everyone if level == LEVELS[0] else drawn
        for name in required.enterprises.index[required.drawn[level]]:
            if (level, name) not in pairs:
                yield Violation(rule, f"{name}, {level}", 1.0, "reviews", message)
    names = (groups["level"] + " " + groups["province"]).str.strip()
    message = _("a group has its least number of reviews")
    yield from above("enough_reviews", names, groups["least_reviews"] - groups["reviews"], 0.0, "reviews", message)
    # Days without a limit are never too few.
    over = (groups["review_days"] + groups["travel_days"] - groups["available_days"]).fillna(0.0)
    message = _("reviews and travel fit into the days")
    yield from above("days_of_group", names, over, DAYS_TOLERANCE, "days", message)


def _prices(required: Required, groups: pd.DataFrame, day: Floats, review: Floats) -> Iterator[Violation]:
    """Check that a day covers no more than reviews can, that a review costs no more than all, and neither below 0."""
    total = float(required.enterprises["at_risk"].sum())
    for place, (level, province) in enumerate(required.groups.index):
        members = required.members(level, province)
        drawn = required.drawn.loc[members, level]
        worth = (required.enterprises.loc[members, "at_risk"] / required.days.loc[members, level])[~drawn]
        row = groups.iloc[place]
        chooses = level != LEVELS[0]
        most = {
            PRICED[0]: max(worth, default=0.0) if chooses and not np.isnan(row["available_days"]) else 0.0,
            PRICED[1]: total if chooses and row["least_reviews"] > drawn.sum() else 0.0,
        }
        for name, price in ((PRICED[0], day[place]), (PRICED[1], review[place])):
            by = max(-price, price - most[name] * (1 + 1e-9))
            if by > 0:
                message = _("it is from 0 to {most:.6g}", most=most[name])
                yield Violation("prices", f"{name}, {level} {province}".strip(), float(by), "tco2e", message)


def _summary(
    instance: InstanceInputs, required: Required, stated: pd.DataFrame, value: float, prices: Prices
) -> Iterator[Violation]:
    """Check the totals, the seed, and the bound by the stated prices."""
    at_risk = float(required.enterprises["at_risk"].sum())
    expected = {
        "enterprises": float(len(required.enterprises)),
        "seed": float(instance.policy.review_plan.seed),
        "at_risk_tco2e": at_risk,
        "covered_tco2e": at_risk - value,
        "uncovered_tco2e": value,
        "priced_bound_tco2e": bound(required, prices, ()),
    }
    for column, right in expected.items():
        by, unit = abs(float(stated[column].iloc[0]) - right), column.rpartition("_")[2]
        if not by <= (0.02 + 1e-8 * at_risk if unit == "tco2e" else 0.0):
            yield Violation("summary", column, by, unit, _("it is {expected:.12g}", expected=right))


def _missing(required: Required, stated: pd.DataFrame) -> Verdict:
    """Check the days that are missing, and state their least total."""
    groups, needed = required.groups, least_days(required)
    short = needed - groups["available"]
    rows = groups[short > DAYS_TOLERANCE]
    drawn = [int(required.drawn.loc[required.members(*group), group[0]].sum()) for group in rows.index]
    expected = pd.DataFrame(
        {
            "level": [level for level, _ in rows.index],
            "province": [province for _, province in rows.index],
            "enterprises": rows["population"].to_numpy(),
            "needed_reviews": np.maximum(rows["least"].to_numpy(), drawn),
            "available_days": rows["available"].to_numpy(),
            "needed_days": needed[rows.index].to_numpy(),
            "missing_days": short[rows.index].to_numpy(),
        }
    )
    violations = tuple(_compared(MISSING, stated, expected))
    total = float(expected["missing_days"].sum())
    level = LevelCheck(MISSING, "days", total, total, 0.0, DAYS_TOLERANCE * max(len(rows), 1))
    return Verdict(violations, (level,), missing_days=total)
