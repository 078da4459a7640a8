"""The report of a sweep: figures of its record, in both languages, and harmless whatever names are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.common.language import speaking
from etsopt.presenting.charts.interactive import figures
from etsopt.presenting.documents import html as pages
from etsopt.studies.sweeping.axes import names_of
from etsopt.studies.sweeping.page import charts_of, page_of, write_sweep_report
from etsopt.studies.sweeping.sweep_document import SweepSummary
from tests.reports.test_document import HOSTILE, Reader
from tests.studies.sweeping.records import label, outcome, written

if TYPE_CHECKING:
    from etsopt.studies.sweeping.outcome import Outcome
    from etsopt.studies.sweeping.scenario import Scenario

pytest.importorskip("jinja2")
pytest.importorskip("plotly")

OUTPUT, BAND, TARGET = "units.output_t", "sectors.cement.band", "sectors.cement.target_change"
CHANGE = label("levels", "value", "t", id="change")
ALLOWANCES = label("sectors", "allowance_t", "t", sector="cement")
STILL = label("sectors", "allowance_t", "t", sector="steel")
DRAWN: dict[str, Any] = {
    "scenarios": {"narrow": {BAND: 0.02}, "wide": {BAND: 0.05}},
    "sample": {"number": 4, "method": "random", "values": {OUTPUT: {"uniform": [0.9, 1.1]}}},
}


def html(folder: Path, lang: str = "en") -> str:
    with speaking(lang):
        return pages.page(page_of(SweepSummary.read(folder)))


def page(folder: Path, lang: str = "en") -> Reader:
    return Reader(html(folder, lang))


def by_place(number: int, scenario: Scenario) -> Outcome:
    """Narrow: 100, 200, 300, 400 t; wide: 250 t in every draw. The last draw of wide has an answer without a proof."""
    change = 100.0 * (number + 1) if number < 4 else 250.0
    values = {CHANGE: change, ALLOWANCES: 5e6 + change, STILL: 7e6}
    if number == 7:
        return outcome(number, {CHANGE: 1e9, ALLOWANCES: 1e9}, "feasible")
    return outcome(number, values)


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    written(tmp_path / "bands", DRAWN, by_place)
    return tmp_path / "bands"


def test_decisions_are_compared_as_derived_by_hand(drawn: Path) -> None:
    """Of the first three draws narrow is 100, 200, 300 and wide 250: best are narrow, narrow and wide.

    Regret of narrow is 0, 0, 50, and 0 in the last draw, in which wide has no proven answer; that of wide 150, 50, 0.
    """
    found = page(drawn)
    place = found.cells.index("sample-3")
    assert found.cells[place - 9 : place + 1] == [
        *("narrow", "4", "4", "250", "115", "385", "400", "12.5", "50", "sample-3")
    ]
    assert found.cells[place + 1 : place + 11] == [
        *("wide", "3", "4", "250", "250", "250", "250", "66.67", "150", "sample-1")
    ]
    answer = "Of 2 decisions, narrow has the least largest regret in tonnes moved against the rule: 50\xa0t."
    assert answer in found.texts
    assert "7 of 8 scenarios proven" in found.texts


def test_what_is_not_proven_is_listed_and_in_no_figure(drawn: Path) -> None:
    found = page(drawn)
    assert found.data["rows-failures"]["rows"] == [["wide/sample-4", "feasible, optimality not proven", "–"]]
    everything = " ".join(found.cells) + json.dumps(found.data)
    assert "1,000,000,000" not in everything
    assert "1000000" not in everything
    (chart,) = (data for key, data in found.data.items() if key.startswith("plot-spread-levels"))
    ranges = {trace["name"]: trace for trace in chart["data"]}
    assert ranges["median"]["y"] == ["wide", "narrow"]
    assert ranges["median"]["x"] == [250.0, 250.0]
    assert ranges["9 of 10 draws"]["base"] == pytest.approx([250.0, 115.0])
    assert ranges["9 of 10 draws"]["x"] == pytest.approx([0.0, 270.0])
    # A sector whose allowances are the same everywhere is in the table of all numbers alone.
    assert [key for key in found.data if "allowance_t" in key] == ["plot-spread-sectors-allowance_t-1"]
    assert [row[3] for row in found.data["rows-numbers"]["rows"] if row[2] == "final allocation"] == [
        *("cement", "steel") * 2
    ]


def test_both_languages_have_the_same_sections_and_every_reference_is_there(drawn: Path) -> None:
    english, chinese = page(drawn), page(drawn, "zh")
    assert english.sections == chinese.sections
    assert english.sections == [
        *("asked", "decisions", "levels-value-change", "sectors-allowance_t", "outcomes", "all", "reproduce")
    ]
    texts = " ".join(chinese.texts)
    assert "方案比较" in texts
    for word in ("decision", "draws", "mean", "scenario "):
        assert word not in texts.replace("scenarios 含", "")
    for found in (english, chinese):
        keys = [str(attributes["id"]) for _, attributes in found.elements if "id" in attributes]
        assert len(keys) == len(set(keys))
        for _, attributes in found.elements:
            for name in ("aria-labelledby", "aria-describedby", "data-plot", "data-listing"):
                assert name not in attributes or attributes[name] in keys
        listed = [data["rows"] for key, data in found.data.items() if key.startswith("rows-")]
        rows = [cell for table in listed for row in table for cell in row]
        for text in (*found.cells, *rows):
            assert not re.search(r"\bnan\b|\binf\b|\bNone\b|[-−]0(\.0*)?(?![\d.])", text), text


def test_what_was_asked_and_how_to_do_it_again_is_told(drawn: Path) -> None:
    texts = " ".join(page(drawn).texts)
    for part in (
        "sectors.cement.band = 0.05",
        "4, independent draws; seed 0",
        "uniform from 0.9 to 1.1",
        "etsopt sweep sweep.toml --out again",
        "a" * 64,
        "etsopt 1.2.3",
    ):
        assert part in texts
    assert str(drawn.parent) not in texts


def test_a_number_of_years_is_a_fan_for_each_decision(tmp_path: Path) -> None:
    """Prices of 2025 to 2027 grow with the number of the draw: 10, 20, 30, 40 CNY/t and a tenth more a year."""

    def solved(number: int, scenario: Scenario) -> Outcome:
        first = 10.0 * (number % 4 + 1)
        years = {2025: first, 2026: 1.1 * first, 2027: 1.2 * first}
        values = {label("years", "price_cny_per_t", "CNY 2024/t", year=str(year)): one for year, one in years.items()}
        return outcome(number, values)

    written(tmp_path / "path", {**DRAWN, "model": "pathway"}, solved)
    found = page(tmp_path / "path")
    nine, half, median = found.data["plot-fan-years-price_cny_per_t-1"]["data"]
    low, high = np.quantile([10.0, 20.0, 30.0, 40.0], [0.05, 0.95])
    years = np.array([1.0, 1.1, 1.2])
    assert nine["x"] == [2025, 2026, 2027, 2027, 2026, 2025]
    assert nine["y"] == pytest.approx([*(high * years), *(low * years)[::-1]])
    assert half["y"][:3] == pytest.approx(32.5 * years)
    assert median["y"] == pytest.approx(25.0 * years)
    assert "price [CNY 2024/t]" in json.dumps(found.data["plot-fan-years-price_cny_per_t-2"])
    assert "2024年元/吨" in json.dumps(page(tmp_path / "path", "zh").data, ensure_ascii=False)
    assert "The mean of price in 2027 is 30\xa0CNY 2024/t in every decision." in found.texts


def test_one_decision_is_told_by_its_distribution(tmp_path: Path) -> None:
    plan = {"sample": {"number": 64, "values": {OUTPUT: {"uniform": [0.9, 1.1]}}}}
    written(tmp_path / "one", plan, lambda number, _: outcome(number, {CHANGE: float(number)}))
    found = page(tmp_path / "one")
    chart, along = (data for key, data in found.data.items() if key.startswith("plot-"))
    assert sum(chart["data"][0]["y"]) == 64
    (shape,) = chart["layout"]["shapes"]
    assert (shape["x0"], shape["x1"]) == pytest.approx((3.15, 59.85))
    # Along the only key that is drawn each draw is a point.
    assert len(along["data"][0]["x"]) == 64
    assert along["layout"]["xaxis"]["title"]["text"] == "factor on output"
    answer = "Tonnes moved against the rule: 31.5\xa0t on average, and from 3.15\xa0t to 59.85\xa0t in 9 of 10 draws; "
    assert [one for one in found.texts if one.startswith(answer + "factor on output moves it most (rank correlation")]


def test_scenarios_without_draws_are_told_one_by_one(tmp_path: Path) -> None:
    def solved(number: int, scenario: Scenario) -> Outcome:
        if number == 2:
            return outcome(number, {}, "infeasible_certified", "infeasible by at least 7 t")
        return outcome(number, {CHANGE: 10.0 * number})

    written(tmp_path / "named", {"grid": {TARGET: [0.0, -0.01, -0.5, -0.02]}}, solved)
    found = page(tmp_path / "named")
    assert "4 of 4 scenarios proven" in found.texts
    answer = (
        "Over 3 scenarios tonnes moved against the rule runs from 0\xa0t to 30\xa0t: "
        "target of cement moves it by 30\xa0t; infeasible exactly where target of cement is −50\xa0% or less."
    )
    assert answer in found.texts
    name = "target of cement −50 %"
    assert found.data["rows-failures"]["rows"] == [[name, "infeasible, proven", "infeasible by at least 7 t"]]
    (chart,) = (data for key, data in found.data.items() if key.startswith("plot-"))
    hatched, line = chart["data"]
    assert (hatched["x"], hatched["marker"]["pattern"]["shape"]) == ([-50.0], "|")
    assert (line["x"], line["y"]) == ([-2.0, -1.0, 0.0], [30.0, 10.0, 0.0])
    assert "decisions" not in found.sections
    place = found.cells.index("30")
    assert found.cells[place - 2 : place + 1] == ["−2", "all", "30"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_page_or_chart_has_the_number_of_a_scenario(tmp_path: Path, lang: str) -> None:
    """Named scenarios, a grid of two keys and lists taken together: 2 x 3 x 2 x 2 = 24, of which 4 are infeasible."""
    parts = {
        "scenarios": {"narrow": {BAND: 0.02}, "wide": {BAND: 0.05}},
        "grid": {TARGET: [0.0, -0.01, -0.02], "provinces.balance": [0.01, 0.02]},
        "paired": {"sectors.steel.band": [0.01, 0.02], "sectors.aluminium.band": [0.03, 0.04]},
    }

    def solved(number: int, scenario: Scenario) -> Outcome:
        if scenario.changes[TARGET] == -0.02 and scenario.changes[BAND] == 0.02:
            return outcome(number, {}, "infeasible_certified", "infeasible by at least 7 t")
        return outcome(number, {CHANGE: -1e6 * scenario.changes[TARGET] + number})

    written(tmp_path / "many", parts, solved)
    found = page(tmp_path / "many", lang)
    everything = " ".join(found.texts) + json.dumps(found.data, ensure_ascii=False)
    assert not re.search(r"grid-|pair-", everything)
    with speaking(lang):
        (chart,) = charts_of(SweepSummary.read(tmp_path / "many"))
        hatched = [one for one in chart.panels[0].series if one.style == "hatched"]
        assert [len(one.x) for one in hatched] == [4]
        labels = hatched[0].labels
    assert labels is not None
    name = {
        "en": "narrow, target of cement −2 %, balance of provinces 1 %, band of steel 1 %, band of aluminium 3 %",
        "zh": "narrow，水泥行业目标 −2 %，各省盈缺平衡 1 %，钢铁盈缺率限值 1 %，铝冶炼盈缺率限值 3 %",
    }[lang]
    assert name in labels.tolist()
    # Every failure has its values, and every value in the table is in the unit of its heading.
    assert name in [row[0] for row in found.data["rows-failures"]["rows"]]
    shown = {"en": "target of cement moves it most", "zh": "水泥行业目标影响最大"}[lang]
    assert shown in everything
    titles = (str(chart.title), *(str(one) for one in chart.panels[0].x_ticks))
    assert not [one for one in titles if "grid-" in one]


def test_many_scenarios_of_years_are_drawn_along_their_keys_in_the_last_year(tmp_path: Path) -> None:
    """Nine targets: the price of 2027 grows by 1 CNY/t from one to the next, and the last target has none."""
    targets = [-place / 100 for place in range(10)]

    def solved(number: int, scenario: Scenario) -> Outcome:
        if number == 9:
            return outcome(number, {}, "infeasible_certified", "infeasible")
        years = {"2025": 50.0, "2027": 60.0 + number}
        return outcome(
            number, {label("years", "price_cny_per_t", "CNY/t", year=year): one for year, one in years.items()}
        )

    written(tmp_path / "path", {"model": "pathway", "grid": {TARGET: targets}}, solved)
    (chart,) = (data for key, data in page(tmp_path / "path").data.items() if key.startswith("plot-"))
    hatched, line = chart["data"]
    assert line["x"] == [-8.0, -7.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0]
    assert line["y"] == [68.0, 67.0, 66.0, 65.0, 64.0, 63.0, 62.0, 61.0, 60.0]
    assert hatched["x"] == [-9.0]


def test_scenarios_that_are_stated_twice_keep_names_of_their_own() -> None:
    stated = {"grid": {TARGET: [-0.01, -0.01, -0.0100001]}, "sample": {}}
    names = names_of(stated, ["grid-1/sample-1", "grid-2/sample-1", "grid-3/sample-1"])
    first = "target of cement −1 %"
    assert names == [f"{first}/sample-1", f"{first} (2)/sample-1", f"{first} (3)/sample-1"]
    assert names_of({}, ["base"]) == ["base"]
    assert names_of({}, ["one", "other"]) == ["one", "other"]
    assert names_of({"sample": {}}, ["sample-1", "sample-2"]) == ["sample-1", "sample-2"]
    assert names_of({"scenarios": {"a": {}, "b": {}}}, ["a", "b"]) == ["a", "b"]


def test_indices_are_shown_where_there_are_some(tmp_path: Path) -> None:
    """The first input alone moves the number, so that its indices are 1 and those of the other 0."""
    values = {BAND: {"uniform": [0.0, 0.1]}, OUTPUT: {"uniform": [0.9, 1.1]}}
    content = {"sample": {"number": 64, "method": "saltelli", "values": values}}

    def solved(number: int, scenario: Scenario) -> Outcome | None:
        return None if number == 9 else outcome(number, {CHANGE: 1e4 * scenario.changes[BAND]})

    written(tmp_path / "moves", content, solved)
    found = page(tmp_path / "moves")
    assert found.sections[-4:] == ["moves", "outcomes", "all", "reproduce"]
    together, alone = (found.data[f"plot-indices-levels-value-change-1-{number}"]["data"] for number in (1, 2))
    assert together[0]["y"] == ["output_t", "cement.band"]
    assert together[0]["x"] == pytest.approx([0.0, 100.0], abs=10.0)
    assert alone[0]["x"] == pytest.approx([0.0, 100.0], abs=10.0)
    assert "up to 63 of 64" in " ".join(found.texts)
    rows = found.data["rows-indices"]["rows"]
    assert [(row[4], row[5]) for row in rows] == [(BAND, "63"), (OUTPUT, "63")]
    # Total index with its interval, then the first-order one: the second input moves nothing.
    assert [float(row[6]) for row in rows] == pytest.approx([100.0, 0.0], abs=10.0)
    assert rows[1][6:9] == ["0", "0", "0"]
    assert all(float(row[7]) <= float(row[6]) <= float(row[8]) for row in rows)


def test_a_sweep_without_an_answer_or_without_movement_says_so(tmp_path: Path) -> None:
    written(tmp_path / "none", DRAWN, lambda number, _: None)
    found = page(tmp_path / "none", "en")
    assert "No scenario has a proven answer." in found.texts
    assert "0 of 8 scenarios proven" in found.texts
    assert found.data["rows-failures"]["rows"][0] == ["narrow/sample-1", "not solved yet", "–"]
    written(tmp_path / "still", DRAWN, lambda number, _: outcome(number, {CHANGE: 3.0}))
    assert "No number with a chart moves from scenario to scenario." in page(tmp_path / "still").texts


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_stay_text(tmp_path: Path, lang: str) -> None:
    content = {"scenarios": {HOSTILE.replace("/", ""): {BAND: 0.02}, "wide": {BAND: 0.05}}, "sample": DRAWN["sample"]}
    place = label("sectors", "allowance_t", "t", sector=HOSTILE)

    def solved(number: int, scenario: Scenario) -> Outcome:
        return outcome(number, {place: float(number)}, "certified_optimal" if number else "failed", HOSTILE)

    written(tmp_path / "hostile", content, solved)
    text = html(tmp_path / "hostile", lang)
    assert "<img" not in text
    found = Reader(text)
    assert len(found.scripts) == 1
    assert "{{7*7}}" in " ".join(found.texts)
    assert found.data["rows-failures"]["rows"][0][2] == HOSTILE


def test_the_command_writes_the_page_of_a_sweep(drawn: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = pages.library()[0]
    assert main(["report", str(drawn), "--lang", "en"]) == 0
    told = f"Written to {drawn / 'report.html'}. Its charts need {name} beside it; --inline writes one file.\n"
    assert capsys.readouterr().out == told
    first = (drawn / "report.html").read_bytes()
    assert main(["report", str(drawn), "--lang", "en", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"][0] == str(drawn / "report.html")
    assert (drawn / "report.html").read_bytes() == first
    assert main(["report", str(drawn), "--letter", "e"]) == 2
    assert "--letter is for a run, which" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"holds no record sweep.sqlite.\n\nName a folder written by `etsopt sweep`"):
        write_sweep_report(drawn.parent, drawn / "x.html")


@pytest.mark.nightly
def test_every_chart_of_a_sweep_is_one_of_plotly_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ranges by decision, fans, indices; distributions of one decision; lines and points without draws."""
    pytest.importorskip("matplotlib")
    graph_objects = pytest.importorskip("plotly.graph_objects")
    price = [label("years", "price_cny_per_t", "CNY/t", year=str(year)) for year in (2025, 2030)]

    def solved(number: int, scenario: Scenario) -> Outcome:
        return outcome(number, {CHANGE: 5.0 * number**2, **{one: 10.0 + number * at for at, one in enumerate(price)}})

    saltelli = {"number": 16, "method": "saltelli", "values": DRAWN["sample"]["values"]}
    kinds = set()
    for name, content in {
        "several": {"scenarios": DRAWN["scenarios"], "sample": saltelli},
        "one": {"sample": saltelli},
        "named": {"scenarios": DRAWN["scenarios"]},
    }.items():
        folder = tmp_path / name
        written(folder, content, solved)
        capsys.readouterr()
        assert main(["plot", str(folder), "--json"]) == 0
        charts = json.loads(capsys.readouterr().out)
        shown = {key.removeprefix("plot-").rpartition("-")[0] for key in page(folder).data if key.startswith("plot-")}
        assert shown == {*charts}
        for one in charts:
            kinds.add(one.partition("-")[0])
            assert main(["plot", str(folder), one, "--out", str(tmp_path / "chart.svg"), "--lang", "zh"]) == 0
            text = (tmp_path / "chart.svg").read_text("utf-8")
            assert "nan" not in text
        texts = {}
        for lang in ("en", "zh"):
            with speaking(lang):
                drawn = charts_of(SweepSummary.read(folder))
                for chart in drawn:
                    for figure in figures(chart):
                        graph_objects.Figure(figure)
                texts[lang] = [str(text) for one in drawn for text in (one.title, *(at.x_label for at in one.panels))]
        for english, chinese in zip(texts["en"], texts["zh"], strict=True):
            assert english.replace("\xa0", " ").isascii()
            assert bool(english) == bool(chinese)
    assert kinds == {"spread", "fan", "indices", "distribution", "lines", "keys"}
