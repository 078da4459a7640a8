"""Decomposition of `investment`: every set of every unit at the prices, and a program over coupled enterprises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt_models._investment.prepared import prepare_priced

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt_models._investment.prepared import Prepared

__all__ = ["FROM_UNITS", "declines", "prepare"]

FROM_UNITS = 10
"""The extensive form of few units has few numbers, and shows every trade of every scenario to the solver."""


def declines(instance: Instance) -> str:
    """Return why decomposition does not support an instance, as a clause: it supports every one."""
    return ""


def prepare(instance: Instance, before: Mapping[str, pd.DataFrame], relax: Any) -> tuple[dict[str, Any], Prepared]:
    """Return arrays for the formulation over coupled enterprises, and the alternatives of all units for the tables."""
    return prepare_priced(instance, before, relax)
