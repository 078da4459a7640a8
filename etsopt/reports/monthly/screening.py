"""Findings of screening: rules with findings, and the findings, the largest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.chinese import one_reason
from etsopt.documents.columns import heading, table_of
from etsopt.documents.document import Column, Document, Paragraph, Points, Section, Table, named, noted
from etsopt.documents.quantities import WHOLE_TONNES
from etsopt.language import _, pgettext
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.accounting import Screening
    from etsopt.documents.document import Block


def rules(table: pd.DataFrame) -> Iterator[Section]:
    """Yield every rule with kind, meaning, source and thresholds, and how to replace these."""
    for row in table.to_dict("records"):
        lines = [_(row["meaning"]), _("Source: {source}.", source=_(row["source"]))]
        lines += [_("Thresholds: {thresholds}", thresholds=row["thresholds"])] if row["thresholds"] else []
        yield Section(row["rule"], noted(row["rule"], word("kind", row["kind"])), (Points(tuple(lines)),))
    yield Section("replace", "", (Paragraph(_("Replace a threshold by --set RULE.KEY=VALUE.")),))


def screening(found: Screening) -> Document:
    """Return the numbers of findings by rule, and the findings."""
    answer = _(
        "{findings:,} findings in {flagged:,} unit-months; {months:,} unit-months are reported",
        findings=len(found.findings),
        flagged=len(found.unit_months),
        months=len(found.accounts.unit_months),
    )
    blocks: tuple[Block, ...] = ()
    if len(found.findings):
        by_rule = found.rules[found.rules["findings"] > 0]
        own = {"kind": Column(pgettext("account", "kind"))}
        table = table_of(by_rule, ("rule", "kind", "findings"), _("Rules"), own=own)
        blocks = (table, _findings(found.findings))
    return Document(answer, "", answer, sections=(Section("findings", _("Findings"), blocks),))


def _findings(table: pd.DataFrame) -> Table:
    """Return the findings, the words on each in one column, which takes the width that is left."""
    columns = (
        Column(heading("unit_id")),
        Column(heading("month"), priority=1),
        Column(heading("size_t"), WHOLE_TONNES, 1),
        Column(_("rule, item, reason"), priority=1),
    )
    rows = []
    for row in one_reason(table).itertuples():
        of = _("{rule}, {item}", rule=row.rule, item=word("item", row.item)) if row.item else row.rule
        rows.append((row.unit_id, row.month, row.size_t, named(of, row.reason)))
    note = _("The largest findings come first; --out DIR writes all of them.")
    return Table(_("Findings"), columns, tuple(rows), note=note, key="findings")
