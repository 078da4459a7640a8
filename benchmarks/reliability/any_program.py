"""A linear or mixed-integer program that an instance carries as JSON in the column ``x_program``.

A user's own model, which `etsopt.solve` takes by its path and the checker does not support.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from etsopt.modelling import ProgramModel


def formulate() -> pyo.AbstractModel:
    m = pyo.AbstractModel("any_program")
    m.REAL, m.WHOLE, m.ROWS = pyo.Set(), pyo.Set(), pyo.Set()
    # Domain Any: Pyomo would warn of NaN otherwise. Absent limits are infinite.
    m.real_lower, m.real_upper, m.real_cost = (pyo.Param(m.REAL, within=pyo.Any) for _ in range(3))
    m.whole_lower, m.whole_upper, m.whole_cost = (pyo.Param(m.WHOLE, within=pyo.Any) for _ in range(3))
    m.real_coefficient = pyo.Param(m.ROWS, m.REAL, within=pyo.Any)
    m.whole_coefficient = pyo.Param(m.ROWS, m.WHOLE, within=pyo.Any)
    m.least, m.most = (pyo.Param(m.ROWS, within=pyo.Any) for _ in range(2))
    m.real = pyo.Var(m.REAL, bounds=lambda m, j: (m.real_lower[j], m.real_upper[j]))
    m.whole = pyo.Var(m.WHOLE, domain=pyo.Integers, bounds=lambda m, j: (m.whole_lower[j], m.whole_upper[j]))

    @m.Constraint(m.ROWS)
    def limit(m, r):
        real = sum(m.real_coefficient[r, j] * m.real[j] for j in m.REAL)
        return (m.least[r], real + sum(m.whole_coefficient[r, j] * m.whole[j] for j in m.WHOLE), m.most[r])

    @m.Objective()
    def cost(m):
        return sum(m.real_cost[j] * m.real[j] for j in m.REAL) + sum(m.whole_cost[j] * m.whole[j] for j in m.WHOLE)

    return m


def parameters(instance: Any) -> dict[str, Any]:
    program = {name: np.array(part) for name, part in _carried(instance).items()}
    whole = program["whole"].astype(bool)
    found: dict[str, Any] = {"REAL": int((~whole).sum()), "WHOLE": int(whole.sum()), "ROWS": len(program["least"])}
    for kind, columns in (("real", ~whole), ("whole", whole)):
        found |= {f"{kind}_{name}": program[name][columns] for name in ("lower", "upper", "cost")}
        found[f"{kind}_coefficient"] = program["matrix"][:, columns]
    return found | {"least": program["least"], "most": program["most"]}


def tables(instance: Any, solution: Any) -> dict[str, pd.DataFrame]:
    whole = np.array(_carried(instance)["whole"], dtype=bool)
    values = np.empty(len(whole))
    values[~whole], values[whole] = solution.values["real"], solution.values["whole"]
    return {"columns": pd.DataFrame({"value": values})}


def _carried(instance: Any) -> dict[str, Any]:
    return json.loads(instance.units["x_program"].iloc[0])


MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
