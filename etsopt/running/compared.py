"""Whether a user's own model is compiled to the program that Pyomo builds of it.

The compiler calls a rule once, with placeholders. A rule that looks at an index otherwise than by a place in a set or a
parameter (its text, its type, how often it was called) gives placeholders another row than numbers, and nothing in the
row tells. So Pyomo builds the model too: the whole of a small one, and of a large one that of some units.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import ModelError, StoppedError
from etsopt.common.language import _
from etsopt.modelling import ProgramModel
from etsopt.modelling.compiler.same import first_difference
from etsopt.modelling.compiler.templates import CompileError
from etsopt.modelling.solving.options import SolveOptions
from etsopt.running.compiling import compiled_program
from etsopt.running.methods import Method, pyomo_program
from etsopt.running.model_inputs import prepared_for, program_of, with_own_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.data.instance import Instance
    from etsopt.modelling import OptimisedModel, Prepared
    from etsopt.modelling.program.program import Program

MOST_NUMBERS = 100_000
"""Rows, columns and coefficients of a program that Pyomo builds whole, in about half a second."""

PART = 1_000
"""Units of the part of an instance on which a larger model is compared."""


def is_as_pyomo_builds(model: OptimisedModel, instance: Instance, program: Program, parameters: dict[str, Any]) -> bool:
    """Return True if a compiled program is the one of Pyomo, and False if Pyomo builds none.

    Raises
    ------
    CompileError
        If it is another, with the component.
    """
    try:
        return _is_same(model, _candidates(model, instance, program, parameters))
    finally:
        if isinstance(model, ProgramModel) and _numbers(program) > MOST_NUMBERS:
            # What `parameters` left in its module is that of a part; `tables` may read it.
            model.parameters(instance)


def _is_same(model: OptimisedModel, candidates: Iterator[tuple[Instance, Program, dict[str, Any]]]) -> bool:
    for of_units, one, arrays in candidates:
        try:
            other = program_of(model, of_units, pyomo_program, arrays)
        except (ModelError, StoppedError):
            continue
        if differs := first_difference(one, other):
            reason = _("what it compiles to is not what Pyomo builds of it")
            way = _(
                "Its rule asks more of an index or a component than a place in a set or a parameter, such as its text "
                "or its type. Let `parameters` compute the array."
            )
            raise CompileError(_("The component {name}", name=differs), reason, way)
        return True
    return False


def compiled_again(model: OptimisedModel, instance: Instance) -> tuple[Prepared, Program, bool]:
    """Return what a model prepares, its program, and True if it was seen to be the one of Pyomo.

    What cannot be compiled is built by Pyomo, as method ``pyomo`` did.
    """
    options = with_own_options(model, SolveOptions())
    prepared = prepared_for(model, instance, options, Method("direct", "", compiled_program), {})
    arrays = prepared.parameters
    try:
        program = program_of(model, instance, compiled_program, arrays)
        return prepared, program, is_as_pyomo_builds(model, instance, program, arrays)
    except CompileError:
        return prepared, program_of(model, instance, pyomo_program, arrays), True


def _candidates(
    model: OptimisedModel, instance: Instance, program: Program, parameters: dict[str, Any]
) -> Iterator[tuple[Instance, Program, dict[str, Any]]]:
    """Yield the whole program if it is small, that of a part of the units, and the whole one at last."""
    small = _numbers(program) <= MOST_NUMBERS
    if small:
        yield instance, program, parameters
    if isinstance(model, ProgramModel) and len(instance.units) > PART:
        part, found = _part_of(instance), None
        # A model need not take a part of an instance, and may fail in any way.
        with suppress(Exception):
            arrays = model.parameters(part)
            found = part, program_of(model, part, compiled_program, arrays), arrays
        if found is not None:
            yield found
    if not small:
        yield instance, program, parameters


def _numbers(program: Program) -> int:
    """Return the number of rows, columns and coefficients."""
    return sum(program.matrix.shape) + program.matrix.nnz


def _part_of(instance: Instance) -> Instance:
    """Return an instance with some of its units, first and last among them, and with what concerns them alone."""
    units = instance.units.iloc[np.linspace(0, len(instance.units) - 1, PART).astype(int)].reset_index(drop=True)
    tables: dict[str, Any] = {"units": units}
    for name, table in instance.tables.items():
        for key in ("unit_id", "enterprise_id"):
            if name != "units" and key in table:
                tables[name] = table[table[key].isin(units[key]) | table[key].isna()].reset_index(drop=True)
                break
    return replace(instance, **tables)
