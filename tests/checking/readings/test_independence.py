"""What models and checker share: two functions of `common.units`. A fault in any other that models call is found."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import etsopt
from etsopt.checking import Answer, Question, judge
from etsopt.common import units as of_units
from etsopt.data import content, measure_steps, measures, projection, supply
from etsopt.data.content import Content, Derived
from etsopt.data.groups import Groups
from etsopt.data.policy import policy as policies
from etsopt.data.policy import yearly
from etsopt.data.policy.allocation import AllocationPolicy
from etsopt.data.policy.policy import Policy
from etsopt.data.tables import row_scope
from etsopt.data.tables.labels import Labels
from etsopt.rules import registry
from tests import forging, outlooks

SHARED = {"etsopt.common.units.sums", "etsopt.common.units.tolerance_of"}
"""What both sides call, and is tested against fractions below; texts decide nothing."""


def called(run: Callable[[], object]) -> set[str]:
    """Functions of the package, but for the checker and its readings, that something calls."""
    found = set[str]()

    def watch(frame: Any, event: str, _: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.startswith("etsopt") and not module.startswith((*OWN, "etsopt.common.language")):
            found.add(f"{module}.{frame.f_code.co_qualname}")

    sys.setprofile(watch)
    try:
        run()
    finally:
        sys.setprofile(None)
    return found


OWN = ("etsopt.checking", "etsopt.checking.readings")


@pytest.mark.parametrize("name", forging.CASES)
def test_the_checker_reaches_no_function_that_computes_but_two(name: str) -> None:
    results, case = forging.honest_of(name), forging.CASES[name]
    question = Question(forging.instance_of(name), case.model)
    assert called(lambda: judge(question, Answer(results.tables, results.levels))) <= SHARED


def afresh(instance: etsopt.Instance) -> etsopt.Instance:
    """The instance without anything that was derived of it."""
    return replace(instance, derived=Derived(), given=frozenset())


UNITS = pd.DataFrame(
    {
        "unit_id": ["a", "b", "c", "d", "e", "f"],
        "enterprise_id": ["p", "p", "q", "r", "s", "s"],
        "sector": ["cement", "cement", "cement", "steel", "steel", "steel"],
        "province": ["Anhui", "Hebei", "Hebei", "Anhui", "Anhui", "Hebei"],
        "output_t": [1e5, 2e5, 1.5e5, 3e5, 2e5, 1e5],
        "emissions_tco2e": [85_000.7, 160_000.2, 135_000.9, 600_000.6, 390_000.4, 215_000.5],
        "intensity_output_t": [np.nan] * 3 + [2.5e5, 1.8e5, 0.9e5],
        "intensity_emissions_tco2e": [np.nan] * 3 + [4.1e5, 2.8e5, 1.6e5],
        "special_case": ["", "", "white_clinker", "", "", "new"],
        "prior_emissions_tco2e": [84_000.0, 161_000.0, 130_000.0, 610_000.0, 380_000.0, np.nan],
    }
)
MEASURES = pd.DataFrame(
    {
        "measure_id": ["kiln", "kiln", "heat", "scrap", "led"],
        "unit_id": ["", "a", "", "", ""],
        "sector": ["cement", "", "cement", "steel", "steel"],
        "abatement_rate": [0.10, 0.12, 0.05, 0.08, 0.0],
        "maximum_share": [0.6, 0.9, np.nan, np.nan, np.nan],
        "largest_new_share_a_year": [0.3, 0.3, np.nan, np.nan, np.nan],
        "lifetime_years": [10.0] * 5,
        "capex_cny_per_t": [20.0, 25.0, 10.0, 60.0, 1.0],
        "variable_opex_cny_per_t": [1.0, 1.0, -5.0, 2.0, -3.0],
        "electricity_only": ["no", "no", "no", "no", "yes"],
    }
)
FORECAST = pd.DataFrame(
    {
        "unit_id": ["", "d"],
        "sector": ["cement", ""],
        "year": [2030.0, 2029.0],
        "output_factor": [0.9, 1.1],
        "intensity_factor": [0.97, np.nan],
    }
)
PRICES = {"2025": 60.0, "2027": 90.0}


def made(rule: dict[str, Any] | None = None, **policy: Any) -> etsopt.Instance:
    """Six units over three years: two enterprises of several, a new line, measures in steps, and a forecast."""
    stated = {
        "year": 2025,
        "rule": rule or {"name": "cn-2025"},
        "horizon": {"last_year": 2027},
        "market": {"prices_cny_per_t": PRICES, "external_demand_t": {"2025": 500.0, "2027": -900.0}},
        "penalty": {"reference_price_cny_per_t": 300.0},
        **policy,
    }
    return etsopt.Instance.from_frames(UNITS, stated, None, MEASURES, FORECAST)


def of_allocation(**policy: Any) -> etsopt.Instance:
    return made(sectors={"cement": {"target_change": -0.005}}, **policy)


def of_benchmark() -> etsopt.Instance:
    return made({"name": "benchmark", "benchmarks": {"cement": 0.86, "steel": 2.0}})


def of_threshold() -> etsopt.Instance:
    return made({"name": "cn-2025", "threshold_tco2e": 140_000.0})


def of_cap() -> etsopt.Instance:
    return made(pathway={"cap_t": {"2026": 1.5e6, "2028": 1.3e6}})


def of_scope() -> etsopt.Instance:
    """New lines are outside the scope, as the policy states it."""
    return of_allocation(
        rule={"name": "cn-2026", "outside_scope": ["new"], "special_cases": ["white_clinker"]}, year=2026, horizon={}
    )


def rounded() -> etsopt.Instance:
    return of_allocation(allocation={"intensity_order": True, "integer_allowances": True})


class Fault(NamedTuple):
    """A function of the package, a wrong one in its place, and the case in which it matters.

    Parameters
    ----------
    holder, name
        Module or class, and the function or property.
    wrong
        From the right function, the wrong one; of a property both take its object.
    """

    holder: Any
    name: str
    wrong: Callable[[Any], Callable[..., Any]]
    make: Callable[[], etsopt.Instance] = of_allocation
    model: str = "allocation"


def then(change: Callable[[Any], Any]) -> Callable[[Any], Callable[..., Any]]:
    """The wrong function that changes what the right one finds."""
    return lambda right: lambda *given_, **more: change(right(*given_, **more))


def turned(labels: Labels) -> Labels:
    return Labels(labels.names, (labels.code + 1) % len(labels.names))


def without_first(groups: Groups) -> Groups:
    """All but the first member of each group."""
    parts = [groups[one][1:] for one in range(len(groups))]
    return Groups(np.cumsum([0, *map(len, parts)]), np.concatenate(parts))


def grown(values: Any) -> Any:
    return values * 1.01


FAULTS: dict[str, Fault] = {
    "scope": Fault(Content, "has_case", then(lambda found: np.roll(found, 1)), of_scope),
    "scope of years": Fault(Content, "in_scope_in", then(lambda found: np.roll(found, 1, axis=0)), made, "pathway"),
    "emissions in scope": Fault(Content, "emissions_tco2e", then(grown)),
    "intensity": Fault(Content, "intensity", then(lambda found: found**1.1)),
    "base of intensity": Fault(content, "intensity_base", then(lambda found: (found[0] * 2, found[1]))),
    "base of intensity on a path": Fault(
        content, "intensity_base", then(lambda found: (found[0] ** 1.1, found[1])), made, "pathway"
    ),
    "output": Fault(content, "output_of", then(grown), made, "pathway"),
    "forecast": Fault(
        projection,
        "development",
        then(lambda found: replace(found, **{fields(found)[0].name: found.output_factor**1.5})),
        made,
        "pathway",
    ),
    "steps": Fault(measure_steps, "step_counts", then(np.ones_like), made, "pathway"),
    "own rows of a measure": Fault(measures, "applicable", then(without_first), made, "pathway"),
    "offers": Fault(measures, "offered", then(without_first), made, "pathway"),
    "empty cells": Fault(
        row_scope,
        "filled_column",
        then(lambda cells: cells * 0.9 if cells.dtype == float else cells),
        made,
        "pathway",
    ),
    "yearly values": Fault(yearly, "by_year", then(grown), made, "clearing"),
    "values between years": Fault(yearly, "interpolated", then(lambda found: found * 0.9), of_cap, "pathway"),
    "whole tonnes": Fault(of_units, "whole_tonnes", then(lambda found: found + 1)),
    "texts": Fault(Labels, "of", then(turned)),
    "sums by text": Fault(Labels, "sums", then(lambda found: found * 0.9), of_threshold),
    "values by text": Fault(Labels, "mapped", then(grown), of_benchmark),
    "places of a text": Fault(Labels, "where", then(np.logical_not)),
    "parameters of the rule": Fault(
        registry, "parameters_in", then(lambda found: found.model_copy(update={"slope": 0.2}))
    ),
    "sense of a target": Fault(Policy, "target_sense_of", lambda _: lambda *_: "none"),
    "balanced sectors": Fault(policies, "uses_balance_value", lambda _: lambda *_: False, made),
    "cases outside the scope": Fault(
        Policy,
        "cases_outside",
        lambda right: (
            lambda policy, sector, year=None: right(policy, sector) if year in (None, 2025) else ("white_clinker",)
        ),
        made,
        "pathway",
    ),
    "years": Fault(Policy, "years", then(lambda found: [*found, found[-1] + 1]), made, "pathway"),
    "price year": Fault(Policy, "price_year", then(lambda found: found + 1), made, "pathway"),
    "figures of sources between years": Fault(supply, "along_years", then(grown), outlooks.by_hand, "outlook"),
    "what a source supplies": Fault(
        supply,
        "sources_of",
        then(lambda found: found.assign(supplies=found["supplies"].replace("emissions", "abatement"))),
        lambda: outlooks.by_hand(outlooks.source("heat", "emissions", existing=1, least=1, emissions=1.0)),
        "outlook",
    ),
    "rounding": Fault(AllocationPolicy, "rounds", lambda _: lambda _: False, rounded),
}


@contextmanager
def at_work(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Put the wrong function in place of the right one wherever the package holds it; count its calls."""
    calls = [0]

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrong(*given_: Any, **more: Any) -> Any:
            calls[0] += 1
            return function(*given_, **more)

        return wrong

    stated = vars(fault.holder)[fault.name]
    with monkeypatch.context() as patch:
        if isinstance(stated, property):
            patch.setattr(fault.holder, fault.name, property(counted(fault.wrong(stated.fget))))
        elif isinstance(stated, cached_property):
            patch.setattr(fault.holder, fault.name, property(counted(fault.wrong(stated.func))))
        elif isinstance(stated, classmethod):
            right = stated.__func__
            patch.setattr(fault.holder, fault.name, classmethod(counted(fault.wrong(right))))
        elif isinstance(fault.holder, type):
            patch.setattr(fault.holder, fault.name, counted(fault.wrong(stated)))
        else:
            wrong = counted(fault.wrong(stated))
            for key, module in list(sys.modules.items()):
                if key.startswith("etsopt") and getattr(module, fault.name, None) is stated:
                    assert not key.startswith(OWN)
                    patch.setattr(module, fault.name, wrong)
        yield calls


