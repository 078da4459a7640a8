"""Names that nothing has, told before the first solve: a model, keys of the policy, tables, columns and sectors.

A value out of its range is an error of its scenario alone; a misspelt name would be one of every scenario.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import DataError, EtsoptError, Problem, UsageError, brief
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean
from etsopt.data.policy.keys import english_path, nested
from etsopt.data.policy.parsing import parse_policy
from etsopt.data.policy.plausibility import doubtful_values
from etsopt.running import library
from etsopt.running.run import adapted_to
from etsopt.studies.sweeping.scenario import Scenario, is_column, problem_of_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.data.instance import Instance

NAMED = ("unknown_key", "unknown_name")
"""Codes of problems of names."""


def unknown_names(model: Any, changes: Mapping[str, Any], place: str) -> Iterator[Problem]:
    """Yield names that nothing has, as far as they are known without an instance.

    Parameters
    ----------
    model
        Name of a model, or path of a model file.
    changes
        A value for each key of the policy or column that some scenario changes.
    place
        File that states them.

    Raises
    ------
    ModelError
        If the model is a file without the functions that a model needs.
    """
    if isinstance(model, str):
        yield from _of_model(model, place)
    for key, value in changes.items():
        if not is_column(key):
            yield from _of_policy(key, value, place)
        elif problem := problem_of_column(key, place):
            yield problem


def _of_model(model: str, place: str) -> Iterator[Problem]:
    try:
        library.choose(model)
    except UsageError as error:
        known = [*(name for name in library.names() if not library.explains(name)), *library.installed()]
        advice = _("{guess}{advice}", guess=did_you_mean(model, known), advice=error.advice)
        yield Problem(place, _("{name} is no model that is solved by itself", name=brief(model)), advice, "model")


def _of_policy(key: str, value: Any, place: str) -> Iterator[Problem]:
    """Yield unknown names among a key of the policy and those of its value, by the schema of the policy."""
    content = nested({".".join(english_path(key.split("."))): value})
    try:
        parse_policy(content, place)
    except DataError as error:
        yield from (replace(one, place=place) for one in error.problems if one.code in NAMED)


def doubts_of(instance: Instance, scenarios: Sequence[Scenario]) -> list[str]:
    """Return a sentence on each value of a policy that is probably a slip of its unit of measure."""
    changes = ({".".join(english_path(key.split("."))): one for key, one in each.changes.items()} for each in scenarios)
    policies = (instance.policy.content, *map(nested, changes))
    return list(dict.fromkeys(text for policy in policies for text in doubtful_values(policy)))


def check_names(
    instance: Instance, model: str, scenarios: Sequence[Scenario], place: str, what: str = _("The sweep")
) -> None:
    """Refuse scenarios with names that the instance, its rule or the model does not have or read.

    Parameters
    ----------
    instance, model
        The instance that scenarios change, and the name of the model that is solved on it.
    scenarios
        Their changes and factors; what is wrong with a value is left to its scenario.
    place, what
        File that states them, and what it is.

    Raises
    ------
    DataError
        With every column that the instance does not have, every parameter that the rule does not, and every key that
        the model does not read.
    """
    found, tried, problems = library.choose(model), set[str](), list[Problem]()
    for key in dict.fromkeys(key for one in scenarios for key in one.factors):
        try:
            # A factor of one has no value that could be wrong.
            Scenario("", {}, {key: 1.0}).of(instance)
        except DataError as error:
            problems += error.problems
    for one in scenarios:
        # Keys are tried together, as they are stated, until some values of theirs are valid.
        if {*one.changes} <= tried:
            continue
        try:
            adapted_to(found, instance.with_policy(one.changes))
            tried |= {*one.changes}
        except EtsoptError as error:
            # What else is wrong is the outcome of this scenario.
            named = [problem for problem in getattr(error, "problems", ()) if problem.code in NAMED]
            problems += named
            tried |= {*one.changes} if named else set()
    if problems:
        distinct = {one.column: Problem(place, one.what, one.advice, one.column) for one in problems}
        raise DataError(what, [*distinct.values()])
