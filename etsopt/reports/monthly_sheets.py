"""Monthly sheets of enterprises: emissions of a year by month and process, their figures, and the trail of each."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.data.files.aside import written_aside
from etsopt.data.files.atomic import naming
from etsopt.errors import UsageError, brief
from etsopt.language import _, in_both, pgettext
from etsopt.progress import checkpoint
from etsopt.reports.page import both, figures, heading, page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.accounting import Verification
    from etsopt.reports.page import Heading, Row

UNITS: tuple[Heading, ...] = (
    ("unit_id", pgettext("sheet", "unit")),
    ("status", pgettext("sheet", "status")),
    ("items", pgettext("sheet", "items")),
    ("items_national", pgettext("sheet", "passed nationally")),
    ("open_findings", pgettext("sheet", "open findings")),
    ("accounted_emissions_tco2e", pgettext("sheet", "accounted tCO2e")),
    ("verified_emissions_tco2e", pgettext("sheet", "verified tCO2e")),
)
MONTHS: tuple[Heading, ...] = (
    ("unit_id", pgettext("sheet", "unit")),
    ("month", pgettext("sheet", "month")),
    ("process", pgettext("sheet", "process")),
    ("gas", pgettext("sheet", "gas")),
    ("emissions_tco2e", pgettext("sheet", "tCO2e")),
)
LINES: tuple[Heading, ...] = (
    ("month", pgettext("sheet", "month")),
    ("process", pgettext("sheet", "process")),
    ("item", pgettext("sheet", "item")),
    ("flow", pgettext("sheet", "flow")),
    ("quantity", pgettext("sheet", "quantity")),
    ("unit", _("unit")),
    ("ncv_gj_per_unit", pgettext("sheet", "NCV GJ/unit")),
    ("factor", pgettext("sheet", "factor")),
    ("formula", pgettext("sheet", "formula")),
    ("emissions_tco2e", pgettext("sheet", "tCO2e")),
    ("rows", pgettext("sheet", "rows: file, line, version")),
)
FINDINGS: tuple[Heading, ...] = (
    ("finding", pgettext("sheet", "no.")),
    ("open", pgettext("sheet", "open")),
    ("level", pgettext("sheet", "level")),
    ("unit_id", pgettext("sheet", "unit")),
    ("month", pgettext("sheet", "month")),
    ("item", pgettext("sheet", "item")),
    ("size_t", pgettext("finding", "tCO2e")),
    ("reason", pgettext("sheet", "reason")),
    ("closed_because", pgettext("sheet", "closed because")),
)
CORRECTIONS: tuple[Heading, ...] = (
    ("unit_id", pgettext("sheet", "unit")),
    ("month", pgettext("sheet", "month")),
    ("process", pgettext("sheet", "process")),
    ("item", pgettext("sheet", "item")),
    ("version", pgettext("sheet", "version")),
    ("restored_version", pgettext("sheet", "restored from")),
    ("level", pgettext("sheet", "level")),
    ("who", pgettext("sheet", "who")),
    ("decided_on", pgettext("sheet", "day")),
    ("reason", pgettext("sheet", "reason")),
)
TWO = ("process", "item", "flow", "level")
"""Columns whose words are written in both languages."""

PLAIN = re.compile(r"[\w-]{1,64}")


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
        If an enterprise has no unit with reports of the year.
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
    names = []
    with written_aside(folder, lambda: sorted(folder.glob("*.html"))) as aside:
        chosen = list(dict.fromkeys(enterprises)) or known
        for number, enterprise in enumerate(chosen):
            checkpoint(_("writing sheets"), number, len(chosen))
            name = f"{file_name(enterprise)}.html"
            with naming(aside / name):
                (aside / name).write_text(_sheet(found, lines, enterprise), encoding="utf-8", newline="\n")
            names.append(f"{folder.name}/{name}")
    return names


def file_name(enterprise: str) -> str:
    """Return an identifier as the name of a file; one with other characters than letters and digits gets a hash."""
    if PLAIN.fullmatch(enterprise):
        return enterprise
    return re.sub(r"[^\w-]+", "_", enterprise)[:50] + "_" + hashlib.sha256(enterprise.encode()).hexdigest()[:8]


def _lines(found: Verification) -> pd.DataFrame:
    """Return the figures of the year, each with the rows that it comes from."""
    lines = found.accounts.lines
    lines = lines[lines["month"].str.startswith(f"{found.year}-")]
    trail = found.accounts.trail
    trail = trail[trail["figure"].isin(lines["figure"])]
    source = trail["file"] + ", " + trail["line"].astype(str) + ", v" + trail["version"].astype(str)
    rows = source.groupby(trail["figure"]).agg("; ".join)
    return lines.assign(rows=lines["figure"].map(rows).fillna(""))


def _sheet(found: Verification, lines: pd.DataFrame, enterprise: str) -> str:
    units = found.units[found.units["enterprise_id"] == enterprise]
    title = _("Monthly reports {year}: {enterprise}", year=found.year, enterprise=enterprise)
    return page(title, _parts(found, lines, units, enterprise))


def _parts(found: Verification, lines: pd.DataFrame, units: pd.DataFrame, enterprise: str) -> Iterator[str]:
    own = set(units["unit_id"])
    shown = units.assign(status=units["status"].map(lambda status: _in_both("year status", status)))
    yield heading(_("Emissions of the year"), 2)
    yield figures(_records(shown), UNITS)
    note = _("Emissions are verified once the national level has passed every item of the year.")
    yield f"<p>{both(note)}</p>"
    monthly = found.accounts.monthly
    monthly = monthly[monthly["unit_id"].isin(own) & monthly["month"].str.startswith(f"{found.year}-")]
    yield heading(_("Emissions by month, process and gas"), 2)
    yield figures(_records(monthly), MONTHS)
    for unit in sorted(own):
        yield heading(_("Figures of {unit}", unit=unit), 2)
        yield figures(_records(lines[lines["unit_id"] == unit]), LINES)
    state = found.review
    findings = state.findings[state.findings["enterprise_id"] == enterprise]
    yield heading(_("Findings"), 2)
    yield figures(_records(findings), FINDINGS)
    yield heading(_("Corrections"), 2)
    yield figures(_records(state.corrections[state.corrections["unit_id"].isin(own)]), CORRECTIONS)


def _records(table: pd.DataFrame) -> list[Row]:
    """Return rows with the words of both languages."""
    words = {name: table[name].map(lambda cell, name=name: _in_both(name, cell)) for name in TWO if name in table}
    if {"reason", "reason_zh"} <= {*table}:
        words["reason"] = (table["reason"] + " " + table["reason_zh"]).str.strip()
    records: list[Row] = table.assign(**words).to_dict("records")
    return records


def _in_both(column: str, cell: str) -> str:
    """Return a code with its word in Chinese, if it has one."""
    return " ".join(dict.fromkeys(in_both(pgettext(column, cell)).values()))
