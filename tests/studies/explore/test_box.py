"""A page with two sliders: what it seals is right, what cannot be met is proven, and a check finds what was altered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.units import tolerance_of
from etsopt.studies.curves.axes import axes_of, instance_at
from etsopt.studies.explore import box_cover, check_page, cover_box, write_page
from etsopt.studies.explore.box_cover import INFEASIBLE, OPEN, BoxCover, point_of, points_count
from etsopt.studies.explore.page import require_page
from tests.builders import random_instance
from tests.studies.explore.pages import CEMENT, SEAL, STEEL, allowances_at, data_in, forged
from tests.studies.explore.test_page import explored

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.data.instance import Instance
    from tests.browser import Page

SAME_T = 1e-5
"""Distance of the answers of two computations at the same largest rate [t]."""

BALANCE = "provinces.balance"


def boxed(instance: Instance, ends: dict[str, tuple[float, float]]) -> BoxCover:
    return cover_box(require_page(instance, axes_of(ends, None)))


def written(found: BoxCover, folder: Path) -> Path:
    write_page(found, folder / "box.html")
    return folder / "box.html"


@pytest.fixture(scope="module")
def tiny_box() -> BoxCover:
    """The box of tiny over a target and the balance of provinces, in a corner of which limits cannot be met."""
    return boxed(etsopt.read("tiny"), {CEMENT: (-0.05, 0.0), BALANCE: (0.031, 0.005)})


@pytest.fixture
def tiny_page(tiny_box: BoxCover, tmp_path: Path) -> Path:
    return written(tiny_box, tmp_path)


def sealed(page: Page, instance: Instance, found: BoxCover, count: int, seed: int) -> tuple[int, int]:
    """Return at how many random positions a page has an answer, and at how many of these a seal; each is right."""
    axes, proven, feasible = found.solver.axes, 0, 0
    for x in np.random.default_rng(seed).uniform(0, 1, (count, 2)):
        values = [axis.shown(float(place)) for axis, place in zip(axes, x, strict=True)]
        shown, state = allowances_at(page, values), page.ask(SEAL)
        if state == "unproven":
            feasible += 1
            continue
        own = etsopt.solve(instance_at(instance, axes, x))
        if state == "infeasible":
            assert own.status == "infeasible_certified"
            continue
        assert shown is not None
        assert own.status == "certified_optimal"
        # Which multipliers the page finds hangs on how far its map is. Each answer has a rate of its own, proven to be
        # within the tolerance of a rate, by which every unit at that rate moves.
        allocation = own.tables["allocation"]
        near = SAME_T + tolerance_of(0.0, "rate") * allocation["emissions_tco2e"]
        assert (np.abs(allocation["allowance_t"] - shown) <= near).all()
        feasible, proven = feasible + 1, proven + 1
    assert page.errors == []
    return feasible, proven


@pytest.mark.nightly
def test_nine_of_ten_positions_of_the_nation_have_a_seal(page: Page, tmp_path: Path) -> None:
    instance = etsopt.read("cn-2025")
    found = boxed(instance, {CEMENT: (-0.01, 0.0), STEEL: (-0.01, 0.0)})
    path = written(found, tmp_path)
    assert path.stat().st_size <= 300_000
    assert check_page(path, instance).holds
    page.open(path)
    feasible, proven = sealed(page, instance, found, 100, 1)
    assert proven >= 0.9 * feasible > 0


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    "objectives", [["change", "largest_change"], ["deficit", "change"], ["largest_change", "change"]], ids="-".join
)
@pytest.mark.everyday("change-largest_change-0")
def test_what_a_box_seals_is_right(
    seed: int, objectives: list[str], page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_cover, "CELLS", 9)
    on = "enterprise" if seed % 2 else "unit"
    instance = random_instance(seed, 40, objectives=objectives, band_on=on)
    found = boxed(instance, {CEMENT: (-0.006, -0.001), BALANCE: (0.02, 0.03)})
    path = written(found, tmp_path)
    page.open(path)
    feasible, proven = sealed(page, instance, found, 20, seed)
    assert check_page(path, instance).refused == ()
    if found.certified_share == 1 and len(found.linear) <= 20:
        assert proven >= 0.9 * feasible


def test_points_are_answered_by_few_multipliers(tiny_box: BoxCover) -> None:
    # A solve at an end where all multipliers are degenerate gives none.
    assert tiny_box.certified_share >= 0.99
    corners = [point_of(box_cover.CELLS**2 + side).tolist() for side in range(4)]
    assert sorted(corners) == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert len(tiny_box.points) == points_count()
    assert 0 < tiny_box.points.count(INFEASIBLE) < points_count()
    assert len(tiny_box.linear) < 30
    assert all((point_of(number) >= 0).all() and (point_of(number) <= 1).all() for number in range(points_count()))


def test_two_sliders_move_two_keys(page: Page, tiny_box: BoxCover, tiny_page: Path) -> None:
    page.open(tiny_page)
    page.ask("set([-0.004, 0.015])")
    assert page.ask(SEAL) == "proven"
    first = "etsopt solve tiny --set sectors.cement.target_change=-0.004 --set provinces.balance=0.015 --out run"
    assert page.ask("commands()[0]") == first
    own = etsopt.solve(tiny_box.solver.instance.with_policy({CEMENT: -0.004, BALANCE: 0.015}))
    assert np.abs(own.tables["allocation"]["allowance_t"] - page.ask("Array.from(shown.all)")).max() <= SAME_T
    page.ask("document.getElementById('slider-2').focus()")
    page.press("End")
    assert page.ask("value") == [-0.004, 0.005]
    page.press("Home")
    assert page.ask("[value, document.getElementById('typed-2').value]") == [[-0.004, 0.031], "3.1"]
    headline = "Target of cement −0.4 %, Balance of provinces 3.1 %: "
    assert page.ask("document.getElementById('headline').textContent").startswith(headline)
    assert page.requests == [tiny_page.as_uri()]
    assert page.errors == []


def test_the_map_shows_what_was_proven_and_a_place_on_it_sets_both_keys(
    page: Page, tiny_box: BoxCover, tiny_page: Path
) -> None:
    page.open(tiny_page)
    box = page.ask("(({ left, bottom, width }) => [left, bottom, width])($('map').getBoundingClientRect())")
    left, bottom, width = box
    event = f"{{ buttons: 1, pointerId: 1, clientX: {left + 0.75 * width}, clientY: {bottom - 0.5 * width} }}"
    page.ask(f"point({event})")
    assert page.ask("value") == pytest.approx([-0.0125, 0.018], abs=1e-3)
    page.ask(
        "new Promise((done) => { const wait = () => cell < MAP_CELLS ** 2 ? setTimeout(wait, 20) : done(); wait(); })"
    )
    kinds = page.ask("Array.from(document.querySelectorAll('#map span'), (one) => one.className)")
    # What the command says to be proven of a cell is proven in the map. One cell is proven there alone.
    said = tiny_box.points[: box_cover.CELLS**2]
    assert (len(kinds), said.count(OPEN)) == (len(said), 1)
    shown = ["is-infeasible" if one == INFEASIBLE else "is-proven" for one in said]
    assert kinds == shown
    assert {*kinds} == {"is-proven", "is-infeasible"}


def test_what_has_no_multipliers_shows_the_nearest_point(page: Page, tiny_box: BoxCover, tiny_page: Path) -> None:
    data = data_in(tiny_page)
    number, other = next(
        (number, other)
        for number, serves in enumerate(tiny_box.points)
        for other in set(tiny_box.points) - {INFEASIBLE, OPEN}
        if serves >= 0 and not tiny_box.serves(other, point_of(number))
    )
    data["points"] = [one if one == other else OPEN for one in data["points"]]
    page.open(forged(tiny_page, data))
    both = zip(tiny_box.solver.axes, point_of(number), strict=True)
    page.ask(f"set({[axis.shown(float(place)) for axis, place in both]!r})")
    assert page.ask(SEAL) == "unproven"
    assert page.ask("document.getElementById('nearest').textContent").startswith(
        "All below is of another value, the nearest that is proven: "
    )
    assert page.ask("[shown.linear, ENGINE.prove(shown).proven]") == [other, True]


def limit(data: dict[str, Any]) -> None:
    data["rows"]["most"][0][0] *= 1.001


def reference(data: dict[str, Any]) -> None:
    data["units"]["reference"][1] *= 1.001


def multiplier(data: dict[str, Any]) -> None:
    for linear in data["linear"]:
        linear["change"] = [1.001 * one for one in linear["change"]]


@pytest.mark.everyday("multiplier")
@pytest.mark.parametrize("alter", [limit, reference, multiplier])
def test_a_forged_box_is_refused(alter: Any, tiny_box: BoxCover, tiny_page: Path) -> None:
    data = data_in(tiny_page)
    alter(data)
    assert not check_page(forged(tiny_page, data), tiny_box.solver.instance).holds


def test_a_forged_box_has_no_seal(page: Page, tiny_page: Path) -> None:
    page.open(tiny_page)
    assert allowances_at(page, [-0.004, 0.015]) is not None
    data = data_in(tiny_page)
    multiplier(data)
    page.open(forged(tiny_page, data))
    assert allowances_at(page, [-0.004, 0.015]) is None
    assert page.ask(SEAL) == "unproven"


@pytest.mark.nightly
def test_points_are_proven_again_from_the_instance(tiny_box: BoxCover, tiny_page: Path) -> None:
    instance, data = tiny_box.solver.instance, data_in(tiny_page)
    checked = check_page(tiny_page, instance)
    claimed = points_count() - tiny_box.points.count(OPEN)
    assert (checked.refused, checked.pieces, checked.proven) == ((), claimed, claimed)
    assert checked.certified_share == tiny_box.certified_share
    at = data["points"].index(INFEASIBLE)
    answered = next(number for number, one in enumerate(data["points"]) if one >= 0)
    for said, wrong in ((answered, OPEN), (at, 0), (answered, INFEASIBLE)):
        points = [wrong if number == said else one for number, one in enumerate(data["points"])]
        refused = check_page(forged(tiny_page, data | {"points": points}), instance).refused
        assert refused, (said, wrong)
    refused = check_page(forged(tiny_page, data | {"points": data["points"][:10]}), instance).refused
    assert "points of the page does not follow from the instance" in refused


def test_the_command_writes_a_page_of_two_keys(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(box_cover, "CELLS", 8)
    path = str(tmp_path / "page.html")
    keys = ("--vary", f"{CEMENT}=-0.01:0", "--vary", f"{BALANCE}=0.01:0.02")
    assert explored(capsys, "explore", "tiny", *keys, "--out", path)["certified_share"] == 1.0
    assert explored(capsys, "check", "tiny", "--page", path)["of_points"]
    assert main(["explore", "tiny", *keys, "--vary", "national.target_change=-0.01:0", "--out", path]) == 2
    assert "3 keys vary by themselves: expected 2 at most." in capsys.readouterr().err


def test_a_key_that_bends_is_refused_before_anything_is_solved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("etsopt.studies.curves.solver.CurveSolver.region", lambda *_: pytest.fail("solved"))
    keys = ("--vary", f"{CEMENT}=-0.01:0", "--vary", "sectors.cement.band=0.02:0.03")
    assert main(["explore", "tiny", *keys]) == 2
    assert "No curve can be certified" in capsys.readouterr().err
