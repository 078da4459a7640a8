"""Writer of accounts and findings: a CSV file for each table, and the units of an instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.accounting.bridge import units_of
from etsopt.accounting.chinese import in_words, plan_in_words
from etsopt.accounting.schema import REGISTER
from etsopt.common.errors import UsageError
from etsopt.common.language import _, in_chinese
from etsopt.common.progress import tell
from etsopt.data.files.atomic import file_in_errors
from etsopt.data.files.atomic_folder import replacing_folder
from etsopt.data.files.read import POLICY
from etsopt.data.files.write import protected, write_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from etsopt.accounting.accounts import Accounts
    from etsopt.accounting.monitoring import Monitoring
    from etsopt.accounting.screening import Screening

UNITS = "units"
"""Table that an instance reads: it is in English, whatever the language."""

INPUTS = (REGISTER.file, POLICY)
"""Files of a folder that holds input, in which no table is written over another."""


def save(accounts: Accounts, folder: str | Path) -> list[str]:
    """Write all tables into a folder in the language of the moment, all or none, and return the names of the files.

    Raises
    ------
    UsageError
        If the folder holds an instance or reports, or another process is writing to it.
    OSError
        With the name of the file that could not be written; the folder is unchanged.
    """
    return _save({**accounts.tables, UNITS: units_of(accounts)}, folder)


def save_screening(found: Screening, folder: str | Path) -> list[str]:
    """Write causes, findings, rules and flagged unit-months into a folder, as `save` does."""
    tables = {"causes": found.causes, "findings": found.findings, "rules": found.rules}
    return _save({**tables, "flagged_months": found.unit_months}, folder)


def save_review(tables: Mapping[str, pd.DataFrame], folder: str | Path) -> list[str]:
    """Write tables of the review or of verification into a folder, as `save` does."""
    return _save(tables, folder)


def save_plan(tables: Mapping[str, pd.DataFrame], folder: str | Path) -> list[str]:
    """Write the tables of a plan of reviews into a folder, as `save` does."""
    return _save(tables, folder, plan_in_words)


def save_monitoring(found: Monitoring, folder: str | Path) -> list[str]:
    """Write the tables of monitors beside accounts into a folder, as `save` does."""
    return _save(found.tables, folder)


def _save(
    tables: Mapping[str, pd.DataFrame],
    folder: str | Path,
    shown: Callable[[pd.DataFrame], pd.DataFrame] = in_words,
) -> list[str]:
    """Write tables, all of them or none, and return the names of the files."""
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
    with replacing_folder(folder, lambda: [path for name in files if (path := folder / name).is_file()]) as aside:
        for name, table in tables.items():
            tell(_("writing {name}.csv", name=name))
            path = aside / f"{name}.csv"
            if in_chinese() and name != UNITS:
                with file_in_errors(path):
                    # Excel takes a file without the mark at its beginning for one in the code page of the system.
                    protected(shown(table)).to_csv(path, index=False, lineterminator="\n", encoding="utf-8-sig")
            else:
                write_table(table, path)
    return files
