"""Columns of what is shown: the heading, quantity and priority of each, stated once for every renderer.

A column is known by its name in the tables of results, which ends with its unit of measure. What the name does not say
is declared here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.language import _, in_brackets, in_chinese, pgettext
from etsopt.common.vocabulary import word
from etsopt.data.tables import chinese
from etsopt.presenting.documents import quantities as of
from etsopt.presenting.documents.document import Column, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etsopt.presenting.documents.quantities import Quantity

HEADINGS = {
    "enterprises": pgettext("compliance", "enterprises"),
    "enterprises_at_risk": pgettext("compliance", "at risk"),
    "enterprises_with_shortfall": pgettext("compliance", "with shortfall"),
    "units": pgettext("compliance", "units"),
    "opening_t": pgettext("compliance", "opening"),
    "carried_over_t": pgettext("compliance", "carried over"),
    "issued_t": pgettext("compliance", "issued"),
    "bought_t": pgettext("compliance", "bought"),
    "surrendered_t": pgettext("compliance", "allowances surrendered"),
    "sold_t": pgettext("compliance", "sold"),
    "cancelled_t": pgettext("compliance", "cancelled"),
    "closing_t": pgettext("compliance", "closing"),
    "obligation_t": pgettext("compliance", "obligation"),
    "offset_t": pgettext("compliance", "offsets used"),
    "shortfall_t": pgettext("compliance", "shortfall"),
    "completion": pgettext("compliance", "completion %"),
    "province_received_t": pgettext("compliance", "received"),
    "province_surrendered_t": pgettext("compliance", "surrendered first"),
    "province_released_t": pgettext("compliance", "released"),
    "purchases_cny": pgettext("compliance", "purchases"),
    "offsets_cny": pgettext("compliance", "offsets"),
    "transactions_cny": pgettext("compliance", "transactions"),
    "penalty_cny": pgettext("compliance", "fine by shortfall"),
    "fixed_fine_cny": pgettext("compliance", "fixed fine"),
    "sales_cny": pgettext("compliance", "sales"),
    "cost_cny": pgettext("compliance", "net cost"),
    "kept_worth_cny": pgettext("compliance", "value of holdings"),
    "usable": pgettext("compliance", "usable this year"),
    "unit_id": pgettext("column", "unit"),
    "enterprise_id": pgettext("column", "enterprise"),
    "measure_id": pgettext("column", "measure"),
    "reference_t": pgettext("column", "rule alone"),
    "allowance_t": pgettext("column", "final allocation"),
    "change_t": pgettext("column", "change against the rule"),
    "surplus_t": pgettext("column", "surplus"),
    "surplus_rate": pgettext("column", "surplus rate"),
    "at_bound": pgettext("column", "at the band's end"),
    "pre_allocated_t": pgettext("column", "pre-allocated"),
    "top_up_t": pgettext("column", "top-up"),
    "return_t": pgettext("column", "to return"),
    "units_lower": pgettext("column", "units at the lower end"),
    "units_upper": pgettext("column", "units at the upper end"),
    "units_fixed": pgettext("column", "units with A = E"),
    "target_t": pgettext("column", "target"),
    "target_sense": pgettext("column", "target is"),
    "under_target_t": pgettext("column", "below target"),
    "balance_limit_t": pgettext("column", "balance limit"),
    "price_cny_per_t": pgettext("column", "price"),
    "price_lower_cny_per_t": pgettext("column", "from"),
    "price_upper_cny_per_t": pgettext("column", "to"),
    "set_by": pgettext("column", "set by"),
    "emissions_before_tco2e": pgettext("column", "emissions before measures"),
    "emissions_held_tco2e": pgettext("column", "emissions of the balance value"),
    "balance_value_before": pgettext("column", "balance value before"),
    "auctioned_t": pgettext("column", "paid allocation"),
    "banked_before_t": pgettext("column", "brought forward"),
    "measures_cost_cny": pgettext("column", "cost of measures"),
    "allowances_cost_cny": pgettext("column", "cost of allowances"),
    "transaction_cost_cny": pgettext("column", "transaction cost"),
    "offsets_cost_cny": pgettext("column", "cost of offsets"),
    "cost_cny_per_t": pgettext("column", "cost per tonne emitted"),
    "measures_cost_cny_per_t": pgettext("column", "cost per tonne abated"),
    "transfers_cny": pgettext("column", "transfers"),
    "resource_cost_cny": pgettext("column", "resource cost"),
    "abated_tco2e": pgettext("column", "abated"),
    "investment_cny": pgettext("column", "investment"),
    "cost_at_mean_cny": pgettext("column", "cost if decided for the mean"),
    "least_cost_cny": pgettext("column", "least cost, scenario known"),
    "regret_cny": pgettext("column", "regret"),
    "expected_cost_cny": pgettext("column", "expected cost"),
    "cvar_cny": pgettext("column", "CVaR"),
    "value_of_stochastic_solution_cny": pgettext("column", "value of the stochastic solution"),
    "value_of_perfect_information_cny": pgettext("column", "value of perfect information"),
    "marginal_incentive_cny_per_t": pgettext("column", "a tonne abated earns"),
    "terminal_price_cny_per_t": pgettext("column", "terminal price"),
    "unchanged_up_to_cny_per_t": pgettext("column", "unchanged up to"),
    "explained_share": pgettext("column", "owed to the terminal price"),
    "unmet_t": pgettext("column", "unmet demand"),
    "at_risk_tco2e": pgettext("column", "at risk"),
    "covered_tco2e": pgettext("column", "covered"),
    "uncovered_tco2e": pgettext("column", "not covered"),
    "further_day_covers_tco2e": pgettext("column", "one more day covers"),
    "reported_tco2e": pgettext("column", "as reported"),
    "reconciled_tco2e": pgettext("column", "reconciled"),
    "lowest_tco2e": pgettext("column", "lowest"),
    "highest_tco2e": pgettext("column", "highest"),
    "conservative_tco2e": pgettext("column", "conservative"),
    "gross_reports": pgettext("column", "false reports"),
    "deducted_next_year_t": pgettext("column", "deducted next year"),
    "index": pgettext("column", "of"),
    "emissions_tco2e": pgettext("column", "emissions"),
    "substituted": pgettext("column", "substituted"),
    "quantities": pgettext("column", "quantities"),
    "reviews": pgettext("column", "reviews"),
    "least_reviews": pgettext("column", "least reviews"),
    "drawn": pgettext("column", "drawn"),
    "available_days": pgettext("column", "available days"),
    "review_days": pgettext("column", "review days"),
    "travel_days": pgettext("column", "travel days"),
    "days": pgettext("column", "days"),
    "level": pgettext("column", "level"),
    "needed_reviews": pgettext("column", "needed reviews"),
    "needed_days": pgettext("column", "needed days"),
    "missing_days": pgettext("column", "missing days"),
    "city": pgettext("column", "city"),
    "reason": pgettext("column", "reason"),
    "regime": pgettext("column", "regime"),
    "multiple": pgettext("column", "multiple"),
    "reference_price_cny_per_t": pgettext("column", "reference price"),
    "outstanding_t": pgettext("column", "outstanding"),
    "price_unit": pgettext("column", "price unit"),
    "without_near_tco2e": pgettext("column", "if near leave"),
    "with_near_tco2e": pgettext("column", "if near join"),
    "margin_rate": pgettext("column", "from the line"),
    "monitored_tco2": pgettext("column", "monitored"),
    "calculated_tco2": pgettext("column", "calculated"),
    "drift_per_year": pgettext("column", "drift a year"),
    "at_utc": pgettext("review", "time (UTC)"),
    "entry_kind": pgettext("review", "kind"),
    "items_reported": pgettext("review", "reported"),
    "items_municipal": pgettext("review", "municipal"),
    "items_provincial": pgettext("review", "provincial"),
    "items_national": pgettext("review", "national"),
    "items_with_open_findings": pgettext("review", "with open findings"),
    "items_decided": pgettext("review", "decided"),
    "items_first_pass": pgettext("review", "first pass"),
    "open_size_t": pgettext("review", "size of open findings"),
    "against": pgettext("column", "against"),
    "method": pgettext("column", "method"),
    "allocation": pgettext("column", "allocation"),
    "measured": pgettext("column", "measured"),
    "gini": pgettext("column", "Gini"),
    "theil_between": pgettext("column", "Theil T between"),
    "theil_within": pgettext("column", "Theil T within"),
    "hoover": pgettext("column", "Hoover"),
    "atkinson": pgettext("column", "Atkinson"),
    "coverage": pgettext("column", "coverage"),
    "largest_loss_rate": pgettext("column", "largest loss"),
    "left_out_t": pgettext("column", "left out"),
    "within_rate": pgettext("column", "above the least"),
    "at_least_t": pgettext("column", "at least"),
    "at_most_t": pgettext("column", "at most"),
    "reached": pgettext("column", "reached"),
    "demand_at_reference_mwh": pgettext("column", "demand at reference"),
    "demand_mwh": pgettext("column", "demand"),
    "product_price_cny_per_mwh": pgettext("column", "price of electricity"),
}
"""Headings of columns whose name alone would not do, or of which results say more in Chinese."""

COLUMNS = tuple(
    """
