"""Monthly sheets of enterprises: emissions of a year by month and process, their figures, and the trail of each."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.accounting.chinese import WORDS
from etsopt.accounting.review.words import YEAR_STATUSES
from etsopt.data.files.aside import written_aside
from etsopt.data.files.atomic import naming
from etsopt.errors import UsageError, brief
from etsopt.language import _
from etsopt.progress import checkpoint
from etsopt.reports.page import both, figures, page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.accounting import Verification
    from etsopt.reports.page import Heading, Row

UNITS: tuple[Heading, ...] = (
    ("unit_id", "unit", "单元"),
    ("status", "status", "状态"),
    ("items", "items", "数据项"),
    ("items_national", "passed nationally", "国家级通过"),
    ("open_findings", "open findings", "未关闭问题"),
    ("accounted_emissions_tco2e", "accounted tCO2e", "核算排放量"),
    ("verified_emissions_tco2e", "verified tCO2e", "经核查排放量"),
)
MONTHS: tuple[Heading, ...] = (
    ("unit_id", "unit", "单元"),
    ("month", "month", "月份"),
    ("process", "process", "工序"),
    ("gas", "gas", "温室气体"),
    ("emissions_tco2e", "tCO2e", "排放量"),
)
LINES: tuple[Heading, ...] = (
    ("month", "month", "月份"),
    ("process", "process", "工序"),
    ("item", "item", "项目"),
    ("flow", "flow", "方向"),
    ("quantity", "quantity", "数量"),
    ("unit", "unit", "单位"),
    ("ncv_gj_per_unit", "NCV GJ/unit", "低位发热量"),
    ("factor", "factor", "因子"),
    ("formula", "formula", "公式"),
    ("emissions_tco2e", "tCO2e", "排放量"),
    ("rows", "rows: file, line, version", "来源：文件、行、版本"),
)
FINDINGS: tuple[Heading, ...] = (
    ("finding", "no.", "编号"),
    ("open", "open", "未关闭"),
    ("level", "level", "层级"),
    ("unit_id", "unit", "单元"),
    ("month", "month", "月份"),
    ("item", "item", "项目"),
    ("size_t", "tCO2e", "涉及排放量"),
    ("reason", "reason", "理由"),
    ("closed_because", "closed because", "关闭理由"),
)
CORRECTIONS: tuple[Heading, ...] = (
    ("unit_id", "unit", "单元"),
    ("month", "month", "月份"),
    ("process", "process", "工序"),
    ("item", "item", "项目"),
    ("version", "version", "版本"),
    ("restored_version", "restored from", "恢复自版本"),
    ("level", "level", "层级"),
    ("who", "who", "决定人"),
    ("decided_on", "day", "日期"),
    ("reason", "reason", "理由"),
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
    title = f"Monthly reports {found.year}: {enterprise}"
    return page(title, f"{found.year} 年月度报告", _parts(found, lines, units, enterprise))


def _parts(found: Verification, lines: pd.DataFrame, units: pd.DataFrame, enterprise: str) -> Iterator[str]:
    own = set(units["unit_id"])
    shown = units.assign(status=[f"{status} {YEAR_STATUSES[status]}" for status in units["status"]])
    yield f"<h2>{both('Emissions of the year', '年度排放量')}</h2>"
    yield figures(_records(shown), UNITS)
    note = "Emissions are verified once the national level has passed every item of the year."
    yield f"<p>{both(note, '国家级通过全年全部数据项后，排放量方为经核查排放量。')}</p>"
    monthly = found.accounts.monthly
    monthly = monthly[monthly["unit_id"].isin(own) & monthly["month"].str.startswith(f"{found.year}-")]
    yield f"<h2>{both('Emissions by month, process and gas', '按月份、工序和气体的排放量')}</h2>"
    yield figures(_records(monthly), MONTHS)
    for unit in sorted(own):
        yield f"<h2>{both(f'Figures of {unit}', '数据及来源')}</h2>"
        yield figures(_records(lines[lines["unit_id"] == unit]), LINES)
    state = found.review
    findings = state.findings[state.findings["enterprise_id"] == enterprise]
    yield f"<h2>{both('Findings', '审核问题')}</h2>"
    yield figures(_records(findings), FINDINGS)
    yield f"<h2>{both('Corrections', '更正')}</h2>"
    yield figures(_records(state.corrections[state.corrections["unit_id"].isin(own)]), CORRECTIONS)


def _records(table: pd.DataFrame) -> list[Row]:
    """Return rows with the words of both languages."""
    words = {
        name: table[name].map(lambda cell, name=name: f"{cell} {WORDS[name].get(cell, '')}".strip())
        for name in TWO
        if name in table
    }
    if {"reason", "reason_zh"} <= {*table}:
        words["reason"] = (table["reason"] + " " + table["reason_zh"]).str.strip()
    records: list[Row] = table.assign(**words).to_dict("records")
    return records
