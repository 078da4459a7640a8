"""A loaded program that takes other numbers equals a freshly loaded one, and nothing stale survives in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etsopt.common.errors import SolverError
from etsopt.common.progress import watched
from etsopt.data.groups import Groups
from etsopt.modelling.compiler.compiled import CompiledModel
from etsopt.modelling.solving import highs
from etsopt.modelling.solving.highs import Loaded
from etsopt.modelling.solving.options import SolveOptions
from etsopt.modelling.solving.solution import Termination

if TYPE_CHECKING:
    from etsopt.modelling.program.program import Program

FIRMS, SECTORS = 6, 2


def abating() -> pyo.AbstractModel:
    """Firms with a cost of abating, and sectors with a cap: bounds, limits, costs and coefficients are data."""
    m = pyo.AbstractModel("abating")
    m.FIRMS, m.SECTORS = pyo.Set(), pyo.Set()
    m.FIRMS_IN_SECTOR = pyo.Set(m.SECTORS)
    m.cost, m.most, m.weight, m.need = pyo.Param(m.FIRMS), pyo.Param(m.FIRMS), pyo.Param(m.FIRMS), pyo.Param(m.SECTORS)
    m.fee = pyo.Param()
    m.cut = pyo.Var(m.FIRMS, bounds=lambda m, i: (0, m.most[i]))
    m.missing = pyo.Var(m.SECTORS, bounds=(0, 1000))

    @m.Constraint(m.SECTORS, doc="enough is cut [t]")
    def enough(m, s):
        return sum(m.weight[i] * m.cut[i] for i in m.FIRMS_IN_SECTOR[s]) + m.missing[s] >= m.need[s]

    @m.Objective(doc="cost [CNY]")
    def spent(m):
        return sum(m.cost[i] * m.cut[i] for i in m.FIRMS) + m.fee * sum(m.missing[s] for s in m.SECTORS) + m.fee

    return m


def data(random: np.random.Generator) -> dict[str, Any]:
    return {
        "FIRMS": FIRMS,
        "SECTORS": SECTORS,
        "FIRMS_IN_SECTOR": Groups.from_labels(np.arange(FIRMS) % SECTORS, SECTORS),
        "cost": random.integers(1, 9, FIRMS).astype(float),
        # A firm that cannot cut is a fixed column, and a weight of zero no coefficient at all.
        "most": random.integers(0, 5, FIRMS).astype(float),
        "weight": random.integers(0, 4, FIRMS) / 2.0,
        "need": random.integers(1, 9, SECTORS).astype(float),
        "fee": float(random.integers(5, 50)),
    }


def held(loaded: Loaded) -> tuple[Any, ...]:
    """Everything that the solver holds, as plain numbers."""
    lp = loaded._highs.getLp()
    matrix = lp.a_matrix_
    outer = np.repeat(np.arange(len(matrix.start_) - 1), np.diff(matrix.start_))
    by_row = matrix.format_ == highspy.MatrixFormat.kRowwise
    rows, columns = (outer, matrix.index_) if by_row else (matrix.index_, outer)
    entries = sorted(zip(rows, columns, matrix.value_, strict=True))
    parts = (lp.col_cost_, lp.col_lower_, lp.col_upper_, lp.row_lower_, lp.row_upper_)
    return (lp.offset_, *(list(map(float, part)) for part in parts), [tuple(map(float, entry)) for entry in entries])


def unscaled(loaded: Loaded) -> tuple[Any, ...]:
    """The same in the program's own units, whatever factors it is scaled with; a coefficient of zero is none."""
    offset, cost, lower, upper, least, most, entries = held(loaded)
    scaled = loaded._scaled
    return (
        offset / scaled.objective,
        *(
            np.array(part) * by
            for part, by in (
                (cost, 1 / scaled.column / scaled.objective),
                (lower, scaled.column),
                (upper, scaled.column),
            )
        ),
        *(np.array(part) / scaled.row for part in (least, most)),
        [(r, c, v / scaled.row[int(r)] / scaled.column[int(c)]) for r, c, v in entries if v != 0],
    )


