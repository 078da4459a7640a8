"""The compiler refuses components and data that it cannot compile, or that do not fit, before it builds anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from etsopt.common.errors import ModelError
from etsopt.data.groups import Groups
from etsopt.modelling.compiler import compiled
from etsopt.modelling.compiler.templates import CompileError
from tests.modelling.compiler.plant import data, plant, with_row
from tests.modelling.compiler.test_not_compilable import REFERENCE, assert_refused


def none(m: Any, *_: Any) -> None:
    """A rule that makes nothing."""


def declared(name: str, make: Any) -> pyo.AbstractModel:
    m = plant()
    setattr(m, name, make(m))
    return m


KINDS: dict[str, tuple[str, Any, str]] = {
    "block": ("component b", lambda m: pyo.Block(rule=none), "it is a Block"),
    "indexed block": ("component b", lambda m: pyo.Block(m.I, rule=none), "it is a Block"),
    "SOS": ("component b", lambda m: pyo.SOSConstraint(var=m.x, sos=1), "it is a SOSConstraint"),
    "list": ("component b", lambda m: pyo.ConstraintList(), "it is a ConstraintList"),
    "list of variables": ("component b", lambda m: pyo.VarList(), "it is a VarList"),
    "list by rule": ("component b", lambda m: pyo.ConstraintList(rule=none), "it is a ConstraintList"),
    "action": ("component b", lambda m: pyo.BuildAction(rule=none), "it is a BuildAction"),
    "check": ("component b", lambda m: pyo.BuildCheck(rule=none), "it is a BuildCheck"),
    "suffix": ("component b", lambda m: pyo.Suffix(), "it is a Suffix"),
    "truth": ("component b", lambda m: pyo.BooleanVar(), "it is a BooleanVar"),
    "no rule": ("constraint b", lambda m: pyo.Constraint(m.I), "it has no rule"),
    "sparse": ("variable b", lambda m: pyo.Var(m.I, dense=False), "it is sparse"),
    "domain with gaps": ("variable b", lambda m: pyo.Var(m.I, within=pyo.RangeSet(0, 6, 2)), "is not an interval"),
    "domain by index": (
        "variable b",
        lambda m: pyo.Var(m.I, within=lambda m, i: pyo.Binary if i == 0 else pyo.Reals),
        "branches on an index",
    ),
    "domain of data": ("variable b", lambda m: pyo.Var(m.I, within=m.J), "its domain J is not an interval"),
    "one bound": ("variable b", lambda m: pyo.Var(m.I, bounds=lambda m, i: (0,)), ", not a pair"),
    "bounds by name": (
        "variable b",
        lambda m: pyo.Var(m.I, bounds=lambda m, i: ("a", 1)),
        "it has 'a' in place of a number",
    ),
    "bounds of a variable": ("variable b", lambda m: pyo.Var(m.I, bounds=lambda m, i: (0, m.x[i])), "it is not linear"),
    "bounds by index": (
        "variable b",
        lambda m: pyo.Var(m.I, bounds=lambda m, i: (0, 1) if i else (0, 2)),
        "branches on an index",
    ),
    "names": ("set OrderedScalarSet", lambda m: pyo.Var(["one", "two"]), "its members are not whole numbers"),
    "halves": ("set OrderedScalarSet", lambda m: pyo.Var([0.5, 1.5]), "its members are not whole numbers"),
    "anything": ("set Any", lambda m: pyo.Var(pyo.Any), "its members are not known"),
    "union": ("set SetUnion_OrderedSet", lambda m: pyo.Var(m.I | m.J), "its members are not known"),
    "difference": ("set SetDifference_OrderedSet", lambda m: pyo.Var(m.I - m.J), "its members are not known"),
    "intersection": ("set SetIntersection_OrderedSet", lambda m: pyo.Var(m.I & m.J), "its members are not known"),
}

SETS: dict[str, dict[str, Any]] = {
    "filter": {"filter": lambda m, i: i > 0},
    "validation": {"validate": lambda m, i: i > 0},
    "sorted": {"ordered": pyo.Set.SortedOrder},
    "sorted by a function": {"ordered": lambda members: sorted(members)},
    "without order": {"ordered": False},
}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "member twice": ({"I": np.array([1, 1, 2])}, "The set I has a member twice"),
    "pair twice": ({"PAIRS": np.array([[0, 1], [0, 1]])}, "The set PAIRS has a member twice"),
    "halves": ({"I": np.array([0.0, 1.0, 2.0])}, r"The set I has wrong data: expected a size or members, got array\("),
    "truths": ({"I": np.array([True, False])}, r"The set I has wrong data: expected a size or members, got array\("),
    "a truth": ({"I": True}, "The set I has wrong data: expected a size or members, got True"),
    "less than none": ({"I": -1}, "The set I has wrong data: expected a size or members, got -1"),
    "real size": ({"I": 3.0}, "The set I has wrong data: expected a size or members, got 3.0"),
    "name": ({"I": "three"}, "The set I has wrong data: expected a size or members, got 'three'"),
    "nothing": ({"I": None}, "The set I has wrong data: expected a size or members, got None"),
    "groups for a set": ({"I": Groups(np.array([0, 1]), np.array([0]))}, "The set I has wrong data"),
    "three dimensions": ({"I": np.zeros((1, 2, 2), dtype=int)}, "The set I has wrong data"),
    "singles for pairs": ({"PAIRS": np.array([0, 1])}, "PAIRS has members of the wrong dimension: expected 2, got 1"),
    "size for pairs": ({"PAIRS": 2}, "PAIRS has members of the wrong dimension: expected 2, got 1"),
    "triples for pairs": (
        {"PAIRS": np.zeros((1, 3), dtype=int)},
        "has members of the wrong dimension: expected 2, got 3",
    ),
    "set for groups": (
        {"IN_BOX": np.array([0, 1])},
        "The grouped set IN_BOX has the wrong type: expected Groups, got ndarray",
    ),
    "too few groups": (
        {"IN_BOX": Groups(np.array([0, 1]), np.array([0]))},
        "has the wrong number of groups: expected 2, got 1",
    ),
    "too many groups": ({"NEAR": Groups(np.zeros(8, dtype=int), np.zeros(0, dtype=int))}, "expected 6, got 7"),
    "member twice in a group": (
        {"IN_BOX": Groups(np.array([0, 2, 3]), np.array([1, 1, 0]))},
        "IN_BOX has a member twice",
    ),
    "pair twice in a group": (
        {"PAIRS_OF": Groups(np.array([0, 2, 2]), np.array([[0, 1], [0, 1]]))},
        "PAIRS_OF has a member twice",
    ),
    "members left over": ({"IN_BOX": Groups(np.array([0, 1, 2]), np.array([0, 1, 2]))}, "starts do not divide"),
    "members left out": ({"IN_BOX": Groups(np.array([1, 2, 3]), np.array([0, 1, 2]))}, "starts do not divide"),
    "starts that fall": ({"IN_BOX": Groups(np.array([0, 3, 2]), np.array([0, 1]))}, "starts do not divide"),
    "halves in groups": ({"IN_BOX": Groups(np.array([0, 1, 2]), np.array([0.5, 1]))}, "starts do not divide"),
    "group outside": (
        {"IN_BOX": Groups(np.array([0, 1, 2]), np.array([0, 9]))},
        "within I, and the index 9 is not in I",
    ),
    "array too short": ({"a": np.ones(2)}, r"a has the wrong shape: expected \(3,\), got \(2,\)"),
    "array turned": ({"table": np.ones((2, 3))}, r"table has the wrong shape: expected \(3, 2\), got \(2, 3\)"),
    "flat array": ({"table": np.ones(6)}, r"table has the wrong shape: expected \(3, 2\), got \(6,\)"),
    "names for numbers": ({"a": np.array(["a", "b", "c"])}, "a has the wrong type: expected numbers, got <U1"),
    "objects": ({"a": np.array([1, 2, 3], dtype=object)}, "a has the wrong type: expected numbers, got object"),
    "array for a number": ({"k": np.ones(1)}, r"k has a wrong value: expected one number, got array\(\[1\.\]\)"),
    "name for a number": ({"k": "7"}, "k has a wrong value: expected one number, got '7'"),
    "unknown": ({"price": 1.0}, "has data for price, which it does not declare"),
    "data of a variable": ({"x": np.ones(3)}, "has data for x, which it does not declare"),
}

DOMAINS: list[tuple[Any, Any]] = [
    (pyo.NonNegativeReals, [0, -1, 2]),
    (pyo.PositiveReals, [0, 1, 2]),
    (pyo.Integers, [0, 1, 0.5]),
    (pyo.Binary, [0, 1, 2]),
    (pyo.PercentFraction, [0, 1, 1.5]),
    ([0, 1, 5], [0, 1, 2]),
    (pyo.RangeSet(0, 3), [0, 1, 4]),
    (lambda m: m.J, [0, 1, 2]),
    (lambda m: m.J, [0, 1, 0.5]),
    (lambda m: m.PAIRS, [0, 1, 1]),
]


@pytest.mark.parametrize(("component", "make", "reason"), list(KINDS.values()), ids=list(KINDS))
def test_a_component_that_cannot_be_compiled_is_refused(component: str, make: Any, reason: str, capfd: Any) -> None:
    assert_refused(declared("b", make), component, reason, capfd)


@pytest.mark.parametrize("options", list(SETS.values()), ids=list(SETS))
def test_a_set_that_makes_its_members_from_the_data_is_refused(options: dict[str, Any], capfd: Any) -> None:
    m = declared("b", lambda m: pyo.Set(**options))
    assert_refused(m, "set b", "it ", capfd, data(b=np.array([3, 1, 2])))


def test_a_parameter_with_a_validation_is_refused(capfd: Any) -> None:
    m = declared("b", lambda m: pyo.Param(m.I, validate=lambda m, value, i: value > 0))
    assert_refused(m, "parameter b", "it has a validation", capfd, data(b=np.ones(3)))


@pytest.mark.parametrize(("changes", "message"), list(WRONG.values()), ids=list(WRONG))
def test_data_that_fit_nothing_are_refused(changes: dict[str, Any], message: str, capfd: Any) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        compiled.build_program(with_row(lambda m: m.z <= m.k), data(**changes))
    assert not isinstance(caught.value, CompileError)
    assert caught.value.advice
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.parametrize("name", ["I", "IN_BOX", "a", "k"])
def test_data_that_are_missing_are_named(name: str) -> None:
    given = data()
    del given[name]
    with pytest.raises(ModelError, match=f"The model 'plant' has no data for {name}."):
        compiled.build_program(plant(), given)


@pytest.mark.parametrize(("within", "values"), DOMAINS)
def test_a_parameter_outside_of_its_domain_is_refused(within: Any, values: Any, capfd: Any) -> None:
    m = plant()
    m.b = pyo.Param(m.I, within=within(m) if callable(within) and not hasattr(within, "ctype") else within)
    with pytest.raises(ModelError, match=r"The parameter b (has|is declared to be within)"):
        compiled.build_program(m, data(b=np.array(values)))
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.parametrize(
    ("options", "members"),
    [
        (lambda m: {"within": m.I}, [2, 5]),
        (lambda m: {"within": m.I * m.J}, [[2, 2], [1, 1]]),
        (lambda m: {"within": m.I * m.J}, [2, 1]),
        (lambda m: {"within": m.PAIRS}, [[1, 1]]),
        (lambda m: {"within": pyo.Binary}, [1, 3]),
        (lambda m: {"bounds": (0, 2)}, [1, 3]),
        (lambda m: {"within": m.I | m.J}, [1, 3]),
    ],
)
def test_a_set_outside_of_the_one_that_it_is_within_is_refused(options: Any, members: Any, capfd: Any) -> None:
    m = plant()
    m.b = pyo.Set(**options(m))
    with pytest.raises(ModelError, match=r"The set b "):
        compiled.build_program(m, data(b=np.array(members)))
    assert tuple(capfd.readouterr()) == ("", "")


def test_the_advice_offers_the_pyomo_build() -> None:
    error = CompileError("The constraint c", "it is odd", "Write it evenly.")
    assert error.advice == f"Write it evenly. {REFERENCE}"
    assert str(error).startswith("The constraint c cannot be compiled: it is odd.")
