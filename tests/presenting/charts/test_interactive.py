"""Figures that one can hover: plain data in the schema of plotly, with the values, labels and bands of the chart."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

import etsopt
from etsopt.common.language import speaking
from etsopt.presenting.charts import chart_of
from etsopt.presenting.charts.chart import CHOSEN, OTHER, PALETTE, PRICE, RULE, SECTOR_COLOURS, Chart, Panel, Series
from etsopt.presenting.charts.interactive import CONFIG, STYLE, config_of, figures
from etsopt.presenting.charts.texts import YEAR


@pytest.fixture(scope="module")
def allocated() -> etsopt.Results:
    return etsopt.solve(etsopt.read("tiny"))


def _chart(series: Series, **panel: object) -> Chart:
    texts = {"title": "", "x_label": "price [CNY/t]", "y_label": "demand [Mt]"}
    return Chart("trial", "trial", (Panel(**(texts | panel), series=(series,)),))  # type: ignore[arg-type]


def test_every_kind_is_plain_data_without_plotly(allocated: etsopt.Results) -> None:
    for kind in allocated.plot.kinds:
        for figure in allocated.plot.figures(kind, "zh"):
            json.dumps(figure, allow_nan=False)
            assert {trace["type"] for trace in figure["data"]} <= {"scatter", "bar"}


def test_every_figure_is_one_of_plotly(allocated: etsopt.Results) -> None:
    graph_objects = pytest.importorskip("plotly.graph_objects")
    for kind in allocated.plot.kinds:
        for figure in figures(chart_of(kind, allocated.tables, allocated.provenance)):
            # The constructor refuses a name that the schema does not have.
            graph_objects.Figure(figure)


def test_points_are_those_of_the_table(allocated: etsopt.Results) -> None:
    (figure,) = figures(chart_of("surplus", allocated.tables, allocated.provenance))
    _, *sectors = figure["data"]
    table = allocated.tables["allocation"]
    for trace in sectors:
        part = table[table["sector"] == trace["name"]].sort_values("emissions_tco2e", ascending=False, kind="stable")
        assert np.allclose(np.array(trace["y"], dtype=float), 100 * part["surplus_rate"], rtol=1e-6)
        assert [label.split(",")[0] for label in trace["customdata"]] == part["unit_id"].tolist()
        assert "surplus rate: %{y:" in trace["hovertemplate"]
        assert " %<extra></extra>" in trace["hovertemplate"]
    (band,) = figure["layout"]["shapes"]
    assert (band["yref"], band["y0"], band["y1"], band["xref"]) == ("y", -3.0, 3.0, "x domain")
    # Diameters squared grow as emissions, down to the smallest that one sees.
    sizes = np.concatenate([trace["marker"]["size"] for trace in sectors])
    assert sizes.max() == 18.0
    assert sizes.min() >= 5.0


def test_hostile_names_stay_text_and_what_is_not_finite_is_left_out() -> None:
    labels = np.array(["<b onclick=x>&$x^2$", "a"], dtype=object)
    values = np.array([np.nan, 2.0]), np.array([1.0, np.inf])
    series = Series("points", "<i>", *values, CHOSEN, labels)
    (figure,) = figures(_chart(series))
    (trace,) = figure["data"]
    assert trace["customdata"][0] == "&lt;b onclick=x&gt;&amp;$x^2$"
    assert trace["name"] == "&lt;i&gt;"
    assert trace["x"] == [None, 2.0]
    assert trace["y"] == [1.0, None]


def test_a_hover_text_has_both_values_with_their_units() -> None:
    series = Series("line", "需求", np.array([2025.0, 2026.0]), np.array([12.345678, 1234.5]), CHOSEN)
    with speaking("zh"):
        (figure,) = figures(_chart(series, x_label=YEAR, y_label="需求 [百万吨]"))
    assert figure["data"][0]["hovertemplate"] == "需求<br>履约年度：%{x:d}<br>需求：%{y:,.0f} 百万吨<extra></extra>"
    assert figure["layout"]["xaxis"]["tickformat"] == "d"


def test_long_names_are_short_on_the_axis_and_whole_in_the_hover_text() -> None:
    names = np.array(["a" * 40, "某某省非常长的水泥有限责任公司", "short"], dtype=object)
    (figure,) = figures(_chart(Series("bars", "", np.ones(3), names, CHOSEN), horizontal=True))
    axis = figure["layout"]["yaxis"]
    shown = dict(zip(axis["tickvals"], axis["ticktext"], strict=True))
    assert shown == {
        "a" * 40: "a" * 25 + "…",
        "某某省非常长的水泥有限责任公司": "某某省非常长的水泥有限责…",
        "short": "short",
    }
    assert figure["data"][0]["y"] == figure["data"][0]["hovertext"] == names.tolist()
    assert figure["data"][0]["hovertemplate"].startswith("<b>%{hovertext}</b>")


def test_nothing_of_a_figure_leaves_the_machine_or_sets_a_colour_of_text() -> None:
    assert CONFIG["displaylogo"] is False
    assert CONFIG["modeBarButtons"] == [["zoom2d", "pan2d", "resetScale2d", "toImage"]]
    assert config_of() == CONFIG
    with speaking("zh"):
        assert config_of()["locales"]["zh-CN"]["dictionary"]["Pan"] == "平移"
    assert "currentColor" in STYLE
    series = Series("bars", "", np.array([1.0]), np.array([1.0]), CHOSEN)
    (figure,) = figures(_chart(series))
    assert "color" not in figure["layout"]["font"]
    assert figure["layout"]["paper_bgcolor"] == "rgba(0,0,0,0)"


def _linear(colour: str) -> np.ndarray:
    value = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(linear, 0, 1) / [0.9505, 1, 1.089]
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


SIMULATED = {
    "normal": np.eye(3),
    "protanopia": np.array([[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]]),
    "deuteranopia": np.array([[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]]),
    "tritanopia": np.array([[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]]),
}
"""What a viewer sees of linear RGB: Machado, Oliveira and Fernandes (2009), severity 1."""


@pytest.mark.parametrize("page", ["#ffffff", "#16181c"])
def test_colours_stand_out_from_a_light_and_a_dark_page(page: str) -> None:
    weights = [0.2126, 0.7152, 0.0722]
    behind = _linear(page) @ weights + 0.05
    for colour in [*SECTOR_COLOURS.values(), *PALETTE, RULE, CHOSEN, OTHER, PRICE]:
        front = _linear(colour) @ weights + 0.05
        # Least contrast of a graphical object: WCAG 2.2, 1.4.11.
        assert max(front / behind, behind / front) >= 3, colour


@pytest.mark.parametrize("viewer", SIMULATED)
def test_colour_blind_readers_tell_colours_apart(viewer: str) -> None:
    # Distances in CIELAB, of which 2 or 3 can just be seen side by side.
    for colours, least in (((*SECTOR_COLOURS.values(), RULE), 20), (PALETTE, 15)):
        seen = [_lab(SIMULATED[viewer] @ _linear(colour)) for colour in colours]
        assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > least
