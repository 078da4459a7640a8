"""Balances and prices beside history: ``python -m benchmarks.history``.

Solves the balance of power of each year, some seconds, and the path to 2060 under each assumption, a quarter of an
hour. Writes ``history.json`` and, from it, ``history.md`` and the pictures. ``--parts balance`` keeps the prices that
are there, ``--parts page`` solves nothing.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from benchmarks.history import balance, page, prices
from benchmarks.reporting import FOLDER, machine, versions, write_json

FILE = "history.json"
PARTS = {"balance": balance.solved, "prices": prices.solved}


def earlier() -> dict[str, Any]:
    """Return the figures of the file."""
    path = FOLDER / FILE
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", default=list(PARTS), choices=(*PARTS, "page"))
    content = earlier()
    for part in parser.parse_args().parts:
        if part != "page":
            about = {"machine": machine(), "versions": versions(("etsopt", "highspy", "numpy", "pandas"))}
            content |= {part: PARTS[part](), **about}
            write_json(FILE, content)
    (FOLDER / "history.md").write_text(page.page(content), encoding="utf-8")
    from benchmarks.history import picture

    picture.draw_history(content)


if __name__ == "__main__":
    main()
