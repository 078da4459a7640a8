"""The commands that list models, instances and rules.

Each function imports its own dependencies: listing names must not load pandas, Pyomo or a solver, about a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _, gettext

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the commands."""
    commands.add("models", _("list the models"), models)
    command = commands.add("rules", _("list the allocation rules, their parameters and sources"), rules)
    text = _("print the official parameters of the rule's year with unit, source and confidence")
    command.add_argument("rule", nargs="?", metavar="RULE", help=text)
    text = _("compliance year of the plans under the rule cn (default: the last one with a plan for power)")
    command.add_argument("--year", type=int, help=text)
    commands.add("instances", _("list the shipped instances"), instances)
    commands.add("schema", _("print the JSON schema of result.json"), schema)


def models(options: Namespace) -> int:
    """List the models."""
    from etsopt.cli import list_documents
    from etsopt.running import library

    lines = {}
    for name in (*library.names(), *library.installed()):
        other = library.explains(name)
        lines[name] = gettext(library.summary(name))
        if other:
            lines[name] = _("{about} Not solved by itself: {other} calls it.", about=lines[name], other=other)
    return list_documents.listing(lines, options.json)


def instances(options: Namespace) -> int:
    """List the shipped instances by the first line of their README."""
    from etsopt.cli import list_documents
    from etsopt.data.files import shipped

    lines = {}
    for name in shipped.names():
        text = (shipped.folder(name) / "README.md").read_text(encoding="utf-8")
        lines[name] = text.lstrip("# ").split("\n")[0]
    return list_documents.listing(lines, options.json)


def rules(options: Namespace) -> int:
    """List the rules with parameters and sources, or print the official parameters of one plan."""
    from etsopt.cli import list_documents
    from etsopt.data.messages import did_you_mean
    from etsopt.data.policy.official import FIRST_YEAR, LAST_YEAR
    from etsopt.data.policy.plans import NATIONAL, plan_year
    from etsopt.rules.registry import RULES, register_installed

    register_installed()
    if options.rule is None:
        return list_documents.rules(RULES, options.json)
    if options.year is not None and (options.rule != NATIONAL or options.year < FIRST_YEAR):
        what = _("--year {year} is before the first plan, of {first_year}.", year=options.year, first_year=FIRST_YEAR)
        if options.rule != NATIONAL:
            what = _("--year is for the rule {national}, which has a plan for each year.", national=NATIONAL)
        raise UsageError(
            what,
            _("For example: etsopt rules {national} --year {last_year}", national=NATIONAL, last_year=LAST_YEAR),
        )
    year = plan_year(options.rule, LAST_YEAR if options.year is None else options.year)
    if year is not None:
        return list_documents.plan(options.rule, year, options.json)
    if options.rule in RULES:
        return list_documents.rules({options.rule: RULES[options.rule]}, options.json)
    advice = _("{guess}The rules are {rules}.", guess=did_you_mean(options.rule, RULES), rules=", ".join(sorted(RULES)))
    raise UsageError(_("There is no rule {rule}.", rule=brief(options.rule)), advice)


def schema(options: Namespace) -> int:
    """Print the JSON schema of ``result.json``, as `etsopt.running.results.build_schema` wrote it."""
    from pathlib import Path

    shipped = Path(__file__).parents[1] / "running" / "results" / "result.schema.json"
    print(shipped.read_text(encoding="utf-8"), end="")
    return 0
