"""Keys of the policy, and columns with a factor, as people read them: in words, in a unit, and as axes of charts."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.language import Text, _
from etsopt.common.scales import scaled, unit_text
from etsopt.data.tables.provinces import name_of
from etsopt.data.tables.schema import TABLES
from etsopt.presenting.charts.designs import Axis
from etsopt.presenting.documents.columns import heading
from etsopt.presenting.documents.document import Column
from etsopt.presenting.documents.figures import SHORT
from etsopt.presenting.documents.quantities import WORDS, YES_NO

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RATES = ("target_change", "balance", "band", "lower", "upper")
"""Last parts of keys whose values are fractions, which people read in percent."""

UNITS = {"_per_t": "CNY/t", "_t": "t"}
"""Units by the end of a key."""

SIDES = ("market.auctioned_t", "market.external_demand_t", "market.terminal_price_cny_per_t", "pathway.cap_t")
"""Keys of a market that have the words of the column that they become."""

COLUMNS_OF = tuple(table.name for table in TABLES)
"""Tables whose columns a scenario multiplies by a factor."""


def key_words(key: str) -> Text | str:
    """Return what a key states, in words; one without words as it is.

    >>> key_words("sectors.cement.target_change"), key_words("units.output_t.cement"), key_words("rule.slope")
    ('target of cement', 'factor on output of cement', 'rule.slope')
    >>> key_words("market.external_demand_t"), key_words("pathway.cap_t.2030")
    ('external demand', 'cap of 2030')
    """
    match key.split("."):
        case ["sectors", *name, target] if target.startswith("target_"):
            return _("target of {name}", name=name_of(".".join(name)))
        case ["sectors", *name, "band"] | ["sectors", *name, "band", "lower" | "upper"]:
            return _("band of {name}", name=name_of(".".join(name)))
        case ["provinces", "balance"]:
            return _("balance of provinces")
        case ["provinces", "balance", *name]:
            return _("balance of {name}", name=name_of(".".join(name)))
        case ["national", _target]:
            return _("national total")
        case ["allocation", "intensity_order"]:
            return _("intensity order")
        case [table, column] if f"{table}.{column}" in SIDES:
            return heading(column)
        case [table, column, year] if f"{table}.{column}" in SIDES:
            return _("{column} of {year}", column=heading(column), year=year)
        case [table, column] if table in COLUMNS_OF:
            return _("factor on {column}", column=heading(column))
        case [table, column, *name] if table in COLUMNS_OF:
            return _("factor on {column} of {name}", column=heading(column), name=name_of(".".join(name)))
    return key


def key_scale(key: str, largest: float) -> tuple[float, str]:
    """Return the divisor of the values of a key of which this is the largest, and their unit then; none of a factor.

    >>> key_scale("sectors.cement.target_change", 0.01), key_scale("market.reserve_t", 2e6), key_scale("rule.slope", 1)
    ((0.01, '%'), (1000.0, 'kt'), (1.0, ''))
    """
    if key.partition(".")[0] in COLUMNS_OF:
        return 1.0, ""
    last = next((part for part in reversed(key.split(".")) if not part.isdigit()), "")
    if last in RATES or "balance" in key.split("."):
        return 0.01, "%"
    if last == "target_intensity":
        return 1.0, unit_text("t/t")
    unit = next((unit for end, unit in UNITS.items() if last.endswith(end)), "")
    return scaled(largest, unit) if unit else (1.0, "")


def axis_of(key: str, values: Sequence[Any]) -> Axis:
    """Return the axis of a key along which designs have these values; None for a value that is not stated.

    >>> axis = axis_of("sectors.cement.target_change", [0.0, -0.008, None])
    >>> axis.label, [axis.text(place) for place in axis.places]
    ('target of cement [%]', ['0', '−0.8', '–'])
    """
    words, stated = key_words(key), [one for one in values if one is not None]
    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in stated):
        numbers = np.array([math.nan if one is None else float(one) for one in values])
        divisor, unit = key_scale(key, float(np.max(np.abs(numbers), initial=0.0, where=np.isfinite(numbers))))
        # A value such as 0.035 is read as 3.5 and not as its neighbour.
        return Axis(words, unit, np.round(numbers / divisor, 12))
    if all(isinstance(one, bool) for one in stated):
        places = np.array([math.nan if one is None else float(one) for one in values])
        return Axis(words, "", places, (YES_NO.shown(False), YES_NO.shown(True)))
    return axis_of_texts(words, [None if one is None else _in_words(one) for one in values])


def axis_of_texts(words: str, values: Sequence[str | None], alone: bool = False) -> Axis:
    """Return the axis of texts, in the order in which they come; `alone` if they say by themselves what they are."""
    order = {text: place for place, text in enumerate(dict.fromkeys(filter(None, values)))}
    places = np.array([order.get(one or "", math.nan) for one in values], dtype=float)
    return Axis(words, "", places, tuple(order), alone)


def columns_of(axes: Sequence[Axis]) -> list[Column]:
    """Return the columns of a table of designs by their values."""
    return [Column(axis.words, WORDS if axis.texts else SHORT._replace(unit=axis.unit)) for axis in axes]


def cells_of(axes: Sequence[Axis], row: int) -> Iterator[Any]:
    """Yield the cells of a design in these columns."""
    for axis in axes:
        place = axis.places[row]
        yield axis.text(place) if axis.texts or not math.isfinite(place) else float(place)


def _in_words(value: Any) -> str:
    """Return a value of a key; a list or table as the file of a sweep has it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
