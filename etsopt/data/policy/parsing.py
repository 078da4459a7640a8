"""Policies read from plain values, the problems of theirs in terms of the policy file, and all of its sections."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import ValidationError

from etsopt.common.errors import PROBLEMS_SHOWN, DataError, Problem, brief
from etsopt.common.language import Text, _, chain
from etsopt.data.messages import did_you_mean
from etsopt.data.policy.allocation import of_allocation
from etsopt.data.policy.keys import value_of_text, with_english_keys
from etsopt.data.policy.plausibility import USUAL
from etsopt.data.policy.policy import Policy
from etsopt.data.policy.section import Section
from etsopt.data.policy.sectors import no_sector, problems_of_sectors
from etsopt.data.policy.toml import checked_content
from etsopt.data.tables.schema import SECTORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


ANY = "<name>"
"""Step of a path in place of a key that the user chooses, such as a sector."""


def _inside(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and everything that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _inside(part)


def sections_in(section: type[Section], path: str) -> Iterator[tuple[str, type[Section]]]:
    """Yield the path and the class of every section in a section, in the order of the fields."""
    for key, field in section.model_fields.items():
        parts = list(_inside(field.annotation))
        keyed = [inner for part in parts if get_origin(part) is dict for inner in _inside(part)]
        for part in parts:
            if isinstance(part, type) and issubclass(part, Section):
                path_of_key = f"{path}{key}.{ANY}" if part in keyed else f"{path}{key}"
                yield path_of_key, part
                yield from sections_in(part, f"{path_of_key}.")


SECTIONS: dict[str, type[Section]] = {"": Policy, **dict(sections_in(Policy, ""))}
"""Sections of the policy by their path."""


def section_at(path: str) -> type[Section] | None:
    """Return the class of the section at a dotted path, if there is one."""
    steps = path.split(".")
    for known, section in SECTIONS.items():
        parts = known.split(".")
        if len(parts) == len(steps) and all(part in (ANY, step) for part, step in zip(parts, steps, strict=True)):
            return section
    return None


NOT_A_KEY = re.compile(r"(function-|constrained-|dict\[|literal\[).*|\[key\]|float|int")
"""Pydantic's names of the forms of a value, which are among the keys of an error's location."""


def parse_policy(content: Mapping[str, Any], place: str = "policy.toml") -> Policy:
    """Turn the content of a policy file into a policy.

    Raises
    ------
    DataError
        Lists every key that is unknown, missing, of the wrong type or out of its range.
    """
    checked, problems = with_english_keys(checked_content(content, place), place), list[Problem]()
    try:
        policy = Policy.model_validate(checked)
    except ValidationError as error:
        problems = problems_of(error, place)
    problems += problems_of_sectors(checked, place, len(problems))
    if problems:
        raise DataError(_("The policy"), problems)
    return policy


ADVICE_FOR_TEXT = {
    "bool_type": _("Write true or false, without quotes."),
    "int_type": _("Write a whole number without quotes."),
    "float_type": _("Write a number without quotes, commas and units; 0.03 is 3 %."),
    **dict.fromkeys(("dict_type", "model_type"), _('Write a table and quote keys that are not plain: {"a b" = 1}.')),
}
"""Remedies for a text instead of another type; a value of ``--set`` that is not TOML is a text."""


def problems_of(error: ValidationError, place: str, prefix: str = "") -> list[Problem]:
    """Convert errors of pydantic to problems in terms of the policy file."""
    by_key: dict[str, list[Any]] = {}
    found = [(item, [str(step) for step in item["loc"]]) for item in error.errors(include_url=False)]
    # Where the value has both ends of an interval, the other form, by year, is not meant.
    ends = {tuple(loc[:place]) for _, loc in found for place, step in enumerate(loc) if "Interval" in step}
    for item, loc in found:
        if any("dict[" in step and tuple(loc[:place]) in ends for place, step in enumerate(loc)):
            continue
        steps = [prefix, *loc]
        key = ".".join(step for step in steps if step and not NOT_A_KEY.fullmatch(step))
        by_key.setdefault(key or "the file", []).append(item)
    # A validator of this package speaks of all below it, whose errors are those of a form that is not meant.
    judged = [f"{key}." for key, items in by_key.items() if any(item["type"] == "value_error" for item in items)]
    by_key = {key: items for key, items in by_key.items() if not key.startswith(tuple(judged))}
    above = {key[:point] for key in by_key for point in range(len(key)) if key[point] == "."}
    # Each form of a value reports an error of its own; the one at the deepest key describes the problem.
    reported = [
        (key, items) for key, items in by_key.items() if not (items[0]["type"].endswith("_type") and key in above)
    ]
    return [_problem_of_key(key, items, place, number < PROBLEMS_SHOWN) for number, (key, items) in enumerate(reported)]


def _problem_of_key(key: str, items: list[Any], place: str, guess: bool) -> Problem:
    """Combine the errors of a key, one for each form of its value, into a problem; guesses take time."""
    kind, stated = items[0]["type"], items[0]["input"]
    parent, _dot, name = key.rpartition(".")
    if kind == "extra_forbidden":
        section = section_at(parent)
        keys = list(section.model_fields) if section else []
        near = did_you_mean(name, keys) if guess else ""
        if not parent and (name in SECTORS or not near):
            near = _("Did you mean {name!r}? ", name="sectors." + name) if name in SECTORS else _elsewhere(name) or near
        advice = _("{guess}Use one of {keys}.", guess=near, keys=", ".join(keys)) if keys else _("Leave it out.")
        return Problem(place, _("is not a key of the policy"), advice, key, code="unknown_key")
    if kind == "missing":
        advice = _("Add the key; instances/README.md and `etsopt rules` list its values.")
        return Problem(place, _("is missing"), advice, key, code="missing")
    if kind == "literal_error" and items[0]["loc"][-1] == "[key]" and SECTORS[0] not in items[0]["ctx"]["expected"]:
        return Problem(
            place,
            _("{name} is not known", name=brief(name)),
            _("Use {expected}.", expected=items[0]["ctx"]["expected"]),
            key,
            code="unknown_name",
        )
    if kind == "literal_error" and items[0]["loc"][-1] == "[key]":
        return no_sector(name, place, key, guess)
    if custom := [item for item in items if item["type"] == "value_error"]:
        # The message of a validator of this package takes precedence over those of pydantic.
        what, advice = custom[0]["ctx"]["error"].args
        return Problem(place, what, advice, key)
    expected = chain(list(dict.fromkeys(map(_expected, items))), _("{first} or {second}"))
    what = _("is {stated}: expected {expected}", stated=brief(stated), expected=expected)
    remedy: str = _("Correct the value.")
    usual = next(filter(None, map(USUAL.get, reversed(key.split(".")))), None)
    if usual and usual.is_share and isinstance(stated, int | float):
        remedy = _("Correct the value: {meaning}.", meaning=usual.meaning)
    if isinstance(stated, str):
        remedy = ADVICE_FOR_TEXT.get(kind, remedy)
        if isinstance(share := value_of_text(stated), float):
            remedy = _("Write {share:g}, without quotes: a share is a fraction.", share=share)
    return Problem(place, what, remedy, key)


def _elsewhere(name: str) -> str:
    """Return a hint at the key of a name in a section, first in that of all sectors; empty if there is none.

    >>> str(_elsewhere("band")), str(_elsewhere("target_change")), _elsewhere("bend")
    ("Did you mean 'allocation.band'? ", "Did you mean 'sectors.cement.target_change'? ", '')
    """
    found = (f"{path}.{name}" for path, section in SECTIONS.items() if path and name in section.model_fields)
    first = next(found, "").replace(ANY, SECTORS[0])
    return of_allocation(name) or (_("Did you mean {name!r}? ", name=first) if first else "")


EXPECTED = {
    **dict.fromkeys(("dict_type", "model_type"), "a table"),
    **{"bool_type": _("a valid boolean"), "int_type": _("a valid integer"), "float_type": _("a valid number")},
    **{"string_type": _("a valid string"), "list_type": _("a valid list"), "finite_number": _("a finite number")},
    **{"greater_than": _("greater than {gt:g}"), "greater_than_equal": _("greater than or equal to {ge:g}")},
    **{"less_than": _("less than {lt:g}"), "less_than_equal": _("less than or equal to {le:g}")},
}
"""What pydantic expects of a value, by the type of its error."""


def _expected(item: Mapping[str, Any]) -> str:
    """Return what one form of a value expects, for a message."""
    stated = item["msg"].removeprefix("Input should be ")
    template = EXPECTED.get(item["type"])
    if template is None:
        return Text(stated)
    found = _(template, **item.get("ctx", {}))
    # Another wording of pydantic stays as it is.
    return found if found in (stated, "a table") else Text(stated)
