"""Writer of accounts: a CSV file for each table, and the units of an instance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.accounting.bridge import units_of
from etsopt.accounting.chinese import in_chinese
from etsopt.accounting.schema import REGISTER
from etsopt.data.files.aside import written_aside
from etsopt.data.files.atomic import naming
from etsopt.data.files.write import protected, write_table
from etsopt.errors import UsageError
from etsopt.progress import tell

if TYPE_CHECKING:
    from etsopt.accounting.accounts import Accounts

UNITS = "units"
INPUTS = (REGISTER.file, "policy.toml")
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
    folder = Path(folder)
    for name in INPUTS:
        if (folder / name).is_file():
            what = f"The folder {str(folder)!r} holds {name}: its tables would be among those of the accounts."
            raise UsageError(what, "Name another folder.")
    files = [f"{name}.csv" for name in (*accounts.tables, UNITS)]
    with written_aside(folder, lambda: [path for name in files if (path := folder / name).is_file()]) as aside:
        for name, table in accounts.tables.items():
            tell(f"writing {name}.csv")
            path = aside / f"{name}.csv"
            if chinese:
                with naming(path):
                    # Excel takes a file without the mark at its beginning for one in the code page of the system.
                    protected(in_chinese(table)).to_csv(path, index=False, lineterminator="\n", encoding="utf-8-sig")
            else:
                write_table(table, path)
        write_table(units_of(accounts), aside / f"{UNITS}.csv")
    return files