name intensity allowance_t change_t surplus_t surplus_rate at_bound top_up_t return_t units enterprises units_lower
units_upper units_fixed target_t target_sense under_target_t balance_value balance_value_lower balance_value_upper
balance_limit_t change_shadow_price largest_change_shadow_price deficit_shadow_price spread_shadow_price
least_squares_shadow_price squared_rates_shadow_price squared_shares_shadow_price squared_losses_shadow_price
exceptional level row index multiplier unit limit way_out by from to
target_relaxation_allowance_t band_relaxation_allowance_t price_cny_per_t price_lower_cny_per_t
price_upper_cny_per_t price_unit price_obtained price lower upper obtained emissions_before_tco2e
emissions_held_tco2e banked_before_t bought_t sold_t offset_t surrendered_t banked_t lapsed_t explained_share
measures_cost_cny measures_cost_cny_per_t allowances_cost_cny transaction_cost_cny offsets_cost_cny penalty_cny
total_cost_cny cost_cny_per_t transfers_cny resource_cost_cny auctioned_t unsold_t external_demand_t
rounding_remainder_t released_t intake_t reserve_t borrowed_t marginal_incentive_cny_per_t
marginal_incentive_elsewhere_cny_per_t plan share start_year step abated_tco2e uplift_cny balance_value_before
residual_t set_by bank_empty_in terminal_price_cny_per_t unchanged_up_to_cny_per_t status fixed_points cycle_length
number measures obligation_t opening_t carried_over_t issued_t closing_t cancelled_t shortfall_t vintage value bound
gap certified scenario installed installed_at_mean investment_cny cost_cny cost_at_mean_cny least_cost_cny
regret_cny expected_cost_cny cvar_cny objective_cny objective_at_mean_cny objective_perfect_information_cny
value_of_stochastic_solution_cny value_of_perfect_information_cny price_year runs algorithm against allocation
measured gini theil_between theil_within hoover atkinson coverage largest_loss_rate left_out_t case free_part capped
peak_year peak_emissions_tco2e cap_missed_t auctioned_share_off observed_price_cny_per_t tied_to_year cap_t free_share
revenue_cny demand_at_reference_t demand_t supply_t new_capacity_t demand_at_reference_mwh demand_mwh output_mwh
product_price_cny_per_mwh
""".split()  # noqa: SIM905 - one a line would be a page
)
"""Columns of results with a Chinese heading in workbooks; those of inputs are in `etsopt.data.tables.chinese`."""

OF_ACCOUNTS = "account heading"
"""Context of headings of tables of monthly reports, whose columns `etsopt.accounting.chinese` lists."""

WITH_UNITS = {"tco2e": "tCO2e", "t": "t"}

_WORDS = (
    *(pgettext("level", "municipal"), pgettext("level", "provincial"), pgettext("level", "national")),
    *(pgettext("reason", "coverage"), pgettext("reason", "drawn"), pgettext("reason", "risk")),
)
"""Words of cells beside those of results."""

QUANTITIES: Mapping[str, Quantity] = {
    **dict.fromkeys(("year", "first_year", "vintage", "start_year", "number", "bank_empty_in", "price_year"), of.NAME),
    **dict.fromkeys(("plan", "step", "leaf", "entry", "finding", "version", "tied_to_year", "peak_year"), of.NAME),
    **dict.fromkeys(("units", "enterprises", "units_lower", "units_upper", "units_fixed", "reviews"), of.COUNT),
    **dict.fromkeys(("gini", "theil_between", "theil_within", "hoover", "atkinson"), of.FINE._replace(unit="")),
    **{"coverage": of.RATE, "measured": of.COUNT},
    # Bounds that are rounded to whole tonnes would be passed by what reaches them.
    **dict.fromkeys(("at_least_t", "at_most_t"), of.ACCOUNTED),
    **dict.fromkeys(("least_reviews", "drawn", "quantities", "substituted", "gross_reports"), of.COUNT),
    **dict.fromkeys(("balance_value", "balance_value_before", "balance_value_lower", "balance_value_upper"), of.FINE),
    **dict.fromkeys(("multiplier", "share"), of.NUMBER._replace(excel="fine")),
    **{
        "ratio": of.INTENSITY._replace(unit=""),
        "drift_per_year": of.RATE,
        **dict.fromkeys(("quantity", "quantity_before"), of.REPORTED),
    },
    **dict.fromkeys(("demand_at_reference_mwh", "demand_mwh", "output_mwh"), of.ELECTRICITY),
    "product_price_cny_per_mwh": of.PRICE._replace(unit="CNY/MWh"),
    "shortfall_t": of.TONNES._replace(alarming=True),
    "enterprises_with_shortfall": of.COUNT._replace(alarming=True),
    **{"intensity": of.INTENSITY, "completion": of.PERCENT, "gap": of.GAP, "explained_share": of.RATE},
}
"""Quantities of columns of numbers by their name."""

ENDINGS: Mapping[str, Quantity] = {
    **{"_cny_per_t": of.PRICE, "_cny": of.MONEY, "_t": of.TONNES, "_tco2e": of.TONNES, "_rate": of.RATE},
    **{"_tco2": of.TONNES, "days": of.DAYS, "_shadow_price": of.SHADOW_PRICE},
}
"""Quantities by the end of a name, of which the first counts."""

FIRST = (
    *("emissions_tco2e", "allowance_t", "surplus_rate", "price_cny_per_t", "abated_tco2e", "shortfall_t", "cost_cny"),
    *("balance_value", "reported_tco2e", "reconciled_tco2e", "covered_tco2e", "missing_days"),
    *("unit_id", "month", "item", "size_t", "reason", "ratio", "drifts", "quantity", "status"),
)
LAST = (
    *("reference_t", "surplus_t", "enterprise_id", "name", "province", "emissions_before_tco2e", "units_lower"),
    *("units_upper", "units_fixed", "measures_cost_cny_per_t", "lapsed_t", "multiple", "regime", "conservative_tco2e"),
)
"""Columns that a narrow terminal leaves out last, and first."""

ENDING = re.compile(r"_(t|tco2e?|cny|cny_per_t)$")
BRACKETS = re.compile(r"\uff08[^\uff08\uff09]*\uff09$")


def heading(column: str) -> str:
    """Return the heading of a column without its unit of measure.

    >>> heading("allowance_t"), heading("x_origin")
    ('final allocation', 'x origin')
    """
    if column in HEADINGS:
        return str(HEADINGS[column])
    if in_chinese():
        found = heading_of_result(column)
        return BRACKETS.sub("", str(pgettext(OF_ACCOUNTS, column)) if found == column else found)
    return ENDING.sub("", column).replace("_", " ")


def heading_of_result(column: str) -> str:
    """Return the heading of a column in a workbook of results: its name, or in Chinese what it is.

    >>> heading_of_result("allowance_t")
    'allowance_t'
    """
    if column in COLUMNS:
        return str(pgettext("heading", column))
    if column not in chinese.HEADINGS or not in_chinese():
        return column
    unit = WITH_UNITS.get(column.rpartition("_")[2])
    shown = chinese.HEADINGS[column][0]
    return shown + in_brackets(pgettext("unit", unit)) if unit else shown


def quantity_of(column: str, values: pd.Series) -> Quantity:
    """Return the quantity of a column by its name and the type of its cells.

    >>> quantity_of("allowance_t", pd.Series([1.0])).unit, quantity_of("x_any", pd.Series(["a"])).figures
    ('t', False)
    """
    if pd.api.types.is_bool_dtype(values):
        return of.YES
    if not pd.api.types.is_numeric_dtype(values):
        return of.WORDS
    if column in QUANTITIES:
        return QUANTITIES[column]
    if not column.startswith("x_"):
        for ending, quantity in ENDINGS.items():
            if column.endswith(ending):
                return quantity
    return of.COUNT._replace(excel="general") if pd.api.types.is_integer_dtype(values) else of.NUMBER


def column_of(name: str, values: pd.Series, exact: bool = False) -> Column:
    """Return a column of a table by its name and cells.

    Parameters
    ----------
    exact
        True for tonnes that are not scaled.
    """
    quantity = quantity_of(name, values)
    quantity = quantity._replace(scaled=False) if exact and quantity.unit == "t" else quantity
    return Column(heading(name), quantity, 1 if name in FIRST else 3 if name in LAST else 2, name)


def in_one_scale(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, Column]:
    """Return columns of tonnes by name, all in the scale of the largest number, so that they may be compared."""
    largest = float(frame[[*columns]].abs().max(axis=None))
    return {name: column_of(name, frame[name])._replace(quantity=of.TONNES.fitting(largest)) for name in columns}


def words_of(column: str, values: Sequence[Any]) -> list[str]:
    """Return the texts of a column of words."""
    # Thousands of rows have a few words.
    said = {value: "–" if value == "" or pd.isna(value) else word(column, value) for value in dict.fromkeys(values)}
    return [said[value] for value in values]


def table_of(
    frame: pd.DataFrame,
    columns: Sequence[str],
    caption: str,
    *,
    totals: Mapping[str, float] | None = None,
    note: str = "",
    exact: bool = False,
    key: str = "",
    own: Mapping[str, Column] | None = None,
) -> Table:
    """Return a table of the columns that a frame has.

    Parameters
    ----------
    totals
        Numbers of a last row by column; the first column says that it is one.
    exact
        True for tonnes that are not scaled.
    own
        Columns in place of those that are declared here, by name.
    """
    shown = [name for name in columns if name in frame]
    made = tuple((own or {}).get(name) or column_of(name, frame[name], exact) for name in shown)
    cells = [
        frame[name].tolist() if column.quantity.text else words_of(name, frame[name].tolist())
        for name, column in zip(shown, made, strict=True)
    ]
    foot = () if totals is None else (_("all"), *(totals.get(name, "") for name in shown[1:]))
    return Table(caption, made, tuple(zip(*cells, strict=True)), foot, note, key)


def used(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the columns that a frame has and that are not zero throughout."""
    return [
        name
        for name in columns
        if name in frame
        and not (pd.api.types.is_numeric_dtype(frame[name]) and not (frame[name].abs() > of.NO_TONNES).any())
    ]


def sums_of(frame: pd.DataFrame, columns: Sequence[str]) -> dict[str, float]:
    """Return the sums of columns, and the surplus rate of the sums where both of its columns are among them."""
    sums = {name: float(frame[name].sum()) for name in columns if name in frame}
    if sums.get("emissions_tco2e") and "surplus_t" in sums:
        sums["surplus_rate"] = sums["surplus_t"] / sums["emissions_tco2e"]
    return sums
