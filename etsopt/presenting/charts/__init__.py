"""Charts of results: what each shows, apart from how it is drawn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etsopt.presenting.charts.chart import Chart, Panel, Series
    from etsopt.presenting.charts.interactive import figures
    from etsopt.presenting.charts.kinds import KINDS, chart_of
    from etsopt.presenting.charts.plots import Plots

__all__ = ["KINDS", "Chart", "Panel", "Plots", "Series", "chart_of", "figures"]

_MODULES = {"KINDS": "kinds", "chart_of": "kinds", "Plots": "plots", "figures": "interactive"}


def __getattr__(name: str) -> Any:
    """Import a public name at first use, so that what draws nothing loads no chart."""
    if name not in __all__:
        raise AttributeError(f"module 'etsopt.presenting.charts' has no attribute {name!r}")
    return getattr(import_module(f"etsopt.presenting.charts.{_MODULES.get(name, 'chart')}"), name)
