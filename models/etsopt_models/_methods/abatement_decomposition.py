"""Solve `abatement` by prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt_models import abatement
from etsopt_models._columns import decomposition
from etsopt_models._columns.enterprise_decomposition import declines_prices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import PreparedMarket

__all__ = ["FROM_UNITS", "declines", "prepare"]

FROM_UNITS = 2_000
"""At 1,600 units it takes as long as the whole program, at 12,000 a third of it."""


def declines(instance: Instance) -> str:
    """Why prices cannot serve an instance, as a clause; empty where they can."""
    return decomposition.declines(instance) or declines_prices(instance)


def prepare(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]
) -> tuple[dict[str, Any], PreparedMarket]:
    """Arrays for the model's formulation over those near a tie, and what the tables need beside the solution."""
    return decomposition.prepare_by_prices(abatement.market(instance, before, relax))
