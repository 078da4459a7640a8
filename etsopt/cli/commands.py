"""One function per command; each returns its exit code.

Each function imports its own dependencies: listing names must not load pandas, Pyomo or a solver, about a second.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from etsopt.characters import HIDDEN
from etsopt.cli.exporting import export as export
from etsopt.cli.language import _, joined, translated, word
from etsopt.errors import UsageError, brief
from etsopt.wording import message

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from pathlib import Path

    from etsopt.data.instance import Instance
    from etsopt.results import results


def solve(options: Namespace) -> int:
    """Solve, print a summary, and write the run folder if `--out` names one."""
    import numpy as np

    # OpenBLAS takes its work memory at the first product, and ends the process where it finds none: better now.
    np.matmul(*2 * [np.ones((200, 200))])
    from etsopt import progress
    from etsopt.cli import ends, remedying, saving, terminal
    from etsopt.data.files.write import check_format
    from etsopt.results.run_folder import see_that_writable
    from etsopt.running import run
    from etsopt.running.ends import at_ends

    check_format(options.format)
    workbook, options.out = saving.places(options.out)
    if options.out is not None:
        see_that_writable(options.out)
    # The time limit is that of the command: reading counts.
    with terminal.waiting(quiet=options.json) as tell, progress.watched(options.time_limit, tell):
        progress.tell("reading")
        with progress.stopped_anywhere("reading"):
            instance = _instance(options)
        solve = partial(
            run.solve,
            model=options.model,
            time_limit_s=options.time_limit,
            gap=options.gap,
            seed=options.seed,
            method=options.method,
            solver_options=_pairs(options.solver_option, "--solver-option"),
            mps=options.mps,
        )
        both = at_ends(instance)
        found = {end: _answer(options, one, solve, workbook, end) for end, one in (both or {"": instance}).items()}
    solved = {end: answer.result for end, answer in found.items()}
    if both:
        ends.show(solved, instance, options.json)
    for answer in found.values():
        if not options.json:
            answer.show(alone=not both)
        elif not both:
            content = answer.result.summary() | remedying.content(answer.result)
            print(json.dumps(content, ensure_ascii=False, allow_nan=False))
    return max(map(_exit_code, solved.values()))


class Answer(NamedTuple):
    """A result, what its remedy was, and where it was written, in words."""

    result: results.Results
    remedy: str
    place: str

    def show(self, alone: bool) -> None:
        """Print it, the result only if it stands alone."""
        from etsopt.cli import show

        if self.remedy:
            print(f"{self.remedy}\n")
        if alone:
            show.result(self.result)
        if self.place:
            print(self.place)


def _answer(
    options: Namespace,
    instance: Instance,
    solve: Callable[[Instance], results.Results],
    workbook: Path | None,
    end: str,
) -> Answer:
    """Solve an instance and write its run, that of an end of an interval in a folder and a workbook of its name."""
    from etsopt import progress
    from etsopt.cli import remedying, saving
    from etsopt.results.run_folder import holds_run

    folder = None if options.out is None else options.out / end
    workbook = workbook.with_stem(f"{workbook.stem}-{end}") if workbook is not None and end else workbook
    result, remedy = solve(instance), ""
    if options.apply_remedy is not None:
        instance, result, remedy = remedying.applied(options.apply_remedy, instance, result, solve)
    if folder is None:
        return Answer(result, remedy, "")
    # Without a result, or with a refused one, an existing run stays.
    written = not (result.status == "none" or (result.status == "refused" and holds_run(folder)))
    if written:
        progress.tell("writing")
        result.save(folder, instance, options.format)
        saving.save_workbook(result, workbook, folder)
    return Answer(result, remedy, saving.about(result, folder, workbook, written, options.model))


def _exit_code(result: results.Results) -> int:
    """Return the exit code of a result, as `etsopt --help` lists them."""
    from etsopt.results.claims import is_judged

    if result.status == "refused":
        return 5
    if result.termination == "interrupted":
        return 130
    if result.status.startswith("infeasible"):
        return 3
    # Some models of a user's own have no program that the checker could prove; the summary says so.
    solved = result.certified or (not is_judged(result) and result.termination == "optimal")
    return 0 if solved else 4


def validate(options: Namespace) -> int:
    """Read an instance; the caller reports the defects that this raises."""
    from etsopt.data.policy.doubts import doubtful_values
    from etsopt.rules import reference_allowances

    instance = _instance(options)
    # A change may name a rule or target that needs columns missing from the instance.
    reference_allowances(instance)
    content = {"instance": instance.name, "valid": True, "units": len(instance.units), "hash": instance.hash}
    doubts = list(doubtful_values(instance.policy.content))
    if options.json:
        print(json.dumps(content | {"doubts": doubts}, ensure_ascii=False))
    else:
        for doubt in doubts:
            print(_("Warning: {text}", text=translated(doubt)), file=sys.stderr)
        where = joined(word("sector", name) for name in instance.sectors)
        text = "{name} is valid: {count} units in {sectors}."
        print(_(text, name=instance.name, count=len(instance.units), sectors=where))
    return 0


def check(options: Namespace) -> int:
    """Check a run folder and the claims of its result.json, or the record of a sweep or design search."""
    from etsopt.cli import record_checks, reporting, show_checks
    from etsopt.running.library import is_file

    if options.model is not None and options.model_file is not None:
        raise UsageError("--as and --model ask for two theorems.", "Leave one of them out.")
    if options.model is not None and is_file(options.model):
        raise UsageError("--as takes the name of a model of the library.", "Name a file of your own by --model.")
    if options.model_file is not None and not is_file(options.model_file):
        raise UsageError("--model takes the file of a model of your own, ending in .py.", "Name another by --as.")
    if reporting.kind_of(options.run):
        return record_checks.check(options)
    from etsopt.results import results, run_folder
    from etsopt.results.claims import is_checked, unchecked_words
    from etsopt.running import run

    result, instance = results.load_both(options.run)
    verdict = run.check(instance, result, options.gap, options.model or options.model_file)
    prices = [f"{name}: multipliers" for name in verdict.unproven_prices]
    beside = [*unchecked_words(result), *run_folder.unlisted_files(options.run), *prices]
    same = instance.hash == result.provenance.get("instance_hash")
    # A claim that differs from the recomputed value is a violation.
    holds = same and not verdict.violations
    if options.json:
        content = {
            "certified": holds and verdict.certified,
            "checked": bool(verdict.theorem),
            "theorem": verdict.theorem,
            "status": verdict.status if verdict.theorem else "unchecked",
            "largest_gap": verdict.largest_gap,
            "same_instance": same,
            "infeasible_by_t": verdict.infeasible_by_t,
            "missing_days": verdict.missing_days,
            "levels": [{**vars(level), "certified": level.certified} for level in verdict.levels],
            "violations": verdict.table.to_dict("records"),
            "not_checked": beside,
        }
        print(json.dumps(results.finite(content), ensure_ascii=False, allow_nan=False))
    else:
        show_checks.report(result, verdict, same, beside)
    if not holds:
        return 5
    if not verdict.theorem:
        return 6
    # Of a theorem that the reader asked for, not the run, only a proof will do.
    asked = options.model is not None and not is_checked(result)
    return 4 if asked and not verdict.certified else 0


def compare(options: Namespace) -> int:
    """Print the differences between two runs."""
    from etsopt.cli import show_checks
    from etsopt.results import comparison, results

    one, other = results.load(options.one), results.load(options.other)
    tables = comparison.compare(one, other)
    if options.json:
        content = {name: table.to_dict("records") for name, table in tables.items()}
        print(json.dumps(results.finite(content), ensure_ascii=False, allow_nan=False))
    else:
        show_checks.comparison(one, other, tables)
    return 0


def generate(options: Namespace) -> int:
    """Write a generated instance."""
    from etsopt.data.files.aside import see_that_empty
    from etsopt.data.files.write import write_instance
    from etsopt.data.generate import POLICY, PROFILES
    from etsopt.data.generate import generate as generate_instance

    see_that_empty(options.out)
    instance = generate_instance(options.units, options.seed, options.measures, options.own_measures)
    measures = f" --measures {options.measures}" if options.measures else ""
    measures += " --own-measures" if options.own_measures else ""
    sectors = ", ".join(f"{(instance.units['sector'] == name).sum()} {name}" for name in sorted(PROFILES))
    readme = (
        f"Everything here is assumed: {options.units} seeded random units ({sectors}), seed {options.seed}; "
        f"no plant is real.\n\nMade by `etsopt generate --units {options.units} --seed {options.seed}{measures}`, year "
        f"{POLICY['year']}. Sizes and intensities follow the official sector totals and entity counts of 2024 and "
        "assumed spreads, as `etsopt/data/generate.py` states them. Apache-2.0.\n"
    )
    write_instance(instance, options.out, readme, options.format)
    if options.json:
        print(json.dumps({"folder": str(options.out), "units": options.units, "hash": instance.hash}))
    else:
        counts = instance.units["sector"].value_counts().sort_index()
        shown = joined((f"{count} {word('sector', name)}" for name, count in counts.items()))
        print(
            _("{count} units written to {folder}: {sectors}.", count=options.units, folder=options.out, sectors=shown)
        )
    return 0


def roll(options: Namespace) -> int:
    """Write next year's instance from the run folder of a compliance year."""
    from etsopt.cli import show_roll
    from etsopt.data.files.aside import see_that_empty
    from etsopt.data.files.read import read_units
    from etsopt.data.files.write import check_format, write_instance
    from etsopt.results import results
    from etsopt.running.roll import roll_over

    check_format(options.format)
    see_that_empty(options.out)
    units = None if options.units is None else read_units(options.units)
    result, instance = results.load_both(options.run)
    found = roll_over(result, instance, units)
    write_instance(found.instance, options.out, show_roll.readme(found), options.format)
    if options.json:
        content = results.finite(show_roll.content(found, options.out))
        print(json.dumps(content, ensure_ascii=False, allow_nan=False))
    else:
        show_roll.rolled(found, options.out)
    return 0


