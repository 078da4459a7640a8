"""A model as the engine sees it: all that its file may define, read once, with defaults for the rest."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from etsopt.compiler.mistakes import mistake_in
from etsopt.errors import EtsoptError, ModelError
from etsopt.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray
    from pyomo.environ import AbstractModel

    from etsopt.data.instance import Instance
    from etsopt.running.interface import Again, Arrays, Explain, MakeTables, Prepare, Run, Tables
    from etsopt.solving.solution import Solution

PROGRAM = (
    *("formulate", "parameters", "tables", "levels", "afterwards"),
    *("prepare", "again", "explain", "is_divisible", "answer"),
)
CALCULATION = ("calculate",)
ELASTIC = ("relaxed",)
CONSTANTS = ("STARTS_FROM", "GAP", "FIX_AFTER", "READS", "WAYS_OUT", "SOLVER_OPTIONS")
DISTINCTIVE = CONSTANTS[:3]
"""Constants whose names seldom occur for another purpose."""

NEAR = 0.83
"""Similarity by difflib, upper and lower case alike, from which on a name counts as a slip.

A letter too many, one too few, or two that changed places lie at 0.83 (``levles``) to 0.95 (``afterward``). Below lie
names of helpers that only share a stem, ``levels_of`` and ``calculation`` (0.80) or ``params`` (0.75), ``label`` for
``levels`` (0.55), and constants of the trade such as ``CAP`` and ``GAS`` for ``GAP`` (0.67).
"""


def _absent(*given: Any) -> Any:
    raise ModelError(
        _("A function that the engine needs is missing in the model."), _("Define it as in CONTRIBUTING.md.")
    )


@dataclass(frozen=True, eq=False)
class Model:
    """Functions and constants of a model file; the engine uses nothing else in it.

    A program has `formulate`, `tables`, and `parameters` or `prepare`; a calculation has `calculate` alone. Every
    function has its name here, and every constant its name in small letters. An optional function that is absent is
    None. A function that fails raises a `ModelError` that names it.

    Parameters
    ----------
    name, module
        Name of the file without its ending, and the module that was loaded from it.
    formulate
        The mathematics without data: returns a Pyomo ``AbstractModel``, and takes no arguments.
    parameters
        Arrays for its sets and parameters.
    prepare
        In place of `parameters`: from the tables of the model that it starts from, and
        `etsopt.running.model_inputs.Relaxation`, which solves its own relaxation, it returns parameters, and notes that
        `tables` and `explain` take as further arguments. A note may have ``stopped``, the termination of a stopped
        preparation, and ``gave_way``, the reason for another method than the chosen one.
    tables
        Result tables from a solution.
    levels
        Names of its objectives in lexicographic order; by default the order of declaration.
    afterwards
        Program to solve after the solution: the instance whose limits hold then, parameters and names of objectives, or
        None. ``solution.before`` is then the first solution.
    again
        From the tables that `prepare` took, and a solution: tables with which to prepare and solve the model again,
        until it is None. It takes the notes of `prepare` as further arguments.
    explain
        Tables and objective that state the unmet demand if the program is infeasible.
    is_divisible
        True if an instance lets choices be mixed, so that no variable is integer.
    answer
        Part of a solution that a sweep keeps: a number of every unit.
    calculate
        Result tables of a model that needs no solver.
    relaxed
        Parameters of the model that this one explains, with limits wider by so many tonnes.
    starts_from
        Name of the model that is solved before.
    gap
        Default of the relative gap.
    fix_after
        Variables that are fixed once an objective is solved, by its name.
    reads
        Keys and sections of the policy that it reads, beside those of the model that it starts from; None reads all.
    solver_options
        Options of the solver that suit its programs; those of the caller take precedence.
    ways_out
        Objectives of a model that explains the infeasibility of another, each with the components fixed at zero.
    """

    name: str
    module: ModuleType
    formulate: Callable[[], AbstractModel] = _absent
    parameters: Callable[[Instance], Arrays] = _absent
    prepare: Prepare | None = None
    tables: MakeTables = _absent
    levels: Callable[[Instance], list[str]] | None = None
    afterwards: Callable[[Instance, Solution], tuple[Instance, Arrays, list[str]] | None] | None = None
    again: Again | None = None
    explain: Explain | None = None
    is_divisible: Callable[[Instance], bool] | None = None
    answer: Callable[[Instance, Solution], NDArray[np.float64]] | None = None
    calculate: Callable[[Instance], Tables] | None = None
    relaxed: Callable[[Arrays, float], Arrays] | None = None
    starts_from: str = ""
    gap: float | None = None
    fix_after: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reads: tuple[str, ...] | None = None
    solver_options: Mapping[str, Any] = field(default_factory=dict)
    ways_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, module: ModuleType) -> Model:
        """Read a module.

        Raises
        ------
        ModelError
            If it does not define a function that a model needs.
        """
        name = Path(module.__file__ or module.__name__).stem
        defined = vars(module)
        functions: dict[str, Any] = {
            key: partial(_called, name, key, defined[key])
            for key in (*PROGRAM, *CALCULATION, *ELASTIC)
            if key in defined
        }
        if "calculate" not in defined:
            inputs = "prepare" if "prepare" in defined else "parameters"
            if missing := [part for part in ("formulate", inputs, "tables") if part not in defined]:
                advice = _("Define formulate, parameters and tables, or calculate, as in CONTRIBUTING.md.")
                raise ModelError(_("The model {name} has no {names}.", name=name, names=", ".join(missing)), advice)
        constants = {key.lower(): defined[key] for key in CONSTANTS if key in defined}
        if "fix_after" in constants:
            stated = dict(constants["fix_after"]).items()
            constants["fix_after"] = {one: (of,) if isinstance(of, str) else (*of,) for one, of in stated}
        return cls(name, module, **functions, **constants)

    def objectives(self, instance: Instance, declared: list[str] | None) -> list[str]:
        """Return the names of its objectives in their order.

        Parameters
        ----------
        declared
            Names that its program has, in the order of declaration; None if no program is built.

        Raises
        ------
        ModelError
            If there is none, or one that the program does not declare.
        """
        names = self.levels(instance) if self.levels else list(declared or [])
        unknown = [] if declared is None else [name for name in names if name not in declared]
        twice = [name for name in names if names.count(name) > 1]
        if unknown or twice or not names:
            what = (
                _("there is no objective {names}", names=", ".join(map(repr, unknown)))
                if unknown
                else _("there is no objective")
            )
            what = _("`levels` names {twice!r} twice", twice=twice[0]) if twice else what
            advice = _("Declare it in `formulate`, which has {value}.", value=", ".join(declared or []) or "none")
            raise ModelError(_("The model {name} cannot be solved: {what}.", name=self.name, what=what), advice)
        return names


@dataclass(frozen=True, eq=False)
class ModelMethod:
    """A model's own method for its whole program, from ``_methods/<model>_<method>.py``.

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
    declines: Callable[[Instance], str]
    prepare: Prepare | None = None
    solve: Callable[[Instance, Arrays, list[str], Run], Solution] | None = None
    elastic: Callable[[Arrays], tuple[Arrays, NDArray[np.int64]]] | None = None

    @classmethod
    def of(cls, module: ModuleType) -> ModelMethod:
        """Read a module."""
        name, defined = module.__name__.rpartition(".")[2], vars(module)
        functions: dict[str, Any] = {
            key: partial(_called, name, key, defined[key]) for key in ("prepare", "solve", "elastic") if key in defined
        }
        return cls(defined["FROM_UNITS"], defined["declines"], **functions)


