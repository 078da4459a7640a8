"""Words in the cells of results: the codes of every column, whose words the catalogue has under the column's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.language import gettext, in_chinese, pgettext

if TYPE_CHECKING:
    import pandas as pd

OBJECTIVES = tuple(
    """
change largest_change deficit spread least_squares squared_rates squared_shares squared_losses
rounding exceptions exception_size exception_order
target_relaxation band_relaxation cost unmet_demand effort older_first adjustment estimate interval uncovered
missing_days
""".split()  # noqa: SIM905 - one a line would be a page
)
"""Objectives of the models."""

ROWS = tuple(
    """
level_is_kept one_plan account_balance offset_limit newly_owed offsets_on_offer sector_target province_balance
national_total enterprise_band unit_band intensity_order equal_rates whole_tonnes band_least band_most
enterprise_least enterprise_most exceptions_limit change_from_reference largest_change_covers shortfall_covers
distance_from_target_rate market_balance reserve_stock obligation_met lot_is_used within_range near_value
lowest_agrees highest_agrees days_of_group enough_reviews trip_before_review covered_by_review one_option
operation_of_installed budget cost_of_scenario cost_above_quantile served capacity build_rate share_limit bank
""".split()  # noqa: SIM905 - one a line would be a page
)
"""Rows of the models, as `duals` and the prices name them."""

_MEASURES = ("t", "rate", "units", "t²", "places", "days", "CNY")
UNITS = (
    "kt",
    "Mt",
    "10⁴ t",
    "10⁸ t",
    "tCO2e",
    "CNY million",
    "CNY billion",
    *_MEASURES,
    *(f"{one}/{other}" for one in _MEASURES for other in _MEASURES),
)
"""Units of measure of objectives, multipliers and prices."""

OBTAINED = (
    "stated by the policy",
    "multiplier of the market balance over all plans",
    "every unit gets its emissions",
    "where the surplus jumps over zero by the least",
    "reached from no abatement",
    "the only one",
    "of least cost",
)
"""Origins of a price."""

ALGORITHMS = (
    "prices over all plans",
    "linear programs for whole tonnes",
    "linear programs",
    "choices tried",
    "Newton steps",
    "stopped short",
    "iterations",
    "simplex",
    "interior point",
    "branch and bound",
    "nodes",
    "without crossover",
    "with crossover",
    "active set",
    "first order",
    "prices",
    "cells",
)
"""Parts of the algorithm of an objective, longer ones first."""

CODES = {
    "level": (*OBJECTIVES, "unit", "enterprise", "province", "sector"),
    "method": (
        *("rule", "policy", "least_squares", "equal_rates", "proportional", "equal_losses"),
        *("change", "largest_change", "deficit", "spread"),
    ),
    "against": ("emissions", "output"),
    "allocation": ("reference", "final"),
    "row": ROWS,
    "index": OBJECTIVES,
    "way_out": (*OBJECTIVES, "alone"),
    "limit": ("target", "balance", "band", "nation"),
    "unit": UNITS,
    "price_obtained": OBTAINED,
    "obtained": OBTAINED,
    "at_bound": ("lower", "upper", "fixed"),
    "target_sense": ("at_most", "exactly", "none"),
    "algorithm": ALGORITHMS,
    "regime": ("until 2026-08-14", "from 2026-08-15"),
}
"""Codes in the cells of results by column; words of inputs are in `etsopt.data.tables.chinese`."""


def word(column: str, value: object) -> str:
    """Return a word in a cell of a column in the language of the moment; a name stays as it is.

    >>> word("sector", "cement"), word("level", "change")
    ('cement', 'change')
    """
    text = str(value)
    if not in_chinese():
        return text
    if column == "algorithm":
        return algorithm_of(text)
    if column == "price_unit":
        return _price_unit(text)
    found = str(pgettext(column, text))
    if found == text and column == "index":
        found = str(pgettext("sector", text))
    return str(pgettext("province", text)) if found == text and column in ("index", "province") else found


def in_words(column: str, cells: pd.Series) -> pd.Series:
    """Return the cells of a column of results with their words; names and numbers stay as they are."""
    if not in_chinese() or cells.dtype.kind in "iufb":
        return cells
    words = {value: word(column, value) for value in cells.unique() if isinstance(value, str)}
    return cells.map(lambda cell: words.get(cell, cell))


def algorithm_of(text: str) -> str:
    """Return the algorithm of an objective in the language of the moment, such as "HiGHS simplex, 953 iterations"."""
    if in_chinese():
        for part in ALGORITHMS:
            text = text.replace(part, str(pgettext("algorithm", part)))
        text = text.replace(", ", str(gettext(", ")))
    return text


def _price_unit(text: str) -> str:
    """Return the unit of a price, with its year behind it."""
    currency, _space, rest = text.partition(" ")
    if currency == "CNY" and rest:
        return str(gettext("CNY/t, at prices of {year}", year=rest.removesuffix("/t")))
    return str(pgettext("unit", text))
