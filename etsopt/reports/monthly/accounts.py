"""Accounts of monthly reports: sectors, units, and the factors that need a second look."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from etsopt.common.language import _, in_brackets, joined
from etsopt.presenting.documents.columns import heading, in_one_scale, table_of
from etsopt.presenting.documents.document import Column, Document, Paragraph, Points, Section, Table, noted
from etsopt.presenting.documents.quantities import ACCOUNTED, FIGURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.accounting import Accounts, Reports
    from etsopt.presenting.documents.document import Block

GASES = ("CO2", "CF4", "C2F6")
SECTORS = ("sector", "year", "units", "emissions_tco2e", *GASES, "intensity")
UNITS = ("unit_id", "year", "months", "emissions_tco2e", "output_t", "intensity", "confidence")

POWER = (
    *("unit_id", "year", "emissions_tco2e", "generation_mwh", "heat_gj", "electricity_emissions_tco2e"),
    "heat_emissions_tco2e",
)

MADE = {"generation_mwh": (_("generation"), "MWh"), "heat_gj": (_("heat supplied"), "GJ")}
"""What power units make: its heading and unit of measure."""

REMARKS = {
    "C": _(
        "{count} of {factors} factors have confidence C (one secondary source, or recalled), behind {share:.1%} of the "
        "emissions: {names}."
    ),
    "stated": _(
        "{count} of {factors} factors are stated in place of the official ones, behind {share:.1%} of the emissions: "
        "{names}."
    ),
}
"""Remarks on factors by their confidence."""


def factors(table: pd.DataFrame) -> Section:
    """Return all factors with value, unit, source and confidence, and how to replace them."""
    sources = list(dict.fromkeys(table["source"]))
    rows = []
    for row in table.itertuples():
        official = _("official {value}", value=row.official)
        value = row.value if row.value == row.official else noted(row.value, official)
        rows.append((row.factor, value, row.unit, f"{row.confidence} [{sources.index(row.source) + 1}]".strip()))
    columns = (
        Column(heading("factor")),
        Column(heading("value"), FIGURES, 1),
        Column(_("unit")),
        Column(heading("source"), priority=3),
    )
    title = _("Factors")
    listed = tuple(f"[{number}] {source}." for number, source in enumerate(sources, 1))
    text = _("Replace one by --set KEY=VALUE, or under [accounting] in accounting.toml.")
    return Section("factors", title, (Table(title, columns, tuple(rows)), Paragraph(text), Points(listed)))


def accounts(reports: Reports, found: Accounts) -> Document:
    """Return the emissions of sectors by gas and of units by year, and what limits their confidence."""
    months = found.unit_months["month"]
    answer = _(
        "{rows:,} rows of {units:,} units, {first} to {last}",
        rows=len(reports.rows),
        units=found.unit_years["unit_id"].nunique(),
        first=months.min(),
        last=months.max(),
    )
    if replaced := int((~reports.current).sum()):
        text = _("{rows_of_units}, {replaced:,} replaced by a later version")
        answer = _(text, rows_of_units=answer, replaced=replaced)
    tonnes = {name: Column(heading(name), ACCOUNTED, 1) for name in ("emissions_tco2e", "output_t")}
    units = table_of(found.unit_years, UNITS, _("Units"), key="units", own=tonnes)
    blocks: tuple[Block, ...] = (_sectors(found), units, *_power(found), Points(tuple(_remarks(found))))
    return Document(answer, "", answer, sections=(Section("accounts", _("Accounts"), blocks),))


def _sectors(found: Accounts) -> Table:
    """Return emissions of sectors by year and gas; the intensity is that of all units together."""
    groups = found.unit_years.groupby(["sector", "year"])
    sums = groups[["emissions_tco2e", "intensity_emissions_tco2e", "intensity_output_t"]].sum()
    # A gas that the sector does not emit has no figure.
    gases = found.annual.pivot_table("emissions_tco2e", ["sector", "year"], "gas", "sum").reindex(columns=GASES)
    output = sums["intensity_output_t"].where(sums["intensity_output_t"] > 0)
    table = sums.join(gases).assign(units=groups.size(), intensity=sums["intensity_emissions_tco2e"] / output)
    own = in_one_scale(table, ("emissions_tco2e", *GASES))
    return table_of(table.reset_index(), SECTORS, _("Sectors"), own=own)


def _power(found: Accounts) -> Iterator[Table]:
    """Yield electricity and heat of power units by year, if there are any; unknown is a sum with an unknown month."""
    if found.power.empty:
        return
    months = found.power.assign(year=found.power["month"].str[:4].astype(int))
    years = months.groupby(["unit_id", "year"])[list(POWER[2:])].agg(lambda cells: cells.sum(skipna=False))
    made = months.groupby(["unit_id", "year"])[list(MADE)].sum(min_count=1)
    own = {name: Column(heading(name), ACCOUNTED, 1) for name in POWER[2:] if name.endswith("_tco2e")}
    own |= {name: Column(title, ACCOUNTED._replace(unit=unit), 1) for name, (title, unit) in MADE.items()}
    without = years["heat_emissions_tco2e"].isna().any()
    text = _(
        "Without the ratio of supplied heat (heat_supply_ratio, %) of every month with heat, the emissions are not "
        "divided among electricity and heat."
    )
    note = text if without else ""
    yield table_of(years.assign(**made).reset_index(), POWER, _("Power units"), key="power", own=own, note=note)


def _remarks(found: Accounts) -> Iterator[str]:
    """Yield a sentence on uncertain and stated factors, and on incomplete years."""
    used, amounts = found.factors, found.lines["emissions_tco2e"].abs()
    for mark, text in REMARKS.items():
        keys = used["factor"][used["confidence"] == mark].tolist()
        if keys:
            share = amounts[found.lines["confidence"] == mark].sum() / (amounts.sum() or 1.0)
            yield _(text, count=len(keys), factors=len(used), share=share, names=_grouped(keys))
    if count := len(found.substitutes):
        clauses = joined(sorted(set(found.substitutes["clause"])))
        text = _("{count:,} figures stand in for missing measurements, by {clauses}: table {table}.")
        yield _(text, count=count, clauses=clauses, table="substitutes")
    short = int((found.unit_years["months"] < 12).sum())
    if short:
        yield _("{short:,} years of units have fewer than 12 months.", short=short)


def _grouped(keys: list[str]) -> str:
    """Return keys by their first parts, with the number of those that share them."""
    rooms = Counter(f"{'.'.join(key.split('.')[:2])}.*" if key.count(".") > 1 else key for key in keys)
    return joined(f"{room}{in_brackets(count)}" if room.endswith("*") else room for room, count in rooms.items())
