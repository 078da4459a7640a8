"""What a result must state: the theorem of each model, its stages, objectives, tables and columns, as data.

They follow from the instance and the model alone. A run claims a theorem by its model and brings an answer with hints,
such as multipliers; no word of it decides which parts of the theorem are checked. A theorem has two cases that exclude
each other: there is an answer, and then its main table, or none exists, and then the tables of that proof. A table or
column that no statement covers is refused, but for columns of the user's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etsopt.checking.tolerances import WHOLE_GAP_RELATIVE, WHOLE_GAPS_RELATIVE
from etsopt.checking.verdict import Violation
from etsopt.common.language import _, chain
from etsopt.data.tables.report_columns import SHOWN_WITH_RESULTS
from etsopt.data.tables.schema import USER_COLUMN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd

    from etsopt.checking.readings.instance_inputs import InstanceInputs

    Columns = Mapping[str, tuple[str, ...]]

EXCEPTIONS = ("exceptions", "exception_size", "exception_order")
"""Objectives that choose the exceptions, before all others."""

TIE_BREAKS = {
    "least_squares": "least_squares",
    "equal_rates": "squared_rates",
    "proportional": "squared_shares",
    "equal_losses": "squared_losses",
}
"""Objective of each tie-break that a policy may choose."""

ROUNDING, COST = "rounding", "cost"
INFEASIBLE, UNMET, MISSING = "target_relaxation", "unmet_demand", "missing_days"
"""What is least where there is no answer: relaxed tonnes, unmet tonnes of a market, missing days of reviewers."""

MARKETS = ("abatement", "clearing", "pathway")
"""Models of a market; all but the pathway start from an allocation, as an investment does."""

STARTED = ("abatement", "clearing", "investment")
"""Models that start from an allocation, which is proven as one that stands alone."""

OWN_STAGE = {
    **dict.fromkeys((*MARKETS, "investment"), (COST,)),
    "compliance": ("cost", "effort", "older_first"),
    "reconciliation": ("adjustment", "estimate", "interval"),
    "review_plan": ("uncovered",),
    "outlook": (COST,),
    "balance_value": (),
    "equilibrium": (),
}
"""Objectives of each model beside those of an allocation; a model without any only calculates."""

THEOREMS = ("allocation", *OWN_STAGE)
"""Models whose results the checker proves."""

MAIN = {
    **{name: name for name in THEOREMS},
    **dict.fromkeys(MARKETS, "unit_years"),
    "balance_value": "allocation",
    "review_plan": "plan",
    "investment": "investments",
}
"""Main table of each theorem, absent if there is no answer."""


def _columns(**tables: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(columns.split()) for name, columns in tables.items()}


_SUMS = "units emissions_tco2e reference_t allowance_t surplus_t surplus_rate units_lower units_upper units_fixed "
_BALANCE_VALUES = "balance_value balance_value_lower balance_value_upper "
_ISSUED = "pre_allocated_t top_up_t return_t "
_OWNERS = "unit_id enterprise_id sector province "
ALLOCATION = _columns(
    allocation=_OWNERS + "emissions_tco2e intensity reference_t allowance_t change_t surplus_t surplus_rate at_bound "
    "in_scope " + _ISSUED,
    enterprises="enterprise_id " + _SUMS + _ISSUED,
    sectors="sector target_t target_sense under_target_t " + _SUMS + _BALANCE_VALUES,
    provinces="province balance_limit_t " + _SUMS,
    fairness="level against allocation measured gini theil_between theil_within hoover atkinson coverage "
    "largest_loss_rate left_out_t",
)
DUALS = _columns(duals="level row index multiplier unit")

_YEAR = "year emissions_before_tco2e emissions_tco2e allowance_t "
_ACCOUNT = (
    "banked_before_t bought_t sold_t offset_t surrendered_t banked_t lapsed_t outstanding_t measures_cost_cny "
    "allowances_cost_cny transaction_cost_cny offsets_cost_cny penalty_cny total_cost_cny "
)
_PRICES = "price_cny_per_t price_lower_cny_per_t price_upper_cny_per_t price_unit price_obtained "
MARKET = _columns(
    duals="level row index year multiplier unit",
    years=_YEAR + _ACCOUNT + _PRICES + "transfers_cny resource_cost_cny",
    sector_years="sector output_t surplus_t measures_cost_cny measures_cost_cny_per_t " + _YEAR,
    enterprise_years="enterprise_id cost_cny_per_t " + _YEAR + _ACCOUNT,
    unit_years=_OWNERS + _YEAR + "in_scope surplus_t measures_cost_cny marginal_incentive_cny_per_t "
    "marginal_incentive_elsewhere_cny_per_t",
    plans="unit_id plan share measure_id step start_year last_year",
    measure_years="measure_id sector year units abated_tco2e measures_cost_cny",
    balance_values="sector year balance_value balance_value_before emissions_held_tco2e emissions_before_tco2e "
    "emissions_tco2e allowance_t residual_t",
    leaves="leaf place level unit_id measure_id step year runs",
    uplift="unit_id uplift_cny",
    closure="year price_cny_per_t set_by banked_t bank_empty_in terminal_price_cny_per_t unchanged_up_to_cny_per_t",
    terminal_prices="terminal_price_cny_per_t year status price_cny_per_t explained_share emissions_tco2e offset_t "
    "banked_t outstanding_t unsold_t released_t intake_t",
    terminal_plans="unit_id plan share measure_id step start_year last_year terminal_price_cny_per_t",
)
CLEARED = _columns(
    years="auctioned_t unsold_t external_demand_t rounding_remainder_t released_t intake_t reserve_t",
)
"""Columns of the years of a market that clears; a stated price has none of them."""

_FLOWS = "opening_t carried_over_t issued_t bought_t surrendered_t sold_t cancelled_t closing_t "
_SETTLED = (
    "units emissions_tco2e obligation_t offset_t shortfall_t deducted_next_year_t province_received_t "
    "province_surrendered_t province_released_t purchases_cny offsets_cny sales_cny transactions_cny penalty_cny "
    "fixed_fine_cny cost_cny kept_worth_cny " + _FLOWS
)
_COUNTED = "enterprises enterprises_at_risk enterprises_with_shortfall "
_BY_UNIT = "emissions_tco2e reference_t allowance_t " + _ISSUED
_STEP = "year balance_value residual_t emissions_tco2e measures_cost_cny "
OWN_TABLES: dict[str, Columns] = {
    "compliance": _columns(
        compliance="enterprise_id province at_risk " + _SETTLED,
        holdings="enterprise_id vintage usable " + _FLOWS,
        compliance_provinces="province " + _COUNTED + _SETTLED,
        nation="year " + _COUNTED + _SETTLED,
        shortfalls="enterprise_id province obligation_t shortfall_t regime reference_price_cny_per_t multiple "
        "penalty_cny fixed_fine_cny deducted_next_year_t",
        issuance=_OWNERS + "in_scope " + _BY_UNIT,
        compliance_sectors="sector enterprises units " + _BY_UNIT + _BALANCE_VALUES,
    ),
    "reconciliation": _columns(
        reconciliation="unit_id sector province quantities substituted gross_reports statements gross_statements "
        "reported_tco2e reconciled_tco2e lowest_tco2e highest_tco2e conservative_tco2e",
        reconciled_quantities="unit_id quantity_id basis gross_error reported least_adjusted reconciled at_lowest "
        "at_highest",
        reconciled_statements="unit_id statement_id kind gross_error least_adjusted_excess reconciled_excess "
        "adjustment_multiplier estimate_multiplier value_multiplier lowest_multiplier highest_multiplier",
    ),
    "review_plan": _columns(
        plan="enterprise_id name province city level days at_risk_tco2e covered_tco2e reason",
        trips="level province city enterprise_id reviews travel_days",
        review_days="level province enterprises reviews least_reviews drawn available_days review_days travel_days "
        "left_days covered_tco2e further_day_covers_tco2e further_review_costs_tco2e",
        uncovered="enterprise_id name province city at_risk_tco2e",
        review_summary="enterprises seed at_risk_tco2e covered_tco2e uncovered_tco2e priced_bound_tco2e",
    ),
    "outlook": _columns(
        outlook="case free_part capped terminal_price_cny_per_t peak_year peak_emissions_tco2e cap_missed_t "
        "auctioned_share_off",
        outlook_years="case year price_cny_per_t observed_price_cny_per_t tied_to_year emissions_tco2e cap_t "
        "allowance_t free_share auctioned_t revenue_cny offset_t banked_t",
        outlook_sectors="case sector year demand_at_reference_t demand_t product_price_cny_per_t output_t "
        "emissions_tco2e output_factor intensity_factor",
        outlook_sources="case supply_id year supply_t new_capacity_t",
        duals="level row index year multiplier unit",
    ),
    "equilibrium": _columns(
        equilibrium="sector status price_cny_per_t balance_value_before fixed_points cycle_length obtained "
        "emissions_before_tco2e allowance_t auctioned_t " + _STEP,
        fixed_points="sector number " + _STEP,
        cycles="sector year step balance_value",
        units=_OWNERS + _YEAR + "intensity auctioned_t surplus_t measures measures_cost_cny allowances_cost_cny "
        "total_cost_cny marginal_incentive_cny_per_t marginal_incentive_elsewhere_cny_per_t",
    ),
    "investment": _columns(
        investments="unit_id enterprise_id sector measure_id step installed first_year investment_cny",
        operations="unit_id measure_id step scenario year runs",
        scenario_years="enterprise_id scenario year price_cny_per_t emissions_tco2e allowance_t measures_cost_cny "
        "bought_t sold_t banked_t allowances_cost_cny total_cost_cny",
        scenario_costs="enterprise_id scenario probability weight cost_cny",
        investment_summary="enterprise_id investment_cny expected_cost_cny cvar_cny objective_cny price_year",
    ),
}
VALUES_STATED = _columns(
    investments="installed_at_mean",
    scenario_costs="cost_at_mean_cny least_cost_cny regret_cny",
    investment_summary="objective_at_mean_cny objective_perfect_information_cny value_of_stochastic_solution_cny "
    "value_of_perfect_information_cny",
)
BUDGETED = _columns(investment_summary="budget_cny budget_shadow_price")
"""Columns of an investment without and with a budget."""

RELAXED = _columns(
    relaxed_limits="way_out limit index by from to unit",
    relaxed_units="unit_id target_relaxation_allowance_t band_relaxation_allowance_t "
    "target_relaxation_exceptional band_relaxation_exceptional",
)
UNMET_TABLES = _columns(unmet_demand="year unmet_t")
MISSING_TABLES = _columns(
    missing_days="level province enterprises needed_reviews available_days needed_days missing_days"
)


@dataclass(frozen=True)
class Theorem:
    """A theorem: its model, objectives in lexicographic order, and every table with its columns.

    Parameters
    ----------
    model
        Name of the model.
    levels
        Objectives of all stages, in order.
    tables
        Columns of each table by name.
    infeasibility
        Objective that measures the infeasibility if there is no answer; empty if there is one.
    """

    model: str
    levels: tuple[str, ...]
    tables: Columns
    infeasibility: str = ""

    @property
    def calculated(self) -> bool:
        """True if nothing is optimised: every table follows from the instance."""
        return not self.levels and not self.infeasibility

    def misfits(self, tables: Mapping[str, pd.DataFrame], stated: Sequence[str]) -> Iterator[Violation]:
        """Yield the tables and columns that no statement covers, and objectives that are not those of the theorem."""
        for name, table in tables.items():
            if name not in self.tables:
                message = _("no statement on results of {model} covers the table", model=self.model)
                yield Violation("tables", name, 1.0, "tables", message)
                continue
            for column in table.columns:
                if column not in self.tables[name] and not _is_own(column):
                    message = _("no statement covers the column; one of your own begins with x_")
                    yield Violation("tables", f"{name}.{column}", 1.0, "columns", message)
        yield from self.wrong_levels(stated)

    def covered(self, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        """Return the tables of the theorem with the columns that a statement covers, without further ones of the user.

        Parameters
        ----------
        tables
            Tables without misfits.
        """
        return {
            name: table[[column for column in table.columns if column in self.tables[name]]]
            for name, table in tables.items()
        }

    def not_proven(self, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
        """Yield the columns that no statement covers, and those of which only the total is proven."""
        for name, table in tables.items():
            known = self.tables.get(name, ())
            yield from (f"{name}.{column}" for column in table.columns if column not in known and _is_own(column))
        if self.infeasibility == UNMET and len(tables.get(UNMET, ())) > 1:
            # What is unmet in one year may be bought in it and be missing in another: only the sum is least.
            yield f"{UNMET}: years"

    def wrong_levels(self, stated: Sequence[str]) -> Iterator[Violation]:
        """Yield a violation if objectives are not those of the theorem, in their order."""
        expected = (*self.levels, *([self.infeasibility] if self.infeasibility else []))
        # What is least without an answer stands alone, or after all objectives of the start.
        if tuple(stated) != expected[: len(stated)]:
            objectives = chain(expected or (_("none"),), _("{first}, {second}"))
            message = _("the objectives are, in order: {objectives}", objectives=objectives)
            yield Violation("levels", ", ".join(stated), 1.0, "levels", message)


def _is_own(column: object) -> bool:
    return str(column).startswith(USER_COLUMN_PREFIX)


def default_gap(model: str) -> float:
    """Return the largest relative gap that proves an integer objective of a model unless the reader asks for another.

    >>> default_gap("clearing"), default_gap("review_plan")
    (0.0001, 0.001)
    """
    return WHOLE_GAPS_RELATIVE.get(model, WHOLE_GAP_RELATIVE)


def theorem_of(instance: InstanceInputs, model: str, tables: Collection[str]) -> Theorem:
    """Return the theorem of a model, in the case of an answer or of none, which the names of the tables tell.

    Raises
    ------
    KeyError
        If the checker proves nothing of this model.
    """
    main, begins = MAIN[model], MAIN[model] == "allocation" or model in STARTED
    if model == "balance_value":
        return Theorem(model, (), _allocation(instance, ()))
    if begins and "allocation" not in tables:
        return Theorem(model, (), RELAXED | DUALS, INFEASIBLE)
    start = _start(instance) if begins else ()
    before = _allocation(instance, start) | DUALS if begins else {}
    if model in MARKETS and main not in tables:
        return Theorem(model, start, before | UNMET_TABLES | {"duals": MARKET["duals"]}, UNMET)
    if model == "review_plan" and main not in tables:
        return Theorem(model, (), MISSING_TABLES, MISSING)
    return Theorem(model, (*start, *OWN_STAGE.get(model, ())), before | own_tables(instance, model))


def own_tables(instance: InstanceInputs, model: str) -> dict[str, tuple[str, ...]]:
    """Return the tables of the own stage of a model, where there is an answer."""
    own = dict(MARKET if model in MARKETS else OWN_TABLES.get(model, {}))
    more = CLEARED if model in MARKETS and model != "abatement" else {}
    if model == "investment":
        more = VALUES_STATED if instance.policy.investment.budget_cny is None else BUDGETED
    return own | {name: own[name] + columns for name, columns in more.items()}


def _start(instance: InstanceInputs) -> tuple[str, ...]:
    """Return the objectives of an allocation in order."""
    policy = instance.policy.allocation
    first = EXCEPTIONS if policy.exceptions.units else ()
    return (*first, *policy.objectives, TIE_BREAKS[policy.tie_break], *([ROUNDING] if instance.rounds else []))


def _allocation(instance: InstanceInputs, levels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the tables of an allocation with these objectives; without any it is not optimised."""
    tables, policy = dict(ALLOCATION), instance.policy.allocation
    prices = tuple(f"{level}_shadow_price" for level in levels)
    shown = (*SHOWN_WITH_RESULTS, "name")
    tables["allocation"] += tuple(name for name in instance.units if name in shown or _is_own(name))
    tables["allocation"] += ("exceptional",) if policy.exceptions.units else ()
    tables["allocation"] += ("before_rounding_t",) if instance.rounds and levels else ()
    tables["enterprises"] += tuple(() if instance.enterprises is None else instance.enterprises)
    tables["provinces"] += prices
    tables["sectors"] += prices
    return tables
