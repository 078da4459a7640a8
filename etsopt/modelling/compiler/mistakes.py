"""Mistakes in a user's rules that fail in every build of a model, and their messages."""

from __future__ import annotations

import difflib
import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import ModelError
from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WRONG_CALL = re.compile(r"\(\) (?:missing \d+ required positional|takes \d+ positional) argument")
"""Python's message on a function, such as a rule, that is called with the wrong number of indices."""

LOGS = ("pyomo.core", "pyomo.core.expr.template_expr")
"""Loggers to which Pyomo writes errors before it raises them."""


class RuleError(ModelError):
    """A rule that is wrong in every build of the model."""


def mistake_in(error: BaseException) -> str:
    """Return the message of the user's mistake behind an error; empty if the cause may be another.

    Pyomo raises errors of its own over the informative one, so the first of the chain takes precedence.
    """
    chain: list[BaseException] = [error]
    while (before := chain[-1].__cause__ or chain[-1].__context__) is not None and before not in chain:
        chain.append(before)
    return next((message for one in reversed(chain) if (message := _message(one))), "")


def _message(error: BaseException) -> str:
    if isinstance(error, ZeroDivisionError):
        return _("it divides by zero.")
    if isinstance(error, TypeError) and WRONG_CALL.search(str(error)):
        return f"{error}."
    name = str(getattr(error, "name", None) or "")
    if isinstance(error, NameError) and name:
        return _("the name `{name}` is not defined.", name=name)
    if not isinstance(error, AttributeError) or not name or name.startswith("_"):
        return ""
    owner: Any = getattr(error, "obj", None)
    if hasattr(owner, "component_map"):
        guess = _nearest(name, map(str, owner.component_map()))
        return _("the model has no component `{name}`{guess}", name=name, guess=guess)
    if type(owner).__name__ == "module":
        text = _("the module {module} has no `{name}`{guess}")
        return _(text, module=owner.__name__, name=name, guess=_nearest(name, dir(owner)))
    return ""


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1)
    return _("; did you mean `{name}`?", name=near[0]) if near else _(".")


@contextmanager
def quietly() -> Iterator[None]:
    """Keep Pyomo's log of errors off the screen; the package reports them itself."""
    logs = [logging.getLogger(name) for name in LOGS]
    before = [log.disabled for log in logs]
    for log in logs:
        log.disabled = True
    try:
        yield
    finally:
        for log, was in zip(logs, before, strict=True):
            log.disabled = was
