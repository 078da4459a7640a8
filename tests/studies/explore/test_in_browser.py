"""A page in a browser: right wherever it says that it proves, silent over what does not fit, usable by all."""

from __future__ import annotations

import io
import json
import re
import shlex
import zipfile
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
import pytest
from python_calamine import CalamineWorkbook
from scipy.optimize import linprog
from scipy.sparse import block_array, coo_array, eye_array, vstack

import etsopt
from etsopt.cli import main
from etsopt.common.language import LANGUAGES, in_both
from etsopt.studies.curves import Curve, curve
from etsopt.studies.explore import check_page, write_page
from etsopt.studies.explore.texts import TEXTS
from tests.builders import random_instance
from tests.studies.explore.pages import CEMENT, SEAL, STEEL, allowances_at, data_in, forged

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser import Page

SAME_T = 1e-4
"""Distance of the answers of two computations [t]. Each is proven to be within 0.13 t of the optimum; of a thousand
answers in the doubles of a browser the largest distance was 6e-5."""


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


def least_values(page: Page) -> list[float]:
    """The least change, and then the least largest rate, within the limits of a page's position, by another program."""
    names = ("ENGINE.E", "ENGINE.R", *(f"shown.limit.{side}" for side in ("lower", "upper", "least", "most")))
    found = (page.ask(f"Array.from({name}, (one) => Number.isFinite(one) ? one : null)") for name in names)
    e, r, lower, upper, least, most = (np.array(one, float) for one in found)
    n, kinds = len(e), np.array(page.ask("DATA.rows.of"))
    kind, unit = np.nonzero(kinds >= 0)
    rows = coo_array((np.ones(len(kind)), (kinds[kind, unit], unit)), (len(least), n)).tocsr()
    one, nothing = eye_array(n), coo_array((len(least), n + 1))
    # Columns: allowances, distances from the reference, and the largest rate of a unit of mean size, all in tonnes.
    parts = [block_array([[rows, nothing]]), block_array([[-rows, nothing]])]
    parts += [block_array([[side * one, -one, coo_array((n, 1))]]) for side in (1, -1)]
    parts += [block_array([[coo_array((n, n)), one, coo_array(-e[:, None] / e.mean())]])]
    matrix, most_of = vstack(parts).tocsr(), np.concatenate([most, -least, r, -r, 0 * r])
    bounds = [*zip(lower, upper, strict=True), *[(0, None)] * n, (0, None)]
    values = list[float]()
    for cost in (np.r_[0 * e, 1 + 0 * e, 0.0], np.r_[0 * e, 0 * e, 1.0]):
        stated = np.isfinite(most_of)
        ended = linprog(cost, A_ub=matrix[stated], b_ub=most_of[stated], bounds=bounds)
        values.append(float(ended.fun))
        matrix = vstack([matrix, coo_array(cost[None])]).tocsr()
        most_of = np.append(most_of, ended.fun * (1 + 1e-9))
    return [values[0], values[1] / e.mean()]


@pytest.mark.parametrize("number", range(200))
@pytest.mark.everyday("0", "1", "2")
def test_an_inconsistent_page_has_no_seal_or_answers_what_it_states(number: int, page: Page, cement_page: Path) -> None:
    random = np.random.default_rng(number)
    kind = ("multipliers", "limits", "references", "bands")[number % 4]
    value = float(random.uniform(-0.01, -0.0005))
    page.open(cement_page)
    assert allowances_at(page, value) is not None
    data = data_in(cement_page)
    inconsistent(kind, data, active(data, page, value), random)
    page.open(forged(cement_page, data))
    answered = allowances_at(page, value) is not None
    assert page.ask(SEAL) == ("proven" if answered else "unproven")
    assert page.errors == []
    # The browser solves anew: under the same multipliers a changed limit or reference is a question of its own.
    assert not answered or kind in ("limits", "references")
    if answered:
        proven = page.ask("shown.proof.levels.map(({ value }) => value)")
        assert proven[:2] == pytest.approx(least_values(page), rel=1e-6)


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
    assert page.ask("sheets()[0].rows[1][0].value").startswith("All below is of another value")
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


