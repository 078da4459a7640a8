"""The size of a compiled program: arrays, and no object of Python or Pyomo for a single row, column or number."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import numpy as np
import pytest
from pyomo.core.base.constraint import ConstraintData
from pyomo.core.base.expression import NamedExpressionData
from pyomo.core.base.objective import ObjectiveData
from pyomo.core.base.param import ParamData
from pyomo.core.base.set import SetData
from pyomo.core.base.var import VarData

from etsopt.modelling.compiler.compiled import CompiledModel
from etsopt.running import library
from tests.conftest import make_random_instance

UNITS = 2000
DATA_OF_PYOMO = (VarData, ConstraintData, ParamData, SetData, ObjectiveData, NamedExpressionData)


@pytest.fixture(scope="module", params=["allocation", "allocation_elastic"])
def parts(request: pytest.FixtureRequest) -> tuple[Any, dict[str, Any]]:
    """A model and its arrays on many units, with every kind of row in it."""
    model: Any = library.load(request.param)
    policy = {
        "allocation.intensity_order": True,
        "allocation.objectives": ["spread", "deficit", "largest_change", "change"],
    }
    return model.formulate(), model.parameters(make_random_instance(5, UNITS, **policy))


def living(kinds: tuple[type, ...] = (object,)) -> int:
    gc.collect()
    return sum(isinstance(item, kinds) for item in gc.get_objects())


@pytest.mark.nightly
def test_no_object_of_pyomo_stands_for_a_row_a_column_or_a_number(parts: Any) -> None:
    model, data = parts
    before = living(DATA_OF_PYOMO)
    compiled = CompiledModel(model, data)
    # The copy of the model has one scalar component of a kind where the model has one, however many units there are.
    declared = sum(1 for _ in model.component_objects())
    assert living(DATA_OF_PYOMO) - before <= 2 * declared
    assert compiled.program.matrix.shape[0] > UNITS


@pytest.mark.nightly
def test_the_number_of_objects_does_not_grow_with_the_units(parts: Any) -> None:
    model, data = parts
    before = living()
    compiled = CompiledModel(model, data)
    grown = living() - before
    assert compiled.program.matrix.shape[0] > UNITS
    assert grown < 5000, "templates have some thousand nodes; a row or column of its own would add as many as units"


def arrays_of(program: Any) -> int:
    """Bytes of the arrays of a program."""
    matrix = program.matrix
    found = [matrix.data, matrix.indices, matrix.indptr, program.row_lower, program.row_upper]
    found += [program.column_lower, program.column_upper, program.integer]
    found += [objective.linear for objective in program.objectives.values()]
    return sum(np.asarray(array).nbytes for array in found)


def test_the_memory_of_a_compiled_program_is_that_of_its_arrays(parts: Any) -> None:
    model, data = parts
    kept, peak, arrays = compiled_bytes(model, data)
    # Templates and the copy of the model take the same however many units there are.
    templates = 2_000_000
    assert kept < 2 * arrays + templates
    assert peak < 6 * arrays + templates


def compiled_bytes(model: Any, data: dict[str, Any]) -> tuple[int, int, int]:
    """Bytes kept and at the most, and bytes of the arrays."""
    gc.collect()
    tracemalloc.start()
    try:
        compiled = CompiledModel(model, data)
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return kept, peak, arrays_of(compiled.program)
