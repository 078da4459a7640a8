"""Choose the method that solves a model on an instance: the requested one, else the quickest at its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import UsageError
from etsopt.common.language import Text, _
from etsopt.modelling.compiler import pyomo_build
from etsopt.modelling.solving.options import METHODS
from etsopt.running import library
from etsopt.running.compiling import compiled_program

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.modelling import FormulatedModel, ModelMethod
    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.options import SolveOptions

    Build = Callable[[FormulatedModel, dict[str, Any]], Program]
    """A builder of programs from a model and its data."""


def pyomo_program(model: FormulatedModel, parameters: dict[str, Any]) -> Program:
    """Return the program of a model on its data, by the Pyomo build."""
    return pyomo_build.build_program(model.formulate(), parameters)


BUILD: dict[str, Build] = {"direct": compiled_program, "pyomo": pyomo_program}
"""Builders of programs, by name of the method; small programs of a model's own methods are compiled."""

MODEL_METHODS = [name for name in METHODS if name not in BUILD]
"""Methods that a model may define for itself."""

RELAXED_WHOLE = 2_000
"""Units below which relaxations of an infeasible policy are sought over single units, if no method is asked for."""


@dataclass(frozen=True)
class Method:
    """A chosen method.

    Parameters
    ----------
    name, reason
        One of `METHODS`, and the reason for its choice, as a sentence.
    build
        Builder of programs from a model and its data.
    model_method
        The model's own method; None if the whole program is built.
    """

    name: str
    reason: str
    build: Build
    model_method: ModelMethod | None = None


def choose(model: str, instance: Instance, options: SolveOptions) -> Method:
    """Choose the method for a model and an instance.

    Parameters
    ----------
    model
        Name of a model of the library, or path of a model file.

    Raises
    ------
    UsageError
        If the model does not have the requested method, or that does not support the instance.
    """
    requested = options.method
    available = {name: method for name in MODEL_METHODS if (method := library.model_method(model, name)) is not None}
    if requested in BUILD:
        return Method(requested, _("It was requested: {how}.", how=Text(METHODS[requested])), BUILD[requested])
    if requested is not None:
        return _requested(requested, model, available, instance, options)
    reason = _("The solver takes the whole program")
    for name, method in available.items():
        units, few = len(instance.units), method.from_units
        if units < few:
            reason = _(
                "{units:,} units are few: from {few:,} on the method {name} is quicker", units=units, few=few, name=name
            )
        elif options.mps is not None:
            reason = _(
                "The program is written to a file, and the method {name} never builds the whole program", name=name
            )
        elif why := method.declines(instance):
            reason = _("The method {name} does not support this instance: {why}", name=name, why=why)
        else:
            return Method(
                name,
                _("{units:,} units are many: {how}.", units=units, how=Text(METHODS[name])),
                BUILD["direct"],
                method,
            )
    return Method("direct", _("{reason}.", reason=reason), BUILD["direct"])


def reason_of_fallback(method: Method, why: str) -> str:
    """Return the reason of a result for its method if that fell back to the whole program; else nothing.

    Parameters
    ----------
    why
        `Prepared.fallback_reason`.
    """
    if method.model_method is None or not why:
        return ""
    return _("The method {name} fell back to the whole program: {why}.", name=method.name, why=why)


def options_of_first(model: str, options: SolveOptions) -> SolveOptions:
    """Return the options for the model that a solve starts from, which may not have the requested method."""
    requested = options.method
    has = requested in BUILD or (requested is not None and library.model_method(model, requested) is not None)
    return options if has else replace(options, method=None)


def _requested(
    requested: str, model: str, available: dict[str, ModelMethod], instance: Instance, options: SolveOptions
) -> Method:
    """Return the requested method of a model."""
    if requested not in available:
        others = ", ".join([*BUILD, *available])
        raise UsageError(
            _("The model {stem} has no method {requested!r}.", stem=Path(model).stem, requested=requested),
            _("Choose one of {others}.", others=others),
        )
    why = available[requested].declines(instance)
    if options.mps is not None:
        why = _("it never builds the whole program, which is written to a file")
    if why:
        what = _("The method {requested!r} does not support this instance: {why}.", requested=requested, why=why)
        raise UsageError(what, _("Omit the method: one that does is then chosen."))
    return Method(
        requested,
        _("It was requested: {how}.", how=Text(METHODS[requested])),
        BUILD["direct"],
        available[requested],
    )
