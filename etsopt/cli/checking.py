"""Check a saved run, or the record of a sweep or design search."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.errors import UsageError
from etsopt.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("check a saved run from its instance and tables alone, or the record of a sweep or search")
    command = commands.add("check", text, check)
    text = _("a run folder written by `etsopt solve --out`, or folder of a record")
    command.add_argument("run", type=Path, help=text)
    text = _(
        "largest relative gap that proves whole plans, whole tonnes and exceptions (default: 1e-4, of reviews 1e-3)"
    )
    command.add_argument("--gap", type=float, metavar="G", help=text)
    text = _("model whose theorem is to be proven (default: the one that the run names)")
    command.add_argument("--as", dest="model", metavar="MODEL", help=text)
    text = _("file of your own model, whose program is compiled and proven again")
    command.add_argument("--model", dest="model_file", metavar="FILE", help=text)
    text = _("of a record, how many of its proven outcomes are solved again (default: 20)")
    command.add_argument("--again", type=int, default=20, metavar="K", help=text)
    command.add_argument("--all", action="store_true", help=_("of a record, solve all proven outcomes again"))
    text = _("of a record, seed of their choice (default: 0)")
    command.add_argument("--seed", type=int, default=0, metavar="S", help=text)
    text = _("of a record, its instance, if it no longer lies where it lay")
    command.add_argument("--instance", metavar="INSTANCE", help=text)


def check(options: Namespace) -> int:
    """Check a run folder and the claims of its result.json, or the record of a sweep or design search."""
    from etsopt.cli import record_checks, reporting, show_checks
    from etsopt.running.library import is_file

    if options.model is not None and options.model_file is not None:
        raise UsageError(_("--as and --model ask for two theorems."), _("Leave one of them out."))
    if options.model is not None and is_file(options.model):
        raise UsageError(_("--as takes the name of a model of the library."), _("Name a file of your own by --model."))
    if options.model_file is not None and not is_file(options.model_file):
        raise UsageError(_("--model takes the file of a model of your own, ending in .py."), _("Name another by --as."))
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
