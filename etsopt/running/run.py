"""From an instance and the name of a model to checked results."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.checking import Answer, Question, Verdict, judge
from etsopt.checking.theorem import THEOREMS, default_gap
from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.progress import unlimited, watched
from etsopt.data.instance import Instance
from etsopt.modelling import CalculationModel
from etsopt.modelling.solving.options import SolveOptions
from etsopt.rules import as_given, parameters_of, plugins
from etsopt.rules.bands import moved_by_bands
from etsopt.running import library, own_program
from etsopt.running.policy_reads import covered, ignored_keys, keys_read, reads_years
from etsopt.running.provenance import name_of
from etsopt.running.results.claims import (
    accepted_gap,
    check_claims,
    check_instance,
    is_checked,
    is_stopped,
    violations_of,
)
from etsopt.running.solve_model import solve_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etsopt.common.provenance import BandMove, OwnRule
    from etsopt.modelling import Model
    from etsopt.running.results.results import Results


LOGGER = logging.getLogger("etsopt")


def require_instance(instance: Any) -> None:
    """Require an instance, of which a name or path is none.

    Raises
    ------
    UsageError
        If it is something else.
    """
    if not isinstance(instance, Instance):
        raise UsageError(
            _("An instance is needed, not {instance!r}.", instance=instance),
            _("Read one: etsopt.solve(etsopt.read('tiny'))."),
        )


def solve(
    instance: Instance,
    model: str | Path = "allocation",
    *,
    time_limit_s: float | None = None,
    gap: float | None = None,
    seed: int = 0,
    method: str | None = None,
    solver_options: Mapping[str, bool | int | float | str] | None = None,
    mps: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Results:
    """Solve a model on an instance and check the answer.

    Parameters
    ----------
    instance
        What `read` or `Instance.from_frames` returns.
    model
        Name of a model of the library, or path of a model file.
    time_limit_s
        Seconds for the whole solve; at its end the best answer so far is returned with its bound.
    gap
        Relative gap at which a mixed-integer program may stop; None leaves it to the model.
    seed
        Seed of the solver's random choices.
    method
        ``direct``, ``aggregation``, ``decomposition`` or ``pyomo``; None chooses the quickest at this size.
    solver_options
        Options of HiGHS by name.
    mps
        File to which the program of the first objective is written in MPS format.
    progress
        Function that receives a line on the current step, such as ``print``. The logger ``etsopt`` gets each line too,
        at the level DEBUG, and the end of every solve at INFO.

    Returns
    -------
    Results
        Certified or not; results of an infeasible instance state the infeasibility in tonnes.

    Raises
    ------
    DataError, UsageError, ModelError
        If the instance, an option or the model is wrong.
    SolverError
        If the program is refused.
    """
    require_instance(instance)
    model = os.fspath(model)
    options: dict[str, Any] = {"time_limit_s": time_limit_s, "gap": gap, "seed": seed, "method": method, "mps": mps}
    options |= {"solver_options": dict(solver_options or {}), "progress": progress}
    given, found = SolveOptions(**options), library.choose(model)
    instance, about = adapted_to(found, instance)
    with watched(given.time_limit_s, given.progress):
        results = solve_model(found, instance, model, given)
    results = as_checked(found, instance, results, about)
    seconds = sum(results.provenance.seconds.values())
    LOGGER.info("%s, %s: %s, %.2f s", instance.name, results.provenance.model, results.status, seconds)
    return results


class Adaptation(NamedTuple):
    """What results say of an instance as a model takes it: keys that are ignored, and its own rule."""

    ignored: list[str]
    own_rule: OwnRule | None


def adapted_to(model: Model, instance: Instance) -> tuple[Instance, Adaptation]:
    """Return an instance as a model takes it, and what results say of its rule and of the keys that are ignored.

    Raises
    ------
    DataError
        If a parameter of the rule is wrong, or a key that the model does not read was changed for it.
    """
    # A wrong parameter of the rule is reported before anything reads it.
    parameters_of(instance)
    given = as_given(instance, reads_years(model))
    return given, Adaptation(ignored_keys(model, given), plugins.about(instance))


def _moved_by_bands(model: Model, instance: Instance) -> list[BandMove] | None:
    """Return what results state of references that bands move; None if the model reads no band, or only shows it."""
    read = None if isinstance(model, CalculationModel) else keys_read(model)
    return moved_by_bands(instance) or None if read and covered("sectors.any.band", read) else None


def as_checked(model: Model, instance: Instance, results: Results, adaptation: Adaptation | None = None) -> Results:
    """Return the results with all that they say of themselves, checked once more if they are not proven.

    Parameters
    ----------
    instance, adaptation
        What `adapted_to` returns; None of an instance that was taken before.
    """
    about = results.provenance
    about.instance_hash = instance.hash
    about.moved_by_band = _moved_by_bands(model, instance)
    if adaptation is not None:
        about.ignored, about.own_rule = adaptation
    return _checked_again(instance, replace(results, held=instance))


def _checked_again(instance: Instance, results: Results) -> Results:
    """Return the results, refused if their own check refuses what they claim without a proof."""
    if results.certified or results.status in ("none", "refused") or not is_checked(results):
        return results
    with unlimited():
        verdict = check(instance, results)
    if not verdict.violations:
        return results
    return replace(results, status="refused", violations=violations_of(verdict))


def check(instance: Instance, results: Results, gap: float | None = None, model: str | Path | None = None) -> Verdict:
    """Check results against their instance, and their claims against the verdict, without solver or model.

    Parameters
    ----------
    gap
        Largest relative gap that proves an objective of whole plans, whole tonnes or exceptions; default 1e-4, of plans
        of reviews 1e-3. If the results asked for less, that counts.
    model
        Name of the model whose theorem is to be proven, or file of the user's own, whose program is compiled and proven
        again; default the name that the results claim. A file that results name is never run.

    Raises
    ------
    UsageError
        If the checker has no theorem of the model that is asked for, or the gap is no fraction.
    """
    SolveOptions(gap=gap)
    named = None if model is None else os.fspath(model)
    is_file = named is not None and library.is_file(named)
    if named is not None and not is_file and named not in THEOREMS:
        what = _("There is no theorem of the model {model!r}.", model=named)
        advice = _("The checker proves {known}, and programs of model files.", known=", ".join(THEOREMS))
        raise UsageError(what, advice)
    asked = named or results.provenance.model
    known = is_file or asked in THEOREMS
    instance = as_given(instance, reads_years(library.load(asked)) if known else True)
    other = check_instance(instance, results)
    accepted = min(accepted_gap(results), default_gap(asked) if gap is None else gap)
    if is_file:
        verdict = own_program.check_again(library.load(asked), name_of(asked), instance, results, accepted)
    elif asked not in THEOREMS:
        verdict = Verdict((), ())
    else:
        answer = Answer(results.tables, results.levels, is_stopped(results))
        verdict = judge(Question(instance, asked, accepted), answer)
        if not is_checked(results):
            # What a model of the user's own claims is no claim on the theorem that the reader asks for.
            return replace(verdict, violations=(*other, *verdict.violations))
    claims = check_claims(instance, results, verdict)
    return replace(verdict, violations=(*other, *verdict.violations, *claims))
