"""etsopt: optimisation-based allocation of carbon allowances.

>>> import etsopt
>>> result = etsopt.solve(etsopt.read("tiny"))
>>> result.status
'certified_optimal'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0.dev0"

if TYPE_CHECKING:
    from etsopt import accounting as accounting
    from etsopt.data.generate import generate
    from etsopt.data.instance import Instance
    from etsopt.errors import DataError, EtsoptError, ModelError, SolverError, UsageError
    from etsopt.results.comparison import compare
    from etsopt.results.results import Results, load
    from etsopt.running.reading import read
    from etsopt.running.roll import roll
    from etsopt.running.run import check, solve
    from etsopt.running.sweep import sweep

__all__ = [
    "DataError",
    "EtsoptError",
    "Instance",
    "ModelError",
    "Results",
    "SolverError",
    "UsageError",
    "check",
    "compare",
    "generate",
    "load",
    "read",
    "roll",
    "solve",
    "sweep",
]

_MODULES = {
    "Instance": "etsopt.data.instance",
    "Results": "etsopt.results.results",
    "check": "etsopt.running.run",
    "compare": "etsopt.results.comparison",
    "generate": "etsopt.data.generate",
    "load": "etsopt.results.results",
    "read": "etsopt.running.reading",
    "roll": "etsopt.running.roll",
    "solve": "etsopt.running.run",
    "sweep": "etsopt.running.sweep",
}


_ROOMS = ("accounting",)
"""Packages with functions of their own, loaded at first use."""


def __dir__() -> list[str]:
    """Return the public names, including those imported at first use."""
    return sorted({*globals(), *__all__, *_ROOMS})


def __getattr__(name: str) -> Any:
    """Import a public name at first use, so that `etsopt --help` loads no heavy package."""
    if name not in (*__all__, *_ROOMS):
        raise AttributeError(f"module 'etsopt' has no attribute {name!r}")
    from importlib import import_module

    if name in _ROOMS:
        return import_module(f"etsopt.{name}")
    value = getattr(import_module(_MODULES.get(name, "etsopt.errors")), name)
    globals()[name] = value
    return value
