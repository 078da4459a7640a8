"""Charts of results: what each shows, apart from how it is drawn."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from etsopt.charts.chart import Chart, Panel, Series
    from etsopt.charts.interactive import figures
    from etsopt.charts.kinds import KINDS, chart_of
    from etsopt.charts.plots import Plots

__all__ = ["KINDS", "Chart", "Panel", "Plots", "Series", "chart_of", "figures"]

_MODULES = {"KINDS": "kinds", "chart_of": "kinds", "Plots": "plots", "figures": "interactive"}


def __getattr__(name: str) -> Any:
    """Import a public name at first use, so that what draws nothing loads no chart."""
    if name not in __all__:
        raise AttributeError(f"module 'etsopt.charts' has no attribute {name!r}")
    return getattr(import_module(f"etsopt.charts.{_MODULES.get(name, 'chart')}"), name)
