"""One deadline for a command: wherever time is up, what is held is true, and time never looks like infeasibility."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

import etsopt
from etsopt.cli.exit_codes import exit_code
from etsopt.common import progress
from etsopt.common.errors import StoppedError
from tests import outlooks
from tests.investments import random_investment
from tests.markets import random_market

CHAIN = {"sectors.cement.target_change": -0.01}
WHOLE = CHAIN | {"allocation.integer_allowances": True}
ORDER = {"allocation.intensity_order": True, "provinces.balance": None}
FRICTION = {"market.transaction_cost_cny_per_t": 1.0}


def tiny(**changes: Any) -> etsopt.Instance:
    return etsopt.read("tiny").with_policy(changes)


def shipped(**changes: Any) -> etsopt.Instance:
    return etsopt.read("cn-2025").with_policy(changes)


def generated(**changes: Any) -> etsopt.Instance:
    return etsopt.generate(40, seed=3).with_policy(changes)


def market(**changes: Any) -> etsopt.Instance:
    return random_market(3, years=2).with_policy(changes)


def investment(**changes: Any) -> etsopt.Instance:
    return random_investment(3, units=12).with_policy(changes)


def many(**changes: Any) -> etsopt.Instance:
    return etsopt.generate(60, seed=1, measures=3, own=True).with_policy({"horizon.last_year": 2027} | changes)


PRICE = {"market.prices_cny_per_t": 40.0}
SETTLED = {"market.prices_cny_per_t": 80.0, "penalty.reference_price_cny_per_t": 80.0}

CASES: dict[str, tuple[Callable[..., etsopt.Instance], dict[str, Any], str, str | None]] = {
    "allocation": (generated, CHAIN, "allocation", None),
    "allocation, reference": (tiny, {}, "allocation", "pyomo"),
    "allocation, merged": (generated, CHAIN, "allocation", "aggregation"),
    "allocation, whole": (generated, WHOLE, "allocation", "direct"),
    "allocation, whole, merged": (generated, WHOLE, "allocation", "aggregation"),
    "allocation, fair order in whole tonnes": (tiny, WHOLE | {"allocation.intensity_order": True}, "allocation", None),
    "allocation, infeasible": (tiny, {"sectors.cement.target_change": -0.2}, "allocation", None),
    "allocation, infeasible, merged": (generated, {"sectors.cement.target_change": -0.2}, "allocation", "aggregation"),
    "allocation, exceptions": (
        generated,
        {"sectors.cement.target_change": -0.031, "allocation.exceptions.units": 3},
        "allocation",
        "direct",
    ),
    "abatement": (market, PRICE, "abatement", None),
    "abatement, prices": (many, SETTLED, "abatement", "decomposition"),
    "clearing": (market, {}, "clearing", None),
    "clearing, accounts": (market, FRICTION, "clearing", "direct"),
    "clearing that cannot clear": (tiny, {"market.external_demand_t": 1e7}, "clearing", None),
    "pathway, prices": (many, {}, "pathway", "decomposition"),
    "pathway, prices, accounts": (many, FRICTION, "pathway", "decomposition"),
    "investment": (investment, {"investment.cvar_weight": 0.5}, "investment", "direct"),
    "investment, prices": (investment, {"investment.budget_cny": 1e6}, "investment", "decomposition"),
    "equilibrium": (shipped, PRICE, "equilibrium", None),
    "compliance": (shipped, SETTLED, "compliance", None),
    "review_plan": (tiny, {"review_plan.provincial.days": 2.0}, "review_plan", None),
    "outlook": (outlooks.by_hand, {}, "outlook", None),
    "balance_value": (tiny, {}, "balance_value", None),
}
LONG = (
    *("clearing", "clearing, accounts", "pathway, prices", "pathway, prices, accounts"),
    *("compliance", "investment, prices", "allocation, fair order in whole tonnes", "allocation, merged"),
    *("investment", "allocation, reference"),
)
"""Cases in which time is up at many places, so that each takes seconds."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """A clock that goes on by a second each time it is read; returns how often that was so far."""
    clock, last = count(), [0]

    def read() -> float:
        last[0] = next(clock)
        return float(last[0])

    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=read))
    return lambda: last[0]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.nightly) if name in LONG else name for name in CASES]
)
def test_wherever_time_is_up_what_is_held_is_true(name: str, steps: Callable[[], int]) -> None:
    make, changes, model, method = CASES[name]
    instance = make(**changes)
    before = steps()
    whole = etsopt.solve(instance, model, method=method, time_limit_s=1e6)
    taken = steps() - before
    assert whole.termination in ("optimal", "infeasible")
    seen = set()
    for limit in {*range(1, min(taken, 12)), *(taken * part // 8 for part in range(1, 8))} - {0}:
        found = etsopt.solve(instance, model, method=method, time_limit_s=limit)
        if found.termination == whole.termination:
            # What was left to do asked nobody for the time.
            continue
        seen.add(found.status)
        assert found.termination == "time_limit"
        assert found.status in ("feasible", "none")
        assert found.infeasible_by_t is None
        assert exit_code(found) == 4
        assert etsopt.check(instance, found).violations == ()
        assert (found.tables == {}) == (found.status == "none")
    if taken > 4:
        assert "none" in seen


@pytest.mark.nightly
def test_a_level_that_was_solved_is_held(steps: Callable[[], int]) -> None:
    instance = generated(**CHAIN)
    best = etsopt.solve(instance, method="direct")
    held = [etsopt.solve(instance, method="direct", time_limit_s=limit) for limit in range(1, 60)]
    some = [one for one in held if one.status == "feasible"]
    assert some
    for one in some:
        assert one.levels[0].value == pytest.approx(best.levels[0].value, rel=1e-9)
        assert len(one.levels) < len(best.levels)


def test_nothing_stops_where_nobody_watches() -> None:
    progress.checkpoint("nobody is told")
    assert progress.seconds_left() == float("inf")
    assert progress.is_over() == ""
    assert not progress.ask_to_stop()


def test_the_earlier_deadline_counts() -> None:
    with progress.watched(1000.0), progress.watched(10.0):
        assert progress.seconds_left() <= 10
    with progress.watched(10.0), progress.watched(1000.0):
        assert progress.seconds_left() <= 10
    with progress.watched(10.0), progress.unlimited():
        assert progress.seconds_left() == float("inf")


def test_time_that_is_up_stops_at_the_next_checkpoint_and_leaves_a_call_of_the_solver_a_little() -> None:
    with progress.watched(1e-9):
        assert progress.seconds_left() == progress.LEAST_SOLVER_TIME_S
        with pytest.raises(
            StoppedError, match=r"^The time limit has passed before a solution was found\.\n\nIncrease"
        ) as caught:
            progress.checkpoint()
    assert caught.value.termination == "time_limit"


def test_progress_tells_the_phase_and_its_counts() -> None:
    told: list[str] = []
    with progress.watched(tell=told.append):
        progress.checkpoint("passes", 1_000, 2_000)
        # A line each tenth of a second is enough.
        progress.checkpoint("passes", 1_001, 2_000)
        progress.tell("tables")
        time.sleep(progress.REPORT_INTERVAL_S)
        progress.checkpoint("rounds", 3)
    assert told == ["passes 1,000 of 2,000", "tables", "rounds 3"]


def test_a_solve_tells_what_it_does_to_its_end() -> None:
    told: list[str] = []
    etsopt.solve(tiny(), progress=told.append)
    assert "objective change: 9 rows, 10 columns" in told
    assert told[-2:] == ["tables", "check"]


def test_the_first_ctrl_c_asks_and_the_second_stops() -> None:
    with progress.watched():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StoppedError, match="Interrupted"):
            progress.checkpoint()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_watch_in_a_thread_leaves_signals_alone() -> None:
    found: list[str] = []

    def solve() -> None:
        found.append(etsopt.solve(tiny(), time_limit_s=60).status)

    thread = threading.Thread(target=solve)
    thread.start()
    thread.join()
    assert found == ["certified_optimal"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_what_says_no_checkpoint_is_stopped_by_a_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "POLL_INTERVAL_S", 0.5)

    def endless() -> None:
        with progress.watched(0.2), progress.stopped_anywhere():
            while True:
                pass

    with pytest.raises(StoppedError):
        endless()


def test_a_sweep_gives_each_policy_its_time(steps: Callable[[], int]) -> None:
    policies = [CHAIN, {"sectors.cement.target_change": -0.005}]
    swept = etsopt.sweep(generated(), policies, time_limit_s=3)
    assert swept.terminations == ["time_limit", "time_limit"]
    assert swept.statuses == ["none", "none"]
    assert swept.answers.isna().all(axis=None)
