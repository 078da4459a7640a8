"""A page in a browser: right wherever it says that it proves, silent over what does not fit, usable by all."""

from __future__ import annotations

import io
import json
import re
import shlex
import zipfile
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from python_calamine import CalamineWorkbook

import etsopt
from etsopt.cli import main
from etsopt.curves import Curve, curve
from etsopt.explore import check_page, write_page
from etsopt.explore.texts import TEXTS
from etsopt.language import LANGUAGES, in_both
from tests.builders import random_instance
from tests.explore.pages import CEMENT, SEAL, STEEL, allowances_at, data_in, forged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser import Page

SAME_T = 1e-5
"""Distance of the answers of two computations, each proven to be within the tolerances of the optimum [t]."""


@pytest.mark.parametrize(
    ("seed", "count"), [(0, 4), *(pytest.param(seed, 100, marks=pytest.mark.nightly) for seed in range(1, 11))]
)
def test_the_answer_of_a_position_is_that_of_its_own_solve(
    seed: int, count: int, page: Page, cement: Curve, cement_page: Path
) -> None:
    page.open(cement_page)
    proven = 0
    for value in np.random.default_rng(seed).uniform(-0.01, 0.0, count).tolist():
        shown = allowances_at(page, value)
        if shown is not None:
            own = etsopt.solve(cement.instance.with_policy({CEMENT: value}))
            assert own.status == "certified_optimal"
            assert np.abs(own.tables["allocation"]["allowance_t"] - shown).max() <= SAME_T
            proven += 1
    assert proven >= 0.99 * count
    assert page.errors == []


OBJECTIVES = (["change", "largest_change"], ["deficit", "spread"], ["largest_change", "deficit", "change"], ["spread"])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("objectives", OBJECTIVES, ids="-".join)
@pytest.mark.everyday("deficit-spread-0", "largest_change-deficit-change-1")
def test_any_objectives_are_proven_or_the_page_says_that_they_are_not(
    seed: int, objectives: list[str], page: Page, tmp_path: Path
) -> None:
    on = "enterprise" if seed % 2 else "unit"
    instance = random_instance(seed, 40, objectives=objectives, band_on=on)
    found = curve(instance, {CEMENT: (-0.006, -0.001)})
    assert isinstance(found, Curve)
    write_page(found, tmp_path / "page.html")
    page.open(tmp_path / "page.html")
    proven, answered = 0, 0
    for value in np.random.default_rng(seed).uniform(-0.006, -0.001, 20).tolist():
        shown, point = allowances_at(page, value), found.at(value)
        if shown is not None:
            assert point.certified
            assert np.abs(point.allowance_t - shown).max() <= SAME_T
            proven += 1
        answered += point.certified and not point.solved and bool(np.isfinite(point.allowance_t).all())
    # An honest page follows from its instance, whatever its multipliers were rounded to.
    assert check_page(tmp_path / "page.html", instance).refused == ()
    # Where the curve has a proven piece, the browser proves it too.
    assert proven >= 0.95 * answered


def active(data: dict[str, Any], page: Page, value: float) -> int:
    """Return a row with the largest price at a value."""
    prices = page.ask(f"set({value!r}), Array.from(shown.prices, Math.abs)")
    return int(np.argmax(prices))


def inconsistent(kind: str, data: dict[str, Any], row: int, random: np.random.Generator) -> None:
    """Change one number of a page, so that its answer is no longer that of its question."""
    unit = int(random.integers(len(data["limits"]["lower"][0])))
    by = float(1 + random.choice([-1, 1]) * 10 ** random.uniform(-3.5, -1))
    if kind == "multipliers":
        for linear in data["linear"]:
            linear["change"][int(np.argmax(np.abs(linear["change"])))] *= by
    elif kind == "limits":
        for side in ("least", "most"):
            for end in data["rows"][side]:
                end[row] = None if end[row] is None else end[row] * by
    elif kind == "references":
        data["units"]["reference"][unit] *= by
    else:
        # A band that excludes the answer of its unit.
        data["limits"]["upper"] = [list(end) for end in data["limits"]["upper"]]
        for end, lower in zip(data["limits"]["upper"], data["limits"]["lower"], strict=True):
            end[unit] = lower[unit] * (1 - abs(by - 1))


