"""Least allowances of all units, after a wait that stands for a program of that cost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pyomo.environ as pyo

from etsopt.modelling import ProgramModel

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

COST_S = 0.1
"""Time that each solve waits [s]."""


def formulate() -> pyo.AbstractModel:
    """Return the program without data."""
    m = pyo.AbstractModel("waiting")
    m.UNITS = pyo.Set()
    m.allowance = pyo.Var(m.UNITS, bounds=(1, 2), doc="allowances [t]")

    @m.Objective(doc="all allowances [t]")
    def total(m):
        return sum(m.allowance[i] for i in m.UNITS)

    return m


def parameters(instance: Instance) -> dict[str, Any]:
    """Wait, and return the number of units."""
    time.sleep(COST_S)
    return {"UNITS": len(instance.units)}


def tables(instance: Instance, solution: Any) -> dict[str, pd.DataFrame]:
    """Return the allowances."""
    return {"plan": instance.units[["unit_id"]].assign(allowance_t=solution.values["allowance"])}


MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