def test_search_says_how_many_it_found_and_goes_by_arrows(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("document.getElementById('search').focus(), document.getElementById('search').value = 'conch', find()")
    count = page.ask("UNITS.id.filter((_, unit) => nameOf(unit).toLowerCase().includes('conch')).length")
    (*_, last) = page.ask("Array.from(document.querySelectorAll('#found li'), (one) => one.textContent)")
    assert last == f"10 of {count} are listed: a longer name finds fewer."
    focused = "Array.from(document.querySelectorAll('#search, #found button')).indexOf(document.activeElement)"
    for key, place in (("ArrowDown", 1), ("ArrowDown", 2), ("ArrowUp", 1), ("ArrowUp", 0), ("ArrowDown", 1)):
        page.press(key)
        assert page.ask(focused) == place
    page.ask("document.activeElement.click()")
    assert page.ask("document.activeElement.id") == "mine"


def test_a_page_without_an_answer_says_so(page: Page, tmp_path: Path) -> None:
    found = curve(etsopt.read("tiny"), {CEMENT: (-0.06, -0.05)})
    assert isinstance(found, Curve)
    assert not found.cover.pieces
    write_page(found, tmp_path / "page.html")
    page.open(tmp_path / "page.html")
    assert page.ask(SEAL) == "infeasible"
    assert (
        page.ask("document.getElementById('nearest').textContent")
        == "None of the values tried near it is proven either."
    )
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
def test_a_value_is_typed_as_people_type_it(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    typed = ("-0.12345", "−0.8", "-0,8", "-0。8", "－０．８", "-8e-1", " -.8 % ")
    for text, value in zip(typed, (-0.0012345, *[-0.008] * 6), strict=True):
        type_in(page, text)
        assert page.ask("value[0]") == value
    read = {"1,234,567": 1234567, "1,234.5": 1234.5, "0,125": 0.125, "1,234": None, "1.2.3": None, "": None}
    assert page.ask(f"{list(read)}.map(numberIn).map((one) => Number.isNaN(one) ? null : one)") == list(read.values())


def type_in(page: Page, text: str) -> None:
    page.ask(f"(typed => {{ typed.value = {text!r}; typed.onchange(); }})(document.getElementById('typed'))")


def test_what_is_typed_in_vain_is_said_and_changes_nothing(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.008)")
    said = "[value[0], document.getElementById('typed').value, document.getElementById('refused').textContent]"
    for text, fault in (
        ("5", "outside −1 % … 0 %"),
        ("-1.001", "outside −1 % … 0 %"),
        ("", "no number"),
        ("abc", "no number"),
    ):
        type_in(page, text)
        assert page.ask(said) == [-0.008, "-0.8", f"“{text}” is {fault}: nothing was changed."]
    type_in(page, "-0.7")
    assert page.ask(said) == [-0.007, "-0.7", ""]


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


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.everyday("390")
def test_the_line_of_a_plant_has_axes_and_a_mark(width: int, page: Page, cement: Curve, cement_page: Path) -> None:
    page.size(width, 844)
    page.open(cement_page)
    page.ask("set(-0.008), chosen = 5, drawMine()")
    texts = "Array.from(document.querySelectorAll('.line text'),"
    places = dict(page.ask(f"{texts} (one) => [one.textContent, Number(one.getAttribute('x'))])"))
    allowance = cement.at(-0.008).allowance_t[5]
    assert {"Allowance [t]", "Target of cement [%]", "−1", "0", f"−0.8 % · {allowance:,.0f} t"} <= places.keys()
    mark = page.ask("Number(document.querySelector('.line circle').getAttribute('cx'))")
    assert mark == pytest.approx(places["−1"] + 0.2 * (places["0"] - places["−1"]))
    # Nothing of it is outside of the drawing, and labels do not touch each other.
    sides = "(({ left, right, top, bottom }) => [left, right, top, bottom])(one.getBoundingClientRect())"
    boxes = page.ask(f"{texts} (one) => {sides})")
    assert all(left >= 0 and right <= width for left, right, *_ in boxes)
    assert not [
        (one, other)
        for place, one in enumerate(boxes)
        for other in boxes[:place]
        if max(one[0], other[0]) < min(one[1], other[1]) and max(one[2], other[2]) + 4 < min(one[3], other[3])
    ]


def test_ticks_are_round_and_within_their_ends(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    assert page.ask("ticksOf(-1, 0, 4)") == [-1, -0.5, 0]
    assert page.ask("ticksOf(10316900, 10325000, 5)") == [10318000, 10320000, 10322000, 10324000]
    assert page.ask("ticksOf(0.031, 0.05, 7)") == [0.035, 0.04, 0.045, 0.05]


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
    shown = page.ask("Array.from(document.querySelectorAll('#losses tbody tr'), (row) => row.cells[1].textContent)")
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
    rows = page.ask("Array.from(document.querySelectorAll('#provinces tbody tr'), (row) => row.cells[3].textContent)")
    assert rows == [
        f"{one / 1e3:,.2f}" for one in cement.instance.labels("province").sums(cement.at(-0.003).allowance_t)
    ]


SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
"""Space of the names of a workbook's parts."""


def held_by(page: Page) -> bytes:
    """Return the workbook that a page saves."""
    held = "new Blob(workbook(sheets())).arrayBuffer().then((one) => Array.from(new Uint8Array(one)))"
    return bytes(page.ask(held))


def saved(page: Page) -> dict[str, list[list[Any]]]:
    """Return the cells of the workbook that a page saves, by the names of its sheets."""
    held = held_by(page)
    assert zipfile.ZipFile(io.BytesIO(held)).testzip() is None
    book = CalamineWorkbook.from_filelike(io.BytesIO(held))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_a_position_is_saved_as_a_workbook(page: Page, cement: Curve, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.003)")
    book = saved(page)
    heads, *rows = book["Allowances"]
    assert heads[5:9] == ["Emissions [tCO2e]", "By the rule [t]", "Proposed allowance [t]", "Change [t]"]
    assert [row[0] for row in rows] == cement.units
    assert [row[7] for row in rows] == page.ask("Array.from(shown.all)")
    assert np.abs(np.array([row[7] for row in rows], float) - cement.at(-0.003).allowance_t).max() <= SAME_T
    assert [row[10] for row in rows] == [row[7] - row[5] if abs(row[7] - row[5]) >= 0.005 else 0 for row in rows]
    about = {row[0]: row[1:] for row in book["About"] if row[0]}
    assert next(iter(about)) == "Allowances of cn-2025 at Target of cement −0.3 %"
    assert list(about)[1:3] == [
        "Proven by the page that saved this workbook, by its file's numbers: no allocation within the limits is better",
        "Calculated, not decided: these allowances are proposed, and no final allocation.",
    ]
    assert about["Hash of the instance"][0] == cement.instance.hash
    assert about["Target of cement"][:2] == [-0.003, CEMENT]
    commands = "\n".join(about[name][0] for name in ("Solve it again", "Check the page"))
    assert commands == page.ask("commands().join('\\n')")
    assert about["sum of changes against the rule"][:2] == [page.ask("shown.proof.levels[0].value"), "t"]
    # Sectors and provinces add up to what all units get.
    for kind in ("Sectors", "Provinces"):
        heads, *parts, whole = book[kind]
        assert heads[1:3] == ["Units", "Units with less"]
        assert whole[1] == sum(row[1] for row in parts) == len(rows)
        assert whole[5] == pytest.approx(sum(row[7] for row in rows), abs=1e-3)
        assert whole[5] == pytest.approx(sum(row[5] for row in parts), abs=1e-3)
    assert any("nothing in it can show that" in one for one in about)
    page.ask("speak('zh')")
    book = saved(page)
    assert list(book) == ["说明", "配额", "行业", "省份"]
    assert not re.search("核定配额|最小二乘", str([*book["说明"][5:], book["配额"][0]]))


def test_cells_of_a_workbook_have_the_formats_of_their_quantities(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.003)")
    parts = zipfile.ZipFile(io.BytesIO(held_by(page)))
    styles, about, units = (
        ElementTree.fromstring(parts.read(f"xl/{name}.xml"))
        for name in ("styles", "worksheets/sheet1", "worksheets/sheet2")
    )
    codes = {one.get("numFmtId"): one.get("formatCode") for one in styles.iter(f"{SHEET}numFmt")}
    kinds = [codes.get(one.get("numFmtId")) for one in styles.iterfind(f"{SHEET}cellXfs/{SHEET}xf")]

    def formats(sheet: ElementTree.Element, row: int) -> list[str | None]:
        return [kinds[int(cell.get("s", 0))] for cell in list(sheet.iter(f"{SHEET}row"))[row]]

    tonnes, percent = (f"{one};[Red]-{one};{zero}" for one, zero in (("#,##0.00", "0.00"), ("0.000%", "0.000%")))
    assert formats(units, 1)[:5] == [None] * 5
    # References of the plan are whole tonnes.
    assert formats(units, 1)[5:] == [*["#,##0;[Red]-#,##0;0"] * 2, tonnes, tonnes, percent, tonnes, percent]
    told = page.ask("sheets()[0].rows.findIndex(([first]) => first === 'Target of cement')")
    assert formats(about, told)[1] == percent
    assert [one.get("ySplit") for one in units.iter(f"{SHEET}pane")] == ["1"]
    # Names fit into their columns but the longest.
    width = {one.get("min"): float(one.get("width", 0)) for one in units.iter(f"{SHEET}col")}
    assert width["2"] >= np.quantile(page.ask("UNITS.name.map((one) => one.length)"), 0.9)


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
        # Numbers of tiles are whole, columns are there, and what is pressed is as large as a finger needs.
        tiles = "Array.from(document.querySelectorAll('#tiles li'))"
        assert page.ask(f"{tiles}.every((one) => one.scrollWidth <= one.clientWidth)")
        assert page.ask("Array.from(document.querySelectorAll('th, td')).every((one) => one.checkVisibility())")
        heights = "Array.from(document.querySelectorAll('button, input'), (one) => one.getBoundingClientRect().height)"
        visible = "(one) => { one.style.contentVisibility = 'visible'; }"
        page.ask(f"document.querySelectorAll('main > section').forEach({visible})")
        assert page.ask(f"Math.min(...{heights})") >= 24


CONTRASTS = """(() => {
  const parsed = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const over = ([r, g, b, a], below) => [r, g, b].map((one, k) => a * one + (1 - a) * below[k]);
  const light = (colour) => colour.map((one) => one / 255)
    .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)
    .reduce((sum, one, k) => sum + one * [0.2126, 0.7152, 0.0722][k], 0);
  const behind = (node) => over(parsed(getComputedStyle(node).backgroundColor),
    node.parentElement ? behind(node.parentElement) : [255, 255, 255]);
  const texts = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
    && !one.closest("script") && [...one.childNodes].some((part) => part.nodeType === 3 && part.textContent.trim()));
  return texts.map((node) => {
    const style = getComputedStyle(node), below = behind(node.ownerSVGElement?.parentElement ?? node);
    const own = over(parsed(node.ownerSVGElement ? style.fill : style.color), below);
    const [one, other] = [light(own), light(below)].sort((a, b) => b - a);
    return [(one + 0.05) / (other + 0.05), node.textContent.slice(0, 40), node.className];
  });
})()"""
"""Contrast of each text of a page with what is behind it (WCAG 2.2), the text, and its class."""


@pytest.mark.parametrize("media", ["screen", "print"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.everyday("dark-screen")
def test_every_text_can_be_told_from_what_is_behind_it(scheme: str, media: str, page: Page, steel_page: Path) -> None:
    page.send("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        page.open(steel_page)
        # The darkest tiles, a place without an allocation, and a plant.
        for value in (-0.0077, -0.009, 0.0):
            page.ask(f"chosen = 5, set({value})")
            found = page.ask(CONTRASTS)
            assert len(found) > 100
            assert [one for one in found if one[0] < 4.5] == []
    finally:
        page.send("Emulation.setEmulatedMedia", media="", features=[])


def test_a_page_is_printed_on_few_sheets(page: Page, cement_page: Path) -> None:
    page.size(1280, 900)
    page.open(cement_page)
    assert 2 <= page.printed().count(b"/Type /Page\n") <= 5
    # What has nothing in it, or asks for a click, is not printed; the day is.
    page.send("Emulation.setEmulatedMedia", media="print")
    try:
        shown = "(id) => getComputedStyle(document.getElementById(id)).display !== 'none'"
        assert page.ask(f"['losses-choose', 'date'].map({shown})") == [False, True]
        section = "getComputedStyle(document.getElementById('mine').parentNode).display"
        assert page.ask(section) == "none"
        assert page.ask(f"chosen = 5, drawMine(), {section}") == "block"
    finally:
        page.send("Emulation.setEmulatedMedia", media="")


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


def test_each_language_has_its_own_names_of_plants(page: Page, cement_page: Path) -> None:
    data = data_in(cement_page)
    data["units"]["en"] = ["", "Second", *[""] * (len(data["units"]["id"]) - 2)]
    data["units"]["zh"][1] = "第二"
    page.open(forged(cement_page, data))
    names = "[0, 1].map(nameOf)"
    first = data["units"]["name"][0]
    assert page.ask(f"language = 'en', {names}") == [first, "Second"]
    assert page.ask(f"language = 'zh', {names}") == [first, "第二"]


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
