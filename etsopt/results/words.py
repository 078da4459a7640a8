"""Words of results: statuses, tables and columns."""

from __future__ import annotations

from etsopt.data.tables import chinese
from etsopt.language import _, in_brackets, in_chinese, pgettext

STATUSES = {
    "certified_optimal": _("certified optimal"),
    "certified_gap": _("certified within the gap"),
    "certified_rounded": _("certified optimal before rounding to whole tonnes"),
    "certified_program": _("program of the model file certified optimal"),
    "calculated": _("calculated, and checked"),
    "feasible": _("feasible, optimality not proven"),
    "infeasible_certified": _("infeasible, proven"),
    "infeasible_program": _("program of the model file infeasible, proven"),
    "infeasible_unproven": _("infeasible according to the solver, not proven"),
    "none": _("no result"),
    "refused": _("refused by the checker, no result"),
}
"""Status of a result."""

TERMINATIONS = {
    "time_limit": _("stopped by the time limit"),
    "interrupted": _("interrupted"),
    "memory": _("out of memory"),
    "solver_error": _("solver failure"),
}
"""Why a solve stopped early."""

TABLES = {
    "allocation": pgettext("results", "units"),
    "enterprises": pgettext("results", "enterprises"),
    "sectors": _("sectors"),
    "provinces": _("provinces"),
    "duals": _("duals"),
    "conflict": _("conflict"),
    "relaxed_limits": _("relaxed limits"),
    "relaxed_units": _("relaxed units"),
    "years": _("years"),
    "sector_years": _("sector years"),
    "enterprise_years": _("enterprise years"),
    "unit_years": _("unit years"),
    "plans": _("plans"),
    "measure_years": _("measure years"),
    "balance_values": _("balance values"),
    "closure": _("closure"),
    "terminal_prices": _("terminal prices"),
    "terminal_plans": _("terminal plans"),
    "uplift": _("uplift"),
    "leaves": _("leaves"),
    "equilibrium": _("equilibrium"),
    "fixed_points": _("fixed points"),
    "cycles": _("cycles"),
    "units": pgettext("results", "units"),
    "compliance": _("compliance"),
    "holdings": _("holdings"),
    "issuance": _("issuance"),
    "compliance_sectors": _("compliance sectors"),
    "compliance_provinces": _("compliance provinces"),
    "nation": _("nation"),
    "shortfalls": _("shortfalls"),
    "investments": _("investments"),
    "operations": _("operations"),
    "scenario_years": _("scenario years"),
    "scenario_costs": _("scenario costs"),
    "investment_summary": _("investment summary"),
    "unmet_demand": _("unmet demand"),
    "summary": _("summary"),
    "prices": pgettext("results", "prices"),
    "certificate": _("certificate"),
}
"""Sheets by table; tables without an entry keep their name."""

COLUMNS = tuple(
    """
name intensity allowance_t change_t surplus_t surplus_rate at_bound top_up_t return_t units enterprises units_lower
units_upper units_fixed target_t target_sense under_target_t balance_value balance_value_lower balance_value_upper
balance_limit_t change_shadow_price largest_change_shadow_price deficit_shadow_price spread_shadow_price
least_squares_shadow_price exceptional level row index multiplier unit limit way_out by from to
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
value_of_stochastic_solution_cny value_of_perfect_information_cny price_year runs algorithm
""".split()  # noqa: SIM905 - one a line would be a page
)
"""Columns of results with a Chinese heading of their own; those of inputs are in `etsopt.data.tables.chinese`."""

WITH_UNITS = {"tco2e": "tCO2e", "t": "t"}


def heading_of_result(column: str) -> str:
    """Return the heading of a column of results: its name, or in Chinese what it is.

    >>> heading_of_result("allowance_t")
    'allowance_t'
    """
    if column in COLUMNS:
        return str(pgettext("heading", column))
    if column not in chinese.HEADINGS or not in_chinese():
        return column
    unit = WITH_UNITS.get(column.rpartition("_")[2])
    heading = chinese.HEADINGS[column][0]
    return heading + in_brackets(pgettext("unit", unit)) if unit else heading
