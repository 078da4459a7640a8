"""A rule as it is declared: its function from units to reference allowances, what it reads, and its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance
    from etsopt.rules.parameters import Parameters
    from etsopt.rules.reference import Reference

RuleFunction = Callable[["Instance", Any, "NDArray[np.bool_]"], "Reference | NDArray[np.float64]"]
"""A rule from outside the package may return allowances alone [t]; they are not rounded, and have no band."""


@dataclass(frozen=True)
class Rule:
    """A rule of the registry: a function from units to reference allowances, its parameters and its source."""

    name: str
    summary: str
    source: str
    parameters: type[Parameters]
    columns: tuple[str, ...]
    function: RuleFunction

    @property
    def own(self) -> bool:
        """True if the rule comes from outside the package, so that the checker cannot derive it again."""
        return not self.function.__module__.startswith("etsopt.rules.")
