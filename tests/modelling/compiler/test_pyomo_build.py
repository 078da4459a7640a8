"""The Pyomo build of a program, on small models as a user would write them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
import pytest

from etsopt.common.errors import ModelError
from etsopt.data.groups import Groups
from etsopt.modelling.compiler.compiled import Templates
from etsopt.modelling.compiler.pyomo_build import build_program, written
from etsopt.modelling.solving import highs
from etsopt.modelling.solving.options import SolveOptions

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.solution import Outcome

DATA: dict[str, Any] = {"ITEMS": 3, "weight": np.array([2.0, 3.0, 5.0]), "most": 7.0}


def bare() -> pyo.AbstractModel:
    """Items with a weight, and a limit; what a test is about comes on top."""
    m = pyo.AbstractModel("knapsack")
    m.ITEMS = pyo.Set()
    m.weight, m.most = pyo.Param(m.ITEMS), pyo.Param()
    m.take = pyo.Var(m.ITEMS, bounds=(0, 1), doc="share [1]")
    return m


def built(m: pyo.AbstractModel, data: dict[str, Any] | None = None) -> Program:
    return build_program(m, DATA if data is None else data)


def with_worth(m: pyo.AbstractModel, sense: Any = pyo.minimize) -> pyo.AbstractModel:
    @m.Objective(sense=sense, doc="what is taken [kg]")
    def worth(m):
        return sum(m.weight[i] * m.take[i] for i in m.ITEMS)

    return m


def solved(program: Program, name: str) -> Outcome:
    return highs.solve(program, name, SolveOptions(gap=0.0))


def test_a_ranged_row_stays_one_row_with_two_limits() -> None:
    m = bare()

    @m.Constraint(doc="between two weights [kg]")
    def between(m):
        return (1.0, sum(m.weight[i] * m.take[i] for i in m.ITEMS), m.most)

    program = built(with_worth(m))
    assert program.rows == {"between": slice(0, 1)}
    assert (program.row_lower.tolist(), program.row_upper.tolist()) == ([1.0], [7.0])
    assert program.matrix.toarray().tolist() == [[2.0, 3.0, 5.0]]


def test_an_equality_has_equal_limits_and_a_constant_of_a_row_moves_into_them() -> None:
    m = bare()

    @m.Constraint(m.ITEMS, doc="a share and a half [1]")
    def half(m, i):
        return 2 * m.take[i] + 1 == m.weight[i] + 0.5 - m.take[i]

    program = built(with_worth(m))
    assert program.matrix.toarray().tolist() == [[3.0, 0, 0], [0, 3.0, 0], [0, 0, 3.0]]
    assert program.row_lower.tolist() == program.row_upper.tolist() == [1.5, 2.5, 4.5]


def test_a_side_without_a_limit_is_infinite_and_so_is_a_variable_without_bounds() -> None:
    m = bare()
    m.free = pyo.Var(doc="anything [1]")
    m.enough = pyo.Constraint(rule=lambda m: m.free + m.take[0] >= 1)
    program = built(with_worth(m))
    assert program.row_upper.tolist() == [math.inf]
    assert (program.column_lower[-1], program.column_upper[-1]) == (-math.inf, math.inf)
    assert program.columns == {"take": slice(0, 3), "free": slice(3, 4)}


def test_an_objective_keeps_its_constant_and_unit() -> None:
    m = bare()
    m.limit = pyo.Constraint(rule=lambda m: sum(m.weight[i] * m.take[i] for i in m.ITEMS) <= m.most)

    @m.Objective(doc="worth, the less the better [CNY]")
    def worth(m):
        return -10 - sum((i + 1) * m.take[i] for i in m.ITEMS)

    program = built(m)
    objective = program.objectives["worth"]
    assert (objective.linear.tolist(), objective.constant, objective.unit) == ([-1.0, -2.0, -3.0], -10.0, "CNY")
    # Items 2 and 3 are worth most for their weight: 2/3 and 3/5 against 1/2.
    outcome = solved(program, "worth")
    assert outcome.x == pytest.approx([0.0, 1.0, 0.8])
    assert outcome.bound == pytest.approx(-14.4)


def test_binaries_and_whole_numbers_are_marked_and_solved_as_such() -> None:
    m = bare()
    m.pick = pyo.Var(m.ITEMS, within=pyo.Binary, doc="taken or not [1]")
    m.count = pyo.Var(within=pyo.NonNegativeIntegers, bounds=(0, 9), doc="how many [1]")
    m.limit = pyo.Constraint(rule=lambda m: sum(m.weight[i] * m.pick[i] for i in m.ITEMS) + m.count <= 6)
    m.best = pyo.Objective(rule=lambda m: -sum(2 * (i + 1) * m.pick[i] for i in m.ITEMS) - m.count, doc="worth [CNY]")
    program = built(m)
    assert program.integer.tolist() == [False] * 3 + [True] * 4
    assert program.column_upper[3:].tolist() == [1.0, 1.0, 1.0, 9.0]
    # {2, 3 kg} and one of the rest are worth 2 + 4 + 1 = 7, {5 kg} and one are worth 6 + 1 = 7; nothing is worth more.
    outcome = solved(program, "best")
    assert outcome.bound == pytest.approx(-7.0)


def test_squares_of_single_variables_make_a_diagonal() -> None:
    m = bare()
    m.near = pyo.Objective(rule=lambda m: sum(m.weight[i] * (m.take[i] - 0.5) ** 2 for i in m.ITEMS), doc="off [kg]")
    objective = built(m).objectives["near"]
    assert objective.quadratic is not None
    assert objective.quadratic.tolist() == [2.0, 3.0, 5.0]
    assert objective.linear.tolist() == [-2.0, -3.0, -5.0]
    assert objective.value(np.array([0.5, 0.5, 0.5])) == pytest.approx(0.0)
    assert objective.value(np.array([1.0, 0.5, 0.5])) == pytest.approx(0.5)


def test_groups_fill_an_indexed_set_and_a_table_a_parameter_of_two_indices() -> None:
    m = bare()
    m.BOXES = pyo.Set()
    m.ITEMS_IN_BOX = pyo.Set(m.BOXES, within=m.ITEMS)
    m.cost = pyo.Param(m.BOXES, m.ITEMS)
    m.room = pyo.Constraint(m.BOXES, rule=lambda m, b: sum(m.cost[b, i] * m.take[i] for i in m.ITEMS_IN_BOX[b]) <= 1)
    groups = Groups.from_labels(np.array([1, 0, 1]), 2)
    cost = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    program = built(with_worth(m), {**DATA, "BOXES": 2, "ITEMS_IN_BOX": groups, "cost": cost})
    assert program.matrix.toarray().tolist() == [[0.0, 2.0, 0.0], [4.0, 0.0, 6.0]]


def test_several_objectives_stand_in_one_program() -> None:
    m = with_worth(bare())
    m.spare = pyo.Objective(rule=lambda m: m.take[0], doc="first [1]")
    assert list(built(m).objectives) == ["worth", "spare"]


def test_a_variable_that_stands_twice_in_a_row_is_added_up() -> None:
    m = bare()
    m.row = pyo.Constraint(rule=lambda m: m.take[0] + 2 * m.take[0] + m.take[1] - m.take[1] <= 1)
    assert built(with_worth(m)).matrix.toarray().tolist() == [[3.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"most": None}, "The model 'knapsack' has no data for most."),
        ({"most": None, "weight": None}, "The model 'knapsack' has no data for most, weight."),
        ({"price": 1.0}, "The model 'knapsack' has data for price, which it does not declare."),
        ({"most": None, "price": 1.0}, "has no data for most and data for price, which it does not declare."),
        ({"ITEMS": None}, "The model 'knapsack' has no data for ITEMS."),
    ],
    ids=str,
)
def test_data_that_is_missing_or_unknown_is_named(change: dict[str, Any], message: str) -> None:
    data = {name: value for name, value in {**DATA, **change}.items() if value is not None}
    with pytest.raises(ModelError, match=message) as caught:
        built(with_worth(bare()), data)
    assert caught.value.advice == "Make `parameters` return one entry for each Set and Param of `formulate`."


def test_a_row_that_is_not_linear_is_named() -> None:
    for rule in (
        lambda m: m.take[0] * m.take[1] <= 1,
        lambda m: pyo.exp(m.take[0]) <= 1,
        lambda m: m.take[0] ** 2 <= 1,
    ):
        m = bare()
        m.curved = pyo.Constraint(rule=rule)
        with pytest.raises(ModelError, match="The constraint curved is not linear"):
            built(with_worth(m))


def test_an_objective_that_no_solver_here_takes_is_named() -> None:
    for rule in (lambda m: m.take[0] * m.take[1], lambda m: pyo.log(1 + m.take[0])):
        m = bare()
        m.curved = pyo.Objective(rule=rule)
        with pytest.raises(ModelError, match="The objective curved has terms that the solver does not support"):
            built(m)


def test_an_objective_to_maximise_is_refused_since_its_value_would_be_told_with_the_other_sign() -> None:
    with pytest.raises(ModelError) as caught:
        built(with_worth(bare(), pyo.maximize))
    assert str(caught.value) == (
        "The objective worth has the wrong sense: expected minimise, got maximise.\n\n"
        "Minimise its negative; values and bounds are then those of the negative."
    )


def test_a_rule_that_fails_without_a_word_and_data_of_a_wrong_kind_are_model_errors() -> None:
    def fails(m: Any) -> Any:
        raise AssertionError

    m = with_worth(bare())
    m.silent = pyo.Constraint(rule=fails)
    with pytest.raises(ModelError, match="The model 'knapsack' cannot be created on its data: AssertionError"):
        built(m)
    with pytest.raises(ModelError, match=r"The model 'knapsack' cannot be created on its data: .*tolist"):
        built(with_worth(bare()), {**DATA, "ITEMS": "three"})


def test_what_is_no_abstract_model_is_named() -> None:
    for wrong, name in ((None, "NoneType"), (pyo.ConcreteModel(), "ConcreteModel")):
        with pytest.raises(ModelError, match=f"formulate returned a wrong type: expected an AbstractModel, got {name}"):
            build_program(wrong, DATA)


def test_data_that_does_not_fit_its_set_is_a_model_error() -> None:
    for weight in (np.array([2.0, 3.0]), np.array([2.0, 3.0, 5.0, 7.0])):
        with pytest.raises(ModelError, match=r"The model 'knapsack' cannot be created on its data: .*weight"):
            built(with_worth(bare()), {**DATA, "weight": weight})


def test_a_limit_that_is_no_number_is_told_with_its_row_and_parameter() -> None:
    # Pyomo takes a range with a side of NaN for a row that is False.
    m = with_worth(bare())
    m.limit = pyo.Constraint(rule=lambda m: (1.0, sum(m.weight[i] * m.take[i] for i in m.ITEMS), m.most))
    with pytest.raises(ModelError, match=r"cannot be created on its data: .*'limit'") as caught:
        built(m, DATA | {"most": math.nan})
    assert caught.value.advice == "Give a number for each index of most, in which `parameters` returns NaN."


def _sos(m: pyo.AbstractModel) -> None:
    m.one = pyo.SOSConstraint(var=m.take, sos=1)


def _switched(m: pyo.AbstractModel) -> None:
    m.yes = pyo.BooleanVar()


@pytest.mark.parametrize(("add", "kind"), [(_sos, "SOSConstraint"), (_switched, "BooleanVar")])
def test_a_component_of_which_no_row_is_read_is_refused(add: Any, kind: str) -> None:
    m = with_worth(bare())
    add(m)
    with pytest.raises(ModelError, match=f"is a {kind}, of which no row is read"):
        built(m)


@pytest.mark.parametrize("members", [[0, 2, 5], [0, 0.5, 1.5], None])
def test_a_domain_with_gaps_other_than_those_of_whole_numbers_is_refused(members: list[float] | None) -> None:
    m = with_worth(bare())
    domain = pyo.RangeSet(0.5, 3.5) if members is None else pyo.Set(initialize=members)
    m.left = pyo.Var(domain=domain)
    with pytest.raises(ModelError, match="which is not an interval"):
        built(m)


def test_a_row_that_is_switched_off_is_none() -> None:
    m = with_worth(bare())
    m.least = pyo.Constraint(m.ITEMS, rule=lambda m, i: m.take[i] >= 0.1 * i)
    m.off = pyo.BuildAction(rule=lambda m: m.least[1].deactivate())
    program = built(m)
    assert program.rows["least"] == slice(0, 2)
    assert program.row_lower.tolist() == [0.0, 0.2]


def test_a_fixed_variable_has_its_value_and_no_other() -> None:
    m = with_worth(bare())
    m.fixed = pyo.BuildAction(rule=lambda m: m.take[1].fix(0.25))
    program = built(m)
    assert (program.column_lower.tolist(), program.column_upper.tolist()) == ([0, 0.25, 0], [1, 0.25, 1])
    assert program.objectives["worth"].constant == 0.75
    # A number of the file's is taken as it is.
    m.half = pyo.Var(domain=pyo.Binary)
    m.fixed_too = pyo.BuildAction(rule=lambda m: m.half.fix(0.5))
    assert built(m).integer.tolist() == [False] * 4


def test_objectives_of_blocks_have_the_names_of_their_blocks() -> None:
    m = bare()
    m.one = pyo.Block(rule=lambda b: b.add_component("worth", pyo.Objective(expr=-b.model().take[0])))
    m.other = pyo.Block(rule=lambda b: b.add_component("worth", pyo.Objective(expr=b.model().take[1])))
    assert [*built(m).objectives] == ["one.worth", "other.worth"]


def test_what_rounding_leaves_of_a_sum_is_no_coefficient_and_no_limit() -> None:
    m = bare()
    m.tenth = pyo.Param(m.ITEMS)
    m.all = pyo.Constraint(rule=lambda m: sum(m.tenth[i] * m.take[0] for i in m.ITEMS) - m.take[0] >= 0)
    m.same = pyo.Constraint(rule=lambda m: m.take[1] + sum(m.tenth[i] for i in m.ITEMS) >= m.most)
    m.product = pyo.Constraint(rule=lambda m: 2 * (m.take[2] - (m.take[2] + m.take[1]) / 3) - m.take[2] * (4 / 3) >= 0)
    assert 0.3 + 0.6 + 0.1 - 1 != 0
    program = built(with_worth(m), {**DATA, "tenth": np.array([0.3, 0.6, 0.1]), "most": 1.0})
    assert program.matrix.toarray().tolist() == [[0, 0, 0], [0, 1, 0], [0, -2 / 3, 0]]
    assert program.row_lower.tolist() == [0, 0, 0]
    # What is tiny by itself is one.
    tiny = built(with_worth(m), {**DATA, "tenth": np.array([1.0, 1e-14, 0.0]), "most": 1.0})
    assert tiny.matrix.toarray()[0].tolist() == [pytest.approx(1e-14, rel=0.01), 0, 0]


def test_the_difference_of_two_large_numbers_is_a_limit() -> None:
    m = bare()
    m.less = pyo.Param()
    m.rest = pyo.Constraint(rule=lambda m: m.take[1] + m.less >= m.most)
    data = {**DATA, "less": 1e15, "most": 1e15 + 7}
    assert built(with_worth(m), data).row_lower.tolist() == [7.0]
    assert Templates(with_worth(m)).compile(data).program.row_lower.tolist() == [7.0]


def test_blocks_over_a_set_have_rows_once_it_has_members() -> None:
    m = with_worth(bare())

    def least(b: Any, i: int) -> None:
        b.least = pyo.Constraint(expr=b.model().take[i] >= 0.1 * i)

    m.each = pyo.Block(m.ITEMS, rule=least)
    m.inner = pyo.Block()
    m.inner.each = pyo.Block(m.ITEMS, rule=least)
    assert [one.name for one in written(m) if one.ctype is pyo.Block] == ["each", "inner", "inner.each"]
    assert built(m).row_lower.tolist() == 2 * [0.0, 0.1, 0.2]


def test_a_reference_and_a_variable_of_a_block_that_is_switched_off_are_refused() -> None:
    m = with_worth(bare())
    m.again = pyo.BuildAction(rule=lambda m: m.add_component("part", pyo.Reference(m.take[:])))
    with pytest.raises(ModelError, match="part is a Reference, of which no row is read"):
        built(m)
    m = with_worth(bare())
    m.b = pyo.Block(rule=lambda b: b.add_component("x", pyo.Var(bounds=(1, 5))))
    m.row = pyo.Constraint(rule=lambda m: m.b.x + m.take[0] >= 2)
    m.off = pyo.BuildAction(rule=lambda m: m.b.deactivate())
    with pytest.raises(ModelError, match=r"The variable b\.x stands in a row and in a block that is switched off"):
        built(m)


def test_an_empty_domain_is_refused() -> None:
    m = with_worth(bare())
    m.left = pyo.Var(domain=pyo.RangeSet(0))
    with pytest.raises(ModelError, match="which is not an interval"):
        built(m)
