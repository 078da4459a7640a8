"""Limits in a box of policies are those of every policy in it, or the reason why they are not is named."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.policy_box import (
    PolicyBox,
    _between,
    _is_limit,
    _is_number,
    _passes,
    _same_shape,
    moved_keys,
)
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.rules import reference_allowances
from etsopt.studies.curves.axes import Axis, corners, instance_at
from tests.builders import given, random_instance
from tests.checking.allocation.small import box_by_hand

CEMENT, STEEL = "sectors.cement.target_change", "sectors.steel.target_change"
U = 2.0**-53
LINES = {
    "a sector's target": {CEMENT: (-0.02, 0.01)},
    "its intensity": {"sectors.cement.target_intensity": (0.7, 0.9)},
    "its tonnes": {"sectors.steel.target_t": (1e6, 1.5e6)},
    "a balance": {"provinces.balance": (0.001, 0.02)},
    "the nation": {"national.target_change": (-0.01, 0.005)},
    "three together": {CEMENT: (0.0, -0.01), STEEL: (0.0, -0.005), "provinces.balance": (0.004, 0.005)},
    "upper ends of bands": {f"sectors.{name}.band.upper": (0.02, 0.031) for name in ("cement", "steel")},
}


def box_of(instance: etsopt.Instance, *lines: dict[str, tuple[float, float]]) -> PolicyBox:
    """Return the box of an instance along some lines."""
    origin, *others = corners(instance, [Axis(line) for line in lines])
    reference = reference_allowances(origin).reference_t
    return PolicyBox.of(InstanceInputs.of(origin), [InstanceInputs.of(other) for other in others], reference)


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (1, 2))])
def test_limits_at_a_point_are_those_of_its_policy(name: str, seed: int) -> None:
    instance, line = random_instance(seed, 40, integer_allowances=False), LINES[name]
    instance = instance.with_policy({"sectors.cement.band.lower": 0.03, "sectors.steel.band.lower": 0.03})
    box = box_of(instance, line)
    assert [*box.bends()] == []
    for place in np.random.default_rng(seed).uniform(0.0, 1.0, 5):
        here = derive(InstanceInputs.of(instance_at(instance, [Axis(line)], [place])))
        found = box.demands_at(np.array([place]))
        for side in ("least", "most"):
            one, other = getattr(found.rows, side), getattr(here.rows, side)
            finite = np.isfinite(other)
            assert np.array_equal(np.isfinite(one), finite)
            assert (np.abs(one - other)[finite] <= box.rounding_t[finite]).all()
        for side in ("lower", "upper"):
            one, other = getattr(found, side), getattr(here, side)
            assert np.allclose(one, other, rtol=1e-15, atol=0.0)


def test_limits_in_a_box_of_two_axes_are_those_of_both_keys() -> None:
    instance = random_instance(1, 40, integer_allowances=False)
    lines = {CEMENT: (-0.02, 0.01)}, {"provinces.balance": (0.001, 0.02)}
    box = box_of(instance, *lines)
    point = np.array([0.3, 0.8])
    here = derive(InstanceInputs.of(instance_at(instance, [Axis(line) for line in lines], point)))
    assert np.allclose(box.demands_at(point).rows.most, here.rows.most, rtol=1e-14)


@pytest.mark.parametrize(
    ("policy", "line", "said"),
    [
        ({"allocation.integer_allowances": True}, {CEMENT: (-0.01, 0.0)}, "whole tonnes move in steps"),
        ({"allocation.exceptions.units": 2}, {CEMENT: (-0.01, 0.0)}, "exceptions are chosen"),
        ({"allocation.intensity_order": True}, {CEMENT: (-0.01, 0.0)}, "an order of intensities"),
        ({}, {"sectors.cement.band.lower": (0.02, 0.03)}, "down to whole tonnes"),
        ({}, {"sectors.cement.band": (0.02, 0.03)}, "down to whole tonnes"),
        ({}, {"rule.slope": (0.1, 0.2)}, "rule.slope is no limit"),
        ({}, {"penalty.multiple": (5.0, 6.0)}, "penalty.multiple is no limit"),
    ],
)
def test_what_bends_is_named(policy: dict[str, object], line: dict[str, tuple[float, float]], said: str) -> None:
    box = box_of(etsopt.read("cn-2025").with_policy(policy), line)
    assert any(said in str(reason) for reason in box.bends())


def test_a_band_of_stated_references_moves_in_a_straight_line_and_bends_at_zero() -> None:
    rows = [("a", "e", "cement", "Anhui", 100.5, 103.0), ("b", "f", "cement", "Hebei", 300.25, 301.0)]
    instance = given(rows, {"sectors": {"cement": {"target_change": 0.0}}})
    assert not [*box_of(instance, {"sectors.cement.band": (0.02, 0.9)}).bends()]
    reasons = [str(one) for one in box_of(instance, {"sectors.cement.band": (0.5, 1.5)}).bends()]
    assert reasons == ["the lower end of a band reaches zero (sectors.cement.band.lower)"]


def test_the_upper_end_of_a_band_bends_where_it_reaches_what_is_due() -> None:
    # Emissions of 100.6 t are owed as 101 t, which a band of 0.1 % does not reach and one of 1 % does.
    instance = etsopt.read("tiny").with_policy({"sectors.cement.band.lower": 0.03})
    units = instance.units.assign(emissions_tco2e=instance.units["emissions_tco2e"] + 0.6)
    moved = etsopt.Instance.from_frames(units, instance.policy.model_dump(exclude_unset=True))
    line = {"sectors.cement.band.upper": (1e-7, 0.03)}
    assert any("reaches what is due" in str(one) for one in box_of(moved, line).bends())


def test_a_key_on_two_axes_is_refused() -> None:
    instance = etsopt.read("cn-2025")
    at = [InstanceInputs.of(instance.with_policy({CEMENT: change})) for change in (-0.01, 0.0, 0.01)]
    box = PolicyBox.of(at[0], at[1:], reference_allowances(instance).reference_t)
    assert [str(one) for one in box.bends()] == [f"{CEMENT} moves along two axes"]


def test_references_of_a_rule_from_outside_may_move_with_any_key() -> None:
    instance = etsopt.read("cn-2025")
    given = [InstanceInputs.of(instance.with_policy({CEMENT: change})) for change in (-0.01, 0.0)]
    for one in given:
        object.__setattr__(one.policy.rule, "name", "one-of-mine")
    box = PolicyBox.of(given[0], given[1:], reference_allowances(instance).reference_t)
    assert any("one-of-mine is not one of the package" in str(reason) for reason in box.bends())


# Numbers of a box by hand


def test_a_limit_is_rounded_by_eight_roundings_of_its_largest_number() -> None:
    sides: dict[str, Any] = {
        "units": [[0], [1], [0, 1]],
        "least": [[-900.0, -inf, 0.0], [-400.0, -inf, 0.0]],
        "most": [[100.0, 500.0, inf], [800.0, 700.0, inf]],
        "e": [100.0, 60.0],
        "r": [90.0, 50.0],
        "lower": [[0.0] * 2] * 2,
        "upper": [[200.0] * 2] * 2,
        "target": [[0.0] * 2] * 2,
    }
    for rule, nation in (("sector_target", 0.0), ("national_total", 160.0)):
        box = box_by_hand(rule=rule, **sides)
        del vars(box)["rounding_t"]
        known = [8 * U * (largest + nation) for largest in (900.0, 700.0, 0.0)]
        assert box.rounding_t.tolist() == pytest.approx(known, rel=1e-15, abs=0.0)


def test_limits_and_targets_move_in_a_straight_line_and_nothing_else_does() -> None:
    box = box_by_hand(
        e=[100.0, 60.0, 30.0],
        r=[90.0, 50.0, 30.0],
        fixed=[False, True, False],
        lower=[[80.0, 0.0, 10.0], [84.0, 8.0, 10.0]],
        upper=[[120.0, 60.0, 40.0], [112.0, 60.0, 48.0]],
        target=[[95.0, 60.0, 30.0], [99.0, 60.0, 22.0]],
        units=[[0, 2], [0, 1, 2]],
        least=[[0.0, -inf], [4.0, -inf]],
        most=[[100.0, inf], [140.0, inf]],
    )
    found = box.at(np.array([0.25]))
    assert (found.lower.tolist(), found.upper.tolist()) == ([81.0, 10.0], [118.0, 42.0])
    kinks = {name: kink.tolist() for name, kink in found.kinks.items()}
    assert kinks == {"change": [90.0, 30.0], "deficit": [100.0, 30.0], "spread": [96.0, 28.0]}
    assert (found.rows.least.tolist(), found.rows.most.tolist()) == ([1.0, -inf], [110.0, inf])
    assert found.rows.row is box.demands[0].rows.row
    demands = box.demands_at(np.array([0.25]))
    assert (demands.lower.tolist(), demands.upper.tolist()) == ([81.0, 2.0, 10.0], [118.0, 60.0, 42.0])
    assert demands.bands is box.demands[0].bands


def test_every_axis_adds_its_own_move_and_what_stays_is_exactly_itself() -> None:
    third = 1 / 3
    origin, first, second = np.array([0.0, third, -inf]), np.array([8.0, third, -inf]), np.array([-2.0, third, -inf])
    assert _between(np.array([0.25, 0.5]), [origin, first, second]).tolist() == [2.0 - 1.0, third, -inf]
    assert _between(np.array([]), [origin]) is origin


def test_what_no_limit_moves_is_that_of_the_origin() -> None:
    rows = [("a", "e", "cement", "Anhui", 100.0, 103.0), ("b", "f", "cement", "Hebei", 300.0, 301.0)]
    made = [
        given([(*row[:4], row[4] * times, row[5]) for row in rows], {"allocation": {"objectives": objectives}}, **case)
        for times, objectives, case in (
            (1.0, ["deficit"], {"special_case": ["", "new"]}),
            (2.0, ["change"], {"special_case": ["new", ""]}),
        )
    ]
    origin, other = map(InstanceInputs.of, made)
    box = PolicyBox.of(origin, [other], np.array([103.0, 301.0]))
    assert box.given == (origin, other)
    assert box.free.tolist() == [True, False]
    assert box.all_emissions.tolist() == [100.0, 300.0]
    assert box.emissions.tolist() == [100.0]
    assert box.names == ("deficit", "least_squares")


# Reasons for which a limit bends, by hand

UNITS = [("a", "e", "cement", "Anhui", 100.5, 103.0), ("b", "f", "steel", "Hebei", 300.25, 301.0)]
ROWS_DIFFER = "other units or rows have limits at the two ends"


def reasons(origin: dict[str, Any], *others: dict[str, Any], **columns: Any) -> list[str]:
    """Reasons of the box between policies of two units that state their references."""
    columns = {"output_t": [120.0, 150.0]} | columns
    at = [InstanceInputs.of(given(UNITS, policy, **columns)) for policy in (origin, *others)]
    box = PolicyBox.of(at[0], at[1:], np.array([103.0, 301.0]))
    return [str(reason) for reason in box.bends()]


def cement(**section: Any) -> dict[str, Any]:
    """A policy of the sector of cement alone."""
    return {"sectors": {"cement": section}}


@pytest.mark.parametrize(
    ("allocation", "known"),
    [
        ({}, []),
        ({"integer_allowances": True}, ["whole tonnes move in steps (allocation.integer_allowances)"]),
        ({"exceptions": {"units": 1}}, ["exceptions are chosen, not moved (allocation.exceptions)"]),
        ({"intensity_order": True}, ["an order of intensities is no limit in tonnes (allocation.intensity_order)"]),
    ],
)
def test_what_moves_in_steps_bends_by_itself(allocation: dict[str, Any], known: list[str]) -> None:
    ends = [cement(target_t=tonnes) | {"allocation": allocation} for tonnes in (90.0, 110.0)]
    assert reasons(*ends) == known


def test_the_policy_of_the_origin_says_what_moves_in_steps() -> None:
    whole = cement(target_t=100.0) | {"allocation": {"integer_allowances": True}}
    moved = "allocation.integer_allowances is no limit of the allocation, which moves in a straight line"
    assert reasons(cement(target_t=100.0), whole) == [moved]
    assert reasons(whole, cement(target_t=100.0)) == [
        "whole tonnes move in steps (allocation.integer_allowances)",
        moved,
    ]


def test_a_corner_without_a_move_is_none() -> None:
    one, other = cement(target_t=90.0), cement(target_t=110.0)
    assert reasons(one, one) == ["no key of the policy differs between the ends"]
    assert reasons(one, other, one) == ["no key of the policy differs between the ends"]
    assert reasons(one, other, cement(target_t=100.0)) == ["sectors.cement.target_t moves along two axes"]
    assert reasons(one) == []


def test_a_limit_that_one_end_does_not_have_is_no_number() -> None:
    missing = ["sectors.cement.target_t is no number at both ends", ROWS_DIFFER]
    assert reasons(cement(target_t=90.0), {}) == missing
    assert reasons({}, cement(target_t=90.0)) == missing


def test_a_rule_from_outside_at_the_origin_bends_whatever_the_other_end_says() -> None:
    at = [InstanceInputs.of(given(UNITS, cement(target_t=tonnes))) for tonnes in (90.0, 110.0)]
    for place, known in ((0, True), (1, False)):
        ends = [InstanceInputs.of(given(UNITS, cement(target_t=tonnes))) for tonnes in (90.0, 110.0)]
        object.__setattr__(ends[place].policy.rule, "name", "one-of-mine")
        found = [str(reason) for reason in PolicyBox(tuple(ends), (derive(at[0]),) * 2, np.zeros(2)).bends()]
        assert ("one-of-mine" in found[0]) is known


@pytest.mark.parametrize(
    ("first", "last", "passes"),
    [(0.5, 1.5, True), (1.5, 0.5, True), (0.5, 0.9, False), (0.5, 1.0, False), (1.0, 0.5, False), (1.5, 1.2, False)],
)
def test_a_lower_end_bends_where_it_passes_zero(first: float, last: float, passes: bool) -> None:
    ends = [cement(band={"lower": lower, "upper": 0.1}) for lower in (first, last)]
    known = ["the lower end of a band reaches zero (sectors.cement.band.lower)"] if passes else []
    assert reasons(*ends) == known
    # Of units that are fixed no band counts.
    assert reasons(*ends, special_case=["new", ""]) == []
    # A band that stays has no corner to pass.
    wide = {"allocation": {"band": {"lower": 2.0, "upper": 0.1}}}
    assert reasons(cement(target_t=90.0) | wide, cement(target_t=110.0) | wide) == []


def by_plan(emissions: float, band: tuple[float, float], special: str = "") -> InstanceInputs:
    """A unit of cement under the plan of 2025 by its emissions, with a band."""
    columns = {"unit_id": ["a"], "enterprise_id": ["e"], "sector": ["cement"], "province": ["Anhui"]}
    units = pd.DataFrame(columns).assign(emissions_tco2e=emissions, output_t=1e5, special_case=special)
    section = {"cement": {"band": {"lower": band[0], "upper": band[1]}}}
    return InstanceInputs.of(
        etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn-2025"}, "sectors": section})
    )


ROUNDED = "the rule rounds the lower end of a band down to whole tonnes (sectors.cement.band.lower)"
DUE = "the upper end of a band reaches what is due (sectors.cement.band.upper)"


@pytest.mark.parametrize(
    ("emissions", "first", "last", "known"),
    [
        # 99,500.4 t and 99,000.4 t, rounded down to 99,500 t and 99,000 t.
        (100_000.4, (0.005, 0.03), (0.01, 0.03), [ROUNDED]),
        # 100,000.6 t are owed as 100,001 t, which an upper end of 0.1 t above does not reach and one of 1 t above does.
        (100_000.6, (0.01, 1e-6), (0.01, 1e-5), [DUE]),
        (100_000.6, (0.01, 1e-5), (0.01, 1e-6), [DUE]),
        (100_000.6, (0.01, 1e-6), (0.01, 2e-6), []),
        (100_000.6, (0.01, 1e-5), (0.01, 2e-5), []),
        (100_000.4, (0.01, 1e-6), (0.01, 1e-5), []),
    ],
)
def test_bands_of_a_plan_bend_at_whole_tonnes(
    emissions: float, first: tuple[float, float], last: tuple[float, float], known: list[str]
) -> None:
    for special, found in (("", known), ("new", [])):
        ends = [by_plan(emissions, band, special) for band in (first, last)]
        box = PolicyBox.of(ends[0], ends[1:], np.array([emissions]))
        assert [str(reason) for reason in box.bends()] == found


def test_a_cap_of_the_rule_that_moves_all_bands_is_no_limit_and_no_key_of_a_band() -> None:
    units = pd.DataFrame({"unit_id": ["a"], "enterprise_id": ["e"], "sector": ["cement"], "province": ["Anhui"]})
    units = units.assign(emissions_tco2e=100_000.4, output_t=1e5)
    ends = [
        InstanceInputs.of(etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn-2025", "cap": cap}}))
        for cap in (0.02, 0.03)
    ]
    found = [str(reason) for reason in PolicyBox.of(ends[0], ends[1:], np.array([1e5])).bends()]
    assert found == ["rule.cap is no limit of the allocation, which moves in a straight line"]


@pytest.mark.parametrize(
    ("first", "last", "passes"),
    [(50.0, 70.0, False), (40.0, 60.0, True), (60.0, 40.0, True), (20.0, 40.0, False), (50.5, 60.0, False)],
)
def test_a_national_total_bends_where_what_is_left_of_it_passes_zero(first: float, last: float, passes: bool) -> None:
    rows = [("a", "e", "cement", "Anhui", 100.0, 103.0), ("b", "f", "steel", "Hebei", 50.0, 50.0)]
    # The second unit gets its 50 t.
    ends = [
        InstanceInputs.of(given(rows, {"national": {"target_t": total}}, special_case=["", "new"]))
        for total in (first, last)
    ]
    box = PolicyBox.of(ends[0], ends[1:], np.array([103.0, 50.0]))
    assert [str(reason) for reason in box.bends()] == (["the national total passes zero"] if passes else [])


def test_keys_that_differ_are_told_with_both_values() -> None:
    one = cement(target_t=90.0, band={"lower": 0.1, "upper": 0.2})
    other = cement(band={"lower": 0.1, "upper": 0.3}) | {"provinces": {"balance": 0.1}}
    found = moved_keys(*(InstanceInputs.of(given(UNITS, policy)) for policy in (one, other)))
    assert found == {
        "sectors.cement.target_t": (90.0, None),
        "sectors.cement.band.upper": (0.2, 0.3),
        "provinces.balance": (None, 0.1),
    }


def test_numbers_pass_a_corner_if_they_are_on_both_sides_of_it() -> None:
    at = {"below": 1.0, "corner": 2.0, "above": 3.0}
    here = np.array([True, True, False])
    for one, first in at.items():
        for other, last in at.items():
            passing = {one, other} == {"below", "above"}
            ends = np.array([1.0, first, 1.0]), np.array([1.0, last, 3.0])
            assert _passes(*ends, 2.0, here) is passing
            assert _passes(*ends, np.full(3, 2.0), here) is passing
    assert not _passes(np.ones(3), np.full(3, 3.0), 2.0, np.zeros(3, dtype=bool))


def test_numbers_are_neither_truth_values_nor_words() -> None:
    assert [_is_number(value) for value in (1, 0.5, True, "1", None, [1])] == [True, True, False, False, False, False]


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("sectors.cement.target_change", True),
        ("sectors.cement.target_t", True),
        ("sectors.cement.target_intensity", True),
        ("sectors.cement.target_sense", False),
        ("sectors.cement.band.lower", True),
        ("sectors.cement.band.upper", True),
        ("sectors.cement.band.other", False),
        ("sectors.cement.other.lower", False),
        ("sectors.a.b.target_t", True),
        ("sectors.a.b.band.upper", True),
        ("national.target_change", True),
        ("national.target_t", True),
        ("national.target_intensity", False),
        ("national.target_sense", False),
        ("provinces.balance", True),
        ("provinces.balance.Anhui", True),
        ("provinces.balance.A. B.", True),
        ("provinces.other", False),
        ("other.balance", False),
        ("allocation.band.lower", True),
        ("allocation.band.upper", True),
        ("allocation.band.other", False),
        ("allocation.other.lower", False),
        ("other.band.lower", False),
        ("rule.slope", False),
    ],
)
def test_a_key_is_a_limit_by_the_table(key: str, limit: bool) -> None:
    assert _is_limit(key) is limit


def test_both_ends_have_the_same_units_rows_and_sides() -> None:
    (one, other) = box_by_hand(most=[[1000.0], [900.0]], lower=[[80.0], [70.0]]).demands
    assert _same_shape(one, other)
    rows = one.rows
    for changed in (
        replace(other, fixed=np.array([True])),
        replace(other, at_target_rate=np.array([nan])),
        replace(other, rows=replace(rows, row=rows.row + 1)),
        replace(other, rows=replace(rows, position=rows.position + 1)),
        replace(other, rows=replace(rows, rule=np.array(["national_total"], dtype=object))),
        replace(other, rows=replace(rows, index=np.array(["other"], dtype=object))),
        replace(other, rows=replace(rows, least=np.array([-inf]))),
        replace(other, rows=replace(rows, most=np.array([inf]))),
    ):
        assert not _same_shape(one, changed)
        assert not _same_shape(changed, one)
