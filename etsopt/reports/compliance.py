"""The report of a compliance year: nation, provinces, shortfalls, and a sheet for each enterprise."""

from __future__ import annotations

from collections import defaultdict
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.errors import DataError, Problem, UsageError
from etsopt.language import Text, _, in_both, pgettext
from etsopt.reports.page import both, figures, heading, page, side_by_side
from etsopt.reports.stated import OF_PRE_ALLOCATION, as_stated
from etsopt.results.comparison import SOLVE_AGAIN, require
from etsopt.results.notices import covers_nation, notices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.data.instance import Instance
    from etsopt.reports.page import Row
    from etsopt.results.results import Results

FLOWS = (
    ("opening_t", pgettext("compliance", "opening")),
    ("carried_over_t", pgettext("compliance", "carried over")),
    ("issued_t", pgettext("compliance", "issued")),
    ("bought_t", pgettext("compliance", "bought")),
    ("surrendered_t", pgettext("compliance", "surrendered")),
    ("sold_t", pgettext("compliance", "sold")),
    ("cancelled_t", pgettext("compliance", "cancelled")),
    ("closing_t", pgettext("compliance", "closing")),
)
MET = (
    ("obligation_t", pgettext("compliance", "obligation")),
    ("surrendered_t", pgettext("compliance", "allowances surrendered")),
    ("offset_t", pgettext("compliance", "offsets used")),
    ("shortfall_t", pgettext("compliance", "shortfall")),
    ("completion", pgettext("compliance", "completion %")),
)
COUNTS = (
    ("enterprises", pgettext("compliance", "enterprises")),
    ("enterprises_at_risk", pgettext("compliance", "at risk")),
    ("enterprises_with_shortfall", pgettext("compliance", "with shortfall")),
    ("units", pgettext("compliance", "units")),
)
PROVINCE = (
    ("province_received_t", pgettext("compliance", "received")),
    ("province_surrendered_t", pgettext("compliance", "surrendered first")),
    ("province_released_t", pgettext("compliance", "released")),
)
MONEY = (
    ("purchases_cny", pgettext("compliance", "purchases")),
    ("offsets_cny", pgettext("compliance", "offsets")),
    ("transactions_cny", pgettext("compliance", "transactions")),
    ("penalty_cny", pgettext("compliance", "fine by shortfall")),
    ("fixed_fine_cny", pgettext("compliance", "fixed fine")),
    ("sales_cny", pgettext("compliance", "sales")),
    ("cost_cny", pgettext("compliance", "net cost")),
    ("kept_worth_cny", pgettext("compliance", "value of holdings")),
)
ISSUED = (
    ("emissions_tco2e", pgettext("compliance", "verified emissions")),
    ("reference_t", pgettext("compliance", "reference")),
    ("allowance_t", pgettext("compliance", "allowances")),
    ("pre_allocated_t", pgettext("compliance", "pre-allocated")),
    ("top_up_t", pgettext("compliance", "top-up")),
    ("return_t", pgettext("compliance", "return")),
)
NAME = ("enterprise_id", pgettext("compliance", "enterprise"))
WHERE = ("province", pgettext("compliance", "province"))

SURRENDER = pgettext("compliance", "Surrender")
ALLOWANCES = pgettext("compliance", "Allowances")
ISSUED_BY_SECTOR = pgettext("compliance", "Allowances issued by sector")
PROVINCIAL_ACCOUNTS = pgettext("compliance", "Provincial accounts for enterprises at risk")
MONEY_IN_CNY = pgettext("compliance", "Money [CNY]")
"""Titles of tables."""

LINKS = {
    "provinces": pgettext("link", "provinces"),
    "shortfalls": pgettext("link", "shortfalls"),
    "sheets": pgettext("link", "enterprises"),
}
"""Parts of the page beside that of all enterprises, as its links name them."""

QUANTITIES = _(
    "All quantities in whole tonnes (1 allowance = 1 t CO2e), amounts in CNY. "
    "In every account opening + carried over + issued + bought = surrendered + sold + cancelled + closing."
)
"""Units of measure of the page, and the identity of its accounts."""

TEXTS = {
    "compliance": ("enterprise_id", "province"),
    "holdings": ("enterprise_id",),
    "issuance": ("unit_id", "enterprise_id", "sector", "province"),
    "compliance_sectors": ("sector",),
    "compliance_provinces": ("province",),
    "nation": (),
    "shortfalls": ("enterprise_id", "province", "regime"),
}
"""Text columns of the page, by table."""

COMMON = tuple(name for name, *_ in (*FLOWS, *MET, *PROVINCE, *MONEY) if name != "completion")
COUNTED = tuple(name for name, *_ in COUNTS)
OF_RULE = tuple(name for name, *_ in ISSUED)
NUMBERS = {
    "compliance": ("emissions_tco2e", "at_risk", "deducted_next_year_t", *COMMON),
    "holdings": ("vintage", "usable", *(name for name, *_ in FLOWS)),
    "issuance": OF_RULE,
    "compliance_sectors": ("enterprises", "units", *OF_RULE),
    "compliance_provinces": (*COUNTED, *COMMON),
    "nation": (*COUNTED, *COMMON),
    "shortfalls": ("obligation_t", "shortfall_t", "penalty_cny", "fixed_fine_cny", "deducted_next_year_t"),
}
"""Number columns of the page, by table."""


