"""Balance values of self-balancing years in an answer: their table, and those with which to solve again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.rules.balance import balance_value
from etsopt_models._effort import BALANCE_PASSES_MAX, BALANCE_STARTS, PLAIN_BALANCE_PASSES
from etsopt_models._market.baseline import FOUND_PRICES, HELD
from etsopt_models._tolerances import BALANCE_VALUE_EQUALITY_RELATIVE, INTENSITY_MIN_RELATIVE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._market.baseline import IntensityRule
    from etsopt_models._market.column_generation import PreparedMarket
    from etsopt_models._market.column_pool import ColumnPool


def next_balance_values(
    instance: Instance, before: Mapping[str, pd.DataFrame], solution: Any, prepared: PreparedMarket
) -> dict[str, pd.DataFrame] | None:
    """Return the tables with which to solve a market again; None if the balance values repeat, or come back in a cycle."""
    if not prepared.baseline.balances.any() or not solution.values:
        return None
    expanded = solution if prepared.expand is None else prepared.expand(solution)
    found = balanced(instance, *prepared.chosen_plans(expanded.values["choice"]))
    done = pass_of(before)
    earlier = [before[HELD].loc[before[HELD]["pass"] < done]] if HELD in before else []
    held = pd.concat([*earlier, of_pass(found, done, "balance_value_held", "emissions_held_tco2e")])
    following = of_pass(found, done + 1, "balance_value_own", "emissions_tco2e")
    checkpoint(_("balance values, pass"), done + 1)
    seen = [number for number, one in held.groupby("pass") if is_same(following, one)]
    if done in seen or done + 1 == BALANCE_PASSES_MAX:
        return None
    if any(number >= PLAIN_BALANCE_PASSES for number in seen):
        # A cycle that the price of the others does not end either: another start may lead elsewhere.
        started = _another_start(found, held, done + 1)
        if started is None:
            return None
        following = started
    elif seen and done < PLAIN_BALANCE_PASSES:
        # A cycle of plain passes: what the price of the others makes of it is next.
        following["pass"] = PLAIN_BALANCE_PASSES
    prices = {} if prepared.prices is None else {FOUND_PRICES: prepared.prices}
    return {**before, HELD: pd.concat([held, following], ignore_index=True), **prices}


def _another_start(found: pd.DataFrame, held: pd.DataFrame, number: int) -> pd.DataFrame | None:
    """Return the rows of a pass at other balance values than any so far; None after the last of `BALANCE_STARTS`."""
    for share in BALANCE_STARTS:
        lower = found.assign(balance_value=share * found["balance_value_before"])
        start = of_pass(lower, number, "balance_value", "emissions_before_tco2e")
        tried = (one["balance_value"] for _, one in held.groupby("pass"))
        if not any(np.allclose(one, start["balance_value"], equal_nan=True) for one in tried):
            return start
    return None


def pass_of(before: Mapping[str, pd.DataFrame]) -> int:
    """Return the number of passes done before."""
    return int(before[HELD]["pass"].max()) if HELD in before else 0


def of_pass(found: pd.DataFrame, number: int, balance: str, emissions: str) -> pd.DataFrame:
    """Return the rows of a pass: balance value and emissions of every sector and self-balancing year.

    Parameters
    ----------
    found
        What `balanced` returns.
    balance, emissions
        Its columns that are held.
    """
    columns = {"sector": "sector", "year": "year", balance: "balance_value", emissions: "emissions_tco2e"}
    return found[list(columns)].rename(columns=columns).assign(**{"pass": number})


def is_same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Return True if balance values and emissions of two passes agree."""
    return all(
        np.allclose(one[name], other[name], rtol=BALANCE_VALUE_EQUALITY_RELATIVE, atol=0.0, equal_nan=True)
        for name in ("balance_value", "emissions_tco2e")
    )


def balance_table(instance: Instance, pool: ColumnPool, share: NDArray[np.float64]) -> dict[str, pd.DataFrame]:
    """Return the table of balance values held, with emissions and allowances of the answer; none without such years.

    ``residual_t`` is the excess of allowances over emissions, which is zero at a fixed point.
    """
    if not pool.plans.baseline.balances.any():
        return {}
    found = balanced(instance, pool, share).rename(columns={"balance_value_held": "balance_value"})
    found["residual_t"] = found["allowance_t"] - found["emissions_tco2e"]
    emissions = ("emissions_before_tco2e", "emissions_held_tco2e", "emissions_tco2e")
    return {
        HELD: found[
            ["sector", "year", "balance_value_before", "balance_value", *emissions, "allowance_t", "residual_t"]
        ]
    }


def balanced(instance: Instance, pool: ColumnPool, share: NDArray[np.float64]) -> pd.DataFrame:
    """Return a row for each sector and self-balancing year: what is held, what the plans give, and what was before.

    Allowances are free and paid ones together.
    """
    baseline, sector = pool.plans.baseline, instance.labels("sector")
    rule, unit = baseline.rule, pool.unit
    rows: list[dict[str, Any]] = []
    for number, name in enumerate(sector.names):
        of_sector = np.flatnonzero(sector.code == number)
        plans = np.flatnonzero(sector.code[unit] == number)
        for t in np.flatnonzero(baseline.balances[of_sector[0]]).tolist():
            unabated, intensity = baseline.emissions[of_sector, t], pool.quantities.intensity[plans, t]
            emitted = share[plans] * pool.quantities.emissions[plans, t]
            balance, held = rule.balance_value[of_sector, t], baseline.entitlement[of_sector, t]
            before = _balance(rule, of_sector, t, unabated, baseline.intensity[of_sector, t])
            own = _balance(rule, unit[plans], t, emitted, intensity)
            rows.append(
                {
                    "sector": name,
                    "year": int(baseline.years[t]),
                    "balance_value_before": before,
                    "balance_value_held": balance[np.argmin(np.isnan(balance))],
                    # A sector that emits nothing any more keeps the balance value before abatement.
                    "balance_value_own": before if np.isnan(own) else own,
                    "emissions_before_tco2e": unabated.sum(),
                    "emissions_held_tco2e": held.sum() if baseline.paid_share[t] > 0 else emitted.sum(),
                    "emissions_tco2e": emitted.sum(),
                    "allowance_t": (emitted * (1 + rule.rates(unit[plans], t, intensity))).sum(),
                }
            )
    return pd.DataFrame(rows)


def _balance(
    rule: IntensityRule,
    unit: NDArray[np.int64],
    year: int,
    emissions: NDArray[np.float64],
    intensity: NDArray[np.float64],
) -> float:
    """Return the balance value of the units that have one, or of plans of theirs; NaN without emissions."""
    follows_rule = (emissions > 0) & ~np.isnan(rule.balance_value[unit, year])
    if not follows_rule.any():
        return float("nan")
    positive = np.maximum(intensity[follows_rule], INTENSITY_MIN_RELATIVE * intensity[follows_rule].max())
    return balance_value(emissions[follows_rule], positive, float(rule.slope[year]), float(rule.cap[year])).value
