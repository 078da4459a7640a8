"""Limits of a trial: CPU time, so that other work on the machine does not count, and memory."""

from __future__ import annotations

import resource
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.reliability.row import Found


def peak_mib() -> float:
    """Return the peak memory of this process [MiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _cpu_s() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextmanager
def within(found: Found, number: int, cpu_s: float, mib: float) -> Iterator[None]:
    """Fail a trial that, with its child processes, exceeds the CPU time, or lets this process exceed a size."""
    began, before = _cpu_s(), peak_mib()
    yield
    took, peak = _cpu_s() - began, peak_mib()
    found.measured("CPU s of a trial", took)
    if took > cpu_s:
        found.failed(number, f"took {took:.1f} CPU s")
    # A process that was larger before, such as a test suite, did not grow in this trial.
    if peak > max(mib, before):
        found.failed(number, f"let the process grow to {peak:.0f} MiB")
