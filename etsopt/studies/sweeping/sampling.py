"""Samples of a sweep: distributions, and designs that fill the space of several quantities evenly.

A design gives numbers between 0 and 1, and a distribution's quantile function turns each into a value; so samples of a
Latin hypercube or a Sobol sequence keep their evenness.

The design of Saltelli et al. (2010, doi 10.1016/j.cpc.2009.09.018) tells how much each input moves a number. Its rows
are a draw ``a``, an independent one ``b``, and for each input one that is ``a`` but for that input, which is that of
``b``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from etsopt.common.language import _
from etsopt.data.policy.section import Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SALTELLI = "saltelli"
METHODS = ("latin_hypercube", "sobol", "random", SALTELLI)


def _numbers(count: int, meaning: str) -> AfterValidator:
    """Return the check that a list has the numbers of a distribution."""

    def counted(stated: list[float]) -> list[float]:
        if len(stated) != count:
            what = _("is {stated}: expected {count} numbers: {meaning}", stated=stated, count=count, meaning=meaning)
            raise ValueError(what, _("State them in this order."))
        return stated

    return AfterValidator(counted)


Ends = Annotated[list[float], _numbers(2, _("least, largest"))]
Triple = Annotated[list[float], _numbers(3, _("least, most likely, largest"))]
Normal = Annotated[list[float], _numbers(2, _("mean, standard deviation"))]
Lognormal = Annotated[list[float], _numbers(2, _("median, standard deviation of the logarithm"))]
Choices = Annotated[list[Any], Field(min_length=1)]
KINDS = ("uniform", "triangular", "normal", "lognormal", "choice")


class Distribution(Section):
    """Distribution of a quantity; exactly one kind is stated."""

    uniform: Ends | None = Field(None, description="least and largest value")
    triangular: Triple | None = Field(None, description="least, most likely and largest value")
    normal: Normal | None = Field(None, description="mean and standard deviation")
    lognormal: Lognormal | None = Field(None, description="median and standard deviation of the logarithm")
    choice: Choices | None = Field(None, description="values of equal probability")
    each: Literal["scenario", "row"] = Field(
        "scenario", description="of a column: one factor for all rows of a scenario, or one for each row"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Distribution:
        stated = [name for name in KINDS if getattr(self, name) is not None]
        if len(stated) != 1:
            what = _("states {value}", value=" and ".join(stated) or "no distribution")
            raise ValueError(what, _("State one of {kinds}.", kinds=", ".join(KINDS)))
        least, largest = (
            (self.uniform or self.triangular or [0.0, 0.0])[0],
            (self.uniform or self.triangular or [0.0])[-1],
        )
        middle = self.triangular[1] if self.triangular else least
        if not least <= middle <= largest:
            raise ValueError(_("has ends in the wrong order"), _("State the least value first and the largest last."))
        if (self.normal and self.normal[1] < 0) or (self.lognormal and min(self.lognormal) < 0):
            raise ValueError(_("has a negative spread or median"), _("State a number of at least 0."))
        return self

    def quantiles(self, shares: Floats) -> NDArray[Any]:
        """Return the values below which given shares of the distribution lie.

        >>> Distribution(uniform=[2.0, 4.0]).quantiles(np.array([0.0, 0.5])).tolist()
        [2.0, 3.0]
        """
        from scipy.special import ndtri

        if self.choice is not None:
            places = np.minimum((shares * len(self.choice)).astype(int), len(self.choice) - 1)
            return np.array(self.choice, dtype=object)[places]
        if self.uniform is not None:
            return self.uniform[0] + shares * (self.uniform[1] - self.uniform[0])
        if self.normal is not None:
            return self.normal[0] + self.normal[1] * ndtri(shares)
        if self.lognormal is not None:
            return self.lognormal[0] * np.exp(self.lognormal[1] * ndtri(shares))
        assert self.triangular is not None
        least, mode, largest = self.triangular
        width = largest - least
        turn = (mode - least) / width if width else 0.0
        rising = least + np.sqrt(shares * width * (mode - least))
        return np.where(shares < turn, rising, largest - np.sqrt((1 - shares) * width * (largest - mode)))


class Sample(Section):
    """A number of draws of several quantities together."""

    number: int = Field(
        ge=1,
        le=1_000_000,
        description="number of draws, or of rows of a Saltelli design; of Sobol points a power of two",
    )
    method: Literal[METHODS] = Field(METHODS[0], description="design of the draws")  # type: ignore[valid-type]
    values: dict[str, Distribution] = Field(min_length=1, description="distribution of each key")

    @model_validator(mode="after")
    def _power_of_two(self) -> Sample:
        if self.method in ("sobol", SALTELLI) and self.number & (self.number - 1):
            near = 2 ** round(np.log2(self.number))
            raise ValueError(
                _("draws {number} points of a Sobol sequence, whose evenness needs a power of two", number=self.number),
                _("State number = {near}, or another method.", near=near),
            )
        return self

    @property
    def count(self) -> int:
        """Number of draws: those of a row of a Saltelli design are two, and one for each input."""
        return self.number * (len(self.values) + 2 if self.method == SALTELLI else 1)


class Draw(NamedTuple):
    """One draw: its name, the values of keys, and the seeds of columns that draw for each row."""

    name: str
    values: dict[str, Any]
    seeds: dict[str, int]


def draws(sample: Sample, seed: int) -> Iterator[Draw]:
    """Yield every draw of a sample; a seed gives the same ones again."""
    keys = [key for key, distribution in sample.values.items() if distribution.each == "scenario"]
    by_row = [key for key in sample.values if key not in keys]
    design, width = sample.method == SALTELLI, len(str(sample.number))
    shares = _shares(sample, len(keys) * (2 if design else 1), seed)
    values = _values(sample, keys, shares[:, : len(keys)])
    others = _values(sample, keys, shares[:, len(keys) :]) if design else []
    for number, drawn in enumerate(values, 1):
        name = f"sample-{number:0{width}}"
        one = Draw(name, drawn, dict.fromkeys(by_row, seed + number))
        if design:
            other = Draw(name, others[number - 1], dict.fromkeys(by_row, seed + sample.number + number))
            yield from _row(one, other, list(sample.values))
        else:
            yield one


def _row(one: Draw, other: Draw, inputs: Sequence[str]) -> Iterator[Draw]:
    """Yield the draws of a row of a Saltelli design."""
    yield one._replace(name=f"{one.name}-a")
    yield other._replace(name=f"{one.name}-b")
    for place, key in enumerate(inputs, 1):
        taken = [
            parts | ({key: others[key]} if key in others else {})
            for parts, others in zip(one[1:], other[1:], strict=True)
        ]
        yield Draw(f"{one.name}-ab{place:0{len(str(len(inputs)))}}", *taken)


def _shares(sample: Sample, columns: int, seed: int) -> Floats:
    """Return a number between 0 and 1 for each draw and column."""
    from scipy.stats import qmc

    if not columns:
        return np.empty((sample.number, 0))
    if sample.method == "random":
        return np.random.default_rng(seed).random((sample.number, columns))
    design = qmc.LatinHypercube if sample.method == METHODS[0] else qmc.Sobol
    shares: Floats = design(columns, seed=seed).random(sample.number)
    return shares


def _values(sample: Sample, keys: Sequence[str], shares: Floats) -> list[dict[str, Any]]:
    """Return the value of each key in each draw."""
    # A share of zero would be minus infinity of a normal distribution.
    shares = np.clip(shares, 2.0**-60, 1 - 2.0**-53)
    columns = [sample.values[key].quantiles(shares[:, place]).tolist() for place, key in enumerate(keys)]
    return [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)] if keys else [{} for _ in shares]
