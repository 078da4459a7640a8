"""A model as the engine takes it: the declaration of its file, with functions that name themselves if they fail."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial, update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from etsopt.common.errors import EtsoptError, ModelError, brief
from etsopt.common.language import _
from etsopt.common.modules import described
from etsopt.modelling import Model, ModelMethod, Prepared
from etsopt.modelling.compiler.mistakes import mistake_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt.modelling import OptimisedModel

RESULTS: dict[str, tuple[type, str, str]] = {
    **dict.fromkeys(("parameters", "tables", "calculate"), (dict, _("a dictionary"), _("Return its results by name."))),
    "prepare": (Prepared, "Prepared", _("Return Prepared(parameters) of etsopt.modelling.")),
}
"""Types of what functions of a model return, their words, and the remedy."""

ADVICE = _("Correct the file; called by etsopt.solve in Python, it shows the whole traceback.")

EXAMPLE = "MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)"

Declaration = TypeVar("Declaration", Model, ModelMethod)


def declared_in(module: ModuleType) -> Model:
    """Return the model that a module declares; its functions raise a `ModelError` that names them if they fail.

    Raises
    ------
    ModelError
        If the module declares none.
    """
    file = Path(module.__file__ or module.__name__).stem
    declared = getattr(module, "MODEL", None)
    if not isinstance(declared, Model):
        advice = _("Import ProgramModel from etsopt.modelling, and end the file with `{example}`.", example=EXAMPLE)
        raise ModelError(_("The model {name} has no declaration `MODEL`.", name=file), advice)
    name = declared.name or file
    return replace(guarded(declared, name), name=name)


def guarded(declared: Declaration, name: str) -> Declaration:
    """Return a declaration whose functions raise a `ModelError` with the name of the model if they fail."""
    stated = {one.name: getattr(declared, one.name) for one in fields(declared)}
    functions: dict[str, Any] = {
        key: update_wrapper(partial(_called, name, key, of), of) for key, of in stated.items() if callable(of)
    }
    return replace(declared, **functions)


def objectives_of(model: OptimisedModel, instance: Instance, declared: list[str] | None) -> list[str]:
    """Return the names of the objectives of a model in their order.

    Parameters
    ----------
    declared
        Names that its program has, in the order of declaration; None if no program is built.

    Raises
    ------
    ModelError
        If there is none, or one that the program does not declare.
    """
    names = list(model.objectives(instance) if model.objectives else declared or [])
    unknown = [] if declared is None else [name for name in names if name not in declared]
    twice = [name for name in names if names.count(name) > 1]
    if unknown or twice or not names:
        what = _("there is no objective")
        if twice:
            what = _("`objectives` names {twice!r} twice", twice=twice[0])
        elif unknown:
            what = _("there is no objective {names}", names=", ".join(map(repr, unknown)))
        advice = _("Declare it in `formulate`, which has {value}.", value=", ".join(declared or []) or "none")
        raise ModelError(_("The model {name} cannot be solved: {what}.", name=model.name, what=what), advice)
    return names


def _called(model: str, function: str, defined: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a model.

    Raises
    ------
    ModelError
        If it fails with another exception than an `EtsoptError`, or returns a wrong type.
    """
    try:
        result = defined(*arguments)
        result = list(result) if function == "objectives" else result
    except EtsoptError:
        raise
    except (Exception, SystemExit) as error:
        mistake = mistake_in(error) if function == "formulate" else ""
        cause = mistake or described(error, getattr(getattr(defined, "__code__", None), "co_filename", ""))
        remedy = _("Correct the model file.") if mistake else ADVICE
        what = _("{function} failed: {cause}", function=_of(model, function), cause=cause)
        raise ModelError(what, remedy) from error
    kind, wanted, advice = RESULTS.get(function, (object, "", ""))
    if not isinstance(result, kind):
        text, name = _("{function} returned {name}: expected {wanted}."), type(result).__name__
        raise ModelError(_(text, function=_of(model, function), name=name, wanted=wanted), advice)
    if function in ("tables", "calculate"):
        _check_tables(result, _of(model, function))
    return result


def _of(model: str, function: str) -> str:
    """Return the words for a function of a model."""
    return _("The function {function} of the model {model}", function=function, model=model)


def _check_tables(tables: Any, function: str) -> None:
    """Check that every table is a data frame with a name that a file can have."""
    import pandas as pd

    for table, content in tables.items():
        if not isinstance(content, pd.DataFrame):
            text, name = _("{function} returned {name} for {table!r}: expected a data frame."), type(content).__name__
            remedy = _("Return a pandas DataFrame for each name.")
            raise ModelError(_(text, function=function, name=name, table=table), remedy)
        if not isinstance(table, str) or not table.isprintable() or Path(table).name != table or table[:1] in ".~":
            text = _("{function} names a table {table!r}, which cannot be the name of a file.")
            remedy = _("Choose a name of letters, digits and underscores.")
            raise ModelError(_(text, function=function, table=table), remedy)
        for place, column in enumerate(content.columns):
            _check_cells(content.iloc[:, place], str(column), table, function)


def _check_cells(cells: pd.Series[Any], column: str, table: str, function: str) -> None:
    """Check that no cell is a list or another thing that a file can only hold as a text, which nobody reads again."""
    from pandas.api.types import infer_dtype, is_complex, is_scalar

    kind = infer_dtype(cells, skipna=True) if cells.dtype.kind in "Oc" else ""
    if not kind.startswith(("mixed", "complex")):
        return
    wrong = (row for row, cell in enumerate(cells) if not is_scalar(cell) or is_complex(cell))
    if (row := next(wrong, None)) is not None:
        text = _("{function} makes the cell {cell} in row {row} of the column {column!r} of the table {table!r}.")
        where = {"function": function, "row": row + 1, "column": column, "table": table}
        remedy = _("Make cells of texts, numbers, booleans or dates.")
        raise ModelError(_(text, cell=brief(cells.iloc[row]), **where), remedy)
