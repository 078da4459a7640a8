"""Run a sweep: solve the scenarios that have no outcome yet, and keep their outcomes as they come."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from etsopt.errors import StoppedError, UsageError
from etsopt.language import _
from etsopt.progress import LOGGER, checkpoint, watched
from etsopt.running.provenance import versions
from etsopt.sweeping.checked import see_that_whole
from etsopt.sweeping.names import check_names
from etsopt.sweeping.outcome import PROVEN, outcome_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from etsopt.data.instance import Instance
    from etsopt.sweeping.outcome import Asked, Outcome
    from etsopt.sweeping.plan import SweepPlan
    from etsopt.sweeping.record import Record
    from etsopt.sweeping.scenario import Scenario


LOGGED_S = 30.0
"""Time between two lines of the logger ``etsopt`` on where a sweep stands [s]."""

MOST_KEPT, LONGEST_KEPT_S = 256, 1.0
"""Outcomes that are kept together at most, and seconds after which they are kept whatever their number."""


@dataclass(frozen=True)
class Progress:
    """Where a sweep stands.

    Parameters
    ----------
    done, of
        Scenarios solved in this run, and those that it has to solve.
    elapsed_s, left_s
        Seconds since its beginning, and to its end at the rate so far.
    last
        The outcome that has just come.
    """

    done: int
    of: int
    elapsed_s: float
    left_s: float
    last: Outcome


def run_plan(
    plan: SweepPlan,
    instance: Instance,
    record: Record,
    *,
    resume: bool = False,
    retry_failed: bool = False,
    only: str = "",
    workers: int = 1,
    scheduler: str = "",
    told: Callable[[Progress], None] | None = None,
) -> str:
    """Solve the scenarios of a sweep that have no outcome, and return why it ended: ``optimal`` or ``interrupted``.

    Parameters
    ----------
    instance
        The instance of the plan, as `etsopt.read` returns it.
    record
        An open record, new or of this sweep.
    resume, retry_failed
        Go on with a record that has outcomes; with those again that failed.
    only
        Pattern of names of scenarios to solve.
    workers
        Processes of a local cluster of Dask; one solves in this process.
    scheduler
        Address of the scheduler of a cluster that runs already.
    told
        Receiver of the progress after each scenario.

    Raises
    ------
    DataError
        With every column that the instance does not have, and every parameter that its rule does not, before a solve.
    UsageError
        If the record is of another sweep, has outcomes and ``resume`` is not asked for, or no name fits; or if several
        processes are asked for and dask is not installed, or no scheduler answers.
    LostClusterError
        If the scheduler ends; the outcomes before are kept.
    OSError
        If the record cannot be written; the outcomes before are kept.
    """
    check_names(instance, plan.scenarios, plan.place)
    record.begin(plan, instance.hash, versions())
    see_that_whole(record)
    done = len(plan.scenarios) - len(record.pending())
    if done and not (resume or retry_failed or only):
        what = _(
            "The record {path!r} has the outcomes of {done:,} of {count:,} scenarios.",
            path=str(record.path),
            done=done,
            count=len(plan.scenarios),
        )
        raise UsageError(what, _("Go on with --resume, or name another folder by --out."))
    numbers = record.pending(retry_failed, only)
    if only and not numbers and not done:
        what = _("No scenario has a name like {only!r}.", only=only)
        raise UsageError(what, _("The first is {name!r}.", name=plan.scenarios[0].name))
    chosen = [(number, plan.scenarios[number]) for number in numbers]
    with opened(plan, instance, workers if chosen else 1, scheduler if chosen else "") as solve:
        return keep(record, solve(chosen), len(chosen), told)


def outcomes_of(
    plan: SweepPlan,
    instance: Instance,
    workers: int = 1,
    scheduler: str = "",
    told: Callable[[Progress], None] | None = None,
) -> list[Outcome]:
    """Solve all scenarios and return their outcomes as they came, without a record.

    Raises
    ------
    DataError, UsageError, LostClusterError, StoppedError
        As `run_plan` does, and if a stop is requested.
    """
    check_names(instance, plan.scenarios, plan.place)
    found: list[Outcome] = []
    chosen = list(enumerate(plan.scenarios))
    with watched(), opened(plan, instance, workers, scheduler) as solve, logged(len(chosen), told) as tell:
        for now in _timed(solve(chosen), len(chosen)):
            found.append(now.last)
            if now.last.status in PROVEN and now.last.message and not any(one.message for one in found[:-1]):
                # Such as a misspelt table to keep, which every other scenario would not have either.
                LOGGER.warning("%s: %s", plan.scenarios[now.last.number].name, now.last.message)
            tell(now)
    return found


@contextmanager
def logged(of: int, told: Callable[[Progress], None] | None) -> Iterator[Callable[[Progress], None]]:
    """Yield the receiver of progress that passes it on, and that the logger tells of now and then, and at the end."""
    last, failed, began = None, 0, time.perf_counter()

    def receive(now: Progress) -> None:
        nonlocal last, failed
        last, failed = now, failed + (not now.last.certified)
        if told is not None:
            told(now)

    def line() -> None:
        done, left = (last.done, f"{last.left_s:,.0f} s") if last else (0, "unknown")
        elapsed = time.perf_counter() - began
        LOGGER.info("scenarios %d of %d, %d without a proven answer, %.0f s, left: %s", done, of, failed, elapsed, left)

    try:
        with every(LOGGED_S, line):
            yield receive
    finally:
        line()


@contextmanager
def every(interval_s: float, act: Callable[[], None]) -> Iterator[None]:
    """Do something at intervals while the code inside runs, however long a single scenario takes."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(interval_s):
            act()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def opened(
    plan: Asked, instance: Instance, workers: int, scheduler: str
) -> Iterator[Callable[[Sequence[tuple[int, Scenario]]], Iterator[Outcome]]]:
    """Yield the function that solves numbered scenarios in this process or on a cluster; it holds inside the block."""
    if not (scheduler or workers > 1):
        yield lambda scenarios: _in_turn(plan, instance, scenarios)
        return
    from etsopt.sweeping.workers import cluster, held, on_workers

    with cluster(workers, scheduler) as client, held(client, instance, local=not scheduler) as name:
        yield lambda scenarios: on_workers(client, plan, name, scenarios)


