"""The engine of sweeps: it solves one scenario after the other, and keeps the programs that are compiled for them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.common.clock import stopwatch
from etsopt.common.errors import EtsoptError, StoppedError, UsageError
from etsopt.common.language import Translated, _, in_both
from etsopt.common.progress import checkpoint, watched
from etsopt.modelling import ProgramModel
from etsopt.modelling.solving.options import SolveOptions
from etsopt.running import library
from etsopt.running.compiling import CompiledModels
from etsopt.running.results.results import LevelResult, Results
from etsopt.running.run import adapted_to, as_checked
from etsopt.running.solve_model import solution_of
from etsopt.studies.sweeping.outcome import UNCHECKED, Outcome, message_of, numbers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.modelling import Model
    from etsopt.running.solve_model import Solved
    from etsopt.studies.sweeping.scenario import Planned, Scenario

    Floats = NDArray[np.float64]
    Numbered = tuple[int, Scenario]


CLAIMED = ("sectors", "provinces")
"""Tables that a model states with its claim."""

WHOLE_EVERY = 100
"""Of so many scenarios one is solved with all tables, which are checked as those of a solve are."""


@dataclass(frozen=True)
class Engine:
    """What solves the scenarios of a sweep in one process, with all that they share.

    Parameters
    ----------
    instance
        The instance that scenarios change.
    model, options
        Name of the model, or path of a model file, and the options of each solve.
    tables
        Tables whose numbers are kept, or ``table.column`` for those of one column; None for the totals.
    answers
        Keep the answer of every unit, if the model states one.
    checked
        Make the tables of every answer and check them; without that only the objectives are known.
    """

    instance: Instance
    model: str
    options: SolveOptions
    tables: tuple[str, ...] | None = None
    answers: bool = False
    checked: bool = True

    @classmethod
    def of(cls, plan: Planned, instance: Instance, answers: bool = False, checked: bool = True) -> Engine:
        """Return the engine of a plan.

        Raises
        ------
        UsageError
            If an option is wrong, or tables are named and no answer is checked.
        """
        if plan.tables is not None and not checked:
            what = _("Tables are kept of answers that are checked.")
            raise UsageError(what, _("Leave `tables` out, or `checked=False`."))
        return cls(instance, plan.model, SolveOptions(**plan.options), plan.tables, answers, checked)

    @cached_property
    def loaded_model(self) -> Model:
        """The model, loaded once in each process."""
        return library.choose(self.model)

    @cached_property
    def programs(self) -> CompiledModels:
        """Programs that scenarios have in common, of which only numbers are renewed."""
        return CompiledModels()

    @cached_property
    def readings(self) -> InstanceInputs:
        """The instance as the checker reads it: its units once for all scenarios that change no table."""
        return InstanceInputs.of(self.instance)

    @cached_property
    def answer(self) -> Callable[..., Floats] | None:
        """The function that states the answer of every unit, if it is asked for and the model has one."""
        model = self.loaded_model
        return model.answer if self.answers and isinstance(model, ProgramModel) else None

    @cached_property
    def totals_suffice(self) -> bool:
        """True if the tables of totals that a claim states have all numbers that are kept."""
        return all(name.partition(".")[0] in CLAIMED for name in self.tables or ())

    def outcome(self, number: int, scenario: Scenario) -> Outcome:
        """Solve a scenario; an error of its data is its outcome, and no error of the sweep.

        Raises
        ------
        StoppedError
            If a stop was requested meanwhile: there is no outcome.
        """
        passed = stopwatch()
        try:
            whole = not self.totals_suffice or number % WHOLE_EVERY == 0
            results, answer = self.solved(scenario.of(self.instance), whole)
            values, message = numbers_of(results, self.tables), message_of(results, self.tables)
        except StoppedError:
            raise
        except Exception as error:
            # One scenario must not end a sweep of thousands, whatever went wrong in it.
            said = error if isinstance(error, EtsoptError) else f"{type(error).__name__}: {error}"
            return Outcome(number, "failed", "", False, passed(), Translated(in_both(said)), {})
        if results.termination == "interrupted":
            raise StoppedError("interrupted")
        ended = (results.status, results.termination, results.certified, passed())
        return Outcome(number, *ended, message, values, answer)

    def solved(self, instance: Instance, whole: bool) -> tuple[Results, Floats | None]:
        """Solve a changed instance by the programs that are kept: return its results, and the answer of every unit.

        If they need not be whole, a model may be checked from arrays, and its results have tables of totals alone. An
        answer has the shape ``(units,)``; there is none of a model that states none, without a solution, or if the
        checker refuses it.
        """
        model, options = self.loaded_model, self.options
        instance, about = adapted_to(model, instance)
        answer = None
        with watched(options.time_limit_s):
            solved = solution_of(model, instance, self.model, options, self.programs)
            if isinstance(solved, Results):
                results = solved
            else:
                results = solved.results(None if whole else self.readings) if self.checked else unchecked(solved)
                if self.answer is not None and solved.solution.values:
                    answer = np.asarray(self.answer(instance, solved.solution), dtype=float)
        known = results.certified or results.status == UNCHECKED
        results = replace(results, held=instance) if known else as_checked(model, instance, results, about)
        return results, None if results.status == "refused" else answer

    def in_turn(self, scenarios: Sequence[Numbered]) -> Iterator[Outcome]:
        """Yield the outcome of each scenario, solved one after the other in this process.

        Raises
        ------
        StoppedError
            If a stop is requested.
        """
        for number, scenario in scenarios:
            checkpoint()
            yield self.outcome(number, scenario)


def unchecked(solved: Solved) -> Results:
    """Return the objectives of a solution as results without tables, which nothing has checked."""
    solution = solved.solution
    levels = tuple(
        LevelResult(one.name, one.value, one.bound, one.value - one.bound, one.unit, False, one.algorithm)
        for one in solution.levels
    )
    status = UNCHECKED if solution.values else "none"
    return Results({}, solution.termination.value, status, False, levels, None, solved.task.about)
