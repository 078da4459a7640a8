"""Imports into a store of monthly reports, killed: the store has the import whole, or is as it was."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from random import Random

import pandas as pd

from benchmarks.reliability.commands import awaited, done, each, paused, see, started
from benchmarks.reliability.row import Row
from etsopt.accounting import generate, import_reports, read_reports, store_log
from etsopt.accounting.schema import REGISTER
from etsopt.accounting.store.ledger import ledger_of
from etsopt.data.files.read import REPORTS
from etsopt.data.files.write import write_table

UNITS, MONTHS = 60, 12
HELD_S = 0.5
"""Approximate time for which an import of them holds the store [s]."""


@cache
def folders() -> tuple[Path, Path]:
    """Return a folder of half a year, and one of the whole year, in which some rows of that half are changed."""
    place = Path(tempfile.mkdtemp())
    register, rows = generate(UNITS, MONTHS, seed=1)
    early = rows["month"] < "2025-07"
    changed = rows.assign(quantity=rows["quantity"].where(~early | (rows.index % 5 > 0), rows["quantity"] + 1))
    for name, own in (("half", rows[early]), ("year", changed)):
        (place / name / REPORTS).mkdir(parents=True)
        write_table(register, place / name / REGISTER.file)
        write_table(own, place / name / REPORTS / "2025.csv")
    return place / "half", place / "year"


@cache
def expected(imports: int) -> pd.DataFrame:
    """Return the rows of a store after the first imports, undisturbed."""
    with tempfile.TemporaryDirectory() as place:
        store = Path(place) / "plants.duckdb"
        for folder in folders()[:imports]:
            import_reports(store, folder)
        return read_reports(store).rows


def killed_import(number: int, folder: Path) -> str:
    """Kill the first import, or one with new rows and corrections, while it loads, reads, or holds the store."""
    random, store = Random(number), folder / "plants.duckdb"
    before = number % 2
    if before:
        import_reports(store, folders()[0])
    process = started("store", "import", str(store), str(folders()[before]))
    if number % 5:
        awaited(process, folder / f".{store.name}.etsopt-lock")
        paused(random, HELD_S)
    else:
        paused(random, 3.0)
    process.kill()
    process.communicate()
    found = len(store_log(store)) if store.is_file() else 0
    see(found in (before, before + 1), f"the store has {found} entries after {before + 1} imports at most")
    if found:
        see(read_reports(store).rows.equals(expected(found)), f"the rows are not those of {found} imports")
    done("store", "import", str(store), str(folders()[before]))
    see(read_reports(store).rows.equals(expected(before + 1)), "the next import lost rows or has them twice")
    left = sorted(path.name for path in folder.iterdir() if path not in (store, ledger_of(store)))
    see(not left, f"left beside the store: {left}")
    return "the import is there, whole" if found > before else "the store is as it was"


ROWS = [
    Row(
        "C11",
        "kill -9 of `etsopt store import` while it loads, reads, or holds the store, of the first import and of one "
        "with new rows and corrections",
        "the store is as it was or has the whole import; the next import completes it, no row is lost or there twice, "
        "and nothing else is left",
        50,
        2,
        each(killed_import),
    )
]
