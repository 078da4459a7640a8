"""Files, folders, runs and stores that commands read, by the name that a command calls them; each is made once."""

from __future__ import annotations

import atexit
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pandas as pd

import etsopt
from docs.tools.copies import copied
from etsopt import accounting
from etsopt.accounting.store import is_store
from etsopt.accounting.store.ledger import ledger_of
from etsopt.data.files.write import write_instance
from tests import investments
from tests.reports.test_official import by_hand as of_all_sectors
from tests.reports.test_official import enterprises
from tests.terminal import long_names
from tests.terminal.long_names import CODE
from tests.terminal.texts import TEXTS

GOLDEN_REPORTS = Path(__file__).parents[1] / "golden_reports"

STORED = (
    *("abatement", "clearing", "compliance", "equilibrium", "everything", "exceptions", "infeasible", "investment"),
    *(
        "missing",
        "missing_days",
        "outlook",
        "pathway",
        "reconciliation",
        "review_plan",
        "rounded",
        "taker",
        "two_conflicts",
    ),
)
"""Runs that the tests of the checker keep."""

ALSO = {"long-forecast.toml": "long"}
"""Items that a file names beside shipped instances."""

INSTANCES: dict[str, Callable[[], etsopt.Instance]] = {
    "long": long_names.instance,
    "all-sectors": lambda: of_all_sectors(owners=enterprises().drop(columns="x_uscc")),
    "two-scenarios": investments.two_scenarios,
}
"""Instances by the names of their folders."""

COMMANDS = {
    "generated": "generate --units 12 --seed 3 --measures 2 --out generated",
    "run": "solve tiny --out run",
    "other": "solve tiny --set sectors.cement.target_change=-0.006 --out other",
    "own": "solve tiny --model own_model.py --out own",
    "under-own-rule": "solve tiny --rule own_rule.py --out under-own-rule",
    "long-run": "solve long --set sectors.cement.target_change=-0.001 --out long-run",
    "long-year": "solve long --model compliance --out long-year",
    "all-sectors-run": "solve all-sectors --model compliance --out all-sectors-run",
    "annex": "export all-sectors-run --tables official --out annex",
    "store.duckdb": "store import store.duckdb plants",
    "long-store.duckdb": "store import long-store.duckdb long-plants",
    "new.xlsx": "new new.xlsx",
    "plants.xlsx": "convert tiny plants.xlsx",
    "swept": "sweep samples.toml --out swept --workers 1",
    "designed": "design design.toml --out designed --workers 1",
}
"""Items that a command writes."""

BY_LI = "--level municipal --by Li --day 2026-01-05"
BY_OFFICE = "--level municipal --by 北麓市生态环境局 --day 2026-01-05"
DECIDED = {
    "reviewed.duckdb": (
        "store.duckdb",
        "review apply {} decisions.csv",
        f"review find {{}} --unit U3 --month 2025-03 {BY_LI} --reason 'no ledger' --size 10",
        f"review correct {{}} --unit U3 --month 2025-04 --item portland_clinker {BY_LI} --reason 'as in the ledger'"
        " --quantity 40000",
    ),
    "long-reviewed.duckdb": (
        "long-store.duckdb",
        f"review find {{}} --unit {CODE}-series-500kA --month 2025-01 {BY_OFFICE} --reason '阳极消耗量与台账不一致'"
        " --size 47904437.40",
        f"review correct {{}} --unit {CODE}-series-500kA --month 2025-02 --item aluminium {BY_OFFICE}"
        " --reason '按生产月报更正' --quantity 47904437.40",
    ),
}
"""Stores after decisions: the store that they begin with, and the decisions."""


def _write_damaged(path: Path) -> None:
    """Write a run in which every allowance is a thousand tonnes larger."""
    shutil.copytree(item("run"), path)
    table = path / "tables" / "allocation.csv"
    frame = pd.read_csv(table)
    frame["allowance_t"] += 1_000.0
    frame.to_csv(table, index=False)


FOLDERS: dict[str, Callable[[Path], object]] = {
    "plants": lambda path: accounting.write_monitor_example(accounting.write_example(path, units=3, months=12, seed=2)),
    "long-plants": long_names.write_reports,
    "damaged": _write_damaged,
}
"""Functions that write a folder."""


@cache
def _room() -> Path:
    """Return the folder of this process, which is removed at its end."""
    room = tempfile.mkdtemp(prefix="etsopt-terminal-")
    atexit.register(shutil.rmtree, room, ignore_errors=True)
    return Path(room)


@contextmanager
def folder_of(words: Sequence[str], but: str = "", linked: bool = False) -> Iterator[Path]:
    """Yield a folder with the items that the words of a command name, and nothing else.

    Parameters
    ----------
    but
        Item that the command makes.
    linked
        True for a command that changes none of its items, which are links then; else they are copies.
    """
    named = dict.fromkeys(map(first_part, words))
    named |= {ALSO[name]: None for name in named if name in ALSO}
    items = [item(name) for name in named if name in names() - {but}]
    folder = _room() / "work"
    folder.mkdir(exist_ok=True)
    try:
        for path in items:
            if linked:
                (folder / path.name).symlink_to(path)
            else:
                (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
                if is_store(path):
                    shutil.copy(ledger_of(path), folder)
        yield folder
    finally:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def first_part(word: str) -> str:
    """Return the first part of a path: a word, or the value of an option."""
    return word.partition("=")[2] if word.startswith("--") and "=" in word else word.partition("/")[0]


@cache
def names() -> frozenset[str]:
    """Return the names of all items."""
    texts = {name.partition("/")[0] for name in TEXTS}
    return frozenset({*texts, *STORED, *INSTANCES, *COMMANDS, *DECIDED, *FOLDERS})


@cache
def item(name: str) -> Path:
    """Return the path of an item, which is made at the first call."""
    path = _room() / "items" / name
    path.parent.mkdir(exist_ok=True)
    if name in STORED:
        copied(GOLDEN_REPORTS / name / "run", path)
    elif name in INSTANCES:
        write_instance(INSTANCES[name](), path, "Made up.")
    elif name in FOLDERS:
        FOLDERS[name](path)
    elif name in COMMANDS:
        _keep(path, name, COMMANDS[name])
    elif name in DECIDED:
        store, *decisions = DECIDED[name]
        _keep(path, store, *(line.format(store) for line in decisions))
    else:
        for file, content in TEXTS.items():
            if first_part(file) == name:
                target = path.parent / file
                target.parent.mkdir(exist_ok=True)
                target.write_text(content, encoding="utf-8")
    return path


def _keep(path: Path, written: str, *lines: str) -> None:
    """Run commands in one folder, and keep a file or folder that they wrote."""
    from tests.terminal.running import run

    every = [shlex.split(line) for line in lines]
    with folder_of([word for words in every for word in words], path.name) as folder:
        for words in every:
            code, shown, errors = run(words, folder, "en", 120)
            assert code == 0, f"{shlex.join(words)}: {code}\n{shown}\n{errors}"
        shutil.move(folder / written, path)
        if is_store(path):
            shutil.move(ledger_of(folder / written), ledger_of(path))
