"""What a curve is asked is taken as it is printed, and what would have no effect is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.data.files.write import write_instance
from tests.studies.curves.test_price_curve import by_hand

if TYPE_CHECKING:
    from pathlib import Path

CEMENT, STEEL, BALANCE = "sectors.cement.target_change", "sectors.steel.target_change", "provinces.balance"


def of_json(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, object]:
    capsys.readouterr()
    assert main([*arguments, "--json"]) == code
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_along_twice_moves_both_keys_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    once, twice = f"{CEMENT}=-1%:0,{BALANCE}=1%:2%", (f"{CEMENT}=-1%:0", f"{BALANCE}=1%:2%")
    for folder, stated in (("once", (once,)), ("twice", twice)):
        asked = [one for keys in stated for one in ("--along", keys)]
        assert main(["curve", "tiny", *asked, "--out", str(tmp_path / folder)]) == 0
        kept = json.loads((tmp_path / folder / "curve.json").read_text("utf-8"))
        assert kept["keys"] == {CEMENT: [-0.01, 0.0], BALANCE: [0.01, 0.02]}
    page = tmp_path / "page.html"
    asked = [one for keys in twice for one in ("--along", keys)]
    assert main(["explore", "tiny", *asked, "--out", str(page)]) == 0
    assert "target of cement, balance of provinces: proven at every value" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["curve", "explore"])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--along", f"{CEMENT}=-1%:0", "--along", f"{CEMENT}=-2%:0"), f"--along names '{CEMENT}' twice."),
        (("--vary", f"{CEMENT}=-1%:0", "--vary", "行业.水泥.总量变化=-2%:0"), f"--vary names '{CEMENT}' twice."),
        (("--vary", f"{CEMENT}=-1%:0", "--set", f"{CEMENT}=-0.5%"), f"--set names '{CEMENT}', which varies."),
        (("--along", f"{CEMENT}=-1%:0", "--set", "行业.水泥.总量变化=-0.5%"), "', which varies."),
        (("--vary", "market.auctioned_t=0:1", "--set", "market.auctioned_t.2026=1"), "', which varies."),
        (("--vary", f"{CEMENT}=-0,01:0"), f"--vary '{CEMENT}=-0,01:0' has ends that are no numbers: '-0,01'."),
        (("--vary", f"{CEMENT}=-1:0"), "expected greater than -1.\n   Correct the value: -0.01 means -1 %."),
        (("--vary", f"{CEMENT}=-1%:0", "--along", f"{STEEL}=-1%:0"), "Keep one of them."),
        ((), "--vary sectors.cement.target_change=-0.01:0 on the command line."),
    ],
)
def test_what_has_no_effect_or_no_meaning_is_refused(
    asked: tuple[str, ...],
    said: str,
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "tiny", *asked]) == 2
    assert said in capsys.readouterr().err


def test_numbers_are_taken_as_they_are_printed(tmp_path: Path) -> None:
    # Minus sign, narrow space and full-width signs of outputs and Chinese keyboards.
    for number, stated in enumerate(("\u22121\u202f%:0\u202f%", "\u22120.01\uff1a0", "-1\uff05:0", "-1 %:0 %")):
        out = tmp_path / str(number)
        assert main(["curve", "tiny", "--vary", f"{CEMENT}={stated}", "--out", str(out)]) == 0
        assert json.loads((out / "curve.json").read_text("utf-8"))["keys"] == {CEMENT: [-0.01, 0.0]}
    assert main(["solve", "tiny", "--set", f"{CEMENT}=\u22121 %", "--out", str(tmp_path / "run")]) == 0
    assert etsopt.load(tmp_path / "run").provenance.policy["sectors"]["cement"]["target_change"] == -0.01


def test_a_key_in_two_spellings_varies_twice() -> None:
    with pytest.raises(UsageError, match="varies twice"):
        etsopt.curve(etsopt.read("tiny"), {CEMENT: (-0.01, 0.0), "行业.水泥.总量变化": (-0.02, 0.0)})


def test_a_share_that_is_probably_a_percentage_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = "sectors.cement.band.upper is 3, which is 300 %: 0.03 means 3 %."
    asked = ("--set", "sectors.cement.band=3", "--vary", f"{CEMENT}=-60%:0")
    assert main(["curve", "tiny", *asked]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert said in printed
    # An end of the range may be the slip as well.
    assert f"{CEMENT} is -0.6, which is -60 %: -0.01 means -1 %." in printed
    box = ("--vary", f"{BALANCE}=1%:2%")
    assert said in str(of_json(capsys, "curve", "tiny", *asked, *box)["doubts"])
    page = ("--out", str(tmp_path / "page.html"))
    assert main(["explore", "tiny", *asked, *page]) == 0
    assert said in capsys.readouterr().err
    sweep = tmp_path / "shares.toml"
    sweep.write_text('instance = "tiny"\nmodel = "allocation"\n[grid]\n"sectors.cement.band" = [0.03, 3]\n', "utf-8")
    counted = of_json(capsys, "sweep", str(sweep), "--count")
    assert counted["doubts"] == ["sectors.cement.band is 3, which is 300 %: 0.03 means 3 %."]
    assert main(["sweep", str(sweep), "--out", str(tmp_path / "swept")]) == 0
    assert "which is 300 %: 0.03 means 3 %." in capsys.readouterr().err


def test_a_unit_is_explained_at_a_value_of_a_curve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "curve")
    assert main(["curve", "tiny", "--vary", f"{CEMENT}=-1%:0", "--out", folder]) == 0
    # By hand: at -0.5 % north-1 is due 101,500 t, see tests/studies/curves/test_curve.py.
    for stated in (("--at", "-0.5%"), ("--at=\u22120.5 %",)):
        capsys.readouterr()
        assert main(["explain", folder, "north-1", *stated]) == 0
        assert "101,500 t of allowances" in capsys.readouterr().out
    assert main(["explain", folder, "north-1", "--at", "half"]) == 2
    assert "--at 'half' is no number." in capsys.readouterr().err
    # The anchor is at a place that nobody asked for: its answer is not that of the curve.
    for command in (["explain", folder, "north-1"], ["compare", folder, folder]):
        assert main(command) == 2
        told = capsys.readouterr().err
        assert "etsopt solve INSTANCE --set KEY=VALUE" in told
        assert "anchor" not in told


def test_a_box_tells_where_an_allocation_exists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("curve", "tiny", "--vary", f"{CEMENT}=-3%:0", "--vary", f"{BALANCE}=1%:3%")
    told = of_json(capsys, *asked)
    # A cut of the sector is at most the deficit that the balance of its provinces allows. In tenths of a percent
    # balances are 10 to 30, and targets 0 to -30 in steps of 1.5.
    assert told["with_allocation"] == sum(balance * 2 // 3 + 1 for balance in range(10, 31)) == 294
    assert (told["points"], told["proven"], told["infeasible"]) == (441, 441, 441 - 294)
    assert main([*asked]) == 0
    assert "294 have an allocation, at 147 none exists." in capsys.readouterr().out


def test_a_saved_box_answers_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "box"
    assert main(["curve", "tiny", "--vary", f"{CEMENT}=-3%:0", "--vary", f"{BALANCE}=1%:3%", "--out", str(folder)]) == 0
    box = etsopt.read_curve(folder)
    assert isinstance(box, etsopt.Box)
    assert box.solver.instance.name == "tiny"
    found = box.at(-0.005, 0.015)
    assert (found.status, found.solved) == ("certified_optimal", False)
    own = etsopt.solve(etsopt.read("tiny").with_policy({CEMENT: -0.005, BALANCE: 0.015}))
    assert found.allowance_t == pytest.approx(own.tables["allocation"]["allowance_t"].to_numpy(), abs=1e-6)
    assert box.at(-0.025, 0.015).status == "infeasible_certified"
    # The command that every refusal names works.
    capsys.readouterr()
    for command in (["plot"], ["report"], ["explore"], ["explain", "--at", "1", "north-1"]):
        assert main([command[0], str(folder), *command[1:]]) == 2
    said = capsys.readouterr().err
    line = said.rpartition("A page of both keys: ")[2].partition(". In Python")[0]
    # One corner of what is feasible is not proven.
    assert main([*line.split()[1:], "--out", str(tmp_path / "page.html")]) == 4
    assert (tmp_path / "page.html").is_file()


@pytest.mark.parametrize("second", [(), pytest.param(("--vary", f"{BALANCE}=1%:2%"), marks=pytest.mark.nightly)])
def test_the_instance_of_a_curve_or_box_is_named_with_its_hash(
    second: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped, folder = etsopt.read("tiny"), str(tmp_path / "curve")
    for changes, is_shipped in (({}, True), ({"sectors.cement.band": 0.02}, False)):
        asked = [f"--set={key}={value}" for key, value in changes.items()]
        assert main(["curve", "tiny", *asked, "--vary", f"{CEMENT}=-0.5%:0", *second, "--out", folder]) == 0
        found = of_json(capsys, "check", folder)
        # Another instance than the shipped one is compared under the policy of the first end of the range.
        first = {CEMENT: -0.005} | ({BALANCE: 0.01} if second else {})
        digest = (shipped if is_shipped else shipped.with_policy(changes | first)).hash
        name = "tiny" if is_shipped else "curve"
        assert found["instance"] == {"name": name, "year": 2025, "hash": digest, "shipped": is_shipped}
        assert ("anchor: instance" in str(found["not_checked"])) is not is_shipped
        assert main(["check", folder]) == 0
        words = f"Instance: {name}{' as it is shipped' if is_shipped else ''}, SHA-256 {digest[:16]}…."
        assert words in capsys.readouterr().out


def test_the_instance_of_a_page_is_named_with_its_hash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = str(tmp_path / "page.html")
    assert main(["explore", "tiny", "--vary", f"{CEMENT}=-1%:0", "--out", page]) == 0
    about = of_json(capsys, "check", "tiny", "--page", page)["instance"]
    assert about == {"name": "tiny", "year": 2025, "hash": etsopt.read("tiny").hash, "shipped": True}
    assert main(["check", "tiny", "--page", page]) == 0
    assert "Instance: tiny as it is shipped, SHA-256" in capsys.readouterr().out


@pytest.mark.nightly
def test_a_curve_leaves_nothing_of_one_of_another_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, hand = tmp_path / "curve", tmp_path / "hand"
    write_instance(by_hand(), hand)
    line, box = ("--vary", f"{CEMENT}=-3%:0"), ("--vary", f"{BALANCE}=1%:3%")
    prices = (str(hand), "--model", "clearing", "--vary", "market.auctioned_t=0:120")
    told = []
    for asked in (("tiny", *line), prices, ("tiny", *line, *box), ("tiny", *line)):
        if folder.is_dir():
            (folder / "report.html").write_text("the page of another curve", "utf-8")
            (folder / "mine.csv").write_text("mine", "utf-8")
        assert main(["curve", *asked, "--out", str(folder)]) == 0
        told.append("in place of the curve that was there" in capsys.readouterr().out)
        kept = json.loads((folder / "curve.json").read_text("utf-8"))
        names = {*(f"{name}.csv" for name in kept["tables"]), "curve.json", "mine.csv", "anchor", "runs"}
        assert {one.name for one in folder.iterdir()} <= names
        assert len([*folder.rglob("result.json")]) == len(kept.get("places", ["anchor"]))
        assert main(["check", str(folder)]) == 0
    assert told == [False, True, True, True]


def test_slips_of_python_are_told() -> None:
    instance: Any = etsopt.read("tiny")
    found: Any = etsopt.curve(instance, {CEMENT: (-0.01, 0.0)})
    for call in (
        lambda: etsopt.curve("tiny", {CEMENT: (-0.01, 0.0)}),  # type: ignore[arg-type]
        lambda: etsopt.sweep("tiny", [{CEMENT: -0.01}]),  # type: ignore[arg-type]
        lambda: etsopt.curve(instance, CEMENT),  # type: ignore[arg-type]
        lambda: etsopt.compare("one", "other"),  # type: ignore[arg-type]
        *(lambda value=value: found.at(value) for value in ("-0.73%", None, [0.0])),
    ):
        with pytest.raises(UsageError):
            call()
