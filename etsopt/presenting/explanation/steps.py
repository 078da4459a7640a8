"""Steps of an explanation, and their text."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etsopt.common.language import Text, _, in_both, pgettext, speaking
from etsopt.common.offered import offered
from etsopt.common.scales import MINUS
from etsopt.presenting.documents.quantities import NO_TONNES, SPACE, unit_in

if TYPE_CHECKING:
    from collections.abc import Iterator

AMOUNTS = ("t", "tCO2e", "MWh", "CNY/t")
"""Units of measure of tonnes, energy and money, which people read with two decimals."""

UNITS = (pgettext("unit", "MWh"),)
"""Units of measure beside those of results."""


class Figures(str):
    """A text with numbers as programs read it, which have every digit that matters; `shown` is as people read it."""

    __slots__ = ("shown",)
    shown: str

    def __new__(cls, text: str, shown: str) -> Figures:
        """Take both texts."""
        made = super().__new__(cls, text)
        made.shown = shown
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Figures, (str.__str__(self), self.shown)


def shown(text: str) -> str:
    """Return a text with its numbers as people read them, in the language of the moment."""
    if isinstance(text, Figures):
        return shown(text.shown)
    if isinstance(text, Text) and text.values:
        values = {name: shown(value) if isinstance(value, str) else value for name, value in text.values.items()}
        text = Text(text.msgid, text.context, text.plural, values)
    return str(text)


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
    cells
        Figures of a sentence by the columns of a table that says the same; empty for none.
    """

    key: str
    label: str
    value: float | None = None
    unit: str = ""
    formula: str = ""
    cells: tuple[tuple[str, float], ...] = ()

    @property
    def name(self) -> str:
        """What it is, or the sentence, as people read it."""
        return shown(self.label)

    @property
    def figures(self) -> str:
        """Formula and value as people read them; empty for a sentence alone."""
        parts = [shown(self.formula)] if self.formula else []
        if self.value is not None:
            parts.append(_in_unit(self.value, self.unit))
        return " = ".join(parts)

    def text(self) -> str:
        """Return the step as one line."""
        return str(_("{label}: {value}", label=self.name, value=self.figures)) if self.figures else self.name


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
        yield shown(self.title)
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
                        | ({"cells": dict(step.cells)} if step.cells else {})
                        for step in steps
                    ],
                }
                for heading, steps in self.parts
            ],
        }

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        """Return what the command shows, for a notebook."""
        from etsopt.presenting.documents.notebook import output

        return output(offered("Explanation.document")(self))


def number(value: float) -> Figures:
    """Return a number: thousands grouped, whole numbers whole, six digits of a small one, for people without exponent.

    >>> number(1234567.001), number(-2700.25), number(0.8306641234), number(-0.0)
    ('1,234,567', '-2,700.25', '0.830664', '0')
    >>> number(8.5e-5), number(8.5e-5).shown
    ('8.5e-05', '0.000085')
    """
    if not math.isfinite(value):
        return Figures("-", "–")
    if abs(value - round(value)) < 0.005 and abs(value) >= 1:
        text = f"{value + 0.0:,.0f}"
    else:
        text = f"{value:,.2f}" if abs(value) >= 100 else f"{value + 0.0:.6g}"
    plain = f"{value:.{6 - math.floor(math.log10(abs(value))) - 1}f}".rstrip("0") if "e" in text else text
    return Figures(text, _signed(plain))


def amount(value: float) -> Figures:
    """Return tonnes or money, for people with two decimals, of less than one with four, and without noise.

    >>> [amount(one).shown for one in (560008.8179, -47.1821, 0.137015, 2.9e-10, 80.0)]
    ['560,008.82', '−47.18', '0.137', '0', '80']
    """
    text = number(value)
    if not math.isfinite(value) or abs(value) >= 100:
        return text
    decimals = 2 if abs(value) >= 1 else 4
    return Figures(text, _signed(f"{value if abs(value) >= NO_TONNES else 0.0:.{decimals}f}".rstrip("0").rstrip(".")))


def percent(rate: float) -> Figures:
    r"""Return a rate in percent, for people with four decimals at most.

    >>> percent(0.006), percent(-0.0), percent(-0.0012345678).shown, percent(11632.6).shown
    ('0.6 %', '0 %', '−0.1235\xa0%', '1,163,260\xa0%')
    """
    plain = f"{round(100.0 * rate, 4) + 0.0:,.4f}".rstrip("0").rstrip(".")
    return Figures(f"{round(100.0 * rate, 6) + 0.0:.6g} %", _signed(f"{plain}{SPACE}%"))


def put_in(formula: str, *figures: str) -> Figures:
    """Return a formula with figures put in.

    >>> put_in("{} E - α", number(0.15)), put_in("{} E - α", number(0.15)).shown
    ('0.15 E - α', '0.15 E − α')
    """
    return Figures(formula.format(*figures), _signed(formula).format(*map(shown, figures)))


def _signed(text: str) -> str:
    """Return a text with minus signs as wide as a digit."""
    return text.replace("-", MINUS)


def _in_unit(value: float, unit: str) -> str:
    if unit == "rate":
        return percent(value).shown
    figures = (amount if unit in AMOUNTS else number)(value).shown
    return f"{figures}{SPACE}{unit_in(unit)}" if unit else figures
