"""An updated compiled model always equals a fresh one on the same data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etsopt.common.errors import ModelError
from etsopt.data.groups import Groups
from etsopt.modelling.compiler import compiled, pyomo_build
from etsopt.modelling.compiler.compiled import CompiledModel, Templates
from etsopt.modelling.compiler.evaluate import Evaluator
from tests.modelling.compiler.plant import data, plant
from tests.modelling.compiler.same import assert_same


def market() -> pyo.AbstractModel:
    """The plant with rows, bounds and objectives that read different parameters."""
    m = plant()
    m.low, m.high, m.price = pyo.Param(m.I), pyo.Param(m.I), pyo.Param(m.I)
    m.last = pyo.Param(within=pyo.NonNegativeIntegers)
    m.YEARS = pyo.RangeSet(0, m.last)
    m.v = pyo.Var(m.I, bounds=lambda m, i: (m.low[i], m.high[i]))
    m.w = pyo.Var(m.YEARS, bounds=(0, 1))
    m.paid = pyo.Expression(m.I, rule=lambda m, i: m.price[i] * m.v[i])
    m.fixed = pyo.Constraint(m.I, rule=lambda m, i: m.v[i] - m.x[i] <= 1)
    m.coefficients = pyo.Constraint(m.I, rule=lambda m, i: m.a[i] * m.v[i] + m.z <= 1)
    m.limits = pyo.Constraint(m.I, rule=lambda m, i: (m.low[i], m.v[i] + m.k, m.high[i] * m.k))
    m.boxes = pyo.Constraint(m.J, rule=lambda m, j: m.z + sum(m.table[i, j] * m.v[i] for i in m.IN_BOX[j]) <= m.k)
    m.looked = pyo.Constraint(m.I, rule=lambda m, i: m.y[i, m.box[i]] + m.v[i] <= 1)
    m.budget = pyo.Constraint(rule=lambda m: sum(m.paid[i] for i in m.I) <= m.k)
    m.cost = pyo.Objective(rule=lambda m: sum(m.paid[i] for i in m.I) + m.k, doc="cost [CNY]")
    m.near = pyo.Objective(rule=lambda m: sum(m.price[i] * (m.v[i] - m.low[i]) ** 2 for i in m.I), doc="far [CNY]")
    m.free = pyo.Objective(rule=lambda m: sum(m.w[t] for t in m.YEARS), doc="free [t]")
    return m


def start(**changes: Any) -> dict[str, Any]:
    low, high = np.array([0.0, 1.0, 2.0]), np.array([4.0, 5.0, 6.0])
    return data(low=low, high=high, price=np.array([8.0, 0.5, 2.0]), last=1, **changes)


CHANGES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "the same": {"a": np.array([2.0, 3.0, 5.0])},
    "bounds": {"low": np.array([-1.0, 1.0, 2.5])},
    "limits": {"high": np.array([40.0, 5.0, 7.0])},
    "coefficients": {"a": np.array([2.5, 3.0, -5.0])},
    "coefficients to zero": {"a": np.array([0.0, 3.0, 0.0])},
    "coefficients of a group": {"table": np.array([[0.0, 2.0], [3.0, 0.0], [0.0, 6.0]])},
    "costs": {"price": np.array([0.0, 1.0, 2.0])},
    "all costs to zero": {"price": np.zeros(3)},
    "places": {"box": np.array([0, 0, 1])},
    "scalar": {"k": 9.0},
    "end of a range": {"last": 3},
    "groups": {"IN_BOX": Groups(np.array([0, 1, 3]), np.array([1, 0, 2]))},
    "pairs": {"PAIRS": np.array([[1, 1]])},
    "several": {"a": np.zeros(3), "k": 1.5, "price": np.ones(3), "high": np.array([9.0, 9.0, 9.0])},
    "several with a set": {"a": np.ones(3), "PAIRS": np.zeros((0, 2), dtype=int)},
    "the size": {
        "I": 2,
        **{name: np.array([1.0, 2.0]) for name in ("a", "low", "high", "price")},
        "box": np.array([1, 0]),
        "table": np.array([[1.0, 2.0], [3.0, 4.0]]),
        "PAIRS": np.array([[0, 0]]),
        "IN_BOX": Groups(np.array([0, 1, 2]), np.array([0, 1])),
        "PAIRS_OF": Groups(np.array([0, 1, 1]), np.array([[0, 0]])),
        "NEAR": Groups(np.array([0, 1, 1, 2, 2]), np.array([0, 1])),
    },
}


@pytest.mark.parametrize("change", list(CHANGES.values()), ids=list(CHANGES))
def test_an_updated_model_is_a_fresh_one(change: dict[str, Any]) -> None:
    m, model = market(), CompiledModel(market(), start())
    found = model.update(change)
    assert found is model.program
    assert_same(found, compiled.build_program(m, {**start(), **change}))
    assert_same(found, pyomo_build.build_program(m, {**start(), **change}))


@pytest.mark.parametrize("change", list(CHANGES.values()), ids=list(CHANGES))
def test_a_change_taken_back_leaves_the_first_program(change: dict[str, Any]) -> None:
    model = CompiledModel(market(), start())
    before = model.program
    model.update(change)
    assert_same(model.update({name: start()[name] for name in change}), before)


def test_coefficients_from_zero_come_back() -> None:
    model = CompiledModel(market(), start(a=np.zeros(3)))
    rows = model.program.rows["coefficients"]
    assert model.program.matrix.part(rows).nnz == 3
    assert model.update({"a": np.array([0.0, 2.0, 0.0])}).matrix.part(rows).nnz == 4
    assert_same(model.program, compiled.build_program(market(), start(a=np.array([0.0, 2.0, 0.0]))))


def test_an_earlier_program_stays_as_it_was() -> None:
    model = CompiledModel(market(), start())
    before, again = model.program, compiled.build_program(market(), start())
    for change in CHANGES.values():
        model.update(change)
    assert_same(before, again)


def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that fills with the last word of each template's title as it is evaluated."""
    evaluated: list[str] = []
    over = Evaluator.over

    def counted(self: Any, template: Any) -> Any:
        evaluated.append(template.title.split()[-1])
        return over(self, template)

    monkeypatch.setattr(Evaluator, "over", counted)
    return evaluated


