"""Relations, bounds, sets and arithmetic in every form that can be compiled: both builds give the same program."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from etsopt.data.groups import Groups
from tests.modelling.compiler.plant import data, plant, with_row
from tests.modelling.compiler.same import assert_same_both_ways
from tests.modelling.compiler.test_both_ways import Cases, cases

RELATIONS: Cases = {
    "at most": (lambda m, i: m.x[i] + m.a[i] <= m.k, "I"),
    "at least": (lambda m, i: m.x[i] >= m.a[i] - 1, "I"),
    "equal": (lambda m, i: m.x[i] + 1 == m.a[i] + m.k, "I"),
    "equal, number first": (lambda m, i: m.a[i] == m.x[i] + 1, "I"),
    "variables on the right": (lambda m, i: m.a[i] + 1 <= m.x[i] + 2, "I"),
    "variables on both sides": (lambda m, i: m.x[i] + 1 >= m.z - m.a[i], "I"),
    "constants on both sides": (lambda m, i: m.x[i] + m.a[i] - 1 <= m.k + 2 * m.a[i], "I"),
    "pair": (lambda m, i: (m.x[i], m.a[i]), "I"),
    "range": (lambda m, i: (m.a[i] - 9, m.x[i] + m.a[i], m.k), "I"),
    "range without lower limit": (lambda m, i: (None, m.x[i] + m.a[i], m.k), "I"),
    "range without upper limit": (lambda m, i: (m.a[i], m.x[i], None), "I"),
    "range of one value": (lambda m, i: (m.a[i], m.x[i], m.a[i]), "I"),
    "range with a variable limit and an open side": (lambda m, i: (m.z, m.x[i], None), "I"),
    "inequality of three": (lambda m, i: pyo.inequality(0, m.x[i] + m.a[i], 9), "I"),
    "inequality without lower limit": (lambda m, i: pyo.inequality(None, m.x[i] - m.a[i], 9), "I"),
    "inequality of two": (lambda m, i: pyo.inequality(0, m.x[i] + m.a[i]), "I"),
    "scalar": (lambda m: m.z + 1 <= m.k,),
    "division": (lambda m, i: m.x[i] / m.a[i] + m.z / m.k <= 1 / m.a[i], "I"),
    "negation": (lambda m, i: -(m.x[i] - m.z) + 3 <= -m.a[i], "I"),
    "distribution": (lambda m, i: 2 * (m.a[i] * (m.x[i] + 3 * (m.z - m.k)) - 1) <= 0, "I"),
    "first power": (lambda m, i: m.x[i] ** 1 <= 1, "I"),
}

BOUNDS: dict[str, dict[str, Any]] = {
    "pair": {"bounds": (0, 1)},
    "list": {"bounds": [0, 1.5]},
    "pair of truths": {"bounds": (False, True)},
    "numbers of numpy": {"bounds": (np.float64(0), np.int64(3))},
    "lower alone": {"bounds": (0, None)},
    "upper alone": {"bounds": (None, 2)},
    "none": {"bounds": (None, None)},
    "infinite": {"bounds": (-math.inf, math.inf)},
    "rule": {"bounds": lambda m, i: (m.a[i], 2 * m.a[i])},
    "rule with one side": {"bounds": lambda m, i: (None, 2 * m.a[i])},
    "rule of the index": {"bounds": lambda m, i: (0, i)},
    "rule of a lookup": {"bounds": lambda m, i: (-m.k, m.a[m.box[i]] + sum(m.table[i, j] for j in m.J))},
    "crossed": {"bounds": (3, 1)},
    "in a domain": {"within": pyo.NonNegativeReals, "bounds": lambda m, i: (m.a[i] - 3, 2 * m.a[i])},
    "domain alone": {"within": pyo.NonPositiveReals},
    "open domain": {"within": pyo.PositiveReals},
    "unit interval": {"within": pyo.UnitInterval},
    "binary": {"within": pyo.Binary},
    "binary in bounds": {"within": pyo.Binary, "bounds": (0.5, 3)},
    "whole": {"within": pyo.Integers, "bounds": (0.5, 3.5)},
    "whole and not negative": {"within": pyo.NonNegativeIntegers},
    "domain by rule": {"within": lambda m, i: pyo.NonNegativeIntegers},
    "range as a domain": {"within": pyo.RangeSet(0, 5)},
    "start": {"initialize": 3},
}


@cases(RELATIONS)
def test_relations_are_the_same_both_ways(case: Any) -> None:
    assert_same_both_ways(with_row(*case), data())


@pytest.mark.parametrize(
    "rule",
    [
        lambda m, i: m.x[i] + 1 == 2 * m.z + m.a[i],
        lambda m, i: m.box[i] * m.x[i] == m.z,
        lambda m, i: m.box[i] * m.x[i] <= m.z,
        lambda m, i: m.z == m.a[i] * m.x[i],
    ],
)
def test_a_row_with_variables_on_both_sides_is_the_same_up_to_its_sign(rule: Any) -> None:
    assert_same_both_ways(with_row(rule, "I"), data(), either_way_round={"row"})


@pytest.mark.parametrize("options", list(BOUNDS.values()), ids=list(BOUNDS))
def test_bounds_and_domains_are_the_same_both_ways(options: dict[str, Any]) -> None:
    m = plant()
    m.w = pyo.Var(m.I, **options)
    m.row = pyo.Constraint(rule=lambda m: m.w[0] <= 5)
    assert_same_both_ways(m, data())


def test_bounds_of_scalars_and_by_parameters_are_the_same_both_ways() -> None:
    m = plant()
    m.v = pyo.Var(bounds=lambda m: (-m.k, m.k))
    m.w = pyo.Var(m.I, bounds=(0, m.k), within=pyo.Integers)
    m.u = pyo.Var(m.I, m.J, bounds=lambda m, i, j: (0, m.table[i, j]))
    m.b = pyo.Var(m.PAIRS, bounds=lambda m, i, j: (m.a[i], m.table[i, j]), within=pyo.Integers)
    assert_same_both_ways(m, data())


def test_infinite_limits_are_the_same_both_ways() -> None:
    a = np.array([1.0, math.inf, 3.0])
    assert_same_both_ways(with_row(lambda m, i: m.x[i] <= m.a[i], "I"), data(a=a))
    assert_same_both_ways(with_row(lambda m, i: (-m.a[i], m.x[i] + 1, 5), "I"), data(a=a))


def test_what_is_no_number_stays_where_it_is_both_ways() -> None:
    a = np.array([1.0, math.nan, 3.0])
    assert_same_both_ways(with_row(lambda m, i: m.a[i] * m.x[i] <= m.a[i], "I"), data(a=a))


SETS: dict[str, tuple[Any, Any]] = {
    "size": (3, [1.0, 2.0, 3.0]),
    "size of numpy": (np.int64(3), [1.0, 2.0, 3.0]),
    "none": (0, []),
    "one": (1, [1.0]),
    "counted": (np.arange(3), [1.0, 2.0, 3.0]),
    "subset": (np.array([0, 2]), [1.0, 2.0]),
    "in another order": (np.array([7, -2, 5]), [1.0, 2.0, 3.0]),
    "of small numbers": (np.array([3, 200], dtype=np.uint8), [1.0, 2.0]),
    "empty array": (np.zeros(0, dtype=int), []),
}


@pytest.mark.parametrize(("members", "values"), list(SETS.values()), ids=list(SETS))
def test_a_set_may_be_given_by_size_or_by_members(members: Any, values: Any) -> None:
    m = pyo.AbstractModel("sets")
    m.S = pyo.Set()
    m.p = pyo.Param(m.S)
    m.x = pyo.Var(m.S, bounds=lambda m, s: (s, m.p[s]))
    m.row = pyo.Constraint(m.S, rule=lambda m, s: m.x[s] + s * sum(m.p[n] * m.x[n] for n in m.S) <= m.p[s])
    assert_same_both_ways(m, {"S": members, "p": np.array(values)})


@pytest.mark.parametrize("members", [[[2, 0], [1, 1], [0, 7]], [[4, 4]], np.zeros((0, 2), dtype=int)])
@pytest.mark.parametrize("declared", [{"dimen": 2}, {}], ids=["declared", "undeclared"])
def test_a_set_of_pairs_is_the_same_both_ways(members: Any, declared: Any) -> None:
    m = pyo.AbstractModel("pairs")
    m.S = pyo.Set(**declared)
    m.p = pyo.Param(m.S)
    m.x = pyo.Var(m.S)
    m.row = pyo.Constraint(m.S, rule=lambda m, i, j: m.p[i, j] * m.x[i, j] + i <= j)
    if declared or len(members):
        assert_same_both_ways(m, {"S": np.array(members, dtype=int), "p": np.arange(len(members)) + 1.0})


def test_index_arithmetic_over_later_years_is_the_same_both_ways() -> None:
    m = pyo.AbstractModel("bank")
    m.I, m.YEARS = pyo.Set(), pyo.Set()
    m.LATER = pyo.Set(within=m.YEARS)
    m.bank = pyo.Var(m.I, m.YEARS)
    m.start = pyo.Constraint(m.I, rule=lambda m, i: m.bank[i, 2025] <= 1)
    m.keep = pyo.Constraint(m.I, m.LATER, rule=lambda m, i, t: m.bank[i, t] - 0.5 * m.bank[i, t - 1] == 1)
    years = np.array([2025, 2026, 2027])
    found = assert_same_both_ways(m, {"I": 2, "YEARS": years, "LATER": years[1:]})
    assert found.matrix.toarray()[2:4].tolist() == [[-0.5, 1, 0, 0, 0, 0], [0, -0.5, 1, 0, 0, 0]]


def test_ranges_products_and_nameless_sets_are_the_same_both_ways() -> None:
    m = plant()
    m.R, m.S, m.T = pyo.RangeSet(3), pyo.RangeSet(0, m.k, 2), pyo.RangeSet(0, m.k - 5)
    m.IJ, m.IJI = m.I * m.J, m.I * m.J * m.I
    m.PJ = m.PAIRS * m.J
    m.u = pyo.Var([0, 2, 5])
    m.v = pyo.Var([(0, 1), (2, 1)])
    m.w = pyo.Var(m.S, m.IJ)
    m.one = pyo.Constraint(m.R, rule=lambda m, r: m.x[r - 1] + len(m.R) * m.z <= r)
    m.two = pyo.Constraint(m.S, m.IJ, rule=lambda m, s, i, j: m.w[s, i, j] <= s * m.table[i, j])
    m.three = pyo.Constraint(m.IJI, rule=lambda m, i, j, n: m.y[i, j] + m.x[n] <= m.a[i])
    m.four = pyo.Constraint(m.PJ, rule=lambda m, *index: m.w[0, index[:2]] + m.y[index[0], index[2]] <= 1)
    m.five = pyo.Constraint([0, 2], rule=lambda m, i: m.u[i] + m.x[i] + m.v[0, 1] <= sum(m.T[1] * m.a[t] for t in m.T))
    m.six = pyo.Constraint(m.IJ, rule=lambda m, *index: m.y[index] <= sum(m.table[both] for both in m.IJ))
    assert_same_both_ways(m, data())


ARITHMETIC: dict[str, Any] = {
    "powers": lambda m, i: m.a[i] ** m.k * m.x[i] <= 2 ** m.a[i] + m.a[i] ** 0.5,
    "negative powers": lambda m, i: m.a[i] ** -1 * m.x[i] <= (m.box[i] - 2) ** m.box[i],
    "exp": lambda m, i: pyo.exp(m.a[i]) * m.x[i] <= pyo.exp(-m.k),
    "roots": lambda m, i: pyo.sqrt(m.a[i]) * m.x[i] <= pyo.sqrt(m.k),
    "logarithms": lambda m, i: pyo.log(m.a[i]) * m.x[i] <= pyo.log10(m.k),
    "sizes": lambda m, i: abs(m.a[i] - 3) * m.x[i] <= abs(-m.k),
    "rounding": lambda m, i: pyo.floor(m.a[i] / 2) * m.x[i] <= pyo.ceil(m.k / 3),
    "angles": lambda m, i: (pyo.sin(m.a[i]) + pyo.cos(m.k) + pyo.tan(m.k)) * m.x[i] <= pyo.atan(m.a[i]),
    "inverse angles": lambda m, i: (pyo.asin(m.a[i] / 9) - pyo.acos(m.a[i] / 9)) * m.x[i] <= pyo.atanh(m.a[i] / 9),
    "hyperbolic": lambda m, i: (pyo.sinh(m.a[i]) - pyo.tanh(m.k)) * m.x[i] <= pyo.cosh(1) + pyo.acosh(m.a[i]),
    "cases": lambda m, i: pyo.Expr_if(m.a[i] >= 3, m.a[i], 1.0) * m.x[i] <= pyo.Expr_if(m.k == 7, 1, m.a[i]),
    "cases by the index": lambda m, i: pyo.Expr_if(i >= 1, m.a[i], 1.0) * m.x[i] <= 1,
    "quotients": lambda m, i: m.x[i] / (m.a[i] + 1) - (m.z - m.a[i] / m.k) / 3 <= 1 / m.a[i],
    "of the index": lambda m, i: (i**2 - i / 2) * m.x[i] <= 2**i,
    "of sums": lambda m, i: sum(m.table[i, j] for j in m.J) ** 2 * m.x[i] <= pyo.sqrt(sum(m.a[n] for n in m.I)),
}


@pytest.mark.parametrize("rule", list(ARITHMETIC.values()), ids=list(ARITHMETIC))
@pytest.mark.parametrize("kind", [float, int], ids=["real", "whole"])
def test_arithmetic_on_parameters_is_the_same_both_ways(rule: Any, kind: Any) -> None:
    assert_same_both_ways(with_row(rule, "I"), data(a=np.array([2, 3, 5], dtype=kind), k=kind(7)))


@pytest.mark.parametrize(
    "a",
    [
        np.array([4_000_000_000, 3, 5]),
        np.array([2**31 - 1, 3, 5], dtype=np.int32),
        np.array([200, 4, 5], dtype=np.uint8),
        np.array([-128, 4, 5], dtype=np.int8),
        np.array([True, False, True]),
        np.array([0.1, 0.2, 0.3], dtype=np.float32),
        np.array([2**63 + 2**11, 2, 3], dtype=np.uint64),
    ],
    ids=lambda a: f"{a.dtype}",
)
def test_numbers_of_any_kind_are_those_of_python(a: Any) -> None:
    def rule(m: Any, i: Any) -> Any:
        return m.a[i] * m.a[i] * m.x[i] - m.a[i] * m.z <= m.a[i] ** 3 / 3 + m.a[i] + m.a[i]

    assert_same_both_ways(with_row(rule, "I"), data(a=a))


@pytest.mark.parametrize("k", [True, 2, np.float32(0.1), np.array(0.1), np.int8(100)])
def test_scalars_of_any_kind_are_those_of_python(k: Any) -> None:
    assert_same_both_ways(with_row(lambda m: m.z * m.k <= m.k * m.k / 3 + m.k), data(k=k))


def test_data_are_held_to_sets_and_domains_both_ways() -> None:
    m = plant()
    m.inside, m.chosen = pyo.Param(m.I, within=m.J), pyo.Param(within=m.I)
    m.share, m.some = pyo.Param(m.I, within=pyo.PercentFraction), pyo.Param(m.I, within=[0, 1, 5])
    m.ranged, m.whole = pyo.Param(m.I, within=pyo.RangeSet(0, 3)), pyo.Param(m.I, within=pyo.PositiveIntegers)
    m.BOTH = pyo.Set(within=m.I * m.J)
    m.OF = pyo.Set(m.J, within=m.I * m.J)
    m.row = pyo.Constraint(m.I, rule=lambda m, i: m.share[i] * m.y[i, m.inside[i]] + m.x[m.chosen] <= m.some[i])
    m.sums = pyo.Constraint(m.J, rule=lambda m, j: m.z + sum(m.y[i, n] * m.whole[i] for i, n in m.OF[j]) <= m.ranged[j])
    more = {
        "inside": np.array([0, 1, 1]),
        "chosen": 2,
        "share": np.array([0, 0.5, 1]),
        "some": np.array([0, 1, 5]),
        "ranged": np.array([0, 1, 3]),
        "whole": np.array([1.0, 2.0, 3.0]),
        "BOTH": np.array([[2, 0], [1, 1]]),
        "OF": Groups(np.array([0, 2, 3]), np.array([[0, 1], [1, 1], [2, 0]])),
    }
    assert_same_both_ways(m, data(**more))
