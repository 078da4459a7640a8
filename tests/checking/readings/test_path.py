"""Caps of a path by hand: stated in tonnes, on a line between them, or by a yearly change."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from etsopt.checking.readings import path as of_path
from etsopt.checking.readings import plan
from etsopt.checking.readings.path import Rule, banks, below_cap, follows_output, tightened, with_power
from tests.checking.market.small import table

YEARS = np.array([2025, 2026, 2027, 2028, 2029])


def with_path(**path: Any) -> Any:
    stated = {"cap_t": None, "cap_from": None, "cap_change": 0.0, "no_bank_from": None} | path
    return SimpleNamespace(policy=SimpleNamespace(pathway=SimpleNamespace(**stated)))


def test_nothing_is_kept_at_the_end_of_the_year_before_and_later() -> None:
    assert banks(with_path(), YEARS).tolist() == [True] * 5
    for first, kept in ((2026, 0), (2028, 2), (2029, 3), (2030, 4), (2031, 5)):
        assert banks(with_path(no_bank_from=first), YEARS).tolist() == [True] * kept + [False] * (5 - kept)


def test_a_cap_is_on_a_line_between_stated_years_and_constant_after_the_last() -> None:
    years = np.array([2026, 2027, 2028, 2030, 2031, 2040])
    capped = below_cap(with_path(cap_t={"2031": 50.0, "2026": 100.0, "2030": 70.0}), years, np.full((2, 6), 500.0))
    assert capped.sum(axis=0) == pytest.approx([100.0, 92.5, 85.0, 70.0, 50.0, 50.0])


def test_allowances_are_cut_to_a_stated_cap_from_its_first_year_on() -> None:
    given = table((60, 60, 60, 60, 0), (90, 90, 30, 90, 0))
    cut = below_cap(with_path(cap_t={"2026": 100.0, "2028": 75.0}), YEARS, given)
    assert cut.sum(axis=0) == pytest.approx([150, 100, 87.5, 75, 0])
    assert cut[0] == pytest.approx([60, 40, 60 * 87.5 / 90, 30, 0])
    little = below_cap(with_path(cap_t={"2026": 0.25}), YEARS, given / 300)
    assert little.sum(axis=0) == pytest.approx([0.5, 0.25, 0.25, 0.25, 0])
    # A cap above what is given raises nothing, and one before the horizon holds from its first year.
    wide = below_cap(with_path(cap_t={"2020": 140.0}), YEARS, given)
    assert wide.sum(axis=0) == pytest.approx([140, 140, 90, 140, 0])


def test_allowances_are_cut_from_the_last_year_without_a_cap_by_its_change() -> None:
    given = table((60, 80, 80, 80, 0), (40, 40, 40, 40, 0))
    cut = below_cap(with_path(cap_from=2027, cap_change=-0.25), YEARS, given)
    assert cut.sum(axis=0) == pytest.approx([100, 120, 90, 67.5, 0])
    last = below_cap(with_path(cap_from=2029, cap_change=-0.5), YEARS, given)
    assert last.tolist() == given.tolist()
    for path in ({}, {"cap_from": 2030, "cap_change": -0.5}):
        assert below_cap(with_path(**path), YEARS, given) is given
    one = below_cap(with_path(cap_from=2029, cap_change=-0.5), YEARS, given + 10)
    assert one.sum(axis=0) == pytest.approx([120, 140, 140, 140, 20])


def test_allowances_follow_output_until_a_cap_cuts_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "follows_plan", lambda _: True)
    for path, first in (
        ({}, 2099),
        ({"cap_from": 2027}, 2027),
        ({"cap_t": {"2028": 1.0, "2026": 2.0}}, 2026),
        ({"cap_t": {"2028": 1.0}, "cap_from": 2027}, 2027),
    ):
        made = with_path(**path)
        assert follows_output(made, YEARS, capped=True).tolist() == (first > YEARS).tolist()
        assert follows_output(made, YEARS, capped=False).all()
    monkeypatch.setattr(plan, "follows_plan", lambda _: False)
    assert not follows_output(with_path(), YEARS, capped=False).any()


def test_a_path_tightens_from_its_second_phase_on_also_in_a_horizon_of_one_year() -> None:
    enacted = Rule(np.full(3, 0.15), np.full(3, 0.03), table((2, 2, 4), (np.nan, np.nan, np.nan)))
    path = with_path(tightening={"2027": 0.5}, slope=None, band=None)
    years, second = np.array([2025, 2026, 2027]), np.array([False, True, True])
    made = tightened(path, years, second, enacted)
    assert made.balance_value[0].tolist() == [2, 2, 1]
    assert np.isnan(made.balance_value[1]).all()
    assert (made.slope.tolist(), made.cap.tolist()) == ([0.15] * 3, [0.03] * 3)
    one = Rule(np.array([0.25]), np.array([0.5]), table((2,)))
    own = with_path(tightening=0.25, slope=None, band={"2025": 0.125})
    made = tightened(own, np.array([2025]), np.array([True]), one)
    assert (made.slope.tolist(), made.cap.tolist(), made.balance_value.tolist()) == ([0.25], [0.125], [[1.5]])


def test_power_is_given_by_its_output_in_the_years_in_which_it_emits(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def of_power(_: Any, fixed: Any, year: int, grown: Any, emissions: Any) -> Any:
        asked.append((fixed, year, grown.tolist(), emissions.tolist()))
        return np.array([10.0 * year, np.nan])

    monkeypatch.setattr(of_path, "allowances_of_power", of_power)
    monkeypatch.setattr(of_path, "fixed_at_emissions", lambda _: "fixed")
    given, grown, emissions = table((1, 2), (3, 4)), table((2, 3), (4, 5)), table((0.5, 0), (0, 7))
    made = with_power(None, np.array([2025, 2026]), grown, emissions, given)  # type: ignore[arg-type]
    assert made.tolist() == [[20250, 20260], [3, 4]]
    assert asked == [("fixed", 2025, [2, 0], [0.5, 0]), ("fixed", 2026, [0, 5], [0, 7])]
