"""The review of monthly reports: its state, findings, history and journal, and annual emissions with their status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from etsopt.accounting.chinese import one_reason
from etsopt.accounting.review.words import STATUSES, VERIFIED
from etsopt.common.language import _, ngettext
from etsopt.common.vocabulary import word
from etsopt.presenting.documents.columns import heading, table_of
from etsopt.presenting.documents.document import Column, Document, Paragraph, Points, Section, Table
from etsopt.presenting.documents.quantities import ACCOUNTED, WORDS, amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.accounting import Review, Verification
    from etsopt.accounting.store import StoreVerification
    from etsopt.accounting.store.ledger import Line
    from etsopt.presenting.documents.document import Block

STATES = ("province", "city", *(f"items_{status}" for status in STATUSES), "items", "items_with_open_findings")
FINDINGS = ("finding", "open", "level", "city", "unit_id", "name", "month", "item", "size_t", "reason")
HISTORY = ("entry", "event", "level", "who", "item", "version", "quantity", "unit", "finding", "reason")
FIGURES = ("quantity_before", "quantity", "unit", "ncv_before_gj_per_unit", "ncv_gj_per_unit")
CORRECTIONS = ("unit_id", "month", "process", "item", *FIGURES)
JUMP = 5
"""Ratio of a corrected figure to the one before from which on its unit is doubted."""

SHOWN = 15
"""Altered rows that a page shows."""

ACCOUNTS = ("accounted_emissions_tco2e", "verified_emissions_tco2e")


def status(state: Review) -> Document:
    """Return the numbers of items by status, first-pass rates, and the enterprises at risk."""
    filing = state.months["filing"]
    text = _("{items:,} items of {months:,} unit-months; {late:,} filed late")
    answer = _(text, items=len(state.items), months=len(state.months), late=int((filing == "late").sum()))
    if unknown := int((filing == "unknown").sum()):
        text = _("{items_and_months}, {unknown:,} without a day of filing")
        answer = _(text, items_and_months=answer, unknown=unknown)
    risk, at_risk = _("Enterprises at risk"), with_names(state.at_risk, list(state.at_risk))
    tables: tuple[Block, ...] = (
        table_of(state.statuses, with_names(state.statuses, STATES), _("Items by place and status"), key="states"),
        table_of(state.rates, list(state.rates), _("First pass and open findings"), exact=True, key="rates"),
        *([table_of(state.at_risk, at_risk, risk, exact=True, key="risk")] if len(state.at_risk) else []),
        *stamped(state.line, state.altered),
    )
    return Document(answer, "", answer, sections=(Section("review", _("Review"), tables),))


def stamped(line: Line | None, altered: int = 0) -> tuple[Paragraph, ...]:
    """Return the head of the ledger, that the store was altered, or nothing without a ledger."""
    if altered:
        text = _("Store and ledger differ: nothing here is evidence until `etsopt store verify` finds no alteration.")
        return (Paragraph(text, "warning"),)
    return () if line is None else (Paragraph(line.stamp, "note"),)


def findings(table: pd.DataFrame) -> Table:
    """Return findings."""
    title = ngettext("{count:,} finding", "{count:,} findings", len(table))
    if table["corrected"].any():
        again, told = _("data corrected, to be checked again"), {True: _("yes"), False: _("no")}
        pairs = zip(table["open"], table["corrected"], strict=True)
        standing = [again if corrected else told[still] for still, corrected in pairs]
        # Objects stay texts, which are translated when they are shown.
        table = table.assign(open=pd.Series(standing, index=table.index, dtype=object))
    return table_of(one_reason(table), with_names(table, FINDINGS), title, exact=True, key="findings")


def with_names(table: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return columns of a table, and those of names and cities beside the codes only where a register has any."""
    return [name for name in columns if name not in ("name", "city") or (table[name] != "").any()]


def left(table: pd.DataFrame) -> Table:
    """Return the items that a pass left, as they have an open finding."""
    title = ngettext("{count:,} item left with an open finding", "{count:,} items left with open findings", len(table))
    return table_of(table, ("unit_id", "month", "process", "item", "flow", "open_findings"), title, key="left")


def history(table: pd.DataFrame) -> Table:
    """Return versions and decisions in the order of the journal."""
    parts = table[["item", "flow", "batch"]].to_dict("records")
    shown = table.assign(
        item=[" ".join(word(name, code) for name, code in row.items() if code) for row in parts],
        event=[word("decision", event) for event in table["event"]],
        finding=table["finding"].where(table["finding"] > 0),
    )
    return table_of(shown, HISTORY, _("History"))


def corrections(table: pd.DataFrame) -> Iterator[Block]:
    """Yield the figures before and after corrections, and a warning where one is unlike the other."""
    tests = table["ncv_gj_per_unit"].notna().any()
    columns = [name for name in CORRECTIONS if tests or "ncv" not in name]
    yield table_of(table, columns, _("Corrected figures"), exact=True, key="corrections")
    pairs = (("quantity_before", "quantity"), ("ncv_before_gj_per_unit", "ncv_gj_per_unit"))
    far = [(table[new] > JUMP * table[old]) | (JUMP * table[new] < table[old]) for old, new in pairs]
    if count := int((far[0] | far[1]).sum()):
        text = ngettext(
            "{count:,} figure is more than five times, or less than a fifth, of what it was: check its unit.",
            "{count:,} figures are more than five times, or less than a fifth, of what they were: check their units.",
            count,
        )
        yield Paragraph(text, "warning")


