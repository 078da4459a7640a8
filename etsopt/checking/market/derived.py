"""Derive everything that a market takes as given again, from the instance and its allocation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.market.accounts import Accounts, TradeTerms, derive_accounts, derive_terms, pool_accounts
from etsopt.checking.market.plan_sizes import PlanSizes
from etsopt.checking.market.remainder import remainder
from etsopt.checking.readings.baseline import Baseline, derive_baseline
from etsopt.checking.readings.choices import Choices, derive_choices

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.checking.readings.baseline import Held
    from etsopt.checking.readings.instance_inputs import InstanceInputs


@dataclass(frozen=True)
class Market:
    """Data of a market before any decision.

    Parameters
    ----------
    baseline
        Output, emissions and allowances of units without measures.
    offered
        Measures of units.
    accounts
        Accounts of the enterprises, or the pool of all.
    terms
        Terms of trade.
    """

    baseline: Baseline
    offered: Choices
    accounts: Accounts
    terms: TradeTerms

    @cached_property
    def program(self) -> Market:
        """The market as the program has it: one pool of all accounts if trading costs nothing."""
        return self if self.terms.transaction_cost.any() else self.pooled

    @property
    def pooled(self) -> Market:
        """The market with one pool of all accounts, among which a tonne moves without a trade."""
        return replace(self, accounts=pool_accounts(self.accounts))

    @cached_property
    def sizes(self) -> PlanSizes:
        """Sizes of the plans of every account."""
        return PlanSizes.of(self.baseline, self.offered, self.accounts)

    @property
    def costless(self) -> Market:
        """The market in which nothing has a cost but unmet demand."""
        return replace(self, baseline=replace(self.baseline, discount=np.zeros_like(self.baseline.discount)))

    @property
    def unmet_most(self) -> float:
        """Largest unmet demand of a year [t]."""
        return float(self.baseline.emissions.sum() + np.abs(self.terms.auctioned - self.terms.demand).sum())


def derive_market(
    instance: InstanceInputs,
    tables: Mapping[str, pd.DataFrame],
    kind: str,
    held: Held | None = None,
    in_sum: bool = False,
) -> Market:
    """Return the market of an instance; one of a single year starts from the allocation in the tables.

    Parameters
    ----------
    held
        What it holds in self-balancing years; None for the balance values before abatement.
    in_sum
        Plans get their emissions in these years, as sectors do at every balance value.
    """
    baseline = derive_baseline(instance, None if kind == "pathway" else tables["allocation"], held)
    baseline = baseline.balanced_in_sum if in_sum else baseline
    left = np.zeros(len(baseline.years)) if kind == "pathway" else remainder(instance, baseline, tables)
    return Market(
        baseline,
        derive_choices(instance, baseline),
        derive_accounts(instance, baseline, kind),
        derive_terms(instance, baseline, kind, left),
    )
