"""The checker's search for choices of exceptions, and the bands that exceptions widen."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.allocation.bands import derive_bands
from etsopt.checking.allocation.exceptions import _is_choice
from etsopt.checking.allocation.infeasibility import Infeasibility
from etsopt.checking.allocation.limits import derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.builders import given
from tests.judging import check

if TYPE_CHECKING:
    from etsopt.running.results.results import LevelResult


def proofs_of(gains: np.ndarray, wanted: np.ndarray) -> list[Infeasibility]:
    return [Infeasibility(float(lacking), 0.0, gain) for lacking, gain in zip(wanted, gains, strict=True)]


def test_the_search_says_what_trying_every_choice_says() -> None:
    found = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        units, proofs, count = int(random.integers(1, 9)), int(random.integers(1, 4)), int(random.integers(0, 5))
        key = random.integers(0, 12, units).astype(object)
        gains = random.integers(0, 4, (proofs, units)) * random.integers(0, 2, (proofs, units)).astype(float)
        wanted = random.integers(-1, 6, proofs).astype(float)
        sums = [
            int(key[list(chosen)].sum())
            for chosen in combinations(range(units), count)
            if (gains[:, list(chosen)].sum(axis=1) >= wanted).all()
        ]
        for limit in (math.inf, 5, 15) if count else (math.inf,):
            expected = any(total < limit for total in sums)
            assert _is_choice(count, key, limit, proofs_of(gains, wanted)) == expected
            found += expected
    assert found > 150


def test_keys_that_differ_by_one_are_told_apart_however_large() -> None:
    large = 2**80
    key = np.array([large, large + 1, large + 2], dtype=object)
    gains, wanted = np.array([[0.0, 1.0, 1.0]]), np.array([1.0])
    # The second unit is the first that does: none comes before it, and before the third there is one.
    assert not _is_choice(1, key, large + 1, proofs_of(gains, wanted))
    assert _is_choice(1, key, large + 2, proofs_of(gains, wanted))


def test_a_choice_may_be_of_more_units_than_calls_may_be_nested() -> None:
    count = 3000
    key, gains = np.arange(count + 1).astype(object), np.ones((1, count + 1))
    assert _is_choice(count, key, math.inf, proofs_of(gains, np.array([float(count)])))
    assert not _is_choice(count, key, math.inf, proofs_of(gains, np.array([count + 1.0])))


MANY = 1100
"""More exceptions than calls may be nested."""


def equal_units(count: int) -> etsopt.Instance:
    """Return an instance of equal units, all of which have to be exceptions."""
    rows = [(f"u{unit:04}", f"u{unit:04}", "cement", "North", 1000.0, 1000.0) for unit in range(count)]
    policy = {
        "sectors": {"cement": {"band": 0.05, "target_t": 900.0 * count}},
        "allocation": {"exceptions": {"units": count, "lower": 0.1, "upper": 0.05}},
    }
    return given(rows, policy)


def answer_of_many() -> tuple[dict[str, pd.DataFrame], list[LevelResult]]:
    """Return the answer of many equal units, written down from that of two: HiGHS takes a minute and more to find it.

    Every unit gets 900 t of its 1,000 t, so that totals and all objectives grow with the units, but for the largest
    rate and for the places of exceptions in their order, which are 1, 2, 3 and so on.
    """
    two = etsopt.solve(equal_units(2))
    assert two.status == "certified_optimal"
    # How equal two units are says nothing of many.
    tables = {name: table for name, table in two.tables.items() if name != "fairness"}
    for name in ("allocation", "enterprises"):
        ids = [f"u{unit:04}" for unit in range(MANY)]
        tables[name] = pd.concat([tables[name][:1]] * MANY, ignore_index=True).assign(
            **{column: ids for column in ("unit_id", "enterprise_id") if column in tables[name]}
        )
    for name in ("sectors", "provinces"):
        totals = [column for column in tables[name] if column.startswith("units") or column.endswith(("_t", "_tco2e"))]
        tables[name] = tables[name].assign(**{total: tables[name][total] * (MANY // 2) for total in totals})
    other = {"largest_change": 1.0, "exception_order": MANY * (MANY + 1) / 2 / 3.0}
    levels = [replace(level, value=level.value * other.get(level.name, MANY / 2)) for level in two.levels]
    return tables, levels


def test_many_exceptions_are_certified_and_without_their_prices_are_not() -> None:
    instance, (tables, levels) = equal_units(MANY), answer_of_many()
    honest = check(instance, tables, levels)
    assert honest.violations == ()
    assert honest.certified
    assert tables["allocation"]["exceptional"].all()
    proves = tables["duals"]["level"].str.startswith("exception")
    tables["duals"] = tables["duals"][~proves].reset_index(drop=True)
    report = check(instance, tables, levels)
    assert not report.certified
    assert report.levels[0].bound == 0.0


@pytest.mark.parametrize("whole", [False, True], ids=["real", "whole"])
def test_an_exception_never_loses_what_its_unit_may_have(whole: bool) -> None:
    for seed in range(60):
        random = np.random.default_rng(seed)
        emissions = np.round(random.uniform(0.1, 30.0, 6), 2).tolist()
        rows = [(f"u{unit}", "e", "cement", "North", size, size) for unit, size in enumerate(emissions)]
        lower, upper, wide_lower, wide_upper = random.uniform(0.0, 0.2, 4).tolist()
        policy = {
            "sectors": {"cement": {"band": {"lower": lower, "upper": upper}}},
            "allocation": {
                "integer_allowances": whole,
                "exceptions": {"units": 2, "lower": wide_lower, "upper": wide_upper},
            },
        }
        instance = given(rows, policy)
        found = derive_bands(InstanceInputs.of(instance))
        assert (np.stack([found.added_below, found.added_above, found.shared_below, found.shared_above]) >= 0).all()
        without, everyone = (
            derive(InstanceInputs.of(instance)),
            derive(InstanceInputs.of(instance), np.ones(6, dtype=bool)),
        )
        assert (everyone.lower <= without.lower).all()
        assert (everyone.upper >= without.upper).all()
