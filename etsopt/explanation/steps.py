"""Steps of an explanation, and their text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from etsopt.language import _, in_both, speaking

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Step:
    """One step: a quantity with its formula and the figures put in, or a sentence.

    Parameters
    ----------
    key
        Name of the quantity for programs.
    label
        What it is.
    value
        A number, or None for a sentence alone.
    unit
        Its unit of measure; ``rate`` for a fraction that is shown in percent.
    formula
        The formula with the figures put in, or what a key of the policy would have to be; empty if there is none.
    in_words
        The formula as people read it, where that is another than the one for programs.
    """

    key: str
    label: str
    value: float | None = None
    unit: str = ""
    formula: str = ""
    in_words: str = ""

    def text(self) -> str:
        """Return the step as one line."""
        parts = [str(self.in_words or self.formula)] if self.formula else []
        if self.value is not None:
            parts.append(percent(self.value) if self.unit == "rate" else f"{number(self.value)} {self.unit}".rstrip())
        return str(_("{label}: {value}", label=self.label, value=" = ".join(parts)) if parts else self.label)


@dataclass(frozen=True)
class Explanation:
    """Why a unit got its allowances.

    Parameters
    ----------
    unit_id
        The unit.
    title
        The answer in one sentence.
    parts
        Steps under a heading each.
    """

    unit_id: str
    title: str
    parts: tuple[tuple[str, tuple[Step, ...]], ...] = field(default_factory=tuple)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in their order."""
        return tuple(step for _heading, steps in self.parts for step in steps)

    def text(self, lang: str = "en") -> str:
        """Return the explanation as lines of text, in ``en`` or ``zh``."""
        with speaking(lang):
            return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield str(self.title)
        for heading, steps in self.parts:
            yield ""
            yield str(heading)
            for step in steps:
                yield f"  {step.text()}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON, texts in both languages."""
        return {
            "unit_id": self.unit_id,
            "title": in_both(self.title),
            "parts": [
                {
                    "heading": in_both(heading),
                    "steps": [
                        {"key": step.key, "label": in_both(step.label)}
                        | {"formula": step.formula, "value": step.value, "unit": step.unit}
                        for step in steps
                    ],
                }
                for heading, steps in self.parts
            ],
        }

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        parts = "".join(
            f"<h4>{escape(str(heading))}</h4><ul>{''.join(f'<li>{escape(step.text())}</li>' for step in steps)}</ul>"
            for heading, steps in self.parts
        )
        return f"<div><b>{escape(str(self.title))}</b>{parts}</div>"


def number(value: float) -> str:
    """Return a number as people write it: thousands grouped, whole numbers whole, six digits of a small one.

    >>> number(1234567.001), number(-2700.25), number(0.8306641234), number(-0.0)
    ('1,234,567', '-2,700.25', '0.830664', '0')
    """
    if not math.isfinite(value):
        return "-"
    if abs(value - round(value)) < 0.005 and abs(value) >= 1:
        return f"{value + 0.0:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 100 else f"{value + 0.0:.6g}"


def percent(rate: float) -> str:
    """Return a rate in percent.

    >>> percent(0.006), percent(-0.0)
    ('0.6 %', '0 %')
    """
    return f"{round(100.0 * rate, 6) + 0.0:.6g} %"
