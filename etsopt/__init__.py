"""etsopt: optimisation-based allocation of carbon allowances.

>>> import etsopt
>>> result = etsopt.solve(etsopt.read("tiny"))
>>> result.status
'certified_optimal'
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from etsopt.common import __version__ as __version__
from etsopt.common.offered import OFFERED

OFFERED.update(
    {
        "Explanation.document": "etsopt.reports.explained:explained",
        "Results.near_optimal": "etsopt.running.near_optimal:near_optimal",
        "Results.report": "etsopt.reports.write:write_report",
        "Results.summary": "etsopt.reports.write:summary",
        "Box.save": "etsopt.studies.curves.box_folder:write_box",
        "Curve.chart": "etsopt.studies.curves.curve_chart:chart_of",
        "Curve.save": "etsopt.studies.curves.folder:write_curve",
        "LineCurve.document": "etsopt.studies.curves.curve_document:document_of",
        "PriceCurve.chart": "etsopt.studies.curves.price_document:chart_of",
        "PriceCurve.save": "etsopt.studies.curves.price_folder:write_price_curve",
    }
)

if TYPE_CHECKING:
    from etsopt import accounting as accounting
    from etsopt import modelling as modelling
    from etsopt import reports as reports
    from etsopt.checking.verdict import Verdict
    from etsopt.common.errors import (
        AssumedWarning,
        DataError,
        DoubtWarning,
        EtsoptError,
        ModelError,
        SolverError,
        StoppedError,
        UsageError,
    )
    from etsopt.common.language import speaking
    from etsopt.data.generate import generate
    from etsopt.data.instance import Instance
    from etsopt.presenting.explanation import Explanation, NearOptimalRanges, Remedy
    from etsopt.running.reading import read
    from etsopt.running.results.comparison import compare
    from etsopt.running.results.results import Results, load
    from etsopt.running.roll import roll
    from etsopt.running.run import check, solve
    from etsopt.studies import curves as curves
    from etsopt.studies import designing as designing
    from etsopt.studies import methods as methods
    from etsopt.studies import sweeping as sweeping
    from etsopt.studies.curves.api import curve
    from etsopt.studies.curves.box import Box
    from etsopt.studies.curves.folder import read_curve
    from etsopt.studies.curves.price_curve import PriceCurve
    from etsopt.studies.curves.result import Curve
    from etsopt.studies.forecasting.api import Forecast, forecast
    from etsopt.studies.sweeping.result import Sweep
    from etsopt.studies.sweeping.sweep import sweep

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
    "Box": "etsopt.studies.curves.box",
    "Curve": "etsopt.studies.curves.result",
    "PriceCurve": "etsopt.studies.curves.price_curve",
    "curve": "etsopt.studies.curves.api",
    "read_curve": "etsopt.studies.curves.folder",
    "Verdict": "etsopt.checking.verdict",
    "Explanation": "etsopt.presenting.explanation",
    "Forecast": "etsopt.studies.forecasting.api",
    "Instance": "etsopt.data.instance",
    "NearOptimalRanges": "etsopt.presenting.explanation",
    "Remedy": "etsopt.presenting.explanation",
    "Results": "etsopt.running.results.results",
    "Sweep": "etsopt.studies.sweeping.result",
    "check": "etsopt.running.run",
    "compare": "etsopt.running.results.comparison",
    "forecast": "etsopt.studies.forecasting.api",
    "generate": "etsopt.data.generate",
    "load": "etsopt.running.results.results",
    "read": "etsopt.running.reading",
    "roll": "etsopt.running.roll",
    "solve": "etsopt.running.run",
    "speaking": "etsopt.common.language",
    "sweep": "etsopt.studies.sweeping.sweep",
}


_ROOMS = {
    **{name: f"etsopt.{name}" for name in ("accounting", "modelling", "reports")},
    **{name: f"etsopt.studies.{name}" for name in ("curves", "designing", "explore", "methods", "sweeping")},
    **{name: f"etsopt.common.{name}" for name in ("errors", "units")},
    "fairness": "etsopt.rules.fairness",
}
"""Packages and modules with functions of their own, by their public name, loaded at first use."""


class _PublicNames:
    """Let `import` find a public name, and what is below it, where its module stands in the house."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return how a public name is loaded, and None for the names of the house itself."""
        place = _place(name)
        return None if place == name else ModuleSpec(name, cast("Any", _PublicNames))

    @staticmethod
    def create_module(spec: ModuleSpec) -> None:
        """Leave the empty module to the interpreter, as `exec_module` replaces it."""

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Put the module of the house in place of the empty one, so that there is only one of it."""
        sys.modules[module.__name__] = import_module(_place(module.__name__))


def _place(name: str) -> str:
    """Return the full name in the house of what is asked for by a public name."""
    package, _, rest = name.partition(".")
    room, _, below = rest.partition(".")
    return ".".join(filter(None, (_ROOMS.get(room, f"etsopt.{room}"), below))) if package == "etsopt" else name


sys.meta_path.insert(0, cast("Any", _PublicNames))


def __dir__() -> list[str]:
    """Return the public names, including those imported at first use."""
    return sorted({*__all__, *_ROOMS, "__version__"})


def __getattr__(name: str) -> Any:
    """Import a public name at first use, so that `etsopt --help` loads no heavy package."""
    if name not in (*__all__, *_ROOMS):
        raise AttributeError(f"module 'etsopt' has no attribute {name!r}")
    if name in _ROOMS:
        return import_module(_ROOMS[name])
    value = getattr(import_module(_MODULES.get(name, "etsopt.common.errors")), name)
    globals()[name] = value
    return value