def _in_turn(plan: Asked, instance: Instance, scenarios: Sequence[tuple[int, Scenario]]) -> Iterator[Outcome]:
    """Yield the outcome of each scenario, solved one after the other in this process."""
    for number, scenario in scenarios:
        checkpoint()
        yield outcome_of(number, scenario, instance, plan.model, plan.options, plan.tables)


def _timed(outcomes: Iterator[Outcome], of: int, done: int = 0) -> Iterator[Progress]:
    """Yield each outcome with the time so far and the time left; some of them may be done before."""
    began = time.perf_counter()
    for count, outcome in enumerate(outcomes, 1):
        elapsed = time.perf_counter() - began
        yield Progress(done + count, of, elapsed, elapsed / count * (of - done - count), outcome)


def keep(
    record: Record, outcomes: Iterator[Outcome], of: int, told: Callable[[Progress], None] | None, done: int = 0
) -> str:
    """Keep outcomes as they come, some at a time; the last ones too if the sweep is stopped."""
    waiting: list[Outcome] = []
    kept_at = 0.0
    try:
        with watched(), logged(of, told) as tell:
            for now in _timed(outcomes, of, done):
                waiting.append(now.last)
                if len(waiting) >= MOST_KEPT or now.elapsed_s - kept_at > LONGEST_KEPT_S:
                    record.add(waiting)
                    waiting, kept_at = [], now.elapsed_s
                tell(now)
    except StoppedError as stopped:
        return stopped.termination
    finally:
        if waiting:
            record.add(waiting)
    return "optimal"
