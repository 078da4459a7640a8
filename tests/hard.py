"""A model of the user's own that no solver ends in a test's time, for what stops it."""

HARD_MODEL = '''"""A market-split program: small, and far beyond a second."""
import numpy as np
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel

def formulate():
    m = pyo.AbstractModel("split")
    m.ROWS, m.ITEMS = pyo.Set(), pyo.Set()
    m.size = pyo.Param(m.ROWS, m.ITEMS)
    m.half = pyo.Param(m.ROWS)
    m.take = pyo.Var(m.ITEMS, domain=pyo.Binary)
    m.over, m.under = (pyo.Var(m.ROWS, bounds=(0, 1e5)) for _ in range(2))
    @m.Constraint(m.ROWS)
    def split(m, r):
        return sum(m.size[r, j] * m.take[j] for j in m.ITEMS) - m.over[r] + m.under[r] == m.half[r]
    @m.Objective(doc="distance [t]")
    def distance(m):
        return sum(m.over[r] + m.under[r] for r in m.ROWS)
    return m

def parameters(instance):
    size = np.random.default_rng(1).integers(1, 100, (6, 50)).astype(float)
    return {"ROWS": 6, "ITEMS": 50, "size": size, "half": np.floor(size.sum(axis=1) / 2)}

def tables(instance, solution):
    import pandas as pd
    return {"take": pd.DataFrame({"take": solution.values["take"]})}

MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
'''
