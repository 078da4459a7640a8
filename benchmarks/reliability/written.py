"""Outcomes as raw figures of every row and as the published page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.reporting import FOLDER, machine, provenance, table, versions, write_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.reliability.row import Found, Row

RAW = FOLDER / "reliability.json"
PAGE = FOLDER / "reliability.md"
PACKAGES = ("highspy", "pyomo", "numpy", "pandas")

HEADINGS = ("row", "what is tried", "trials", "failures", "s", "outcomes")

HEAD = """# Reliability

What is tried to make the package answer wrongly, crash, hang or lose a run, and what was seen. `make reliability` makes
all trials; `python -m benchmarks.reliability A1 C1` those of some rows. Each trial has a number, which is its seed, so
that `python -m benchmarks.reliability A1 --numbers 17:18` makes one again. The test suite makes the first of each row.
A failure is what must not happen: a crash, a hang, a certified answer that another program disproves, a lost run.
"""


def keep(row: Row, found: Found, seconds: float) -> None:
    """Replace the raw figures of a row by its new outcomes."""
    content = raw()
    about = {"machine": machine(), "versions": versions(PACKAGES)}
    content[row.name] = {"trials": row.count, "seconds": round(seconds), **found.as_json(), **about}
    write_json(RAW.name, dict(sorted(content.items(), key=lambda item: (item[0][0], int(item[0][1:])))))


def raw() -> dict[str, Any]:
    return json.loads(RAW.read_text(encoding="utf-8")) if RAW.exists() else {}


def write(rows: Mapping[str, Row]) -> None:
    """Write the page from the raw figures."""
    seen = {name: figures for name, figures in raw().items() if name in rows}
    lines = [
        (name, rows[name].title, *map("{:,}".format, numbers), outcomes(one))
        for name, one in seen.items()
        for numbers in [(one["trials"], len(one["failures"]), one["seconds"])]
    ]
    goals = "\n".join(f"- **{name}** {rows[name].goal}" for name in seen)
    page = [HEAD, table(HEADINGS, lines, words=("what is tried", "outcomes")), f"## Goals\n\n{goals}"]
    page += [f"## Failures\n\n{one_by_one(seen, 'failures')}", f"## One by one\n\n{one_by_one(seen, 'listed')}"]
    page += [where(seen)]
    PAGE.write_text("\n\n".join(part.strip() for part in page) + "\n", encoding="utf-8")


def one_by_one(seen: Mapping[str, Any], what: str) -> str:
    """Return failed and listed trials, one line each."""
    listed = [(name, " ".join(words.split())) for name, one in seen.items() for words in one.get(what, [])]
    return "\n".join(f"- {name}, trial {words}" for name, words in listed) or "None."


def outcomes(one: Mapping[str, Any]) -> str:
    """Return outcomes with counts, the most frequent first, and the largest figures."""
    counted = sorted(one["outcomes"].items(), key=lambda item: (-item[1], item[0]))
    figures = [f"largest {what} {value:.3g}" for what, value in one["largest"].items()]
    return "; ".join([*(f"{name} {count:,}" for name, count in counted), *figures])


def where(seen: Mapping[str, Any]) -> str:
    """Return machines and versions, each with its rows."""
    places: dict[str, list[str]] = {}
    for name, one in seen.items():
        places.setdefault(provenance(one["machine"], one["versions"]), []).append(name)
    return "\n\n".join(f"{', '.join(names)}: {place}" for place, names in places.items())
