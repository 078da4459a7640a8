"""Declarations of models: a model file has one, `MODEL`, which says what the model consists of and how it is solved.

It loads neither Pyomo nor pandas. `PreparedModel` and `ElasticModel` are for models beyond one program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from etsopt.common.language import _
from etsopt.data.messages import nearest

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from pyomo.environ import AbstractModel

    from etsopt.data.groups import Groups
    from etsopt.data.instance import Instance
    from etsopt.modelling.solving.solution import Level, Solution

    Arrays = dict[str, int | float | NDArray[np.generic] | Groups]
    """Sizes, numbers, arrays and groups by the name of the set or parameter that takes them."""

    Tables = dict[str, pd.DataFrame]
    """Tables of a result, by name."""

    TablesBefore = Mapping[str, pd.DataFrame]
    """Tables of the model that another starts from, and those with which it is solved again."""

    Run = Callable[[Arrays, list[str]], Solution]
    """A function that solves a model's formulation with other parameters, for objectives in their order."""

__all__ = ["CalculationModel", "ElasticModel", "ModelMethod", "Prepared", "PreparedModel", "ProgramModel"]

CONSTANTS: dict[str, tuple[type, str]] = {
    **dict.fromkeys(("name", "starts_from"), (str, _("a name"))),
    **dict.fromkeys(("fix_after", "solver_options", "ways_out"), (Mapping, _("a dictionary"))),
    "reads": (tuple, _("a tuple of keys")),
    "gap": (Real, _("a number")),
}
"""Types of the fields that are no functions, and their words."""


@dataclass(frozen=True)
class Prepared:
    """What `prepare` returns; a model that keeps more for its tables defines a dataclass of its own from it.

    Parameters
    ----------
    parameters
        Arrays for the sets and parameters of the program.
    stopped
        Termination of a stopped preparation, which holds an answer; empty if it ended.
    fallback_reason
        Why the chosen method fell back to the whole program, as a clause; empty if it did not.
    """

    parameters: dict[str, Any]
    stopped: str = field(default="", kw_only=True)
    fallback_reason: str = field(default="", kw_only=True)


OfModel = TypeVar("OfModel", bound=Prepared)


@dataclass(frozen=True, eq=False, kw_only=True)
class Model:
    """What every declaration may state.

    Parameters
    ----------
    name
        Name in messages; by default that of the file.
    reads
        Keys and sections of the policy that it reads, beside those of the model that it starts from; None reads all.

    Raises
    ------
    TypeError
        If a field is unknown, missing or of another type.
    """

    name: str = ""
    reads: tuple[str, ...] | None = None

    def __new__(cls, *_values: Any, **stated: Any) -> Self:
        """Refuse an unknown field with the nearest one, which Python itself names only from 3.13 on."""
        known = [one.name for one in fields(cls)]
        for name in (one for one in stated if one not in known):
            near = nearest(name, known)
            guess = _("did you mean `{near}`?", near=near) if near else _("it has {names}", names=", ".join(known))
            text = _("{declaration} has no field `{name}` ({guess})")
            raise TypeError(_(text, declaration=cls.__name__, name=name, guess=guess))
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for one in fields(self):
            value, (kind, wanted) = getattr(self, one.name), CONSTANTS.get(one.name, (None, _("a function")))
            if value is not one.default and not (callable(value) if kind is None else isinstance(value, kind)):
                text, got = _("`{field}` of {declaration} has the type {got}: expected {wanted}"), type(value).__name__
                raise TypeError(_(text, field=one.name, declaration=type(self).__name__, got=got, wanted=wanted))


@dataclass(frozen=True, eq=False, kw_only=True)
class CalculationModel(Model):
    """A model without a program.

    Parameters
    ----------
    calculate
        Result tables.
    """

    calculate: Callable[[Instance], Tables]


@dataclass(frozen=True, eq=False, kw_only=True)
class FormulatedModel(Model):
    """A model with a program.

    Parameters
    ----------
    formulate
        The mathematics without data: returns a Pyomo ``AbstractModel``, and takes no arguments.
    """

    formulate: Callable[[], AbstractModel]