def _called(model: str, function: str, defined: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a model.

    Raises
    ------
    ModelError
        If it fails with another exception than an `EtsoptError`, or returns a wrong type.
    """
    try:
        result = defined(*arguments)
        result = list(result) if function == "levels" else result
    except EtsoptError:
        raise
    except (Exception, SystemExit) as error:
        text = _("The function {function} of the model {model} failed: {cause}")
        if function == "formulate" and (mistake := mistake_in(error)):
            raise ModelError(
                _(text, function=function, model=model, cause=mistake), _("Correct the model file.")
            ) from error
        place = _line_of(error, defined)
        cause = f"{type(error).__name__}: {error}, {place}." if place else f"{type(error).__name__}: {error}."
        raise ModelError(_(text, function=function, model=model, cause=cause), ADVICE) from error
    if function in ("parameters", "tables", "calculate") and not isinstance(result, dict):
        what = _(
            "The function {function} of the model {model} returned {name}: expected a dictionary.",
            function=function,
            model=model,
            name=type(result).__name__,
        )
        raise ModelError(what, _("Return its results by name."))
    if function in ("tables", "calculate"):
        _check_tables(result, _("The function {function} of the model {model}", function=function, model=model))
    return result


ADVICE = _("Correct the file; called by etsopt.solve in Python, it shows the whole traceback.")


def _line_of(error: BaseException, defined: Callable[..., Any]) -> str:
    """Return the last line of the file of a function that an error passed, in words; empty if that is not known."""
    code, step, line = getattr(defined, "__code__", None), error.__traceback__, 0
    while code is not None and step is not None:
        if step.tb_frame.f_code.co_filename == code.co_filename:
            line = step.tb_lineno
        step = step.tb_next
    if code is None or not line:
        return ""
    return _("in line {line} of {file}", line=line, file=Path(code.co_filename).name)


def _check_tables(tables: Any, function: str) -> None:
    """Check that every table is a data frame with a name that a file can have."""
    import pandas as pd

    for table, content in tables.items():
        if not isinstance(content, pd.DataFrame):
            what = _(
                "{function} returned {name} for {table!r}: expected a data frame.",
                function=function,
                name=type(content).__name__,
                table=table,
            )
            raise ModelError(what, _("Return a pandas DataFrame for each name."))
        if not isinstance(table, str) or not table.isprintable() or Path(table).name != table or table[:1] in ".~":
            what = _(
                "{function} names a table {table!r}, which cannot be the name of a file.",
                function=function,
                table=table,
            )
            raise ModelError(what, _("Choose a name of letters, digits and underscores."))


def refuse_slips(module: Any, name: str) -> None:
    """Check that no public name of a user's model file is almost a name that the engine uses.

    A function is compared with functions and a constant with constants. A name beside the one that it resembles is a
    helper of it. Imported names and names that begin with an underscore are not compared.

    Raises
    ------
    ModelError
        With every such name and the intended one.
    """
    slips = list(_slips(module))
    if slips:
        problems = " and ".join(f"{kind} `{slip}`: expected `{meant}`" for kind, slip, meant in slips)
        first, meant = slips[0][1:]
        advice = _(
            "Rename `{first}` to `{meant}`; if it is a helper of your own, call it `_{first}`.",
            first=first,
            meant=meant,
        )
        raise ModelError(_("The model {name} has a {problems}.", name=name, problems=problems), advice)


def _slips(module: Any) -> Iterator[tuple[str, str, str]]:
    """Yield kind, name, and the intended name of each slip."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    functions = {name for name, value in public.items() if _is_function(value, module.__name__)}
    constants = {name for name, value in public.items() if not callable(value) and not isinstance(value, ModuleType)}
    # If one kind of model is present, names of the other kind are not compared.
    program = any(name in public for name in PROGRAM[:3])
    wanted = CALCULATION if "calculate" in public else PROGRAM if program else (*CALCULATION, *PROGRAM)
    for kind, names, known in (("function", functions, wanted), ("constant", constants, DISTINCTIVE)):
        absent = {one.casefold(): one for one in known if one not in public}
        for name in sorted(names - set(known)):
            if near := difflib.get_close_matches(name.casefold(), absent, 1, NEAR):
                yield kind, name, absent[near[0]]


def _is_function(value: Any, module: str) -> bool:
    return callable(value) and not isinstance(value, type) and getattr(value, "__module__", None) == module
