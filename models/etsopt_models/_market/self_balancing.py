r"""Self-balancing years: the allowances of a sector equal its emissions after abatement.

The plans of 2025 and 2026 take the balance value $V$ from verified emissions, so that $\sum_i A_{it} = \sum_i E_{it}$
over a sector whatever its units abate. No unit moves $V$ noticeably: each takes it as given, and earns its marginal
incentive (`etsopt_models._market.incentives`). Hence a fixed point. The market is solved at balance values $V$, with
the allowances of every plan at these; the answer has balance values $V'$ of its own, with which it is solved again,

$$\sum_j x_j E_{jt} \,\mathrm{clip}\bigl(\sigma (1 - I_{jt} / V'), \pm d\bigr) = 0,$$

until $V'$ and the emissions of every sector and year repeat to 1e-9 (`etsopt_models._market.balance_values`). The first
balance values are those before abatement, and lower ones where passes come back in a cycle. Units that get $A = E$ do so
after abatement. There may be several fixed points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.policy.self_balancing import follows_outside_until, self_balancing_until, states_self_balancing
from etsopt_models._market.holdings import totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.data.tables.labels import Labels

HELD = "balance_values"
"""Table of the balance values at which a market is solved; of earlier passes while they are sought."""

FOUND_PRICES = "found_prices"
"""Table of the prices that the search of the pass before found, with which the next one starts."""


def self_balancing_years(
    instance: Instance, years: NDArray[np.int64], before: Mapping[str, pd.DataFrame]
) -> NDArray[np.bool_]:
    """Return True for the self-balancing years of every sector, shape ``(sectors, years)``.

    A sector whose years the policy does not state has none in a market that starts from an allocation with more or
    fewer allowances than emissions: a target then makes the scarcity that the plan avoids.

    Raises
    ------
    DataError
        If the policy states such years for a sector whose rule does not balance it.
    """
    policy, names = instance.policy, instance.labels("sector").names
    is_self_balancing = np.zeros((len(names), len(years)), dtype=bool)
    for number, name in enumerate(names):
        until = self_balancing_until(policy, name)
        if until is None or not (states_self_balancing(policy, name) or _stands_at_emissions(instance, name, before)):
            continue
        is_self_balancing[number] = years <= until
        if is_self_balancing[number].any() and not policy.balances(name):
            what = _(
                "the rule {name!r} does not make the allowances of {sector} equal its emissions",
                name=policy.rule.name,
                sector=name,
            )
            advice = _("Omit the key for lump-sum allowances, name the sectors that a plan balances, or use its rule.")
            raise DataError(_("The policy"), [Problem("policy.toml", what, advice, "pathway.self_balancing_until")])
    return is_self_balancing


def years_at_value_from_outside(
    instance: Instance, years: NDArray[np.int64], before: Mapping[str, pd.DataFrame]
) -> NDArray[np.bool_]:
    """Return the years in which allowances follow a balance value from outside, shape ``(sectors, years)``.

    A market that starts from another allocation than that of the rule has lump sums, as where sectors balance.
    """
    names = instance.labels("sector").names
    until = [follows_outside_until(instance.policy, name) for name in names]
    last = np.array(
        [
            -1 if year is None or not _is_of_rule(instance, name, before) else year
            for name, year in zip(names, until, strict=True)
        ]
    )
    until_last: NDArray[np.bool_] = years <= last[:, None]
    return until_last


def _is_of_rule(instance: Instance, name: str, before: Mapping[str, pd.DataFrame]) -> bool:
    """Return True if an allocation, if there is one, gives a sector what the rule does, but for a tonne of each unit."""
    if "allocation" not in before:
        return True
    in_sector, table = instance.labels("sector").where(name), before["allocation"]
    return bool(
        abs((table["allowance_t"] - table["reference_t"]).to_numpy(dtype=float)[in_sector].sum()) <= in_sector.sum()
    )


def _stands_at_emissions(instance: Instance, name: str, before: Mapping[str, pd.DataFrame]) -> bool:
    """Return True if an allocation, if there is one, gives a sector its emissions, but for rounding of each unit."""
    if "allocation" not in before:
        return True
    in_sector = instance.labels("sector").where(name)
    allowance = before["allocation"]["allowance_t"].to_numpy(dtype=float)[in_sector]
    return bool(abs(allowance.sum() - instance.emissions_tco2e[in_sector].sum()) <= in_sector.sum())


@dataclass(frozen=True)
class IntensityRule:
    """The intensity-coefficient method over the years.

    Parameters
    ----------
    slope, cap
        Slope and cap of the surplus rate in each year, shape ``(years,)``.
    balance_value
        Balance value of each unit's sector, shape ``(units, years)`` [t/t]; NaN if a unit gets A = E.
    """

    slope: NDArray[np.float64]
    cap: NDArray[np.float64]
    balance_value: NDArray[np.float64]

    def rates(self, units: NDArray[np.int64], year: int, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the surplus rates of units at an intensity, shape ``(..., units)`` [t/t]; zero if A = E."""
        balance = self.balance_value[units, year]
        rates = np.clip(self.slope[year] * (balance - intensity) / balance, -self.cap[year], self.cap[year])
        return np.where(np.isnan(rates), 0.0, rates)


