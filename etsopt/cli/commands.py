"""One function for each command; each returns the exit code."""

from __future__ import annotations

import json
import tomllib
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from rich.console import Console

from etsopt import library, results, run
from etsopt.claims import is_checked, is_stopped
from etsopt.cli import listings, show
from etsopt.data import shipped
from etsopt.data.aside import is_empty
from etsopt.data.files import write_file
from etsopt.data.write import check_format, write_instance
from etsopt.errors import UsageError
from etsopt.generating import POLICY, PROFILES
from etsopt.generating import generate as generate_instance
from etsopt.reports import settlement_page
from etsopt.rules import RULES, reference_allowances
from etsopt.run_folder import see_that_writable

if TYPE_CHECKING:
    from argparse import Namespace

EXIT_OF_TERMINATION = {"infeasible": 3, "time_limit": 4, "interrupted": 4, "memory": 4, "solver_error": 4, "refused": 2}


def solve(options: Namespace) -> int:
    """Solve, print a summary, write the run folder if one is wanted."""
    check_format(options.format)
    if options.out is not None:
        see_that_writable(options.out)
    instance = run.read(options.instance).with_policy(_changes(options.set))
    errors = Console(stderr=True)
    waiting = errors.status("reading") if errors.is_terminal and not options.json else nullcontext()
    with waiting as status:
        found = run.solve(
            instance,
            options.model,
            time_limit_s=options.time_limit,
            gap=options.gap,
            seed=options.seed,
            method=options.method,
            solver_options=_pairs(options.solver_option, "--solver-option"),
            mps=options.mps,
            progress=(lambda line: status.update(line)) if status is not None else (lambda line: None),
        )
    if options.out is not None:
        found.save(options.out, instance, options.format)
    if options.json:
        print(json.dumps(found.summary(), ensure_ascii=False, allow_nan=False))
    else:
        show.result(found)
        if options.out is not None:
            print(f"Written to {options.out}; `etsopt check {options.out}` checks it again.")
    return _exit_code(found)


def _exit_code(found: results.Results) -> int:
    if found.termination != "optimal":
        return EXIT_OF_TERMINATION[found.termination]
    # A model of the user's own cannot be checked, and its summary says so; the checker's no is another thing.
    return 5 if found.provenance["checked"] and not found.certified else 0


def validate(options: Namespace) -> int:
    """Read an instance; a defect is raised and reported by the caller."""
    instance = run.read(options.instance).with_policy(_changes(options.set))
    # A change may name another rule, or a target that needs what the instance does not hold.
    reference_allowances(instance)
    content = {"instance": instance.name, "valid": True, "units": len(instance.units), "hash": instance.hash}
    if options.json:
        print(json.dumps(content, ensure_ascii=False))
    else:
        print(f"{instance.name} is valid: {len(instance.units)} units in {', '.join(instance.sectors)}.")
    return 0


def check(options: Namespace) -> int:
    """Check a run folder again, and what its result.json claims."""
    found, instance = results.load_both(options.run)
    report = run.check(instance, found)
    same = instance.hash == found.provenance.get("instance_hash")
    # What is claimed is what was recomputed, unless a violation says otherwise.
    holds = same and not report.violations
    if options.json:
        content = {
            "certified": holds and found.certified,
            "checked": is_checked(found),
            "same_instance": same,
            "infeasible_by_t": report.infeasible_by_t,
            "levels": [{**vars(level), "certified": level.certified} for level in report.levels],
            "violations": report.table.to_dict("records"),
        }
        print(json.dumps(results.finite(content), ensure_ascii=False, allow_nan=False))
    else:
        show.report(found, report, same)
    return 0 if holds and (found.certified or is_stopped(found) or not is_checked(found)) else 5


def report(options: Namespace) -> int:
    """Write the report of a settlement."""
    found, instance = results.load_both(options.run)
    text = settlement_page(instance, found, options.enterprise)
    path = options.out or options.run / "report.html"
    write_file(path, text)
    print(json.dumps({"file": str(path)}, ensure_ascii=False) if options.json else f"Written to {path}.")
    return 0


def compare(options: Namespace) -> int:
    """Print what differs between two runs."""
    one, other = results.load(options.one), results.load(options.other)
    tables = results.compare(one, other)
    if options.json:
        content = {name: table.to_dict("records") for name, table in tables.items()}
        print(json.dumps(results.finite(content), ensure_ascii=False, allow_nan=False))
    else:
        show.comparison(one, other, tables)
    return 0


def generate(options: Namespace) -> int:
    """Write a generated instance."""
    if options.out.is_dir() and not is_empty(options.out):
        raise UsageError(f"The folder {str(options.out)!r} is not empty.", "Name a new one; nothing is overwritten.")
    instance = generate_instance(options.units, options.seed, options.measures, options.own_measures)
    measures = f" --measures {options.measures}" if options.measures else ""
    measures += " --own-measures" if options.own_measures else ""
    sectors = ", ".join(f"{(instance.units['sector'] == name).sum()} {name}" for name in sorted(PROFILES))
    readme = (
        f"Everything here is assumed: {options.units} seeded random units ({sectors}), seed {options.seed}; "
        f"no plant is real.\n\nMade by `etsopt generate --units {options.units} --seed {options.seed}{measures}`, year "
        f"{POLICY['year']}. Sizes and intensities follow the official sector totals and entity counts of 2024 and "
        "assumed spreads, as `etsopt/generating.py` states them. Apache-2.0.\n"
    )
    write_instance(instance, options.out, readme, options.format)
    if options.json:
        print(json.dumps({"folder": str(options.out), "units": options.units, "hash": instance.hash}))
    else:
        print(f"{options.units} units written to {options.out}: {sectors}.")
    return 0


def models(options: Namespace) -> int:
    """List the models."""
    lines = {}
    for name in library.names():
        other = library.explains(name)
        lines[name] = library.summary(name) + (f" Not solved by itself: {other} calls it." if other else "")
    return listings.listing(lines, options.json)


def instances(options: Namespace) -> int:
    """List the shipped instances by the first line of their README."""
    lines = {}
    for name in shipped.names():
        text = (shipped.folder(name) / "README.md").read_text(encoding="utf-8")
        lines[name] = text.lstrip("# ").split("\n")[0]
    return listings.listing(lines, options.json)


def rules(options: Namespace) -> int:
    """List the rules, their parameters with defaults, and their sources."""
    return listings.rules(RULES, options.json)


def _pairs(texts: list[str], flag: str) -> dict[str, Any]:
    """Parse ``key=value`` texts; a value is read as TOML, else it is text."""
    pairs: dict[str, Any] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key:
            raise UsageError(f"{flag} {text!r} is not KEY=VALUE.", f"For example: {flag} sectors.cement.band=0.02")
        try:
            pairs[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            pairs[key.strip()] = value
    return pairs


def _changes(texts: list[str]) -> dict[str, Any]:
    return _pairs(texts, "--set")
