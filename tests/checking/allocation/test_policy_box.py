"""Limits in a box of policies are those of every policy in it, or the reason why they are not is named."""

from __future__ import annotations

import numpy as np
import pytest

import etsopt
from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.policy_box import PolicyBox
from etsopt.curves.axes import Axis, corners, instance_at
from etsopt.readings.given import Given
from etsopt.rules import reference_allowances
from tests.builders import given, random_instance

CEMENT, STEEL = "sectors.cement.target_change", "sectors.steel.target_change"
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
    return PolicyBox.of(Given.of(origin), [Given.of(other) for other in others], reference)


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (1, 2))])
def test_limits_at_a_point_are_those_of_its_policy(name: str, seed: int) -> None:
    instance, line = random_instance(seed, 40, integer_allowances=False), LINES[name]
    instance = instance.with_policy({"sectors.cement.band.lower": 0.03, "sectors.steel.band.lower": 0.03})
    box = box_of(instance, line)
    assert [*box.bends()] == []
    for place in np.random.default_rng(seed).uniform(0.0, 1.0, 5):
        here = derive(Given.of(instance_at(instance, [Axis(line)], [place])))
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
    here = derive(Given.of(instance_at(instance, [Axis(line) for line in lines], point)))
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
    at = [Given.of(instance.with_policy({CEMENT: change})) for change in (-0.01, 0.0, 0.01)]
    box = PolicyBox.of(at[0], at[1:], reference_allowances(instance).reference_t)
    assert [str(one) for one in box.bends()] == [f"{CEMENT} moves along two axes"]


def test_references_of_a_rule_from_outside_may_move_with_any_key() -> None:
    instance = etsopt.read("cn-2025")
    given = [Given.of(instance.with_policy({CEMENT: change})) for change in (-0.01, 0.0)]
    for one in given:
        object.__setattr__(one.policy.rule, "name", "one-of-mine")
    box = PolicyBox.of(given[0], given[1:], reference_allowances(instance).reference_t)
    assert any("one-of-mine is not one of the package" in str(reason) for reason in box.bends())