@pytest.mark.nightly
@settings(max_examples=60)
@given(
    st.integers(0, 10_000),
    st.lists(st.sets(st.sampled_from(["cost", "most", "weight", "need", "fee"]), min_size=1), min_size=1, max_size=5),
)
def test_after_any_changes_the_solver_holds_what_a_fresh_one_holds(seed: int, steps: list[set[str]]) -> None:
    random = np.random.default_rng(seed)
    compiled = CompiledModel(abating(), data(random))
    loaded = Loaded(compiled.program, "spent", SolveOptions())
    loaded.solve()
    for names in steps:
        fresh = data(random)
        loaded.change(compiled.update({name: fresh[name] for name in sorted(names)}))
        anew = Loaded(compiled.program, "spent", SolveOptions())
        for one, other in zip(unscaled(loaded), unscaled(anew), strict=True):
            assert np.array_equal(np.array(one), np.array(other))
        warm, cold = loaded.solve(), anew.solve()
        assert warm.termination is cold.termination is Termination.OPTIMAL
        assert warm.x is not None
        assert warm.bound == pytest.approx(cold.bound, rel=1e-12)
        assert compiled.program.objectives["spent"].value(warm.x) == pytest.approx(cold.bound, rel=1e-12)


OF_NUMBERS = ("mip_rel_gap", "mip_abs_gap", "solver")
"""Options of the solver that depend on the numbers of a program."""


def options_of(loaded: Loaded, *names: str) -> list[Any]:
    return [loaded._highs.getOptionValue(name)[1] for name in names]


def choosing() -> pyo.AbstractModel:
    """Whole numbers of things at a cost each, and a fee for what is missing, which is no whole number."""
    m = pyo.AbstractModel("choosing")
    m.THINGS = pyo.Set()
    m.cost, m.fee, m.need = pyo.Param(m.THINGS), pyo.Param(), pyo.Param()
    m.taken = pyo.Var(m.THINGS, domain=pyo.Integers, bounds=(0, 3))
    m.missing = pyo.Var(bounds=(0, 3))

    @m.Constraint(doc="enough is taken [t]")
    def enough(m):
        return sum(m.taken[i] for i in m.THINGS) + m.missing >= m.need

    @m.Objective(doc="cost [CNY]")
    def spent(m):
        return sum(m.cost[i] * m.taken[i] for i in m.THINGS) + m.fee * m.missing

    return m


def test_a_loaded_program_has_gaps_of_present_costs() -> None:
    start = {"THINGS": 2, "cost": np.array([1.0, 2.0]), "fee": 3.0, "need": 2.5}
    for change in (
        # Without a fee only whole numbers are counted, and a gap could be one of them.
        {"fee": 0.0},
        # Costs that are scaled by other factors, passed and loaded again.
        {"cost": np.array([17.0, 33.0]), "fee": 40.0},
        {"cost": np.array([1e6, 2e6]), "fee": 3e6},
    ):
        compiled = CompiledModel(choosing(), start)
        loaded = Loaded(compiled.program, "spent", SolveOptions())
        loaded.solve()
        loaded.change(compiled.update(change))
        anew = Loaded(compiled.program, "spent", SolveOptions())
        relative, absolute, _ = options_of(loaded, *OF_NUMBERS)
        assert relative == options_of(anew, "mip_rel_gap")[0]
        # The absolute one is in scaled units, each with its own factor.
        assert absolute / loaded._scaled.objective == options_of(anew, "mip_abs_gap")[0] / anew._scaled.objective
        assert loaded.solve().bound == pytest.approx(anew.solve().bound, rel=1e-12)


def test_the_options_of_the_caller_stay_after_a_change() -> None:
    chosen: dict[str, Any] = {"mip_rel_gap": 0.25, "mip_abs_gap": 7.0, "solver": "simplex"}
    compiled = CompiledModel(choosing(), {"THINGS": 2, "cost": np.array([1.0, 2.0]), "fee": 3.0, "need": 2.5})
    loaded = Loaded(compiled.program, "spent", SolveOptions(solver_options=chosen))
    loaded.solve()
    loaded.change(compiled.update({"cost": np.array([1e6, 2e6]), "fee": 0.0}))
    assert options_of(loaded, *OF_NUMBERS) == [0.25, 7.0, "simplex"]


