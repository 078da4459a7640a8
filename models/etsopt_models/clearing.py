r"""The market clears: all enterprises abate, trade and bank at the least cost (mixed-integer program).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt_models._parts.market import market_program
from etsopt_models._parts.market_tables import market_tables
from etsopt_models._parts.prospects import prospects
from etsopt_models._parts.search import search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._parts.search import Found

CHECKED_AS = "market"
STARTS_FROM = "allocation"
GAP = 1e-4


def formulate() -> Any:
    """The market's program without data."""
    return market_program("clearing")


def prepare(
    instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[[dict[str, Any]], Any]
) -> tuple[dict[str, Any], Found]:
    """Arrays for `formulate` over the plans that matter, and what the tables need beside the solution."""
    return search(instance, prospects(instance, before["allocation"]), relax, {}, market=True)


def is_divisible(instance: Instance) -> bool:
    """Whether plans may be mixed."""
    return instance.policy.abatement.divisible_measures


def tables(instance: Instance, solution: Any, found: Found) -> dict[str, pd.DataFrame]:
    """Result tables: ``years``, ``enterprises``, ``units``, ``plans``, ``measures``, ``duals``."""
    return market_tables(instance, solution, found)
