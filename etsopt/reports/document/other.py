"""Sections of a compliance year, a reconciliation, a plan of reviews, and a model of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.language import _, pgettext
from etsopt.reports.compliance import FLOWS, MET, MONEY
from etsopt.reports.document.cells import sums_of, table_of, used
from etsopt.reports.document.content import Column, Paragraph, Section, Table
from etsopt.reports.document.figures import figure
from etsopt.reports.stated import as_stated
from etsopt.results.claims import PROGRAM
from etsopt.results.words import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.document.content import Block, Run

SURRENDER = (
    *("enterprises", "enterprises_at_risk", "enterprises_with_shortfall", "units"),
    *tuple(name for name, _heading in MET if name != "completion"),
)
MOVES = tuple(name for name, _heading in FLOWS)
MONEYS = tuple(name for name, _heading in MONEY)
ISSUED = (
    *("sector", "enterprises", "units", "emissions_tco2e", "reference_t", "allowance_t", "pre_allocated_t"),
    *("top_up_t", "return_t", "balance_value"),
)
SHORT = (
    *("enterprise_id", "province", "obligation_t", "shortfall_t", "regime", "reference_price_cny_per_t", "multiple"),
    *("penalty_cny", "fixed_fine_cny", "deducted_next_year_t"),
)
OWED = (
    *("enterprise_id", "province", "units", "obligation_t", "issued_t", "bought_t", "sold_t", "surrendered_t"),
    *("offset_t", "shortfall_t", "closing_t", "cost_cny"),
)
SHOWN = 20
MOST_ENTERPRISES = 10_000
"""Enterprises that the table with a search box holds."""

RECONCILED = (
    *("unit_id", "sector", "province", "reported_tco2e", "lowest_tco2e", "reconciled_tco2e", "highest_tco2e"),
    *("conservative_tco2e", "substituted", "gross_reports"),
)
REVIEWS = (
    *("level", "province", "enterprises", "reviews", "least_reviews", "drawn", "available_days", "review_days"),
    *("travel_days", "covered_tco2e", "further_day_covers_tco2e"),
)
PLAN = ("enterprise_id", "name", "province", "city", "level", "days", "at_risk_tco2e", "covered_tco2e", "reason")
LACKING = ("level", "province", "enterprises", "needed_reviews", "needed_days", "available_days", "missing_days")
KINDS = (
    *(pgettext("kind", "Set"), pgettext("kind", "Param"), pgettext("kind", "Var"), pgettext("kind", "Expression")),
    *(pgettext("kind", "Constraint"), pgettext("kind", "Objective")),
)
"""Components of a formulation."""

PREVIEW = 10
"""Rows of each table of a user's own model."""


def compliance(run: Run) -> Iterator[Section]:
    """Yield surrender, allowances and money of the nation and of provinces, shortfalls, and enterprises."""
    if "nation" not in run.tables or "compliance" not in run.tables:
        return
    nation, tables = run.tables["nation"], run.tables
    blocks: list[Block] = [
        table_of(nation, SURRENDER, _("Surrender")),
        table_of(nation, used(nation, MOVES), _("Allowances")),
        table_of(nation, used(nation, MONEYS), _("Money")),
    ]
    if "compliance_sectors" in tables:
        sectors = tables["compliance_sectors"]
        if run.results.held is not None:
            sectors = as_stated(sectors, run.results.instance, "sector")
        sums = sums_of(sectors, [name for name in ISSUED[2:9] if name in sectors and sectors[name].notna().all()])
        blocks.append(table_of(sectors, ISSUED, _("Issued by sector"), totals=sums))
    yield Section("nation", _("Surrender of the year"), (*blocks, *figure(run, "compliance")))
    if "compliance_provinces" in tables:
        provinces, foot = tables["compliance_provinces"], nation.iloc[0].to_dict()
        parts = (
            (SURRENDER, _("Surrender by province")),
            (MOVES, _("Allowances by province")),
            (MONEYS, _("Money by province")),
        )
        shown = tuple(
            table_of(provinces, used(provinces, ("province", *columns)), caption, totals=foot)
            for columns, caption in parts
        )
        yield Section("provinces", _("Provinces"), shown)
    if "shortfalls" in tables:
        short = tables["shortfalls"]
        found: Block = Paragraph(_("None: every enterprise meets its obligation in full."))
        if len(short):
            most = short.nlargest(SHOWN, "shortfall_t")
            note = _("{shown:,} of {count:,} enterprises.", shown=len(most), count=len(short))
            found = table_of(most, SHORT, _("Shortfalls"), note=note, exact=True)
        yield Section("shortfalls", _("Shortfalls"), (found,))
    yield from _enterprises(run)


