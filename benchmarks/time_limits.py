"""Delay of solves beyond a time limit: every model and method, at 1,300 units and at a million.

Run ``python -m benchmarks.time_limits [--units 1000000 --limit 20]``; it prints a table for ``benchmarks/README.md``.
The delay excludes imports before the command begins, and tables and checks after the limit, which have a column of
their own. Exit codes are those of `etsopt --help`; a solve stopped by the limit has 4.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FRICTION = ("--set", "market.transaction_cost_cny_per_t=1")
WHOLE = ("--set", "allocation.integer_allowances=true")
TIGHT = ("--set", "sectors.cement.target_change=-0.01")

CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "allocation": ("allocation", TIGHT),
    "allocation, direct": ("allocation", (*TIGHT, "--method", "direct")),
    "allocation, pyomo": ("allocation", (*TIGHT, "--method", "pyomo")),
    "allocation, aggregation": ("allocation", (*TIGHT, "--method", "aggregation")),
    "allocation, all objectives": (
        "allocation",
        (*TIGHT, "--set", 'allocation.objectives=["largest_change", "spread", "deficit", "change"]'),
    ),
    "allocation, whole tonnes": ("allocation", (*TIGHT, *WHOLE)),
    "allocation, fair order": ("allocation", (*TIGHT, "--set", "allocation.intensity_order=true")),
    "allocation, fair order in whole tonnes": (
        "allocation",
        (*TIGHT, *WHOLE, "--set", "allocation.intensity_order=true"),
    ),
    "allocation, exceptions": (
        "allocation",
        ("--set", "sectors.cement.target_change=-0.031", "--set", "allocation.exceptions.units=20"),
    ),
    "allocation, infeasible": ("allocation", ("--set", "sectors.cement.target_change=-0.04")),
    "balance_value": ("balance_value", ()),
    "abatement": ("abatement", ("--set", "market.prices_cny_per_t=80")),
    "abatement, accounts": ("abatement", ("--set", "market.prices_cny_per_t=80", *FRICTION)),
    "abatement, direct": ("abatement", ("--set", "market.prices_cny_per_t=80", "--method", "direct")),
    "clearing": ("clearing", ()),
    "clearing, direct": ("clearing", ("--method", "direct")),
    "clearing, accounts": ("clearing", FRICTION),
    "clearing, accounts, direct": ("clearing", (*FRICTION, "--method", "direct")),
    "clearing, infeasible": ("clearing", ("--set", "market.external_demand_t=1e11")),
    "pathway": ("pathway", ()),
    "pathway, direct": ("pathway", ("--method", "direct")),
    "pathway, decomposition": ("pathway", ("--method", "decomposition")),
    "pathway, accounts": ("pathway", FRICTION),
    "pathway, accounts, decomposition": ("pathway", (*FRICTION, "--method", "decomposition")),
    "equilibrium": ("equilibrium", ("--set", "market.prices_cny_per_t=80")),
    "compliance": ("compliance", ()),
}

AFTERWARDS = ("tables", "check")
"""Stages that run after the time limit."""


def measured(source: str, model: str, more: tuple[str, ...], limit_s: float, patience_s: float) -> str:
    """Return a row of the table: exit code, status, total seconds, those of tables and checks, and the delay [s]."""
    command = [sys.executable, "-m", "etsopt", "solve", source, "--model", model, *more, "--json"]
    imports = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import etsopt.cli.solving, pyomo.environ, highspy, scipy"], check=True)
    began = time.perf_counter()
    imports = began - imports
    try:
        done = subprocess.run(
            [*command, "--time-limit", f"{limit_s:g}"], capture_output=True, text=True, timeout=patience_s
        )
    except subprocess.TimeoutExpired:
        return f"not ended | | {patience_s:.0f} | | "
    took = time.perf_counter() - began
    said = json.loads(done.stdout) if done.stdout else {}
    if "seconds" not in said:
        words = said.get("error") or (done.stderr.splitlines() or [""])[-1]
        return f"{done.returncode} | {words[:60]} | {took:.1f} | | "
    after = sum(said["seconds"].get(stage, 0.0) for stage in AFTERWARDS)
    late = took - imports - after - limit_s
    return f"{done.returncode} | {said['status']} | {took:.1f} | {after:.1f} | {late:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--units", type=int, help="units of a generated instance; without it cn-2025 and its path")
    parser.add_argument("--limit", type=float, default=1.0, help="seconds")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds after which a solve is killed")
    parser.add_argument("--only", default="", help="cases whose name begins so")
    given = parser.parse_args()
    print("| case | exit | status | s in all | of that tables and checks | later than the limit, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "made"
        if given.units:
            size = ("--units", str(given.units), "--measures", "4", "--own-measures", "--out", str(made))
            subprocess.run([sys.executable, "-m", "etsopt", "generate", *size], check=True, stdout=subprocess.DEVNULL)
        for name, (model, more) in CASES.items():
            if name.startswith(given.only):
                shipped = "cn-2025-2035" if model == "pathway" else "cn-2025"
                row = measured(str(made) if given.units else shipped, model, more, given.limit, given.patience)
                print(f"| {name} | {row} |", flush=True)


if __name__ == "__main__":
    main()
