"""Sets of alternatives and chains of measures: by hand, and against all sets looked at one by one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import etsopt
from etsopt_models._market.baseline import without_allowances
from etsopt_models._market.measures import measures_of
from etsopt_models._market.set_family import Group, SetFamily, family_of
from tests.markets import market

Shape = tuple[tuple[int, ...], ...]
FAMILIES: dict[str, tuple[Group, ...]] = {
    "none": (),
    "one": (Group((0,)),),
    "full cube": tuple(Group((k,)) for k in range(5)),
    "neighbours": (Group((0, 1)), Group((2,)), Group((3, 4, 5))),
    "first and last": (Group((0, 5)), *(Group((k,)) for k in range(1, 5))),
    "far apart": (Group((0, 3, 5)), Group((1, 4)), Group((2,))),
    "one group": (Group((0, 1, 2, 3, 4)),),
    "steps": (Group((0, 1, 2), (1, 2, 3, 3)), Group((3,))),
    "requirements": (Group((1,)), Group((2, 0, 3), (3, 3, 3, 3))),
    "both": (Group((0, 1, 3), (1, 3, 3, 3)), Group((2, 4)), Group((5, 6), (1, 2, 2))),
}


def digits(groups: tuple[Group, ...]) -> list[tuple[int, ...]]:
    """The choice of each set in each group, the first varying fastest."""
    ways = itertools.product(*(range(len(group.places) + 1) for group in reversed(groups)))
    return [way[::-1] for way in ways]


def held(groups: tuple[Group, ...], choice: tuple[int, ...]) -> set[int]:
    """The measures of a set."""
    parts = [
        group.places[:one] if group.reach else group.places[one - 1 : one] if one else ()
        for group, one in zip(groups, choice, strict=True)
    ]
    return {place for part in parts for place in part}


def may_follow(groups: tuple[Group, ...], now: tuple[int, ...], before: tuple[int, ...]) -> bool:
    """What does not stop stays, and chains keep within reach."""
    for group, one, other in zip(groups, now, before, strict=True):
        if group.reach and not (one <= group.reach[other] and (group.stops or one >= other)):
            return False
        if not group.reach and not group.stops and other not in (0, one):
            return False
    return True


def test_of_three_measures_of_which_two_exclude_each_other_there_are_six_sets() -> None:
    family = family_of((Group((0, 1)), Group((2,))))
    assert family.has.tolist() == [
        [False, False, False],
        [True, False, False],
        [False, True, False],
        [False, False, True],
        [True, False, True],
        [False, True, True],
    ]
    assert family.products(np.array([[0.5], [0.25], [0.1]]))[:, 0].tolist() == [1.0, 0.5, 0.25, 0.1, 0.05, 0.025]
    assert family.sums(np.array([[1.0], [2.0], [10.0]]))[:, 0].tolist() == [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]
    # The first two sets are within no other but themselves and the fifth; the third only within the last.
    least = family.least_of_next(np.array([[9.0], [8.0], [3.0], [7.0], [5.0], [4.0]]))
    assert least[:, 0].tolist() == [3.0, 5.0, 3.0, 4.0, 5.0, 4.0]


@pytest.mark.parametrize("stop", [0, 1, 2, 5])
@pytest.mark.parametrize("name", FAMILIES)
def test_sets_products_sums_and_minima_are_those_of_each_choice(name: str, stop: int) -> None:
    # Every group whose number has the bit of `stop` is of measures that stop: a set may follow any other in it.
    groups = tuple(group._replace(stops=bool(stop >> number & 1)) for number, group in enumerate(FAMILIES[name]))
    family, known = SetFamily(groups), digits(groups)
    numbers = np.arange(len(family))
    assert [set(np.flatnonzero(row).tolist()) for row in family.has] == [held(groups, one) for one in known]
    follows = [[may_follow(groups, now, before) for before in known] for now in known]
    assert family.follows(numbers[:, None], numbers).tolist() == follows
    random = np.random.default_rng(len(known))
    each, value = random.normal(size=(family.has.shape[1], 3)), random.normal(size=(len(known), 3))
    product, total = np.ones(value.shape), np.zeros(value.shape)
    for k in (place for group in groups for place in group.places):
        # Measure by measure, so that the rounding is the same.
        product, total = (
            np.where(family.has[:, [k]], more, before)
            for more, before in ((product * each[k], product), (total + each[k], total))
        )
    assert family.products(each).tolist() == product.tolist()
    assert family.sums(each).tolist() == total.tolist()
    least = [value[[row[n] for row in follows]].min(axis=0).tolist() for n in range(len(known))]
    assert family.least_of_next(value).tolist() == least


@pytest.mark.parametrize("stop", [0, 1, 2, 5])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_first_sets_hold_all_that_is_reached_and_are_a_family_of_their_own(name: str, stop: int) -> None:
    groups = tuple(group._replace(stops=bool(stop >> number & 1)) for number, group in enumerate(FAMILIES[name]))
    family = SetFamily(groups)
    numbers, random = np.arange(len(family)), np.random.default_rng(len(family) + stop)
    admissible = random.random((4, len(family))) < 0.4
    admissible[:, 0] = True
    held, now = family.reached(admissible), np.zeros(len(family), dtype=bool)
    now[0] = True
    for t, count in enumerate(held):
        now = admissible[t] & family.follows(numbers[:, None], numbers[now]).any(axis=1)
        assert not now[count:].any()
        each, value = random.normal(size=(family.has.shape[1], 2)), random.normal(size=(count, 2))
        assert family.sums(each, out=np.empty((count, 2))).tolist() == family.sums(each)[:count].tolist()
        beyond = np.concatenate([value, np.full((len(family) - count, 2), np.inf)])
        assert family.least_of_next(value).tolist() == family.least_of_next(beyond)[:count].tolist()
    # Of units with other sets in reach, the one with most counts.
    both = np.stack([admissible, np.broadcast_to(numbers == 0, admissible.shape)], axis=2)
    assert family.reached(both) == held


def test_a_chain_of_steps_is_reached_step_by_step() -> None:
    family = family_of((Group((0,)), Group((1, 2, 3), (1, 2, 3, 3))))
    assert family.reached(np.ones((4, 8), dtype=bool)) == [4, 6, 8, 8]


def test_one_more_measure_doubles_the_sets_and_keeps_their_numbers() -> None:
    family = family_of((Group((0, 2)), Group((1,))))
    larger = family.with_measure()
    assert larger.groups == (Group((0, 2)), Group((1,)), Group((3,)))
    assert larger.has[:6, :3].tolist() == larger.has[6:, :3].tolist() == family.has.tolist()
    assert larger.has[:, 3].tolist() == [False] * 6 + [True] * 6


def kinds(measures: list[dict[str, object]], **policy: object) -> list[tuple[list[int], Shape, list[list[bool]]]]:
    """Units, places of the groups, and admissible sets by year of each kind."""
    units = {"emissions_tco2e": [1e5] * 3, "reference_t": [1e5] * 3}
    stated = [{"abatement_rate": 0.01, "variable_opex_cny_per_t": 1.0, **one} for one in measures]
    instance = market(units, stated, horizon={"last_year": 2026}, **policy)
    found = measures_of(instance, without_allowances(instance))
    return [
        (kind.units.tolist(), tuple(group.places for group in kind.family.groups), kind.admissible.tolist())
        for kind in found
    ]


def test_units_of_the_same_structure_are_of_one_kind_whatever_the_names() -> None:
    measures: list[dict[str, object]] = [
        {"measure_id": f"{name}{unit}", "unit_id": f"u{unit}", "exclusive_group": group + str(unit % 2)}
        for unit in (0, 1)
        for name, group in (("a", "x"), ("b", "y"), ("c", "x"))
    ]
    measures += [{"measure_id": f"{name}2", "unit_id": "u2", "exclusive_group": "z"} for name in "abc"]
    assert kinds(measures) == [
        ([0, 1], ((0, 2), (1,)), [[True] * 6] * 2),
        ([2], ((0, 1, 2),), [[True] * 4] * 2),
    ]


def test_requirements_and_first_years_are_limits_on_the_sets_of_a_year() -> None:
    measures: list[dict[str, object]] = [
        {"measure_id": "a", "unit_id": "u0", "exclusive_group": "g", "requires": ""},
        {"measure_id": "b", "unit_id": "u0", "exclusive_group": "g", "requires": "", "first_year": 2026},
        {"measure_id": "c", "unit_id": "u0", "exclusive_group": "", "requires": "b"},
    ]
    # Sets: none, a, b, c, a and c, b and c.
    of_years = [[True, True, False, False, False, False], [True, True, True, False, False, True]]
    assert kinds(measures)[0] == ([0], ((0, 1), (2,)), of_years)
    cut = {"output_cut": {"cement": {"share": 0.1, "margin_cny_per_t": 1.0}}}
    assert kinds(measures, abatement=cut)[0] == ([0], ((0, 1), (2,), (3,)), [row * 2 for row in of_years])


def test_a_measure_that_requires_one_not_on_offer_never_runs() -> None:
    measures: list[dict[str, object]] = [
        {"measure_id": "a", "unit_id": "u0", "variable_opex_cny_per_t": -1.0, "requires": ""},
        {"measure_id": "b", "unit_id": "u0", "requires": "a"},
    ]
    assert kinds(measures)[0] == ([0], ((0, 1),), [[True] * 3] * 2)
    assert kinds(measures, abatement={"no_regret": "exclude"})[0] == ([0], (), [[True]] * 2)


def test_a_group_may_have_more_measures_than_a_code_has_bits() -> None:
    # Of 100 alternatives at 1, 2, ... CNY/t of output and a tenth abated each, the cheapest pays at 50 CNY/t.
    measures: list[dict[str, object]] = [
        {
            "measure_id": f"m{number:03d}",
            "unit_id": "u0",
            "abatement_rate": 0.1,
            "variable_opex_cny_per_t": 1.0 + (number + 70) % 100,
            "exclusive_group": "g",
        }
        for number in range(100)
    ]
    instance = market({"emissions_tco2e": [1e6], "reference_t": [1e6]}, measures, market={"prices_cny_per_t": 50.0})
    result = etsopt.solve(instance, "abatement")
    assert result.status == "certified_optimal"
    assert result.tables["plans"]["measure_id"].tolist() == ["m030"]


def test_a_requirement_beyond_the_64th_measure_makes_another_kind() -> None:
    measures: list[dict[str, object]] = [
        {
            "measure_id": f"m{number:02d}",
            "unit_id": f"u{unit}",
            "exclusive_group": "g" if number < 80 else "",
            "requires": f"m{needed}" if number == 80 else "",
        }
        for unit, needed in enumerate((70, 71, 70))
        for number in range(81)
    ]
    groups = (tuple(range(80)), (80,))
    found = kinds(measures)
    assert [(units, family) for units, family, _ in found] == [([0, 2], groups), ([1], groups)]
    # Sets with the last measure come after the 81 without it; the one that holds the required measure may run.
    assert [np.flatnonzero(admissible[0]).tolist()[81:] for _, _, admissible in found] == [[81 + 71], [81 + 72]]