def test_only_what_reads_a_changed_parameter_is_evaluated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    model = CompiledModel(market(), start())
    evaluated = evaluations(monkeypatch)
    for changed, read_by in (
        ({"a": np.ones(3)}, ["coefficients"]),
        ({"price": np.ones(3)}, ["budget", "cost", "near"]),
        ({"low": np.zeros(3)}, ["v", "limits", "near"]),
        ({"table": np.zeros((3, 2))}, ["boxes"]),
        ({"box": np.zeros(3, dtype=int)}, ["looked"]),
        ({"a": np.ones(3), "box": np.ones(3, dtype=int)}, ["coefficients", "looked"]),
        ({}, []),
    ):
        evaluated.clear()
        model.update(changed)
        assert evaluated == read_by


def test_a_renewal_evaluates_an_objective_once_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    model = CompiledModel(market(), start())
    evaluated = evaluations(monkeypatch)
    program = model.renew(start() | {"price": np.ones(3)})
    assert program is not None
    assert evaluated == ["budget"]
    assert [program.objectives[name].unit for name in ("cost", "near", "cost")] == ["CNY"] * 3
    assert evaluated == ["budget", "cost", "near"]
    assert_same(program, compiled.build_program(market(), start() | {"price": np.ones(3)}))


def test_a_rule_is_not_called_again_for_a_change_of_numbers() -> None:
    calls: list[str] = []
    m = plant()

    @m.Constraint(m.I)
    def row(m, i):
        calls.append("row")
        return m.a[i] * m.x[i] <= m.k

    model = CompiledModel(m, data())
    model.update({"a": np.zeros(3)})
    model.update({"k": 1.0})
    assert calls == ["row"]


@pytest.mark.everyday("{'box': array([0, 1, 7])}")
@pytest.mark.parametrize(
    "wrong",
    [
        {"a": np.zeros(2)},
        {"a": np.array(["x", "y", "z"])},
        {"last": -1},
        {"last": 1.5},
        {"box": np.array([0, 1, 7])},
        {"box": np.array([0, 1, 0.5])},
        {"k": np.zeros(2)},
        {"unknown": 1.0},
        {"x": 1.0},
        {"I": 4},
        {"IN_BOX": Groups(np.array([0, 1]), np.array([0]))},
        {"IN_BOX": Groups(np.array([0, 1, 2]), np.array([0, 9]))},
        {"PAIRS": 3},
        {"a": np.zeros(3), "box": np.array([0, 1, 7])},
    ],
    ids=str,
)
def test_an_update_that_fails_leaves_the_model_unchanged_and_usable(wrong: dict[str, Any]) -> None:
    model = CompiledModel(market(), start())
    before = model.program
    with pytest.raises(ModelError):
        model.update(wrong)
    assert model.program is before
    assert_same(before, compiled.build_program(market(), start()))
    assert_same(model.update({"k": 3.0}), compiled.build_program(market(), start(k=3.0)))
    assert_same(
        model.update(CHANGES["groups"]), compiled.build_program(market(), {**start(k=3.0), **CHANGES["groups"]})
    )


