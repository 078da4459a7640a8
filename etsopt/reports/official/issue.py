"""Rows of the annex tables of issue: one for each enterprise of a province and a sector, in whole tonnes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.units import whole_tonnes
from etsopt.reports.official.headings import OUTSIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

KEYS = ["sector", "province", "enterprise_id"]

SUMMED = ("emissions", "obligation", "pre_allocated", "determined", "exemption", "top_up_t", "return_t")


def issue_rows(instance: Instance, units: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each enterprise of a sector and a province, with what is issued in both steps.

    Parameters
    ----------
    units
        As `unit_rows` returns them.
    """
    groups = units.groupby(KEYS, sort=True)
    rows = groups[list(SUMMED)].sum().reset_index()
    names = groups[["name", "uscc"]].first().reset_index(drop=True)
    rows["name"], rows["uscc"] = names["name"], names["uscc"]
    rows["as_planned"], rows["all_stated"] = (groups[key].all().to_numpy() for key in ("as_planned", "all_stated"))
    rows["stated"], rows["in_scope"] = (groups[key].any().to_numpy() for key in ("stated", "in_scope"))
    power = (rows["sector"] == "power").to_numpy()
    rows["initial"] = np.where(power, rows["determined"], np.nan)
    rows["gap_percent"] = _gap_percent(rows["initial"].to_numpy(), rows["obligation"].to_numpy())
    rows["determined"] += rows["exemption"]
    rows["exemption"] = np.where(power, rows["exemption"], np.nan)
    rows["to_deduct"], rows["outstanding"] = (
        _shared(instance, rows, "deduction_t"),
        _shared(instance, rows, "outstanding_t"),
    )
    rows = rows.assign(**_issued(*(rows[name].to_numpy() for name in ("pre_allocated", "determined", "to_deduct"))))
    rows["notes"] = np.where(rows["as_planned"], "", "配额与按分配方案计算的不同")
    rows["notes"] = rows["notes"].where(rows["in_scope"], f"全部单元{OUTSIDE}")
    return _differentiated(instance, rows)


def _gap_percent(initial: NDArray[np.float64], obligation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the deficit of the initial allowances, in percent of the obligation, rounded to two decimals."""
    gap = np.divide(obligation - initial, obligation, out=np.full(len(initial), np.nan), where=obligation > 0)
    rounded: NDArray[np.float64] = np.floor(1e4 * gap + 0.5) / 100
    return rounded


def _shared(instance: Instance, rows: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return tonnes of each enterprise by its rows: up to the determined allowances of each, the rest in the last."""
    table, amounts = instance.enterprises, np.zeros(len(rows))
    if table is None or column not in table:
        return amounts
    stated = table.set_index("enterprise_id")[column].dropna()
    owner, determined = rows["enterprise_id"].to_numpy(), rows["determined"].to_numpy()
    for enterprise, tonnes in stated[stated > 0].items():
        of_enterprise, left = np.flatnonzero(owner == enterprise), whole_tonnes(np.array(tonnes))
        for row in of_enterprise:
            amounts[row] = left if row == of_enterprise[-1] else min(left, determined[row])
            left -= amounts[row]
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
    for risk, issued, obligation in zip(
        at_risk, rows["issued_in_all"], rows["obligation"] + rows["outstanding"], strict=True
    ):
        left = issued - obligation
        after.append((f"；清缴后发放{left:.0f}吨" if left >= 0 else f"；应补缴{-left:.0f}吨") if risk else "")
    return rows.assign(
        at_risk=at_risk,
        differentiated=np.where(at_risk, "是", "否"),
        pre_reason=reason,
        reason=[f"{one}{other}" for one, other in zip(reason, after, strict=True)],
    )
