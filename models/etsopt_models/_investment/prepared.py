"""The program of an investment, ready to be solved, and the decision that its solution means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.modelling import Prepared
from etsopt_models._effort import EXTENSIVE_FORM_CELLS_MAX
from etsopt_models._investment.accounts import accounts_in
from etsopt_models._investment.combinations import decided_by_combination
from etsopt_models._investment.pricing import pricing_of
from etsopt_models._investment.programs import cells_of, extensive, priced
from etsopt_models._investment.risk import Risk

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._investment.accounts import ScenarioAccounts
    from etsopt_models._investment.pricing import Pricing


@dataclass(frozen=True)
class PreparedInvestment(Prepared):
    """A program and the alternatives behind it.

    Parameters
    ----------
    pricing, accounts
        Every unit at the prices of the scenarios, and the accounts of enterprises in these.
    relax
        Solver of the program: `etsopt.running.model_inputs.Relaxation`.
    """

    pricing: Pricing
    accounts: ScenarioAccounts
    relax: Any

    def installed(self, install: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the set that every unit installs, from the values of the options, shape ``(units,)``."""
        chosen, options = self.pricing.best.copy(), self.pricing.options
        for option in np.flatnonzero(install[: len(options.unit)] > 1 / 2):
            chosen[options.unit[option]] = options.number[option]
        return chosen

    def multipliers(self, instance: Instance, costs: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Return weights of scenarios and multipliers of budgets that bound the cost.

        Those of enterprises in the program come from its linear relaxation, the weights of others from their answer.

        Parameters
        ----------
        costs
            Cost of the answer, shape ``(enterprises, scenarios)`` [CNY].

        Returns
        -------
        weights, prices
            Shapes ``(enterprises, scenarios)`` and ``(enterprises,)``.
        """
        pricing = self.pricing
        weights, prices = Risk.of(instance, pricing.scenarios.probability).weights(costs), np.zeros(len(costs))
        within = (
            np.arange(len(costs)) if self.parameters["ENTERPRISES"] == len(costs) else np.flatnonzero(pricing.undecided)
        )
        if pricing.undecided.any():
            found = self.relax(self.parameters).levels[0].multipliers
            weights[within] = found["cost_of_scenario"].reshape(len(within), -1)
            prices[within[self.parameters["LIMITED"]]] = np.maximum(-found["budget"], 0.0)
        return weights, prices


def prepare_extensive(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any) -> PreparedInvestment:
    """Return the extensive form while it is small, else the priced program."""
    pricing = pricing_of(instance, before)
    if cells_of(pricing) > EXTENSIVE_FORM_CELLS_MAX:
        return _of_program(instance, pricing, relax)
    pricing = pricing_of(instance, before, every=True)
    accounts = accounts_in(instance, pricing.baseline, pricing.scenarios)
    return PreparedInvestment(extensive(instance, pricing, accounts), pricing, accounts, relax)


def prepare_priced(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any) -> PreparedInvestment:
    """Return the program over undecided enterprises alone, with the cost of each option in each scenario."""
    return _of_program(instance, pricing_of(instance, before), relax)


def _of_program(instance: Instance, pricing: Pricing, relax: Any) -> PreparedInvestment:
    accounts = accounts_in(instance, pricing.baseline, pricing.scenarios)
    pricing = decided_by_combination(instance, pricing, accounts)
    return PreparedInvestment(priced(instance, pricing, accounts), pricing, accounts, relax)
