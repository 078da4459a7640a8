"""Bounds of the uncovered tonnes of plans of reviews, against the least that is found by hand."""

from __future__ import annotations

import numpy as np
import pytest

from etsopt.checking.arithmetic import ROUNDOFF
from etsopt.checking.review_plan import bound as bounds
from etsopt.checking.review_plan.bound import (
    Prices,
    _cells,
    _combined,
    _parts,
    _shifted,
    _states,
    _whole,
    best_bound,
    bound,
)
from etsopt.checking.review_plan.required import COUNTING, Required
from tests.checking.review_plan.small import Enterprise, required

PROVINCIAL, NATIONAL = COUNTING
ONE = [Enterprise("a", 100.0)]


def prices(of: Required, day: dict[str, float] | None = None, review: dict[str, float] | None = None) -> Prices:
    """Prices by level, or by level and province, zero for the others."""
    arrays = [
        np.array([(own or {}).get(f"{level} {place}", (own or {}).get(level, 0.0)) for level, place in of.groups.index])
        for own in (day, review)
    ]
    return Prices.of(of.groups, *arrays)


@pytest.mark.parametrize("parts", [1, 2, 4, 5, 8, 10, 20, 40, 50, 100])
def test_days_are_kept_in_the_first_part_of_which_all_are_multiples(parts: int) -> None:
    one = required([Enterprise("a", 1.0, days=(1 / parts, 1.0))], {PROVINCIAL: 3.0})
    assert _parts(one, PROVINCIAL) == parts
    assert _parts(required(ONE, {PROVINCIAL: 3.0}, travel=(1 / parts, 0.0)), PROVINCIAL) == parts


@pytest.mark.parametrize(("off", "parts"), [(0.9e-7, 1), (-0.9e-7, 1), (1.1e-7, 100), (-1.1e-7, 100)])
def test_a_part_may_be_off_by_the_rounding_of_a_fraction(off: float, parts: int) -> None:
    assert _parts(required([Enterprise("a", 1.0, days=(2 + off, 1.0))], {PROVINCIAL: 3.0}), PROVINCIAL) == parts
    assert _whole(2 + off, 1) == (1 if off < -1e-7 else 2)


@pytest.mark.parametrize(("limit", "parts"), [(0.0, 4), (4999.0, 4), (4999.1, 3), (6665.6, 3), (6665.7, 2), (1e6, 1)])
def test_the_days_of_a_level_are_kept_in_at_most_20_000_states(limit: float, parts: int) -> None:
    own = [Enterprise("a", 1.0, days=(0.25, 1.0)), Enterprise("b", 1.0, "Gansu", days=(0.25, 1.0))]
    assert _parts(required(own, {PROVINCIAL: 0.0, f"{PROVINCIAL} Gansu": limit}), PROVINCIAL) == parts


def test_a_level_with_a_group_without_a_limit_is_not_kept() -> None:
    own = [Enterprise("a", 1.0), Enterprise("b", 1.0, "Gansu")]
    assert _parts(required(own, {f"{PROVINCIAL} Fujian": 3.0}), PROVINCIAL) == 0
    assert _parts(required(own, {PROVINCIAL: 3.0}), PROVINCIAL) == 1


def test_no_more_states_are_kept_than_all_reviews_and_trips_of_a_group_need() -> None:
    own = [
        Enterprise("a", 1.0, place="X", days=(0.5, 2.0)),
        Enterprise("b", 1.0, place="X", days=(1.0, 2.0)),
        Enterprise("c", 1.0, days=(1.5, 2.0)),
        Enterprise("d", 1.0, "Gansu", days=(9.0, 2.0)),
    ]
    group = (PROVINCIAL, "Fujian")
    # Three days of reviews and two trips of half a day, in halves.
    assert _states(required(own, {PROVINCIAL: 90.0}, travel=(0.5, 1.0)), group, 2) == 8
    assert _states(required(own, {PROVINCIAL: 2.6}, travel=(0.5, 1.0)), group, 2) == 5
    assert _states(required(own, {PROVINCIAL: 2.6}, travel=(0.5, 1.0)), group, 0) == 0
    # Cells of a bound: nine choices, by the states of both levels, for each enterprise: four days of 1, ten of 2.
    both = required(own, {PROVINCIAL: 2.5, NATIONAL: 3.0}, travel=(0.5, 1.0))
    assert _cells(both, (PROVINCIAL,)) == 9 * 1 * (3 * 6 + 1 * 6)
    assert _cells(both, (NATIONAL,)) == 9 * 4 * (3 + 1)
    assert _cells(both, COUNTING) == 9 * 4 * (3 * 6 + 1 * 6)


