"""Steps of an explanation, and their text in English and Chinese."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from etsopt.data.tables.chinese import WORDS
from etsopt.data.tables.provinces import SHORT

if TYPE_CHECKING:
    from collections.abc import Iterator

Words = tuple[str, str]
"""A text in English and in Chinese."""


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
    label: Words
    value: float | None = None
    unit: str = ""
    formula: str = ""
    in_words: Words | None = None

    def text(self, chinese: bool = False) -> str:
        """Return the step as one line."""
        label = self.label[chinese]
        formula = self.in_words[chinese] if self.in_words and self.formula else self.formula
        parts = [formula] if formula else []
        if self.value is not None:
            parts.append(percent(self.value) if self.unit == "rate" else f"{number(self.value)} {self.unit}".rstrip())
        return f"{label}{'：' if chinese else ': '}{' = '.join(parts)}" if parts else label


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
    title: Words
    parts: tuple[tuple[Words, tuple[Step, ...]], ...] = field(default_factory=tuple)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in their order."""
        return tuple(step for _, steps in self.parts for step in steps)

    def text(self, lang: str = "en") -> str:
        """Return the explanation as lines of text, in ``en`` or ``zh``."""
        chinese = lang == "zh"
        return "\n".join(self._lines(chinese))

    def _lines(self, chinese: bool) -> Iterator[str]:
        yield self.title[chinese]
        for heading, steps in self.parts:
            yield ""
            yield heading[chinese]
            for step in steps:
                yield f"  {step.text(chinese)}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "unit_id": self.unit_id,
            "title": {"en": self.title[0], "zh": self.title[1]},
            "parts": [
                {
                    "heading": {"en": heading[0], "zh": heading[1]},
                    "steps": [
                        {"key": step.key, "label": {"en": step.label[0], "zh": step.label[1]}}
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
            f"<h4>{escape(heading[0])}</h4><ul>{''.join(f'<li>{escape(step.text())}</li>' for step in steps)}</ul>"
            for heading, steps in self.parts
        )
        return f"<div><b>{escape(self.title[0])}</b>{parts}</div>"


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


def in_chinese(name: str) -> str:
    """Return the Chinese name of a sector or a province; any other name as it is.

    >>> in_chinese("cement"), in_chinese("Anhui"), in_chinese("North")
    ('水泥', '安徽', 'North')
    """
    return WORDS["sector"].get(name, (SHORT.get(name, name),))[0]


def percent(rate: float) -> str:
    """Return a rate in percent.

    >>> percent(0.006), percent(-0.0)
    ('0.6 %', '0 %')
    """
    return f"{round(100.0 * rate, 6) + 0.0:.6g} %"
