"""The program of an investment, ready to be solved, and the decision that its solution means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt_models._investment.accounts import accounts_in
from etsopt_models._investment.pricing import pricing_of
from etsopt_models._investment.programs import cells_of, extensive, priced

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt_models._investment.accounts import ScenarioAccounts
    from etsopt_models._investment.pricing import Pricing

MOST_CELLS = 200_000
"""Numbers of operations in each scenario and year up to which the extensive form is built, in about a second."""


@dataclass(frozen=True)
class Prepared:
    """A program and the alternatives behind it.

    Parameters
    ----------
    pricing, accounts
        Every unit at the prices of the scenarios, and the accounts of enterprises in these.
    parameters
        Arrays of the program.
    relax
        Solver of the program: `etsopt.running.model_inputs.Relaxation`.
    """

    pricing: Pricing
    accounts: ScenarioAccounts
    parameters: dict[str, Any]
    relax: Any

    def installed(self, install: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the set that every unit installs, from the values of the options, shape ``(units,)``."""
        chosen, options = self.pricing.best.copy(), self.pricing.options
        for option in np.flatnonzero(install[: len(options.unit)] > 1 / 2):
            chosen[options.unit[option]] = options.number[option]
        return chosen

    def multipliers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights of scenarios and multipliers of budgets that bound the cost, from the linear relaxation.

        Shapes ``(enterprises, scenarios)`` and ``(enterprises,)``; probabilities and zero where nothing is coupled.
        """
        pricing = self.pricing
        weights = np.repeat(pricing.scenarios.probability[None], len(pricing.coupled), axis=0)
        prices = np.zeros(len(pricing.coupled))
        if not pricing.coupled.any():
            return weights, prices
        found = self.relax(self.parameters).levels[0].multipliers
        within = np.flatnonzero(pricing.coupled)
        if self.parameters["ENTERPRISES"] == len(pricing.coupled):
            within = np.arange(len(pricing.coupled))
        weights[within] = found["cost_of_scenario"].reshape(len(within), -1)
        prices[within[self.parameters["LIMITED"]]] = np.maximum(-found["budget"], 0.0)
        return weights, prices


def prepare_extensive(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any
) -> tuple[dict[str, Any], Prepared]:
    """Return the extensive form while it is small, else the priced program."""
    pricing = pricing_of(instance, before)
    if cells_of(pricing) > MOST_CELLS:
        return _of_program(instance, pricing, relax)
    pricing = pricing_of(instance, before, every=True)
    accounts = accounts_in(instance, pricing.baseline, pricing.scenarios)
    parameters = extensive(instance, pricing, accounts)
    return parameters, Prepared(pricing, accounts, parameters, relax)


def prepare_priced(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any
) -> tuple[dict[str, Any], Prepared]:
    """Return the program over coupled enterprises alone, with the cost of each option in each scenario."""
    return _of_program(instance, pricing_of(instance, before), relax)


def _of_program(instance: Instance, pricing: Pricing, relax: Any) -> tuple[dict[str, Any], Prepared]:
    accounts = accounts_in(instance, pricing.baseline, pricing.scenarios)
    parameters = priced(instance, pricing, accounts)
    return parameters, Prepared(pricing, accounts, parameters, relax)