@dataclass(frozen=True, eq=False, kw_only=True)
class OptimisedModel(FormulatedModel):
    """A model that is solved by itself.

    Parameters
    ----------
    objectives
        Names of its objectives in lexicographic order; by default the order of declaration.
    gap
        Default of the relative gap.
    fix_after
        Variables that are fixed once an objective is solved, by its name.
    solver_options
        Options of the solver that suit its programs; those of the caller take precedence.
    """

    objectives: Callable[[Instance], Iterable[str]] | None = None
    gap: float | None = None
    fix_after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    solver_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, kw_only=True)
class ProgramModel(OptimisedModel):
    """A model whose program follows from the instance.

    Parameters
    ----------
    parameters
        Arrays for the sets and parameters of the program.
    tables
        Result tables from a solution.
    second_program
        Program to solve after a solution: the instance whose limits hold then, parameters and names of objectives, or
        None. ``solution.before`` is then the first solution.
    answer
        Part of a solution that a sweep keeps: a number of every unit.
    claim
        What the checker judges without tables of units: ``allocation`` and multipliers, ``rows``, ``duals`` and
        ``weights``, as `etsopt.checking.allocation.claim` takes them, and columns of ``totals`` by table.
    """

    parameters: Callable[[Instance], Arrays]
    tables: Callable[[Instance, Solution], Tables]
    second_program: Callable[[Instance, Solution], tuple[Instance, Arrays, list[str]] | None] | None = None
    answer: Callable[[Instance, Solution], NDArray[np.float64]] | None = None
    claim: Callable[[Instance, Solution], dict[str, Any]] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedModel(OptimisedModel, Generic[OfModel]):
    """A model whose program is prepared: from tables of another model, and solutions of its own relaxation.

    Parameters
    ----------
    prepare
        Parameters, and what its tables need beside the solution. It takes the tables of the model that it starts from,
        and `etsopt.running.model_inputs.Relaxation`, which solves its own relaxation.
    tables
        Result tables from a solution and what was prepared.
    starts_from
        Name of the model that is solved before; empty if there is none.
    next_pass
        Tables with which to prepare and solve the model again, from those that `prepare` took; None once it is solved.
    explain
        Tables and objective that state the unmet demand if the program is infeasible.
    is_divisible
        True if an instance lets choices be mixed, so that no variable is integer.
    """

    prepare: Callable[[Instance, TablesBefore, Any], OfModel]
    tables: Callable[[Instance, Solution, OfModel], Tables]
    starts_from: str = ""
    next_pass: Callable[[Instance, TablesBefore, Solution, OfModel], Tables | None] | None = None
    explain: Callable[[Instance, OfModel], tuple[Tables, Level | None]] | None = None
    is_divisible: Callable[[Instance], bool] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class ElasticModel(FormulatedModel):
    """A model that explains why ``<name>`` is infeasible; its file is ``<name>_elastic``.

    Parameters
    ----------
    parameters
        Arrays for the sets and parameters of the program.
    ways_out
        Its objectives, each with the variables that are fixed at zero.
    tables
        Result tables from the solution of each way out. It also takes the part of the aggregated program that each unit
        belongs to; None if every unit is its own part.
    relaxed_parameters
        Parameters of the model that it explains, with limits wider by so many tonnes.
    """

    parameters: Callable[[Instance], Arrays]
    ways_out: Mapping[str, tuple[str, ...]]
    tables: Callable[[Instance, Mapping[str, Solution], NDArray[np.int64] | None], Tables]
    relaxed_parameters: Callable[[Arrays, float], Arrays]


@dataclass(frozen=True, kw_only=True)
class ModelMethod:
    """A model's own method for its whole program: ``METHOD`` of ``_methods/<model>_<method>.py``.

    Parameters
    ----------
    from_units
        Number of units from which it is quicker than the whole program.
    declines
        Reason why it does not support an instance, as a clause; empty if it does.
    prepare
        In place of the model's own.
    solve
        In place of the whole program: it returns a solution from an instance, parameters, names of objectives and a
        function that solves the model's formulation with other parameters.
    elastic
        Aggregated parameters of the model that explains infeasibility, and the part of each unit in them.
    """

    from_units: int
    declines: Callable[[Instance], str] = lambda _instance: ""
    prepare: Callable[[Instance, TablesBefore, Any], Prepared] | None = None
    solve: Callable[[Instance, Arrays, list[str], Run], Solution] | None = None
    elastic: Callable[[Arrays], tuple[Arrays, NDArray[np.int64]]] | None = None