@pytest.mark.parametrize("number", range(200))
@pytest.mark.everyday("0")
def test_an_inconsistent_page_has_no_seal(number: int, page: Page, cement_page: Path) -> None:
    random = np.random.default_rng(number)
    kind = ("multipliers", "limits", "references", "bands")[number % 4]
    value = float(random.uniform(-0.01, -0.0005))
    page.open(cement_page)
    assert allowances_at(page, value) is not None
    data = data_in(cement_page)
    inconsistent(kind, data, active(data, page, value), random)
    page.open(forged(cement_page, data))
    assert allowances_at(page, value) is None
    assert page.ask(SEAL) == "unproven"
    assert page.errors == []


@pytest.mark.parametrize("seed", range(10))
def test_another_answer_within_the_limits_is_not_proven(seed: int, page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    random, data = np.random.default_rng(seed), data_in(cement_page)
    rows = np.array(data["rows"]["of"])
    value = float(random.uniform(-0.01, -0.0005))
    for _trial in range(20):
        # Tonnes that move between two units of one sector and one province leave every total as it is.
        one = int(random.integers(rows.shape[1]))
        (others,) = np.nonzero((rows == rows[:, [one]]).all(axis=0) & (np.arange(rows.shape[1]) != one))
        if not len(others):
            continue
        other, tonnes = int(random.choice(others)), float(10 ** random.uniform(2, 4))
        moved = f"{{ ...position, answer: position.answer.map((a, i) => a + (i === {one}) * t - (i === {other}) * t) }}"
        proof = f"((t, position) => ENGINE.prove({moved}).proven)({tonnes!r}, proofAt(placeOf({value!r})))"
        assert page.ask(proof) is False, (one, other, tonnes)
    assert page.ask(f"proofAt(placeOf({value!r})).proof.proven")


def test_a_page_altered_by_hand_does_not_run(page: Page, tiny_page: Path) -> None:
    path = tiny_page.with_name("altered.html")
    path.write_text(tiny_page.read_text(encoding="utf-8").replace('"emissions":[100000', '"emissions":[100001', 1))
    page.open(path)
    assert page.ask("document.getElementById('app').hidden && !document.getElementById('missing').hidden")
    assert "the file was altered" in page.ask("document.body.innerText")


def test_no_allocation_is_proven_in_the_browser(page: Page, steel: Curve, steel_page: Path) -> None:
    page.open(steel_page)
    (stretch,) = steel.cover.stretches
    for value in (-0.01, -0.009, -0.0078):
        page.ask(f"set({value!r})")
        assert page.ask(SEAL) == "infeasible"
        missing = page.ask(f"ENGINE.infeasible(DATA.infeasible[0], placeOf({value!r}))")
        own = steel.solver.infeasible_by_t([steel.axis.place(value)], stretch.dual)
        assert 0 <= own - missing <= 1e-6 * own + 1e-3
        # What is shown instead is the last position with an answer.
        assert page.ask("shown.value[0]") == pytest.approx(steel.infeasible["to"].iloc[0], abs=1e-9)
    # Nothing of it is proven where there is an allocation, however large the multipliers.
    for times in (1, 1e6):
        dual = f"{{ ...DATA.infeasible[0], dual: DATA.infeasible[0].dual.map((one) => one * {times}) }}"
        assert page.ask(f"[0.23, 0.5, 1].map((x) => ENGINE.infeasible({dual}, [x]))") == [0, 0, 0]
    assert page.ask("getComputedStyle(document.querySelector('#track .is-infeasible')).backgroundImage").startswith(
        "repeating-linear-gradient"
    )


def test_what_has_no_piece_is_not_proven_and_shows_the_nearest(page: Page, cement_page: Path) -> None:
    data = data_in(cement_page)
    gone = data["pieces"].pop(10)
    page.open(forged(cement_page, data))
    start, end = (-0.01 + 0.01 * gone[side] for side in ("from", "to"))
    page.ask(f"set({start + 0.1 * (end - start)!r})")
    assert page.ask(SEAL) == "unproven"
    assert page.ask("shown.value[0]") == pytest.approx(start, abs=1e-8)
    assert page.ask("document.getElementById('nearest').textContent").startswith(
        "All below is of another value, the nearest that is proven: −"
    )
    assert "not proven here" in page.ask("document.getElementById('legend').textContent")
    # Headline, marks at the side and the workbook say that they are of another value.
    assert page.ask("document.getElementById('headline').textContent").startswith("Not at the value that is set, but")
    assert page.ask("document.getElementById('app').className") == "elsewhere"
    asked = "sheets()[0].rows.find(([about]) => about === say('not_here'))"
    assert page.ask(asked) == [
        "Set on the page, and not proven to have an allocation",
        page.ask("keyValues(placeOf(value))"),
    ]
    page.ask("set(-0.001)")
    assert page.ask(SEAL) == "proven"
    assert page.ask(f"[document.getElementById('app').className, {asked}]") == ["", None]


def test_enter_takes_the_first_plant_found_and_another_search_clears_it(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("document.getElementById('search').value = 'cement anhui conch', find()")
    page.ask("document.getElementById('search').onkeydown({ key: 'Enter' })")
    chosen = page.ask("document.getElementById('mine').textContent")
    assert "Conch" in chosen
    assert page.ask("document.getElementById('search').value = 'nobody', find()") is None
    assert page.ask("[chosen, document.getElementById('mine').textContent]") == [-1, ""]


def test_a_page_without_an_answer_says_so(page: Page, tmp_path: Path) -> None:
    found = curve(etsopt.read("tiny"), {CEMENT: (-0.06, -0.05)})
    assert isinstance(found, Curve)
    assert not found.cover.pieces
    write_page(found, tmp_path / "page.html")
    page.open(tmp_path / "page.html")
    assert page.ask(SEAL) == "infeasible"
    assert page.ask("document.getElementById('nearest').textContent") == "No value near it is proven either."
    assert page.ask("Array.from(document.querySelectorAll('main > section'), (one) => one.hidden)") == [True] * 7
    assert page.errors == []


def test_a_page_whose_program_fails_keeps_no_seal(page: Page, tiny_page: Path) -> None:
    page.open(tiny_page)
    assert page.ask(SEAL) == "proven"
    page.ask("DATA.linear.forEach((one) => { one.change = null; })")
    page.ask("try { set(-0.004) } catch { null }")
    assert page.ask(SEAL) == ""


def test_nothing_is_requested_and_nothing_fails(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("for (const k of [0, 300, 777, 1000]) set(stepped(k)); language")
    assert page.requests == [cement_page.as_uri()]
    assert page.errors == []


@pytest.mark.nightly
def test_keys_move_the_slider_by_a_step(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("document.getElementById('slider').focus()")
    page.press("End")
    assert page.ask("value[0]") == 0.0
    page.press("ArrowLeft")
    assert page.ask("value[0]") == -0.00001
    page.press("Home")
    assert page.ask("[value[0], document.getElementById('typed').value]") == [-0.01, "-1"]
    page.press("ArrowRight")
    assert page.ask("document.getElementById('slider').getAttribute('aria-valuetext')") == "−0.999 %"


@pytest.mark.nightly
def test_a_value_is_typed_and_kept_within_the_range(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    for typed, value in (("-0.12345", -0.0012345), ("-5", -0.01), ("3", 0.0)):
        page.ask(f"(typed => {{ typed.value = {typed!r}; typed.onchange(); }})(document.getElementById('typed'))")
        assert page.ask("value[0]") == value


def test_a_button_speaks_the_other_language(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    texts = {key: in_both(text) for key, text in TEXTS.items()}
    for language, code in zip(LANGUAGES, ("en", "zh-CN"), strict=True):
        assert page.ask("document.documentElement.lang") == code
        shown = page.ask("Array.from(document.querySelectorAll('[data-t]'), (one) => [one.dataset.t, one.textContent])")
        assert shown == [[key, texts[key][language]] for key, _text in shown]
        assert texts["proven"][language] in page.ask("document.getElementById('seal').textContent")
        page.ask("document.getElementById('language').click()")
    headline = "Target of cement −0.5 %: 1,224 units get less than by the rule, 5,665.00 kt in all; 41 get more"
    assert page.ask("document.getElementById('headline').textContent") == headline


def test_a_plant_is_found_by_name_and_explained(page: Page, cement: Curve, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.008), document.getElementById('search').value = 'wuhu conch', find()")
    page.ask("document.querySelector('#found button').click()")
    text = page.ask("document.getElementById('mine').innerText")
    results = cement.results(-0.008)
    table = results.tables["allocation"].set_index("unit_id")
    chosen = page.ask("UNITS.id[chosen]")
    row = table.loc[chosen]
    assert f"gets {row['allowance_t']:,.0f} t at −0.8 %" in text
    assert f"The rule alone gives {row['reference_t']:,.0f} t." in text
    # The limits move it as `etsopt explain` says, but that multipliers of a piece serve all of it.
    (pull,) = re.findall(r"Target of cement: −([\d,]+) t", text)
    (target,) = (step.value for step in results.explain(chosen).steps if step.key == "sector_target")
    assert -float(pull.replace(",", "")) == pytest.approx(target, rel=1e-3)


@pytest.mark.nightly
def test_a_unit_that_no_limit_moves_says_so(page: Page, tmp_path: Path) -> None:
    instance = random_instance(3, 40)
    found = curve(instance, {CEMENT: (-0.006, -0.001)})
    assert isinstance(found, Curve)
    write_page(found, tmp_path / "page.html")
    page.open(tmp_path / "page.html")
    fixed = int(np.flatnonzero(~found.solver.box.free)[0])
    page.ask(f"chosen = {fixed}, drawMine()")
    assert "Its allowances are set by the rule alone" in page.ask("document.getElementById('mine').textContent")


@pytest.mark.nightly
def test_largest_losses_are_those_of_the_answer(page: Page, cement: Curve, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.003)")
    shown = page.ask("Array.from(document.querySelectorAll('#losses tbody tr'), (row) => row.cells[5].textContent)")
    loss = cement.anchor.tables["allocation"]["reference_t"].to_numpy() - cement.at(-0.003).allowance_t
    assert shown == [f"−{one:,.0f} t" for one in np.sort(loss)[::-1][:10]]


@pytest.mark.nightly
def test_sums_are_those_of_the_answer(page: Page, cement: Curve, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.003)")
    rows = page.ask("Array.from(document.querySelectorAll('#sectors tbody tr'), (row) => row.cells[3].textContent)")
    sums = cement.instance.labels("sector").sums(cement.at(-0.003).allowance_t)
    assert rows == [f"{one / 1e3:,.2f}" for one in sums]
    tiles = page.ask("Array.from(document.querySelectorAll('#tiles li'), (one) => one.textContent)")
    assert len(tiles) == 31


def saved(page: Page) -> dict[str, list[list[Any]]]:
    """Return the cells of the workbook that a page saves, by the names of its sheets."""
    held = page.ask("new Blob(workbook(sheets())).arrayBuffer().then((one) => Array.from(new Uint8Array(one)))")
    assert zipfile.ZipFile(io.BytesIO(bytes(held))).testzip() is None
    book = CalamineWorkbook.from_filelike(io.BytesIO(bytes(held)))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_position_is_saved_as_a_workbook(page: Page, cement: Curve, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.003)")
    book = saved(page)
    heads, *rows = book["Allowances"]
    assert heads[-3:] == ["allowance_t", "change_t", "surplus_t"]
    assert [row[0] for row in rows] == cement.units
    assert [row[6] for row in rows] == page.ask("Array.from(shown.all)")
    assert np.abs(np.array([row[6] for row in rows], float) - cement.at(-0.003).allowance_t).max() <= SAME_T
    about = {row[0]: row[1] for row in book["Position"] if row[0]}
    assert about["Hash of the instance"] == cement.instance.hash
    assert about[CEMENT] == -0.003
    assert f"{about['Solve it again']}\n{about['Check the page']}" == page.ask("commands().join('\\n')")
    assert about["change"] == page.ask("shown.proof.levels[0].value")
    page.ask("speak('zh')")
    assert list(saved(page)) == ["位置", "配额"]


def test_the_command_of_a_position_gives_its_answer(
    page: Page, tiny_page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.open(tiny_page)
    page.ask("set(-0.0043)")
    solve, check = page.ask("document.getElementById('commands').textContent").split("\n")
    assert solve == "etsopt solve tiny --set sectors.cement.target_change=-0.0043 --out run"
    assert check == "etsopt check tiny --page page.html"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_bytes(tiny_page.read_bytes())
    assert [main(shlex.split(line)[1:]) for line in (solve, check)] == [0, 0]
    own = etsopt.load(tmp_path / "run").tables["allocation"]["allowance_t"]
    assert np.abs(own - page.ask("Array.from(shown.all)")).max() <= SAME_T


@pytest.mark.everyday("360")
@pytest.mark.parametrize("width", [360, 390, 1280])
def test_nothing_is_wider_than_the_window(width: int, page: Page, cement_page: Path) -> None:
    page.size(width, 844, phone=width < 500)
    page.open(cement_page)
    for _language in LANGUAGES:
        page.ask("chosen = 5, move(value), document.getElementById('language').click()")
        assert page.ask("document.documentElement.scrollWidth") <= width


def test_a_page_is_printed_on_few_sheets(page: Page, cement_page: Path) -> None:
    page.size(1280, 900)
    page.open(cement_page)
    assert 2 <= page.printed().count(b"/Type /Page\n") <= 5


@pytest.mark.nightly
def test_parts_have_names_for_those_who_hear_them(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("chosen = 5, drawMine()")
    named = (
        "(node) => node.textContent.trim() || node.getAttribute('aria-label') || node.labels?.[0]?.textContent.trim()"
    )
    named += " || document.getElementById(node.getAttribute('aria-labelledby'))?.textContent"
    nameless = page.ask(
        f"Array.from(document.querySelectorAll('button, input, svg[role=img]')).filter((one) => !({named})(one))"
        ".map((one) => one.id || one.outerHTML)"
    )
    assert nameless == []
    levels = page.ask("Array.from(document.querySelectorAll('h1, h2, h3'), (one) => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = page.ask("Array.from(document.querySelectorAll('[id]'), (one) => one.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.nightly
def test_numbers_of_the_proof_are_those_of_the_checker(page: Page, cement: Curve, cement_page: Path) -> None:
    page.open(cement_page)
    value = -0.0043
    page.ask(f"set({value!r})")
    levels = json.loads(page.ask("JSON.stringify(shown.proof.levels)"))
    results = cement.results(value)
    own = {level.name: level for level in etsopt.check(results.instance, results).levels}
    for level in levels:
        assert level["value"] == pytest.approx(own[level["name"]].value, rel=1e-9)
        assert 0 < level["gap"] <= level["tolerance"]
        assert level["tolerance"] == pytest.approx(own[level["name"]].tolerance, rel=1e-9)


@pytest.mark.nightly
def test_steel_is_named_in_its_own_command(page: Page, steel_page: Path) -> None:
    page.open(steel_page)
    page.ask("set(-0.0012)")
    assert f"--set {STEEL}=-0.0012 " in page.ask("document.getElementById('commands').textContent")


@pytest.mark.nightly
def test_keys_that_move_together_are_told_by_their_values(page: Page, tmp_path: Path) -> None:
    instance, ends = etsopt.read("tiny"), {CEMENT: (-0.01, 0.0), "provinces.balance": (0.02, 0.01)}
    found = curve(instance, along=ends)
    assert isinstance(found, Curve)
    write_page(found, tmp_path / "page.html")
    page.open(tmp_path / "page.html")
    page.ask("set(0.3)")
    headline = "Target of cement −0.7 %, Balance of provinces 1.7 %: "
    assert page.ask("document.getElementById('headline').textContent").startswith(headline)
    command = page.ask("document.getElementById('commands').textContent").split("\n")[0]
    changes = dict(one.split("=") for one in shlex.split(command) if "=" in one)
    own = etsopt.solve(instance.with_policy({key: float(value) for key, value in changes.items()}))
    shown = page.ask("Array.from(shown.all)")
    assert np.abs(own.tables["allocation"]["allowance_t"] - shown).max() <= SAME_T


def test_names_are_texts_whatever_they_hold(page: Page, tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)></script><script>alert(2)</script> & 'Line' \"1\""
    units = etsopt.read("tiny").units.assign(name=[name, "other", "third"])
    found = curve(etsopt.Instance.from_frames(units, etsopt.read("tiny").policy.model_dump()), {CEMENT: (-0.01, 0.0)})
    assert isinstance(found, Curve)
    write_page(found, tmp_path / "page.html")
    page.open(tmp_path / "page.html")
    page.ask("chosen = 0, drawMine()")
    assert page.ask("document.getElementById('mine').textContent").startswith(f"{name} gets ")
    assert page.ask("document.querySelectorAll('img').length") == 0
    assert page.requests == [(tmp_path / "page.html").as_uri()]
    assert page.errors == []
