"""Notices of corrections: of an enterprise, what the open findings of a review ask it to correct or to prove."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.accounting.chinese import one_reason
from etsopt.accounting.screening.likely import OF_RECORDS, explained
from etsopt.accounting.vocabulary import COUNTED
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _, joined, ngettext, pgettext
from etsopt.common.vocabulary import word
from etsopt.presenting.documents.columns import heading, table_of
from etsopt.presenting.documents.document import Column, Document, Facts, Paragraph, Points, Section, named, noted
from etsopt.presenting.documents.html import printable
from etsopt.presenting.documents.quantities import REPORTED, WHOLE_TONNES, tonnes
from etsopt.reports.files import write_each
from etsopt.reports.monthly.review import stamped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from etsopt.accounting import Review

OF_UNIT = ("finding", "month", "process", "item", "quantity", "unit", "size_t", "reason", "level")
PLACE = ["unit_id", "month"]
QUANTITY = [*PLACE, "item"]
OF_CAUSES = [*QUANTITY, "process", "cause", "reason", "reason_zh"]


def write_notices(
    state: Review,
    folder: str | Path,
    language: str = "en",
    enterprises: Sequence[str] = (),
    deadline: date | None = None,
    causes: pd.DataFrame | None = None,
) -> list[Path]:
    """Write a notice for each enterprise with open findings, one HTML file, and return the files.

    Parameters
    ----------
    folder
        Earlier notices in it are replaced.
    language
        ``en`` or ``zh``.
    enterprises
        Only these; empty for all.
    deadline
        Day by which they have to answer; None if none is stated.
    causes
        Likely causes, of which a notice tells those of its units and months; None for none.

    Raises
    ------
    UsageError
        If an enterprise has no open finding, the store and its ledger differ, or jinja2 is not installed.
    OSError
        With the name of the file that could not be written; the folder is unchanged.
    """
    if state.altered:
        what = _("Store and ledger differ: a notice states nothing that was altered.")
        raise UsageError(what, _("See where: etsopt store verify STORE"))
    still = state.findings[state.findings["open"] & ~state.findings["corrected"]]
    known = sorted(still["enterprise_id"].unique())
    if unknown := [name for name in enterprises if name not in known]:
        what = _("Enterprise {name} has no open finding.", name=brief(unknown[0]))
        raise UsageError(what, _("List them: etsopt review findings STORE"))
    chosen = list(dict.fromkeys(enterprises)) or known
    rows = dict(tuple(_with_quantities(still, state.items).groupby("enterprise_id")))
    causes = pd.DataFrame(columns=OF_CAUSES) if causes is None else causes
    sizes = state.at_risk.set_index("enterprise_id")["open_size_t"]

    def page(enterprise: str) -> str:
        made = partial(notice, state, rows[enterprise], float(sizes[enterprise]), deadline, causes)
        return printable(made, language)

    return write_each(Path(folder), "notice-{}.html", chosen, page, _("writing notices"))


def _with_quantities(findings: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """Return findings with process and quantity as reported, where a finding is on an item of one quantity."""
    single = items[items["flow"].isin(COUNTED)].drop_duplicates(QUANTITY, keep=False)
    single = single[[*QUANTITY, "process", "quantity", "unit"]].rename(columns={"process": "only_process"})
    table = findings.merge(single, on=QUANTITY, how="left").fillna({"unit": "", "only_process": ""})
    return table.assign(process=table["process"].where(table["process"] != "", table["only_process"]))


def notice(
    state: Review, findings: pd.DataFrame, size_t: float, deadline: date | None, causes: pd.DataFrame
) -> Document:
    """Return the notice of an enterprise in the language of the moment.

    Parameters
    ----------
    findings
        Its open findings, with ``quantity`` and ``unit`` of what was reported.
    size_t
        Emissions that they concern together [tCO2e].
    causes
        Likely causes by unit and month, also of others.
    """
    enterprise = findings["enterprise_id"].iloc[0]
    text = ngettext(
        "{count:,} finding is open, which concerns {size} of emissions.",
        "{count:,} findings are open, which concern {size} of emissions together.",
        len(findings),
        size=tonnes(size_t),
    )
    if deadline is not None:
        text = _("{findings} Answer by {day}, China time (UTC+8).", findings=text, day=deadline.isoformat())
    steps = (
        _("Correct each row above, or hand in the record that proves it: ledger, test report, calibration."),
        _("A corrected row has the next version, and the record as its evidence."),
        _("Name the number of the finding in the answer: the level that opened it, or one above, closes it."),
    )
    signed = (_("Issued by (seal)"), _("Date of issue"), _("Received by"), _("Date of receipt"))
    return Document(
        title=_("Notice of corrections: {enterprise}", enterprise=enterprise),
        kicker="",
        answer=text,
        sections=(
            *_units(findings, causes),
            Section("answer", _("How to answer"), (Points(steps), Facts(tuple((label, "") for label in signed)))),
            *([Section("ledger", _("Ledger"), proof)] if (proof := stamped(state.line)) else []),
        ),
    )


def _units(findings: pd.DataFrame, causes: pd.DataFrame) -> Iterator[Section]:
    """Yield the findings of each unit by month and item, and what may be behind them."""
    own = {
        "quantity": Column(pgettext("notice", "quantity as reported"), REPORTED, 1),
        "size_t": Column(pgettext("notice", "emissions concerned"), WHOLE_TONNES, 1),
        "finding": Column(heading("finding")),
        "reason": Column(pgettext("notice", "to correct or to prove")),
    }
    text = _("A row that names a mistake says what probably happened, and where to look: no figure was corrected.")
    for unit, rows in findings.sort_values(["month", "item", "finding"], kind="stable").groupby("unit_id"):
        name = rows["name"].iloc[0]
        title = _("Unit {unit}", unit=noted(unit, name) if name else unit)
        table = table_of(_asked(rows, causes), OF_UNIT, title, exact=True, own=own)
        named_mistakes = len(causes.merge(rows[PLACE])) > 0
        yield Section(f"unit-{unit}", title, (table, *([Paragraph(text, "note")] if named_mistakes else [])))


def _asked(findings: pd.DataFrame, causes: pd.DataFrame) -> pd.DataFrame:
    """Return what is asked of a unit, a row each: a likely cause with all findings that it explains, or a finding."""
    behind = _behind(findings, causes)
    likely = one_reason(causes)
    rows = []
    for _key, own in one_reason(findings).groupby(behind.where(behind >= 0, -1 - np.arange(len(behind))), sort=False):
        largest = own.sort_values(["quantity", "size_t"], ascending=[True, False], kind="stable").iloc[0]
        row = {name: largest[name] for name in OF_UNIT} | {"size_t": own["size_t"].max()}
        row |= {"finding": joined(sorted(own["finding"])), "level": largest["level"]}
        if (place := behind[own.index[0]]) >= 0:
            cause = likely.loc[place]
            row |= {name: cause[name] or row[name] for name in ("process", "item")}
            row["reason"] = named(word("cause", cause["cause"]), cause["reason"])
        rows.append(row)
    # Objects stay texts, which are translated when they are shown.
    return pd.DataFrame(rows, columns=OF_UNIT, dtype=object)


def _behind(findings: pd.DataFrame, causes: pd.DataFrame) -> pd.Series[int]:
    """Return the label of the cause that explains each finding, -1 for those without one.

    A finding on the figure of a cause is explained by it, one on the whole month by the largest cause of the month.
    """
    label = pd.Series(-1, index=findings.index)
    of_figure = explained(findings, causes)
    for row in findings[~findings["rule"].isin([*OF_RECORDS, ""])].itertuples():
        month = causes[(causes["unit_id"] == row.unit_id) & (causes["month"] == row.month)]
        # A month that is doubled as a whole has all its figures in it.
        own = month[month["item"].isin([row.item, ""])]
        if len(own):
            label[row.Index] = own.index[0]
        elif len(month) and (of_figure[row.Index] or row.item == ""):
            label[row.Index] = month.index[0]
    return label
