"""etsopt: optimisation-based allocation of carbon allowances.

>>> import etsopt
>>> result = etsopt.solve(etsopt.read("tiny"))
>>> result.status
'certified_optimal'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if TYPE_CHECKING:
    from etsopt import accounting as accounting
    from etsopt import curves as curves
    from etsopt import designing as designing
    from etsopt import modelling as modelling
    from etsopt import reports as reports
    from etsopt import sweeping as sweeping
    from etsopt.checking.verdict import Verdict
    from etsopt.curves.api import curve
    from etsopt.curves.box import Box
    from etsopt.curves.folder import read_curve
    from etsopt.curves.price_curve import PriceCurve
    from etsopt.curves.result import Curve
    from etsopt.data.generate import generate
    from etsopt.data.instance import Instance
    from etsopt.errors import (
        AssumedWarning,
        DataError,
        DoubtWarning,
        EtsoptError,
        ModelError,
        SolverError,
        StoppedError,
        UsageError,
    )
    from etsopt.explanation import Explanation, NearOptimalRanges, Remedy
    from etsopt.forecasting.api import Forecast, forecast
    from etsopt.language import speaking
    from etsopt.results.comparison import compare
    from etsopt.results.results import Results, load
    from etsopt.running.reading import read
    from etsopt.running.roll import roll
    from etsopt.running.run import check, solve
    from etsopt.sweeping.result import Sweep
    from etsopt.sweeping.sweep import sweep

__all__ = [
    "AssumedWarning",
    "Box",
    "Curve",
    "DataError",
    "DoubtWarning",
    "EtsoptError",
    "Explanation",
    "Forecast",
    "Instance",
    "ModelError",
    "NearOptimalRanges",
    "PriceCurve",
    "Remedy",
    "Results",
    "SolverError",
    "StoppedError",
    "Sweep",
    "UsageError",
    "Verdict",
    "check",
    "compare",
    "curve",
    "forecast",
    "generate",
    "load",
    "read",
    "read_curve",
    "roll",
    "solve",
    "speaking",
    "sweep",
]

_MODULES = {
    "Box": "etsopt.curves.box",
    "Curve": "etsopt.curves.result",
    "PriceCurve": "etsopt.curves.price_curve",
    "curve": "etsopt.curves.api",
    "read_curve": "etsopt.curves.folder",
    "Verdict": "etsopt.checking.verdict",
    "Explanation": "etsopt.explanation",
    "Forecast": "etsopt.forecasting.api",
    "Instance": "etsopt.data.instance",
    "NearOptimalRanges": "etsopt.explanation",
    "Remedy": "etsopt.explanation",
    "Results": "etsopt.results.results",
    "Sweep": "etsopt.sweeping.result",
    "check": "etsopt.running.run",
    "compare": "etsopt.results.comparison",
    "forecast": "etsopt.forecasting.api",
    "generate": "etsopt.data.generate",
    "load": "etsopt.results.results",
    "read": "etsopt.running.reading",
    "roll": "etsopt.running.roll",
    "solve": "etsopt.running.run",
    "speaking": "etsopt.language",
    "sweep": "etsopt.sweeping.sweep",
}


_ROOMS = ("accounting", "curves", "designing", "methods", "modelling", "reports", "sweeping")
"""Packages with functions of their own, loaded at first use."""


def __dir__() -> list[str]:
    """Return the public names, including those imported at first use."""
    return sorted({*__all__, *_ROOMS, "__version__"})


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
