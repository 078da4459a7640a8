"""Writer of accounts and findings: a CSV file for each table, and the units of an instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.accounting.bridge import units_of
from etsopt.accounting.chinese import in_chinese, plan_in_chinese
from etsopt.accounting.schema import REGISTER
from etsopt.data.files.aside import written_aside
from etsopt.data.files.atomic import naming
from etsopt.data.files.read import POLICY
from etsopt.data.files.write import protected, write_table
from etsopt.errors import UsageError
from etsopt.language import _
from etsopt.progress import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.monitoring import Monitoring
    from etsopt.accounting.screening import Screening

UNITS = "units"
INPUTS = (REGISTER.file, POLICY)
"""Files of a folder that holds input, in which no table is written over another."""


def save(accounts: Accounts, folder: str | Path, chinese: bool = False) -> list[str]:
    """Write all tables into a folder, all of them or none, and return the names of the files.

    Parameters
    ----------
    chinese
        True for Chinese headings and words; ``units.csv``, which an instance reads, has English ones.

    Raises
    ------
    UsageError
        If the folder holds an instance or reports, or another process is writing to it.
    OSError
        With the name of the file that could not be written; the folder is unchanged.
    """
    tables = {**accounts.tables, UNITS: units_of(accounts)}
    return _save(tables, folder, [name for name in tables if chinese and name != UNITS])


def save_screening(found: Screening, folder: str | Path, chinese: bool = False) -> list[str]:
    """Write findings, rules and flagged unit-months into a folder, as `save` does."""
    findings = found.findings
    if chinese:
        findings = findings.drop(columns="reason").rename(columns={"reason_zh": "reason"})
    tables = {"findings": findings, "rules": found.rules, "flagged_months": found.unit_months}
    return _save(tables, folder, [*tables] if chinese else [])


def save_review(tables: Mapping[str, pd.DataFrame], folder: str | Path, chinese: bool = False) -> list[str]:
    """Write tables of the review or of verification into a folder, as `save` does."""
    if chinese:
        tables = {name: _one_reason(table) for name, table in tables.items()}
    return _save(tables, folder, [*tables] if chinese else [])


def _one_reason(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the Chinese reason where there is one."""
    if "reason_zh" not in table:
        return table
    reason = table["reason_zh"].where(table["reason_zh"] != "", table["reason"])
    return table.assign(reason=reason).drop(columns="reason_zh")


def save_plan(tables: Mapping[str, pd.DataFrame], folder: str | Path, chinese: bool = False) -> list[str]:
    """Write the tables of a plan of reviews into a folder, as `save` does."""
    return _save(tables, folder, [*tables] if chinese else [], plan_in_chinese)


def save_monitoring(found: Monitoring, folder: str | Path, chinese: bool = False) -> list[str]:
    """Write the tables of monitors beside accounts into a folder, as `save` does."""
    return _save(found.tables, folder, [*found.tables] if chinese else [])


def _save(
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    chinese: Sequence[str],
    translated: Callable[[pd.DataFrame], pd.DataFrame] = in_chinese,
) -> list[str]:
    """Write tables, those named with Chinese headings and words, all of them or none; return the names of the files."""
    folder = Path(folder)
    for name in INPUTS:
        if (folder / name).is_file():
            what = _(
                "The folder {folder!r} holds {name}: its tables would be among those of the accounts.",
                folder=str(folder),
                name=name,
            )
            raise UsageError(what, _("Name another folder."))
    files = [f"{name}.csv" for name in tables]
    with written_aside(folder, lambda: [path for name in files if (path := folder / name).is_file()]) as aside:
        for name, table in tables.items():
            tell(_("writing {name}.csv", name=name))
            path = aside / f"{name}.csv"
            if name in chinese:
                with naming(path):
                    # Excel takes a file without the mark at its beginning for one in the code page of the system.
                    protected(translated(table)).to_csv(path, index=False, lineterminator="\n", encoding="utf-8-sig")
            else:
                write_table(table, path)
    return files
