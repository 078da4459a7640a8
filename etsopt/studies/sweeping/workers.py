"""Where scenarios are solved: in this process, or on those of a Dask cluster, a local one or one that runs already.

Scenarios travel in batches of about half a second, because a task costs some milliseconds whatever it does. Results are
numbers, never models. A batch whose worker ends is tried again elsewhere, and taken apart if it ends several. The
scheduler blames whatever waits at a worker that ends, so a suspect is tried with nothing beside it, and only a scenario
that ends its worker then, twice, is lost. If the scheduler ends, what is outstanding stays without an outcome.
"""

from __future__ import annotations

import logging
import math
import signal
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import EtsoptError, UsageError
from etsopt.common.language import _
from etsopt.common.modules import optional
from etsopt.common.progress import checkpoint
from etsopt.studies.sweeping.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from etsopt.studies.sweeping.engine import Engine, Numbered

BATCH_S, MOST_IN_BATCH = 0.5, 500
"""Time that a batch takes about [s], and its largest number of scenarios."""

AHEAD = 2
"""Batches a worker that are submitted before they are needed."""

POLL_S = 0.02
"""Time between two looks for results and for a request to stop [s]."""

COUNT_S = 1.0
"""Time between two counts of the workers [s]; each asks the scheduler."""

CONNECT_S = 10.0
"""Time to wait for a scheduler [s]."""


class LostClusterError(EtsoptError):
    """The scheduler of a cluster has ended, with scenarios outstanding."""