def compliance_page(instance: Instance, results: Results, enterprises: Sequence[str] = ()) -> str:
    """Return the report of a compliance year as one HTML page.

    Parameters
    ----------
    enterprises
        Enterprises whose sheets to include; all if empty.

    Raises
    ------
    UsageError
        If the run is no compliance year, or has no such enterprise.
    DataError
        If a table or column of the run is missing.
    """
    tables = results.tables
    if "compliance" not in tables:
        advice = _("Solve one first: etsopt solve INSTANCE --model compliance --out DIR.")
        raise UsageError(_("The run holds no compliance year to report."), advice)
    require(results, TEXTS, NUMBERS, _("The run"))
    if not len(tables["nation"]):
        problem = Problem("tables/nation", _("has no row"), SOLVE_AGAIN)
        raise DataError(_("The run"), [problem])
    missing = sorted(set(enterprises) - set(tables["compliance"]["enterprise_id"]))
    if missing:
        what = _("The run has no enterprise {name}.", name=repr(missing[0]))
        raise UsageError(what, _("The table `compliance` of the run lists them."))
    year = instance.policy.year
    keys = {"issuance": "unit_id", "compliance_sectors": "sector"}
    tables = {**tables, **{name: as_stated(tables[name], instance, key) for name, key in keys.items()}}
    whole = _whole(results)
    parts = [_head(instance, results), _nation(tables, whole), _provinces(tables, whole), _shortfalls(tables)]
    parts += _sheets(instance, tables, set(enterprises))
    title = _("Compliance year {year}: {instance}", year=year, instance=results.provenance["instance"])
    return page(title, parts)


def _head(instance: Instance, results: Results) -> str:
    """Return the verdict, the inputs of the run, and the links of the page."""
    policy = instance.policy.model_dump(mode="json", exclude_none=True)
    market, penalty = policy.get("market", {}), policy.get("penalty", {})
    price = market.get("prices_cny_per_t")
    reference = penalty.get("reference_price_cny_per_t")
    verdict = _("certified: every figure recomputed from the instance")
    if not results.certified:
        verdict = _("not certified: the figures are not proven")
    told = [f'<p class="meta">{both(notice)}</p>' for notice in notices(results.provenance)]
    links = {"nation": _whole(results), **LINKS}
    lines = [
        f'<p><span class="verdict {"yes" if results.certified else "no"}">{both(verdict)}</span></p>',
        f'<p class="meta">Instance {escape(results.provenance["instance"])}, SHA-256 {instance.hash[:16]}…; rule '
        f"{escape(instance.policy.rule.name)}; allowance price {_stated(price)}; reference price of fines "
        f"{_stated(reference)}, multiple {penalty.get('multiple', 5):g}.</p>",
        *(f'<p class="meta" lang="{language}">{escape(text)}</p>' for language, text in in_both(QUANTITIES).items()),
        *told,
        "<nav>" + "".join(f'<a href="#{key}">{side_by_side(text)}</a>' for key, text in links.items()) + "</nav>",
    ]
    return "\n".join(lines)


def _stated(price: Any) -> str:
    if isinstance(price, dict):
        return ", ".join(f"{year}: {value:g}" for year, value in price.items()) + " CNY/t"
    return "not stated" if price is None else f"{price:g} CNY/t"