def test_states_that_do_not_suffice_have_no_plan() -> None:
    table = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    inf = np.inf
    assert _shifted(table, 0, 0).tolist() == table.tolist()
    assert _shifted(table, 1, 0).tolist() == [[inf, inf], [1.0, 2.0], [3.0, 4.0]]
    assert _shifted(table, 0, 1).tolist() == [[inf, 1.0], [inf, 3.0], [inf, 5.0]]
    assert _shifted(table, 2, 1).tolist() == [[inf, inf], [inf, inf], [inf, 1.0]]
    for first, second in ((3, 0), (0, 2), (3, 2)):
        assert np.isinf(_shifted(table, first, second)).all()


def test_states_that_two_provinces_share_are_used_by_either() -> None:
    one, other = np.array([9.0, 5.0, 4.0]), np.array([7.0, 2.0, 1.0])
    # None; one of the second, or of the first; one of both, or two of either.
    assert _combined(one, other).tolist() == [16.0, 11.0, 7.0]


# A review of a covers 100 t in 2 days, one of b 60 t in a day; a trip takes another.
TWO = [Enterprise("a", 100.0, days=(2.0, 4.0)), Enterprise("b", 60.0, days=(1.0, 2.0))]


@pytest.mark.parametrize(
    ("day", "review", "least"),
    [
        # Without prices every review is free.
        (0.0, 0.0, 0.0),
        # Five days at 10 t: three for a and two for b are worth it.
        (10.0, 0.0, -50 + 30 + 20),
        # At 40 t the review of a is not.
        (40.0, 0.0, -200 + 100 + 60),
        # A review that is priced pays for itself: two have to be made, and both are.
        (40.0, 30.0, -200 + 60 + 90 + 50),
    ],
)
def test_priced_days_and_reviews_bound_what_a_plan_leaves(day: float, review: float, least: float) -> None:
    one = required(TWO, {PROVINCIAL: 5.0, NATIONAL: 0.0}, {PROVINCIAL: 2}, travel=(1.0, 1.0))
    # National days are dear enough for none.
    own = prices(one, {PROVINCIAL: day, NATIONAL: 1e3}, {PROVINCIAL: review})
    assert bound(one, own, ()) == pytest.approx(least, abs=1e-6)


@pytest.mark.parametrize("kept", [(), (PROVINCIAL,), (NATIONAL,), COUNTING])
def test_prices_of_municipal_days_and_reviews_change_nothing(kept: tuple[str, ...]) -> None:
    one = required(TWO, {"municipal": 2.0, PROVINCIAL: 3.0, NATIONAL: 3.0}, travel=(1.0, 1.0))
    own = {PROVINCIAL: 30.0, NATIONAL: 20.0}
    without = bound(one, prices(one, own, {PROVINCIAL: 5.0}), kept)
    assert bound(one, prices(one, own | {"municipal": 7.0}, {PROVINCIAL: 5.0, "municipal": 9.0}), kept) == without


