"""One hostile number in a model or an instance: etsopt refuses it with its place, or answers correctly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import etsopt
from benchmarks.reliability.programs import CAUSES, Written, exact_least, hostile, is_wrong
from benchmarks.reliability.row import Found, Row
from etsopt.checking.verdict import OF_PROGRAM
from tests.builders import random_policy, random_units

MODEL = str(Path(__file__).with_name("any_program.py"))

NAMED = dict(
    zip(
        CAUSES,
        (
            "row limit[",
            "row limit[",
            "row limit[",
            "row limit[",
            "limit[",
            "limit[",
            "cost",
            "cost",
            "variable ",
            "option",
        ),
        strict=True,
    )
)
"""Text that a message must contain, by cause."""


def carrying(program: Written) -> etsopt.Instance:
    """Return an instance of one unit with a program for the model `any_program`."""
    one = {"unit_id": "a", "enterprise_id": "a", "sector": "cement", "province": "p", "emissions_tco2e": 1.0}
    units = pd.DataFrame([one | {"reference_t": 1.0, "x_program": program.as_json()}])
    return etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "given"}})


def answer(program: Written, options: dict[str, Any], **more: Any) -> list[float] | str | None:
    """Return the answer of etsopt: a point, None for infeasible, or the text of a refusal."""
    try:
        found = etsopt.solve(carrying(program), MODEL, solver_options=options, **more)
    except etsopt.EtsoptError as error:
        return str(error)
    if found.certified and found.status not in OF_PROGRAM:
        return f"{found.status}, though only its program was checked"
    if found.termination == "infeasible":
        return None
    return (
        found.tables["columns"]["value"].tolist() if found.termination == "optimal" else f"stopped: {found.termination}"
    )


def in_a_model(number: int) -> tuple[str, str]:
    """Return the outcome of a hostile number in a user's model, and its error, if any."""
    cause, program, options = hostile(number)
    said = answer(program, options, method=("direct", "pyomo")[number // len(CAUSES) % 2])
    if isinstance(said, str):
        named = NAMED[cause] in said and "\n\n" in said
        return "model refused with the place", "" if named else f"{cause}: {said!r} does not name {NAMED[cause]!r}"
    if "option" in cause:
        return "model answered", f"{cause}: was taken"
    wrong = is_wrong(program, said, exact_least(program) if program.is_meant else None)
    return "model answered rightly", wrong and f"{cause}: {wrong}"


# Instances: a table and a cell, or a key of the policy, or an option, and the text that the message must contain.

Change = tuple[str, str, Any]

CHANGES: tuple[Change, ...] = (
    ("units", "emissions_tco2e", 1e15),
    ("units", "emissions_tco2e", math.nan),
    ("units", "emissions_tco2e", math.inf),
    ("units", "output_t", 3e17),
    ("units", "output_t", math.inf),
    ("units", "prior_emissions_tco2e", -math.inf),
    ("units", "pre_allocated_t", 1e20),
    ("measures", "capex_cny_per_t", math.inf),
    ("measures", "variable_opex_cny_per_t", 1e15),
    ("measures", "abatement_rate", math.nan),
    ("policy", "national.target_t", 1e20),
    ("policy", "national.target_t", math.nan),
    ("policy", "sectors.cement.target_change", math.nan),
    ("policy", "sectors.cement.band", math.inf),
    ("policy", "provinces.balance", math.nan),
    ("policy", "market.prices_cny_per_t", math.nan),
    ("policy", "market.external_demand_t", math.inf),
    ("policy", "penalty.reference_price_cny_per_t", math.inf),
    ("options", "presolv", "off"),
    ("options", "mip_feasibility_tolerance", math.nan),
)

ROWS_OF = {"national.target_t": "row national_total[0]"}
"""Program row of a key whose number is found too large in the program only."""


def in_an_instance(number: int) -> tuple[str, str]:
    """Return the outcome of a hostile number in an instance, and its error, if any."""
    random, (where, name, value) = np.random.default_rng(number), CHANGES[number % len(CHANGES)]
    units = random_units(number, int(random.integers(6, 14)))
    measures = pd.DataFrame(
        {"measure_id": ["m1", "m2"], "sector": ["cement", "steel"], "abatement_rate": [0.1, 0.2], "lifetime_years": 5}
    ).assign(capex_cny_per_t=[10.0, 20.0], variable_opex_cny_per_t=[1.0, -1.0])
    frames, options, policy = {"units": units, "measures": measures}, {}, random_policy(number, units)
    if where in frames:
        table = frames[where]
        table[name] = table[name].astype(float)
        table.loc[int(random.integers(len(table))), name] = value
    elif where == "options":
        options[name] = value
    change = {name: value} if where == "policy" else {}
    try:
        instance = etsopt.Instance.from_frames(frames["units"], policy, measures=frames["measures"])
        instance = instance.with_policy(change)
        found = etsopt.solve(instance, "allocation", solver_options=options)
    except etsopt.EtsoptError as error:
        named = any(words in str(error) for words in (name.rpartition(".")[2], ROWS_OF.get(name, name)))
        return "instance refused with the place", "" if named else f"{name} = {value}: {str(error)!r} does not name it"
    return "instance answered", f"{name} = {value}: {found.status}"


def refusals(numbers: Iterable[int]) -> Found:
    found = Found()
    for number in numbers:
        ways: tuple[Callable[[int], tuple[str, str]], ...] = (in_a_model, in_an_instance)
        outcome, wrong = ways[number % 2](number // 2)
        found.tried(number, outcome, wrong)
    return found


ROWS: list[Row] = [
    Row(
        "A12",
        "One hostile number (1e15, below 1e-9, NaN, infinite, a limit of 1e20) or a misspelt solver option in each of "
        "200 Pyomo models and 200 instances",
        "Each is refused with a message that names its place, or answered rightly by exact arithmetic.",
        400,
        80,
        refusals,
        chunk=200,
    )
]
