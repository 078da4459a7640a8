"""Find a model by its name, an entry point or its file; the engine imports none itself."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from etsopt import modules
from etsopt.errors import ModelError, UsageError
from etsopt.language import _
from etsopt.running.model import Model, ModelMethod, refuse_slips

if TYPE_CHECKING:
    from collections.abc import Callable

LIBRARY = "etsopt_models"

GROUP = "etsopt.models"
"""Entry points of installed packages, each the module of a model, found by its name."""


def folder() -> Path:
    """Return the folder of the models that come with the package."""
    spec = find_spec(LIBRARY)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(_("The model library is not installed."), _("Install etsopt again."))
    return Path(next(iter(spec.submodule_search_locations)))


def names() -> list[str]:
    """Names of the models of the library, in alphabetical order."""
    return sorted(path.stem for path in folder().glob("*.py") if not path.stem.startswith("_"))


def installed() -> dict[str, str]:
    """Modules of the models that installed packages bring, by name; one of the library takes precedence."""
    own = names()
    return {point.name: point.value for point in modules.installed(GROUP) if point.name not in own}


def is_file(name: str) -> bool:
    """Return True if a model is named by its file, and is the user's own."""
    return name.endswith(".py")


def load(name: str) -> Model:
    """Load a model: one of the library by its name, or a file of the user's by its path.

    Raises
    ------
    UsageError
        If there is neither a model of that name nor such a file.
    ModelError
        If the file does not define a function that a model needs.
    """
    if is_file(name):
        module = modules.load_file(Path(name), "model", ModelError)
        refuse_slips(module, Path(name).stem)
    elif name in names():
        module = import_module(f"{LIBRARY}.{name}")
    elif name in (others := installed()):
        advice = _("Correct or remove the package that brings it.")
        with modules.loading(
            _("The model {name!r} of {package} cannot be loaded", name=name, package=others[name]), advice, ModelError
        ):
            module = import_module(others[name])
        refuse_slips(module, name)
    else:
        own = ", ".join([*(other for other in names() if not explains(other)), *others])
        advice = _("The models are {own}; a file of your own is named by its path, ending in .py.", own=own)
        raise UsageError(_("There is no model {name!r}.", name=name), advice)
    return Model.of(module)


def explains(name: str) -> str:
    """Return the name of the model whose infeasibility a model explains; empty if it is solved by itself."""
    assigned = [node for node in _source(name).body if isinstance(node, ast.Assign | ast.AnnAssign)]
    targets = [target for node in assigned for target in getattr(node, "targets", [getattr(node, "target", None)])]
    states = any(isinstance(target, ast.Name) and target.id == "WAYS_OUT" for target in targets)
    return Path(name).stem.removesuffix("_elastic") if states else ""


def choose(name: str) -> Model:
    """Load a model that is solved by itself.

    Raises
    ------
    UsageError
        If there is none of that name, or it only explains the infeasibility of another.
    ModelError
        If the file does not define a function that a model needs.
    """
    found, other = load(name), explains(name)
    if other:
        what = _(
            "The model {name} is not solved by itself: it finds the limits to relax if {other} is infeasible.",
            name=name,
            other=other,
        )
        raise UsageError(what, _("Solve {other}, which calls it by itself.", other=other))
    return found


def summary(name: str) -> str:
    """Return the first line of a model's docstring."""
    return (ast.get_docstring(_source(name)) or "").split("\n")[0]


def _source(name: str) -> ast.Module:
    """Return the source of a model, read and not run, which would load Pyomo and pandas for most of a second."""
    if is_file(name):
        return ast.parse(Path(name).read_bytes())
    if name in names():
        return _parsed(folder() / f"{name}.py")
    spec = find_spec(installed()[name])
    return ast.parse(Path(spec.origin).read_bytes() if spec is not None and spec.origin else b"")


@cache
def _parsed(path: Path) -> ast.Module:
    """Return the source of a model of the library, which stays as it is."""
    return ast.parse(path.read_bytes())


def method(model: str, step: str) -> Callable[..., Any] | None:
    """Return the faster method for one objective of a model, found by both names; None if there is none."""
    name = f"{LIBRARY}._methods.{model}_{step}"
    if not (folder() / "_methods" / f"{model}_{step}.py").is_file():
        return None
    return cast("Callable[..., Any]", import_module(name).solve_objective)


def model_method(model: str, method: str) -> ModelMethod | None:
    """Return a model's own method for its whole program, found by both names; None if there is none."""
    if is_file(model) or not (folder() / "_methods" / f"{model}_{method}.py").is_file():
        return None
    return ModelMethod.of(import_module(f"{LIBRARY}._methods.{model}_{method}"))
