"""Markets against an independent program over all plans: no answer is cheaper, and a certified one is no dearer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import etsopt
from benchmarks.reliability.fuzzed_markets import in_steps
from tests.markets import known, some_market

if TYPE_CHECKING:
    from tests import market_oracle

GAP = 1e-4
"""What the markets promise."""


def compare(result: etsopt.Results, answer: market_oracle.Answer) -> None:
    value, near = result.levels[-1].value, 1e-6 * abs(answer.cost) + 1.0
    assert value >= answer.cost - near
    assert result.status.startswith("certified") or result.status == "feasible"
    if result.certified:
        assert value <= answer.cost + GAP * abs(value) + near


@pytest.mark.parametrize("seed", range(40))
def test_a_market_that_clears_costs_what_an_independent_program_finds(seed: int) -> None:
    instance = some_market(seed)
    result = etsopt.solve(instance, "clearing")
    answer = known(instance, result)
    if result.termination == "infeasible":
        assert answer.cost == np.inf
        assert result.infeasible_by_t == pytest.approx(answer.unmet_t, rel=1e-6, abs=0.1)
        return
    assert answer.unmet_t == pytest.approx(0.0, abs=0.1)
    compare(result, answer)


@pytest.mark.parametrize("seed", [204, 205, 216, 224, 230, 231, 240, 246, 247, 248])
def test_a_market_of_measures_in_steps_costs_what_an_independent_program_finds(seed: int) -> None:
    drawn = some_market(seed)
    measures = in_steps(drawn, seed)
    assert "largest_new_share_a_year" in measures
    policy = drawn.policy.model_dump(mode="json", exclude_none=True)
    instance = etsopt.Instance.from_frames(drawn.units, policy, measures=measures)
    result = etsopt.solve(instance, "clearing")
    assert result.violations == ()
    answer = known(instance, result)
    if result.termination == "infeasible":
        assert result.infeasible_by_t == pytest.approx(answer.unmet_t, rel=1e-6, abs=0.1)
        return
    compare(result, answer)


@pytest.mark.parametrize("seed", range(100, 120))
def test_price_takers_do_what_an_independent_program_finds(seed: int) -> None:
    drawn = some_market(seed)
    policy: dict[str, Any] = drawn.policy.model_dump(mode="json", exclude_none=True)
    # They see neither auctions nor the demand of others.
    policy["market"]["prices_cny_per_t"] = 45.0
    taker = etsopt.Instance.from_frames(drawn.units, policy, measures=drawn.measures)
    result = etsopt.solve(taker, "abatement")
    compare(result, known(taker, result, np.full(len(taker.policy.years), 45.0)))


@pytest.mark.parametrize("cost", [0.0, 1.0])
def test_a_market_without_a_penalty_lacks_what_an_independent_program_finds(cost: float) -> None:
    drawn = some_market(7)
    policy = drawn.policy.model_dump(mode="json", exclude_none=True)
    policy["penalty"] = {}
    policy["market"] |= {
        "external_demand_t": round(0.6 * float(drawn.emissions_tco2e.sum())),
        "transaction_cost_cny_per_t": cost,
    }
    instance = etsopt.Instance.from_frames(drawn.units, policy, measures=drawn.measures)
    result = etsopt.solve(instance, "clearing")
    answer = known(instance, result)
    assert (result.status, answer.cost) == ("infeasible_certified", np.inf)
    assert result.infeasible_by_t == pytest.approx(answer.unmet_t, rel=1e-6)
