"""Run folders with a lost bit, end or file: `etsopt check` refuses them, or reads the same content."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import etsopt
from benchmarks.reliability.commands import command, each, see
from benchmarks.reliability.row import Row
from etsopt.running.results.results import load
from tests.builders import random_instance
from tests.compliance_years import by_hand
from tests.markets import of_model, random_market

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.data.instance import Instance

RUNS: tuple[Callable[[], tuple[Instance, str, str]], ...] = (
    lambda: (random_instance(3), "allocation", "csv"),
    lambda: (random_instance(3), "allocation", "parquet"),
    lambda: (random_instance(3).with_policy({"national.target_change": -0.2}), "allocation", "csv"),
    lambda: (random_instance(5), "balance_value", "csv"),
    lambda: (by_hand(), "compliance", "csv"),
    lambda: (random_market(2), "clearing", "csv"),
    lambda: (of_model(random_market(1), "pathway"), "pathway", "csv"),
)
"""Instance, model and format of each run; the third is infeasible and reports its relaxation."""

RELATIVE, ABSOLUTE = 1e-6, 1e-9
"""Relative and absolute change of a number whose sum counts as equal: the checker allows rounding, also of sums."""


@cache
def _saved(which: int) -> dict[str, bytes]:
    """Return the files of a run."""
    instance, model, table_format = RUNS[which]()
    with tempfile.TemporaryDirectory() as place:
        run = Path(place)
        etsopt.solve(instance, model).save(run, instance, table_format)
        return {str(path.relative_to(run)): path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}


def damaged(number: int, folder: Path) -> str:
    """Damage a file of a run and check it."""
    random, files = Random(number), _saved(number % len(RUNS))
    for place in ("whole", "damaged"):
        for name, content in files.items():
            (folder / place / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / place / name).write_bytes(content)
    name = random.choice(list(files))
    path, content, how = folder / "damaged" / name, files[name], random.choice(("bit", "bit", "bit", "end", "file"))
    if how == "file":
        path.unlink()
    elif how == "end":
        path.write_bytes(content[: random.randrange(len(content))])
    else:
        position, bit = random.randrange(len(content)), 1 << random.randrange(8)
        path.write_bytes(content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :])
    code, said = command("check", str(folder / "damaged"))
    see("Traceback" not in said, said[-300:])
    if code in (2, 5):
        return f"refused with {code}"
    see(code in (0, 6), f"`etsopt check` ended with {code}")
    changes = list(differences(folder / "whole", folder / "damaged"))
    if unseen := sorted({what for what, change in changes if change > 1}):
        return f"accepted where nothing is recomputed: {', '.join(unseen)}"
    return "accepted: numbers differ by rounding" if changes else "accepted: what is read is the same"


def differences(one: Path, other: Path) -> Iterator[tuple[str, float]]:
    """Yield the differences of two runs, each relative to rounding."""
    before, after = (load(run).tables for run in (one, other))
    for name in before.keys() | after.keys():
        yield from _of_tables(name, before.get(name), after.get(name))
    stated = [dict(_flat(json.loads((run / "result.json").read_text(encoding="utf-8")))) for run in (one, other)]
    for key in stated[0].keys() | stated[1].keys():
        values = [content.get(key) for content in stated]
        # The types of columns show in the tables read.
        if values[0] != values[1] and key[0] != "tables":
            # The list names its entries, the policy its keys.
            yield f"`{'.'.join(part for part in key[:3] if part) if key[0] == 'levels' else key[0]}`", _change(values)


def _flat(content: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the scalar values of nested content by path."""
    if isinstance(content, dict):
        for key, inner in content.items():
            yield from _flat(inner, *path, key)
    elif isinstance(content, list):
        for position, inner in enumerate(content):
            yield from _flat(inner, *path, str(position))
    else:
        yield path, content


def _change(values: list[Any]) -> float:
    """Return the distance of two values relative to rounding; infinite if one is not a number."""
    if not all(isinstance(value, int | float) for value in values):
        return math.inf
    return abs(values[1] - values[0]) / (ABSOLUTE + RELATIVE * abs(values[0]))


def _of_tables(name: str, before: pd.DataFrame | None, after: pd.DataFrame | None) -> Iterator[tuple[str, float]]:
    if before is None or after is None or len(before) != len(after):
        yield f"rows of {name}", math.inf
        return
    for column in before.columns:
        if column not in after:
            yield f"{name}.{column}", math.inf
            continue
        cells = zip(before[column].tolist(), after[column].tolist(), strict=True)
        changes = [_change([old, new]) for old, new in cells if old != new and not (old != old and new != new)]
        if changes:
            yield f"{name}.{column}", max(math.inf if change != change else change for change in changes)


ROWS = [
    Row(
        "C7",
        "a bit, the end or a file of a run folder is lost: allocations, one that is infeasible, a calculation, a "
        "compliance year and markets, in CSV and Parquet",
        "`etsopt check` refuses with 2 or 5, or what is read is the same; what no check recomputes is listed",
        1000,
        20,
        each(damaged),
    )
]
