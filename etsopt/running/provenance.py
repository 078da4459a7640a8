"""Provenance of a result: model, method, instance, policy, options, versions, and the seconds of each stage."""

from __future__ import annotations

import platform
import time
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.results.notices import facts_of
from etsopt.rules import own_parameters

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.running.methods import Method
    from etsopt.solving.options import SolveOptions


class Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.start = self.last = time.perf_counter()

    def passed(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self.start

    def lap(self, stage: str) -> None:
        """Close a stage; a repeated one adds its seconds."""
        now = time.perf_counter()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + now - self.last, 6)
        self.last = now


def provenance(
    instance: Instance, model: str, options: SolveOptions, method: Method, seconds: dict[str, float]
) -> dict[str, Any]:
    """Return the provenance of a result; ``seconds`` fill up during the solve."""
    assumed = {key: list(map(str, told)) for key, told in instance.assumed.items()}
    return {
        "model": name_of(model),
        "method": method.name,
        "method_reason": method.reason,
        "instance": instance.name,
        "instance_hash": instance.hash,
        "policy": instance.policy.model_dump(mode="json", exclude_none=True),
        "own_parameters": own_parameters(instance),
        "options": {
            "time_limit_s": options.time_limit_s,
            "gap": options.gap,
            "solver_options": options.solver_options,
        },
        "seed": options.seed,
        **facts_of(instance, name_of(model)),
        **({"assumed": assumed} if assumed else {}),
        "versions": versions(),
        "seconds": seconds,
    }


def name_of(model: str) -> str:
    """Return the name of a model in results; that of a user's file keeps its ending, as no model of the library has.

    >>> name_of("allocation"), name_of("mine/allocation.py")
    ('allocation', 'allocation.py')
    """
    return Path(model).name


def versions() -> dict[str, str]:
    """Return the versions that decide an answer, by name."""
    packages = ("etsopt", "pyomo", "highspy", "numpy", "pandas", "scipy")
    return {name: _version(name) for name in packages} | {"python": platform.python_version()}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from a checkout"
