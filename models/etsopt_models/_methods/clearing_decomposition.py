"""Decomposition of `clearing`: column generation and a core program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt_models import clearing
from etsopt_models._columns.decomposition import declines, prepare_by_prices
from etsopt_models._columns.unmet_demand import prepare_pass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import PreparedMarket

__all__ = ["FROM_UNITS", "declines", "prepare"]

FROM_UNITS = 2_000
"""At 1,600 units it takes half of the CPU time of the direct method, at 12,000 a thirtieth."""


def prepare(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]
) -> tuple[dict[str, Any], PreparedMarket]:
    """Return arrays for the formulation over near-indifferent units, and the prepared market for the tables."""
    return prepare_pass(clearing.market(instance, before, relax), before, prepare_by_prices)
