"""The factors of one account: official figures, and those that a user states instead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.accounting.figures import FIGURES, SOURCES, Figure, factor_key, fuel_keys
from etsopt.accounting.rows import is_book
from etsopt.accounting.vocabulary import ITEMS
from etsopt.common.errors import AssumedWarning, DataError, Problem, brief, shortened, warn
from etsopt.common.language import _
from etsopt.data.files.read import PARAMETERS, find_folder
from etsopt.data.messages import did_you_mean
from etsopt.data.policy.toml import LARGEST_BYTES, checked_content, parse_toml
from etsopt.data.tables.raw import decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SECTION = "accounting"

MARKS = ("A", "B", "C", "stated")
"""Confidence from the best to the least known; ``stated`` marks a factor of the user."""

NO_CARBON = float("nan")


@dataclass(frozen=True)
class FuelFactors:
    """Factors of the items of a sector as fuels, NaN for other items, shape ``(items,)``.

    Parameters
    ----------
    ncv, carbon, oxidation
        Calorific value [GJ/unit], carbon content [tC/GJ] and oxidation rate.
    ncv_mark, mark
        Positions in `MARKS` of the calorific value, and of the worse of the other two.
    """

    ncv: Floats
    carbon: Floats
    oxidation: Floats
    ncv_mark: NDArray[np.int64]
    mark: NDArray[np.int64]


@dataclass(frozen=True)
class Factors:
    """Values of all figures by key, and the keys that the user stated."""

    values: Mapping[str, Any]
    stated: frozenset[str]

    @classmethod
    def of(cls, parameters: Mapping[str, Any] | None, place: str = _("parameters")) -> Factors:
        """Return the official figures with the stated ones in their place; keys are nested or dotted.

        Raises
        ------
        DataError
            With every key that is unknown, and every value of a wrong type or range.
        """
        stated = _flat(checked_content(parameters or {}, place))
        problems = [problem for key, value in stated.items() if (problem := _problem(key, value, place))]
        if problems:
            raise DataError(_("The table of accounting parameters"), problems)
        values = {key: figure.value for key, figure in FIGURES.items()}
        values |= {key: float(value) if _is_number(FIGURES[key]) else value for key, value in stated.items()}
        return cls(values, frozenset(key for key in stated if values[key] != FIGURES[key].value))

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def mark(self, *keys: str) -> int:
        """Return the position in `MARKS` of the least known of several figures."""
        return max(3 if key in self.stated else MARKS.index(FIGURES[key].confidence) for key in keys)

    def fuels(self, sector: str) -> FuelFactors:
        """Return the factors of fuels in a sector."""
        return self._fuels[sector]

    @cached_property
    def _fuels(self) -> dict[str, FuelFactors]:
        found = {}
        for sector in ("steel", "cement", "power"):
            keys = [fuel_keys(sector, name) if item.kind == "fuel" else () for name, item in ITEMS.items()]
            ncv, carbon, oxidation = (
                np.array([self[three[place]] if three else NO_CARBON for three in keys], dtype=float)
                for place in range(3)
            )
            ncv_mark = np.array([self.mark(three[0]) if three else 0 for three in keys])
            mark = np.array([self.mark(*three[1:]) if three else 0 for three in keys])
            found[sector] = FuelFactors(ncv, carbon, oxidation, ncv_mark, mark)
        return found

    def per_tonne(self, kind: str) -> tuple[Floats, NDArray[np.int64]]:
        """Return the factor of every item as a material, clinker or deduction [tCO2/t], else NaN, and its mark."""
        # Pig iron and others are materials at one process and products at another: the kind alone decides.
        keys = [factor_key(kind, name) if item.kind == kind else "" for name, item in ITEMS.items()]
        values = np.array([self[key] if key else NO_CARBON for key in keys], dtype=float)
        return values, np.array([self.mark(key) if key else 0 for key in keys])

    def table(self, used: frozenset[str] | None = None) -> pd.DataFrame:
        """Return the figures as a table, or those used: value, official value, unit, source and confidence."""
        figures = [figure for key, figure in FIGURES.items() if used is None or key in used]
        return pd.DataFrame(
            {
                "factor": [figure.key for figure in figures],
                "value": [_text(self[figure.key]) for figure in figures],
                "official": [_text(figure.value) for figure in figures],
                "unit": [figure.unit for figure in figures],
                # What nobody has stated yet has no confidence.
                "confidence": [
                    "" if self[figure.key] != self[figure.key] else MARKS[self.mark(figure.key)] for figure in figures
                ],
                "meaning": [figure.meaning for figure in figures],
                "source": [
                    _("stated by the user") if figure.key in self.stated else SOURCES[figure.source]
                    for figure in figures
                ],
            },
            dtype=object,
        )


def parameters_file(source: str | Path) -> Path:
    """Return where a folder of reports has its ``accounting.toml``, or beside which a workbook has it."""
    return (Path(source).parent if is_book(source) else find_folder(source)) / PARAMETERS


def read_parameters(folder: str | Path) -> dict[str, Any]:
    """Return the factors under ``[accounting]`` in ``accounting.toml`` by dotted keys; empty without the file.

    That of a workbook lies beside it, which a warning says: a workbook is often alone in a folder of other files.

    Raises
    ------
    DataError
        If the file cannot be read, has other tables, or a factor is unknown or out of range.
    """
    path = parameters_file(folder)
    if not path.is_file():
        return {}
    if is_book(folder):
        text = _("{book}: {parameters}, which lies beside it, states its factors.")
        warn(_(text, book=Path(folder).name, parameters=PARAMETERS), AssumedWarning)
    if path.stat().st_size > LARGEST_BYTES:
        what = _(
            "has {st_size:,} bytes: expected at most {largest_bytes:,}",
            st_size=path.stat().st_size,
            largest_bytes=LARGEST_BYTES,
        )
        raise DataError(
            _("The table of accounting parameters"), [Problem(PARAMETERS, what, _("Check that it is the right file."))]
        )
    return parameters_of(path.read_bytes())


def parameters_of(content_of_file: bytes) -> dict[str, Any]:
    """Return the factors of an ``accounting.toml`` by dotted keys, as `read_parameters` does."""
    text, problems = decode(content_of_file, PARAMETERS)
    if not problems:
        try:
            content = parse_toml(text)
        except ValueError as error:
            advice = _("Write texts in quotes and names of tables in [brackets].")
            problems = [Problem(PARAMETERS, _("is not valid TOML ({error})", error=shortened(str(error), 300)), advice)]
        else:
            problems = [
                Problem(
                    PARAMETERS,
                    _("is not a key of this file"),
                    _("Put it under [{section}], or remove it.", section=SECTION),
                    str(key),
                )
                for key in content
                if key != SECTION
            ]
            if not isinstance(content.get(SECTION, {}), dict):
                problems.append(
                    Problem(
                        PARAMETERS,
                        _("is not a table"),
                        _("Write [{section}], with keys below it.", section=SECTION),
                        SECTION,
                    )
                )
    if problems:
        raise DataError(_("The table of accounting parameters"), problems)
    stated = content.get(SECTION, {})
    Factors.of(stated, PARAMETERS)
    return _flat(checked_content(stated, PARAMETERS))


def _flat(content: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return nested tables with dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{above}{key}.") if isinstance(value, dict) else {f"{above}{key}": value}
    return flat


def _is_number(figure: Figure) -> bool:
    return isinstance(figure.value, float)


def _problem(key: str, value: Any, place: str) -> Problem | None:
    """Return the problem of a stated key, or None."""
    figure = FIGURES.get(key)
    if figure is None:
        advice = _("{guess}`etsopt account --factors` lists all keys.", guess=did_you_mean(key, FIGURES))
        return Problem(place, _("is not an accounting parameter"), advice, key)
    if figure.choices:
        valid, wanted = value in figure.choices, _("one of {names}", names=", ".join(figure.choices))
    elif not _is_number(figure):
        valid, wanted = isinstance(value, bool), _("true or false")
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        valid = number and 0 <= value <= (math.inf if figure.at_most is None else figure.at_most)
        wanted = _("a number of at least 0")
        if figure.at_most is not None:
            wanted = _("a number of at least 0 and at most {most:g}", most=figure.at_most)
        wanted = _("{wanted} [{unit}]", wanted=wanted, unit=figure.unit) if figure.unit else wanted
    return (
        None
        if valid
        else Problem(
            place,
            _("is {value}", value=brief(value)),
            _("Correct it to {wanted}: {meaning}.", wanted=wanted, meaning=figure.meaning),
            key,
        )
    )


def _text(value: Any) -> str:
    if value != value:
        return _("to be stated")
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
