"""What a file states of itself is no proof: no altered data talk the page into a seal, or into a claim of none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.checking import tolerances
from etsopt.checking.allocation import measures, policy_box
from etsopt.common.language import in_both
from etsopt.common.units import LEAST_TOLERANCE, RELATIVE_TOLERANCE
from etsopt.studies.explore.texts import MISSING
from tests.studies.explore.pages import CEMENT, SEAL, data_in, forged

if TYPE_CHECKING:
    from collections.abc import Callable

    from etsopt.studies.curves import Curve
    from tests.browser import Page

    Alter = Callable[[dict[str, Any]], object]

PLACES = [place / 40 for place in range(41)]
"""Places of the slider, both ends included."""

SEALS = f"{PLACES}.map((place) => (set(valueAt([place])), {SEAL}))"
"""What the seal says at each."""


def lax(data: dict[str, Any]) -> None:
    """State tolerances and roundings with which everything is proven."""
    data["tolerances"] = dict.fromkeys(("t", "rate", "relative", "row", "bound", "resolution"), 1e9)
    data["rows"]["rounding"] = [-1e9] * len(data["rows"]["names"])


def without_prices(data: dict[str, Any]) -> None:
    """Leave one piece, and no multiplier in it: the rule alone, which meets no target."""
    data["pieces"] = [{"from": 0, "to": 1, "linear": 0}]
    for duals in data["linear"]:
        duals |= {name: [0] * len(dual) for name, dual in duals.items()}


def claims_none(data: dict[str, Any]) -> None:
    """Claim that no allocation exists anywhere."""
    rows = len(data["rows"]["names"])
    duals = ([-1] * 3 + [0] * (rows - 3), [1] * rows, [0, -1] + [0] * (rows - 2))
    data["infeasible"] = [{"from": 0, "to": 1, "proven": [0, 1], "dual": dual} for dual in duals]


def opened(page: Page, path: Path, *alter: Alter) -> None:
    """Open a page with altered data."""
    data = data_in(path)
    for one in alter:
        one(data)
    page.open(forged(path, data))


def test_honest_pages_are_proven_at_every_place(page: Page, cement_page: Path) -> None:
    page.open(cement_page)
    assert page.ask(SEALS) == ["proven"] * len(PLACES)
    assert page.errors == []


def test_tolerances_and_roundings_of_a_file_prove_nothing(page: Page, cement_page: Path) -> None:
    opened(page, cement_page, without_prices, lax)
    assert page.ask(SEALS) == ["unproven"] * len(PLACES)
    # Neither do they hide what is proven.
    opened(page, cement_page, lax)
    assert page.ask(SEALS) == ["proven"] * len(PLACES)
    assert "tolerated 0.02 t" in page.ask("document.getElementById('facts').textContent")


@pytest.mark.parametrize("more", [[], [lax]], ids=["alone", "lax"])
def test_a_claim_of_no_allocation_is_proven_or_ignored(more: list[Alter], page: Page, cement_page: Path) -> None:
    opened(page, cement_page, claims_none, *more)
    assert page.ask(SEALS) == ["proven"] * len(PLACES)
    opened(page, cement_page, claims_none, lambda data: data.update(pieces=[]), *more)
    assert page.ask(SEALS) == ["unproven"] * len(PLACES)


def test_bounds_that_cross_make_no_claim(page: Page, cement_page: Path) -> None:
    def crossed(data: dict[str, Any]) -> None:
        data["limits"]["lower"][0], data["limits"]["upper"][0] = data["limits"]["upper"][0], data["limits"]["lower"][0]

    opened(page, cement_page, claims_none, crossed)
    assert page.ask(SEALS) == ["unproven"] * len(PLACES)


def number(value: object, *path: Any) -> Alter:
    """Return what puts another value at a place of the data."""

    def alter(data: dict[str, Any]) -> None:
        at: Any = data
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    return alter


REFUSED: dict[str, Alter] = {
    "negative emissions": number(-1, "units", "emissions", 1),
    "no emissions": number(0, "units", "emissions", 1),
    "emissions in a text": number("5330489", "units", "emissions", 1),
    "a rule value in a text": number("5311128", "units", "reference", 1),
    "no rule value": number(None, "units", "reference", 1),
    "a limit in a text": number("946616913", "rows", "most", 0, 1),
    "a limit at one end alone": number(None, "rows", "most", 0, 1),
    "tonnes that doubles do not add up": number(1e16, "limits", "upper", 0, 1),
    "an identifier twice": lambda data: data["units"]["id"].__setitem__(0, data["units"]["id"][1]),
    "a multiplier in a text": number("1", "linear", 0, "change", 0),
    "no tie-break": lambda data: data["levels"].pop(),
    "another objective": number("cost", "levels", 0, "name"),
    "a row that is not there": number(99, "rows", "of", 0, 0),
    "a slider without a range": number([0, 0], "axes", 0, "ends"),
    "an end of a key in a text": number(["-0.01", 0], "axes", 0, "keys", CEMENT, "ends"),
}


@pytest.mark.parametrize("fault", REFUSED)
@pytest.mark.everyday("negative emissions", "an identifier twice", "a rule value in a text")
def test_data_that_no_page_has_are_refused(fault: str, page: Page, cement_page: Path) -> None:
    opened(page, cement_page, REFUSED[fault])
    assert page.ask("document.getElementById('app').hidden && !document.getElementById('missing').hidden")
    assert in_both(MISSING)["en"] in page.ask("document.body.innerText")


def test_roundings_and_tolerances_of_the_page_are_those_of_the_checker(
    page: Page, cement: Curve, cement_page: Path
) -> None:
    page.open(cement_page)
    own = page.ask("Array.from(ENGINE.rounding)")
    assert np.allclose(own, cement.solver.box.rounding_t, rtol=1e-12, atol=0)
    assert page.ask("[LIMIT_ROUNDINGS, SNAPPED_T]") == [policy_box.LIMIT_ROUNDINGS, tolerances.SNAPPED_POINT_T]
    assert page.ask("TOLERANCES") == {
        **{unit: LEAST_TOLERANCE[unit] for unit in ("t", "rate")},
        "relative": RELATIVE_TOLERANCE,
        "row": tolerances.TOTAL_TOLERANCE_T,
        "bound": tolerances.UNIT_TOLERANCE_T,
        "resolution": tolerances.TOTAL_RESOLUTION_RELATIVE,
    }
    units = page.ask("OBJECTIVE_UNITS")
    assert units == {name: measures.UNITS[name] for name in units}
