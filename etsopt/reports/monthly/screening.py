"""Findings of screening: rules with findings, and the findings, the largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.chinese import one_reason
from etsopt.common.language import _, pgettext
from etsopt.common.vocabulary import word
from etsopt.presenting.documents.columns import heading, table_of
from etsopt.presenting.documents.document import Column, Document, Paragraph, Points, Section, Table, named, noted
from etsopt.presenting.documents.quantities import RATE, WHOLE_TONNES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.accounting import Screening
    from etsopt.presenting.documents.document import Block

SHOWN = 15
"""Causes that are shown before the findings: what a reviewer asks about first."""


def rules(table: pd.DataFrame) -> Iterator[Section]:
    """Yield every rule with kind, meaning, source and thresholds, and how to replace these."""
    for row in table.to_dict("records"):
        lines = [_(row["meaning"]), _("Source: {source}.", source=_(row["source"]))]
        lines += [_("Thresholds: {thresholds}", thresholds=row["thresholds"])] if row["thresholds"] else []
        yield Section(row["rule"], noted(row["rule"], word("kind", row["kind"])), (Points(tuple(lines)),))
    yield Section("replace", "", (Paragraph(_("Replace a threshold by --set RULE.KEY=VALUE.")),))


def screening(found: Screening) -> Document:
    """Return the likeliest causes, the numbers of findings by rule, and the findings."""
    answer = _(
        "{findings:,} findings in {flagged:,} unit-months; {months:,} unit-months are reported",
        findings=len(found.findings),
        flagged=len(found.unit_months),
        months=len(found.accounts.unit_months),
    )
    blocks: tuple[Block, ...] = ()
    names = {unit: name for unit, name in found.accounts.register[["unit_id", "name"]].to_numpy().tolist() if name}
    if len(found.findings):
        by_rule = found.rules[found.rules["findings"] > 0]
        own = {"kind": Column(pgettext("account", "kind"))}
        table = table_of(by_rule, ("rule", "kind", "findings"), _("Rules"), own=own)
        blocks = (table, _findings(found.findings, names))
    sections = [Section("findings", _("Findings"), blocks)]
    if len(found.causes):
        sections.insert(0, Section("causes", _("Likely causes"), (_causes(found.causes, names),)))
    return Document(answer, "", answer, sections=tuple(sections))


def _unit_columns(names: Mapping[str, str]) -> tuple[Column, ...]:
    """Return the columns of a unit: its code, and its name where the register has names."""
    code = Column(heading("unit_id"))
    return (code, Column(heading("name"), priority=3)) if names else (code,)


def _unit(code: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Return the cells of a unit, as `_unit_columns` has their columns."""
    return (code, names.get(code, "")) if names else (code,)


def _causes(table: pd.DataFrame, names: Mapping[str, str]) -> Table:
    """Return the likeliest causes, the words on each in one column, which takes the width that is left."""
    columns = (
        *_unit_columns(names),
        Column(heading("month"), priority=1),
        Column(heading("size_t"), WHOLE_TONNES, 1),
        Column(heading("probability"), RATE, 3),
        Column(_("cause, reason"), priority=1),
    )
    first = table.drop_duplicates(["unit_id", "process", "item", "flow", "cause"])
    rows = [
        (
            *_unit(row.unit_id, names),
            *(row.month, row.size_t, row.probability, named(word("cause", row.cause), row.reason)),
        )
        for row in one_reason(first.head(SHOWN)).itertuples()
    ]
    note = _(
        "{shown} of {count:,} causes, the largest first, of several months of an item the first; --out DIR writes all "
        "of them. A cause is a proposal: no figure is corrected.",
        shown=len(rows),
        count=len(table),
    )
    return Table(_("Likely causes"), columns, tuple(rows), note=note)


def _findings(table: pd.DataFrame, names: Mapping[str, str]) -> Table:
    """Return the findings, the words on each in one column, which takes the width that is left."""
    columns = (
        *_unit_columns(names),
        Column(heading("month"), priority=1),
        Column(heading("size_t"), WHOLE_TONNES, 1),
        Column(_("rule, item, reason"), priority=1),
    )
    rows = []
    for row in one_reason(table).itertuples():
        of = _("{rule}, {item}", rule=row.rule, item=word("item", row.item)) if row.item else row.rule
        rows.append((*_unit(row.unit_id, names), row.month, row.size_t, named(of, row.reason)))
    note = _("The largest findings come first; --out DIR writes all of them.")
    return Table(_("Findings"), columns, tuple(rows), note=note, key="findings")
