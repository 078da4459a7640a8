"""The command ``review``: decisions on monthly reports in a store, their state, and notices of what is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.cli.options import add_state, add_wait, pairs
from etsopt.cli.printing import print_files, print_json, records
from etsopt.cli.storing import STORE
from etsopt.common.language import _, joined, ngettext

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.accounting import Decided
    from etsopt.cli.parsing import Commands, Parser
    from etsopt.common.language import Text

Add = Callable[[str, str], "Parser"]
"""A function that adds a verb by name and text."""

PLACE = ("unit", "month", "item")


def register(commands: Commands) -> None:
    """Add the command with its verbs."""
    text = _("review monthly reports in a store at the municipal, provincial and national level")
    verbs = commands.with_verbs("review", text)

    def add(name: str, text: str) -> Parser:
        verb = verbs.add(name, text, review)
        verb.add_argument("store", metavar="STORE", help=STORE)
        return verb

    status = add("status", _("summarise items, first-pass rates, open findings, late months and enterprises at risk"))
    _add_scope(status)
    text = _("day by which months without a report count as missing after their deadline, in China (default: today)")
    status.add_argument("--on", metavar="DAY", help=text)
    text = _("folder to write all tables to: items, months, findings, corrections and the others")
    status.add_argument("--out", type=Path, metavar="DIR", help=text)
    add_state(status)
    findings = add("findings", _("list findings"))
    _add_scope(findings)
    findings.add_argument("--all", action="store_true", help=_("also those that are closed"))
    add_state(findings)
    notice = add("notice", _("write a notice of corrections to each enterprise with open findings, an HTML page"))
    notice.add_argument("--out", type=Path, required=True, metavar="DIR", help=_("folder to write the notices to"))
    _add_scope(notice)
    notice.add_argument("--deadline", metavar="DAY", help=_("day by which enterprises are to answer, in China"))
    text = _("write the notice of this enterprise only; repeatable (default: all)")
    notice.add_argument("--enterprise", action="append", default=[], metavar="ID", help=text)
    add_state(notice)
    history = add("history", _("list every version of the items of a month, and every decision on them"))
    _add_item(history, needed=("unit", "month"))
    add_state(history)
    apply = add("apply", _("apply a table of decisions, all or none; rows that were applied before are left alone"))
    text = _("a CSV file with a decision a row: pass, find, close, correct or restore")
    apply.add_argument("decisions", type=Path, metavar="FILE", help=text)
    add_wait(apply)
    screen = add("screen", _("take over the findings of `etsopt screen`; what was closed stays closed"))
    _add_who(screen)
    screen.add_argument("--least", type=float, default=0.0, metavar="T", help=_("least size of a finding [tCO2e]"))
    screen.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help=_("replace a threshold; repeatable")
    )
    _add_decisions(add)


def _add_scope(verb: Parser) -> None:
    """Add the options that choose months and units."""
    verb.add_argument("--year", type=int, help=_("only months of this year (default: all)"))
    verb.add_argument("--city", default="", help=_("only units of this city of the register (default: all)"))


def _add_decisions(add: Add) -> None:
    """Add a verb for each decision on a single item, or on all that match."""
    grant = add("pass", _("pass items: those of a unit, month, process or item"))
    find = add("find", _("open a finding on a month or item"))
    close = add("close", _("close a finding"))
    correct = add("correct", _("correct a quantity: a new version, which passes the levels again"))
    restore = add("restore", _("bring an earlier version back, as a new one"))
    for verb, needed in ((grant, ("unit",)), (find, ("unit", "month")), (correct, PLACE), (restore, PLACE)):
        _add_item(verb, needed)
    for verb in (grant, find, close, correct, restore):
        _add_who(verb)
        verb.add_argument("--day", metavar="DAY", default="", help=_("day of the decision, in China (default: today)"))
    for verb in (find, close, correct, restore):
        verb.add_argument("--reason", required=True, help=_("why"))
    find.add_argument("--size", type=float, metavar="T", help=_("emissions concerned [tCO2e]"))
    text = _("number of the finding; may be repeated")
    close.add_argument("--finding", type=int, action="append", required=True, metavar="N", help=text)
    correct.add_argument("--quantity", type=float, metavar="X", help=_("corrected quantity (default: as it is)"))
    text = _("version that was reviewed: another that is present is refused (default: the present one)")
    grant.add_argument("--version", type=int, metavar="N", help=text)
    text = _("pass the items without an open finding, and list those that are left (default: all or none)")
    grant.add_argument("--without-findings", action="store_true", help=text)
    text = _("corrected calorific value [GJ/t or GJ/1e4 Nm3] (default: as it is)")
    correct.add_argument("--ncv", type=float, metavar="X", help=text)
    restore.add_argument("--version", type=int, required=True, metavar="N", help=_("version that comes back"))


def _add_item(verb: Parser, needed: tuple[str, ...]) -> None:
    """Add the options that choose items; those that are left out stand for all."""
    texts = {
        "unit": _("unit of the items"),
        "month": _("month of the items"),
        "process": _("process of the items"),
        "item": _("item of the items"),
        "flow": _("flow of the items"),
        "batch": _("batch of the items"),
    }
    for name, text in texts.items():
        text = text if name in needed else _("{text} (default: all)", text=text)
        verb.add_argument(f"--{name}", default="", required=name in needed, help=text)


def _add_who(verb: Parser) -> None:
    text = _("level that decides: municipal, provincial or national; enterprise for a correction of its own")
    verb.add_argument("--level", required=True, help=text)
    verb.add_argument("--by", required=True, metavar="NAME", help=_("person or department that decides"))
    add_wait(verb)


def review(options: Namespace) -> int:
    """Run a verb of the review."""
    verbs = {"status": _status, "findings": _findings, "history": _history, "apply": _apply, "screen": _screen}
    verbs |= {"notice": _notice}
    return verbs.get(options.verb, _single)(options)


def _status(options: Namespace) -> int:
    from etsopt import accounting
    from etsopt.accounting.review.summary import day_of
    from etsopt.accounting.save import save_review
    from etsopt.cli import terminal
    from etsopt.common import progress
    from etsopt.reports.monthly.review import status

    on = None if options.on is None else day_of(options.on)
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        state = accounting.review(options.store, options.year, on, options.as_of, options.wait, options.city)
        files = [] if options.out is None else save_review(state.tables, options.out)
    if options.json:
        shown = ("rates", "statuses", "at_risk")
        content = {name: records(state.tables[name]) for name in shown}
        head = "" if state.line is None else state.line.head
        print_json({"entry": state.entry, "head": head, "items": len(state.items), **content, "files": files})
        return 0
    terminal.show(status(state))
    print_files(files, options.out)
    return 0


def _findings(options: Namespace) -> int:
    from etsopt import accounting
    from etsopt.cli import terminal
    from etsopt.reports.monthly.review import findings

    state, _causes = accounting.review_with_causes(
        options.store, options.year, options.as_of, options.wait, options.city
    )
    found = state.findings if options.all else state.findings[state.findings["open"]]
    if options.json:
        print_json(records(found))
    else:
        terminal.show_blocks([findings(found)])
    return 0


def _notice(options: Namespace) -> int:
    """Write notices of corrections."""
    from etsopt import accounting
    from etsopt.accounting.review.summary import day_of
    from etsopt.cli import terminal
    from etsopt.common import progress
    from etsopt.reports import write_notices

    deadline = None if options.deadline is None else day_of(options.deadline)
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        state, causes = accounting.review_with_causes(
            options.store, options.year, options.as_of, options.wait, options.city
        )
        given = (options.lang, options.enterprise, deadline, causes)
        files = [path.name for path in write_notices(state, options.out, *given)]
    if options.json:
        print_json({"folder": str(options.out), "files": files})
    elif files:
        print_files(files, options.out)
    else:
        print(_("No finding is open."))
    return 0


def _history(options: Namespace) -> int:
    from etsopt import accounting
    from etsopt.cli import terminal
    from etsopt.reports.monthly.review import history

    item = {"unit_id": options.unit, "month": options.month, **_words(options)}
    table = accounting.history(options.store, **item, as_of=options.as_of, wait_s=options.wait)
    if options.json:
        print_json(records(table))
    else:
        terminal.show_blocks([history(table)])
    return 0


def _words(options: Namespace) -> dict[str, Any]:
    """Return process, item, flow and batch, in English whatever the language of the options."""
    from etsopt.accounting.review.decisions import WORDS

    own = {name: getattr(options, name) for name in ("process", "item", "flow", "batch")}
    return {name: WORDS.get(name, {}).get(value, value) for name, value in own.items()}


def _apply(options: Namespace) -> int:
    from etsopt import accounting
    from etsopt.accounting.chinese import headings_of_decisions
    from etsopt.cli import terminal
    from etsopt.common import progress

    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        done = accounting.decide(options.store, options.decisions, headings_of_decisions(), options.wait)
        return _show(done, options)


def _screen(options: Namespace) -> int:
    from etsopt import accounting
    from etsopt.cli import terminal
    from etsopt.common import progress

    thresholds = pairs(options.set, "--set")
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        given = (options.level, options.by, thresholds, options.least, options.wait)
        done = accounting.import_findings(options.store, *given)
        state, _causes = accounting.review_with_causes(options.store, wait_s=options.wait)
    corrected = int(state.findings["corrected"].sum())
    shown = _show(done, options)
    if corrected and not options.json:
        text = ngettext(
            "{count:,} open finding is no longer found in corrected data: check it again, and close it.",
            "{count:,} open findings are no longer found in corrected data: check them again, and close them.",
            corrected,
        )
        print(text)
    return shown


def _single(options: Namespace) -> int:
    """Apply one decision, made of the options, or the same of several findings."""
    import pandas as pd

    from etsopt import accounting

    names = {
        **{"level": "level", "by": "who", "day": "decided_on", "unit": "unit_id", "month": "month"},
        **{name: name for name in ("process", "item", "flow", "batch", "version", "quantity", "reason")},
        **{"ncv": "ncv_gj_per_unit", "size": "size_t"},
    }
    own = {column: getattr(options, name, None) for name, column in names.items()}
    given = {name: value for name, value in own.items() if value not in (None, "")}
    decision = {"decision": options.verb, **given}
    numbers = dict.fromkeys(getattr(options, "finding", None) or ())
    every = [{**decision, "finding": number} for number in numbers] or [decision]
    # A single decision is always applied, a row of several once.
    decisions = every[0] if len(every) == 1 else pd.DataFrame(every)
    without = getattr(options, "without_findings", False)
    return _show(accounting.decide(options.store, decisions, wait_s=options.wait, without_findings=without), options)


def _show(done: Decided, options: Namespace) -> int:
    """Print what decisions changed, and the head of the ledger after it: the receipt of the act."""
    if options.json:
        own = {name: value for name, value in vars(done).items() if name != "line"}
        own |= {"corrections": records(done.corrections), "left": records(done.left)}
        print_json(own | {"head": "" if done.line is None else done.line.head})
        return 0
    text = _("Nothing changed.")
    if done.entry:
        text = _("Entry {entry}: {changes}.", entry=done.entry, changes=joined(_changes(done.changes), "；"))
    if done.repeated:
        again = _("{told} {repeated:,} decisions were applied before, and are left alone.")
        if options.verb == "screen":
            again = _("{told} {repeated:,} findings were taken over before, and are left alone.")
        text = _(again, told=text, repeated=done.repeated)
    print(text)
    if len(done.left):
        from etsopt.cli import terminal
        from etsopt.reports.monthly.review import left

        terminal.show_blocks([left(done.left)])
    if len(done.corrections):
        from etsopt.cli import terminal
        from etsopt.reports.monthly.review import corrections

        terminal.show_blocks([*corrections(done.corrections)])
    if done.line is not None:
        print(done.line.stamp)
    return 0


def _changes(counts: dict[str, int]) -> list[Text]:
    """Return what decisions changed, in words."""
    texts = {
        "pass": ngettext("{count:,} item passed", "{count:,} items passed", counts["pass"]),
        "find": ngettext("{count:,} finding opened", "{count:,} findings opened", counts["find"]),
        "close": ngettext("{count:,} finding closed", "{count:,} findings closed", counts["close"]),
        "correct": ngettext("{count:,} item corrected", "{count:,} items corrected", counts["correct"]),
        "restore": ngettext("{count:,} item restored", "{count:,} items restored", counts["restore"]),
    }
    return [text for name, text in texts.items() if counts[name]]
