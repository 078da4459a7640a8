"""Provenance of a solve, and the times of its stages."""

from __future__ import annotations

import platform
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.clock import stopwatch
from etsopt.common.provenance import Options, Provenance, Versions
from etsopt.rules import own_parameters
from etsopt.running.results.notices import facts_of
from etsopt.running.results.results import finite

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.modelling.solving.options import SolveOptions
    from etsopt.running.methods import Method


class StageTimes:
    """Seconds of each stage, and a function that tells those since the start."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.passed, self.last = stopwatch(), 0.0

    def lap(self, stage: str) -> None:
        """Close a stage; a repeated one adds its seconds."""
        now = self.passed()
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + now - self.last, 6)
        self.last = now


def provenance(
    instance: Instance, model: str, options: SolveOptions, method: Method, seconds: dict[str, float]
) -> Provenance:
    """Return the provenance of a result; ``seconds`` fill up during the solve."""
    chosen = {name: getattr(options, name) for name in Options.model_fields}
    found = Provenance(
        model=name_of(model),
        method=method.name,
        method_reason=method.reason,
        instance=instance.name,
        # Stated with what results say of themselves: of thousands of scenarios nobody reads it.
        instance_hash="",
        policy=instance.policy.model_dump(mode="json", exclude_none=True),
        own_parameters=own_parameters(instance),
        options=finite(chosen),
        seed=int(options.seed),
        assumed={key: list(map(str, told)) for key, told in instance.assumed.items()} or None,
        versions=versions(),
        **facts_of(instance, name_of(model))._asdict(),
    )
    # Validated, they would be a copy, to which later stages add nothing.
    found.seconds = seconds
    return found


def name_of(model: str) -> str:
    """Return the name of a model in results; that of a user's file keeps its ending, as no model of the library has.

    >>> name_of("allocation"), name_of("mine/allocation.py")
    ('allocation', 'allocation.py')
    """
    return Path(model).name


@cache
def versions() -> Versions:
    """Return the versions that decide an answer."""
    stated = {name: _version(name) for name in Versions.model_fields if name != "python"}
    # Texts need no validation, whose validator every solve would wait for.
    return Versions.model_construct(None, **stated, python=platform.python_version())


def _version(name: str) -> str:
    try:
        stated = distribution(name)
    except PackageNotFoundError:
        return "from a checkout"
    # The package reads all that a distribution says of itself, which takes longer than to solve a small instance.
    found = re.search("^Version: (.+)$", stated.read_text("METADATA") or "", re.MULTILINE)
    return found[1] if found else stated.version