def load_dask() -> Any:
    """Return the package that speaks to a cluster.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    return optional(
        "distributed",
        _("Several processes need dask, which is not installed."),
        _('Install it, `pip install "etsopt[sweep]"`, or leave --workers out.'),
    )


@contextmanager
def opened(
    engine: Engine, workers: int = 1, scheduler: str = ""
) -> Iterator[Callable[[Sequence[Numbered]], Iterator[Outcome]]]:
    """Yield the function that solves numbered scenarios in this process or on a cluster; it holds inside the block.

    Parameters
    ----------
    workers
        Processes of a local cluster of Dask; one solves in this process.
    scheduler
        Address of the scheduler of a cluster that runs already.

    Raises
    ------
    UsageError
        If several processes are asked for and dask is not installed, or no scheduler answers.
    """
    if not (scheduler or workers > 1):
        yield engine.in_turn
        return
    with cluster(workers, scheduler) as client, shared(client, engine, local=not scheduler) as name:
        yield lambda scenarios: on_workers(client, name, scenarios)


@contextmanager
def cluster(workers: int, scheduler: str = "") -> Iterator[Any]:
    """Yield the client of a cluster.

    Parameters
    ----------
    workers
        Number of processes of a local cluster.
    scheduler
        Address of a scheduler that runs already; empty for a local cluster.

    Raises
    ------
    UsageError
        If dask is not installed, or nothing answers at the address.
    """
    distributed = load_dask()
    if scheduler:
        try:
            client = distributed.Client(scheduler, timeout=CONNECT_S)
        except (OSError, ValueError) as error:
            what = _("No scheduler of dask answers at {scheduler!r}: {error}.", scheduler=scheduler, error=error)
            raise UsageError(what, _("Start one, `dask scheduler`, and workers, `dask worker ADDRESS`.")) from None
        with client, _silent():
            yield client
        return
    local = {
        "n_workers": workers,
        "threads_per_worker": 1,
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": logging.CRITICAL,
    }
    with distributed.LocalCluster(**local) as started, distributed.Client(started) as client, _silent():
        yield client


@contextmanager
def _silent() -> Iterator[None]:
    """Silence the library, which prints tracebacks when a worker or the scheduler ends; this module tells of both."""
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


ENGINES: dict[str, Engine] = {}
"""Engines that a worker holds, by the name of their sweep."""


def solved_batch(name: str, batch: Sequence[Numbered]) -> list[Outcome]:
    """Solve a batch of scenarios in a worker."""
    return [*ENGINES[name].in_turn(batch)]


@contextmanager
def shared(client: Any, engine: Engine, local: bool = False) -> Iterator[str]:
    """Give an engine to every worker, those too that start later, and yield the name that it has there.

    Parameters
    ----------
    local
        True for workers of this process, which get its Ctrl-C too and leave it to the coordinator.
    """
    from distributed import WorkerPlugin

    class Holder(WorkerPlugin):  # type: ignore[misc]
        name = f"etsopt-{uuid.uuid4().hex}"

        # The class travels by value, so it has to look the module of the worker up.
        def setup(self, worker: Any) -> None:
            from etsopt.studies.sweeping.workers import ENGINES

            ENGINES[self.name] = engine
            if local:
                signal.signal(signal.SIGINT, signal.SIG_IGN)

        def teardown(self, worker: Any) -> None:
            from etsopt.studies.sweeping.workers import ENGINES

            ENGINES.pop(self.name, None)

    client.register_plugin(Holder())
    try:
        yield Holder.name
    finally:
        if client.status == "running":
            client.unregister_worker_plugin(Holder.name)


def on_workers(client: Any, name: str, scenarios: Sequence[Numbered]) -> Iterator[Outcome]:
    """Yield the outcome of each scenario as it comes; the workers hold the engine by a name.

    Raises
    ------
    StoppedError
        If a stop is requested.
    LostClusterError
        If the scheduler ends.
    """
    return _Batches(client, name, scenarios).outcomes()


class _Batches:
    """Scenarios that wait, and batches that are with the workers."""

    def __init__(self, client: Any, name: str, scenarios: Sequence[Numbered]) -> None:
        self.client, self.name, self.scenarios = client, name, dict(scenarios)
        self.waiting, self.suspects, self.alone = list(reversed(self.scenarios)), list[int](), False
        self.again: set[int] = set()
        self.running: dict[Any, list[int]] = {}
        # The first batches have one scenario each, which tells how long one takes.
        self.seconds = BATCH_S
        self.workers, self.counted = 1, -math.inf

    def outcomes(self) -> Iterator[Outcome]:
        from distributed import as_completed

        done = as_completed([])
        try:
            while self.waiting or self.suspects or self.running:
                checkpoint()
                self._submit(done)
                ready = done.next_batch(block=False) if self.running else []
                if not ready:
                    self._require_alive()
                    time.sleep(POLL_S)
                for future in ready:
                    yield from self._taken(future)
        finally:
            if self.client.status == "running":
                self.client.cancel(list(self.running))

    def _submit(self, done: Any) -> None:
        """Keep the workers supplied, with batches that become smaller towards the end; suspects come last, alone."""
        if self.suspects and not (self.waiting or self.running):
            self.alone = True
            done.add(self._submitted([self.suspects.pop()]))
        if self.waiting and time.monotonic() - self.counted >= COUNT_S:
            # Workers come and go, but each question costs as much as a small task.
            self.workers = max(1, len(self.client.scheduler_info(n_workers=-1)["workers"]))
            self.counted = time.monotonic()
        while self.waiting and len(self.running) < AHEAD * self.workers:
            share = -(-len(self.waiting) // (AHEAD * self.workers))
            size = max(1, min(share, MOST_IN_BATCH, int(BATCH_S / self.seconds)))
            done.add(self._submitted([self.waiting.pop() for _ in range(min(size, len(self.waiting)))]))

    def _submitted(self, numbers: list[int]) -> Any:
        batch = [(number, self.scenarios[number]) for number in numbers]
        future = self.client.submit(solved_batch, self.name, batch, pure=False)
        self.running[future] = numbers
        return future

    def _taken(self, future: Any) -> Iterator[Outcome]:
        """Yield the outcomes of a batch, or of one that ended its workers what is lost."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        numbers = self.running.pop(future)
        try:
            # Its state may be another by now: what was on a worker that has ended since is computed again.
            outcomes = future.result()
        except FutureCancelledError:
            self.running[future] = numbers
            self._require_alive(surely=True)
            return
        except KilledWorker as error:
            outcomes = self._lost(numbers, str(error))
        else:
            # Recent batches count most.
            mean = sum(one.seconds for one in outcomes) / len(outcomes)
            self.seconds = max(1e-4, 0.7 * self.seconds + 0.3 * mean)
        yield from outcomes

    def _lost(self, numbers: list[int], error: str) -> list[Outcome]:
        """Take a batch that ended its workers apart; a scenario that does so by itself, twice, is lost."""
        if len(numbers) > 1:
            self.waiting += reversed(numbers)
            # One by one from here on, until a batch tells otherwise.
            self.seconds = max(self.seconds, BATCH_S)
            return []
        if not self.alone:
            self.suspects += numbers
            return []
        if numbers[0] not in self.again:
            # It may have come to a worker that had just ended and was not missed yet.
            self.again.add(numbers[0])
            self.suspects.insert(0, numbers[0])
            return []
        return [Outcome(numbers[0], "lost", "", False, 0.0, _("The worker ended: {error}", error=error), {})]

    def _require_alive(self, surely: bool = False) -> None:
        if not surely and self.client.status == "running" and not any(one.cancelled() for one in self.running):
            return
        lost = sum(map(len, self.running.values())) + len(self.waiting)
        what = _("The scheduler of the cluster has ended; {lost:,} scenarios have no outcome.", lost=lost)
        raise LostClusterError(what, _("Start it again and go on with --resume."))
