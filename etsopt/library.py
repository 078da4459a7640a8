"""Find a model by its name or file; the engine imports none itself."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from etsopt.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    import pandas as pd

    from etsopt.data.instance import Instance

LIBRARY = "etsopt_models"


class ProgramModel(Protocol):
    """What a model file offers that is a program to be solved.

    It may also offer ``levels(instance) -> list[str]``, the names of its objectives in lexicographic order; without it
    they are taken in the order of declaration. ``CHECKED_AS = "allocation"`` says that its tables are those of an
    allocation: the checker holds them to the instance.
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
    elif name in names():
        module = import_module(f"{LIBRARY}.{name}")
    else:
        advice = f"The models are {', '.join(names())}; a file of your own is named by its path, ending in .py."
        raise UsageError(f"There is no model {name!r}.", advice)
    if not hasattr(module, "calculate"):
        missing = [part for part in ("formulate", "parameters", "tables") if not hasattr(module, part)]
        if missing:
            advice = "A model offers formulate, parameters and tables, or calculate; CONTRIBUTING.md shows how."
            raise ModelError(f"The model {name} has no {', '.join(missing)}.", advice)
    return cast("ProgramModel | CalculationModel", module)


def summary(name: str) -> str:
    """First line of a model's docstring."""
    return (load(name).__doc__ or "").strip().split("\n")[0]


def method(model: str, step: str) -> Callable[..., Any] | None:
    """A faster method for one step of a model, found by both names; None if there is none."""
    name = f"{LIBRARY}._methods.{model}_{step}"
    if not (folder() / "_methods" / f"{model}_{step}.py").is_file():
        return None
    return cast("Callable[..., Any]", import_module(name).settle)


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
