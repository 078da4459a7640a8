"""Runs of version 0.1.0 under the present names of models, methods, objectives, tables and columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.checking.market import MARKETS
from etsopt.checking.market.self_balancing import BALANCE_VALUES
from etsopt.data.former_names import (
    METHODS,
    MODELS,
    MOVED,
    OBJECTIVES,
    accepted_silently,
    current_changes,
    current_policy,
)
from etsopt.errors import DataError, Problem
from etsopt.wording import message

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.instance import Instance

VERSION = "0.1.0"
"""Version whose markets have no self-balancing years: allowances are lump sums unless the policy states otherwise."""

TABLES = {
    "settlement": "compliance",
    "settlement_sectors": "compliance_sectors",
    "settlement_provinces": "compliance_provinces",
    "relief": "relaxed_limits",
    "relief_units": "relaxed_units",
    "missing": "unmet_demand",
}

COLUMNS = {
    "true_up_t": "top_up_t",
    "owed_t": "return_t",
    "converted_t": "carried_over_t",
    "absorbed_t": "intake_t",
    "missing_t": "unmet_t",
    "reward_measured_cny_per_t": "marginal_incentive_cny_per_t",
    "reward_elsewhere_cny_per_t": "marginal_incentive_elsewhere_cny_per_t",
    "worst_shadow_price": "largest_change_shadow_price",
    "closest_shadow_price": "least_squares_shadow_price",
    **dict.fromkeys(("bands_give_way_t", "band_relaxation_t"), "band_relaxation_allowance_t"),
    **dict.fromkeys(("targets_give_way_t", "target_relaxation_t"), "target_relaxation_allowance_t"),
}

OUTSTANDING = {"owed_t": "outstanding_t"}
OF_MARKETS = ("years", "enterprise_years")
"""Tables in which ``owed_t`` is an outstanding obligation, and no return."""

NAMES = {
    **OBJECTIVES,
    "closest": "least_squares",
    "missing_allowances": "unmet_demand",
    "bands_give_way": "band_relaxation",
    "targets_give_way": "target_relaxation",
    "fair_order": "intensity_order",
    "worst_covers": "largest_change_covers",
}
"""Objectives and rows in the cells of `TEXTS`; a further proof has a suffix behind a colon."""

TEXTS = ("level", "row", "way_out", "limit")
KEPT = "level_is_kept"
"""The row whose index is an objective."""


def current_run(
    content: dict[str, Any], tables: Mapping[str, pd.DataFrame], listed: tuple[str, ...] | None
) -> tuple[dict[str, Any], dict[str, pd.DataFrame], tuple[str, ...] | None]:
    """Return the run of `etsopt.results.run_folder.read_run` under present names, otherwise unchanged.

    The run of a user's own model, which the checker does not know, is not converted.

    Raises
    ------
    DataError
        If allowances follow emissions at balance values before abatement, which no statement of the checker covers.
    """
    if not content.get("checked", True):
        return content, dict(tables), listed
    (section, key), now = MOVED
    if content.get("checked_as") in MARKETS and content["policy"].get(section, {}).get(key) is not None:
        what = (
            "is a market at balance values before abatement, under which abatement frees allowances that nobody issues"
        )
        advice = message("Solve again: {now} holds balance values after abatement.", now=".".join(now))
        raise DataError(
            "The run",
            [Problem("result.json", what, advice, f"policy.{section}.{key}")],
        )
    with accepted_silently():
        content = {**content, "policy": current_policy(content["policy"], "policy")}
        if "ignored" in content:
            content["ignored"] = list(current_changes(dict.fromkeys(content["ignored"])))
    for key, names in (("model", MODELS), ("checked_as", MODELS), ("method", METHODS)):
        if key in content:
            content[key] = names.get(content[key], content[key])
    content["levels"] = [{**level, "name": _named(level["name"])} for level in content["levels"]]
    if any("level" in price for price in content["prices"]):
        content["prices"] = [{**price, "level": _named(price["level"])} for price in content["prices"]]
    renamed = {TABLES.get(name, name): _current_table(name, table) for name, table in tables.items()}
    if {"allowance_t", "reference_t"} <= {*renamed.get("allocation", ())} and "change_t" not in renamed["allocation"]:
        allocation = renamed["allocation"]
        change = allocation["allowance_t"] - allocation["reference_t"]
        allocation.insert(allocation.columns.get_loc("allowance_t") + 1, "change_t", change)
    if content.get("checked_as") in MARKETS and "years" in renamed:
        renamed["years"] = _with_transfers(renamed["years"])
    return content, renamed, None if listed is None else tuple(TABLES.get(name, name) for name in listed)


def _with_transfers(years: pd.DataFrame) -> pd.DataFrame:
    """Return the table ``years`` with the columns that follow from others and were not written then."""
    costs = ("allowances_cost_cny", "penalty_cny", "total_cost_cny")
    if "transfers_cny" in years or not set(costs) <= set(years):
        return years
    transfers = years["allowances_cost_cny"] + years["penalty_cny"]
    return years.assign(transfers_cny=transfers, resource_cost_cny=years["total_cost_cny"] - transfers)


def has_lump_sums(about: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> bool:
    """Return True for a market of 0.1.0, which had lump sums in every year and no key for self-balancing ones."""
    section, key = MOVED[1]
    stated = about.get("policy", {}).get(section, {}).get(key) is not None or BALANCE_VALUES in tables
    former = about.get("versions", {}).get("etsopt") == VERSION and not stated
    return former and about.get("checked_as") in MARKETS


def as_solved(instance: Instance, about: Mapping[str, Any], tables: Mapping[str, pd.DataFrame]) -> Instance:
    """Return the instance as the version that solved it read it; a former one states no self-balancing years."""
    if not has_lump_sums(about, tables) or instance.policy.pathway.self_balancing_until is not None:
        return instance
    return instance.with_policy({".".join(MOVED[1]): instance.policy.years[0] - 1})


def _current_table(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with present names of its columns, and of the objectives and rows in its cells."""
    renamed = table.rename(columns=COLUMNS | (OUTSTANDING if name in OF_MARKETS else {}))
    for column in (column for column in TEXTS if column in renamed):
        renamed[column] = [_named(cell) for cell in renamed[column]]
    if {"row", "index"} <= set(renamed):
        kept = renamed["row"] == KEPT
        renamed.loc[kept, "index"] = [_named(cell) for cell in renamed.loc[kept, "index"]]
    return renamed


def _named(cell: Any) -> Any:
    """Return the present name of an objective or row, with the suffix of a further proof."""
    if not isinstance(cell, str):
        return cell
    name, colon, proof = cell.partition(":")
    return f"{NAMES.get(name, name)}{colon}{proof}"
