"""Solve an allocation at points of a box of policies, and prove what is said of all between."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from etsopt.checking.allocation.policy_box import PolicyBox
from etsopt.checking.allocation.segments import Segment, SegmentVerdict, certify, infeasible_by_t
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.theorem import INFEASIBLE
from etsopt.common.errors import StoppedError, UsageError
from etsopt.common.language import _, chain
from etsopt.modelling import ProgramModel
from etsopt.modelling.solving.options import SolveOptions
from etsopt.modelling.solving.solution import STOPPED, Level, Solution, Termination
from etsopt.rules import as_given, reference_allowances
from etsopt.running import library, methods, model_inputs
from etsopt.running.compiling import CompiledModels
from etsopt.running.policy_reads import reads_years
from etsopt.running.provenance import StageTimes, provenance
from etsopt.running.run import as_checked, solve
from etsopt.running.solve_task import SolveTask
from etsopt.studies.curves.axes import corners, instance_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results
    from etsopt.studies.curves.axes import Axis

    Array = NDArray[np.float64]

MODEL = "allocation"
"""The model whose answers are curves."""


class Affine(Protocol):
    """Numbers at a point of the box, with their slopes along its axes."""

    value: Array
    slope: Array

    def at(self, step: Array) -> Array:
        """Return the numbers a step away from the point."""


class Region(Protocol):
    """A piece of the answer around a point: `etsopt_models._curve.Region`."""

    point: Array
    answer: Affine
    prices: Affine
    duals: Mapping[str, Array]
    weights: Array

    def holds(self, point: Array, tolerance: float = 0.0) -> bool:
        """Return True if a point is in the region."""

    def steps(self, direction: Array) -> tuple[float, float]:
        """Return how far the region reaches against and along a direction."""


class CurveSolver:
    """What answers at points of a box, and certifies segments between them.

    Parameters
    ----------
    instance, axes
        The instance, and the keys that move.

    Raises
    ------
    DataError, UsageError
        If a key or value is wrong, or a limit bends.
    """

    def __init__(self, instance: Instance, axes: Sequence[Axis]) -> None:
        self.instance, self.axes = instance, tuple(axes)
        self.model = library.choose(MODEL)
        assert isinstance(self.model, ProgramModel)
        self.given = [as_given(one, reads_years(self.model)) for one in corners(instance, self.axes)]
        self.reference = reference_allowances(self.given[0])
        origin, *others = map(InstanceInputs.of, self.given)
        self.box = PolicyBox.of(origin, others, self.reference.reference_t)
        if reasons := list(dict.fromkeys(self.box.bends())):
            what = _("No curve can be certified: {reasons}.", reasons=chain(reasons, _("{first}; {second}")))
            raise UsageError(
                what, _("Vary a limit that moves in a straight line, or solve single values: etsopt sweep.")
            )
        if not self.box.free.any():
            what = _("No curve is there: no unit of {name} is adjustable.", name=instance.name)
            raise UsageError(what, _("Every unit gets what the rule says, whatever the limits."))
        self.parametric = library.curve_of(MODEL)(self.given)
        # The checker's row of each row of the model.
        index = {pair: place for place, pair in enumerate(zip(self.rows.rule, self.rows.index, strict=True))}
        self.row_of = np.array([index[name] for name in self.parametric.names], dtype=np.int64)
        self.solves = 0

    @property
    def rows(self) -> Any:
        """Rows of the checker."""
        return self.box.demands[0].rows

    @cached_property
    def _task(self) -> SolveTask:
        """The task that minimises the objectives; programs are kept, of which only numbers are renewed."""
        assert isinstance(self.model, ProgramModel)
        options = model_inputs.with_own_options(self.model, SolveOptions())
        method = methods.choose(MODEL, self.given[0], options)
        if method.name != "pyomo":
            method = replace(method, build=CompiledModels())
        times = StageTimes()
        about = provenance(self.given[0], MODEL, options, method, times.seconds)
        prepared = model_inputs.prepared_for(self.model, self.given[0], options, method, {})
        return SolveTask(self.model, MODEL, self.given[0], options, method, about, times, prepared)

    def region(self, point: Array) -> Region | None:
        """Solve at a point: return the region around it, None where its multipliers are degenerate.

        Raises
        ------
        InfeasibleError
            If no allocation exists there.
        StoppedError
            At the deadline.
        """
        self.solves += 1
        solution = self._task.minimise_all(self.parametric.given(point))
        if solution.termination in STOPPED:
            raise StoppedError(solution.termination)
        if solution.termination is Termination.INFEASIBLE:
            raise InfeasibleError
        if [level.name for level in solution.levels] != [*self.box.names]:
            # The solver failed; another point may do.
            return None
        region: Region | None = self.parametric.region(point, solution)
        return region

    def results(self, point: Array) -> Results:
        """Solve and check at a point, with all tables."""
        self.solves += 1
        return solve(instance_at(self.instance, self.axes, point), MODEL)

    def results_of(self, region: Region, point: Array) -> Results:
        """Return the answer of a region at a point with all tables, checked as those of a solve are."""
        instance = as_given(instance_at(self.instance, self.axes, point), reads_years(self.model))
        step, times = point - region.point, StageTimes()
        prices = {**region.duals, "least_squares": region.prices.at(step)}
        levels = []
        for bound in self.certified(region, (point, point)).levels:
            multipliers = self.parametric.multipliers(prices[bound.name])
            if bound.name == "largest_change":
                multipliers["largest_change_covers"] = -region.weights
            value = bound.values[0]
            levels.append(Level(bound.name, bound.unit, value, value, bound.tolerance, multipliers, "piece of a curve"))
        values = {"allowance": region.answer.at(step), "exceptional": np.zeros(0)}
        solution = Solution(Termination.OPTIMAL, values, tuple(levels))
        about = provenance(instance, MODEL, self._task.options, self._task.method, times.seconds)
        task = replace(self._task, instance=instance, about=about, times=times)
        return as_checked(self.model, instance, task.checked(solution))

    def missing(self, point: Array) -> Array | None:
        """Return duals of the checker's rows that prove that no allocation exists at a point; None without a proof."""
        tables = self.results(point).tables
        if "duals" not in tables:
            return None
        duals = tables["duals"]
        of_rows: Array = self.rows.duals_of(duals[duals["level"] == INFEASIBLE])
        return of_rows

    def infeasible_by_t(self, points: Sequence[Array] | Sequence[float], dual: Array) -> float:
        """Return the tonnes that are missed everywhere between points, or places of a line, as duals prove it."""
        return infeasible_by_t(self.box, np.reshape(points, (len(points), -1)), dual)

    def allowances(self, region: Region, points: Sequence[Array]) -> Array:
        """Return the allowances of all units at points, shape ``(points, units)`` [t].

        Fixed ones get what the rule says.
        """
        found = np.tile(self.reference.reference_t, (len(points), 1))
        found[:, self.box.free] = [region.answer.at(point - region.point) for point in points]
        return found

    def claim(self, region: Region, points: Sequence[Array]) -> Segment:
        """Return what a region claims of a segment between two points."""
        duals: dict[str, Array] = {}
        for name, stated in region.duals.items():
            duals[name] = np.zeros(len(self.rows))
            duals[name][self.row_of] = stated
        duals["least_squares"] = np.zeros((2, len(self.rows)))
        duals["least_squares"][:, self.row_of] = [region.prices.at(point - region.point) for point in points]
        weights = np.zeros(len(self.box.free))
        weights[self.box.free] = region.weights
        return Segment(np.stack(points), self.allowances(region, points), duals, weights)

    def certified(self, region: Region, points: Sequence[Array]) -> SegmentVerdict:
        """Certify a region on a segment between two points."""
        return certify(self.box, self.claim(region, points))


class InfeasibleError(Exception):
    """No allocation exists at a point."""
