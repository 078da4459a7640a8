"""Every model of the library on every shipped instance, and on policies that use what it has: both ways the same."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import etsopt
from etsopt.modelling import FormulatedModel, PreparedModel
from etsopt.running import library
from tests import outlooks
from tests.conftest import make_random_instance
from tests.markets import of_model, prepared
from tests.modelling.compiler.same import assert_same_both_ways

SHIPPED = sorted(path.parent.name for path in (Path(__file__).parents[3] / "instances").glob("*/policy.toml"))
# An outlook is of a nation's sources, which these instances do not have.
MODELS = [name for name in library.names() if isinstance(library.load(name), FormulatedModel) and name != "outlook"]
EVERY_LEVEL = ["spread", "deficit", "largest_change", "change"]
POLICIES: dict[str, dict[str, Any]] = {
    "as it is": {},
    "fair order": {"allocation.intensity_order": True},
    "fair order in whole tonnes": {"allocation.intensity_order": True, "allocation.integer_allowances": True},
    "bands of enterprises": {"allocation.band_on": "enterprise"},
    "national total": {"national.target_change": -0.01},
    "exact national total": {"national.target_change": 0.0, "national.target_sense": "exactly"},
    "every level": {"allocation.objectives": EVERY_LEVEL},
    "balance of provinces": {"provinces.balance": 0.02},
    "everything": {
        "allocation.intensity_order": True,
        "allocation.band_on": "enterprise",
        "allocation.objectives": EVERY_LEVEL,
        "national.target_change": -0.005,
        "provinces.balance": 0.02,
    },
}

UNIT_YEARS = 5_000
"""Units by years up to which an instance is compared as a whole: a path of thousands takes Pyomo minutes."""


@cache
def read(name: str) -> etsopt.Instance:
    """A shipped instance; of a long path every so manyth unit, in all years. Whole, these units are those of a year."""
    whole = etsopt.read(name).with_policy({"provinces.names": "any"})
    every = -(-len(whole.units) * len(whole.policy.years) // UNIT_YEARS)
    return replace(whole, units=whole.units.iloc[::every].reset_index(drop=True))


def assert_model_is_same(name: str, instance: Any) -> None:
    model: Any = library.load(name)
    # Some models need a price; others know none or have their own.
    priced = name in ("compliance", "abatement", "investment")
    instance = instance.with_policy({"market.prices_cny_per_t": 80.0}) if priced else instance
    # One that starts from an allocation gets that of the rule, which always exists.
    start = "balance_value" if isinstance(model, PreparedModel) else ""
    # Any plans will do, so that a market need not look for the best ones.
    assert_same_both_ways(model.formulate(), prepared(model, of_model(instance, name), start, gap=0.1))


@pytest.mark.everyday("tiny")
@pytest.mark.filterwarnings("ignore:reports. Months with:etsopt.DoubtWarning")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shipped", SHIPPED)
@pytest.mark.parametrize("policy", ["as it is", "everything"])
def test_every_model_is_the_same_both_ways_on_every_shipped_instance(name: str, shipped: str, policy: str) -> None:
    assert_model_is_same(name, read(shipped).with_policy(POLICIES[policy]))


@pytest.mark.everyday("1-1-fair order-clearing")
@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("policy", list(POLICIES.values()), ids=list(POLICIES))
@pytest.mark.parametrize(("seed", "units"), [(1, 1), (2, 12), (3, 60)])
def test_every_model_is_the_same_both_ways_on_every_kind_of_policy(
    name: str, policy: dict[str, Any], seed: int, units: int
) -> None:
    assert_model_is_same(name, make_random_instance(seed, units, **policy))


def test_an_outlook_is_the_same_both_ways() -> None:
    assert_model_is_same("outlook", outlooks.by_hand())


def test_the_instances_and_models_are_found() -> None:
    assert {"tiny", "cn-2025", "eu-2019"} <= set(SHIPPED)
    assert {"allocation", "allocation_elastic"} <= set(MODELS)
