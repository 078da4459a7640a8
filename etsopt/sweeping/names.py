"""Names that nothing has, told before the first solve: a model, keys of the policy, tables, columns and sectors.

A value out of its range is an error of its scenario alone; a misspelt name would be one of every scenario.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from etsopt.data.messages import did_you_mean
from etsopt.data.policy.keys import english_path, nested
from etsopt.data.policy.parsing import parse_policy
from etsopt.errors import DataError, Problem, UsageError, brief
from etsopt.language import _
from etsopt.rules import parameters_of
from etsopt.running import library
from etsopt.sweeping.scenario import Scenario, is_column, problem_of_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from etsopt.data.instance import Instance


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
        yield from _named(error.problems, place)


def _named(problems: Iterable[Problem], place: str) -> Iterator[Problem]:
    """Yield those of some problems that are of names."""
    for one in problems:
        if one.code in ("unknown_key", "unknown_name"):
            yield replace(one, place=place)


def check_names(instance: Instance, scenarios: Sequence[Scenario], place: str, what: str = _("The sweep")) -> None:
    """Refuse scenarios that name a column which the instance does not have, or a parameter which its rule does not.

    Parameters
    ----------
    instance
        The instance that scenarios change.
    scenarios
        Their changes and factors; values are not looked at.
    place, what
        File that states them, and what it is.

    Raises
    ------
    DataError
        With every such name.
    """
    columns = dict.fromkeys(key for one in scenarios for key in one.factors)
    parameters = {key: value for one in scenarios for key, value in one.changes.items() if key.startswith("rule.")}
    if any({"rule", "rule.name"} & {*one.changes} for one in scenarios):
        # Each rule has parameters of its own, so that they are known in its scenario alone.
        parameters = {}
    each = [
        *(Scenario("", {}, {key: 1.0}) for key in columns),
        *(Scenario("", {key: one}) for key, one in parameters.items()),
    ]
    problems = [problem for one in each for problem in _of_scenario(instance, one, place)]
    if problems:
        raise DataError(what, problems)


def _of_scenario(instance: Instance, scenario: Scenario, place: str) -> Iterator[Problem]:
    """Yield what a scenario with one key names in vain."""
    try:
        parameters_of(scenario.of(instance))
    except DataError as error:
        # A factor of one has no value that could be wrong.
        found = _named(error.problems, place) if scenario.changes else error.problems
        yield from (Problem(place, one.what, one.advice, one.column) for one in found)
