"""From a page of Pyomo to arrays and through HiGHS: declarations of models, the compiler, programs, solving."""

from typing import TYPE_CHECKING

from etsopt.modelling.declared import (
    CalculationModel,
    ElasticModel,
    ModelMethod,
    Prepared,
    PreparedModel,
    ProgramModel,
)
from etsopt.modelling.declared import FormulatedModel as FormulatedModel
from etsopt.modelling.declared import Model as Model
from etsopt.modelling.declared import OptimisedModel as OptimisedModel

if TYPE_CHECKING:
    from etsopt.modelling.declared import Tables as Tables
    from etsopt.modelling.declared import TablesBefore as TablesBefore

__all__ = ["CalculationModel", "ElasticModel", "ModelMethod", "Prepared", "PreparedModel", "ProgramModel"]
