"""A compliance year: sections of the report of a run, and the page to print, with a sheet for each enterprise."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from etsopt.common.errors import DataError, Problem, UsageError
from etsopt.common.language import _, pgettext
from etsopt.presenting.documents.columns import heading, sums_of, table_of, used, words_of
from etsopt.presenting.documents.document import Document, Facts, Paragraph, Section, noted
from etsopt.reports.answer import answer, status
from etsopt.reports.inputs_section import inputs_section
from etsopt.reports.remarks import warnings
from etsopt.reports.run import Run, figure
from etsopt.reports.stated import OF_PRE_ALLOCATION, as_stated
from etsopt.running.results.comparison import SOLVE_AGAIN, require
from etsopt.running.results.notices import covers_nation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    import pandas as pd

    from etsopt.data.instance import Instance
    from etsopt.presenting.documents.document import Block, Table
    from etsopt.running.results.results import Results

COUNTS = ("enterprises", "enterprises_at_risk", "enterprises_with_shortfall", "units")
MET = ("obligation_t", "surrendered_t", "offset_t", "shortfall_t")
FLOWS = (
    *("opening_t", "carried_over_t", "issued_t", "bought_t", "surrendered_t", "sold_t", "cancelled_t", "closing_t"),
)
PROVINCE = ("province_received_t", "province_surrendered_t", "province_released_t")
MONEY = (
    *("purchases_cny", "offsets_cny", "transactions_cny", "penalty_cny", "fixed_fine_cny", "sales_cny", "cost_cny"),
    "kept_worth_cny",
)
OF_RULE = ("emissions_tco2e", "reference_t", "allowance_t", *OF_PRE_ALLOCATION)
SHORT = (
    *("enterprise_id", "province", "obligation_t", "shortfall_t", "regime", "reference_price_cny_per_t", "multiple"),
    *("penalty_cny", "fixed_fine_cny", "deducted_next_year_t"),
)
OWED = (
    *("enterprise_id", "province", "units", "obligation_t", "issued_t", "bought_t", "sold_t", "surrendered_t"),
    *("offset_t", "shortfall_t", "closing_t", "cost_cny"),
)
SHOWN = 20
"""Enterprises with a shortfall that the report of a run shows; the page to print has all."""

MOST_ENTERPRISES = 10_000
"""Enterprises that the table with a search box holds."""

IDENTITY = _(
    "1 allowance = 1 t CO2e. In every account opening + carried over + issued + bought = surrendered + sold + "
    "cancelled + closing."
)
"""What holds of the accounts of the page to print."""

PROVINCIAL = pgettext("compliance", "Provincial accounts for enterprises at risk")

TEXTS = {
    "compliance": ("enterprise_id", "province"),
    "holdings": ("enterprise_id",),
    "issuance": ("unit_id", "enterprise_id", "sector", "province"),
    "compliance_sectors": ("sector",),
    "compliance_provinces": ("province",),
    "nation": (),
    "shortfalls": ("enterprise_id", "province", "regime"),
}
"""Text columns of the page to print, by table."""

COMMON = (*FLOWS, *MET, *PROVINCE, *MONEY)
NUMBERS = {
    "compliance": ("emissions_tco2e", "at_risk", "deducted_next_year_t", *COMMON),
    "holdings": ("vintage", "usable", *FLOWS),
    "issuance": OF_RULE,
    "compliance_sectors": ("enterprises", "units", *OF_RULE),
    "compliance_provinces": (*COUNTS, *COMMON),
    "nation": (*COUNTS, *COMMON),
    "shortfalls": ("obligation_t", "shortfall_t", "penalty_cny", "fixed_fine_cny", "deducted_next_year_t"),
}
"""Number columns of the page to print, by table."""


def compliance(run: Run) -> Iterator[Section]:
    """Yield surrender, allowances and money of the nation and of provinces, shortfalls, and enterprises."""
    if "nation" in run.tables and "compliance" in run.tables:
        yield _nation(run, *figure(run, "compliance"))
        yield from _parts(run, SHOWN)
        yield _enterprises(run)


def compliance_page(instance: Instance, results: Results, enterprises: Sequence[str] = ()) -> str:
    """Return a compliance year as one HTML page to print, with a sheet for each enterprise.

    Parameters
    ----------
    enterprises
        Enterprises whose sheets to include; all if empty.

    Raises
    ------
    UsageError
        If the run is no compliance year, or has no such enterprise, or jinja2 is not installed.
    DataError
        If a table or column of the run is missing.
    """
    from etsopt.presenting.documents.html import printable

    tables = results.tables
    if "compliance" not in tables:
        advice = _("Solve one first: etsopt solve INSTANCE --model compliance --out DIR.")
        raise UsageError(_("The run holds no compliance year to report."), advice)
    require(results, TEXTS, NUMBERS, _("The run"))
    if not len(tables["nation"]):
        problem = Problem("tables/nation", _("has no row"), SOLVE_AGAIN)
        raise DataError(_("The run"), [problem])
    if missing := sorted(set(enterprises) - set(tables["compliance"]["enterprise_id"])):
        what = _("The run has no enterprise {name}.", name=repr(missing[0]))
        raise UsageError(what, _("The table `compliance` of the run lists them."))
    run = Run(replace(results, held=instance))
    return printable(lambda: _document(run, enterprises))


def _document(run: Run, enterprises: Sequence[str]) -> Document:
    year, instance = run.results.instance.policy.year, run.about.instance
    parts = [replace(part, begins_page=part.key == "provinces") for part in _parts(run, len(run.tables["compliance"]))]
    return Document(
        title=_("Compliance year {year}: {instance}", year=year, instance=instance),
        kicker="",
        answer=answer(run),
        status=status(run),
        proven=run.results.certified,
        warnings=warnings(run),
        sections=(inputs_section(run), _nation(run, Paragraph(IDENTITY, "note")), *parts, *_sheets(run, enterprises)),
        imprint=run.imprint,
    )


def _nation(run: Run, *more: Block) -> Section:
    """Return the accounts of all enterprises, and what is issued by sector."""
    nation = run.tables["nation"]
    blocks = [*_accounts(nation)]
    if "compliance_sectors" in run.tables:
        sectors = run.tables["compliance_sectors"]
        if run.results.held is not None:
            sectors = as_stated(sectors, run.results.instance, "sector")
        # A sum of some sectors is no total, and an enterprise may own units of several sectors.
        known = [name for name in ("units", *OF_RULE) if name in sectors and sectors[name].notna().all()]
        totals = {**sums_of(sectors, known), "enterprises": nation["enterprises"].iloc[0]}
        columns = ("sector", "enterprises", "units", *OF_RULE, "balance_value")
        blocks.append(table_of(sectors, columns, _("Issued by sector"), totals=totals))
    whole = _("nation") if covers_nation(run.about) else _("this table")
    return Section("nation", noted(_("Surrender of the year"), whole), (*blocks, *more))


def _parts(run: Run, most: int) -> Iterator[Section]:
    """Yield the accounts of provinces, and the largest shortfalls, as many as are shown at most."""
    tables = run.tables
    if "compliance_provinces" in tables:
        foot = _with_completion(tables["nation"]).iloc[0].to_dict()
        yield Section("provinces", _("Provinces"), tuple(_accounts(tables["compliance_provinces"], "province", foot)))
    if "shortfalls" in tables:
        short, title = tables["shortfalls"], _("Shortfalls")
        found: Block = Paragraph(_("None: every enterprise meets its obligation in full."))
        if len(short):
            largest = short if len(short) <= most else short.nlargest(most, "shortfall_t")
            note = _("{shown:,} of {count:,} enterprises.", shown=len(largest), count=len(short))
            found = table_of(largest, SHORT, title, note=note if len(largest) < len(short) else "", exact=True)
        yield Section("shortfalls", title, (found,))


def _accounts(table: pd.DataFrame, name: str = "", totals: dict[str, float] | None = None) -> Iterator[Table]:
    """Yield surrender, allowances, provincial accounts and money of a table with a row for each of that name."""
    first = [name] if name else []
    surrender = (*COUNTS, *MET, "completion")
    yield table_of(_with_completion(table), (*first, *surrender), _("Surrender"), totals=totals)
    at_risk = table[table["enterprises_at_risk"] > 0]
    accounts = (table, FLOWS, _("Allowances")), (at_risk, PROVINCE, PROVINCIAL), (table, MONEY, _("Money"))
    for rows, columns, caption in accounts:
        if shown := used(rows, columns):
            yield table_of(rows, (*first, *shown), caption, totals=totals)


def _with_completion(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the share of the obligation that is met [%]."""
    met = table["surrendered_t"] + table["offset_t"]
    share = (100 * met / table["obligation_t"]).where(table["obligation_t"] > 0)
    # Rounded down: only an obligation met to the last tonne is 100 %.
    return table.assign(completion=(share * 100 // 1) / 100)


def _enterprises(run: Run) -> Section:
    table = run.tables["compliance"]
    largest = table if len(table) <= MOST_ENTERPRISES else table.nlargest(MOST_ENTERPRISES, "obligation_t")
    caption = _("All {count:,} enterprises", count=len(table))
    if len(largest) < len(table):
        caption = _("The {largest:,} largest of {count:,} enterprises", largest=len(largest), count=len(table))
    text = pgettext(
        "page", "A sheet for each enterprise: etsopt report RUN --sheets; a letter to one: --letter ENTERPRISE."
    )
    listing = table_of(largest, used(largest, OWED), caption, exact=True, key="enterprises")
    return Section("listing", _("Enterprises"), (Paragraph(text, "note"), listing))


def _sheets(run: Run, enterprises: Sequence[str]) -> Iterator[Section]:
    """Yield the heading of the sheets, and one for each enterprise."""
    instance, owners = run.results.instance, _with_completion(run.tables["compliance"])
    owners = owners[owners["enterprise_id"].isin(enterprises)] if enterprises else owners
    issued, at_risk = as_stated(run.tables["issuance"], instance, "unit_id"), owners[owners["at_risk"].astype(bool)]
    flows = owners[["enterprise_id", *FLOWS]].itertuples(index=False, name=None)
    totals = {enterprise: (_("all"), "", *amounts) for enterprise, *amounts in flows}
    parts = (
        _by_enterprise(owners, ("emissions_tco2e", *MET, "completion", "deducted_next_year_t"), _("Surrender")),
        _by_enterprise(issued, ("unit_id", "sector", "province", *OF_RULE), _("Units")),
        _by_enterprise(run.tables["holdings"], ("vintage", "usable", *FLOWS), _("Holdings by vintage"), totals),
        _by_enterprise(at_risk, PROVINCE, PROVINCIAL),
        _by_enterprise(owners, MONEY, _("Money")),
    )
    names = {}
    if instance.enterprises is not None and "name" in instance.enterprises:
        names = dict(zip(instance.enterprises["enterprise_id"], instance.enterprises["name"].fillna(""), strict=True))
    yield Section("sheets", pgettext("compliance", "Enterprises"), (), begins_page=True)
    labels = (heading("enterprise_id"), heading("province"), _("differentiated allocation"))
    risk = pgettext("compliance", "allowances through the provincial account")
    told = zip(owners["enterprise_id"], words_of("province", owners["province"]), owners["at_risk"], strict=True)
    for number, (enterprise, province, through) in enumerate(sorted(told)):
        pairs = tuple(zip(labels, (enterprise, province, *([risk] if through else [])), strict=False))
        tables = (part[enterprise] for part in parts if enterprise in part)
        # The first follows the heading.
        yield Section("", names.get(enterprise) or enterprise, (Facts(pairs), *tables), begins_page=number > 0)


def _by_enterprise(
    table: pd.DataFrame, columns: Sequence[str], caption: str, feet: Mapping[str, tuple[Any, ...]] | None = None
) -> dict[str, Table]:
    """Return a table of the rows of each enterprise, with its row of totals."""
    # All are in one scale, so that they are alike.
    whole, rows = table_of(table, columns, caption).in_scale(exact=True), defaultdict(list)
    for enterprise, row in zip(table["enterprise_id"], whole.rows, strict=True):
        rows[enterprise].append(row)
    return {name: replace(whole, rows=tuple(own), foot=(feet or {}).get(name, ())) for name, own in rows.items()}
