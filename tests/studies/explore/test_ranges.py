"""The range of a plant in a browser: that of `etsopt explain`, and never narrower than what allocations give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import etsopt
from etsopt.presenting.explanation.near_optimal import NEAR_SHARES
from etsopt.studies.curves import Curve, curve
from etsopt.studies.explore import write_page
from tests.builders import random_instance
from tests.studies.explore.pages import CEMENT, allowances_at

if TYPE_CHECKING:
    from pathlib import Path

    from etsopt.data.instance import Instance
    from tests.browser import Page

SAME_T = 1e-3
"""Distance of bounds that two computations prove [t]."""

NAMES = "((names) => names.slice(0, 1 + Math.max(names.indexOf('change'), 0)))(DATA.levels.map(({ name }) => name))"
"""The objectives that a page keeps."""


def ranges(page: Page, unit: int) -> list[list[dict[str, float]]]:
    """Return the ends of a unit for each share, as the page proves them."""
    asked = f"NEAR_SHARES.map((share) => RANGE(shown, {NAMES}, PLACE_OF_FREE.get({unit}), share))"
    found: list[list[dict[str, float]]] = page.ask(asked)
    return found


def compare(page: Page, instance: Instance, units: list[int]) -> int:
    """Require that the ranges of units are those of `etsopt explain`, and return how many were compared."""
    results, compared = etsopt.solve(instance), 0
    for unit in units:
        if not page.ask(f"PLACE_OF_FREE.has({unit})"):
            continue
        own = results.near_optimal(instance.units["unit_id"].iloc[unit])
        for (least, most), there in zip(ranges(page, unit), own.ranges, strict=True):
            # Both solve their programs, and prove what they find.
            assert least["bound"] == pytest.approx(there.at_least_t, abs=SAME_T, rel=1e-9)
            assert most["bound"] == pytest.approx(there.at_most_t, abs=SAME_T, rel=1e-9)
            assert least["found"] == pytest.approx(there.least_found_t, abs=SAME_T, rel=1e-9)
            assert most["found"] == pytest.approx(there.greatest_found_t, abs=SAME_T, rel=1e-9)
            compared += 1
    return compared


def test_ranges_of_the_nation_are_those_of_explain(page: Page, cement: Curve, cement_page: Path) -> None:
    page.open(cement_page)
    assert page.ask("NEAR_SHARES") == list(NEAR_SHARES)
    for seed, value in enumerate((-0.0043, -0.009)):
        assert allowances_at(page, value) is not None
        units = np.random.default_rng(seed).integers(len(cement.units), size=4).tolist()
        assert compare(page, cement.instance.with_policy({CEMENT: value}), units) > 0


OBJECTIVES = (["change", "largest_change"], ["deficit", "change"], ["largest_change", "change"], ["spread", "deficit"])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("objectives", OBJECTIVES, ids="-".join)
@pytest.mark.everyday("deficit-change-1", "largest_change-change-0", "spread-deficit-0")
def test_ranges_keep_the_objectives_before(seed: int, objectives: list[str], page: Page, tmp_path: Path) -> None:
    instance = random_instance(seed, 40, objectives=objectives, band_on="enterprise" if seed % 2 else "unit")
    found = curve(instance, {CEMENT: (-0.006, -0.001)})
    assert isinstance(found, Curve)
    write_page(found, tmp_path / "page.html")
    page.open(tmp_path / "page.html")
    for value in (-0.0053, -0.0021):
        if allowances_at(page, value) is not None:
            assert compare(page, instance.with_policy({CEMENT: value}), list(range(0, 40, 7))) > 0
    assert page.errors == []


@pytest.mark.parametrize("seed", range(5))
def test_wrong_prices_make_a_range_wider(seed: int, page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.0043)")
    # The answer as the point, prices at random, and the sum of changes at a random price.
    asked = """((random) => [1, -1].map((sign) => {
      const kept = ENGINE.within(shown.limit, shown.answer, ['change'], 0.01);
      const hint = { point: shown.answer, prices: Float64Array.from(DATA.rows.names, random), ofSums: [random()] };
      return ENGINE.bound(shown.limit, kept, 5, sign, hint).bound;
    }))"""
    state = int(np.random.default_rng(seed).integers(1, 2**30))
    random = f"((s) => () => (s = (s * 48271) % 2147483647) / 1073741823.5 - 1)({state})"
    least, most = page.ask(f"{asked}({random})")
    (_, (low, high), _) = ranges(page, int(page.ask("ENGINE.free[5]")))
    assert least <= low["found"] + SAME_T
    assert most >= high["found"] - SAME_T


def test_the_page_tells_the_range_of_the_plant_that_is_shown(page: Page, cement: Curve, cement_page: Path) -> None:
    page.open(cement_page)
    page.ask("set(-0.008), chosen = 5, drawMine()")
    assert page.ask("new Promise((done) => setTimeout(() => done(pending), 0))") > 0
    wait = "new Promise((done) => { const look = () => document.querySelectorAll('#mine h3 ~ ul li').length < 2"
    page.ask(f"{wait} ? setTimeout(look, 20) : done(); look(); }})")
    told = page.ask("document.querySelector('#mine h3 ~ p').textContent")
    own = cement.results(-0.008).near_optimal(page.ask("UNITS.id[5]"))
    assert told == str(own.steps[0].label)
    lines = page.ask("Array.from(document.querySelectorAll('#mine h3 ~ ul li'), (one) => one.textContent)")
    assert lines[0].startswith("Within 1 % of the least change: from ")
    assert all(line.endswith(" t, proven") for line in lines)
    # A move takes them away at once, so that none is of another value.
    page.ask("set(-0.001)")
    assert page.ask("document.querySelectorAll('#mine h3 ~ ul li').length") == 0
    assert page.ask("commands().at(-1)") == f"etsopt explain run {page.ask('UNITS.id[5]')}"
