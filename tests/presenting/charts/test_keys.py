"""Charts of designs by their keys: figures by hand, what is hatched, and what is said."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.common.language import speaking
from etsopt.presenting.charts.across import classes
from etsopt.presenting.charts.chart import SHADES, Chart, Panel, Series
from etsopt.presenting.charts.designs import Axis, Designs, phrases
from etsopt.presenting.charts.drawing import draw
from etsopt.presenting.charts.interactive import figures
from etsopt.presenting.charts.keys import INFEASIBLE, NO_ANSWER, by_keys
from etsopt.presenting.charts.texts import Number
from etsopt.presenting.documents.figures import of_chart
from etsopt.presenting.documents.keys import axis_of, cells_of, columns_of, key_scale, key_words

if TYPE_CHECKING:
    from collections.abc import Sequence

MOVED = Number("change", "tonnes moved", "t")
TARGET, BAND, BALANCE = "sectors.cement.target_change", "sectors.steel.band", "provinces.balance"
NONE = math.nan


def grid(lists: dict[str, list[Any]], values: Sequence[float], missing: list[int] | None = None) -> Designs:
    """All combinations of lists, the last changing first; those of these places are infeasible."""
    shape = [len(one) for one in lists.values()]
    places = np.unravel_index(np.arange(math.prod(shape)), shape)
    axes = tuple(axis_of(key, one).of(at) for (key, one), at in zip(lists.items(), places, strict=True))
    infeasible = np.isin(np.arange(len(values)), missing or [])
    return Designs(axes, MOVED, np.array(values), infeasible)


def rows(series: Series) -> list[float]:
    """The places of cells upwards."""
    return (np.asarray(series.base) + 0.5).tolist()


def by_name(panel: Panel) -> dict[str, Series]:
    return {str(one.name): one for one in panel.series}


@pytest.mark.parametrize(
    ("key", "english", "chinese", "scale"),
    [
        (TARGET, "target of cement", "水泥行业目标", (0.01, "%")),
        (BAND, "band of steel", "钢铁盈缺率限值", (0.01, "%")),
        ("sectors.steel.band.lower", "band of steel", "钢铁盈缺率限值", (0.01, "%")),
        (BALANCE, "balance of provinces", "各省盈缺平衡", (0.01, "%")),
        ("provinces.balance.Anhui", "balance of Anhui", "安徽盈缺平衡", (0.01, "%")),
        ("national.target_t", "national total", "全国总量", (1.0, "t")),
        ("units.output_t.cement", "factor on output of cement", "水泥产品产量系数", (1.0, "")),
        ("rule.slope", "rule.slope", "rule.slope", (1.0, "")),
    ],
)
def test_a_key_has_words_and_a_unit(key: str, english: str, chinese: str, scale: tuple[float, str]) -> None:
    assert str(key_words(key)) == english
    assert key_scale(key, 0.01) == scale
    with speaking("zh"):
        assert str(key_words(key)) == chinese


def test_designs_are_named_by_their_values() -> None:
    axes = [
        axis_of(TARGET, [-0.008, 0.0, None]),
        axis_of("allocation.intensity_order", [True, False, None]),
        axis_of("rule.name", ["cn", "own", None]),
    ]
    assert phrases(axes) == [
        "target of cement −0.8 %, intensity order yes, rule.name cn",
        "target of cement 0 %, intensity order no, rule.name own",
        "target of cement –, intensity order –, rule.name –",
    ]
    heads = columns_of(axes)
    assert [(str(one.heading), one.quantity.unit) for one in heads[:2]] == [
        ("target of cement", "%"),
        ("intensity order", ""),
    ]
    assert [[*cells_of(axes, row)] for row in (0, 2)] == [[-0.8, "yes", "cn"], ["–", "–", "–"]]


def test_the_effect_of_a_key_is_its_range_with_all_others_as_they_are() -> None:
    """Along the target 10, 5 and, where one value is infeasible, none; along the band 20 and none."""
    designs = grid({TARGET: [0.0, -0.01], BAND: [0.02, 0.03, 0.04]}, [0, 20, NONE, 10, 25, NONE], [2, 5])
    assert designs.effects == pytest.approx([(10 + 5) / 2, (20 + 15) / 2])
    assert designs.order == [1, 0]
    said = (
        "band of steel moves it most, by 17.5\xa0t on average; infeasible exactly where band of steel is 4\xa0% or more"
    )
    assert designs.finding == said
    one = grid({TARGET: [0.0, -0.01]}, [0, 10])
    assert one.finding == "target of cement moves it by 10\xa0t"
    assert grid({TARGET: [0.0, -0.01]}, [3, 3]).finding == "no key moves it"
    assert grid({TARGET: [0.0, -0.01]}, [NONE, NONE], [0, 1]).infeasible_where == "no design has an answer"


def test_where_there_is_no_answer_is_told_with_its_numbers() -> None:
    values = [NONE, NONE, 1, NONE, 2, 3, 4, 5]
    designs = grid({TARGET: [-0.02, -0.01, 0.0, 0.01], BAND: [0.02, 0.03]}, values, [0, 1, 3])
    assert designs.infeasible_where == "infeasible: 3 of 4 where target of cement is −1\xa0% or less, 0 of 4 elsewhere"
    texts = grid({"rule.name": ["cn", "own"], BAND: [0.02, 0.03]}, [1, 2, NONE, NONE], [2, 3])
    assert texts.infeasible_where == "infeasible exactly where rule.name is own"
    # What ended without a proof is not told as infeasible.
    assert grid({TARGET: [0.0, -0.01]}, [NONE, 1]).infeasible_where == ""


def test_draws_are_told_by_rank_correlation() -> None:
    draws = np.arange(12.0)
    axes = (axis_of(TARGET, (-draws / 1000).tolist()), axis_of(BAND, [0.02, 0.03] * 6))
    designs = Designs(axes, MOVED, draws**2, np.zeros(12, dtype=bool), grid=False)
    assert designs.effects[0] == pytest.approx(1.0)
    assert designs.finding == "target of cement moves it most (rank correlation 1.00)"
    few = Designs(tuple(one.of(np.arange(9)) for one in axes), MOVED, draws[:9], np.zeros(9, dtype=bool), grid=False)
    assert few.finding == "too few answers to tell which key moves it"


def test_classes_have_round_ends_and_every_value_one() -> None:
    values = np.array([0.0, 4.9, 5.0, 38.0, 40.0, NONE])
    found = [*classes(values)]
    assert [name for name, _which, _colour in found] == ["0 to 5", "5 to 10", "35 to 40"]
    assert [which.tolist() for _name, which, _colour in found][2] == [False, False, False, True, True, False]
    assert (found[0][2], found[-1][2]) == (SHADES[0], SHADES[-1])
    assert [name for name, _which, _colour in classes(np.array([-3.0, -3.0]))] == ["−3 to 0"]
    assert not [*classes(np.array([NONE]))]
    for spread in (1e-7, 0.013, 7.0, 123.0, 9e8):
        assert len([*classes(np.linspace(0.3 * spread, spread, 99))]) <= len(SHADES)


def test_one_key_is_a_line_with_what_is_infeasible_hatched() -> None:
    designs = grid({TARGET: [0.0, -0.01, -0.03]}, [0, 10, NONE], [2])
    chart = by_keys("k", "moved", {"": designs})
    (panel,) = chart.panels
    hatched, line = panel.series
    assert (line.kind, line.x.tolist(), line.y.tolist()) == ("line", [-1, 0], [10, 0])
    assert (hatched.style, hatched.x.tolist(), np.asarray(hatched.widths).tolist()) == ("hatched", [-3.0], [2.0])
    assert panel.x_limits == (-4.0, 0.5)
    assert str(chart.title) == (
        "moved: target of cement moves it by 10\xa0t; infeasible exactly where target of cement is −3\xa0% or less"
    )
    assert of_chart("", chart).summary == "tonnes moved [t]: infeasible, proven, 1; tonnes moved, 10 at −1, 0 at 0."


def test_texts_of_one_key_are_rows() -> None:
    designs = grid({"rule.name": ["cn", "own", "new"]}, [1, NONE, 3], [1])
    (panel,) = by_keys("k", "moved", {"": designs}).panels
    points, hatched = panel.series
    assert (points.x.tolist(), points.y.tolist()) == ([3, 1], ["new", "cn"])
    assert (hatched.y.tolist(), hatched.style) == (["own"], "hatched")


def test_two_keys_are_a_map_whose_infeasible_cells_are_hatched() -> None:
    lists = {TARGET: [0.0, -0.01, -0.02], BAND: [0.02, 0.04]}
    designs = grid(lists, [0, 1, 10, 11, NONE, NONE], [4])
    chart = by_keys("k", "moved", {"cement": designs})
    panel, effects = chart.panels
    cells = by_name(panel)
    assert (panel.title, panel.x_label, panel.y_label) == (
        *("tonnes moved [t], cement", "target of cement [%]", "band of steel [%]"),
    )
    assert panel.x_ticks == ((0, "−2"), (1, "−1"), (2, "0"))
    assert panel.y_ticks == ((0, "2"), (1, "4"))
    infeasible, open_ = cells[str(INFEASIBLE)], cells[str(NO_ANSWER)]
    assert (infeasible.style, infeasible.x.tolist(), rows(infeasible)) == ("hatched", [0], [0])
    assert (open_.x.tolist(), rows(open_)) == ([0], [1])
    printed = {
        (x, y): text
        for one in panel.series
        if one.texts is not None
        for x, y, text in zip(one.x.tolist(), rows(one), [] if one.texts is None else one.texts, strict=True)
    }
    assert printed == {(2, 0): "0", (2, 1): "1", (1, 0): "10", (1, 1): "11"}
    assert infeasible.labels is not None
    assert infeasible.labels.tolist() == ["target of cement −2 %, band of steel 2 %"]
    assert (effects.series[0].y.tolist(), effects.series[0].x.tolist()) == (
        ["band of steel", "target of cement"],
        [1, 10],
    )
    assert "infeasible, proven, 1" in of_chart("", chart).summary


def test_three_and_four_keys_are_blocks_of_maps() -> None:
    lists = {TARGET: [0.0, -0.01], BALANCE: [0.01, 0.02, 0.05], BAND: [0.02, 0.04], "rule.slope": [0.1, 0.15]}
    values = [1000 * a + 100 * b + 10 * c + d for a in (1, 0) for b in range(3) for c in range(2) for d in range(2)]
    panel = by_keys("k", "moved", {"": grid(lists, values)}).panels[0]
    assert panel.wide
    # The target, which moves most, runs across the cells; the slope, which moves least, up the blocks.
    assert panel.x_ticks == (
        *((0, "−1"), (0.5, "\nband of steel 2 %"), (1, "0")),
        *((3, "−1"), (3.5, "\nband of steel 4 %"), (4, "0")),
    )
    assert panel.y_ticks == (
        *((0, "1"), (1, "2"), (2, "5"), (4, "1"), (5, "2"), (6, "5")),
        *((3, "rule.slope 0.1"), (7, "rule.slope 0.15")),
    )
    found = {
        (x, y): text
        for one in panel.series
        for x, y, text in zip(one.x.tolist(), rows(one), [] if one.texts is None else one.texts, strict=True)
    }
    assert found[0, 0] == "0"
    assert found[1, 2] == "1,200"
    assert found[4, 6] == "1,211"
    assert len(found) == len(values)


def test_blocks_are_of_the_keys_with_few_values_if_others_would_be_too_many() -> None:
    lists = {TARGET: [0.0, -0.01], BAND: [step / 100 for step in range(7)], BALANCE: [step / 100 for step in range(13)]}
    values = [1000 * a + b + c / 100 for a in range(2) for b in range(7) for c in range(13)]
    panel = by_keys("k", "moved", {"": grid(lists, values)}).panels[0]
    assert (panel.x_label, panel.y_label) == ("band of steel [%]", "balance of provinces [%]")
    assert [text for _place, text in panel.x_ticks if "\n" in text] == [
        "3\ntarget of cement −1 %",
        "3\ntarget of cement 0 %",
    ]
    lists["rule.slope"] = [step / 10 for step in range(7)]
    across = by_keys("k", "moved", {"": grid(lists, np.arange(1274.0).tolist())}).panels[0]
    assert str(across.title) == "each line is a scenario, coloured by tonnes moved [t]"


def test_draws_are_lines_across_the_axes_beside_what_is_infeasible() -> None:
    axes = (axis_of(TARGET, [-0.03, -0.01, 0.0]), axis_of(BAND, [0.02, 0.02, 0.02]))
    designs = Designs(axes, MOVED, np.array([NONE, 10, 0]), np.array([True, False, False]), grid=False)
    panel, _effects = by_keys("k", "moved", {"": designs}).panels
    lines = by_name(panel)
    infeasible = lines[str(INFEASIBLE)]
    assert infeasible.style == "dashed"
    # The band is the same everywhere, the target the least; there is no number at the end.
    assert infeasible.y.tolist()[:2] == [0.5, 0.0]
    assert np.isnan(infeasible.y.astype(float)[2:]).all()
    assert [text.partition("\n")[0] for _place, text in panel.x_ticks] == [
        *("band of steel [%]", "target of cement [%]", "tonnes moved [t]"),
    ]
    assert lines["0 to 2"].y.tolist()[:3] == [0.5, 1.0, 0.0]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_chart_is_drawn_by_both_in_both_languages(lang: str) -> None:
    pytest.importorskip("matplotlib")
    graph_objects = pytest.importorskip("plotly.graph_objects")
    values = np.arange(12.0).tolist()
    with speaking(lang):
        draws = Designs(
            (axis_of(TARGET, values), axis_of(BAND, values)), MOVED, np.array(values), np.arange(12) < 3, grid=False
        )
        parts = [
            grid({TARGET: values}, [*values[:-1], NONE], [11]),
            grid({"rule.name": [*"abcdefghijkl"]}, [*values[:-1], NONE], [11]),
            grid({TARGET: [0.0, 0.01, 0.02], BAND: [0.01, 0.02, 0.03, 0.04]}, [*values[:-2], NONE, NONE], [11]),
            draws,
        ]
        for designs in parts:
            chart = by_keys("k", "t", {"": designs})
            figure = draw(chart)
            hatches = [one for axes in figure.axes for one in axes.patches if one.get_hatch()]
            assert bool(hatches) == designs.grid
            for one in figures(chart):
                graph_objects.Figure(one)
            _no_english(chart, lang)
        shown = figures(by_keys("k", "t", {"": parts[2]}))[0]["data"]
        patterns = [trace["name"] for trace in shown if trace["marker"].get("pattern", {}).get("shape") == "|"]
        assert patterns == [str(INFEASIBLE), str(NO_ANSWER)]


def _no_english(chart: Chart, lang: str) -> None:
    texts = [str(chart.title), *(str(text) for panel in chart.panels for text in (panel.title, panel.x_label))]
    for text in texts:
        words = text.replace("rule.name", "").replace("tonnes moved", "")
        assert (
            text.isascii() or "−" in text or "\xa0" in text
            if lang == "en"
            else not [one for one in ("moves", "infeasible", "target", "key", "line", "where") if one in words]
        )


def test_axes_of_the_same_value_are_in_the_middle() -> None:
    assert Axis("a", "", np.array([2.0, 2.0])).steps().tolist() == [2.0]
