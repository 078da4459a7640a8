"""Rows of the annex tables of issue: one for each enterprise of a province and a sector, in whole tonnes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.data.messages import did_you_mean
from etsopt.errors import UsageError, brief
from etsopt.units import whole_tonnes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

KEYS = ["sector", "province", "enterprise_id"]

SUMMED = ("emissions", "pre_allocated", "determined", "exemption", "top_up_t", "return_t")


def issue_rows(instance: Instance, units: pd.DataFrame, deductions: Mapping[str, int]) -> pd.DataFrame:
    """Return a row for each enterprise of a sector and a province, with what is issued in both steps.

    Parameters
    ----------
    units
        As `unit_rows` returns them.
    deductions
        Allowances to be deducted from an enterprise by earlier decisions [t].

    Raises
    ------
    UsageError
        If a deduction is no whole number of tonnes from 0 on, or its enterprise has not exactly one row.
    """
    groups = units.groupby(KEYS, sort=True)
    rows = groups[list(SUMMED)].sum().reset_index()
    names = groups[["name", "uscc"]].first().reset_index(drop=True)
    rows["name"], rows["uscc"] = names["name"], names["uscc"]
    rows["as_planned"] = groups["as_planned"].all().to_numpy()
    rows["obligation"] = whole_tonnes(rows["emissions"].to_numpy() + 0.5)
    power = (rows["sector"] == "power").to_numpy()
    rows["initial"] = np.where(power, rows["determined"], np.nan)
    rows["gap_percent"] = _gap_percent(rows["initial"].to_numpy(), rows["obligation"].to_numpy())
    rows["determined"] += rows["exemption"]
    rows["exemption"] = np.where(power, rows["exemption"], np.nan)
    rows["to_deduct"] = _to_deduct(rows, deductions)
    rows = rows.assign(**_issued(*(rows[name].to_numpy() for name in ("pre_allocated", "determined", "to_deduct"))))
    rows["notes"] = np.where(rows["as_planned"], "", "配额与按分配方案计算的不同")
    return _differentiated(instance, rows)


def _gap_percent(initial: NDArray[np.float64], obligation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the deficit of the initial allowances, in percent of the obligation, rounded to two decimals."""
    gap = np.divide(obligation - initial, obligation, out=np.full(len(initial), np.nan), where=obligation > 0)
    rounded: NDArray[np.float64] = np.floor(1e4 * gap + 0.5) / 100
    return rounded


def _to_deduct(rows: pd.DataFrame, deductions: Mapping[str, int]) -> NDArray[np.float64]:
    """Return what is to be deducted in each row [t]."""
    amounts = np.zeros(len(rows))
    for enterprise, tonnes in deductions.items():
        here = np.flatnonzero(rows["enterprise_id"] == enterprise)
        if not len(here):
            advice = (
                f"{did_you_mean(enterprise, rows['enterprise_id'].unique())}Name the enterprise_id of an enterprise."
            )
            raise UsageError(f"The run has no enterprise {brief(enterprise)}, from which to deduct.", advice)
        if len(here) > 1:
            where = " and ".join(f"{row.sector} in {row.province}" for row in rows.iloc[here].itertuples())
            what = f"The enterprise {brief(enterprise)} has {len(here)} rows, {where}: a deduction is of one."
            raise UsageError(what, "Enter this deduction in the tables yourself.")
        if not (tonnes >= 0 and tonnes == int(tonnes)):
            what = f"The deduction of {brief(enterprise)} is {tonnes:g} t: expected whole tonnes from 0 on."
            raise UsageError(what, "Name the tonnes of the decision.")
        amounts[here] = tonnes
    return amounts


def _issued(
    pre_allocated: NDArray[np.float64], determined: NDArray[np.float64], to_deduct: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Compute both steps of the issue (notes 3 and 4 of table 1-5, notes 5 to 8 of table 2-5) [t].

    >>> example = _issued(np.array([50_000.0]), np.array([30_000.0]), np.array([70_000.0]))
    >>> [int(example[name][0]) for name in ("pre_issued", "deduction_returned", "issued", "remaining")]
    [0, 20000, 0, 40000]
    """
    pre_deducted = np.minimum(pre_allocated, to_deduct)
    true_up = determined - pre_allocated
    # What was deducted of a pre-allocation that the determined allowances do not reach is open again.
    returned = np.maximum(pre_deducted - determined, 0.0)
    deducted = np.clip(true_up, 0.0, to_deduct - pre_deducted)
    issued = true_up + returned - deducted
    return {
        "pre_deducted": pre_deducted,
        "pre_issued": pre_allocated - pre_deducted,
        "pre_remaining": to_deduct - pre_deducted,
        "true_up": true_up,
        "deduction_returned": returned,
        "deducted": deducted,
        "issued": issued,
        "issued_in_all": pre_allocated - pre_deducted + issued,
        "remaining": to_deduct - pre_deducted + returned - deducted,
    }


def _differentiated(instance: Instance, rows: pd.DataFrame) -> pd.DataFrame:
    """Add whether the account of the province gets the allowances, why, and what it releases or lacks."""
    units, closed = instance.units, set()
    if "special_case" in units:
        closed = set(units.loc[units["special_case"] == "closed", "enterprise_id"])
    owner = rows["enterprise_id"]
    is_closed = owner.isin(closed).to_numpy()
    at_risk = owner.isin(instance.policy.compliance.at_risk).to_numpy() | is_closed
    reason = np.where(is_closed, "存在关停的机组、生产线、工序", np.where(at_risk, "存在履约风险", ""))
    after = []
    for risk, issued, obligation in zip(at_risk, rows["issued_in_all"], rows["obligation"], strict=True):
        left = issued - obligation
        after.append((f"；清缴后发放{left:.0f}吨" if left >= 0 else f"；应补缴{-left:.0f}吨") if risk else "")
    return rows.assign(
        at_risk=at_risk,
        differentiated=np.where(at_risk, "是", "否"),
        pre_reason=reason,
        reason=[f"{one}{other}" for one, other in zip(reason, after, strict=True)],
    )
