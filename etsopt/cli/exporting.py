"""The command ``export``: the annex tables of a run in files."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from etsopt.errors import UsageError, brief

if TYPE_CHECKING:
    from argparse import Namespace


def export_tables(options: Namespace) -> int:
    """Write the annex tables of a run."""
    from etsopt.reports import official_tables, write_official_tables
    from etsopt.results import results

    if options.tables != "official":
        raise UsageError(f"There are no tables {brief(options.tables)}.", "Choose official.")
    result, instance = results.load_both(options.run)
    tables = official_tables(instance, result, options.province, _deductions(options.deduct))
    alone = instance.provinces[0] if len(instance.provinces) == 1 else ""
    files, missing = write_official_tables(tables, options.out, options.province or alone, instance.policy.year)
    if options.json:
        content = {"folder": str(options.out), "files": files, "status": result.status}
        print(json.dumps(content, ensure_ascii=False))
    else:
        print(f"{len(tables)} tables of a run that is {result.status} written to {options.out}: {', '.join(files)}.")
    if missing:
        print(missing, file=sys.stderr)
    return 0


def _deductions(texts: list[str]) -> dict[str, int]:
    """Parse ``enterprise=tonnes`` texts."""
    deductions: dict[str, int] = {}
    for text in texts:
        name, _, tonnes = text.rpartition("=")
        if not name or not tonnes.isdecimal():
            what = f"--deduct {brief(text)} is not an enterprise with whole tonnes."
            raise UsageError(what, "For example: --deduct north=70000")
        if name in deductions:
            raise UsageError(f"--deduct names {brief(name)} twice.", "Keep one of them.")
        deductions[name] = int(tonnes)
    return deductions
