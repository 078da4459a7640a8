"""A model of one's own is compiled to what Pyomo builds of it, or refused: however its rules look at an index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import ModelError
from etsopt.modelling.compiler.templates import CompileError
from etsopt.running import compared, methods
from tests.builders import random_instance

MODEL = """
import contextlib
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel

LEAST = {str(place): 2.0 + place for place in range(10_000)}
COUNT = []


def counted():
    COUNT.append(1)
    return len(COUNT)


def tried(look, other):
    try:
        return look()
    except Exception:
        return other


def suppressed(look, other):
    with contextlib.suppress(Exception):
        return look()
    return other


def matched(i):
    match i:
        case int():
            return 5.0
    return 0.0


def formulate():
    m = pyo.AbstractModel("own")
    m.UNITS = pyo.Set()
    m.w = pyo.Param(m.UNITS)
    m.x = pyo.Var(m.UNITS, bounds=(0, 1e9))
    m.least = pyo.Constraint(m.UNITS, rule=lambda m, i: m.x[i] >= (BOUND))
    m.total = pyo.Objective(rule=lambda m: sum(m.x[i] for i in m.UNITS), doc="all [t]")
    return m


def parameters(instance):
    return {"UNITS": len(instance.units), "w": instance.emissions_tco2e}


MODEL = ProgramModel(
    formulate=formulate,
    parameters=parameters,
    tables=lambda instance, solution: {"plan": instance.units[["unit_id"]].assign(x=solution.values["x"])},
)
"""

LOOKS = {
    "text": "LEAST.get(str(i), 0.0)",
    "text of a format": 'LEAST.get(f"{i}", 0.0)',
    "text of parts": 'LEAST.get("".join(map(str, (i,))), 0.0)',
    "type": "5.0 if type(i) is int else 0.0",
    "class": "5.0 if isinstance(i, int) else 0.0",
    "match": "matched(i)",
    "caught": "tried(lambda: 2.0 + float(m.w[i] > 0), 0.0)",
    "suppressed": "suppressed(lambda: 2.0 + len(m.UNITS), 0.0)",
    "name": "float(len(m.x[i].name))",
    "counter": "counted()",
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def written(bound: str, *changes: tuple[str, str]) -> Path:
        source = MODEL.replace("BOUND", bound)
        for old, new in changes:
            assert old in source
            source = source.replace(old, new)
        path = tmp_path / "own.py"
        path.write_text(source, "utf-8")
        return path

    return written


@pytest.mark.parametrize("units", [12, 100])
@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_rule_that_looks_at_an_index_by_more_than_its_place_is_refused_and_solved_by_pyomo(
    look: str, units: int, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A larger model is compared on a part of the units.
    monkeypatch.setattr(compared, "MOST_NUMBERS", 100)
    monkeypatch.setattr(compared, "PART", 50)
    instance, model = random_instance(3, units), write(look)
    with pytest.raises(CompileError, match="The component least cannot be compiled: what it compiles to is not"):
        etsopt.solve(instance, model)
    assert etsopt.solve(instance, model, method="pyomo").levels[0].value > units


def test_a_place_in_a_parameter_is_compiled_whole_or_in_part(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[int] = []
    original = methods.pyomo_program

    def counting(model: Any, parameters: dict[str, Any]) -> Any:
        built.append(parameters["UNITS"])
        return original(model, parameters)

    monkeypatch.setattr(compared, "pyomo_program", counting)
    instance, model = random_instance(3, 1_400), write("0.5 * m.w[i]")
    assert etsopt.solve(instance, model).status == "certified_program"
    monkeypatch.setattr(compared, "MOST_NUMBERS", 100)
    assert etsopt.solve(instance, write("0.25 * m.w[i]")).status == "certified_program"
    # A model that takes no part of an instance is compared as a whole.
    whole = ('{"UNITS"', '{"UNITS" if len(instance.units) == 1400 else "NONE"')
    assert etsopt.solve(instance, write("0.125 * m.w[i]", whole)).status == "certified_program"
    assert built == [1_400, compared.PART, 1_400]


def test_nothing_is_proven_of_a_model_that_pyomo_does_not_build(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: Any) -> Any:
        raise ModelError("Pyomo builds nothing.", "")

    monkeypatch.setattr(compared, "pyomo_program", refuses)
    instance = random_instance(3, 12)
    assert etsopt.solve(instance, write("0.5 * m.w[i]")).status == "feasible"
    assert etsopt.solve(instance, write("1e9 + 1.0 * m.w[i]")).status == "infeasible_unproven"


def test_what_pyomo_built_is_checked_as_pyomo_builds_it(
    write: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, folder = write(LOOKS["text"]), tmp_path / "run"
    assert main(["solve", "tiny", "--model", str(model), "--method", "pyomo", "--out", str(folder)]) == 0
    assert main(["check", str(folder), "--model", str(model)]) == 0
    assert "certified optimal" in capsys.readouterr().out
    assert main(["solve", "tiny", "--model", str(model)]) == 2
    assert "Or use method 'pyomo'" in capsys.readouterr().err


def test_a_rule_that_reads_what_parameters_left_in_the_module_is_read_anew_in_every_scenario(
    write: Callable[..., Path],
) -> None:
    filled = (
        "def parameters(instance):",
        "NEEDED = [0.0]\n\n\ndef parameters(instance):\n"
        '    NEEDED[0] = float(instance.policy.sectors["cement"].target_change)',
    )
    model, instance = write("NEEDED[0] + 1.0", filled), etsopt.read("tiny")
    changes = [{"sectors.cement.target_change": -step / 100} for step in range(1, 4)]
    swept = etsopt.sweep(instance, changes, model=model)
    values = swept.numbers[lambda one: (one["table"] == "levels") & (one["quantity"] == "value")]
    assert [*swept.statuses] == ["certified_program"] * 3
    units = len(instance.units)
    assert values.sort_values("scenario")["value"].tolist() == pytest.approx([units * (1 - s / 100) for s in (1, 2, 3)])


def test_every_scenario_is_compared_with_what_pyomo_builds(write: Callable[..., Path]) -> None:
    seen = (
        ("def parameters", "SEEN = {}\n\n\ndef parameters"),
        (
            'return {"UNITS"',
            'SEEN["strict"] = instance.policy.sectors["cement"].target_change < -0.015\n    return {"UNITS"',
        ),
    )
    model = write('5.0 if SEEN["strict"] and isinstance(i, int) else 1.0', *seen)
    changes = [{"sectors.cement.target_change": -step / 100} for step in range(1, 4)]
    assert [*etsopt.sweep(etsopt.read("tiny"), changes, model=model).statuses] == [
        "certified_program",
        "failed",
        "failed",
    ]


def test_tables_read_what_parameters_left_of_the_instance_and_not_of_a_part(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compared, "MOST_NUMBERS", 100)
    monkeypatch.setattr(compared, "PART", 50)
    kept = (
        "def parameters(instance):",
        "COUNTED = {}\n\n\ndef parameters(instance):\n    COUNTED[0] = len(instance.units)",
    )
    model = write("0.5 * m.w[i]", kept, ('assign(x=solution.values["x"])', "assign(x=COUNTED[0])"))
    assert etsopt.solve(random_instance(3, 120), model).tables["plan"]["x"].tolist() == [120] * 120


@pytest.mark.parametrize(
    ("row", "cost"),
    [
        ("1e9 * m.z + (1 if str(i) == '0' else 0.5) * m.x[i] >= 1", "0"),
        ("m.x[i] >= 1", "1e9 * m.z + (1 if str(i) == '0' else 0.5) * m.x[i]"),
    ],
)
def test_a_small_number_beside_a_large_one_is_compared_by_itself(
    row: str, cost: str, write: Callable[..., Path]
) -> None:
    zero = ("    m.least =", "    m.z = pyo.Var(bounds=(0, 0))\n    m.least =")
    model = write("1", zero, ("m.x[i] >= (1)", row), ("sum(m.x[i] for", f"sum(m.x[i] + {cost} for"))
    with pytest.raises(CompileError, match="what it compiles to is not"):
        etsopt.solve(etsopt.read("tiny"), model)
