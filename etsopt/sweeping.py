"""One instance under many policies, where only the answer of every unit counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt import library, methods, preparing
from etsopt.data.groups import Groups
from etsopt.errors import UsageError
from etsopt.provenance import Clock
from etsopt.run import Step
from etsopt.solving.options import SolveOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from etsopt.data.instance import Instance
    from etsopt.stamp.program import Program
    from etsopt.stamp.stamped import Stamp


@dataclass(frozen=True)
class Sweep:
    """What becomes of the units under many policies.

    Parameters
    ----------
    answers
        One row a unit by its ``unit_id``, one column a policy by its number; absent where a policy has no solution.
    levels
        One row a policy and level: ``policy, level, value, unit``.
    terminations
        Why the solve of each policy stopped.
    """

    answers: pd.DataFrame
    levels: pd.DataFrame
    terminations: list[str]


def sweep(instance: Instance, changes: Iterable[Mapping[str, Any]], model: str = "allocation", **options: Any) -> Sweep:
    """Solve a model under many policies; each answer is the one of `etsopt.solve`, but nothing is checked.

    Parameters
    ----------
    changes
        Of the policy, each as `Instance.with_policy` takes them.
    model
        Name of a model that says what its answer is, as `allocation` does: its allowances.
    options
        As `etsopt.solve` takes them; a time limit counts for each policy by itself.

    Raises
    ------
    DataError, UsageError, ModelError, SolverError
        As `etsopt.solve` does; an infeasible policy is none.

    Examples
    --------
    >>> import etsopt
    >>> policies = [{"sectors.cement.target_t": target} for target in (557_200.0, 558_000.0)]
    >>> etsopt.sweep(etsopt.read("tiny"), policies).answers.round().T
    unit_id   north-1   north-2   south-1
    0        101500.0  297300.0  158400.0
    1        101500.0  297300.0  158400.0
    """
    found: Any = library.choose(model)
    if not hasattr(found, "answer"):
        raise UsageError(f"The model {model} does not say what its answer is.", "Solve it with etsopt.solve.")
    chosen = preparing.with_gap(found, SolveOptions(**options))
    kept, answers, levels, terminations = Stamps(), [], [], []
    for number, change in enumerate(changes):
        limited = instance.with_policy(change)
        method = methods.choose(model, limited, chosen)
        if method.name != "reference":
            method = replace(method, build=kept)
        solution = Step(found, model, limited, chosen, method, {}, Clock(), ()).levels(
            library.call(found, "parameters", limited)
        )
        nothing = np.full(len(instance.units), np.nan)
        answers.append(library.call(found, "answer", limited, solution) if solution.values else nothing)
        levels += [(number, level.name, level.value, level.unit) for level in solution.levels]
        terminations.append(solution.termination.value)
    table = pd.DataFrame(np.array(answers).T.reshape(len(instance.units), -1), index=instance.units["unit_id"])
    return Sweep(table, pd.DataFrame(levels, columns=["policy", "level", "value", "unit"]), terminations)


class Stamps:
    """Stamps a model on data; where only numbers differ from a program made before, what reads these is evaluated."""

    def __init__(self) -> None:
        self._stamps: dict[Any, Stamp] = {}

    def __call__(self, model: Any, parameters: dict[str, Any]) -> Program:
        """Program of a model on its data."""
        shape = tuple(np.shape(value) for value in parameters.values() if not isinstance(value, Groups))
        program = self._stamps[shape].renew(parameters) if shape in self._stamps else None
        if program is None:
            self._stamps[shape] = methods.stamp(model, parameters)
            program = self._stamps[shape].program
        return program
