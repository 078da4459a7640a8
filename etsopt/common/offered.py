"""What a thing offers though a room above its own does the work: the package itself says which function that is.

A result draws pages of itself, and a curve saves itself. Pages and folders are made of results and curves, and stand
above them. So the thing states the method, and `etsopt` names the function, which is loaded when it is first called.
"""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OFFERED: dict[str, str] = {}
"""Functions, ``module:function``, by class and method, ``Results.report``; the thing is their first argument."""


def offered(method: str) -> Callable[..., Any]:
    """Return the function that does the work of a method."""
    found: Callable[..., Any] = resolve_name(OFFERED[method])
    return found
