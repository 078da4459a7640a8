"""Bands of units and enterprises, and what rounds to a whole tonne, against their definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from etsopt.checking.allocation.bands import Bands, band_rates, derive_bands, rounded, whole_limits
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.targets import floored
from tests.builders import given

if TYPE_CHECKING:
    import etsopt

ROWS = [("a", "a", "cement", "Hebei", 1000.4, 1000.0), ("b", "b", "steel", "Hebei", 2000.0, 2000.0)]


def instance(rule: str = "given", **policy: Any) -> etsopt.Instance:
    sectors = {"cement": {"band": {"lower": 0.1, "upper": 0.05}}, "steel": {"band": 0.03}}
    content = {"sectors": sectors, "rule": {"name": rule}} | policy
    return given(ROWS, content, output_t=[1000.0, 1000.0])


@pytest.mark.parametrize(
    ("tonnes", "down", "nearest"),
    [
        (1.5, 1.0, 2.0),
        (1.49, 1.0, 1.0),
        (2.0 - 0.9e-6, 2.0, 2.0),
        (2.0 - 1.1e-6, 1.0, 2.0),
        (1.5 - 0.9e-6, 1.0, 2.0),
        (1.5 - 1.1e-6, 1.0, 1.0),
        (-1.2, -2.0, -1.0),
        (1e9 - 1.05e-5, 1e9, 1e9),
        (1e9 - 1.2e-5, 1e9 - 1, 1e9),
        (-1e9 - 1.05e-5, -1e9, -1e9),
    ],
)
def test_what_lacks_a_millionth_to_a_whole_tonne_or_its_rounding_is_that_tonne(
    tonnes: float, down: float, nearest: float
) -> None:
    assert floored(np.array([tonnes]))[0] == down
    assert rounded(np.array([tonnes]))[0] == nearest


@pytest.mark.parametrize(
    ("least", "most", "whole"),
    [(1.2, 3.7, (2.0, 3.0)), (1.2, 1.7, (1.0, 1.0)), (2.0, 2.0, (2.0, 2.0)), (-1.7, 0.2, (-1.0, 0.0))],
)
def test_limits_are_rounded_inward_or_both_down(least: float, most: float, whole: tuple[float, float]) -> None:
    bottom, top = whole_limits(np.array([least]), np.array([most]))
    assert (bottom[0], top[0]) == whole


def lists(found: Bands) -> dict[str, list[float]]:
    return {name: getattr(found, name).tolist() for name in Bands.__dataclass_fields__}


def test_the_band_of_a_unit_is_that_of_its_sector_else_of_the_rule() -> None:
    down, up = band_rates(InstanceInputs.of(instance()))
    assert (down.tolist(), up.tolist()) == ([0.1, 0.03], [0.05, 0.03])
    found = lists(derive_bands(InstanceInputs.of(instance())))
    assert found["lower"] == found["shared_lower"] == pytest.approx([900.36, 1940.0])
    assert found["upper"] == found["shared_upper"] == pytest.approx([1050.42, 2060.0])
    for side in ("added_below", "added_above", "shared_below", "shared_above"):
        assert found[side] == [0.0, 0.0]


def test_without_a_band_only_zero_limits_an_allowance_until_far_above_emissions_and_reference() -> None:
    bare = InstanceInputs.of(
        given([*ROWS, ("c", "c", "steel", "Hebei", 1.0, 5000.0)], {"sectors": {"cement": {"band": 0.1}}})
    )
    assert band_rates(bare)[0].tolist() == [0.1, np.inf, np.inf]
    found = derive_bands(bare)
    assert found.lower.tolist() == [pytest.approx(900.36), 0.0, 0.0]
    assert found.upper.tolist() == [pytest.approx(1100.44), 200_000.0, 500_000.0]
    # A plan of China's system has its own band, whatever the policy states.
    assert band_rates(InstanceInputs.of(instance("cn-2025", sectors={})))[1].tolist() == [0.03, 0.03]


def test_a_rule_in_whole_tonnes_rounds_the_lower_end_down() -> None:
    found = lists(derive_bands(InstanceInputs.of(instance("cn-2025"))))
    assert found["lower"] == [900.0, 1940.0]
    assert found["upper"] == pytest.approx([1050.42, 2060.0])


def test_exceptions_widen_bands_by_what_their_own_is_wider() -> None:
    exceptions = {"units": 1, "lower": 0.05, "upper": 0.08}
    for rule, lower in (("given", [900.36, 1940.0]), ("cn-2025", [900.0, 1940.0])):
        found = lists(derive_bands(InstanceInputs.of(instance(rule, allocation={"exceptions": exceptions}))))
        assert found["lower"] == pytest.approx(lower)
        assert found["added_below"] == found["shared_below"] == pytest.approx([0.0, 40.0])
        assert found["added_above"] == found["shared_above"] == pytest.approx([30.012, 100.0])


def test_nobody_has_less_than_no_allowances() -> None:
    narrow = {"cement": {"band": {"lower": 0.9999, "upper": 0.05}}, "steel": {"band": 0.03}}
    for most, wide in ((0.9999999, 1000.4e-7), (1.0, 0.0)):
        exceptions = {"units": 1, "lower": most, "upper": 0.08}
        found = lists(
            derive_bands(InstanceInputs.of(instance("given", sectors=narrow, allocation={"exceptions": exceptions})))
        )
        assert found["lower"] == pytest.approx([0.10004, 1940.0])
        assert found["added_below"][0] == pytest.approx(0.10004 - wide, rel=1e-9)
        whole = lists(
            derive_bands(InstanceInputs.of(instance("cn-2025", sectors=narrow, allocation={"exceptions": exceptions})))
        )
        assert (whole["lower"][0], whole["added_below"][0]) == (0.0, 0.0)


def test_whole_bands_lie_inside_and_exceptions_add_whole_tonnes() -> None:
    allocation = {"integer_allowances": True, "exceptions": {"units": 1, "lower": 0.1203, "upper": 0.08}}
    found = lists(derive_bands(InstanceInputs.of(instance(allocation=allocation))))
    assert found["lower"] == [901.0, 1940.0]
    assert found["upper"] == [1050.0, 2060.0]
    assert found["shared_lower"] == pytest.approx([900.36, 1940.0])
    assert found["shared_upper"] == pytest.approx([1050.42, 2060.0])
    # 1000.4 less 12.03 % is 880.05, so 881 is the least whole tonne; of an enterprise 20.3 t are 20.
    assert found["added_below"] == [20.0, 180.0]
    assert found["added_above"] == [30.0, 100.0]
    assert found["shared_below"] == [20.0, 180.0]
    assert found["shared_above"] == [30.0, 100.0]


def test_a_narrow_band_without_a_whole_tonne_is_the_one_below_which_the_wide_band_has_too() -> None:
    allocation = {"integer_allowances": True, "exceptions": {"units": 1, "lower": 0.0, "upper": 0.0007}}
    sectors = {"cement": {"band": {"lower": 0.0002, "upper": 0.0002}}}
    found = lists(derive_bands(InstanceInputs.of(instance(allocation=allocation, sectors=sectors))))
    assert (found["lower"][0], found["upper"][0]) == (1000.0, 1000.0)
    assert (found["added_below"][0], found["added_above"][0]) == (0.0, 1.0)
    assert (found["shared_below"][0], found["shared_above"][0]) == (0.0, 0.0)
