"""What multipliers prove to lack: by hand, against every allocation at the corners, and with its rounding."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.allocation import infeasibility
from etsopt.checking.allocation.infeasibility import (
    Infeasibility,
    least_infeasibility,
    multipliers_are_within_one,
    proven_infeasibility,
)
from etsopt.checking.allocation.limits import Demands, derive
from etsopt.checking.arithmetic import ROUNDOFF, gamma
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.tolerances import MISS_COMPARISON_FACTOR
from tests.builders import given

ROWS = [
    ("a", "e", "cement", "p", 1000.0, 1000.0),
    ("b", "e", "cement", "q", 2000.0, 2000.0),
    ("c", "c", "steel", "p", 500.0, 500.0),
]


def demands(band: float = 0.1, target: float = 2500.0, **allocation: Any) -> Demands:
    """Cement of 3000 t wants to have 2500 t, with bands of 10 %; both lines of it belong to one enterprise."""
    policy = {
        "sectors": {"cement": {"band": band, "target_t": target}, "steel": {"band": band}},
        "provinces": {"balance": 0.02},
        "allocation": allocation,
    }
    return derive(InstanceInputs.of(given(ROWS, policy)))


def price_of(own: Demands, **multipliers: float) -> np.ndarray:
    names = [f"{rule}_{index}" for rule, index in zip(own.rows.rule, own.rows.index, strict=True)]
    return np.array([multipliers.get(name, 0.0) for name in names])


def proof(own: Demands, rows_may: float = 0.0, unit_may: float = 0.0, **multipliers: float) -> Infeasibility:
    return least_infeasibility(own, price_of(own, **multipliers), np.full(len(own.rows), rows_may), unit_may)


@pytest.mark.parametrize("times", [1.0, 0.5, 3.0])
def test_what_lacks_is_the_least_of_the_bands_above_the_target(times: float) -> None:
    found = proof(demands(), sector_target_cement=-times)
    assert found.least == pytest.approx(200 * times, rel=1e-12)
    assert found.least < 200 * times
    exact = proof(demands(target=3400.0), sector_target_cement=-times)
    assert exact.least == pytest.approx(-(3400 - 2700) * times)
    # A target at most prices no lower side; a balance has one.
    assert proof(demands(), province_balance_q=0.5).least == pytest.approx(0.5 * (2000 - 40 - 2200))
    assert proof(demands(), province_balance_q=-0.5).least == pytest.approx(-0.5 * (2000 + 40 - 1800))


def test_fractions_of_a_tonne_count_as_tonnes_do() -> None:
    own = demands()
    moved = replace(own, lower=own.lower + 0.25)
    assert proof(moved, sector_target_cement=-1.0).least == pytest.approx(200.5, rel=1e-12)
    assert proof(moved, province_balance_q=0.5).least == pytest.approx(0.5 * (2000 - 40 - 2200), rel=1e-12)


def test_rows_together_prove_what_every_allocation_lacks() -> None:
    """Cement has 2500 t at most and line b 1960 t at least, so a has 540 t at most, and lacks 360 t."""
    found = proof(demands(), sector_target_cement=-1.0, province_balance_q=1.0)
    assert found.least == pytest.approx(-2500 + 1960 + 900, rel=1e-12)
    found = proof(demands(), sector_target_cement=-1.0, province_balance_q=0.25)
    assert found.least == pytest.approx(-2500 + 0.25 * 1960 + 900 + 0.75 * 1800, rel=1e-12)


def test_what_an_answer_is_let_off_with_counts_every_row_and_every_unit() -> None:
    found = proof(demands(), 0.02, 1e-3, sector_target_cement=-0.5, province_balance_q=0.25)
    assert found.tolerated == pytest.approx(0.75 * 0.02 + (0.5 + 0.25) * 1e-3, rel=1e-9)
    assert found.tolerated > 0.75 * 0.02 + 0.75 * 1e-3
    assert proof(demands(), sector_target_cement=-0.5).tolerated < 1e-250


def test_what_exceptions_gain_is_what_their_wider_band_adds_at_their_pull() -> None:
    exceptions = {"units": 1, "lower": 0.3, "upper": 0.15}
    own = demands(exceptions=exceptions)
    found = proof(own, sector_target_cement=-0.5, province_balance_p=2.0)
    assert found.gains == pytest.approx([1.5 * 50, 0.5 * 400, 2.0 * 25], rel=1e-9)
    assert (found.gains > [75.0, 200.0, 50.0]).all()
    half = proof(own, province_balance_p=0.5)
    assert half.gains == pytest.approx([0.5 * 50, 0.0, 0.5 * 25], abs=1e-9)
    plain = proof(demands(), sector_target_cement=-0.5)
    assert (plain.gains < 1e-9).all()
    # Their uncertain pull counts over what their band is wider on both sides.
    nothing = proof(own)
    assert (nothing.gains < 1e-200).all()


def test_an_enterprise_shares_its_band_and_its_units_may_hold_all_of_it() -> None:
    exceptions = {"units": 1, "lower": 0.3, "upper": 0.15}
    own = demands(exceptions=exceptions, band_on="enterprise")
    assert own.enterprise.tolist()[:2] == [own.enterprise[0]] * 2
    # The enterprise has 2700 t at least; with its row the sum of both lacks 200 t to the target.
    found = proof(own, sector_target_cement=-1.0, enterprise_band_e=1.0)
    assert found.least == pytest.approx(200.0, rel=1e-9)
    assert found.gains == pytest.approx([200.0, 400.0, 0.0], abs=1e-6)
    above = proof(own, sector_target_cement=0.0, enterprise_band_e=-0.5)
    assert above.gains == pytest.approx([25.0, 50.0, 0.0], abs=1e-6)
    # Alone the row of the enterprise proves nothing of units that may hold from nothing to all of 3300 t and 150 t.
    alone = proof(own, enterprise_band_e=1.0)
    assert alone.least == pytest.approx(2700 - 2 * 3450)


def test_rounding_is_taken_off_in_proportion_to_the_parts() -> None:
    """A target of 2000 t lacks 1000 t to the middle of 3000 t, which the bands make up for: rounding alone is left."""
    own = demands(target=2000.0)
    wide = replace(own, lower=own.upper - 1000.0, upper=own.upper.copy())
    wide.lower[:2], wide.upper[:2] = np.array([500.0, 1500.0]), np.array([1500.0, 2500.0])
    found = proof(wide, sector_target_cement=-1.0)
    # Of the pull, of its reach, of the sum of units and its most, of the row, and of both in the end.
    roundings = 1.01 * (own.rows.most_of_unit + 16) + 2 * 4 + 64 + 8 + 8 + 8 * 2
    assert -found.least == pytest.approx(roundings * 1000 * ROUNDOFF, rel=0.012, abs=0.0)


def test_the_middle_of_a_band_is_rounded_and_its_reach_with_it() -> None:
    # Three units in the last place, so that the middle is nearer to one end; the target is the other.
    step = 2.0**-22
    own = demands()
    narrow = replace(own, lower=own.lower.copy(), upper=own.upper.copy())
    narrow.lower[:2], narrow.upper[:2] = (2.0**30, 0.0), (2.0**30 + 3 * step, 0.0)
    narrow.rows.most[own.rows.rule == "sector_target"] = 2.0**30
    assert -step < proof(narrow, sector_target_cement=-1.0).least <= 0.0
    narrow.lower[0], narrow.upper[0] = 2.0**30 - 3 * step, 2.0**30
    narrow.rows.least[own.rows.rule == "sector_target"] = 2.0**30
    assert -2 * step < proof(narrow, sector_target_cement=1.0).least <= 0.0


def test_gains_are_rounded_up() -> None:
    own = demands(exceptions={"units": 1, "lower": 0.1, "upper": 0.15})
    gains = proof(own, province_balance_p=2.0).gains
    # Eight roundings of 50 t, and those of the pull over 25 t.
    roundings = 8 * 50 + 1.01 * (own.rows.most_of_unit + 16) * 2 * 25
    assert gains[2] - 50.0 == pytest.approx(roundings * ROUNDOFF, rel=0.025, abs=0.0)


def test_where_pulls_cancel_what_is_uncertain_of_them_is_left() -> None:
    own = demands(exceptions={"units": 1, "lower": 0.3, "upper": 0.15})
    found = proof(own, 0.0, 1e-3, sector_target_cement=-1.0, province_balance_p=1.0, province_balance_q=1.0)
    uncertain = gamma(own.rows.most_of_unit + 16) * 2
    assert found.gains[:2] == pytest.approx([1.01 * uncertain * 250, 1.01 * uncertain * 500], rel=1e-9, abs=0)
    without = proof(own, 0.0, 1e-3, sector_target_cement=-1.0, province_balance_p=1.0)
    assert without.tolerated == pytest.approx(2e-3, rel=1e-9)
    # Unit c alone is pulled, by one.
    assert found.tolerated == pytest.approx(1e-3, rel=1e-9)
    only = proof(own, 0.0, 1e-3, sector_target_cement=-1.0, province_balance_q=1.0)
    assert only.tolerated == pytest.approx(1e-3, rel=1e-9)


def test_enterprises_count_where_theirs_are_the_only_rows() -> None:
    exceptions = {"units": 1, "lower": 0.3, "upper": 0.15}
    policy = {"sectors": {"cement": {"band": 0.1}}, "allocation": {"exceptions": exceptions, "band_on": "enterprise"}}
    own = derive(InstanceInputs.of(given(ROWS, policy)))
    assert own.enterprise.tolist() == [0, 0, -1]
    found = proof(own, enterprise_band_e=1.0)
    assert found.least == pytest.approx(2700 - 2 * 3450)
    assert found.gains == pytest.approx([200.0, 400.0, 0.0], abs=1e-6)


def test_a_row_that_may_be_missed_by_anything_proves_nothing() -> None:
    assert proof(demands(), np.inf, sector_target_cement=-1.0).least == -np.inf
    assert proof(demands(), 0.0, np.inf, sector_target_cement=-1.0).least == -np.inf


def test_an_exception_without_a_limit_removes_everything() -> None:
    own = demands(exceptions={"units": 1, "lower": 0.3, "upper": 0.3})
    bands = replace(own.bands, added_above=np.array([np.inf, 0.0, 0.0]))
    assert proof(replace(own, bands=bands), sector_target_cement=-1.0).least == -np.inf


@pytest.mark.parametrize("size", [1e308, np.inf, np.nan])
def test_what_overflows_proves_nothing(size: float) -> None:
    found = proof(demands(exceptions={"units": 1, "lower": 0.3, "upper": 0.3}), sector_target_cement=-size)
    assert found.least == -np.inf
    assert found.tolerated == 0.0
    assert found.gains.tolist() == [0.0] * 3


def duals(*lines: tuple[str, str, float]) -> pd.DataFrame:
    rows = [("target_relaxation", row, index, multiplier) for row, index, multiplier in lines]
    return pd.DataFrame(rows, columns=["level", "row", "index", "multiplier"])


def test_multipliers_of_limits_that_give_way_are_held_to_one() -> None:
    own = demands()
    for size, known in ((-0.5, 100.0), (-1.0, 200.0), (-2.0, 200.0)):
        proven, tolerated = proven_infeasibility(own, 0, duals(("sector_target", "cement", size)), "target_relaxation")
        assert proven == pytest.approx(known)
        assert not tolerated
    assert proven_infeasibility(own, 0, duals(("sector_target", "cement", -1.0)), "other") == (0.0, True)
    assert proven_infeasibility(own, 0, duals(("sector_target", "cement", 1.0)), "target_relaxation")[0] == 0.0
    both = duals(("sector_target", "cement", -1.0), ("province_balance", "q", 5.0))
    assert proven_infeasibility(own, 0, both, "target_relaxation")[0] == pytest.approx(360.0)
    # The row of an enterprise gives no way, and its multiplier may have any size.
    shared = demands(band_on="enterprise")
    lines = duals(("sector_target", "cement", -1.0), ("enterprise_band", "e", 1.0), ("province_balance", "q", 0.0))
    assert proven_infeasibility(shared, 0, lines, "target_relaxation")[0] == pytest.approx(200.0)
    assert proven_infeasibility(shared, 0, duals(("enterprise_band", "e", np.inf)), "target_relaxation") == (0.0, True)


def test_multipliers_above_one_are_said_but_for_their_rounding() -> None:
    own = demands(band_on="enterprise")
    for size, count in ((1.0, 0), (MISS_COMPARISON_FACTOR, 0), (1 + 1.1e-6, 1), (np.nan, 1)):
        for sign in (1.0, -1.0):
            found = multipliers_are_within_one(own.rows, price_of(own, sector_target_cement=sign * size))
            assert [violation.where for violation in found] == ["sector_target cement"] * count
    assert multipliers_are_within_one(own.rows, price_of(own, enterprise_band_e=7.0)) == []
    assert MISS_COMPARISON_FACTOR == 1 + 1e-6


@pytest.mark.parametrize(("lacks", "tolerated"), [(0.0205, True), (0.0225, False)])
def test_what_lacks_no_more_than_answers_are_let_off_with_is_tolerated(lacks: float, tolerated: bool) -> None:
    """20 kg of the row and a kilogram of each of two units: 22 kg."""
    own = demands(target=2700.0 - lacks)
    proven, found = proven_infeasibility(own, 0, duals(("sector_target", "cement", -1.0)), "target_relaxation")
    assert proven == pytest.approx(lacks, rel=1e-6)
    assert found is tolerated


def test_whole_tonnes_are_let_off_with_nothing() -> None:
    own = demands(target=2699.0, integer_allowances=True)
    proven = proven_infeasibility(own, 0, duals(("sector_target", "cement", -0.01)), "target_relaxation")
    assert proven[0] == pytest.approx(0.01)
    assert not proven[1]
    assert proven_infeasibility(own, 0, duals(("sector_target", "cement", 0.0)), "target_relaxation")[1]


def test_the_rounding_of_what_exceptions_leave_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Infeasibility(1.0, 0.0, np.array([0.25, 0.5]))
    monkeypatch.setattr(infeasibility, "least_infeasibility", lambda *_: known)
    proven, tolerated = proven_infeasibility(demands(), 1, duals(), "target_relaxation")
    # Over each choice: five roundings of its gain and of what lacks without it.
    assert 0.5 - proven == pytest.approx(5 * 1.5 * ROUNDOFF, rel=0.1, abs=0.0)
    assert not tolerated
    monkeypatch.setattr(infeasibility, "EXCEPTION_CHOICES_MAX", 0)
    proven, tolerated = proven_infeasibility(demands(), 1, duals(), "target_relaxation")
    # Four roundings of both, and eight by which the sum of the gains is raised.
    assert 0.5 - proven == pytest.approx((4 * 1.5 + 8 * 0.5) * ROUNDOFF, rel=0.1, abs=0.0)
    assert not tolerated


def test_an_exception_makes_up_for_what_its_own_rows_lack_and_no_more() -> None:
    """Cement lacks 200 t and steel 20 t. A line of cement as an exception has 800 t more, and steel nothing of it."""
    policy = {
        "sectors": {"cement": {"band": 0.1, "target_t": 2500.0}, "steel": {"band": 0.1, "target_t": 430.0}},
        "allocation": {"exceptions": {"units": 1, "lower": 0.5, "upper": 0.5}},
    }
    own = derive(InstanceInputs.of(given(ROWS, policy)))
    lines = duals(("sector_target", "cement", -1.0), ("sector_target", "steel", -1.0))
    for exceptions, left in ((0, 220.0), (1, 20.0), (2, 0.0)):
        proven, tolerated = proven_infeasibility(own, exceptions, lines, "target_relaxation")
        assert proven == pytest.approx(left, abs=1e-9)
        assert tolerated is (left == 0.0)


@pytest.mark.parametrize(("units", "left"), [(1, 100.0), (2, 50.0), (3, 50.0)])
def test_exceptions_that_are_allowed_make_up_for_the_most_that_they_can(units: int, left: float) -> None:
    """Of the 200 t that lack the larger line can make up 100 t, and the smaller one 50 t."""
    own = demands(exceptions={"units": units, "lower": 0.15, "upper": 0.1})
    lines = duals(("sector_target", "cement", -1.0))
    assert proven_infeasibility(own, units, lines, "target_relaxation")[0] == pytest.approx(left)
    assert proven_infeasibility(own, 0, lines, "target_relaxation")[0] == pytest.approx(200.0)


@pytest.mark.parametrize("seed", range(12))
def test_over_choices_the_best_proof_of_each_counts(seed: int) -> None:
    random = np.random.default_rng(seed)
    units, exceptions = 6, int(random.integers(1, 4))
    proofs = [
        Infeasibility(
            float(random.integers(5, 20)), float(random.integers(0, 3)), random.integers(0, 6, units).astype(float)
        )
        for _ in range(3)
    ]
    left, beyond = (
        min(
            max(proof.least - tolerated * proof.tolerated - proof.gains[list(chosen)].sum() for proof in proofs)
            for chosen in itertools.combinations(range(units), exceptions)
        )
        for tolerated in (0, 1)
    )
    found, tolerated = infeasibility._over_choices(proofs, exceptions)
    assert found == pytest.approx(max(left, 0.0), abs=1e-9)
    assert tolerated is not bool(beyond > 1e-9)


def test_choices_that_are_too_many_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    proofs = [Infeasibility(9.0, 1.0, np.ones(4))]
    found, tolerated = infeasibility._over_choices(proofs, 2)
    assert found == pytest.approx(7.0)
    assert not tolerated
    monkeypatch.setattr(infeasibility, "EXCEPTION_CHOICES_MAX", 5)
    assert infeasibility._over_choices(proofs, 2) == (0.0, True)
    # Units without a gain are no choice.
    alone = [Infeasibility(9.0, 1.0, np.array([1.0, 0.0, 0.0, 0.0]))]
    assert infeasibility._over_choices(alone, 2)[0] == pytest.approx(8.0)


def test_what_is_left_of_several_parts_is_their_sum_less_the_best_exceptions() -> None:
    parts, gains = np.array([5.0, 3.0, -1.0]), np.array([[2.0, 1.0, 9.0], [0.5, 1.0, -4.0], [7.0, 0.0, 0.0]])
    # Parts below zero and gains beyond a part count for nothing: units 0, 1 and 2 save 2.5, 2 and 5.
    assert infeasibility._left(parts, gains, 0) == pytest.approx(8.0)
    assert infeasibility._left(parts, gains, 1) == pytest.approx(3.0)
    assert infeasibility._left(parts, gains, 2) == pytest.approx(0.5)
    assert infeasibility._left(parts, gains, 3) == 0.0
    assert infeasibility._left(parts, gains, 1) <= 3.0
