"""Models by name or file: which may be solved, and what is said where one of the user's own fails."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import etsopt
from etsopt.common import modules
from etsopt.common.errors import DataError, ModelError, UsageError
from etsopt.modelling import CalculationModel, ElasticModel
from etsopt.running import library
from tests.cli.test_cli import USER_MODEL

CALCULATION = """from etsopt.modelling import CalculationModel
def calculate(instance):
    return {}
MODEL = CalculationModel(calculate=calculate)
"""
TRACEBACK = "Correct the file; called by etsopt.solve in Python, it shows the whole traceback."


def solved(folder: Path, text: str) -> etsopt.Results:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return etsopt.solve(etsopt.read("tiny"), str(path))


def own(more: str = "", text: str = USER_MODEL, **stated: str) -> str:
    """The user's model with more code, and with further fields of its declaration."""
    fields = "".join(f", {name}={value}" for name, value in stated.items())
    head, _, declaration = text.rpartition("MODEL = ")
    return f"{head}{more}MODEL = {declaration.rstrip()[:-1]}{fields})\n"


def with_function(function: str, arguments: str, body: str, text: str = USER_MODEL) -> str:
    """The user's model with a function in place of its own."""
    stated = {} if f"{function}=" in text else {function: function}
    return own(f"def {function}({arguments}):\n    {body}\n", text, **stated)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("formulate", ""), ("parameters", "instance"), ("tables", "instance, solution"), ("objectives", "instance")],
)
def test_a_function_of_a_model_that_fails_is_named_with_what_it_raised(
    tmp_path: Path, function: str, arguments: str
) -> None:
    text = with_function(function, arguments, "return {}['price']")
    with pytest.raises(ModelError) as caught:
        solved(tmp_path, text)
    line = text.count("\n") - 1
    said = f"The function {function} of the model mine failed: KeyError: 'price', in line {line} of mine.py."
    assert str(caught.value) == f"{said}\n\n{TRACEBACK}"
    assert isinstance(caught.value.__cause__, KeyError)


def test_so_is_a_calculation_and_an_order_of_objectives_that_fails_while_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="The function calculate of the model mine failed: KeyError: 'price'"):
        solved(tmp_path, with_function("calculate", "instance", "return {}['price']", CALCULATION))
    with pytest.raises(ModelError, match="The function objectives of the model mine failed: ZeroDivisionError"):
        solved(tmp_path, with_function("objectives", "instance", "yield 1 / 0"))


def test_the_line_is_that_of_the_file_where_it_calls_another_package(tmp_path: Path) -> None:
    text = own("import numpy as np\ndef tables(instance, solution):\n    np.zeros(2).reshape(3)\n    return {}\n")
    with pytest.raises(ModelError, match=f"in line {text.count(chr(10)) - 2} of mine.py"):
        solved(tmp_path, text)


def test_a_file_may_import_those_beside_it_and_each_its_own(tmp_path: Path) -> None:
    before, searched = {*sys.modules}, [*sys.path]
    for name in ("one", "other"):
        folder = tmp_path / name
        (folder / "parts").mkdir(parents=True)
        (folder / "shares.py").write_text(f"NAME = {name!r}\n", "utf-8")
        (folder / "parts" / "__init__.py").write_text("from parts.inner import TEN\n", "utf-8")
        (folder / "parts" / "inner.py").write_text("TEN = 10\n", "utf-8")
        # One that is installed takes precedence.
        (folder / "json.py").write_text("raise RuntimeError\n", "utf-8")
        text = "import json\nimport shares\nfrom parts import TEN\nNAME = shares.NAME * TEN\n"
        (folder / "mine.py").write_text(text, "utf-8")
        assert name * 10 == modules.load_file(folder / "mine.py", "model", ModelError).NAME
    assert {*sys.modules} - before <= {"etsopt_user_model_mine"}
    assert sys.path == searched


def test_an_error_that_tells_what_to_do_passes(tmp_path: Path) -> None:
    body = "from etsopt.common.errors import DataError; raise DataError('The price', [])"
    with pytest.raises(DataError, match="The price has a problem"):
        solved(tmp_path, with_function("calculate", "instance", body, CALCULATION))


