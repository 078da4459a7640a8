"""Which method solves a model on an instance: the one that is asked for, else the quickest at its size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from etsopt.compiler import compiled, pyomo_build
from etsopt.errors import UsageError
from etsopt.running import library
from etsopt.solving.options import METHODS

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.program.program import Program
    from etsopt.running.model import Model, ModelMethod
    from etsopt.solving.options import SolveOptions

_TEMPLATES: WeakKeyDictionary[ModuleType, compiled.Templates] = WeakKeyDictionary()
"""Templates of the models that were stamped: `formulate` takes no arguments, so that it is called once in a process."""


def stamp_of(model: Model, parameters: dict[str, Any]) -> compiled.CompiledModel:
    """A model stamped on its data, which takes changes of these."""
    if model.module not in _TEMPLATES:
        _TEMPLATES[model.module] = compiled.Templates(model.formulate())
    return _TEMPLATES[model.module].stamp(parameters)


def stamp(model: Model, parameters: dict[str, Any]) -> Program:
    """Program of a model on its data, the stamped way."""
    return stamp_of(model, parameters).program


def build_row_by_row(model: Model, parameters: dict[str, Any]) -> Program:
    """Program of a model on its data, the reference way."""
    return pyomo_build.build_program(model.formulate(), parameters)


BUILD: dict[str, Callable[[Model, dict[str, Any]], Program]] = {"direct": stamp, "pyomo": build_row_by_row}
"""How a program is made, by name; a model's own methods have their small programs stamped."""

OWN = [name for name in METHODS if name not in BUILD]
"""Methods that a model may bring along for itself."""


@dataclass(frozen=True)
class Method:
    """A method that was chosen.

    Parameters
    ----------
    name, reason
        One of `METHODS`, and why it runs, as a sentence.
    build
        Makes programs of a model, which is a module, and its data.
    own
        The model's own method; None where the whole program is made.
    """

    name: str
    reason: str
    build: Callable[[Model, dict[str, Any]], Program]
    own: ModelMethod | None = None


def choose(model: str, instance: Instance, options: SolveOptions) -> Method:
    """Choose the method for a model and an instance.

    Parameters
    ----------
    model
        Name of a model of the library, or path of a model file.

    Raises
    ------
    UsageError
        If the method that is asked for is not one of the model, or cannot serve the instance.
    """
    asked = options.method
    own = {name: found for name in OWN if (found := library.model_method(model, name)) is not None}
    if asked in BUILD:
        return Method(asked, f"It was asked for: {METHODS[asked]}.", BUILD[asked])
    if asked is not None:
        return _asked(asked, model, own, instance, options)
    reason = METHODS["direct"].capitalize()
    for name, found in own.items():
        units, few = len(instance.units), found.from_units
        if units < few:
            reason = f"{units:,} units are few: from {few:,} on the method {name} is quicker"
        elif options.mps is not None:
            reason = f"The program is to be written, and the method {name} never makes the whole of it"
        elif why := found.declines(instance):
            reason = f"The method {name} cannot serve here: {why}"
        else:
            return Method(name, f"{units:,} units are many: {METHODS[name]}.", BUILD["direct"], found)
    return Method("direct", f"{reason}.", BUILD["direct"])


def after_notes(method: Method, notes: tuple[Any, ...]) -> dict[str, str]:
    """What a result says of a method, from what its preparation says of itself: it may have given way."""
    why = next((note.gave_way for note in notes if getattr(note, "gave_way", "")), "")
    if method.own is None or not why:
        return {}
    return {"method": "direct", "method_reason": f"The method {method.name} gave way to the whole program: {why}."}


def options_of_first(model: str, options: SolveOptions) -> SolveOptions:
    """Options of a solve for the model that it starts from, which may not have the method that is asked for."""
    asked = options.method
    has = asked in BUILD or (asked is not None and library.model_method(model, asked) is not None)
    return options if has else replace(options, method=None)


def _asked(asked: str, model: str, own: dict[str, ModelMethod], instance: Instance, options: SolveOptions) -> Method:
    """A model's own method that is asked for."""
    if asked not in own:
        others = ", ".join([*BUILD, *own])
        raise UsageError(f"The model {Path(model).stem} has no method {asked!r}.", f"It has {others}.")
    why = own[asked].declines(instance)
    if options.mps is not None:
        why = "it never makes the whole program, which is to be written"
    if why:
        what = f"The method {asked!r} cannot serve here: {why}."
        raise UsageError(what, "Leave the method out: the one that can is then chosen.")
    return Method(asked, f"It was asked for: {METHODS[asked]}.", BUILD["direct"], own[asked])
