"""Find a model by its name, an entry point or its file; the engine imports none itself."""

from __future__ import annotations

import ast
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from etsopt.common import modules
from etsopt.common.errors import ModelError, UsageError
from etsopt.common.language import _
from etsopt.modelling import CalculationModel, ElasticModel, OptimisedModel
from etsopt.running.model import declared_in, guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from etsopt.modelling import Model, ModelMethod

LIBRARY = "etsopt_models"

ELASTIC = "_elastic"
"""Ending of the name of a model that explains why another is infeasible."""

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
        If the file declares no model.
    """
    if is_file(name):
        return declared_in(modules.load_file(Path(name), "model", ModelError))
    if name in names():
        return _kept(import_module(f"{LIBRARY}.{name}"))
    if name in (others := installed()):
        advice = _("Correct or remove the package that brings it.")
        with modules.loading(
            _("The model {name!r} of {package} cannot be loaded", name=name, package=others[name]), advice, ModelError
        ):
            module = import_module(others[name])
        return _kept(module)
    own = ", ".join([*(other for other in names() if not explains(other)), *others])
    advice = _("The models are {own}; a file of your own is named by its path, ending in .py.", own=own)
    raise UsageError(_("There is no model {name!r}.", name=name), advice)


_kept = cache(declared_in)
"""The model of a module: always the same one, by which its compiled programs are kept."""


def explains(name: str) -> str:
    """Return the name of the model whose infeasibility a model of the library explains; empty if it is no such model.

    >>> explains("allocation_elastic"), explains("allocation")
    ('allocation', '')
    """
    return name.removesuffix(ELASTIC) if name.endswith(ELASTIC) else ""


def elastic(name: str) -> ElasticModel | None:
    """Return the model that explains why a model of the library is infeasible; None if there is none."""
    found = load(name + ELASTIC) if name + ELASTIC in names() else None
    return found if isinstance(found, ElasticModel) else None


def choose(name: str) -> CalculationModel | OptimisedModel:
    """Load a model that is solved by itself.

    Raises
    ------
    UsageError
        If there is none of that name, or it only explains the infeasibility of another.
    ModelError
        If the file declares no model.
    """
    found = load(name)
    if isinstance(found, CalculationModel | OptimisedModel):
        return found
    other = Path(name).stem.removesuffix(ELASTIC)
    what = _(
        "The model {name} is not solved by itself: it finds the limits to relax if {other} is infeasible.",
        name=name,
        other=other,
    )
    raise UsageError(what, _("Solve {other}, which calls it by itself.", other=other))


def summary(name: str) -> str:
    """Return the first line of a model's docstring, read and not run: Pyomo and pandas take most of a second."""
    origin = folder() / f"{name}.py" if name in names() else getattr(find_spec(installed()[name]), "origin", None)
    source = Path(origin).read_bytes() if origin else b""
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def method(model: str, step: str) -> Callable[..., Any] | None:
    """Return the faster method for one objective of a model, found by both names; None if there is none."""
    name = f"{LIBRARY}._methods.{model}_{step}"
    if not (folder() / "_methods" / f"{model}_{step}.py").is_file():
        return None
    return cast("Callable[..., Any]", import_module(name).solve_objective)


def model_method(model: str, method: str) -> ModelMethod | None:
    """Return a model's own method for its whole program, found by both names; None if there is none."""
    name = f"{model}_{method}"
    if is_file(model) or not (folder() / "_methods" / f"{name}.py").is_file():
        return None
    return guarded(cast("ModelMethod", import_module(f"{LIBRARY}._methods.{name}").METHOD), name)


def curve_of(model: str) -> Callable[..., Any]:
    """Return the function that follows a model's answer along its limits, ``over`` of ``_methods/<model>_curve.py``."""
    return cast("Callable[..., Any]", import_module(f"{LIBRARY}._methods.{model}_curve").over)
