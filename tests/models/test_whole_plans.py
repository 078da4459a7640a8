"""Markets of whole plans: the least cost, its proof by leaves, who would rather have another plan, and every price."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.market.leaves import Leaf, cover
from etsopt.checking.market.restricted import Branching
from etsopt.modelling.solving.options import SolveOptions
from etsopt.running import library, model_inputs, solve_model
from etsopt.running.compiling import compiled_program
from etsopt_models import clearing
from etsopt_models._columns.master import Branch, Master
from etsopt_models._columns.tree import Leaf as Found
from etsopt_models._columns.tree import merge_leaves
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._market.plans import Plans
from tests.markets import known, market, random_market, some_market, two_enterprises

if TYPE_CHECKING:
    from collections.abc import Callable

CLEARING: Any = library.load("clearing")


def big_and_small() -> etsopt.Instance:
    """100 kt lack. `u0` can abate 600 kt at 50 CNY/t, `u1` 100 kt at 60 CNY/t and as much again at 900."""
    measures = [
        {"measure_id": "m", "unit_id": "u0", "abatement_rate": 0.6, "fixed_opex_cny_per_t": 30.0},
        {"measure_id": "m1", "unit_id": "u1", "abatement_rate": 0.1, "fixed_opex_cny_per_t": 6.0},
        {"measure_id": "m2", "unit_id": "u1", "abatement_rate": 0.1, "fixed_opex_cny_per_t": 90.0},
    ]
    return market({"emissions_tco2e": [1e6, 1e6], "reference_t": [0.95e6, 0.95e6]}, measures)


def short(seed: int) -> etsopt.Instance:
    """A random market in which nobody may owe, so that some choices leave it short of allowances."""
    drawn, random = random_market(seed, 1 + seed % 3), np.random.default_rng(seed)
    policy: dict[str, Any] = drawn.policy.model_dump(mode="json", exclude_none=True)
    share = float(random.choice([0.0, 0.02, 0.05, 0.1]))
    policy["penalty"] = {}
    policy["market"]["external_demand_t"] = round(share * float(drawn.emissions_tco2e.sum()))
    policy["market"]["transaction_cost_cny_per_t"] = float(random.choice([0.0, 0.0, 2.0]))
    return etsopt.Instance.from_frames(drawn.units, policy, measures=drawn.measures)


def test_a_plan_that_the_relaxation_never_takes_is_the_best() -> None:
    # The relaxation takes a sixth of the measure of u0, at 50 CNY/t. Whole, that is 30 million; m1 is 6 million.
    result = etsopt.solve(big_and_small(), "clearing")
    assert result.status == "certified_optimal"
    assert result.levels[-1].value == pytest.approx(6e6, abs=1.0)
    assert result.tables["plans"][["unit_id", "measure_id"]].to_numpy().tolist() == [["u1", "m1"]]
    # At 50 CNY/t u1 pays 6 million for what 5 million buy.
    assert result.prices["price"].item() == pytest.approx(50.0)
    assert result.tables["uplift"].to_dict("records") == [{"unit_id": "u1", "uplift_cny": pytest.approx(1e6)}]


@pytest.mark.parametrize("seed", range(48))
def test_the_cost_is_that_of_a_program_over_all_plans(seed: int) -> None:
    instance = some_market(seed).with_policy({"abatement.divisible_measures": False})
    result = etsopt.solve(instance, "clearing", gap=1e-6)
    best = known(instance, result)
    if result.termination == "infeasible":
        assert result.certified
        assert result.infeasible_by_t == pytest.approx(best.unmet_t, rel=1e-6, abs=0.1)
        return
    assert result.certified
    assert result.levels[-1].value == pytest.approx(best.cost, rel=2e-6, abs=1.0)


@pytest.mark.parametrize("seed", range(24))
def test_markets_in_which_some_choices_cannot_clear_are_proven(seed: int) -> None:
    result = etsopt.solve(short(seed), "clearing", gap=1e-6)
    assert result.violations == ()
    assert result.certified


def leaves_of(seed: int) -> tuple[etsopt.Instance, etsopt.Results, pd.DataFrame]:
    instance = short(seed)
    result = etsopt.solve(instance, "clearing", gap=1e-6)
    assert result.certified
    return instance, result, result.tables["leaves"]


def without_the_last_leaf(leaves: pd.DataFrame) -> pd.DataFrame:
    return leaves[leaves["leaf"] < leaves["leaf"].max()]


def with_a_wider_leaf(leaves: pd.DataFrame) -> pd.DataFrame:
    """The last leaf holds one thing less."""
    return leaves.iloc[:-1]


def turned_round(leaves: pd.DataFrame) -> pd.DataFrame:
    return leaves.assign(runs=np.where(leaves.index == len(leaves) - 1, 1 - leaves["runs"], leaves["runs"]))


def twice(leaves: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([leaves, leaves[leaves["leaf"] == 1].assign(leaf=leaves["leaf"].max() + 1)], ignore_index=True)


def of_no_unit(leaves: pd.DataFrame) -> pd.DataFrame:
    return leaves.assign(unit_id="nobody")


@pytest.mark.everyday("11-of_no_unit")
@pytest.mark.parametrize("change", [without_the_last_leaf, with_a_wider_leaf, turned_round, twice, of_no_unit])
@pytest.mark.parametrize("seed", [11, 13, 27])
def test_leaves_that_do_not_cover_everything_are_refused(
    seed: int, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    instance, result, leaves = leaves_of(seed)
    result.tables["leaves"] = change(leaves)
    assert "leaves" in {violation.rule for violation in etsopt.check(instance, result).violations}


@pytest.mark.nightly
@pytest.mark.parametrize("seed", [11, 13, 27])
def test_a_leaf_proves_no_more_than_its_multipliers_do(seed: int) -> None:
    instance, result, leaves = leaves_of(seed)
    honest = etsopt.check(instance, result).levels[-1]
    duals = result.tables["duals"]
    assert {level.partition(":")[0] for level in leaves["level"]} == {"cost", "unmet_demand"}
    for level in leaves["level"].unique():
        mine = duals["level"] == level
        if np.abs(duals.loc[mine, "multiplier"]).max() < 1e-6:
            continue
        # Where plans alone cost too much a leaf needs no multipliers; to prove what is missing it always does.
        for factor in (1e9, *((0.0, -1.0) if level.startswith("unmet_demand") else ())):
            result.tables["duals"] = duals.assign(multiplier=np.where(mine, factor, 1.0) * duals["multiplier"])
            found = etsopt.check(instance, result).levels[-1]
            assert not found.certified, (level, factor)
            assert found.bound <= honest.bound + 1e-6 * abs(honest.bound)
    result.tables["duals"] = duals
    for claimed in ("", "unmet_demand:leaf:99", "cost:leaf:99"):
        forged = leaves.assign(level=np.where(leaves["leaf"] == 1, claimed, leaves["level"]))
        result.tables["leaves"] = forged
        assert not etsopt.check(instance, result).certified, claimed


@pytest.mark.nightly
def test_measures_cost_no_tonnes_where_a_leaf_proves_what_is_missing() -> None:
    # With the cost of measures counted as tonnes a leaf that clears would be proven to be short of allowances.
    for seed in (11, 13, 27, 51):
        instance, result, leaves = leaves_of(seed)
        forged = leaves.assign(level=leaves["level"].where(leaves["leaf"] != 1, "unmet_demand:leaf:1"))
        zero = result.tables["duals"].iloc[:1].assign(level="unmet_demand:leaf:1", multiplier=0.0, unit="t/t")
        result.tables["leaves"] = forged
        result.tables["duals"] = pd.concat([result.tables["duals"], zero], ignore_index=True)
        assert not etsopt.check(instance, result).certified


def test_leaves_cover_where_they_are_those_of_a_tree() -> None:
    a, b = Branching(0, 0, 0, True), Branching(1, 0, 0, True)
    no_a, no_b = a._replace(runs=False), b._replace(runs=False)

    def covers(*held: tuple[Branching, ...]) -> bool:
        return cover([Leaf("cost", one) for one in held])

    assert covers(())
    assert covers((a,), (no_a,))
    assert covers((a, b), (a, no_b), (no_a,))
    assert not covers((a, b), (no_a,))
    assert not covers((a, b), (a, no_b))
    assert not covers((a,), (no_b,))
    assert not covers((a, b), (a, no_b), (no_a,), ())
    assert not covers((a,), (a,), (no_a,))


def test_leaves_of_one_parent_and_one_vector_are_that_parent() -> None:
    one, other = Branch(0, 0, 0, True), Branch(1, 0, 0, True)
    no_one, no_other = one._replace(runs=False), other._replace(runs=False)
    leaves = [Found((one, other), 0), Found((one, no_other), 0), Found((no_one,), 1)]
    assert sorted(merge_leaves(leaves)) == sorted([Found((one,), 0), Found((no_one,), 1)])
    assert merge_leaves([leaf._replace(vector=0) for leaf in leaves]) == [Found((), 0)]


def relaxation(instance: etsopt.Instance) -> model_inputs.Relaxation:
    return model_inputs.Relaxation(CLEARING, instance, compiled_program, SolveOptions())


@pytest.mark.parametrize("friction", [0.0, 2.0])
def test_columns_that_join_are_those_of_the_formulation(friction: float) -> None:
    instance = two_enterprises().with_policy({"market.transaction_cost_cny_per_t": friction})
    first = solve_model.solve_model(library.load("allocation"), instance, "allocation", SolveOptions()).tables
    whole = clearing.market(instance, first, relaxation(instance))
    plans = Plans.of(instance, whole.baseline)
    start = ColumnPool.start(plans)
    measure = np.array([[1, 1], [0, 1]], dtype=np.int16)
    master = Master(whole, plans, start.sets, start.select(np.array([0])))
    master.add(np.array([0, 1]), measure)
    every = ColumnPool.of(plans, master.unit, master.sets)
    order = np.argsort(every.unit, kind="stable")
    program = compiled_program(CLEARING, whole.parameters(every.select(order)))
    joined = master.grown._highs.getLp()
    compiled = program.matrix.toarray()[:, program.columns["choice"]]
    for place, plan in enumerate(order):
        column = master.column[plan]
        entries = slice(joined.a_matrix_.start_[column], joined.a_matrix_.start_[column + 1])
        found = np.zeros(joined.num_row_)
        found[np.asarray(joined.a_matrix_.index_)[entries]] = np.asarray(joined.a_matrix_.value_)[entries]
        found /= master.grown._row
        # The row of a unit that joined later is the last one; all others are where the compiled program has them.
        own = master.row[master.unit[plan]]
        assert found[own] == 1.0
        for name, block in program.rows.items():
            if name != "one_plan":
                np.testing.assert_allclose(found[master.rows[name]], compiled[block, place], rtol=1e-12)


@pytest.mark.nightly
def test_the_interval_of_each_year_is_that_of_all_prices_at_which_the_market_clears() -> None:
    # Two years lack 100 kt each; a measure costs 50 CNY/t a year and runs to the end once it is started. So the second
    # price is at most 50, and both add up to 100.
    instance = market(
        {"emissions_tco2e": [1e6], "reference_t": [0.9e6]},
        [{"measure_id": "m", "unit_id": "u0", "abatement_rate": 0.5, "fixed_opex_cny_per_t": 25.0}],
        horizon={"last_year": 2026, "discount_rate": 0.0},
        abatement={"divisible_measures": True},
        market={"borrow_pre_allocation": False},
    )
    result = etsopt.solve(instance, "clearing")
    assert result.status == "certified_optimal"
    ends = result.prices[["lower", "upper"]].to_numpy()
    np.testing.assert_allclose(ends, [[50.0, 100.0], [0.0, 50.0]], atol=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_an_interval_that_is_wider_than_its_proof_is_refused(seed: int) -> None:
    instance = random_market(seed, 1 + seed % 3, abatement={"divisible_measures": True})
    result = etsopt.solve(instance, "clearing")
    years = result.tables["years"]
    for column, sign in (("price_lower_cny_per_t", -1.0), ("price_upper_cny_per_t", 1.0)):
        for row in range(len(years)):
            wider = years.assign(**{column: years[column] + sign * 0.5 * (years.index == row)})
            changed = {**result.tables, "years": wider}
            report = etsopt.check(instance, type(result)(**{**vars(result), "tables": changed}))
            assert report.violations
