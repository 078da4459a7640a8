"""Find the least and the greatest allowance of one unit over allocations as good as the answer, or nearly; prove both.

The program is that of the allocation, with a row for each objective that is kept, and the allowance of the unit as its
objective. What the solver finds is a hint: the checker derives limits and objectives from the instance, and bounds the
allowance by the multipliers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.checking.allocation.claim import ArrayMultipliers
from etsopt.checking.allocation.near_optimal import NearOptimal
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.progress import is_over, tell
from etsopt.modelling import ProgramModel
from etsopt.modelling.program.program import Objective
from etsopt.modelling.solving.highs import Loaded
from etsopt.modelling.solving.options import SolveOptions
from etsopt.modelling.solving.solution import Level, Solution, Termination
from etsopt.presenting.explanation.named import unit_of
from etsopt.presenting.explanation.near_optimal import LEAST, NearOptimalRanges, Range
from etsopt.running import library, model_inputs
from etsopt.running.compiling import compiled_program
from etsopt.running.run import check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.modelling.program.program import Program
    from etsopt.modelling.solving.solution import Outcome
    from etsopt.running.results.results import Results

    Floats = NDArray[np.float64]

MODEL = "allocation"
"""The model whose answers have ranges."""

OWN = "allowance of the unit"
"""Name of the objective of a range in its program."""

UNITS_MAX = 20_000
"""Units up to which ranges are searched; six programs of so many take three seconds:
`docs/decisions/0128-ranges-of-a-unit.md`."""


def near_optimal(results: Results, unit_id: str, shares: Sequence[float]) -> NearOptimalRanges:
    """Return the least and the greatest allowance of a unit while an objective is within shares of its least value.

    The objective is ``change``, or the first of the policy if that does not name it.

    Parameters
    ----------
    unit_id
        Identifier or name of the unit, or of an enterprise that has no other.
    shares
        In rising order.

    Raises
    ------
    UsageError
        If the run is no proven allocation, has too many units, or nothing moves the unit.
    """
    instance = results.instance
    unit_id = unit_of(str(unit_id), instance.units, instance.enterprises)
    solved = [level.name for level in results.levels]
    named: list[str] = [name for name in instance.policy.allocation.objectives if name in solved]
    objective = "change" if "change" in named else named[0] if named else ""
    _refuse(results, objective)
    near = NearOptimal.of(
        InstanceInputs.of(instance), results.tables["allocation"], named[: named.index(objective) + 1]
    )
    unit = int(np.flatnonzero(instance.units["unit_id"] == unit_id)[0])
    if near.demands.fixed[unit]:
        what = _("Its allowances are set by the rule alone.")
        raise UsageError(what, _("Ask for a unit that the allocation may move."))
    search = _Search.of(results, near, objective, unit)
    ends = zip(shares, search.ends(1.0, shares), search.ends(-1.0, shares), strict=True)
    found = [Range(share, low.bound_t, high.bound_t, low.found_t, high.found_t) for share, low, high in ends]
    policy = instance.policy.allocation
    marks = bool(policy.exceptions.units), bool(policy.rounds)
    return NearOptimalRanges(unit_id, float(near.answer[unit]), objective, tuple(found), *marks)


def _refuse(results: Results, objective: str) -> None:
    """Raise if a run has no ranges within shares of an objective."""
    if results.provenance.model != MODEL or not objective or "duals" not in results.tables:
        what = _("Only a run of the model allocation with an objective has allocations that are just as good.")
        raise UsageError(what, _("Solve it: etsopt solve INSTANCE --out run"))
    if (units := len(results.instance.units)) > UNITS_MAX:
        what = _("The run has {units:,} units: ranges are searched up to {most:,}.", units=units, most=UNITS_MAX)
        raise UsageError(what, _("Take an instance of fewer units, such as those of a sector."))
    verdict = check(results.instance, results)
    if verdict.violations:
        raise UsageError(_("The run does not pass its check."), _("Solve it again; `etsopt check` lists what fails."))
    if not any(level.name == objective and level.certified for level in verdict.levels):
        what = _("It is not proven that the run has {optimum}.", optimum=LEAST[objective])
        raise UsageError(what, _("Solve again, with more time or a smaller gap."))


class _End(NamedTuple):
    """A proven bound of the allowance of the unit, and the nearest that an allocation was found to give [t]."""

    bound_t: float
    found_t: float


@dataclass(frozen=True)
class _Search:
    """The program of one unit.

    Parameters
    ----------
    program
        That of the allocation with real allowances and its exceptions, and rows that keep the earlier objectives.
    place
        Place of the unit among the adjustable ones.
    """

    instance: Instance
    near: NearOptimal
    objective: str
    program: Program
    place: int

    @classmethod
    def of(cls, results: Results, near: NearOptimal, objective: str, unit: int) -> _Search:
        """Compile the program."""
        instance, model = results.instance, library.choose(MODEL)
        assert isinstance(model, ProgramModel)
        program = model_inputs.program_of(model, instance, compiled_program, model.parameters(instance)).relaxed()
        block, chosen = program.columns["exceptional"], np.zeros(len(program.column_lower))
        if block.stop > block.start:
            chosen[block] = results.tables["allocation"]["exceptional"].to_numpy(dtype=float)[near.free]
        program = program.fixed_at(("exceptional",), chosen)
        for name, most in near.sums.items():
            program = program if name == objective else program.limited(name, most)
        return cls(instance, near, objective, program, int(np.count_nonzero(near.free[:unit])))

    @property
    def column(self) -> int:
        """Position of the allowance of the unit among the columns."""
        return self.program.columns["allowance"].start + self.place

    def ends(self, sign: float, shares: Sequence[float]) -> Iterator[_End]:
        """Yield the least of the unit for each share, or with a negative sign the greatest."""
        cost = np.zeros(len(self.program.column_lower))
        cost[self.column] = sign
        loaded = None
        for share in shares:
            tell(_("ranges of the unit"))
            near = self.near.within(self.objective, share)
            program = self._within(near)
            if self.objective in near.sums:
                program = program.limited(self.objective, near.most[self.objective])
            program = replace(program, objectives={OWN: Objective(cost, None, 0.0, "t")})
            if loaded is None:
                loaded = Loaded(program, OWN, SolveOptions())
            else:
                loaded.change(program)
            yield self._end(near, sign, program, loaded.solve() if not is_over() else None)

    def _within(self, near: NearOptimal) -> Program:
        """Return the program with the bounds of the checker, of which a largest change is a part."""
        lower, upper = self.program.column_lower.copy(), self.program.column_upper.copy()
        block = self.program.columns["allowance"]
        lower[block], upper[block] = near.bounds.lower, near.bounds.upper
        return replace(self.program, column_lower=lower, column_upper=upper)

    def _end(self, near: NearOptimal, sign: float, program: Program, outcome: Outcome | None) -> _End:
        """Return what is proven of an end, and what an allocation gives."""
        answer = float(near.bounds.answer[self.place])
        if outcome is None or outcome.x is None or outcome.multipliers is None:
            end = near.bounds.lower if sign > 0 else near.bounds.upper
            return _End(float(end[self.place]), answer)
        free = outcome.x[program.columns["allowance"]]
        bound = near.bound(self.place, sign, near.of_all(free), *self._multipliers(near, program, outcome.multipliers))
        if near.demands.integer:
            free = self._whole(near, bound, free)
        if not near.holds(near.of_all(free)):
            return _End(bound, answer)
        return _End(bound, sign * min(sign * float(free[self.place]), sign * answer))

    def _multipliers(self, near: NearOptimal, program: Program, multipliers: Floats) -> tuple[Floats, dict[str, float]]:
        """Return the duals of the checker's rows, and the multipliers of the objectives that are kept."""
        own = {name: multipliers[block] for name, block in program.rows.items()}
        kept = {name: -float(own[f"{name}_stays_optimal"][0]) for name in near.sums}
        level = Level(OWN, "t", 0.0, 0.0, 0.0, own, "")
        answer = {"allowance": near.bounds.answer, "exceptional": np.zeros(0)}
        model = library.choose(MODEL)
        assert isinstance(model, ProgramModel)
        assert model.claim is not None
        stated = model.claim(self.instance, Solution(Termination.OPTIMAL, answer, (level,)))
        claimed = ArrayMultipliers(*(stated[name] for name in ("rows", "duals", "weights")))
        return claimed.read(near.demands.rows, [OWN])[0].duals[OWN], kept

    def _whole(self, near: NearOptimal, bound: float, free: Floats) -> Floats:
        """Return whole tonnes with the unit at a bound: without the row of the objective the vertices are whole."""
        if self.objective in near.sums:
            program = self._within(near)
            program.column_lower[self.column] = program.column_upper[self.column] = bound
            outcome = Loaded(program, self.objective, SolveOptions()).solve()
            free = free if outcome.x is None else outcome.x[program.columns["allowance"]]
        return np.round(free)