def _enterprises(run: Run) -> Iterator[Section]:
    table = run.tables["compliance"]
    largest = table if len(table) <= MOST_ENTERPRISES else table.nlargest(MOST_ENTERPRISES, "obligation_t")
    caption = _("All {count:,} enterprises", count=len(table))
    if len(largest) < len(table):
        caption = _("The {largest:,} largest of {count:,} enterprises", largest=len(largest), count=len(table))
    text = pgettext(
        "page", "A sheet for each enterprise: etsopt report RUN --sheets; a letter to one: --letter ENTERPRISE."
    )
    listing = table_of(largest, used(largest, OWED), caption, exact=True, key="enterprises")
    yield Section("listing", _("Enterprises"), (Paragraph(text, "note"), listing))


def reconciliation(run: Run) -> Iterator[Section]:
    """Yield the interval of emissions of each unit."""
    if "reconciliation" not in run.tables:
        return
    table = run.tables["reconciliation"]
    caption = _("Emissions of units: reported, and what the evidence allows")
    yield Section(
        "reconciliation",
        _("Emissions that the evidence allows"),
        (
            *figure(run, "reconciliation"),
            table_of(table, RECONCILED, caption, exact=True, key="units"),
        ),
    )


def reviews(run: Run) -> Iterator[Section]:
    """Yield the reviews of each level and province, and the plan."""
    if "review_days" not in run.tables or "plan" not in run.tables:
        return
    days, plan = run.tables["review_days"], run.tables["plan"]
    yield Section(
        "reviews",
        _("Reviews"),
        (
            *figure(run, "review_plan"),
            table_of(days, REVIEWS, _("Reviews by level and province")),
            table_of(plan, PLAN, _("Plan"), exact=True, key="plan"),
        ),
    )


def missing_days(run: Run) -> Iterator[Section]:
    """Yield the days that reviewers lack, where no plan of reviews exists."""
    if "missing_days" not in run.tables:
        return
    table, title = run.tables["missing_days"], _("Days that are missing")
    yield Section("missing-days", title, (*figure(run, "missing_days"), table_of(table, LACKING, title)))


def own_model(run: Run) -> Iterator[Section]:
    """Yield the first rows of each table of a model that the checker does not know."""
    if run.about.get("formulation"):
        yield Section("formulation", _("Formulation"), (_formulation(run),))
    shown = []
    for name, table in run.tables.items():
        if name.startswith(PROGRAM):
            continue
        note = _("{shown} of {count:,} rows.", shown=min(len(table), PREVIEW), count=len(table))
        columns = [str(column) for column in table]
        shown.append(table_of(table.head(PREVIEW), columns, TABLES.get(name, name), note=note))
    if shown:
        yield Section("tables", _("Tables"), tuple(shown))


def _formulation(run: Run) -> Table:
    """Return the components of a user's own model with what their ``doc`` says."""
    rows = [(pgettext("kind", stated["kind"]), stated["name"], stated["doc"]) for stated in run.about["formulation"]]
    heads = (_("kind"), _("name"), _("meaning"))
    caption = _("What the file says of its components")
    return Table(caption, tuple(Column(head, "", False) for head in heads), tuple(rows))
