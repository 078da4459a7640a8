"""What every model of the library has in common: its protocol, its docstring, its units and its golden programs."""

from __future__ import annotations

import inspect
import re
import runpy
from dataclasses import fields
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest

from etsopt.modelling import CalculationModel, FormulatedModel
from etsopt.running import library

GOLDEN = Path(__file__).parent / "golden"
PROGRAMS = [name for name in library.names() if isinstance(library.load(name), FormulatedModel)]
CALCULATIONS = [name for name in library.names() if name not in PROGRAMS]


def module_of(name: str) -> Any:
    return import_module(f"{library.LIBRARY}.{name}")


def components(name: str, *kinds: Any) -> list[Any]:
    model: Any = library.load(name)
    return [component for kind in kinds for component in model.formulate().component_objects(kind)]


@cache
def pages() -> dict[str, str]:
    """The docstring of each model with the formulation that it shares, as the book shows it."""
    book = runpy.run_path(str(Path(__file__).parents[1] / "models" / "build_readme.py"))
    return {name: str(page) for name, page in book["models"]().items()}


def tags(name: str) -> list[str]:
    found = re.findall(r"\\tag\{([^}]*)\}", pages()[name])
    return [tag.strip() for group in found for tag in group.split(",")]


def symbols(name: str) -> set[str]:
    """Components that the tables of symbols name, in the last column."""
    rows = [line for line in pages()[name].splitlines() if line.startswith("| $")]
    return {symbol for row in rows for symbol in re.findall(r"`(\w+)`", row.rsplit("|", 2)[1])}


def test_the_library_has_programs_and_calculations() -> None:
    assert {"allocation", "allocation_elastic"} <= set(PROGRAMS)
    assert "balance_value" in CALCULATIONS


@pytest.mark.everyday("allocation")
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_mathematics_of_the_docstring_names_each_component_once(name: str) -> None:
    named = [component.local_name for component in components(name, pyo.Constraint, pyo.Objective)]
    assert sorted(tags(name)) == sorted(named)


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_component_but_sets_says_what_it_is_and_its_unit(name: str) -> None:
    for component in components(name, pyo.Param, pyo.Constraint, pyo.Objective, pyo.Var):
        assert re.fullmatch(r"\S.*\S \[[^\[\]]+\]", component.doc or ""), component.local_name


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_table_of_symbols_names_components_and_every_parameter_and_variable(name: str) -> None:
    declared = {component.local_name for component in components(name, pyo.Set, pyo.Param, pyo.Var)}
    stated = symbols(name)
    assert stated
    assert stated - declared == set()
    # A relaxation takes the symbols of the program that it relaxes.
    known = stated | symbols(name.removesuffix("_elastic"))
    assert {one.local_name for one in components(name, pyo.Param, pyo.Var)} - known == set()


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_equation_stands_above_the_component_that_it_states(name: str) -> None:
    sources = [inspect.getsource(module_of(one)) for one in {name, "clearing"}]
    for tag in tags(name):
        above = rf"\\tag\{{{tag}\}}\$\$\n *@m\.(Constraint|Objective)\(.*\n *def {tag}\("
        assert any(re.search(above, source) for source in sources), tag


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_constraint_and_objective_has_a_golden_program_and_nothing_else_has(name: str) -> None:
    named = {component.local_name for component in components(name, pyo.Constraint, pyo.Objective)}
    assert {path.stem for path in (GOLDEN / name).glob("*")} == named, "tests/models/test_golden.py writes them"
    assert all(path.suffix == ".lp" for path in (GOLDEN / name).glob("*"))


@pytest.mark.parametrize("name", CALCULATIONS)
def test_a_calculation_has_no_equation_of_a_program(name: str) -> None:
    assert isinstance(library.load(name), CalculationModel)
    assert not tags(name)


@pytest.mark.parametrize("name", library.names())
def test_each_model_says_in_one_line_what_it_is_and_of_which_kind(name: str) -> None:
    assert re.fullmatch(r"[A-Z].* \(.+\)\.", library.summary(name))
    assert "Reference" in (module_of(name).__doc__ or "") or name.endswith("_elastic")


@pytest.mark.parametrize("name", library.names())
def test_nothing_else_of_a_model_is_public_but_what_it_declares(name: str) -> None:
    module = module_of(name)
    own = {
        key
        for key, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not key.startswith("_")
    }
    # A decomposition takes the `market` of its model, and models of markets share the parts of one program.
    shared = {"market", "plans_and_accounts", "private_cost", "market_years", "market_program"}
    assert own <= {one.name for one in fields(module.MODEL)} | shared
