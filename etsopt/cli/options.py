"""Options that several commands have, and what their texts stand for."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.common.characters import HIDDEN
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Parser
    from etsopt.data.instance import Instance

EXIT_CODES = _("""exit codes:
  0  solved: every limit checked, optimality proven within the requested gap
  2  invalid input or usage, or a damaged run folder
  3  infeasible: explained in tonnes, proven or not
  4  stopped, out of memory, or proven within a larger gap only; the best
     result found is kept, if there is one
  5  the checker found a violated limit or a false claim
  6  `etsopt check` of a model of your own: nothing could be checked
  130, 143  interrupted: `--out` still writes the best result found""")

INSTANCE = _("a folder, a workbook, a CSV file of units, or the name of a shipped instance")


def add_instance(command: Parser, text: str = INSTANCE) -> None:
    """Add an instance, of which a text tells, with the choice of its rule, its emissions and changes of its policy."""
    command.add_argument("instance", help=text)
    text = _("a Python file with a rule of your own, instead of the rule that the policy names")
    command.add_argument("--rule", type=Path, metavar="FILE", help=text)
    text = _(
        "of an instance with monthly reports, the emissions of units that are not verified: accounted (default), low, "
        "reconciled, high; verified refuses such units"
    )
    command.add_argument("--emissions", metavar="WHICH", help=text)
    text = _("change a policy key, such as sectors.cement.target_change=-0.01, or remove it: KEY=; repeatable")
    add_set(command, text)


def add_set(command: Parser, text: str) -> None:
    """Add changes of keys, whose meaning a text tells."""
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=text)


def add_format(command: Parser) -> None:
    """Add the format of the tables of a run or an instance."""
    text = _("table format: csv, or parquet, which needs the extra 'parquet' (default: %(default)s)")
    command.add_argument("--format", default="csv", help=text)


def add_time_limit(command: Parser) -> None:
    """Add the time limit."""
    command.add_argument("--time-limit", type=time_limit, metavar="S", help=_("limit for the whole command [s]"))


def time_limit(text: str) -> float:
    """Return a number of seconds above zero."""
    from etsopt.modelling.solving.options import check_time_limit

    limit_s = float(text)
    check_time_limit(limit_s)
    return limit_s


def add_state(command: Parser) -> None:
    """Add the options for an earlier state of a store, and for a store in use."""
    text = _(
        "state of a store: an entry that `etsopt store log` lists, or a day such as 2026-01-31, up to its end in China "
        "(default: now)"
    )
    command.add_argument("--as-of", metavar="WHEN", help=text)
    add_wait(command)


def add_wait(command: Parser) -> None:
    """Add the time to wait for a store that is in use."""
    text = _("time to wait while another process has the store open (default: 10)")
    command.add_argument("--wait", type=seconds, metavar="S", help=text)


def seconds(text: str) -> float:
    """Return a time of at least 0 s."""
    value = float(text)
    if not 0 <= value < 1e6:
        raise argparse.ArgumentTypeError(_("{text} is no time in seconds from 0 on", text=text))
    return value


def pairs(texts: list[str], flag: str = "--set") -> dict[str, Any]:
    """Parse ``key=value`` texts; a value that is not TOML is text, ``3 %`` is 0.03, and none removes the key."""
    from etsopt.data.policy.keys import value_of_text

    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        key, example = name.strip(), _("For example: {flag} sectors.cement.band=0.02", flag=flag)
        if not separator or not key or HIDDEN.search(key):
            raise UsageError(_("{flag} {text} is not KEY=VALUE.", flag=flag, text=brief(text)), example)
        if key in found:
            raise UsageError(_("{flag} names {key} twice.", flag=flag, key=brief(key)), _("Keep one of them."))
        try:
            found[key] = value_of_text(value) if value.strip() else None
        except ValueError as error:
            failure = _(
                "{flag} {text} is not one key with one value: {error}.", flag=flag, text=brief(text), error=error
            )
            raise UsageError(
                failure, _("Give each key a {flag} of its own. {example}", flag=flag, example=example)
            ) from None
    return found


def instance_of(options: Namespace) -> Instance:
    """Read the instance of a command, with its rule and policy changes."""
    from etsopt.rules import plugins
    from etsopt.running import reading

    changes = pairs(options.set)
    rules = [] if options.rule is None else plugins.load_file(options.rule)
    if not rules:
        return reading.read(options.instance, options.emissions, changes)
    under = partial(plugins.under_rule_of, names=rules, asked=changes.get("rule.name"))
    return reading.read(options.instance, options.emissions, changes, {"rule.name"}, under)
