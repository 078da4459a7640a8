"""Charts of results: what each shows, apart from how it is drawn."""

from etsopt.charts.chart import Chart, Panel, Series
from etsopt.charts.interactive import figures
from etsopt.charts.kinds import KINDS, chart_of
from etsopt.charts.plots import Plots

__all__ = ["KINDS", "Chart", "Panel", "Plots", "Series", "chart_of", "figures"]