@pytest.mark.parametrize(
    ("function", "arguments"), [("parameters", "instance"), ("tables", "instance, solution"), ("calculate", "instance")]
)
def test_a_function_that_returns_something_else_is_named(tmp_path: Path, function: str, arguments: str) -> None:
    text = CALCULATION if function == "calculate" else USER_MODEL
    with pytest.raises(
        ModelError, match=f"The function {function} of the model mine returned NoneType: expected a dict"
    ):
        solved(tmp_path, with_function(function, arguments, "pass", text))


SLIPS = {
    "objective": "objectives",
    "objektives": "objectives",
    "Objectives": "objectives",
    "secondprogram": "second_program",
    "answers": "answer",
    "GAP": "gap",
    "fixafter": "fix_after",
    "read": "reads",
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_field_that_is_nearly_one_of_the_declaration_is_refused_with_the_one_that_was_meant(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ModelError) as caught:
        solved(tmp_path, own(**{name: "None"}))
    line = own().count("\n")
    path = str(tmp_path / "mine.py")
    assert str(caught.value) == (
        f"The model file {path!r} could not be loaded: TypeError: ProgramModel has no field `{name}` "
        f"(did you mean `{SLIPS[name]}`?), in line {line} of mine.py.\n\n"
        "Correct the file; `python` on it shows where it fails."
    )


def test_a_field_that_is_near_to_none_is_refused_with_all_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"CalculationModel has no field `price` \(it has name, reads, calculate\)"):
        solved(tmp_path, CALCULATION.replace("calculate=", "price=1.0, calculate="))


@pytest.mark.parametrize("name", ["formulate", "parameters", "tables"])
def test_so_is_a_declaration_without_a_function_that_a_model_must_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=f"missing 1 required keyword-only argument: '{name}', in line"):
        solved(tmp_path, USER_MODEL.replace(f"{name}={name}", "").replace("(, ", "(").replace(", , ", ", "))


