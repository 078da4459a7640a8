"""Monthly sheets of enterprises: emissions of a year by month and process, their figures, and the trail of each."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.accounting.chinese import one_reason
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _, pgettext
from etsopt.presenting.documents.columns import heading, table_of
from etsopt.presenting.documents.document import Column, Document, Paragraph, Section
from etsopt.presenting.documents.html import printable
from etsopt.presenting.documents.quantities import COUNT, FINE, NAME, Quantity, digits
from etsopt.reports.files import write_each
from etsopt.reports.monthly.review import FIGURES, stamped, with_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from etsopt.accounting import Verification
    from etsopt.presenting.documents.document import Table

UNITS = (
    *("unit_id", "status", "items", "items_national", "open_findings", "accounted_emissions_tco2e"),
    "verified_emissions_tco2e",
)
MONTHS = ("unit_id", "month", "process", "gas", "emissions_tco2e")
LINES = (
    *("month", "process", "item", "flow", "quantity", "unit", "ncv_gj_per_unit", "factor", "formula"),
    *("emissions_tco2e", "confidence", "rows"),
)
FINDINGS = ("finding", "open", "level", "unit_id", "name", "month", "item", "size_t", "reason", "closed_because")
CORRECTIONS = (
    *("unit_id", "month", "process", "item", *FIGURES, "version", "restored_version"),
    *("level", "who", "decided_on", "reason"),
)


def write_monthly_sheets(found: Verification, folder: str | Path, enterprises: Sequence[str] = ()) -> list[str]:
    """Write a sheet for each enterprise, one HTML file, English and Chinese, and return the names of the files.

    Parameters
    ----------
    folder
        Earlier sheets in it are replaced.
    enterprises
        Only these; empty for all.

    Raises
    ------
    UsageError
        If an enterprise has no unit with reports of the year, or jinja2 is not installed.
    OSError
        With the name of the file that could not be written.
    """
    folder = Path(folder)
    known = sorted(set(found.units["enterprise_id"].tolist()))
    if unknown := [name for name in enterprises if name not in known]:
        text = _("No unit of enterprise {name} has reports of {year}.")
        what = _(text, name=brief(unknown[0]), year=found.year)
        raise UsageError(what, _("Name an enterprise of the register with reports of that year."))
    lines = _lines(found)
    chosen = list(dict.fromkeys(enterprises)) or known
    files = write_each(
        folder, "{}.html", chosen, lambda one: printable(partial(_document, found, lines, one)), _("writing sheets")
    )
    return [f"{folder.name}/{file.name}" for file in files]


def _lines(found: Verification) -> pd.DataFrame:
    """Return the figures of the year, each with the rows that it comes from."""
    lines = found.accounts.lines
    lines = lines[lines["month"].str.startswith(f"{found.year}-")]
    trail = found.accounts.trail
    trail = trail[trail["figure"].isin(lines["figure"])]
    source = trail["file"] + ", " + trail["line"].astype(str) + ", v" + trail["version"].astype(str)
    rows = source.groupby(trail["figure"]).agg("; ".join)
    return lines.assign(rows=lines["figure"].map(rows).fillna(""))


def _document(found: Verification, lines: pd.DataFrame, enterprise: str) -> Document:
    """Return the sheet of an enterprise in the language of the moment."""
    units = found.units[found.units["enterprise_id"] == enterprise]
    own, monthly, state = sorted(units["unit_id"]), found.accounts.monthly, found.review
    monthly = monthly[monthly["unit_id"].isin(own) & monthly["month"].str.startswith(f"{found.year}-")]
    findings = one_reason(state.findings[state.findings["enterprise_id"] == enterprise])
    corrections = state.corrections[state.corrections["unit_id"].isin(own)]
    restored = corrections["restored_version"].where(corrections["restored_version"] > 0)
    note = _("Emissions are verified once the national level has passed every item of the year.")
    by_unit = ((lines[lines["unit_id"] == unit], _("Figures of {unit}", unit=unit)) for unit in own)
    return Document(
        title=_("Monthly reports {year}: {enterprise}", year=found.year, enterprise=enterprise),
        kicker="",
        answer="",
        sections=(
            _section("year", _("Emissions of the year"), units, UNITS, note),
            _section("months", _("Emissions by month, process and gas"), monthly, MONTHS),
            Section("figures", _("Figures and their sources"), tuple(_table(*one, LINES) for one in by_unit)),
            _section("findings", _("Findings"), findings, with_names(findings, FINDINGS)),
            _section("corrections", _("Corrections"), corrections.assign(restored_version=restored), CORRECTIONS),
            *([Section("ledger", _("Ledger"), proof)] if (proof := stamped(state.line, state.altered)) else []),
        ),
    )


def _section(key: str, title: str, table: pd.DataFrame, columns: Sequence[str], note: str = "") -> Section:
    """Return a section of one table, or of the word that there is nothing."""
    return Section(key, title, (_table(table, title, columns, note) if len(table) else Paragraph(_("None.")),))


def _table(table: pd.DataFrame, caption: str, columns: Sequence[str], note: str = "") -> Table:
    own = {
        "items_national": Column(pgettext("sheet", "passed nationally"), COUNT),
        "ncv_gj_per_unit": Column(pgettext("sheet", "NCV GJ/unit"), Quantity(digits(",.3f"))),
        "factor": Column(heading("factor"), FINE._replace(unit="")),
        "rows": Column(pgettext("sheet", "rows: file, line, version")),
        "restored_version": Column(pgettext("sheet", "restored from"), NAME),
    }
    return table_of(table, columns, caption, note=note, own=own)