def _pairs(texts: list[str], flag: str) -> dict[str, Any]:
    """Parse ``key=value`` texts; a value that is not TOML is text, and ``3 %`` is 0.03."""
    from etsopt.data.policy.keys import value_of_text

    pairs: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        key, example = name.strip(), f"For example: {flag} sectors.cement.band=0.02"
        if not separator or not key or HIDDEN.search(key):
            raise UsageError(message("{flag} {text} is not KEY=VALUE.", flag=flag, text=brief(text)), example)
        if key in pairs:
            raise UsageError(message("{flag} names {key} twice.", flag=flag, key=brief(key)), "Keep one of them.")
        try:
            pairs[key] = value_of_text(value)
        except ValueError as error:
            failure = message(
                "{flag} {text} is not one key with one value: {error}.", flag=flag, text=brief(text), error=error
            )
            raise UsageError(
                failure, message("Give each key a {flag} of its own. {example}", flag=flag, example=example)
            ) from None
    return pairs


def _instance(options: Namespace) -> Instance:
    """Read the instance of a command, with its rule and policy changes."""
    from etsopt.rules import plugins
    from etsopt.running import reading

    changes = _changes(options.set)
    rules = [] if options.rule is None else plugins.load_file(options.rule)
    if not rules:
        return reading.read(options.instance, options.emissions, changes)
    under = partial(plugins.under_rule_of, names=rules, asked=changes.get("rule.name"))
    return reading.read(options.instance, options.emissions, changes, {"rule.name"}, under)


def _changes(texts: list[str]) -> dict[str, Any]:
    return _pairs(texts, "--set")
