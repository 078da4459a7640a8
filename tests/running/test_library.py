"""Models by name or file: which may be solved, and what is said where one of the user's own fails."""

from __future__ import annotations

import pkgutil
import sys
from pathlib import Path

import pytest

import etsopt
from etsopt import modules
from etsopt.errors import DataError, ModelError, UsageError
from etsopt.running import library
from etsopt.running.model import refuse_slips
from tests.cli.test_cli import USER_MODEL

CALCULATION = "def calculate(instance):\n    return {}\n"
TRACEBACK = "Correct the file; called by etsopt.solve in Python, it shows the whole traceback."


def solved(folder: Path, text: str) -> etsopt.Results:
    path = folder / "mine.py"
    path.write_text(text, encoding="utf-8")
    return etsopt.solve(etsopt.read("tiny"), str(path))


def failing(function: str, arguments: str, text: str = USER_MODEL) -> str:
    """The user's model with a function that fails in place of its own."""
    return f"{text}\ndef {function}({arguments}):\n    return {{}}['price']\n"


@pytest.mark.parametrize(
    ("function", "arguments"),
    [("formulate", ""), ("parameters", "instance"), ("tables", "instance, solution"), ("levels", "instance")],
)
def test_a_function_of_a_model_that_fails_is_named_with_what_it_raised(
    tmp_path: Path, function: str, arguments: str
) -> None:
    with pytest.raises(ModelError) as caught:
        solved(tmp_path, failing(function, arguments))
    line = failing(function, arguments).count("\n")
    said = f"The function {function} of the model mine failed: KeyError: 'price', in line {line} of mine.py."
    assert str(caught.value) == f"{said}\n\n{TRACEBACK}"
    assert isinstance(caught.value.__cause__, KeyError)


def test_so_is_a_calculation_and_an_order_of_levels_that_fails_while_it_is_made(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="The function calculate of the model mine failed: KeyError: 'price'"):
        solved(tmp_path, failing("calculate", "instance", CALCULATION))
    with pytest.raises(ModelError, match="The function levels of the model mine failed: ZeroDivisionError"):
        solved(tmp_path, f"{USER_MODEL}\ndef levels(instance):\n    yield 1 / 0\n")


def test_the_line_is_that_of_the_file_where_it_calls_another_package(tmp_path: Path) -> None:
    own = "import numpy as np\ndef tables(instance, solution):\n    np.zeros(2).reshape(3)\n    return {}\n"
    text = f"{USER_MODEL}\n{own}"
    with pytest.raises(ModelError, match=f"in line {text.count(chr(10)) - 1} of mine.py"):
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
    raising = "from etsopt.errors import DataError\ndef calculate(instance):\n    raise DataError('The price', [])\n"
    with pytest.raises(DataError, match="The price has a problem"):
        solved(tmp_path, raising)


@pytest.mark.parametrize(
    ("function", "arguments"), [("parameters", "instance"), ("tables", "instance, solution"), ("calculate", "instance")]
)
def test_a_function_that_returns_something_else_is_named(tmp_path: Path, function: str, arguments: str) -> None:
    text = CALCULATION if function == "calculate" else USER_MODEL
    with pytest.raises(
        ModelError, match=f"The function {function} of the model mine returned NoneType: expected a dict"
    ):
        solved(tmp_path, f"{text}\ndef {function}({arguments}):\n    pass\n")


SLIPS = {
    "level": "levels",
    "levles": "levels",
    "Levels": "levels",
    "afterward": "afterwards",
    "prepares": "prepare",
    "explains": "explain",
    "is_divisable": "is_divisible",
    "answers": "answer",
    "GAPS": "GAP",
    "gap": "GAP",
    "FIXAFTER": "FIX_AFTER",
    "START_FROM": "STARTS_FROM",
}
HELPERS = (
    "label",
    "labels",
    "levels_of",
    "params",
    "total",
    "price",
    "unit_tables",
    "calculation",
    "formula",
    "_level",
)
CONSTANTS = ("CAP", "GAS", "MAP", "SETTINGS", "START", "STEPS", "ANSWERS", "LEVEL", "_GAPS", "numbers")


def stating(name: str) -> str:
    """A line that defines a constant, or a function where the protocol has one."""
    meant = SLIPS.get(name, name)
    return f"{name} = 0.5\n" if meant.isupper() else f"def {name}(*arguments):\n    return []\n"


@pytest.mark.parametrize("name", SLIPS)
def test_a_name_that_is_nearly_one_of_the_protocol_is_refused_with_the_one_that_was_meant(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ModelError) as caught:
        solved(tmp_path, f"{USER_MODEL}\n{stating(name)}")
    kind, meant = "constant" if SLIPS[name].isupper() else "function", SLIPS[name]
    assert str(caught.value) == (
        f"The model mine has a {kind} `{name}`: expected `{meant}`.\n\n"
        f"Rename `{name}` to `{meant}`; if it is a helper of your own, call it `_{name}`."
    )


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("formulates", "formulate"), ("parameter", "parameters"), ("paramters", "parameters"), ("table", "tables")],
)
def test_so_is_one_of_the_functions_that_a_model_must_have(tmp_path: Path, wrong: str, right: str) -> None:
    with pytest.raises(ModelError, match=f"has a function `{wrong}`: expected `{right}`"):
        solved(tmp_path, USER_MODEL.replace(f"def {right}(", f"def {wrong}("))
    with pytest.raises(ModelError, match="has a function `calculates`: expected `calculate`"):
        solved(tmp_path, CALCULATION.replace("calculate", "calculates"))


def test_helpers_and_constants_that_are_a_little_similar_are_not_refused(tmp_path: Path) -> None:
    own = "".join(f"def {name}(*arguments):\n    return []\n" for name in HELPERS)
    own += "".join(f"{name} = 0.5\n" for name in CONSTANTS)
    # What is imported is somebody else's, and a class is no function.
    own += "from statistics import quantiles as levelss\nclass Levels:\n    pass\n"
    assert solved(tmp_path, f"{USER_MODEL}\n{own}").status == "certified_program"


def test_a_helper_beside_the_function_that_it_is_near_to_is_one(tmp_path: Path) -> None:
    own = "def level(instance):\n    return 'total'\ndef levels(instance):\n    return [level(instance)]\n"
    own += "def table():\n    return {}\ndef calculates():\n    return {}\n"
    assert solved(tmp_path, f"{USER_MODEL}\n{own}").status == "certified_program"
    # A calculation has no levels, so that a helper may be called as one likes.
    assert solved(tmp_path, f"{CALCULATION}\ndef level():\n    return 1\n").status == "feasible"


def test_no_model_of_the_library_would_be_refused() -> None:
    for name in library.names():
        refuse_slips(library.load(name).module, name)


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
        solved(tmp_path, f"def calculate(instance):\n    return {made}\n")


@pytest.mark.parametrize(
    ("text", "failure", "advice"),
    [
        (
            f"{USER_MODEL}\ndef levels(instance):\n    return ['cost']\n",
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