def test_the_model_itself_is_not_touched() -> None:
    m = market()
    first = compiled.build_program(m, start())
    second = CompiledModel(m, start())
    second.update(CHANGES["the size"])
    assert not any(component.is_constructed() for component in m.component_objects(pyo.Var))
    assert_same(first, pyomo_build.build_program(m, start()))
    assert_same(first, compiled.build_program(m, start()))


def numbers(*shape: int) -> Any:
    size = int(np.prod(shape))
    values = st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.0, 1.0, 3.0]), min_size=size, max_size=size)
    return values.map(lambda drawn: np.array(drawn).reshape(shape))


ONE_CHANGE = st.fixed_dictionaries(
    {},
    optional={
        **{name: numbers(3) for name in ("a", "low", "high", "price")},
        "table": numbers(3, 2),
        "k": st.sampled_from([-1.0, 0.0, 2.0]),
        "box": st.lists(st.integers(0, 1), min_size=3, max_size=3).map(np.array),
        "last": st.integers(0, 3),
        "IN_BOX": st.lists(st.integers(0, 1), min_size=3, max_size=3).map(
            lambda labels: Groups.from_labels(np.array(labels), 2)
        ),
        "PAIRS": st.sampled_from([np.array([[0, 0]]), np.array([[2, 1], [1, 0]])]),
    },
)


@pytest.mark.nightly
@settings(max_examples=60)
@given(changes=st.lists(ONE_CHANGE, min_size=1, max_size=5))
def test_any_sequence_of_changes_leaves_nothing_stale(changes: list[dict[str, Any]]) -> None:
    m, model, now = market(), CompiledModel(market(), start()), start()
    for change in changes:
        now |= change
        model.update(change)
        assert_same(model.program, compiled.build_program(m, now))


def test_templates_take_data_of_any_size_and_call_no_rule_again() -> None:
    calls = []

    def counted(m: Any, i: Any) -> Any:
        calls.append(i)
        return m.x[i] >= m.a[i]

    m = pyo.AbstractModel("counted")
    m.THINGS = pyo.Set()
    m.a = pyo.Param(m.THINGS)
    m.x = pyo.Var(m.THINGS)
    m.least = pyo.Constraint(m.THINGS, rule=counted)
    m.cost = pyo.Objective(rule=lambda m: sum(m.x[i] for i in m.THINGS))
    templates = Templates(m)
    for size in (3, 0, 5):
        numbers = {"THINGS": size, "a": np.arange(size) + 1.5}
        assert_same(templates.build_program(numbers), compiled.build_program(m, numbers))
        # The three that do not share templates call it once each.
    assert len(calls) == 1 + 3


def test_templates_of_a_range_that_depends_on_a_number_are_created_again() -> None:
    m = pyo.AbstractModel("ranged")
    m.n = pyo.Param()
    m.STEPS = pyo.RangeSet(m.n)
    m.x = pyo.Var(m.STEPS, bounds=(0, 1))
    m.enough = pyo.Constraint(rule=lambda m: sum(m.x[i] for i in m.STEPS) >= 1)
    m.cost = pyo.Objective(rule=lambda m: sum(m.x[i] for i in m.STEPS))
    templates = Templates(m)
    for size in (3, 2, 5):
        assert templates.build_program({"n": size}).matrix.shape == (1, size)


@pytest.mark.parametrize("name", CHANGES)
def test_templates_on_other_data_are_a_fresh_model(name: str) -> None:
    templates, other = Templates(market()), start() | CHANGES[name]
    templates.build_program(start())
    assert_same(templates.build_program(other), compiled.build_program(market(), other))


def test_templates_hold_new_data_to_the_model() -> None:
    templates = Templates(market())
    templates.build_program(start())
    with pytest.raises(ModelError, match="no data for"):
        templates.build_program({})
