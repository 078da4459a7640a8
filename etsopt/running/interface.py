"""Types of what the engine and a model exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etsopt.data.groups import Groups
from etsopt.solving.solution import Level, Solution

if TYPE_CHECKING:
    from etsopt.data.instance import Instance

Arrays = dict[str, int | float | NDArray[np.generic] | Groups]
"""Sizes, numbers, arrays and groups by the name of the set or parameter that takes them."""

Tables = dict[str, pd.DataFrame]
"""Tables of a result, by name."""

Run = Callable[[Arrays, list[str]], Solution]
"""A function that solves a model's formulation with other parameters, for objectives in their order."""


class Prepare(Protocol):
    """A function of a model that needs more than its instance."""

    def __call__(
        self, instance: Instance, before: Mapping[str, pd.DataFrame], relax: Callable[[Arrays], Solution], /
    ) -> tuple[Arrays, *tuple[object, ...]]:
        """Return parameters, and notes that `MakeTables` and `Explain` take beside the rest."""


class Again(Protocol):
    """A function of a model whose answer changes what it was prepared from."""

    def __call__(
        self, instance: Instance, before: Mapping[str, pd.DataFrame], solution: Solution, /, *notes: object
    ) -> Tables | None:
        """Return the tables with which to prepare the model again; None if it is solved."""


class MakeTables(Protocol):
    """A function of a model that makes the tables of a result."""

    def __call__(self, instance: Instance, solution: Solution | Mapping[str, Solution], /, *notes: object) -> Tables:
        """Return the tables of a solution; of an elastic program, those of each way out."""


class Explain(Protocol):
    """A function of a model whose program may have no solution."""

    def __call__(self, instance: Instance, /, *notes: object) -> tuple[Tables, Level | None]:
        """Return tables that prove it, and the objective whose value is the least infeasibility."""
