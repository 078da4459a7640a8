"""Lists of models, instances and rules on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from etsopt.cli.fitting import FittingTable
from etsopt.cli.shown import Text
from etsopt.cli.terminal import plain_console
from etsopt.data.policy.official import CONFIDENCE, EVERY_SECTOR, INDUSTRY, LAST_YEAR, SOURCES
from etsopt.data.policy.plans import NATIONAL, of_plan, of_year
from etsopt.language import _, gettext, in_brackets, in_chinese, joined
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.rules import Rule

LATEST = LAST_YEAR
"""Compliance year whose plan a list of all rules shows for the rule that follows the year of the tables."""


def listing(lines: Mapping[str, str], as_json: bool) -> int:
    """Print names, each with one line of description; return the exit code."""
    if as_json:
        print(json.dumps(lines, ensure_ascii=False))
        return 0
    table = FittingTable(lines=False)
    table.show_header = False
    for _column in ("name", "description"):
        table.add_column("")
    for name, line in lines.items():
        table.add_row(Text(name, style="bold"), Text(gettext(line)))
    plain_console().print(table)
    return 0


def rules(selected: Mapping[str, Rule], as_json: bool) -> int:
    """Print the rules with parameters and sources; return the exit code."""
    if as_json:
        content = {
            name: {
                "summary": rule.summary,
                "source": rule.source,
                "parameters": rule.parameters.model_json_schema()["properties"],
            }
            for name, rule in selected.items()
        }
        print(json.dumps(content, ensure_ascii=False))
        return 0
    console = plain_console()
    for name, rule in sorted(selected.items()):
        console.print(Text(name, style="bold"), Text(gettext(rule.summary)))
        for key, field in rule.parameters.model_fields.items():
            value = of_plan(name, LATEST).get(key, field.default)
            default = _("required") if field.is_required() else _("default {value}", value=value)
            # The description of a parameter without a default states the source of its value.
            console.print(
                Text(f"  {key}: {gettext(field.description or '')}{'' if value is None else in_brackets(default)}")
            )
        console.print(Text(_("  Source: {source}\n", source=rule.source)))
    return 0


def plan(name: str, year: int, as_json: bool) -> int:
    """Print the official parameters of a rule's plan of a year: unit, sectors, years, source and confidence."""
    rows = list(of_year(name, year))
    if as_json:
        parameters = [vars(row) | {"source": SOURCES[row.source]} for row in rows]
        content = {"rule": name, "year": year, "due": f"{year + 1}-12-31", "parameters": parameters}
        print(json.dumps(content | {"confidence": CONFIDENCE}, ensure_ascii=False))
        return 0
    console = plain_console()
    console.print(
        Text(
            _("{name}: compliance year {year}, due on 31 December {due}\n", name=name, year=year, due=year + 1),
            style="bold",
        )
    )
    if name == NATIONAL and year > LAST_YEAR:
        text = _(
            "No plan is enacted for {year}: figures of plans are those of {last_year}. Industry keeps them under "
            "rule.continues_plan_of, and power changes them by rule.benchmark_change, which a policy has to state.\n"
        )
        console.print(Text(_(text, year=year, last_year=LAST_YEAR)))
    sources = list(dict.fromkeys(row.source for row in rows))
    table = FittingTable(lines=False)
    heads = (_("parameter"), _("official"), _("unit"), _("sectors"), _("years"), _("source"))
    for head in heads:
        table.add_column(head)
    for row in rows:
        years = f"{row.first_year}-{row.last_year or ''}" if row.first_year != row.last_year else f"{row.first_year}"
        source = f"{row.confidence} [{sources.index(row.source) + 1}]"
        cells = (row.key, row.shown, row.unit, _sectors(row.sectors), years, source)
        table.add_row(*map(Text, cells))
    console.print(table)
    marks = "; ".join(f"{mark} {meaning}" for mark, meaning in CONFIDENCE.items())
    console.print(
        Text(
            _(
                "\nIndustry: {sectors}. Confidence: {marks}.",
                sectors=joined(word("sector", name) for name in INDUSTRY),
                marks=marks,
            )
        )
    )
    console.print(Text(_("A parameter stated in policy.toml replaces the official one.\n")))
    for number, source in enumerate(sources, 1):
        notes = [note for row in rows if row.source == source for note in (row.page, row.status)]
        shown = [_note(note) for note in dict.fromkeys(notes) if note not in ("", "final")]
        console.print(Text(f"[{number}] {'; '.join(map(str, [SOURCES[source], *shown]))}."))
    return 0


CHINESE_PLACES = {"page": "第{}页", "pages": "第{}页", "article": "第{}条", "annex": "附件{}", "box": "专栏{}"}
"""Places in a text, with their number, in Chinese."""


def _note(note: str) -> str:
    """Return a place in a source or its status, in the language of the terminal."""
    kind, _space, number = note.partition(" ")
    if in_chinese() and kind in CHINESE_PLACES:
        return CHINESE_PLACES[kind].format(number)
    return _("draft") if note == "draft" else note


def _sectors(sectors: tuple[str, ...]) -> str:
    return {EVERY_SECTOR: _("every"), INDUSTRY: _("industry")}.get(sectors) or joined(
        word("sector", one) for one in sectors
    )