@cache
def certified(make: Callable[[], etsopt.Instance], model: str) -> bool:
    """True if the answer of an instance is certified where nothing is wrong."""
    return etsopt.solve(afresh(make()), model).certified


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_what_models_call_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = FAULTS[name]
    instance = fault.make()
    assert certified(fault.make, fault.model)
    with at_work(fault, monkeypatch) as calls:
        results = etsopt.solve(afresh(instance), fault.model)
        assert results.status == "refused", results.status
    assert calls[0]
    # The word of the check is the same where the fault is mended.
    assert judge(Question(instance, fault.model), Answer(results.tables, results.levels)).violations


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-(10**9), 10**9), st.integers(0, 63)), max_size=60))
def test_sums_by_group_are_those_of_fractions(rows: list[tuple[int, int, int]]) -> None:
    groups = np.array([group for group, _, _ in rows], dtype=np.int64)
    values = np.array([whole + part / 64 for _, whole, part in rows])
    exact = [
        sum((Fraction(value) for own, value in zip(groups, values, strict=True) if own == one), Fraction(0))
        for one in range(4)
    ]
    assert of_units.sums(groups, values, 4).tolist() == [float(total) for total in exact]


@given(st.floats(-1e12, 1e12), st.sampled_from(["t", "rate", "CNY", "tCO2e/t", ""]))
def test_tolerances_are_a_billionth_or_the_least_of_the_unit(value: float, unit: str) -> None:
    least = {"t": Fraction(1, 50), "rate": Fraction(2, 10**10), "CNY": Fraction(1, 100)}.get(unit, Fraction(1, 10**9))
    wanted = max(abs(Fraction(value)) / 10**9, least)
    assert abs(Fraction(of_units.tolerance_of(value, unit)) - wanted) <= wanted / 10**15
