"""Tables of accounts, lists and reviews in the language of the moment: headings, and the words in cells.

English tables have codes. Their Chinese is in the catalogue, that of a heading under `HEADING`, and that of a word
under its column; what people may write in reports as well comes from the vocabulary.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.headings import ROW_HEADINGS
from etsopt.accounting.inclusion import REASONS
from etsopt.accounting.review.decisions import NAMES, OF_ITEMS
from etsopt.accounting.review.words import ACTORS, DECISIONS, FILING, STATUSES, YEAR_STATUSES, by_chinese
from etsopt.accounting.schema import ACTIVITIES
from etsopt.accounting.screening.causes import CAUSES, MISTAKEN, USUAL_BY
from etsopt.accounting.screening.registry import KINDS
from etsopt.accounting.substitutes import SUBSTITUTED
from etsopt.accounting.tables import FORMULAS
from etsopt.accounting.trail import ROLES
from etsopt.accounting.vocabulary import FLOWS, GAS_UNIT, ITEMS, MINUTES, OTHER, PROCESSES, TONNE
from etsopt.common.language import _, in_chinese, pgettext
from etsopt.data.tables.schema import SECTORS

if TYPE_CHECKING:
    import pandas as pd

HEADING = "account heading"

OF_PLAN = {name: f"plan_{name}" for name in ("level", "enterprises", "days", "reason", "covered_tco2e", "missing_days")}
"""Columns of a plan of reviews that mean something else in accounts and lists."""

HEADINGS = (
    *"""
entry at_utc entry_kind what rows_new rows_corrected rows_unchanged files decision level who decided_on finding open
closed_by_level closed_by closed_on closed_because items items_decided items_first_pass first_pass_rate open_findings
open_size_t items_with_open_findings status filed_on days_after filing late_months missing_months restored_version event
accounted_emissions_tco2e verified_emissions_tco2e enterprise_id entity_id name sector own_sector province year months
gas ncv_basis factor factors formula guideline emissions_tco2e emissions_at_yearly_ncv_tco2e output_t
intensity_output_t intensity_emissions_tco2e intensity carbide_slag_rate confidence figure role file line value official
meaning source activity in_scope covered_tco2e enterprises units reason listed not_listed near margin_tco2e rule rules
kind thresholds findings count cause probability size_t reason_zh margin_rate day days stack basis flow_1e4_nm3
co2_percent load_rate
monitored_tco2 calculated_tco2 difference_tco2 ratio unusual measured_days standstill_days filled_days missing_days
unusual_days months_with_ratio drift_per_year drift_lower drift_upper drifts listed_tco2e not_listed_tco2e
without_near_tco2e with_near_tco2e scope_of_year_before_tco2e city at_risk_tco2e uncovered_tco2e reviews least_reviews
needed_reviews drawn available_days review_days travel_days left_days needed_days further_day_covers_tco2e
further_review_costs_tco2e priced_bound_tco2e seed quantity_before ncv_before_gj_per_unit substituted clause
corrected generation_mwh heat_gj fuel_heat_gj biomass_heat_rate heat_supply_ratio electricity_emissions_tco2e
heat_emissions_tco2e electricity_tco2_per_mwh heat_tco2_per_gj
""".split(),  # noqa: SIM905 - one a line would be a page
    *ROW_HEADINGS,
    *(f"items_{name}" for name in STATUSES),
    *OF_PLAN.values(),
)
"""Columns of all tables."""

CODES = {
    HEADING: HEADINGS,
    "sector": SECTORS,
    "process": (OTHER,),
    "reason": REASONS,
    "activity": ACTIVITIES,
    "kind": KINDS,
    "cause": CAUSES,
    "usual_by": USUAL_BY,
    "mistaken": MISTAKEN,
    "measure": (TONNE, GAS_UNIT, MINUTES),
    "entry_kind": ("import", "review"),
    "level": ACTORS,
    "status": (*STATUSES, *YEAR_STATUSES),
    "year status": YEAR_STATUSES,
    "filing": FILING,
    "decision": ("report", *DECISIONS),
    "basis": ("measured", "standstill", "filled_co2", "filled_flow", "filled_both", "missing"),
    "ncv_basis": ("measured", "default", "both"),
    "role": ROLES,
    "substituted": SUBSTITUTED,
    "plan_reason": ("coverage", "risk", "drawn"),
    "confidence": ("stated",),
    "formula": FORMULAS,
}
"""Codes whose words the catalogue has."""

VOCABULARY = {
    HEADING: {column: words[0] for column, words in ROW_HEADINGS.items()},
    "process": PROCESSES,
    "item": {name: item.chinese for name, item in ITEMS.items()},
    "flow": FLOWS,
}
"""Codes whose words reports may have."""

ALIKE = {"own_sector": "sector", "closed_by_level": "level", "plan_level": "level", "event": "decision"}
"""Columns with the words of another."""


def headings_of_decisions() -> dict[str, str]:
    """Return the columns of a table of decisions by their Chinese headings, of files and of what is printed."""
    return by_chinese("column", NAMES) | by_chinese(HEADING, (*NAMES, *OF_ITEMS))


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in the language of the moment: in Chinese with headings and words, and with one reason."""
    if not in_chinese():
        return table
    table = one_reason(table)
    table = table.assign(**{name: _words(ALIKE.get(name, name), table[name]) for name in table})
    return table.rename(columns={name: str(pgettext(HEADING, name)) for name in HEADINGS})


def _words(column: str, cells: pd.Series) -> pd.Series:
    """Return the cells of a column with words in place of codes."""
    if cells.dtype == bool:
        return cells.map({True: str(_("yes")), False: str(_("no"))})
    words = {code: str(pgettext(column, code)) for code in (*CODES.get(column, ()), *VOCABULARY.get(column, ()))}
    return cells.map(lambda cell: words.get(cell, cell)) if words else cells


def one_reason(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the reason in the language of the moment alone, if that is stated."""
    if "reason_zh" not in table:
        return table
    own = table["reason_zh"] if in_chinese() else table["reason"]
    return table.assign(reason=own.where(own != "", table["reason"])).drop(columns="reason_zh")


def plan_in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of a plan of reviews in Chinese."""
    return in_words(table.rename(columns=OF_PLAN))
