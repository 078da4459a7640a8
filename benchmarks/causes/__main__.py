"""The diagnosis of causes held against planted faults: ``python -m benchmarks.causes``.

Measures 500 sets at a noise of 3 %, a fifth of that number at 8 %, and the shipped reports, on two processes at most.
Writes ``causes.json`` and, from it, ``causes.md``; ``--page`` measures nothing and writes the page again. Seeds below
20,001 are free for whoever works on the diagnosis.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

from benchmarks.causes.measures import RULES_OF, Compared, figures, set_of, shipped
from benchmarks.causes.page import page
from benchmarks.reporting import FOLDER, machine, versions, write_json

FIRST, SEEDS = 20_001, 500
LOW, HIGH = 0.03, 0.08
"""Noise of the items of both series of sets."""


def part(noise: float, seeds: range, found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of the sets of a noise: those of causes, of the rules, and of causes on the same seeds."""
    sets = list(found)
    causes: list[Compared] = [one["causes"] for one in sets]
    beside = [one for one in sets if "rules" in one]
    rates = figures(causes) | {"cpu_s": sum(one["cpu_s"] for one in sets) / len(sets)}
    return {
        "noise": noise,
        "first": seeds.start,
        "causes": rates,
        "causes_beside_rules": figures(one["causes"] for one in beside),
        "rules": figures(one["rules"] for one in beside),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="sets at the low noise; a fifth of them at the high")
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--processes", type=int, default=2, choices=(1, 2))
    parser.add_argument("--page", action="store_true", help="write the page again from the figures that are there")
    options = parser.parse_args()
    if options.seeds < RULES_OF * RULES_OF:
        parser.error(f"--seeds is {options.seeds}: expected at least {RULES_OF * RULES_OF}, or no rules are measured")
    path = FOLDER / "causes.json"
    if not options.page:
        content = {}
        with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
            for name, noise, count in (("low", LOW, options.seeds), ("high", HIGH, options.seeds // 5)):
                seeds = range(options.first, options.first + count)
                content[name] = part(noise, seeds, pool.map(partial(set_of, noise=noise), seeds))
        content |= {"shipped": shipped(), "machine": machine(), "versions": versions(("etsopt", "numpy", "pandas"))}
        write_json(path.name, content)
    text = page(json.loads(path.read_text(encoding="utf-8")))
    (FOLDER / "causes.md").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
