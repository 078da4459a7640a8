"""Solve `pathway` by prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt_models import pathway
from etsopt_models._columns.decomposition import declines, prepare_by_prices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._market.column_generation import PreparedMarket

__all__ = ["FROM_UNITS", "declines", "prepare"]

FROM_UNITS = 2_000
"""At 1,600 units it takes half of the CPU time of the whole program, at 12,000 a twentieth."""


def prepare(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[..., Any]
) -> tuple[dict[str, Any], PreparedMarket]:
    """Arrays for the model's formulation over those near a tie, and what the tables need beside the solution."""
    return prepare_by_prices(pathway.market(instance, before, relax))
