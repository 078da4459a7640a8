"""Headings of columns and units of measure in words."""

from __future__ import annotations

import re

from etsopt.language import in_chinese, pgettext
from etsopt.reports.compliance import COUNTS, FLOWS, MET, MONEY, PROVINCE
from etsopt.results.words import heading_of_result

HEADINGS = {
    **dict((*COUNTS, *FLOWS, *MET, *PROVINCE, *MONEY)),
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
}
"""Headings of columns whose name alone would not do, or of which results say more in Chinese."""

UNITS = (pgettext("unit", "CNY million"), pgettext("unit", "CNY billion"))
"""Units of measure beside those of results."""

ENDINGS = re.compile(r"_(t|tco2e|cny|cny_per_t)$")
BRACKETS = re.compile(r"\uff08[^\uff08\uff09]*\uff09$")


def heading(column: str) -> str:
    """Return the heading of a column without its unit of measure.

    >>> heading("allowance_t"), heading("x_origin")
    ('final allocation', 'x origin')
    """
    if column in HEADINGS:
        return str(HEADINGS[column])
    if in_chinese():
        return BRACKETS.sub("", heading_of_result(column))
    return ENDINGS.sub("", column).replace("_", " ")


def unit_in(unit: str) -> str:
    """Return the name of a unit of measure."""
    return str(pgettext("unit", unit))
