"""Hand-solved cases: input, expected output, and the calculation in the comment above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CENT = 0.01
"""Tolerance of a figure in t, CNY or CNY/t."""

FINE = {"balance_value": 5e-7, "rate": 1e-9}
"""Tolerance of other figures, by the end of their name."""


@dataclass(frozen=True)
class Golden:
    """A hand-solved case.

    Parameters
    ----------
    subject, name
        Subject of the case, and its name.
    figures
        Returns the figures of the package, by name.
    expected
        Figures calculated by hand, by the same names.
    """

    subject: str
    name: str
    figures: Callable[[], Mapping[str, float]]
    expected: Mapping[str, float]

    @property
    def differs(self) -> str:
        """Return the first figure that differs from its expected value; empty without one."""
        found = self.figures()
        if found.keys() != self.expected.keys():
            return f"figures {sorted(found)}, expected {sorted(self.expected)}"
        for name, value in self.expected.items():
            near = next((near for end, near in FINE.items() if name.endswith(end)), CENT)
            if not abs(found[name] - value) <= near:
                return f"{name} is {found[name]:.12g}, by hand {value:.12g}"
        return ""
