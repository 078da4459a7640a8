"""A page holds what its instance says and what its curve proves, and nothing else; what was altered is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import etsopt
from etsopt.checking.allocation.limits import derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.cli import main
from etsopt.common.errors import DataError
from etsopt.common.language import LANGUAGES, in_both
from etsopt.data.tables.provinces import SHORT
from etsopt.studies.curves import Curve, curve
from etsopt.studies.curves.axes import Axis
from etsopt.studies.curves.curve_chart import axis_words
from etsopt.studies.explore import check_page, page, write_page
from etsopt.studies.explore.texts import TEXTS
from etsopt.studies.explore.tiles import TILES
from tests.builders import random_instance
from tests.studies.curves.test_price_curve import AUCTION, by_hand, found
from tests.studies.explore.pages import CEMENT, data_in, forged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Alter = Callable[[dict[str, Any]], None]


def test_a_page_of_the_nation_is_small_and_loads_nothing(cement_page: Path) -> None:
    text = cement_page.read_text(encoding="utf-8")
    assert len(text.encode()) <= 300_000
    # The addresses are names of the formats of drawings and workbooks.
    assert set(re.findall(r"https?://[^\"']*", text)) == {
        "http://www.w3.org/2000/svg",
        "http://schemas.openxmlformats.org",
    }
    assert not re.search(r"<(link|img|iframe|object|embed)|\bsrc=|@import|url\(|fetch\(|import\(|XMLHttp", text)


@pytest.mark.nightly
def test_so_is_one_of_more_pieces(steel_page: Path) -> None:
    assert steel_page.stat().st_size <= 300_000


def test_the_policy_of_a_page_names_its_one_program_and_no_host(tiny_page: Path) -> None:
    text = tiny_page.read_text(encoding="utf-8")
    (stated,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    (program,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(program.encode()).digest()).decode()
    assert stated.replace("&#39;", "'").split("; ") == [
        *("default-src 'none'", f"script-src 'sha256-{digest}'", "style-src 'unsafe-inline'", "img-src data:"),
        *("base-uri 'none'", "form-action 'none'"),
    ]


def test_a_page_has_the_limits_of_its_instance_at_both_ends(cement: Curve, cement_page: Path) -> None:
    data = data_in(cement_page)
    for place, value in enumerate((-0.01, 0.0)):
        demands = derive(InstanceInputs.of(cement.instance.with_policy({CEMENT: value})))
        for side in ("least", "most"):
            # Infinity is no number of JSON.
            stated = np.array([np.nan if one is None else one for one in data["rows"][side][-1 if place else 0]])
            sides = getattr(demands.rows, side)
            assert np.array_equal(stated, np.where(np.isfinite(sides), sides, np.nan), equal_nan=True)
        assert data["limits"]["lower"] == [demands.lower.tolist()]
        assert data["limits"]["upper"] == [demands.upper.tolist()]
    assert data["units"]["emissions"] == cement.instance.emissions_tco2e.tolist()
    assert data["units"]["reference"] == cement.anchor.tables["allocation"]["reference_t"].tolist()
    assert data["instance"]["hash"] == cement.instance.hash


def test_every_text_is_in_both_languages_and_shown() -> None:
    room = files("etsopt.studies.explore")
    body, *parts = ((room / name).read_text(encoding="utf-8") for name in ("explore.html", *page.PROGRAM))
    program = "".join(parts)
    texts = {key: in_both(text) for key, text in TEXTS.items()}
    for key, text in texts.items():
        assert text["en"] != text["zh"], key
        assert len({tuple(sorted(set(re.findall(r"\{(\w+)\}", text[lang])))) for lang in LANGUAGES}) == 1, key
        assert f'"{key}"' in program + body or key.startswith(("legend_", "least_", "infeasible", "unproven")), key
    shown = {*re.findall(r'data-t="(\w+)"', body), *re.findall(r'say\("(\w+)"', program)}
    assert shown <= texts.keys()


def test_every_province_has_a_tile_of_its_own() -> None:
    assert TILES.keys() == SHORT.keys()
    assert len({tile[:2] for tile in TILES.values()}) == len({tile[2] for tile in TILES.values()}) == len(SHORT)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["sectors.steel.target_t"], "target of steel"),
        (["sectors.cement.band.upper"], "band of cement"),
        (["provinces.balance.Anhui"], "balance of Anhui"),
        (["national.target_change", "provinces.balance"], "national total, balance of provinces"),
        (["rule.slope"], "rule.slope"),
    ],
)
def test_keys_have_words(keys: list[str], words: str) -> None:
    assert axis_words(Axis(dict.fromkeys(keys, (0.0, 1.0)))) == words


def test_a_page_is_derived_again_from_its_instance(cement: Curve, cement_page: Path) -> None:
    checked = check_page(cement_page, cement.instance)
    assert checked.refused == ()
    assert (checked.pieces, checked.proven) == (34, 34)


def factor(*path: Any, by: float = 1.001) -> Alter:
    """Return what multiplies one number of the data."""

    def alter(data: dict[str, Any]) -> None:
        at: Any = data
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] *= by

    return alter


def own_tolerances(data: dict[str, Any]) -> None:
    data["tolerances"] = {"row": 1e9}


def own_rounding(data: dict[str, Any]) -> None:
    data["rows"]["rounding"] = [-1e9] * len(data["rows"]["names"])


def another_command(data: dict[str, Any]) -> None:
    data["version"] = "9.9"


ALTERED = {
    "units.emissions": factor("units", "emissions", 1),
    "units.reference": factor("units", "reference", 2),
    "limits.lower": factor("limits", "lower", 0, 0),
    "limits.upper": factor("limits", "upper", 0, 1),
    "rows.most": factor("rows", "most", 0, 0),
    "rows": own_rounding,
    "tolerances": own_tolerances,
    "axes": factor("axes", 0, "step", by=10),
    "pieces": factor("pieces", 0, "to", by=1.01),
    "linear": factor("linear", 0, "change", 0, by=0.5),
    "share": factor("share", by=0.99),
    "version": another_command,
}


@pytest.mark.parametrize("part", ALTERED)
def test_an_altered_page_does_not_follow_from_its_instance(part: str, tiny: Curve, tiny_page: Path) -> None:
    data = data_in(tiny_page)
    ALTERED[part](data)
    refused = check_page(forged(tiny_page, data), tiny.instance).refused
    assert any(part in one for one in refused), refused


def test_a_page_without_a_piece_says_that_it_proves_less(tiny: Curve, tiny_page: Path) -> None:
    data = data_in(tiny_page)
    gone = data["pieces"].pop()
    del data["linear"][gone["linear"] :]
    checked = check_page(forged(tiny_page, data), tiny.instance)
    assert checked.refused == ("share of the page does not follow from the instance",)
    assert checked.certified_share == pytest.approx(1 - gone["to"] + gone["from"])
    # What is left is proven, and a page that states no more than that is right.
    assert check_page(forged(tiny_page, data | {"share": checked.certified_share}), tiny.instance).holds


def test_a_piece_counts_once(tiny: Curve, tiny_page: Path) -> None:
    data = data_in(tiny_page)
    whole = data["pieces"]
    for wrong in ([*whole, whole[-1]], [whole[0], *whole], whole[::-1]):
        refused = check_page(forged(tiny_page, data | {"pieces": wrong}), tiny.instance).refused
        assert any("does not follow the one before" in one for one in refused), refused
    # One in place of another leaves the length, and a gap.
    start, end = whole[0]["from"], whole[0]["to"]
    halves = [{**whole[0], "to": (start + end) / 2}, {**whole[0], "to": (start + end) / 2}, *whole[1:]]
    assert not check_page(forged(tiny_page, data | {"pieces": halves}), tiny.instance).holds


def test_another_program_is_found(tiny: Curve, tiny_page: Path) -> None:
    path = tiny_page.with_name("program.html")
    path.write_text(tiny_page.read_text(encoding="utf-8").replace("gap <= tolerance", "true"), encoding="utf-8")
    (refused,) = check_page(path, tiny.instance).refused
    assert refused == f"the program of the page is not that of etsopt {etsopt.__version__}"


def test_a_page_of_another_instance_is_refused(tiny: Curve, tiny_page: Path) -> None:
    (refused,) = check_page(tiny_page, tiny.instance.with_policy({CEMENT: -0.001})).refused
    assert refused.startswith("the page is of another instance: its hash is ")


@pytest.mark.parametrize(
    "text",
    [
        *("", "no page", "const DATA = [1];\n", "const DATA = {};\n", "const DATA = {1};\n"),
        *(f'const DATA = {{"source":{{"instance":"x",{more}}}}};\n' for more in ('"changes":[1]', '"other":2')),
    ],
)
def test_what_is_no_page_is_said_to_be_none(text: str, tiny: Curve, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"page\.html: is no page of etsopt explore"):
        check_page(tmp_path / "page.html", tiny.instance)


def test_a_damaged_page_is_told_so(tiny: Curve, tiny_page: Path) -> None:
    data = data_in(tiny_page)
    del data["pieces"][0]["linear"]
    with pytest.raises(DataError, match="has data of another shape: 'linear'"):
        check_page(forged(tiny_page, data), tiny.instance)


def test_too_many_units_are_refused_before_anything_is_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("etsopt.studies.curves.solver.CurveSolver.region", lambda *_: pytest.fail("solved"))
    monkeypatch.setattr(page, "UNITS_MAX", {1: 2, 2: 1})
    asked = ["explore", "tiny", "--vary", f"{CEMENT}=-0.01:0"]
    assert main(asked) == 2
    text = "tiny has 3 units: a page holds 2 at most with one slider, and 1 with two."
    assert text in capsys.readouterr().err
    monkeypatch.setattr(page, "UNITS_MAX", {1: 3, 2: 1})
    assert main([*asked, "--vary", "provinces.balance=0.01:0.02"]) == 2
    assert text.replace("2 at", "3 at") in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("etsopt.studies.curves.solver.CurveSolver.region", lambda *_: pytest.fail("solved"))
    monkeypatch.setattr(page, "ROWS_MAX", 2)
    assert main(asked) == 2
    assert "limits that units share: a page holds 2 at most." in capsys.readouterr().err


def test_units_without_names_and_enterprises_have_a_page(tmp_path: Path) -> None:
    instance = random_instance(3)
    along = curve(instance, {"provinces.balance": (0.02, 0.03)})
    assert isinstance(along, Curve)
    write_page(along, tmp_path / "page.html", lang="zh")
    assert check_page(tmp_path / "page.html", instance).holds
    assert data_in(tmp_path / "page.html")["units"]["name"] == [""] * len(instance.units)


def test_names_of_a_language_are_held_where_an_instance_states_them(tmp_path: Path) -> None:
    tiny = etsopt.read("tiny")
    units = tiny.units.assign(name=["铝厂", "水泥厂", "钢厂"], x_name_en=["Aluminium plant", "", "Steel plant"])
    along = curve(etsopt.Instance.from_frames(units, tiny.policy.model_dump()), {CEMENT: (-0.01, 0.0)})
    assert isinstance(along, Curve)
    write_page(along, tmp_path / "page.html")
    held = data_in(tmp_path / "page.html")["units"]
    assert held["en"] == ["Aluminium plant", "", "Steel plant"]
    assert "zh" not in held


def explored(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """Return what a command says as JSON, after it ended well."""
    assert main([*words, "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_the_command_writes_a_page_that_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "page.html")
    # The page knows how its instance was read.
    changed = ("--set", "sectors.cement.band=0.04", "--vary", f"{CEMENT}=-1%:0", "--out", path)
    assert explored(capsys, "explore", "tiny", *changed)["certified_share"] == 1.0
    checked = explored(capsys, "check", "tiny", "--page", path)
    assert checked["holds"]
    assert checked["changes"] == ["sectors.cement.band=0.04"]
    assert main(["check", "tiny", "--page", path]) == 0
    assert capsys.readouterr().out.startswith("The page changes the policy: sectors.cement.band=0.04.\n")
    data = data_in(tmp_path / "page.html")
    forged_path = forged(tmp_path / "page.html", data | {"tolerances": {"t": 1.0}})
    assert main(["check", "tiny", "--page", str(forged_path)]) == 5
    assert "tolerances of the page does not follow from the instance" in capsys.readouterr().err


def test_a_curve_of_a_folder_has_a_page(
    tiny: Curve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.save(tmp_path / "curve")
    path = tmp_path / "page.html"
    explored(capsys, "explore", str(tmp_path / "curve"), "--out", str(path))
    source = data_in(path)["source"]["instance"]
    assert explored(capsys, "check", source, "--page", str(path))["proven"] == 2
    assert main(["explore", str(tmp_path / "curve"), "--set", "sectors.cement.band=0.04"]) == 2
    assert "states its keys and its instance" in capsys.readouterr().err


def test_where_a_page_goes_is_looked_at_before_anything_is_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "folder" / "page.html"
    assert explored(capsys, "explore", "tiny", "--vary", f"{CEMENT}=-1%:0", "--out", str(path))["file"] == str(path)
    monkeypatch.setattr("etsopt.studies.curves.solver.CurveSolver.region", lambda *_: pytest.fail("solved"))
    for out, said in ((path.parent, "is a folder."), (path / "page.html", "could not be read or written")):
        assert main(["explore", "tiny", "--vary", f"{CEMENT}=-1%:0", "--out", str(out)]) == 2
        assert said in capsys.readouterr().err


def test_several_keys_move_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = f"{CEMENT}=-0.01:0,provinces.balance=0.02:0.01"
    explored(capsys, "explore", "tiny", "--along", both, "--out", str(tmp_path / "page.html"))
    assert data_in(tmp_path / "page.html")["axes"][0]["ends"] == [0, 1]


@pytest.mark.nightly
def test_a_curve_of_prices_has_no_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found(by_hand(), key=AUCTION, ends=(0.0, 120.0)).save(tmp_path / "prices")
    assert main(["explore", str(tmp_path / "prices")]) == 2
    assert "is a curve of prices, which has no page" in capsys.readouterr().err
