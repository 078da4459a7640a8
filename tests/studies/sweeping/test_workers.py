"""Scenarios on worker processes: the same bytes as in one process, and nothing lost with a worker or a scheduler."""

from __future__ import annotations

import logging
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

import etsopt
from etsopt.common.errors import UsageError
from etsopt.studies.sweeping import Record, run_plan
from etsopt.studies.sweeping import workers as of_workers
from etsopt.studies.sweeping.plan import plan_of
from etsopt.studies.sweeping.workers import LostClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

distributed = pytest.importorskip("distributed")

TARGETS: dict[str, Any] = {"instance": "tiny", "grid": {"sectors.cement.target_change": [-k / 2000 for k in range(24)]}}


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    options = {
        "n_workers": 2,
        "threads_per_worker": 1,
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": logging.CRITICAL,
    }
    with distributed.LocalCluster(**options) as cluster:
        yield cluster


def tables(folder: Path, **asked: Any) -> list[str]:
    folder.mkdir(exist_ok=True)
    plan = plan_of(TARGETS)
    with Record(folder / "sweep.sqlite") as record:
        assert run_plan(plan, etsopt.read("tiny"), record, **asked) == "optimal"
        return [record.scenarios.to_csv(), record.values.to_csv()]


@pytest.mark.nightly
def test_tables_are_the_same_bytes_as_in_one_process(tmp_path: Path, started: Any) -> None:
    assert tables(tmp_path / "one") == tables(tmp_path / "two", scheduler=started.scheduler_address)


@pytest.mark.nightly
def test_a_worker_that_is_killed_loses_no_scenario_and_repeats_none(tmp_path: Path, started: Any) -> None:
    killed: list[int] = []

    def kill_one(now: Any) -> None:
        if now.done in (2, 15) and len(killed) < 2:
            pid = next(iter(started.scheduler_info["workers"].values()))["id"]
            process = started.workers[pid].pid
            killed.append(process)
            os.kill(process, signal.SIGKILL)

    alone = tables(tmp_path / "one")
    assert tables(tmp_path / "two", scheduler=started.scheduler_address, progress=kill_one) == alone
    assert len(killed) == 2


@pytest.mark.nightly
def test_only_the_scenario_that_ends_its_workers_is_lost(
    tmp_path: Path, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first worker that a batch ends is the last, so that whatever waits beside the culprit is suspect too.
    with distributed.Client(started) as client:
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
    monkeypatch.setattr(of_workers, "solved_batch", ending_at_the_fifth)
    plan = plan_of(TARGETS)
    with Record(tmp_path / "a") as record:
        run_plan(plan, etsopt.read("tiny"), record, scheduler=started.scheduler_address)
        scenarios = record.scenarios
    assert scenarios["scenario"][scenarios["status"] == "lost"].tolist() == ["grid-05"]
    assert (scenarios["status"] == "pending").sum() == 0
    assert "The worker ended" in scenarios["message"][4]


def ending_at_the_fifth(name: str, batch: Any) -> Any:
    """End the worker at one scenario, as a lack of memory does."""
    if any(number == 4 for number, _ in batch):
        os._exit(1)
    return [*of_workers.ENGINES[name].in_turn(batch)]


@pytest.mark.nightly
def test_a_scheduler_that_ends_leaves_what_is_outstanding_to_the_next_run(tmp_path: Path) -> None:
    options = {
        "n_workers": 1,
        "threads_per_worker": 1,
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": logging.CRITICAL,
    }
    plan, instance = plan_of(TARGETS), etsopt.read("tiny")
    with distributed.LocalCluster(**options) as cluster, Record(tmp_path / "a") as record:

        def end(now: Any) -> None:
            if now.done == 3:
                cluster.close()

        with pytest.raises(LostClusterError, match=r"no outcome\.\n\nStart it again and go on"):
            run_plan(plan, instance, record, scheduler=cluster.scheduler_address, progress=end)
        done = 24 - len(record.pending())
        assert 3 <= done < 24
        assert run_plan(plan, instance, record, resume=True) == "optimal"
        resumed = [record.scenarios.to_csv(), record.values.to_csv()]
    assert resumed == tables(tmp_path / "one")


def test_an_address_without_a_scheduler_and_a_missing_package_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_workers, "CONNECT_S", 0.5)
    with pytest.raises(UsageError, match=r"No scheduler of dask answers at 'tcp://127.0.0.1:9'"):
        tables(tmp_path / "a", scheduler="tcp://127.0.0.1:9")
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(UsageError, match=r"etsopt\[sweep\]"):
        tables(tmp_path / "b", workers=2)