def test_only_what_begins_at_a_basis_is_left_to_simplex(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etsopt.modelling.solving.options.LARGE_COLUMNS", 1)
    start = data(np.random.default_rng(1)) | {"most": np.full(FIRMS, 3.0), "weight": np.full(FIRMS, 1.0)}
    compiled = CompiledModel(abating(), start)
    loaded = Loaded(compiled.program, "spent", SolveOptions())
    assert options_of(loaded, "solver") == ["ipm"]
    loaded.solve()
    loaded.change(compiled.update({"need": np.array([2.0, 3.0])}))
    assert options_of(loaded, "solver") == ["choose"]
    # A thousand times the tonnes are loaded again, without a basis.
    loaded.change(compiled.update({"most": np.full(FIRMS, 3000.0), "need": np.array([2000.0, 3000.0])}))
    assert options_of(loaded, "solver") == ["ipm"]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the calls that load a program or pass changes, as they are made."""
    calls: list[str] = []

    def counting(name: str) -> Any:
        own = getattr(highs, name)

        def call(*arguments: Any) -> Any:
            calls.append(name)
            return own(*arguments)

        return call

    for name in ("load", "_pass_changes"):
        monkeypatch.setattr(highs, name, counting(name))
    return calls


def test_numbers_alone_are_passed_and_other_places_are_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch)
    start = data(np.random.default_rng(1)) | {"most": np.full(FIRMS, 3.0), "weight": np.full(FIRMS, 1.0)}
    compiled = CompiledModel(abating(), start)
    loaded = Loaded(compiled.program, "spent", SolveOptions())
    loaded.solve()
    for name, change in (
        ("need", np.array([2.0, 3.0])),
        ("weight", np.full(FIRMS, 1.5)),
        ("most", np.full(FIRMS, 2.5)),
    ):
        loaded.change(compiled.update({name: change}))
    assert calls == ["load", "_pass_changes", "_pass_changes", "_pass_changes"]
    loaded.change(compiled.update({"weight": np.array([1.0, 0, 1, 1, 1, 1])}))
    assert calls[-1] == "load"
    # A thousand times the tonnes would stand in numbers far from one.
    loaded.change(compiled.update({"most": np.full(FIRMS, 3000.0), "need": np.array([2000.0, 3000.0])}))
    assert calls[-2:] == ["load", "load"]


def test_a_change_that_the_gate_refuses_leaves_the_program_as_it_was() -> None:
    compiled = CompiledModel(abating(), data(np.random.default_rng(2)))
    loaded = Loaded(compiled.program, "spent", SolveOptions())
    before = loaded.solve()
    broken = compiled.program.column_upper.copy()
    broken[0] = np.nan
    with pytest.raises(SolverError, match=r"The variable cut\[0\] has bounds"):
        loaded.change(replace(compiled.program, column_upper=broken))
    after = loaded.solve()
    assert after.bound == before.bound


def test_each_run_has_its_own_time() -> None:
    compiled = CompiledModel(abating(), data(np.random.default_rng(3)))
    loaded = Loaded(compiled.program, "spent", SolveOptions())
    for _ in range(5):
        with watched(0.05):
            assert loaded.solve().termination is Termination.OPTIMAL


def test_a_program_of_another_shape_is_loaded_again() -> None:
    compiled = CompiledModel(abating(), data(np.random.default_rng(4)))
    loaded = Loaded(compiled.program, "spent", SolveOptions())
    loaded.solve()
    fewer: Program = compiled.update(
        {
            "FIRMS": 2,
            **{name: np.ones(2) for name in ("cost", "most", "weight")},
            "FIRMS_IN_SECTOR": Groups.from_labels(np.arange(2), 2),
        }
    )
    loaded.change(fewer)
    assert loaded.solve().bound == pytest.approx(highs.solve(fewer, "spent", SolveOptions()).bound)
