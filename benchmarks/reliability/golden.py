"""Cases worked by hand: what goes in, what has to come out, and how it was worked out, in the comment above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CENT = 0.01
"""How far a figure in t, CNY or CNY/t may be off."""

FINE = {"balance_value": 5e-7, "rate": 1e-9}
"""The same of figures that are no such amounts, by the end of their name."""


@dataclass(frozen=True)
class Golden:
    """A case worked by hand.

    Parameters
    ----------
    subject, name
        Of what it is a case, and which.
    figures
        What the package finds, by name.
    expected
        What was typed in by hand, by the same names.
    """

    subject: str
    name: str
    figures: Callable[[], Mapping[str, float]]
    expected: Mapping[str, float]

    @property
    def differs(self) -> str:
        """The first figure that is not as expected; empty where all are."""
        found = self.figures()
        if found.keys() != self.expected.keys():
            return f"figures {sorted(found)}, expected {sorted(self.expected)}"
        for name, value in self.expected.items():
            near = next((near for end, near in FINE.items() if name.endswith(end)), CENT)
            if not abs(found[name] - value) <= near:
                return f"{name} is {found[name]:.12g}, by hand {value:.12g}"
        return ""