def journal(table: pd.DataFrame) -> Table:
    """Return the imports and decisions of a store."""
    return table_of(table, list(table), _("Journal"))


def compared(found: StoreVerification, with_head: bool) -> Document:
    """Return whether a store agrees with its ledger, where it does not, and what the comparison cannot find."""
    answer = ngettext(
        "Store and ledger agree: {count:,} entry.", "Store and ledger agree: {count:,} entries.", found.entries
    )
    if found.alterations:
        answer = ngettext(
            "Altered: store and ledger differ at {count:,} place.",
            "Altered: store and ledger differ at {count:,} places.",
            len(found.alterations),
        )
    blocks: list[Block] = []
    if found.alterations:
        rows = tuple((one.entry or "–", one.table or "–", one.what) for one in found.alterations)
        columns = (Column(_("entry"), WORDS), Column(_("table"), WORDS), Column(_("what differs"), WORDS))
        blocks.append(Table(_("What was altered"), columns, rows))
        blocks += _altered_rows(found)
    blocks += stamped(found.last)
    if found.found:
        text = _("Entries 1 to {entry} were taken as they were when the ledger was begun.", entry=found.found)
        blocks.append(Paragraph(text, "warning"))
    text = _("A figure that was false when it was filed is not found.")
    if found.of_head:
        told = _("The head is that of entry {entry}: up to it nothing was altered since it was printed.")
        words = _(told, entry=found.of_head)
        if found.under_head:
            words = ngettext(
                "The head is that of entry {entry}: {count:,} of the places above is in an entry up to it, which was "
                "altered since it was printed.",
                "The head is that of entry {entry}: {count:,} of the places above are in entries up to it, which were "
                "altered since it was printed.",
                found.under_head,
                entry=found.of_head,
            )
        blocks.append(Paragraph(words, "warning" if found.under_head else "plain"))
    if found.not_kept:
        told = ngettext(
            "The ledger begins {count:,} entry that the store has not. A command was stopped before its commit, or the "
            "store was put back: a page or receipt with this head proves that it was put back.",
            "The ledger begins {count:,} entries that the store has not. A command was stopped before its commit, or "
            "the store was put back: a page or receipt with one of these heads proves that it was put back.",
            len(found.not_kept),
        )
        blocks += [Paragraph(told, "warning"), Points(tuple(line.stamp for line in found.not_kept))]
    if not with_head or found.of_head < found.entries:
        text = _(
            "Without a head from a page or receipt, a store and ledger that were rewritten together, cut off together, "
            "or put back from a copy, are not found; nor is a figure that was false when it was filed."
        )
    blocks.append(Paragraph(text, "note"))
    return Document(answer, "", answer, sections=(Section("ledger", _("Ledger"), tuple(blocks)),))


def _altered_rows(found: StoreVerification) -> Iterator[Table]:
    """Yield the rows that were altered, if any is known."""
    every = [(one, row) for one in found.alterations for row in one.rows]
    columns = (Column(_("entry"), WORDS), Column(_("table"), WORDS), Column(_("row"), WORDS), Column(_("what differs")))
    if every:
        rows = tuple((one.entry or "–", one.table, _name_of(row.key), row.what) for one, row in every[:SHOWN])
        note = _("{shown} of {count:,} rows; --json has all of them.", shown=len(rows), count=len(every))
        yield Table(_("Rows that were altered"), columns, rows, note=note if len(every) > SHOWN else "")


def _name_of(key: Mapping[str, str]) -> str:
    """Return the cells of the key of a row that are not empty, codes in words."""
    finding = [_("finding {number}", number=key["finding"])] if "finding" in key else []
    cells = (word(name, cell) for name, cell in key.items() if cell and name != "finding")
    return " ".join(map(str, [*finding, *cells]))


def verified(found: Verification) -> Document:
    """Return the units of a year with status and emissions."""
    units = found.units
    accounted, settled = (amount(float(units[name].sum()), "t") for name in ACCOUNTS)
    answer = _(
        "{year}: {verified:,} of {units:,} units verified, {settled} of {accounted} accounted",
        year=found.year,
        verified=int((units["status"] == VERIFIED).sum()),
        units=len(units),
        settled=settled,
        accounted=accounted,
    )
    columns = ("unit_id", "status", "items", "items_national", "open_findings", *ACCOUNTS)
    own = {name: Column(heading(name), ACCOUNTED, 1) for name in ACCOUNTS}
    table = table_of(units, columns, _("Units"), key="units", own=own)
    return Document(
        answer,
        "",
        answer,
        sections=(Section("units", _("Units"), (table, *stamped(found.review.line, found.review.altered))),),
    )
