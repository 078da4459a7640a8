"""The report of a run: its sections for every model, in both languages, and harmless whatever names are."""

from __future__ import annotations

import base64
import builtins
import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.common.language import speaking
from etsopt.common.scales import signed
from etsopt.presenting.charts.texts import short
from etsopt.presenting.documents import html
from etsopt.presenting.documents.document import Table
from etsopt.presenting.documents.quantities import amount
from etsopt.reports import allocation, letter
from etsopt.reports.letters import write_letter
from etsopt.reports.write import report, write_chart, write_comparison, write_report
from tests import investments, outlooks, reconciliations, review_plans
from tests.compliance_years import by_hand
from tests.markets import market

pytest.importorskip("jinja2")
pytest.importorskip("plotly")

HOSTILE = "</script><img src=x onerror=alert(1)>{{7*7}}{% raw %}\"'&<b>水泥"
VOID = {"meta", "br", "input"}


class Reader(HTMLParser):
    """Elements, texts and data of a page; sees that every element is closed in its order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.cells: list[str] = []
        self.scripts: list[str] = []
        self.data: dict[str, Any] = {}
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        attributes = self.elements[-1][1] if self.elements else {}
        if self.open and self.open[-1] == "script":
            if attributes.get("type") == "application/json":
                self.data[str(attributes["id"])] = json.loads(data)
            else:
                self.scripts.append(data)
        elif not (self.open and self.open[-1] == "style"):
            self.texts.append(data)
            if {"td", "th", "dd"} & {*self.open[-2:]}:
                self.cells.append(data)

    @property
    def sections(self) -> list[str]:
        """Keys of the sections."""
        return [str(attributes["id"]) for tag, attributes in self.elements if tag == "h2" and "id" in attributes]

    @property
    def policy(self) -> str:
        """The content security policy."""
        (found,) = (str(one["content"]) for tag, one in self.elements if tag == "meta" and "http-equiv" in one)
        return found


def page(result: etsopt.Results, lang: str = "en", **options: Any) -> Reader:
    with speaking(lang):
        return Reader(html.page(report(result), **options))


@pytest.fixture(scope="module")
def runs() -> Mapping[str, etsopt.Results]:
    """A small run of every model, and of a policy and a market without a solution."""
    instance = etsopt.generate(40, 3, measures=2)
    frames = {"units": instance.units, "measures": instance.measures}
    policy = instance.policy.model_dump(exclude_unset=True)
    market = {"prices_cny_per_t": 80.0, "terminal_price_cny_per_t": 80.0, "ccer_price_cny_per_t": 90.0}
    penalty = {"reference_price_cny_per_t": 100.0}
    policy |= {"market": market | {"ccer_supply_t": 1e6}, "penalty": penalty, "provinces": {}}
    later = policy | {"horizon": {"last_year": 2028}, "pathway": {"phase_2_from": 2027, "tightening": 0.01}}
    now, path = (etsopt.Instance.from_frames(policy=stated, **frames) for stated in (policy, later))
    found = {model: etsopt.solve(now, model) for model in ("balance_value", "abatement", "clearing", "equilibrium")}
    found["pathway"] = etsopt.solve(path, "pathway")
    found["compliance"] = etsopt.solve(by_hand(), "compliance")
    found["reconciliation"] = etsopt.solve(reconciliations.by_hand(), "reconciliation")
    found["review_plan"] = etsopt.solve(review_plans.by_hand(), "review_plan")
    found["outlook"] = etsopt.solve(outlooks.by_hand(), "outlook")
    found["investment"] = etsopt.solve(investments.by_hand(), "investment")
    tiny = etsopt.read("tiny")
    found["allocation"] = etsopt.solve(tiny)
    found["infeasible"] = etsopt.solve(tiny.with_policy({"sectors.cement.target_change": -0.2}))
    return found


BEHIND = ["assumptions", "certificate", "reproduce"]
ALLOCATED = ["provinces", "enterprises"]
SECTIONS = {
    "allocation": ["totals", "rates", *ALLOCATED, "binding", "units"],
    "balance_value": ["totals", "rates", *ALLOCATED, "units"],
    "clearing": ["prices", "quantities", "measures", "traders", "units"],
    "abatement": ["prices", "quantities", "measures", "traders", "units"],
    "pathway": ["prices", "quantities", "balance-values", "measures", "traders", "units"],
    "equilibrium": ["balance-values", "units"],
    "compliance": ["nation", "provinces", "shortfalls", "listing"],
    "reconciliation": ["reconciliation"],
    "review_plan": ["reviews"],
    "outlook": ["outlook", "outlook-emissions", "outlook-products"],
    "investment": ["investment", "scenarios", "decisions", "totals", *ALLOCATED, "units"],
    "infeasible": ["relaxed"],
}


@pytest.mark.everyday("compliance", "equilibrium", "investment", "reconciliation", "review_plan")
@pytest.mark.parametrize("model", SECTIONS)
def test_every_model_has_its_sections_in_both_languages(runs: Mapping[str, etsopt.Results], model: str) -> None:
    english, chinese = (page(runs[model], lang) for lang in ("en", "zh"))
    wanted = ["asked", *SECTIONS[model], *BEHIND]
    assert [key for key in english.sections if key in wanted] == wanted
    assert chinese.sections == english.sections
    assert ("html", {"lang": "zh-CN"}) in chinese.elements
    for reader in (english, chinese):
        keys = [str(attributes["id"]) for _, attributes in reader.elements if "id" in attributes]
        assert len(keys) == len(set(keys))
        # Every name that an element refers to is there.
        for _, attributes in reader.elements:
            for name in ("aria-labelledby", "aria-describedby", "data-plot", "data-listing"):
                if name in attributes:
                    assert attributes[name] in keys
            assert not str(attributes.get("href") or "#").removeprefix("#") or attributes["href"].lstrip("#") in keys  # type: ignore[union-attr]
    heads = " ".join(chinese.texts)
    assert re.search("[一-鿿]", heads)
    assert "compliance year" not in heads


@pytest.mark.everyday("balance_value")
@pytest.mark.parametrize("model", SECTIONS)
def test_no_cell_is_a_negative_zero_or_no_number(runs: Mapping[str, etsopt.Results], model: str) -> None:
    for lang in ("en", "zh"):
        found = page(runs[model], lang)
        rows = [
            cell
            for name, data in found.data.items()
            if name.startswith("rows-")
            for row in data["rows"]
            for cell in row
        ]
        for text in (*found.cells, *rows):
            assert not re.search(r"\bnan\b|\binf\b|\bNone\b|[-−]0(\.0*)?(?![\d.])", text), text


def test_the_answer_and_the_totals_are_those_of_the_tables(runs: Mapping[str, etsopt.Results]) -> None:
    found = page(runs["allocation"])
    # Worked out by hand in the README of tiny: a target 0.5 % below 560,000 t, and 9,200 t moved.
    assert (
        "3 units are due 557.200\xa0kt of allowances for 560.000\xa0kt of emissions, a deficit of 2,800\xa0t "
        "(0.50\xa0%); keeping every limit moves 9,200\xa0t against the rule, proven to be the least."
    ) in found.texts
    assert found.data["rows-units"]["rows"][1][6:11] == ["300,000", "301,800", "297,300", "−2,700", "−0.90 %"]
    texts = " ".join(found.texts)
    for part in (
        "allowances at most 0.50\xa0% less than verified emissions",
        "balance of South",
        "sectors.cement.target_change",
    ):
        assert part in texts
    assert "9,200" in found.cells


def test_a_price_is_told_with_what_sets_it(runs: Mapping[str, etsopt.Results]) -> None:
    found, years = page(runs["pathway"]), runs["pathway"].tables["years"]
    for price in years["price_cny_per_t"]:
        assert signed(f"{price:,.2f}") in found.cells
    assert amount(float(years["emissions_tco2e"].iloc[-1]), "t").replace("\xa0", "") in "".join(found.texts).replace(
        " ", ""
    )
    for name in runs["pathway"].tables["closure"]["set_by"]:
        assert name in found.cells


def test_an_infeasible_policy_is_told_with_what_would_do(runs: Mapping[str, etsopt.Results]) -> None:
    result = runs["infeasible"]
    texts = " ".join(page(result).texts)
    assert "No allocation keeps every limit of this policy" in texts
    for remedy in result.remedies:
        assert remedy.text in texts


@pytest.mark.parametrize("inline", [False, True])
def test_the_policy_allows_the_scripts_of_the_page_alone(runs: Mapping[str, etsopt.Results], inline: bool) -> None:
    found = page(runs["allocation"], inline=inline)
    assert len(found.scripts) == (2 if inline else 1)
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in found.scripts]
    stated = " ".join(f"'sha256-{one}'" for one in hashes)
    parts = [part.strip() for part in found.policy.split(";")]
    assert parts[:2] == ["default-src 'none'", f"script-src {stated} 'strict-dynamic'"]
    assert "img-src data:" in parts
    assert "unsafe-eval" not in found.policy
    # Nothing is fetched by the page itself, and no attribute is a script.
    for tag, attributes in found.elements:
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert tag not in ("img", "link", "iframe", "object", "form", "base")
    assert "cloud" not in json.dumps(found.data["settings"]["config"]).casefold()
    assert found.data["settings"]["config"]["displaylogo"] is False


@pytest.fixture(scope="module")
def hostile() -> etsopt.Results:
    """An allocation whose names are markup, templates and the end of a script."""
    tiny = etsopt.read("tiny")
    units = tiny.units.assign(enterprise_id=["e1", "e1", HOSTILE], name=HOSTILE, x_origin=HOSTILE)
    units["unit_id"] = [f"{HOSTILE}{number}" for number in range(3)]
    enterprises = pd.DataFrame({"enterprise_id": ["e1", HOSTILE], "name": [HOSTILE] * 2, "city": [HOSTILE] * 2})
    policy = tiny.policy.model_dump(exclude_unset=True)
    return etsopt.solve(etsopt.Instance.from_frames(units, policy, enterprises, name=HOSTILE))


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_hostile_names_stay_text(hostile: etsopt.Results, tmp_path: Path, lang: str) -> None:
    write_letter(hostile, HOSTILE, tmp_path / "letter.html", lang)
    write_comparison(hostile, hostile, tmp_path / "beside.html", lang, folders=(HOSTILE, HOSTILE))
    write_report(hostile, tmp_path / "report.html", lang, folder=HOSTILE)
    for name in ("letter", "beside", "report"):
        text = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        assert "<img" not in text
        found = Reader(text)
        assert len(found.scripts) == 1
        assert HOSTILE in " ".join(found.texts)
        # No template is evaluated twice.
        assert "{{7*7}}" in " ".join(found.texts)
    rows = found.data["rows-units"]["rows"]
    assert [row[0] for row in rows] == [f"{HOSTILE}{number}" for number in range(3)]
    plots = json.dumps([data for key, data in found.data.items() if key.startswith("plot-")], ensure_ascii=False)
    # What a chart shows is read as a few tags by its library.
    assert "&lt;/script&gt;&lt;img" in plots
    assert "<img" not in plots


def test_data_of_a_page_end_no_script_and_no_line() -> None:
    text = html.embedded({"name": f"{HOSTILE}\u2028\u2029<!--"})
    assert not {*"<>&\u2028\u2029"} & {*text}
    assert json.loads(text) == {"name": f"{HOSTILE}\u2028\u2029<!--"}


@pytest.mark.nightly
def test_the_same_run_is_the_same_page(runs: Mapping[str, etsopt.Results], tmp_path: Path) -> None:
    tiny = etsopt.read("tiny")
    result = runs["allocation"]
    result.save(tmp_path / "run", tiny)
    written = result.report(tmp_path / "one.html")
    etsopt.load(tmp_path / "run").report(tmp_path / "other.html")
    etsopt.solve(tiny).report(tmp_path / "again.html")
    one, other, again = ((tmp_path / f"{name}.html").read_bytes() for name in ("one", "other", "again"))
    assert one == other == again
    assert [path.name for path in written] == ["one.html", html.library()[0]]
    assert written[1].read_text(encoding="utf-8") == html.library()[1]
    assert result.report(tmp_path / "single.html", "zh", inline=True) == [tmp_path / "single.html"]
    assert (tmp_path / "single.html").stat().st_size > 4_000_000


def test_a_page_of_many_units_is_small_and_of_too_many_adds_them_up(monkeypatch: pytest.MonkeyPatch) -> None:
    result = etsopt.solve(etsopt.generate(1300, 1))
    text = html.page(report(result))
    assert len(text.encode()) < 3_000_000
    assert len(Reader(text).data["rows-units"]["rows"]) == 1300
    monkeypatch.setattr(allocation, "MOST_UNITS", 1000)
    found = page(result)
    assert "The run has 1,300 units, too many for a page: here they are added up by sector and province." in " ".join(
        found.texts
    )
    rows = found.data["rows-units"]["rows"]
    assert len(rows) < 200
    assert sum(int(row[2].replace(",", "")) for row in rows) == 1300


def test_a_letter_adds_up(runs: Mapping[str, etsopt.Results], tmp_path: Path) -> None:
    write_letter(runs["allocation"], "enterprise-a", tmp_path / "a.html")
    texts = " ".join(Reader((tmp_path / "a.html").read_text(encoding="utf-8")).texts)
    assert (
        "is due 398,800\xa0t of allowances for 400,000\xa0t of emissions: a deficit of 1,200\xa0t (0.30\xa0%)." in texts
    )
    assert "Final allocation A: A = 301,800 − 4,500 = 297,300\xa0t" in texts
    for model, enterprise in (("pathway", None), ("compliance", "c"), ("equilibrium", None)):
        tables = runs[model].tables
        name = "issuance" if "issuance" in tables else "unit_years" if "unit_years" in tables else "units"
        write_letter(runs[model], enterprise or tables[name]["enterprise_id"][0], tmp_path / f"{model}.html", "zh")
    assert "3,001" in (tmp_path / "compliance.html").read_text(encoding="utf-8")
    with pytest.raises(UsageError, match="The nearest names are enterprise-b, enterprise-a"):
        write_letter(runs["allocation"], "enterprise-x", tmp_path / "x.html")
    with pytest.raises(UsageError, match="no table of the units of enterprises"):
        write_letter(runs["review_plan"], "e", tmp_path / "x.html")


def test_letters_to_all_enterprises_are_those_to_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = etsopt.read("tiny")
    names = [f"Works {number}" for number in range(len(tiny.units))]
    instance = etsopt.Instance.from_frames(
        tiny.units.assign(name=names), tiny.policy.model_dump(exclude_unset=True), name="tiny"
    )
    etsopt.solve(instance).save(tmp_path / "run", instance)
    asked = ["report", str(tmp_path / "run"), "--letters"]
    assert main(asked) == 0
    folder = tmp_path / "run" / "letters"
    assert capsys.readouterr().out == f"2 letters written to {folder}.\n"
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["letter-enterprise-a.html", "letter-enterprise-b.html"]
    for file in files:
        one = tmp_path / file.name
        assert main([*asked[:2], "--letter", file.stem.removeprefix("letter-"), "--out", str(one)]) == 0
        assert file.read_bytes() == one.read_bytes()
    # The names of units stand beside their codes.
    texts = Reader(files[0].read_text(encoding="utf-8")).texts
    own = tiny.units.assign(name=names)[tiny.units["enterprise_id"] == "enterprise-a"]
    assert {*own["unit_id"], *own["name"], "name"} <= set(texts)
    capsys.readouterr()
    assert main([*asked, "--out", str(tmp_path / "all"), "--json", "--lang", "zh"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [str(tmp_path / "all" / file.name) for file in files]
    assert main([*asked, "--beside", str(tmp_path / "run")]) == 2
    assert "--letters and --beside ask for pages of their own." in capsys.readouterr().err


def several_units(**columns: Any) -> etsopt.Results:
    """Tiny, all of whose units are of one enterprise."""
    tiny = etsopt.read("tiny")
    table = tiny.units.assign(enterprise_id="enterprise-a", **columns)
    return etsopt.solve(etsopt.Instance.from_frames(table, tiny.policy.model_dump(exclude_unset=True)))


def texts_of_letter(result: etsopt.Results, path: Path, lang: str = "en") -> str:
    write_letter(result, "enterprise-a", path, lang, folder="run")
    return " ".join(" ".join(Reader(path.read_text(encoding="utf-8")).texts).split())


def test_a_letter_tells_of_every_unit_or_where_to_find_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = several_units()
    names = result.tables["allocation"].sort_values("emissions_tco2e", ascending=False)["unit_id"].tolist()
    texts = texts_of_letter(result, tmp_path / "a.html")
    assert f"{names[0]}, the largest: Verified emissions E:" in texts
    for name in names[1:]:
        assert f"{name}: Emission intensity I:" in texts
    assert "etsopt explain" not in texts
    monkeypatch.setattr(letter, "MOST_LINES", 17)
    assert "For 2 more see `etsopt explain run UNIT`." in texts_of_letter(result, tmp_path / "b.html")
    assert "其余 2 个单元见 `etsopt explain run 单元编号`。" in texts_of_letter(result, tmp_path / "c.html", "zh")


def test_a_letter_states_no_pre_allocation_that_the_instance_does_not_state(tmp_path: Path) -> None:
    texts = texts_of_letter(several_units(), tmp_path / "a.html")
    assert "Pre-allocation: none is stated" in texts
    assert "top-up to be issued" not in texts
    part = several_units(pre_allocated_t=[1000.0, np.nan, np.nan])
    texts = texts_of_letter(part, tmp_path / "b.html")
    assert "pre-allocated 1,000\xa0t" in texts.replace(" t", "\xa0t")
    assert "No pre-allocation is stated of 2 of the 3 units; they count with none." in texts
    texts = texts_of_letter(several_units(pre_allocated_t=0.0), tmp_path / "c.html")
    assert "pre-allocated 0" in texts
    assert "none is stated" not in texts


def test_a_letter_has_no_key_of_the_policy(tmp_path: Path) -> None:
    for lang, words in (
        ("en", "For one tonne more, these would have to give: Target of cement"),
        ("zh", "若多分配一吨，须放宽：水泥行业目标"),
    ):
        texts = texts_of_letter(several_units(), tmp_path / "a.html", lang)
        assert words in texts
        assert "sectors." not in texts
        assert "target_" not in texts


def test_targets_are_told_to_leave_units_at_their_emissions_out() -> None:
    tiny = etsopt.read("tiny")
    policy = tiny.policy.model_dump(exclude_unset=True) | {"rule": {"name": "cn-2025", "threshold_tco2e": 0.0}}
    policy["rule"]["special_cases"] = ["new"]
    policy["rule"]["outside_scope"] = []
    result = etsopt.solve(etsopt.Instance.from_frames(tiny.units.assign(special_case=["new", "", ""]), policy))
    assert "a target leaves them out, the emissions and allowances beside it do not." in html.page(report(result))
    with speaking("zh"):
        assert "目标不含这些单元，同一行的排放量和配额则包含。" in html.page(report(result))


def test_two_runs_stand_side_by_side(runs: Mapping[str, etsopt.Results], tmp_path: Path) -> None:
    tighter = etsopt.solve(etsopt.read("tiny").with_policy({"sectors.cement.target_change": -0.01}))
    write_comparison(runs["allocation"], tighter, tmp_path / "two.html", folders=("loose", "tight"))
    found = Reader((tmp_path / "two.html").read_text(encoding="utf-8"))
    less = "“tight” allocates 2,800\xa0t less than “loose”, 554.400\xa0kt in all."
    assert less in found.texts
    write_comparison(runs["allocation"], tighter, tmp_path / "zh.html", "zh", folders=("结果", "收紧"))
    less = "“收紧”比“结果”少分配 2,800\xa0吨，合计 55.4400\xa0万吨。"
    assert less in Reader((tmp_path / "zh.html").read_text(encoding="utf-8")).texts
    place = found.cells.index("sectors.cement.target_change")
    assert found.cells[place : place + 3] == ["sectors.cement.target_change", "-0.005", "-0.01"]
    assert "−2,800" in found.cells
    write_comparison(runs["pathway"], runs["pathway"], tmp_path / "same.html", "zh")
    assert "plot-prices-1" in Reader((tmp_path / "same.html").read_text(encoding="utf-8")).data
    with pytest.raises(UsageError, match="no table in common"):
        write_comparison(runs["allocation"], runs["review_plan"], tmp_path / "x.html")


@pytest.mark.parametrize("package", ["jinja2", "plotly"])
def test_a_missing_package_is_told_with_the_extra(
    runs: Mapping[str, etsopt.Results], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    imported = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ImportError(name)
        return imported(name, *arguments, **options)

    html.library.cache_clear()
    html._environment.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=rf"needs {package}, which is not installed(.|\n)*etsopt\[report\]"):
        runs["allocation"].report(tmp_path / "report.html")
    assert not list(tmp_path.iterdir())


def test_the_command_writes_pages_of_runs_that_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, name = tmp_path / "run", html.library()[0]
    assert main(["solve", "tiny", "--out", str(run)]) == 0
    capsys.readouterr()
    assert main(["report", str(run), "--lang", "en"]) == 0
    told = f"Written to {run / 'report.html'}. Its charts need {name} beside it; --inline writes one file.\n"
    assert capsys.readouterr().out == told
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "every statement of the run holds" in text
    assert "etsopt check run" in text
    assert str(tmp_path) not in text
    assert main(["report", str(run), "--letter", "enterprise-b", "--lang", "zh", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [str(run / "letter-enterprise-b.html")]
    assert main(["report", str(run), "--beside", str(run), "--out", str(tmp_path / "two.html")]) == 0
    assert main(["report", str(run), "--beside", str(run), "--letter", "enterprise-b"]) == 2
    assert "--letter and --beside ask for pages of their own" in capsys.readouterr().err
    table = run / "tables" / "allocation.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("297300", "297400"), encoding="utf-8")
    before = (run / "report.html").read_bytes()
    assert main(["report", str(run)]) == 5
    error = capsys.readouterr().err
    assert re.search(r"\d+ statements do not hold\.\n\nNo page is written\. `etsopt check .*` lists them", error)
    assert (run / "report.html").read_bytes() == before


@pytest.mark.nightly
def test_the_commands_of_the_page_on_reports_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(html.__file__).parent / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    for line in block.splitlines():
        assert main(line.split()[1:]) == 0, line
    written = {"runs", "report-zh.html", "letter.html", "beside.html", "surplus.html"}
    assert {path.name for path in tmp_path.iterdir()} == written


def test_the_certificate_has_the_chinese_words_of_the_terminal(runs: Mapping[str, etsopt.Results]) -> None:
    with speaking("zh"):
        (section,) = [section for section in report(runs["allocation"]).sections if section.key == "certificate"]
        (table,) = [block.shown() for block in section.blocks if isinstance(block, Table)]
    for row in table.rows:
        assert not re.search("[a-z]", row[-1].replace("HiGHS", ""))
        assert row[4] in ("吨", "比率")
    assert "，0 次迭代" in str(table.rows)


def test_a_caption_states_the_real_ends_and_the_band_that_is_out_of_view() -> None:
    result = etsopt.solve(etsopt.read("tiny").with_policy({"sectors.cement.band": 0.05}))
    found = {figure.key: figure.summary for figure in report(result).charts}
    rates = 100 * result.tables["allocation"]["surplus_rate"]
    low, high = short(float(rates.min())), short(float(rates.max()))
    assert found["rates"] == f"cement, surplus rate [%]: from {low} to {high}; band from −5 to 5."
    assert found["surplus"].endswith("band from −5 to 5.")


def test_a_heading_that_is_repeated_on_paper_has_no_button() -> None:
    css = (Path(html.__file__).parent / "templates" / "page.css").read_text(encoding="utf-8")
    assert "th button { display: contents; }" in css.partition("@media print")[2]


def test_a_chart_is_a_page_of_its_own(runs: Mapping[str, etsopt.Results], tmp_path: Path) -> None:
    result = runs["allocation"]
    page_file, script = write_chart(result, "surplus", tmp_path / "surplus.html", "zh")
    assert script.name.startswith("plotly-")
    read = Reader(page_file.read_text(encoding="utf-8"))
    assert list(read.data) == ["settings", "plot-surplus-1"]
    assert read.data["settings"]["config"]["locale"] == "zh-CN"
    assert read.data["plot-surplus-1"] == result.plot.figures("surplus", "zh")[0]
    # No check precedes it, so that it states no verdict.
    assert "已证明" not in page_file.read_text(encoding="utf-8")
    (single,) = write_chart(result, "surplus", tmp_path / "inline.html", inline=True)
    assert single.stat().st_size > 4e6


def test_emissions_that_no_review_has_verified_are_told_at_once() -> None:
    units = etsopt.read("tiny").units.assign(emissions_status=["accounted", "verified", "verified"])
    policy = etsopt.read("tiny").policy.model_dump(exclude_unset=True)
    result = etsopt.solve(etsopt.Instance.from_frames(units, policy))
    for lang, words in (
        ("en", "Emissions of 1 of 3 units are not verified"),
        ("zh", "3 个单元中有 1 个的排放量未经核查"),
    ):
        with speaking(lang):
            (warning,) = report(result).warnings
            assert words in str(warning.words)


def test_branches_that_help_prices_are_told() -> None:
    units = {"emissions_tco2e": [1e6], "reference_t": [0.95e6]}
    measure = {"measure_id": "one", "unit_id": "u0", "abatement_rate": 0.1, "variable_opex_cny_per_t": 1.0}
    result = etsopt.solve(market(units, [measure], horizon={"last_year": 2026}), "clearing")
    told = "branches prove the cost too"
    assert told not in html.page(report(result))
    beside = dataclasses.replace(result, tables={**result.tables, "leaves": pd.DataFrame({"leaf": [1]})})
    assert told in html.page(report(beside))
