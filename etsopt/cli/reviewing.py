"""The commands ``review`` and ``verify``: decisions on monthly reports in a store, and what they have settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.cli.printing import CHINESE, print_files, print_json, records
from etsopt.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.accounting import Decided

SHOWN = 20
COUNTED = {
    "pass": ("item passed", "items passed"),
    "find": ("finding opened", "findings opened"),
    "close": ("finding closed", "findings closed"),
    "correct": ("item corrected", "items corrected"),
    "restore": ("item restored", "items restored"),
}


def review(options: Namespace) -> int:
    """Run a verb of the review."""
    verbs = {"status": _status, "findings": _findings, "history": _history, "apply": _apply, "screen": _screen}
    return verbs.get(options.verb, _single)(options)


def _status(options: Namespace) -> int:
    from etsopt import accounting, progress
    from etsopt.accounting.review.summary import day_of
    from etsopt.accounting.save import save_review
    from etsopt.cli import show_review, terminal

    on = None if options.on is None else day_of(options.on)
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        state = accounting.review(options.store, options.year, on, options.as_of, options.wait)
        chinese = options.lang == CHINESE
        files = [] if options.out is None else save_review(state.tables, options.out, chinese)
    if options.json:
        shown = ("rates", "statuses", "at_risk")
        content = {name: records(state.tables[name]) for name in shown}
        print_json({"entry": state.entry, "items": len(state.items), **content, "files": files})
        return 0
    show_review.status(state, chinese)
    print_files(files, options.out, chinese)
    return 0


def _findings(options: Namespace) -> int:
    from etsopt import accounting
    from etsopt.cli import show_review

    state = accounting.review(options.store, options.year, None, options.as_of, options.wait)
    found = state.findings if options.all else state.findings[state.findings["open"]]
    if options.json:
        print_json(records(found))
    else:
        show_review.findings(found, options.lang == CHINESE)
    return 0


def _history(options: Namespace) -> int:
    from etsopt import accounting
    from etsopt.cli import show_review

    item = {"unit_id": options.unit, "month": options.month, **_words(options)}
    table = accounting.history(options.store, **item, as_of=options.as_of, wait_s=options.wait)
    if options.json:
        print_json(records(table))
    else:
        show_review.history(table, options.lang == CHINESE)
    return 0


def _words(options: Namespace) -> dict[str, Any]:
    """Return process, item, flow and batch, in English whatever the language of the options."""
    from etsopt.accounting.review.decisions import WORDS

    own = {name: getattr(options, name) for name in ("process", "item", "flow", "batch")}
    return {name: WORDS.get(name, {}).get(value, value) for name, value in own.items()}


def _apply(options: Namespace) -> int:
    from etsopt import accounting, progress
    from etsopt.accounting.chinese import OF_DECISIONS
    from etsopt.cli import terminal

    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        return _show(accounting.decide(options.store, options.decisions, OF_DECISIONS, options.wait), options)


def _screen(options: Namespace) -> int:
    from etsopt import accounting, progress
    from etsopt.cli import terminal
    from etsopt.cli.commands import _pairs

    thresholds = _pairs(options.set, "--set")
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        given = (options.level, options.by, thresholds, options.least, options.wait)
        return _show(accounting.take_findings(options.store, *given), options)


def _single(options: Namespace) -> int:
    """Apply one decision, made of the options."""
    from etsopt import accounting

    names = {
        **{"level": "level", "by": "who", "day": "decided_on", "unit": "unit_id", "month": "month"},
        **{name: name for name in ("process", "item", "flow", "batch", "version", "quantity", "finding", "reason")},
        **{"ncv": "ncv_gj_per_unit", "size": "size_t"},
    }
    own = {column: getattr(options, name, None) for name, column in names.items()}
    given = {name: value for name, value in own.items() if value not in (None, "")}
    return _show(accounting.decide(options.store, {"decision": options.verb, **given}, wait_s=options.wait), options)


def _show(done: Decided, options: Namespace) -> int:
    """Print what decisions changed."""
    from etsopt.accounting.review.words import DECISIONS

    if options.json:
        print_json(vars(done))
        return 0
    chinese = options.lang == CHINESE
    words = [
        f"{DECISIONS[name]} {count:,}" if chinese else f"{count:,} {COUNTED[name][count > 1]}"
        for name, count in done.changes.items()
        if count
    ]
    text = (";".join(words) if chinese else ", ".join(words)) or ("无变化" if chinese else "nothing changed")
    if done.entry:
        text = f"第 {done.entry} 次记录：{text}" if chinese else f"Entry {done.entry}: {text}"
    text = text[0].upper() + text[1:] + ("。" if chinese else ".")
    if done.repeated:
        again = f"{done.repeated:,} decisions were applied before, and are left alone."
        text += f"{done.repeated:,} 项决定此前已执行，未重复执行。" if chinese else f" {again}"
    print(text)
    return 0


def verify(options: Namespace) -> int:
    """Write annual emissions with their status, findings and sheets."""
    from etsopt import accounting, progress
    from etsopt.accounting.save import save_review
    from etsopt.cli import show_review, terminal
    from etsopt.cli.commands import _pairs
    from etsopt.reports import write_monthly_sheets

    chinese = options.lang == CHINESE
    if options.enterprise and options.out is None:
        raise UsageError("--enterprise names sheets, but no folder to write them to.", "Name it by --out.")
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        changes = _pairs(options.set, "--set")
        found = accounting.verify(options.data, options.year, changes, as_of=options.as_of, wait_s=options.wait)
        files = []
        if options.out is not None:
            state = found.review
            tables = {"emissions": found.units, "findings": state.findings, "corrections": state.corrections}
            tables |= {"rates": state.rates, "at_risk": state.at_risk, "months": state.months}
            files = save_review(tables, options.out, chinese)
            files += write_monthly_sheets(found, options.out / "sheets", options.enterprise)
    if options.json:
        print_json({"year": found.year, "entry": found.review.entry, "units": records(found.units), "files": files})
        return 0
    show_review.verified(found, chinese)
    shown = files if len(files) <= SHOWN else [*files[:SHOWN], f"... ({len(files):,})"]
    print_files(shown, options.out, chinese)
    return 0
