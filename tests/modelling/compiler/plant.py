"""A model of items and boxes with little of everything; what a test is about comes on top."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo

from etsopt.data.groups import Groups


def plant() -> pyo.AbstractModel:
    """Sets, groups, pairs, parameters and variables, and no row."""
    m = pyo.AbstractModel("plant")
    m.I, m.J = pyo.Set(), pyo.Set()
    m.PAIRS = pyo.Set(dimen=2)
    m.IN_BOX = pyo.Set(m.J, within=m.I)
    m.PAIRS_OF = pyo.Set(m.J, dimen=2)
    m.NEAR = pyo.Set(m.I, m.J, within=m.I)
    m.a, m.box, m.table, m.k = pyo.Param(m.I), pyo.Param(m.I), pyo.Param(m.I, m.J), pyo.Param()
    m.x, m.y, m.z = pyo.Var(m.I, doc="one [kg]"), pyo.Var(m.I, m.J, doc="two [kg]"), pyo.Var(doc="none [kg]")
    return m


def data(**changes: Any) -> dict[str, Any]:
    """Data of the plant: three items in two boxes."""
    return {
        "I": 3,
        "J": 2,
        "PAIRS": np.array([[0, 0], [0, 1], [2, 1]]),
        "IN_BOX": Groups(np.array([0, 2, 3]), np.array([0, 2, 1])),
        "PAIRS_OF": Groups(np.array([0, 2, 3]), np.array([[0, 0], [0, 1], [2, 1]])),
        "NEAR": Groups(np.array([0, 1, 1, 2, 3, 4, 6]), np.array([0, 0, 1, 2, 0, 2])),
        "a": np.array([2.0, 3.0, 5.0]),
        "box": np.array([1, 0, 1]),
        "table": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
        "k": 7.0,
        **changes,
    }


def sizes(items: int, boxes: int) -> dict[str, Any]:
    """Data of a plant of another size, with every group empty."""
    none = np.zeros(0, dtype=int)
    return data(
        I=items,
        J=boxes,
        PAIRS=np.zeros((0, 2), dtype=int),
        IN_BOX=Groups(np.zeros(boxes + 1, dtype=int), none),
        PAIRS_OF=Groups(np.zeros(boxes + 1, dtype=int), np.zeros((0, 2), dtype=int)),
        NEAR=Groups(np.zeros(items * boxes + 1, dtype=int), none),
        a=np.full(items, 2.0),
        box=np.zeros(items, dtype=int),
        table=np.ones((items, boxes)),
    )


def with_row(rule: Any, *sets: str) -> pyo.AbstractModel:
    """The plant with one constraint, ``row``, over the named sets."""
    m = plant()
    m.row = pyo.Constraint(*(getattr(m, name) for name in sets), rule=rule)
    return m


def with_cost(rule: Any) -> pyo.AbstractModel:
    """The plant with one objective, ``cost``."""
    m = plant()
    m.cost = pyo.Objective(rule=rule, doc="what it costs [CNY]")
    return m


def with_expression(expression: Any, rule: Any, *sets: str) -> pyo.AbstractModel:
    """The plant with a named expression ``e`` over the named sets, and a constraint over the items."""
    m = plant()
    m.e = pyo.Expression(*(getattr(m, name) for name in sets), rule=expression)
    m.row = pyo.Constraint(m.I, rule=rule)
    return m