@pytest.mark.parametrize(
    ("provincial", "national", "left"),
    [
        (0.0, 0.0, 160.0),
        (2.0, 0.0, 100.0),
        (3.0, 0.0, 60.0),
        (4.0, 0.0, 60.0),
        (5.0, 0.0, 0.0),
        (0.0, 3.0, 100.0),
        (0.0, 5.0, 60.0),
        (2.0, 4.0, 100.0),
        (2.0, 5.0, 0.0),
        (3.0, 3.0, 0.0),
        (2.9, 2.9, 100.0),
    ],
)
def test_a_bound_that_keeps_all_days_is_what_the_best_plan_leaves(
    provincial: float, national: float, left: float
) -> None:
    one = required(TWO, {PROVINCIAL: provincial, NATIONAL: national}, travel=(1.0, 1.0))
    assert bound(one, prices(one), COUNTING) == pytest.approx(left, abs=1e-6)


def test_enterprises_at_one_place_share_a_trip() -> None:
    together = [one._replace(place="X") for one in TWO]
    for days, left in ((3.0, 60.0), (4.0, 0.0)):
        one = required(together, {PROVINCIAL: days, NATIONAL: 0.0}, travel=(1.0, 1.0))
        assert bound(one, prices(one), COUNTING) == pytest.approx(left, abs=1e-6)


@pytest.mark.parametrize(("drawn", "left"), [((True, False), 60.0), ((False, True), 0.0), ((False, False), 0.0)])
def test_a_drawn_enterprise_is_reviewed_at_its_level(drawn: tuple[bool, bool], left: float) -> None:
    # Two days of either level; b takes all of the provincial ones if it has to.
    own = [Enterprise("a", 60.0, days=(2.0, 9.0)), Enterprise("b", 40.0, days=(2.0, 2.0), drawn=drawn)]
    one = required(own, {PROVINCIAL: 2.0, NATIONAL: 2.0})
    assert bound(one, prices(one), COUNTING) == pytest.approx(left, abs=1e-6)


def test_provinces_share_the_national_days() -> None:
    own = [Enterprise("a", 100.0), Enterprise("b", 60.0, "Gansu"), Enterprise("c", 50.0, "Gansu")]
    for days, left in ((0.0, 210.0), (1.0, 110.0), (2.0, 50.0), (3.0, 0.0)):
        one = required(own, {PROVINCIAL: 0.0, NATIONAL: days})
        assert bound(one, prices(one), COUNTING) == pytest.approx(left, abs=1e-6)
        # Each priced at what one more of its days covers, the days bound as much.
        priced = {PROVINCIAL: 100.0, NATIONAL: {0.0: 100.0, 1.0: 60.0, 2.0: 50.0, 3.0: 0.0}[days]}
        assert bound(one, prices(one, priced), ()) == pytest.approx(left, abs=1e-6)


def test_a_bound_is_lowered_by_the_rounding_of_all_its_terms() -> None:
    # Both are reviewed without a limit: nothing is left, and all rounding is that of the terms of either province.
    own = [Enterprise("a", 1e6), Enterprise("b", 2e6, "Gansu", days=(3.0, 1.0))]
    one = required(own, {NATIONAL: 0.0}, travel=(2.0, 0.0))
    unit = (10 * 2 + 1000) * ROUNDOFF
    assert bound(one, prices(one), ()) == pytest.approx(-3e6 * unit, rel=1e-9, abs=0.0)
    # National reviews at 1e6 t, trips at none, no days at all: 1e6 of each enterprise.
    assert bound(one, prices(one, {NATIONAL: 1e6}), ()) == pytest.approx(-5e6 * unit, rel=1e-9, abs=0.0)
    # A review that has to be made costs what it is priced at, as constant and in the plan of each province.
    twice = required(own, {NATIONAL: 0.0}, {f"{PROVINCIAL} Gansu": 1}, travel=(2.0, 0.0))
    assert bound(twice, prices(twice, {}, {f"{PROVINCIAL} Gansu": 5e6}), ()) == pytest.approx(
        -13e6 * unit, rel=1e-9, abs=0.0
    )
    # So is each trip, as often as there are enterprises in the province: 3e6 t, 5e6 and 3e7 of days, 6e7 of trips.
    third = required([*own, Enterprise("c", 0.0, "Gansu")], {PROVINCIAL: 0.0, NATIONAL: 0.0}, travel=(20.0, 0.0))
    lost = 3e6 - bound(third, prices(third, {PROVINCIAL: 1e6, NATIONAL: 1e7}), ())
    assert lost == pytest.approx(98e6 * (10 * 3 + 1000) * ROUNDOFF, rel=0.1, abs=0.0)


