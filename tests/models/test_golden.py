"""One program of four units for each component of a model, compared as text with what was once read and found right.

After a change that is meant, ``UPDATE_GOLDEN=1 pytest tests/models/test_golden.py`` writes them anew; read them then.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyomo.environ as pyo
import pytest

from etsopt.data.groups import Groups
from etsopt.modelling import FormulatedModel
from etsopt.running import library
from tests import investments, outlooks, review_plans
from tests.builders import given
from tests.compliance_years import by_hand
from tests.markets import MARKETS, of_model, prepared, two_enterprises
from tests.reconciliations import by_hand as false_coal

if TYPE_CHECKING:
    import etsopt

GOLDEN = Path(__file__).parents[1] / "golden"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))
PROGRAMS = [name for name in library.names() if isinstance(library.load(name), FormulatedModel)]


def four_units() -> etsopt.Instance:
    """So many limits that every component has a row: an enterprise of two units, two of the same intensity."""
    rows = [
        ("a1", "a", "cement", "North", 1000.0, 1010.0),
        ("a2", "a", "cement", "South", 2000.0, 2040.0),
        ("b1", "b", "cement", "North", 3000.0, 2950.0),
        ("c1", "c", "steel", "South", 4000.0, 4000.0),
    ]
    policy = {
        "sectors": {
            "cement": {"band": {"lower": 0.04, "upper": 0.03}, "target_change": -0.01},
            "steel": {"band": 0.02, "target_change": -0.005, "target_sense": "exactly"},
        },
        "provinces": {"balance": {"North": 0.01, "South": 0.02}},
        "national": {"target_change": -0.008},
        "allocation": {
            "objectives": ["change", "largest_change", "deficit", "spread"],
            "band_on": "enterprise",
            "intensity_order": True,
        },
    }
    return given(rows, policy, output_t=[1250.0, 2500.0, 3000.0, 2000.0])


def plain(value: Any) -> Any:
    """Data of one component in the form in which Pyomo takes it."""
    if isinstance(value, Groups):
        return {group: value[group].tolist() for group in range(len(value))}
    if isinstance(value, np.ndarray) and value.ndim > 1:
        return {index: float(number) for index, number in np.ndenumerate(value)}
    return dict(enumerate(value.tolist())) if isinstance(value, np.ndarray) else {None: value}


def four_whole_units() -> etsopt.Instance:
    """The same with whole allowances in no order, and one exception."""
    changes = {
        "allocation.intensity_order": False,
        "allocation.integer_allowances": True,
        "allocation.exceptions": {"units": 1, "lower": 0.06, "upper": 0.05},
    }
    return four_units().with_policy(changes)


def parameters_of(name: str, instance: etsopt.Instance, rounding: bool) -> dict[str, Any]:
    """Parameters of a model, or those of its rounding."""
    model: Any = library.load(name)
    if not rounding and name != "reconciliation":
        if name in MARKETS:
            # Where plans are whole they are chosen beforehand, and the program has one of each unit.
            instance = instance.with_policy({"abatement.divisible_measures": True})
        return prepared(model, of_model(instance, name))
    if name == "reconciliation":
        # The second program has every component. There the report of coal is a gross error.
        moved = {"raised": np.array([0.0, 0.0, 0.0, 40.0, 0.0]), "lowered": np.array([0.0, 29.0, 0.0, 0.0, 0.0])}
        second: dict[str, Any] = model.second_program(instance, SimpleNamespace(values=moved))[1]
        return second
    real = {"allowance": np.array([989.5, 1979.0, 2958.5, 3980.0]), "exceptional": np.zeros(0)}
    both = instance.with_policy({"allocation.integer_allowances": True})
    found: dict[str, Any] = model.second_program(both, SimpleNamespace(values=real))[1]
    return found


OWN_INSTANCE = {
    "compliance": by_hand,
    "reconciliation": false_coal,
    "review_plan": review_plans.by_hand,
    "outlook": outlooks.elastic,
    "investment": investments.two_scenarios,
    **dict.fromkeys(MARKETS, two_enterprises),
}
"""Models that need more of an instance than the four units state."""


@cache
def created(name: str, component: str) -> Any:
    """The model of that name on the four units, and where the component has no row there on the whole ones."""
    found = created_on(name, OWN_INSTANCE.get(name, four_units), component == "rounding")
    empty = not len(found.component(component)) or component.startswith("exception")
    return created_on(name, four_whole_units) if empty else found


@cache
@cache
def created_on(name: str, units: Callable[[], etsopt.Instance], rounding: bool = False) -> Any:
    """The model of that name on an instance."""
    model: Any = library.load(name)
    abstract = model.formulate()
    data = {}
    for key, value in parameters_of(name, units(), rounding).items():
        is_size = isinstance(value, int) and abstract.component(key).ctype is pyo.Set
        data[key] = {None: list(range(value))} if is_size else plain(value)
        if isinstance(value, np.ndarray) and abstract.component(key).ctype is pyo.Set:
            data[key] = {None: value.tolist()}
    return abstract.create_instance(data={None: data})


def component_names() -> list[tuple[str, str]]:
    return [
        (name, component.local_name)
        for name in PROGRAMS
        for component in created_on(name, OWN_INSTANCE.get(name, four_units)).component_objects(
            (pyo.Constraint, pyo.Objective)
        )
    ]


def steel_without_a_target() -> etsopt.Instance:
    """The four units, and no target for the works of steel."""
    return four_units().with_policy({"sectors.steel.target_sense": "none"})


def alone(model: Any, component: str, path: Path) -> str:
    """The program with one component only; a constraint stands under an objective of nothing."""
    for item in model.component_objects((pyo.Constraint, pyo.Objective)):
        item.deactivate()
    model.component(component).activate()
    if model.component(component).ctype is pyo.Constraint:
        model.nothing = pyo.Objective(expr=0.0)
    try:
        model.write(str(path), io_options={"symbolic_solver_labels": True})
    finally:
        model.del_component("nothing")
    return path.read_text(encoding="utf-8")


@pytest.mark.everyday("abatement-one_plan")
@pytest.mark.parametrize(("name", "component"), component_names())
def test_a_component_alone_is_the_program_that_was_read(name: str, component: str, tmp_path: Path) -> None:
    assert len(created(name, component).component(component)) > 0
    written = alone(created(name, component), component, tmp_path / "program.lp")
    compare(written, GOLDEN / name / f"{component}.lp")


@pytest.mark.parametrize("component", ["sector_target", "distance_from_target_rate"])
def test_a_sector_without_a_target_is_the_program_that_was_read(component: str, tmp_path: Path) -> None:
    model = created_on("allocation", steel_without_a_target)
    written = alone(model, component, tmp_path / "program.lp")
    compare(written, GOLDEN / "allocation_of_cement_alone" / f"{component}.lp")


def a_bank_that_lapses() -> etsopt.Instance:
    """Two years of two enterprises, the second of which takes nothing from the first."""
    return two_enterprises().with_policy({"pathway.no_bank_from": 2026})


@pytest.mark.parametrize("component", ["account_balance", "cost"])
def test_a_bank_that_lapses_is_in_the_program_that_was_read(component: str, tmp_path: Path) -> None:
    model = created_on("pathway", a_bank_that_lapses)
    written = alone(model, component, tmp_path / "program.lp")
    compare(written, GOLDEN / "pathway_where_allowances_lapse" / f"{component}.lp")


def compare(written: str, golden: Path) -> None:
    """Compare a program with the one that was read, or write it to be read."""
    if UPDATE:
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(written, encoding="utf-8", newline="\n")
    assert golden.is_file(), "run it with UPDATE_GOLDEN=1 and read what it writes"
    assert known(written) == known(golden.read_text(encoding="utf-8"))


def known(program: str) -> str:
    """Return a program with 13 digits of every number: the last ones of a power hang on the processor."""
    return re.sub(r"\d+\.\d{10,}", lambda found: f"{float(found[0]):.13g}", program)
