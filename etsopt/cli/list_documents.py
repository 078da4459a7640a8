"""Lists of models, instances and rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from etsopt.cli.terminal import show, show_blocks
from etsopt.common.language import _, gettext, in_chinese, joined
from etsopt.common.vocabulary import word
from etsopt.data.policy.official import CONFIDENCE, EVERY_SECTOR, INDUSTRY, LAST_YEAR, SOURCES
from etsopt.data.policy.plans import NATIONAL, of_plan, of_year
from etsopt.presenting.documents.document import (
    Column,
    Document,
    Facts,
    Paragraph,
    Points,
    Section,
    Table,
    clauses,
    named,
    noted,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etsopt.data.policy.official import Official
    from etsopt.rules import Rule

LATEST = LAST_YEAR
"""Compliance year whose plan a list of all rules shows for the rule that follows the year of the tables."""


def listing(lines: Mapping[str, str], as_json: bool) -> int:
    """Print names, each with one line of description; return the exit code."""
    if as_json:
        print(json.dumps(lines, ensure_ascii=False))
        return 0
    show_blocks([Facts(tuple((name, gettext(line)) for name, line in lines.items()))])
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
    sections = (
        Section(name, named(name, gettext(rule.summary)), (_parameters(name, rule), _source(rule.source)))
        for name, rule in sorted(selected.items())
    )
    show(Document("", "", "", sections=tuple(sections)))
    return 0


def _parameters(name: str, rule: Rule) -> Facts:
    """Return the parameters of a rule by their keys in a policy, with what they mean and their defaults."""
    pairs = []
    for key, field in rule.parameters.model_fields.items():
        value = of_plan(name, LATEST).get(key, field.default)
        default = _("required") if field.is_required() else _("default {value}", value=value)
        meaning = gettext(field.description) if field.description else ""
        # The description of a parameter without a default states the source of its value.
        pairs.append((f"rule.{key}", meaning if value is None else noted(meaning, default)))
    return Facts(tuple(pairs))


def _source(text: str) -> Paragraph:
    return Paragraph(_("Source: {source}", source=text))


def plan(name: str, year: int, as_json: bool) -> int:
    """Print the official parameters of a rule's plan of a year: unit, sectors, years, source and confidence."""
    rows = list(of_year(name, year))
    if as_json:
        parameters = [vars(row) | {"source": SOURCES[row.source]} for row in rows]
        content = {"rule": name, "year": year, "due": f"{year + 1}-12-31", "parameters": parameters}
        print(json.dumps(content | {"confidence": CONFIDENCE}, ensure_ascii=False))
        return 0
    answer = _(
        "{name}: compliance year {year}, due on 31 December {due}, China time (UTC+8)",
        name=name,
        year=year,
        due=year + 1,
    )
    text = _(
        "No plan is enacted for {year}: figures of plans are those of {last_year}. Industry keeps them under "
        "rule.continues_plan_of, and power changes them by rule.benchmark_change, which a policy has to state."
    )
    after = name == NATIONAL and year > LAST_YEAR
    remark = (Paragraph(_(text, year=year, last_year=LAST_YEAR)),) if after else ()
    marks = clauses(f"{mark} {meaning}" for mark, meaning in CONFIDENCE.items())
    industry = joined(word("sector", name) for name in INDUSTRY)
    sources = list(dict.fromkeys(row.source for row in rows))
    blocks = (
        *remark,
        _official(rows, sources),
        Paragraph(_("Industry: {sectors}. Confidence: {marks}.", sectors=industry, marks=marks)),
        Paragraph(_("A parameter stated in policy.toml replaces the official one.")),
        Points(tuple(_stated(rows, source, number) for number, source in enumerate(sources, 1))),
    )
    show(Document(answer, "", answer, sections=(Section("plan", "", blocks),)))
    return 0


def _official(rows: Sequence[Official], sources: Sequence[str]) -> Table:
    """Return the official parameters, their sources by number."""
    heads = {_("parameter"): 1, _("official"): 1, _("unit"): 1, _("sectors"): 1, _("years"): 2, _("source"): 3}
    columns = tuple(Column(head, priority=priority) for head, priority in heads.items())
    cells = []
    for row in rows:
        years = f"{row.first_year}-{row.last_year or ''}" if row.first_year != row.last_year else f"{row.first_year}"
        source = f"{row.confidence} [{sources.index(row.source) + 1}] {_place(row.page)}".strip()
        cells.append((row.key, row.shown, row.unit, _sectors(row.sectors), years, source))
    return Table("", columns, tuple(cells))


def _stated(rows: Sequence[Official], source: str, number: int) -> str:
    """Return a source, and whether it is a draft: the places in it stand beside the parameters."""
    shown = [_("draft")] if any(row.status == "draft" for row in rows if row.source == source) else []
    return f"[{number}] {clauses([SOURCES[source], *shown])}."


CHINESE_PLACES = {"page": "第{}页", "pages": "第{}页", "article": "第{}条", "part": "第{}部分"}
"""Places in a text, with their number, in Chinese."""


def _place(text: str) -> str:
    """Return a place in a source, in the language of the terminal."""
    kind, _space, number = text.partition(" ")
    if in_chinese() and kind in CHINESE_PLACES:
        return CHINESE_PLACES[kind].format(number.replace(", ", "、"))
    return text


def _sectors(sectors: tuple[str, ...]) -> str:
    return {EVERY_SECTOR: _("every"), INDUSTRY: _("industry")}.get(sectors) or joined(
        word("sector", one) for one in sectors
    )