def test_infinite_prices_bound_nothing() -> None:
    one = required(ONE, {PROVINCIAL: 1.0, NATIONAL: 1.0})
    assert bound(one, prices(one, {PROVINCIAL: np.inf}), ()) == -np.inf


def test_prices_below_zero_and_of_days_without_a_limit_count_as_none() -> None:
    one = required([*ONE, Enterprise("b", 1.0, "Gansu")], {f"{PROVINCIAL} Fujian": 1.0, NATIONAL: 1.0})
    found = Prices.of(one.groups, np.array([1.0, 2.0, 3.0, 4.0, -5.0]), np.array([1.0, 2.0, -3.0, 4.0, 5.0]))
    places = [(PROVINCIAL, "Fujian"), (PROVINCIAL, "Gansu"), (NATIONAL, "")]
    assert found.day == dict(zip(places, (3.0, 0.0, 0.0), strict=True))
    assert found.review == dict(zip(places, (0.0, 4.0, 5.0), strict=True))
    assert found.without_reviews() == Prices(found.day, dict.fromkeys(places, 0.0))


class Search:
    """Bounds that are asked for, each with the answer to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: list[float], cells: float = 1.0) -> None:
        self.answers, self.asked = answers, list[tuple[tuple[str, ...], float]]()
        monkeypatch.setattr(bounds, "bound", self.bound)
        monkeypatch.setattr(bounds, "_cells", lambda *_: cells)

    def bound(self, _: Required, own: Prices, kept: tuple[str, ...]) -> float:
        self.asked.append((kept, sum(own.review.values())))
        return self.answers[len(self.asked) - 1]


def test_the_best_of_all_bounds_counts_and_is_no_more_than_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    one = required(ONE, {PROVINCIAL: 1.0, NATIONAL: 1.0})
    own = prices(one, {}, {PROVINCIAL: 3.0})
    search = Search(monkeypatch, [1.0, 4.0, -2.0, 3.0])
    assert best_bound(one, own, 10.0, 0.1) == 4.0
    # With the prices of reviews and without them, with provincial days kept and with those of both levels.
    assert search.asked == [((PROVINCIAL,), 3.0), ((PROVINCIAL,), 0.0), (COUNTING, 3.0), (COUNTING, 0.0)]
    search = Search(monkeypatch, [1.0, 3.0])
    assert best_bound(one, prices(one), 10.0, 0.1) == 3.0
    assert search.asked == [((PROVINCIAL,), 0.0), (COUNTING, 0.0)]
    assert best_bound(one, prices(one), 10.0, 11.0) == 0.0
    Search(monkeypatch, [10.5] * 4)
    assert best_bound(one, own, 10.0, 0.1) == 10.0
    Search(monkeypatch, [-1.0] * 4)
    assert best_bound(one, own, 10.0, 0.1) == 0.0


@pytest.mark.parametrize(("value", "answer", "asked"), [(10.0, 9.5, 1), (10.0, 9.4, 4), (0.5, 9.0, 0)])
def test_the_search_ends_within_the_tolerance_of_the_value(
    value: float, answer: float, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = required(ONE, {PROVINCIAL: 1.0, NATIONAL: 1.0})
    search = Search(monkeypatch, [answer] * 4)
    best_bound(one, prices(one, {}, {PROVINCIAL: 3.0}), value, 0.5)
    assert len(search.asked) == asked


@pytest.mark.parametrize(("cells", "asked"), [(1e9, 2), (1.5e9, 0)])
def test_a_bound_of_more_than_a_billion_cells_is_left_out(
    cells: float, asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = required(ONE, {PROVINCIAL: 1.0, NATIONAL: 1.0})
    search = Search(monkeypatch, [1.0] * 4, cells)
    best_bound(one, prices(one), 10.0, 0.5)
    assert len(search.asked) == asked
