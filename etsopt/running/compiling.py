"""Programs of models by the compiler; those of the library are kept, and renewed with other numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from etsopt.common.provenance import Component
from etsopt.data.groups import Groups
from etsopt.modelling.compiler.compiled import Templates
from etsopt.modelling.compiler.pyomo_build import written
from etsopt.running.library import LIBRARY

if TYPE_CHECKING:
    from etsopt.modelling import FormulatedModel
    from etsopt.modelling.compiler.compiled import CompiledModel
    from etsopt.modelling.program.program import Program

MOST_MODELS = 16
"""Number of shapes whose compiled models are kept."""

SMALL = 100_000
"""Most numbers in the parameters of a model that a process keeps for later solves, about a megabyte each:
`docs/decisions/0093-compiled-programs-are-kept.md`."""

_TEMPLATES: WeakKeyDictionary[FormulatedModel, Templates] = WeakKeyDictionary()
"""Templates of the models of the library: `formulate` takes no arguments, so that a process calls it once."""


class CompiledModels:
    """A cache of compiled models; if only numbers differ from a cached one, only their readers are evaluated.

    The models used last are kept, so that the memory of a sweep does not grow with the number of policies. A model is
    taken out while it is renewed, so that no two threads renew the same one.

    Parameters
    ----------
    most_numbers
        Most numbers in the parameters of a model that is kept; None for no limit.
    """

    def __init__(self, most_numbers: int | None = None) -> None:
        self.most_numbers = most_numbers
        self._models: dict[Any, CompiledModel] = {}

    def __call__(self, model: FormulatedModel, parameters: dict[str, Any]) -> Program:
        """Return the program of a model on its data."""
        if not _is_of_library(model):
            # A rule of one's own may read what `parameters` left in its module, and then the same template is another.
            return _compiled(model, parameters).program
        sizes = {name: np.shape(value) for name, value in parameters.items() if not isinstance(value, Groups)}
        if self.most_numbers is not None and sum(map(np.prod, sizes.values())) > self.most_numbers:
            return _compiled(model, parameters).program
        shape = model, *sizes.items()
        compiled = self._models.pop(shape, None)
        program = None if compiled is None else compiled.renew(parameters)
        if compiled is None or program is None:
            compiled = _compiled(model, parameters)
            program = compiled.program
        # The dictionary keeps the order of insertion: the least recently used model comes first.
        self._models[shape] = compiled
        if len(self._models) > MOST_MODELS:
            self._models.pop(next(iter(self._models)), None)
        return program


def _compiled(model: FormulatedModel, parameters: dict[str, Any]) -> CompiledModel:
    """Return a model compiled on its data, which takes updates of them."""
    return _templates(model).compile(parameters)


def documented(model: FormulatedModel) -> list[Component]:
    """Return kind, name and ``doc`` of every component of a formulation that has one."""
    return [
        Component(kind=component.ctype.__name__, name=component.name, doc=str(component.doc))
        for component in written(_templates(model).model)
        if component.doc
    ]


def _is_of_library(model: FormulatedModel) -> bool:
    return model.formulate.__module__.partition(".")[0] == LIBRARY


def _templates(model: FormulatedModel) -> Templates:
    if not _is_of_library(model):
        return Templates(model.formulate())
    if model not in _TEMPLATES:
        _TEMPLATES[model] = Templates(model.formulate())
    return _TEMPLATES[model]


compiled_program = CompiledModels(SMALL)
"""Program of a model on its data. Small programs are alike in thousands of solves, of a sweep or of cells."""