@dataclass(frozen=True)
class SelfBalancing:
    """Self-balancing years, and the balance values and emissions of sectors at which a market is solved.

    Parameters
    ----------
    follows, outside
        Years in which the allowances of a unit follow its own emissions, and those of them in which they do at a balance
        value from outside, shape ``(units, years)``.
    sector
        Sector of every unit.
    balance_value, emissions
        Those held, shape ``(sectors, years)`` [t/t, tCO2e]; NaN if they are those before abatement. Emissions decide
        how many allowances are auctioned by a paid share.
    """

    follows: NDArray[np.bool_]
    outside: NDArray[np.bool_]
    sector: Labels
    balance_value: NDArray[np.float64]
    emissions: NDArray[np.float64]

    @property
    def balances(self) -> NDArray[np.bool_]:
        """Self-balancing years, shape ``(units, years)``."""
        return self.follows & ~self.outside

    @classmethod
    def of(
        cls,
        instance: Instance,
        years: NDArray[np.int64],
        before: Mapping[str, pd.DataFrame],
        phase_1: NDArray[np.bool_] | bool = True,
    ) -> SelfBalancing:
        """Return the self-balancing years of a market, and what is held in them.

        Parameters
        ----------
        before
            Tables from which the market starts, with those of the passes so far, if there were any.
        phase_1
            Years of phase 1, shape ``(years,)``: no year after it balances itself.
        """
        sector = instance.labels("sector")
        balances = self_balancing_years(instance, years, before) & phase_1
        outside = years_at_value_from_outside(instance, years, before) & phase_1
        balance, emissions = np.full(balances.shape, np.nan), np.full(balances.shape, np.nan)
        if HELD in before:
            passes = before[HELD]
            last = passes[passes["pass"] == passes["pass"].max()]
            sector_of_row = np.searchsorted(sector.names.astype(str), last["sector"].to_numpy(dtype=str))
            at = np.searchsorted(years, last["year"])
            balance[sector_of_row, at], emissions[sector_of_row, at] = last["balance_value"], last["emissions_tco2e"]
        return cls((balances | outside)[sector.code], outside[sector.code], sector, balance, emissions)

    def held(self, rule: IntensityRule) -> IntensityRule:
        """Return a rule at the balance values held; units that get A = E keep it."""
        held = self.balance_value[self.sector.code]
        value = np.where(np.isnan(held) | np.isnan(rule.balance_value), rule.balance_value, held)
        return replace(rule, balance_value=value)

    def emissions_held(self, emissions: NDArray[np.float64], paid_share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the emissions of units by which paid allowances are offered, shape ``(units, years)`` [tCO2e].

        Those of a sector add up to what is held in years with a paid share, and are shared by emissions before
        abatement. In other years nothing depends on them.
        """
        unabated = totals(emissions, self.sector.code, len(self.sector))
        share = np.divide(self.emissions, unabated, out=np.ones_like(unabated), where=unabated > 0)
        share = np.where(np.isnan(share) | (paid_share == 0), 1.0, share)
        held: NDArray[np.float64] = emissions * share[self.sector.code]
        return held