@pytest.mark.parametrize(
    ("stated", "message"),
    [
        ({"objectives": "['total']"}, "`objectives` of ProgramModel has the type list: expected a function"),
        ({"reads": "'year'"}, "`reads` of ProgramModel has the type str: expected a tuple of keys"),
        ({"gap": "'1e-3'"}, "`gap` of ProgramModel has the type str: expected a number"),
        ({"fix_after": "['total']"}, "`fix_after` of ProgramModel has the type list: expected a dictionary"),
        ({"name": "1"}, "`name` of ProgramModel has the type int: expected a name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_field_of_another_type_is_refused_in_its_line(tmp_path: Path, stated: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError, match=f"TypeError: {message}, in line {own().count(chr(10))} of mine.py"):
        solved(tmp_path, own(**stated))


def test_what_is_no_function_of_a_required_field_is_refused_too(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="`formulate` of ProgramModel has the type NoneType: expected a function"):
        solved(tmp_path, USER_MODEL.replace("formulate=formulate", "formulate=None"))


@pytest.mark.parametrize("last", ["", "MODEL = {'formulate': formulate}\n", "MODEL = ProgramModel\n"])
def test_a_file_without_a_declaration_is_told_what_to_write(tmp_path: Path, last: str) -> None:
    functions = USER_MODEL[: USER_MODEL.index("MODEL = ")]
    with pytest.raises(ModelError) as caught:
        solved(tmp_path, functions + last)
    assert str(caught.value) == (
        "The model mine has no declaration `MODEL`.\n\n"
        "Import ProgramModel from etsopt.modelling, and end the file with "
        "`MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)`."
    )


def test_all_else_of_a_file_has_the_names_that_its_author_likes(tmp_path: Path) -> None:
    helpers = "def level(instance):\n    return 'total'\ndef afterwards():\n    return {}\nGAPS = STARTS_FROM = 0.5\n"
    assert solved(tmp_path, own(helpers, objectives="lambda instance: [level(instance)]")).status == "certified_program"


def test_a_declaration_may_state_its_name_in_messages(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="The function objectives of the model least allowances failed"):
        solved(tmp_path, own(name="'least allowances'", objectives="lambda instance: 1 / 0"))


PREPARED = """
from dataclasses import dataclass
from etsopt.modelling import Prepared, PreparedModel

@dataclass(frozen=True)
class Least(Prepared):
    share: float

def prepare(instance, before, relax):
    found = Least(parameters(instance), 0.5)
    assert relax(found.parameters).levels[0].value > 0
    return found

def tables_of_share(instance, solution, prepared):
    return {"plan": tables(instance, solution)["plan"].assign(share=prepared.share)}

MODEL = PreparedModel(formulate=formulate, prepare=prepare, tables=tables_of_share)
"""


def test_a_model_of_ones_own_may_prepare_its_program(tmp_path: Path) -> None:
    instance, path = etsopt.read("tiny"), tmp_path / "mine.py"
    result = solved(tmp_path, USER_MODEL + PREPARED)
    assert result.status == "certified_program"
    assert result.tables["plan"]["share"].tolist() == [0.5] * 3
    # A check prepares it again.
    assert etsopt.check(instance, result, model=path).certified
    with pytest.raises(ModelError) as caught:
        solved(tmp_path, (USER_MODEL + PREPARED).replace("    return found\n", "    return found.parameters\n"))
    assert str(caught.value) == (
        "The function prepare of the model mine returned dict: expected Prepared.\n\n"
        "Return Prepared(parameters) of etsopt.modelling."
    )


def test_a_declaration_loads_nothing_heavy_and_is_called_by_the_names_of_its_fields() -> None:
    code = "import sys, etsopt.modelling; print({name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"numpy", "pandas", "pyomo", "pydantic", "highspy"} & ast.literal_eval(loaded)
    with pytest.raises(TypeError, match="takes 1 positional argument"):
        CalculationModel(lambda instance: {})  # type: ignore[arg-type, call-arg]


def test_elastic_models_are_those_named_so() -> None:
    kinds = {name: isinstance(library.load(name), ElasticModel) for name in library.names()}
    assert kinds == {name: bool(library.explains(name)) for name in library.names()}


def test_a_component_that_formulate_asks_for_in_vain_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        solved(tmp_path, USER_MODEL.replace("    return m\n", "    m.more = m.allowanse\n    return m\n", 1))
    what = "The function formulate of the model mine failed: the model has no component `allowanse`; did you mean"
    assert str(caught.value) == f"{what} `allowance`?\n\nCorrect the model file."


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("{'plan': [1, 2]}", "returned list for 'plan': expected a data frame."),
        ("{'a/b': __import__('pandas').DataFrame()}", "names a table 'a/b', which cannot be the name of a file."),
        ("{1: __import__('pandas').DataFrame()}", "names a table 1, which cannot be the name of a file."),
    ],
)
def test_tables_that_cannot_be_written_are_refused(tmp_path: Path, made: str, message: str) -> None:
    with pytest.raises(ModelError, match=f"The function calculate of the model mine {message}"):
        solved(tmp_path, with_function("calculate", "instance", f"return {made}", CALCULATION))


@pytest.mark.parametrize(
    ("text", "failure", "advice"),
    [
        (
            own(objectives="lambda instance: ['cost']"),
            "there is no objective 'cost'.",
            "Declare it in `formulate`, which has total.",
        ),
        (
            USER_MODEL.replace('@m.Objective(doc="total [t]")', "@m.Expression()"),
            "there is no objective.",
            "Declare it in `formulate`, which has none.",
        ),
    ],
    ids=["one that is not declared", "none at all"],
)
def test_a_model_without_the_objective_that_it_names_is_refused(
    tmp_path: Path, text: str, failure: str, advice: str
) -> None:
    with pytest.raises(ModelError) as caught:
        solved(tmp_path, text)
    assert str(caught.value) == f"The model mine cannot be solved: {failure}\n\n{advice}"


def test_a_model_that_explains_another_is_loaded_but_not_solved() -> None:
    assert {name: library.explains(name) for name in library.names()} == {
        "abatement": "",
        "allocation": "",
        "allocation_elastic": "allocation",
        "balance_value": "",
        "clearing": "",
        "equilibrium": "",
        "outlook": "",
        "pathway": "",
        "compliance": "",
        "reconciliation": "",
        "review_plan": "",
        "investment": "",
    }
    with pytest.raises(UsageError) as caught:
        etsopt.solve(etsopt.read("tiny"), "allocation_elastic")
    assert str(caught.value) == (
        "The model allocation_elastic is not solved by itself: it finds the limits to relax if allocation is "
        "infeasible.\n\nSolve allocation, which calls it by itself."
    )


def test_no_module_has_the_name_of_a_public_function_which_its_import_would_hide() -> None:
    assert not {module.name for module in pkgutil.iter_modules(etsopt.__path__)} & set(etsopt.__all__)
