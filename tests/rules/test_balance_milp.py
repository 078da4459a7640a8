r"""The balance value as a mixed-integer program: an oracle for the exact scan, on small sets.

With $z = 1/BP$ a unit's rate before clipping is $x_i = s\,(1 - I_i z)$. Binaries $h_i$ and $l_i$ say that it is clipped
above and below, and $c_i$ is the rate clipped at $\pm \hat c$:

$$x_i - M h_i \le c_i \le x_i + M l_i$$
$$c_i \ge \hat c - 2 \hat c (1 - h_i), \quad c_i \le 2 \hat c (1 - l_i) - \hat c$$

Where $\sum_i E_i c_i = 0$, the least and the largest $z$ are the ends of the interval of balance values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from etsopt.modelling.compiler.compiled import build_program
from etsopt.modelling.solving import highs
from etsopt.modelling.solving.options import SolveOptions
from etsopt.modelling.solving.solution import Termination
from etsopt.rules.balance import balance_value

SLOPE, CAP = 0.15, 0.03


def formulate() -> pyo.AbstractModel:
    m = pyo.AbstractModel("balance_value")
    m.UNITS = pyo.Set()
    m.share, m.intensity = pyo.Param(m.UNITS), pyo.Param(m.UNITS)
    m.least, m.most, m.big = pyo.Param(), pyo.Param(), pyo.Param()
    m.z = pyo.Var(bounds=lambda m: (m.least, m.most))
    m.rate = pyo.Var(m.UNITS, bounds=(-CAP, CAP))
    m.high, m.low = pyo.Var(m.UNITS, domain=pyo.Binary), pyo.Var(m.UNITS, domain=pyo.Binary)
    m.unclipped = pyo.Expression(m.UNITS, rule=lambda m, i: SLOPE * (1 - m.intensity[i] * m.z))

    @m.Constraint(m.UNITS)
    def not_below(m, i):
        return m.rate[i] >= m.unclipped[i] - m.big * m.high[i]

    @m.Constraint(m.UNITS)
    def not_above(m, i):
        return m.rate[i] <= m.unclipped[i] + m.big * m.low[i]

    @m.Constraint(m.UNITS)
    def clipped_above(m, i):
        return m.rate[i] >= CAP - 2 * CAP * (1 - m.high[i])

    @m.Constraint(m.UNITS)
    def clipped_below(m, i):
        return m.rate[i] <= 2 * CAP * (1 - m.low[i]) - CAP

    @m.Constraint()
    def balanced(m):
        return sum(m.share[i] * m.rate[i] for i in m.UNITS) == 0

    m.smallest = pyo.Objective(expr=m.z, doc="reciprocal [t/t]")
    m.largest = pyo.Objective(expr=-m.z, doc="minus reciprocal [t/t]")
    return m


def interval(emissions: Any, intensity: Any) -> tuple[float, float]:
    """Least and largest balance value [t/t] by branch and bound."""
    least, most = (1 - CAP / SLOPE) / intensity.max(), (1 + CAP / SLOPE) / intensity.min()
    data = {
        "UNITS": len(emissions),
        "share": emissions / emissions.sum(),
        "intensity": intensity,
        "least": float(least),
        "most": float(most),
        "big": float(SLOPE * (1 + intensity.max() * most) + CAP),
    }
    program = build_program(formulate(), data)
    ends = []
    for name in ("largest", "smallest"):
        outcome = highs.solve(program, name, SolveOptions(gap=0.0))
        assert outcome.termination is Termination.OPTIMAL
        ends.append(1 / abs(outcome.bound))
    return ends[0], ends[1]


@pytest.mark.parametrize("seed", range(12))
def test_branch_and_bound_finds_the_value_of_the_scan(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 9))
    emissions = np.round(10 ** random.uniform(4, 7, count))
    intensity = random.uniform(0.4, 1.8, count)
    found = balance_value(emissions, intensity, SLOPE, CAP)
    assert interval(emissions, intensity) == pytest.approx((found.lower, found.upper), rel=1e-6)


def test_branch_and_bound_finds_the_interval_of_the_scan_where_all_units_are_clipped() -> None:
    # Far below and far above each other, and as large: any value between 0.4 / 0.8 and 1.6 / 1.2 balances.
    emissions, intensity = np.array([1e6, 1e6]), np.array([0.4, 1.6])
    found = balance_value(emissions, intensity, SLOPE, CAP)
    assert (found.lower, found.upper) == pytest.approx((0.5, 4 / 3))
    assert interval(emissions, intensity) == pytest.approx((0.5, 4 / 3), rel=1e-6)