def _rows(table: pd.DataFrame) -> list[Row]:
    """Return the rows of a table, with the share of the obligation that is met."""
    met = table["surrendered_t"] + table["offset_t"]
    share = (100 * met / table["obligation_t"]).where(table["obligation_t"] > 0)
    # Rounded down: only an obligation met to the last tonne is 100 %.
    return table.assign(completion=(share * 100 // 1) / 100).to_dict("records")


def _whole(results: Results) -> Text:
    """Return what all enterprises together are."""
    return _("nation") if covers_nation(results.provenance) else _("this table")


ALL = _("all")


def _sectors(table: pd.DataFrame) -> pd.Series:
    """Return the sectors of a table in both languages."""
    return table["sector"].map({name: side_by_side(pgettext("sector", name)) for name in table["sector"].unique()})


def _nation(tables: dict[str, pd.DataFrame], whole: Text) -> str:
    nation = _rows(tables["nation"])
    sectors = tables["compliance_sectors"]
    sectors = sectors.assign(sector=_sectors(sectors))
    counts = (("sector", pgettext("compliance", "sector")), COUNTS[0], COUNTS[3], *ISSUED)
    balance = ("balance_value", pgettext("compliance", "balance value [t/t]"))
    total = sectors.select_dtypes("number").drop(columns="balance_value", errors="ignore").sum(min_count=1).to_dict()
    # A sum of some sectors is no total.
    total |= {name: np.nan for name in OF_PRE_ALLOCATION if sectors[name].isna().any()}
    # An enterprise may own units of several sectors.
    total |= {"sector": side_by_side(ALL), "enterprises": nation[0]["enterprises"]}
    blocks = [
        heading(whole, 2, "nation", capital=True),
        figures(nation, (*COUNTS, *MET)),
        heading(ALLOWANCES),
        figures(nation, FLOWS),
        heading(PROVINCIAL_ACCOUNTS),
        figures(nation, PROVINCE),
        heading(MONEY_IN_CNY),
        figures(nation, MONEY),
        heading(ISSUED_BY_SECTOR),
        figures(sectors.to_dict("records"), (*counts, balance), total),
    ]
    return "\n".join(blocks)


def _provinces(tables: dict[str, pd.DataFrame], whole: Text) -> str:
    provinces, nation = (_rows(tables[name]) for name in ("compliance_provinces", "nation"))
    foot = {**nation[0], "province": side_by_side(whole)}
    at_risk = [row for row in provinces if row["enterprises_at_risk"]]
    return "\n".join(
        [
            heading(pgettext("compliance", "Provinces"), 2, "provinces", part=True),
            heading(SURRENDER),
            figures(provinces, (WHERE, *COUNTS, *MET), foot),
            heading(ALLOWANCES),
            figures(provinces, (WHERE, *FLOWS), foot),
            heading(PROVINCIAL_ACCOUNTS),
            figures(at_risk, (WHERE, COUNTS[1], *PROVINCE), foot),
            heading(MONEY_IN_CNY),
            figures(provinces, (WHERE, *MONEY), foot),
        ]
    )


def _shortfalls(tables: dict[str, pd.DataFrame]) -> str:
    table = tables["shortfalls"]
    head = heading(pgettext("compliance", "Shortfalls"), 2, "shortfalls")
    if not len(table):
        none = pgettext("compliance", "None: every enterprise meets its obligation in full.")
        return f"{head}\n<p>{both(none)}</p>"
    law = ("regime", pgettext("compliance", "law at the deadline"))
    price, times = (
        ("reference_price_cny_per_t", pgettext("compliance", "reference price")),
        ("multiple", pgettext("compliance", "multiple")),
    )
    deducted = ("deducted_next_year_t", pgettext("compliance", "deducted next year"))
    headings = (NAME, WHERE, MET[0], MET[3], law, price, times, *MONEY[3:5], deducted)
    return f"{head}\n{figures(table.to_dict('records'), headings)}"


def _sheets(instance: Instance, tables: dict[str, pd.DataFrame], wanted: set[str]) -> Iterator[str]:
    """Yield one sheet for each enterprise."""
    yield heading(pgettext("compliance", "Enterprises"), 2, "sheets", part=True)
    names = _names(instance)
    vintages = tables["holdings"].assign(vintage=tables["holdings"]["vintage"].map("{:.0f}".format))
    holdings = _by_enterprise(vintages)
    units = _by_enterprise(tables["issuance"].assign(sector=_sectors(tables["issuance"])))
    for row in sorted(_rows(tables["compliance"]), key=lambda row: str(row["enterprise_id"])):
        enterprise = str(row["enterprise_id"])
        if not wanted or enterprise in wanted:
            yield _sheet(row, names.get(enterprise, ""), holdings[enterprise], units[enterprise])


def _by_enterprise(table: pd.DataFrame) -> defaultdict[str, list[Row]]:
    """Return the rows of a table by their enterprise."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in table.to_dict("records"):
        rows[row["enterprise_id"]].append(row)
    return rows


def _names(instance: Instance) -> dict[str, str]:
    table = instance.enterprises
    if table is None or "name" not in table:
        return {}
    return dict(zip(table["enterprise_id"], table["name"].fillna(""), strict=True))


def _sheet(row: Row, name: str, holdings: Sequence[Row], units: Sequence[Row]) -> str:
    enterprise, province = str(row["enterprise_id"]), str(row["province"])
    risk = both(pgettext("compliance", "allowances through the provincial account"))
    where = f"{escape(enterprise)}, {escape(province) or '–'}{f', {risk}' if row['at_risk'] else ''}"
    blocks = [
        f'<section class="sheet"><h3>{escape(name or enterprise)}</h3>',
        f'<p class="meta">{where}</p>',
        figures([row], (("emissions_tco2e", pgettext("compliance", "verified emissions")), *MET)),
    ]
    if units:
        blocks.append(
            figures(
                units,
                (
                    ("unit_id", pgettext("compliance", "unit")),
                    ("sector", pgettext("compliance", "sector")),
                    WHERE,
                    *ISSUED,
                ),
            )
        )
    if holdings:
        heads = (
            ("vintage", pgettext("compliance", "vintage")),
            ("usable", pgettext("compliance", "usable this year")),
            *FLOWS,
        )
        blocks.append(figures(holdings, heads, {**row, "vintage": side_by_side(ALL)}))
    if row["at_risk"]:
        blocks.append(figures([row], PROVINCE))
    deducted = (
        (("deducted_next_year_t", pgettext("compliance", "deducted next year [t]")),) if row["shortfall_t"] else ()
    )
    blocks.append(figures([row], (*MONEY, *deducted)))
    return "\n".join([*blocks, "</section>"])
