"""Find a model by its name or file; the engine imports none itself."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from etsopt import misspelt
from etsopt.errors import EtsoptError, ModelError, UsageError
from etsopt.stamp.mistakes import mistake_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    import pandas as pd

    from etsopt.data.instance import Instance

LIBRARY = "etsopt_models"


class ProgramModel(Protocol):
    """What a model file offers that is a program to be solved.

    It may also offer ``levels(instance) -> list[str]``, the names of its objectives in lexicographic order; without it
    they are taken in the order of declaration. With ``afterwards(instance, solution)`` it may have itself solved once
    more over other numbers: it returns the instance whose limits hold there, parameters and names of objectives, or
    None; ``solution.before`` is then the first solution. ``CHECKED_AS`` says what its tables are, such as
    ``"allocation"`` or ``"settlement"``: the checker holds them to the instance. ``READS`` names the keys and sections
    of the policy that it reads, beside those of the model it starts from; without it the model reads all.
    """

    def formulate(self) -> Any:
        """The mathematics without data, a Pyomo `AbstractModel`."""

    def parameters(self, instance: Instance) -> dict[str, Any]:
        """Arrays for its sets and parameters."""

    def tables(self, instance: Instance, solution: Any) -> dict[str, pd.DataFrame]:
        """Result tables from a solution."""


@runtime_checkable
class CalculationModel(Protocol):
    """What a model file offers that needs no solver."""

    def calculate(self, instance: Instance) -> dict[str, pd.DataFrame]:
        """Result tables."""


def folder() -> Path:
    """Folder of the models that come with the package."""
    spec = find_spec(LIBRARY)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("The model library is not installed.", "Install etsopt again.")
    return Path(next(iter(spec.submodule_search_locations)))


def names() -> list[str]:
    """Names of the models, in alphabetical order."""
    return sorted(path.stem for path in folder().glob("*.py") if not path.stem.startswith("_"))


def load(name: str) -> ProgramModel | CalculationModel:
    """Load a model: one of the library by its name, or a file of the user's by its path.

    Raises
    ------
    UsageError
        If there is neither a model of that name nor such a file.
    ModelError
        If the file does not offer what a model must.
    """
    if name.endswith(".py"):
        module = _load_file(Path(name))
        misspelt.check(module, Path(name).stem)
    elif name in names():
        module = import_module(f"{LIBRARY}.{name}")
    else:
        own = ", ".join(other for other in names() if not explains(other))
        advice = f"The models are {own}; a file of your own is named by its path, ending in .py."
        raise UsageError(f"There is no model {name!r}.", advice)
    if not hasattr(module, "calculate"):
        made = "prepare" if hasattr(module, "prepare") else "parameters"
        missing = [part for part in ("formulate", made, "tables") if not hasattr(module, part)]
        if missing:
            advice = "A model offers formulate, parameters and tables, or calculate; CONTRIBUTING.md shows how."
            raise ModelError(f"The model {name} has no {', '.join(missing)}.", advice)
    return cast("ProgramModel | CalculationModel", module)


def explains(name: str) -> str:
    """Name of the model whose infeasibility a model explains; empty where it is one to be solved by itself."""
    assigned = [node for node in _source(name).body if isinstance(node, ast.Assign | ast.AnnAssign)]
    targets = [target for node in assigned for target in getattr(node, "targets", [getattr(node, "target", None)])]
    states = any(isinstance(target, ast.Name) and target.id == "WAYS_OUT" for target in targets)
    return Path(name).stem.removesuffix("_relief") if states else ""


def choose(name: str) -> ProgramModel | CalculationModel:
    """Load a model that is to be solved by itself.

    Raises
    ------
    UsageError
        If there is none of that name, or it only explains why another has no solution.
    ModelError
        If the file does not offer what a model must.
    """
    found, other = load(name), explains(name)
    if other:
        what = f"The model {name} is not solved by itself: it tells what has to give way where {other} has no solution."
        raise UsageError(what, f"Solve {other}, which calls it by itself.")
    return found


def call(model: Any, function: str, *arguments: Any) -> Any:
    """Call a function of a model.

    Raises
    ------
    ModelError
        If it fails in a way that tells nobody what to do.
    """
    name = Path(model.__file__).stem
    advice = "Call etsopt.solve in Python with the same instance and model: the traceback shows the line."
    try:
        result = getattr(model, function)(*arguments)
        result = list(result) if function == "levels" else result
    except EtsoptError:
        raise
    except Exception as error:
        what = f"The function {function} of the model {name} failed: "
        if function == "formulate" and (mistake := mistake_in(error)):
            raise ModelError(what + mistake, "Correct the model file.") from error
        raise ModelError(f"{what}{type(error).__name__}: {error}.", advice) from error
    if function in ("parameters", "tables", "calculate") and not isinstance(result, dict):
        what = f"The function {function} of the model {name} returned {type(result).__name__}, not a dictionary."
        raise ModelError(what, "Return what it makes by name.")
    if function in ("tables", "calculate"):
        _check_tables(result, f"The function {function} of the model {name}")
    return result


def _check_tables(tables: Any, function: str) -> None:
    """See that every table is a data frame that can be written to a file of its name."""
    import pandas as pd

    for table, content in tables.items():
        if not isinstance(content, pd.DataFrame):
            what = f"{function} returned {type(content).__name__} for {table!r}, not a data frame."
            raise ModelError(what, "Return a pandas DataFrame for each name.")
        if not isinstance(table, str) or not table.isprintable() or Path(table).name != table or table[:1] in ".~":
            what = f"{function} names a table {table!r}, which cannot be the name of a file."
            raise ModelError(what, "Choose a name of letters, digits and underscores.")


def levels(model: Any, instance: Instance, objectives: Iterable[str] | None) -> list[str]:
    """Names of a model's objectives in their order: that of its `levels`, else that of declaration.

    Where no program is made that declares them, ``objectives`` is None, and the names are those of its `levels`.

    Raises
    ------
    ModelError
        If there is none, or one that the model does not declare.
    """
    if objectives is None:
        stated: list[str] = call(model, "levels", instance)
        return stated
    declared = list(objectives)
    names: list[str] = call(model, "levels", instance) if hasattr(model, "levels") else declared
    unknown = [name for name in names if name not in declared]
    if unknown or not names:
        what = f"there is no objective {', '.join(map(repr, unknown))}" if unknown else "there is no objective"
        advice = f"Declare it in `formulate`, which has {', '.join(declared) or 'none'}."
        raise ModelError(f"The model {Path(model.__file__).stem} cannot be solved: {what}.", advice)
    return names


def summary(name: str) -> str:
    """First line of a model's docstring."""
    return (ast.get_docstring(_source(name)) or "").split("\n")[0]


def _source(name: str) -> ast.Module:
    """Return the source of a model, read and not run, which would load Pyomo and pandas for most of a second."""
    path = Path(name) if name.endswith(".py") else folder() / f"{name}.py"
    return ast.parse(path.read_bytes())


def method(model: str, step: str) -> Callable[..., Any] | None:
    """A faster method for one step of a model, found by both names; None if there is none."""
    name = f"{LIBRARY}._methods.{model}_{step}"
    if not (folder() / "_methods" / f"{model}_{step}.py").is_file():
        return None
    return cast("Callable[..., Any]", import_module(name).settle)


def own_method(model: str, method: str) -> Any:
    """A method that a model brings along for the whole of it, found by both names; None if there is none."""
    if model.endswith(".py") or not (folder() / "_methods" / f"{model}_{method}.py").is_file():
        return None
    return import_module(f"{LIBRARY}._methods.{model}_{method}")


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"There is no model file {str(path)!r}.", "Give the path of a Python file.")
    name = f"etsopt_user_model_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        what = f"The model file {str(path)!r} could not be loaded: {type(error).__name__}: {error}."
        raise ModelError(what, "Correct the file; `python` on it shows where it fails.") from error
    return module
