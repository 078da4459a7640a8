"""Mutants of every file that etsopt reads: refused with a message, or read like an independent reader."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import json
import shutil
import tempfile
import traceback
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import etsopt
from benchmarks.reliability import as_written
from benchmarks.reliability.folders import valid_folder
from benchmarks.reliability.limits import within
from benchmarks.reliability.mutants import mutated
from benchmarks.reliability.row import Found
from etsopt.data.files.write import write_instance
from etsopt.data.tables.schema import TABLES
from tests.compliance_years import by_hand

if TYPE_CHECKING:
    from collections.abc import Iterable

CPU_S, MIB = 10.0, 1024.0

FILES = (
    *("units.csv", "units.csv", "policy.toml", "policy.toml", "measures.csv", "forecast.csv", "enterprises.csv"),
    *("result.json", "result.json", "tables/compliance.csv", "tables/holdings.csv"),
    *("units.parquet", "tables/compliance.parquet"),
)
"""Files to mutate, in turn."""

POLICY = """\
year = 2025

[rule]
name = "cn-2025"          # 按强度系数
slope = 0.15

[sectors.steel]
band = {lower = 0.03, upper = 0.02}
target_change = -0.01

[sectors.cement]
band = 0.03
target_intensity = 0.81

[provinces]
balance = {"安徽" = 0.02, "Hebei" = 0.00001}

[allocation]
objectives = ["largest_change", "deficit"]
intensity_order = true

[horizon]
last_year = 2027

[market]
prices_cny_per_t = {2025 = 84.0, 2026 = 88.2}

[compliance]
at_risk = ["firm-1"]
"""


class Originals:
    """An instance and a run, each in CSV and in Parquet, written once in a process."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        plant = valid_folder(Random(24))
        plant.policy = POLICY
        plant.write(self.folder / "csv")
        instance, run = etsopt.read(self.folder / "csv"), etsopt.solve(by_hand(), "compliance")
        run.save(self.folder / "run-csv", by_hand())
        self.parquet = importlib.util.find_spec("pyarrow") is not None
        if self.parquet:
            write_instance(instance, self.folder / "parquet", table_format="parquet")
            run.save(self.folder / "run-parquet", by_hand(), "parquet")
        self.types = run_types(self.folder / "run-csv")
        self.files: dict[str, bytes] = {}

    def path(self, name: str) -> Path:
        """Return the path of a file."""
        run = name.startswith(("tables/", "result."))
        return self.folder / f"{'run-' if run else ''}{'parquet' if name.endswith('.parquet') else 'csv'}" / name

    def content(self, name: str) -> bytes:
        """Return the original content of a file."""
        if name not in self.files:
            self.files[name] = self.path(name).read_bytes()
        return self.files[name]

    def difference(self, name: str, content: bytes) -> str:
        """Read a folder with other content of one file, and compare the result with that content.

        Raises
        ------
        EtsoptError
            If etsopt refuses the folder.
        """
        path = self.path(name)
        original = self.content(name)
        path.write_bytes(content)
        try:
            if path.parent.name == "tables" or name == "result.json":
                return self._of_run(name, path, content)
            instance = etsopt.read(path.parent)
            if name == "policy.toml":
                return as_written.difference_of_policy(content, instance.policy)
            table = next(table for table in TABLES if table.name == path.stem)
            if path.suffix == ".parquet":
                return as_written.difference_of_parquet(path, instance.tables[path.stem])
            return as_written.difference_of_table(content, table, instance.tables[path.stem])
        finally:
            path.write_bytes(original)

    def _of_run(self, name: str, path: Path, content: bytes) -> str:
        if name == "result.json":
            return as_written.difference_of_result(content, etsopt.load(path.parent))
        table = etsopt.load(path.parents[1]).tables[path.stem]
        if path.suffix == ".parquet":
            return as_written.difference_of_parquet(path, table)
        return as_written.difference_of_run_table(content, self.types[path.stem], table)


def run_types(run: Path) -> dict[str, dict[str, str]]:
    """Return the types of the columns of a run's tables, as the run states them."""
    types: dict[str, dict[str, str]] = json.loads((run / "result.json").read_text(encoding="utf-8"))["tables"]
    return types


@functools.cache
def originals() -> Originals:
    return Originals()


def mutants(numbers: Iterable[int]) -> Found:
    """Mutate a file and read it; trial ``n`` takes the file ``n`` modulo their number."""
    found, files = Found(), originals()
    for number in numbers:
        name = FILES[number % len(FILES)]
        if name.endswith(".parquet") and not files.parquet:
            found.saw("no pyarrow")
            continue
        content = mutated(files.content(name), Random(number))
        with within(found, number, CPU_S, MIB):
            try:
                wrong = files.difference(name, content)
            except etsopt.EtsoptError as error:
                found.saw("refused")
                if not error.advice or not str(error).strip():
                    found.failed(number, f"{name}: refused without a message: {error!r}")
                continue
            except Exception:
                found.saw("another exception")
                found.failed(number, f"{name}: {traceback.format_exc(limit=-2)}")
                continue
        found.saw("unchanged" if content == files.content(name) else "read")
        if wrong:
            found.failed(number, f"{name}: read otherwise than it says: {wrong}")
    return found
