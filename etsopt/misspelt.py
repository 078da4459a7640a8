"""Names in a model file that are nearly those of the protocol: the engine would pass over them without a word."""

from __future__ import annotations

import difflib
from types import ModuleType
from typing import TYPE_CHECKING, Any

from etsopt.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

OF_PROGRAM = (
    *("formulate", "parameters", "tables", "levels", "afterwards", "prepare", "explain", "is_divisible", "answer"),
)
OF_CALCULATION = ("calculate",)
CONSTANTS = ("CHECKED_AS", "STARTS_FROM", "GAP", "SETTLES")

NEAR = 0.83
"""Similarity by difflib, upper and lower case alike, from which on a name is taken for a slip.

A letter too many, one too few, or two that changed places lie at 0.83 (``levles``) to 0.95 (``afterward``). Below lie
names of helpers that only share a stem, ``levels_of`` and ``calculation`` (0.80) or ``params`` (0.75), ``label`` for
``levels`` (0.55), and constants of the trade such as ``CAP`` and ``GAS`` for ``GAP`` (0.67).
"""


def check(module: Any, name: str) -> None:
    """See that no public name of a user's model file is nearly one of the protocol.

    A function is compared with functions and a constant with constants. A name beside the one that it is near to is a
    helper of it, and imported names are not looked at. Nor are names that begin with an underscore.

    Raises
    ------
    ModelError
        With every such name and the one that was meant.
    """
    slips = list(_slips(module))
    if slips:
        found = " and ".join(f"{kind} `{own}`, where `{meant}` is looked for" for kind, own, meant in slips)
        first, meant = slips[0][1:]
        advice = f"Rename `{first}` to `{meant}`; if it is a helper of your own, call it `_{first}`."
        raise ModelError(f"The model {name} has a {found}.", advice)


def _slips(module: Any) -> Iterator[tuple[str, str, str]]:
    """Kind, name, and the name that was meant."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    functions = {name for name, value in public.items() if _is_function(value, module.__name__)}
    constants = {name for name, value in public.items() if not callable(value) and not isinstance(value, ModuleType)}
    # The other kind of model is not looked for where one is there.
    program = any(name in public for name in OF_PROGRAM[:3])
    wanted = OF_CALCULATION if "calculate" in public else OF_PROGRAM if program else (*OF_CALCULATION, *OF_PROGRAM)
    for kind, names, known in (("function", functions, wanted), ("constant", constants, CONSTANTS)):
        absent = {one.casefold(): one for one in known if one not in public}
        for name in sorted(names - set(known)):
            if near := difflib.get_close_matches(name.casefold(), absent, 1, NEAR):
                yield kind, name, absent[near[0]]


def _is_function(value: Any, module: str) -> bool:
    return callable(value) and not isinstance(value, type) and getattr(value, "__module__", None) == module
