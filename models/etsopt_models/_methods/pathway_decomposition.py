"""Decomposition of `pathway`: column generation and a core program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.language import _
from etsopt.modelling import ModelMethod
from etsopt_models import pathway
from etsopt_models._columns import enterprise_decomposition
from etsopt_models._columns.unmet_demand import prepare_pass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import PreparedMarket


def declines(instance: Instance) -> str:
    """Return why decomposition does not support an instance, as a clause; empty if it does."""
    policy = instance.policy
    if policy.market.transaction_cost_cny_per_t > 0 and policy.pathway.no_bank_from is not None:
        return _("allowances lapse, and trading has a cost")
    return enterprise_decomposition.declines(instance)


def prepare(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]) -> PreparedMarket:
    """Return the market with arrays for the formulation over near-indifferent units."""
    return prepare_pass(pathway.market(instance, before, relax), before, enterprise_decomposition.prepare_by_prices)


# At 1,600 units it takes half of the CPU time of the direct method, at 12,000 a twentieth.
METHOD = ModelMethod(from_units=2_000, declines=declines, prepare=prepare)
