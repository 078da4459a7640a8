"""The report of a design search: the front, the enacted design, and what was asked, by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.common.language import speaking
from etsopt.presenting.documents import html as pages
from etsopt.studies.designing import DesignPlan, design_of
from etsopt.studies.designing.design_document import DesignSummary
from etsopt.studies.designing.page import page_of, write_design_report
from etsopt.studies.designing.plan import ENACTED, design_of_record
from etsopt.studies.sweeping import Record
from etsopt.studies.sweeping.outcome import Outcome
from tests.reports.test_document import HOSTILE, Reader
from tests.studies.sweeping.records import VERSIONS, label, outcome

pytest.importorskip("jinja2")
pytest.importorskip("plotly")

BAND = "sectors.cement.band"
CHANGE = label("levels", "value", "t", id="change")
RATE, PRICE = (
    label("sectors", "surplus_rate", "1", sector="cement"),
    label("years", "price_cny_per_t", "CNY/t", year="2025"),
)
FILE: dict[str, Any] = {
    "instance": "tiny",
    "generations": 1,
    "population": 5,
    "choose": {BAND: {"lower": 0.01, "upper": 0.05}, "allocation.intensity_order": [True, False]},
    "goals": {
        "moved": {"table": "levels", "id": "change", "quantity": "value"},
        "burden": {"table": "sectors", "quantity": "surplus_rate", "best": "largest"},
    },
    "limits": {"price": {"table": "years", "quantity": "price_cny_per_t", "at_most": 100.0}},
}
REACHED = ((20e3, -0.02, 90.0), (10e3, -0.03, 90.0), (15e3, -0.02, 80.0), (30e3, -0.01, 100.0), (5e3, 0.0, 101.0))
"""Goals and the limited number: the enacted design is beaten by the second one, and the last is outside the limit."""


def written(folder: Path, reached: tuple[tuple[float, ...], ...] = REACHED, plan: DesignPlan | None = None) -> Path:
    """The record of a search: the enacted design, four others, and one that failed."""
    plan = plan or design_of(FILE)
    folder.mkdir()
    with Record(folder / "design.sqlite") as record:
        record.begin(plan, "b" * 64, VERSIONS)
        choices = [{BAND: 0.01 * number, "allocation.intensity_order": number % 2 == 0} for number in range(1, 6)]
        designs = [plan.design(ENACTED, {})]
        designs += [plan.design(f"generation-1/{number}", one) for number, one in enumerate(choices, 1)]
        record.extend(list(enumerate(designs)))
        outcomes = [
            outcome(number, dict(zip((CHANGE, RATE, PRICE), values, strict=False)))
            for number, values in enumerate(reached)
        ]
        record.add([*outcomes, Outcome(5, "failed", "", False, 0.1, HOSTILE, {})])
    return folder


def page(folder: Path, lang: str = "en") -> Reader:
    with speaking(lang):
        return Reader(pages.page(page_of(DesignSummary.read(folder))))


def test_the_front_is_joined_and_the_enacted_design_is_marked(tmp_path: Path) -> None:
    found = page(written(tmp_path / "search"))
    name, *choices = (key for key in found.data if key.startswith("plot-"))
    assert choices == ["plot-choices-1", "plot-choices-2"]
    assert name == "plot-front-1"
    data = {trace["name"]: trace for trace in found.data[name]["data"]}
    line = next(trace for trace in found.data[name]["data"] if trace.get("mode") == "lines")
    assert data["front"]["x"] == line["x"] == [10.0, 15.0, 30.0]
    assert data["front"]["y"] == line["y"] == [-3.0, -2.0, -1.0]
    assert (data["enacted design"]["x"], data["enacted design"]["y"]) == ([20.0], [-2.0])
    assert data["outside the limits"]["x"] == [5.0]
    assert data["outside the limits"]["marker"]["symbol"] == "circle-open"
    assert data["front"]["customdata"][0] == "band of cement 1 %, intensity order no"
    lines = {trace["name"]: trace for trace in found.data["plot-choices-1"]["data"]}
    ends = [text.partition("<br>")[0] for text in found.data["plot-choices-1"]["layout"]["xaxis"]["ticktext"]]
    assert {*ends[:2]} == {"band of cement [%]", "intensity order"}
    assert ends[2:] == ["moved [kt]", "burden [%]"]
    # Three designs of the front, each a line with a gap behind it, and the enacted one.
    assert lines["front"]["x"].count(None) == 3
    assert lines["enacted design"]["x"] == [0, 1, 2, 3, None]
    assert not re.search("generation-|grid-", json.dumps([found.data[key] for key in (name, *choices)]))
    layout_ = found.data[name]["layout"]
    assert layout_["xaxis"]["title"]["text"] == "moved, least is best [kt]"
    assert layout_["yaxis"]["title"]["text"] == "burden, largest is best [%]"


def test_the_answer_and_the_tables_are_those_of_the_record(tmp_path: Path) -> None:
    found = page(written(tmp_path / "search"))
    answer = "3 of 6 designs are on the front: no other one found beats them; 1 of them beats the enacted design."
    assert answer in found.texts
    assert "5 of 6 designs certified" in found.texts
    place = found.cells.index("enacted")
    assert found.cells[place : place + 6] == ["enacted", "–", "–", "20", "−2", "90"]
    # A point of the front, and how many other designs reach it.
    assert found.cells[place + 6 : place + 14] == ["0", "1", "1", "no", "10", "−3", "90", "0"]
    rows = found.data["rows-designs"]["rows"]
    assert [row[0] for row in rows] == ["enacted", *(f"generation-1/{number}" for number in range(1, 6))]
    assert [row[-1] for row in rows] == ["–", "yes", "yes", "yes", "–", "–"]
    assert rows[-1][3:6] == ["–", "–", "–"]
    assert found.data["rows-failures"]["rows"] == [
        ["band of cement 5 %, intensity order no", "failed with an error", HOSTILE]
    ]
    place = found.cells.index("1 … 3")
    assert found.cells[place - 2 : place + 4] == [
        *("band of cement [%]", "1 to 5", "1 … 3", "intensity order", "yes, no", "no (2), yes (1)")
    ]


def test_what_was_asked_is_told_in_both_languages(tmp_path: Path) -> None:
    folder = written(tmp_path / "search")
    english, chinese = page(folder), page(folder, "zh")
    assert english.sections == chinese.sections == ["asked", "front", "chosen", "outcomes", "all", "reproduce"]
    texts = " ".join(english.texts)
    for part in (
        "moved: sum of levels.value (change), as small as possible",
        "burden: sum of sectors.surplus_rate, as large as possible",
        "price: sum of years.price_cny_per_t, at most 100 CNY/t",
        "generations: 1, designs in each: 5, seed: 0",
        "etsopt design design.toml --runs --out again",
        "nothing proves that no better design exists",
        "b" * 64,
    ):
        assert part in texts
    words = " ".join(chinese.texts)
    assert "前沿" in words
    for word in ("enacted", "front", "goal", "generations"):
        assert word not in words
    for found in (english, chinese):
        assert "<img" not in json.dumps([one for key, one in found.data.items() if key.startswith("plot-")])
        assert len(found.scripts) == 1
        for text in found.cells:
            assert not re.search(r"\bnan\b|\binf\b|\bNone\b|[-−]0(\.0*)?(?![\d.])", text), text


@pytest.mark.parametrize(("goals", "panels"), [(1, 1), (3, 3), (4, 6)])
def test_every_pair_of_goals_has_a_panel_and_one_goal_is_drawn_by_order(
    tmp_path: Path, goals: int, panels: int
) -> None:
    numbers = {f"goal{place}": {"table": "levels", "id": f"o{place}", "quantity": "value"} for place in range(goals)}
    plan = FILE | {"goals": numbers, "limits": {}}
    design = design_of(plan)
    folder = tmp_path / "search"
    folder.mkdir()
    with Record(folder / "design.sqlite") as record:
        record.begin(design, "b" * 64, VERSIONS)
        record.extend([(number, design.design(f"d{number}", {BAND: 0.02})) for number in range(3)])
        places = [label("levels", "value", "t", id=f"o{place}") for place in range(goals)]
        record.add([outcome(number, {one: float(number + at) for at, one in enumerate(places)}) for number in range(3)])
    found = page(folder)
    charts = [one for key, one in found.data.items() if key.startswith("plot-front")]
    assert len(charts) == panels
    # A front of more than two goals is no line in the plane of two.
    assert not [trace for one in charts for trace in one["data"] if trace.get("mode") == "lines"]
    if goals == 1:
        assert charts[0]["data"][0]["x"] == [1.0, 2.0]
        assert charts[0]["layout"]["xaxis"]["title"]["text"] == "design of the search"


def test_a_search_without_a_design_within_the_limits_says_so(tmp_path: Path) -> None:
    folder = written(tmp_path / "search", reached=((20e3, -0.02, 190.0), (10e3, -0.03, 190.0)))
    found = page(folder)
    assert "No design keeps every limit with a proven answer." in found.texts
    assert "chosen" not in found.sections
    bare = written(tmp_path / "bare", reached=((20e3,),))
    assert not [key for key in page(bare).data if key.startswith("plot-")]


def test_the_plan_of_a_record_is_that_of_the_search(tmp_path: Path) -> None:
    folder = written(tmp_path / "search")
    with Record(folder / "design.sqlite") as record:
        again = design_of_record(record.about)
    assert again == design_of(FILE)
    assert again.hash == design_of(FILE, place="other.toml").hash


def test_the_commands_write_the_page_and_the_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    folder = written(tmp_path / "search")
    assert main(["report", str(folder), "--lang", "zh"]) == 0
    assert "现行设计" in (folder / "report.html").read_text("utf-8")
    capsys.readouterr()
    assert main(["plot", str(folder)]) == 0
    assert capsys.readouterr().out == (
        "front    tiny: 3 of 5 designs, which no other one beats\n"
        "choices  tiny: moved: too few answers to tell which key moves it\n"
    )
    for suffix in ("svg", "png", "html"):
        assert main(["plot", str(folder), "front", "--out", str(tmp_path / f"front.{suffix}")]) == 0
    assert "enacted design" in (tmp_path / "front.svg").read_text("utf-8")
    assert list(Reader((tmp_path / "front.html").read_text("utf-8")).data) == ["settings", "plot-front-1"]
    capsys.readouterr()
    assert main(["plot", str(folder), "frnt"]) == 2
    assert "There is no chart 'frnt'.\n\nDid you mean 'front'?" in capsys.readouterr().err
    assert main(["plot", str(folder), "front", "--year", "2025"]) == 2
    assert "--year is for a run, which" in capsys.readouterr().err
    assert main(["report", str(folder), "--sheets"]) == 2
    with pytest.raises(UsageError, match=r"holds no record design.sqlite.\n\nName a folder written by `etsopt design`"):
        write_design_report(tmp_path, tmp_path / "x.html")


def test_designs_that_reach_the_same_point_are_one_row_and_the_enacted_one_states_its_choices(tmp_path: Path) -> None:
    """The second and the third design reach the same point; the band of the instance is 3 %, by one number."""
    reached = ((20e3, -0.02, 90.0), (10e3, -0.01, 90.0), (10e3, -0.01, 80.0), (30e3, -0.02, 90.0))
    folder, plan = tmp_path / "search", design_of(FILE).of_enacted(etsopt.read("tiny"))
    assert plan.enacted == {BAND: 0.03, "allocation.intensity_order": False}
    assert plan.hash == design_of(FILE).hash
    found = page(written(folder, reached=reached, plan=plan))
    place = found.cells.index("enacted")
    assert found.cells[place : place + 7] == ["enacted", "3", "no", "20", "−2", "90", "0"]
    assert found.cells[place + 7 : place + 14] == ["1", "1", "no", "10", "−1", "90", "1"]
    # What comes next is the table of choices.
    assert found.cells[place + 14] == "key"
    everything = json.dumps([one for key, one in found.data.items() if key.startswith("plot-")])
    assert "band of cement 3 %, intensity order no" in everything
