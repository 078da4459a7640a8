"""Decisions applied to a store, all of a table or none; what was applied before is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.accounting.review.acts import ACTS, Block
from etsopt.accounting.review.decisions import TABLE, dated, digests, read_decisions, validated
from etsopt.accounting.review.items import corrections_of, look_at_items
from etsopt.accounting.review.words import CORRECT, DECISIONS, RESTORE
from etsopt.accounting.store.checks_across_entries import check_across_entries
from etsopt.accounting.store.journal import day_of, new_entry
from etsopt.accounting.store.ledger import line_at
from etsopt.accounting.store.opening import open_store
from etsopt.common.errors import DataError
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.data.tables.raw import RawTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.accounting.store.ledger import Line
    from etsopt.accounting.store.schema import Connection

REVIEW = "review"
PLACE = "decisions"


@dataclass(frozen=True)
class Decided:
    """What decisions changed.

    Parameters
    ----------
    entry
        Number in the journal; 0 if nothing changed.
    repeated
        Decisions that were applied before, and are left alone.
    changes
        Items passed, findings opened and closed, and versions added, by decision.
    corrections
        Quantities corrected or restored, with the figures before and after it.
    line
        Line of the entry in the ledger, whose ``stamp`` is the receipt; None if nothing changed.
    left
        Items that were not passed, as they have an open finding.
    """

    entry: int
    repeated: int
    changes: dict[str, int]
    corrections: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False)
    line: Line | None = None
    left: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False)


def decide(
    path: str | Path,
    decisions: str | Path | pd.DataFrame | Mapping[str, Any],
    headings: Mapping[str, str] | None = None,
    wait_s: float | None = None,
    without_findings: bool = False,
) -> Decided:
    """Apply decisions of the review to a store, in their order; one with a problem leaves it as it was.

    Parameters
    ----------
    decisions
        A CSV file or a frame, of which a row with the same cells is applied once; or a single decision by column,
        which is always applied.
    headings
        Other headings of the columns of a file, such as Chinese ones.
    wait_s
        Time to wait while another process has the store open [s]; None for 10.
    without_findings
        Whether a pass leaves items with an open finding, and passes the others; without it one of them is a problem.

    Raises
    ------
    UsageError
        As `open_store` does, or if there is no such file.
    DataError
        With every problem: cells, items that are not there, levels out of order, open findings.
    """
    place, once = PLACE, not isinstance(decisions, str | Path | pd.DataFrame)
    if isinstance(decisions, str | Path):
        place, frame = Path(decisions).name, read_decisions(decisions, headings)
    else:
        given = decisions if isinstance(decisions, pd.DataFrame) else pd.DataFrame([dict(decisions)], index=[1])
        frame = validated(RawTable.from_frame(given, PLACE))
    with open_store(path, write=True, wait_s=wait_s) as opened:
        done = _applied(opened, frame, place, once, without_findings)
    return replace(done, line=line_at(path, done.entry))


def _applied(opened: Connection, frame: pd.DataFrame, place: str, always: bool, without_findings: bool) -> Decided:
    own = pd.Series(digests(frame), index=frame.index)
    known = {digest for (digest,) in opened.execute("SELECT sha256 FROM decisions").fetchall()}
    repeated = (own.isin(known) | own.duplicated()) & (not always)
    fresh = frame[~repeated]
    changes = dict.fromkeys(DECISIONS, 0)
    if not len(fresh):
        return Decided(0, int(repeated.sum()), changes)
    first = fresh.iloc[0]
    entry = new_entry(opened, REVIEW, f"{first['decision']}: {first['who']}" if always else place)
    problems, left = [], []
    blocks = _blocks(dated(fresh, day_of(opened, entry)))
    for number, block in enumerate(blocks):
        checkpoint(_("deciding"), number, len(blocks))
        kind, level = block["decision"].iat[0], block["level"].iat[0]
        act = _block(opened, block, entry, place, level)
        act.of_file, act.without_findings = not always, without_findings
        changes[kind] += ACTS[kind](act)
        problems += act.problems
        left += act.left
    if problems:
        raise DataError(_("The review"), problems)
    if changes[CORRECT] + changes[RESTORE]:
        check_across_entries(opened, entry)
    if not sum(changes.values()):
        # The journal has no entry for decisions that change nothing.
        opened.execute("DELETE FROM entries WHERE entry = ?", [entry])
        return Decided(0, int(repeated.sum()), changes, left=pd.DataFrame(left))
    if not always:
        added = pd.DataFrame({"entry": entry, "sha256": own[~repeated].to_numpy()})
        opened.register("added", added)
        opened.execute("INSERT INTO decisions BY NAME SELECT * FROM added")
        opened.unregister("added")
    own = corrections_of(opened, "corrections", f" AND k.entry = {entry}")
    return Decided(entry, int(repeated.sum()), changes, own, left=pd.DataFrame(left))


def _blocks(frame: pd.DataFrame) -> list[pd.DataFrame]:
    """Split decisions into runs of one kind and level, each with at most one change of an item, in their order."""
    kinds = frame["decision"] + " " + frame["level"]
    run = (kinds != kinds.shift()).cumsum()
    again = frame.groupby([run, "unit_id", "month", "item"], sort=False).cumcount()
    again = again.where(frame["decision"].isin([CORRECT, RESTORE]), 0)
    return [block for _, block in frame.groupby([run.rename("run"), again.rename("again")], sort=True)]


def _block(opened: Connection, frame: pd.DataFrame, entry: int, place: str, level: str) -> Block:
    """Create the table ``block`` of decisions of one kind and level, and match their items."""
    look_at_items(opened)
    kinds = ", ".join(
        f'"{column.name}"::{"DOUBLE" if column.number else "VARCHAR"} AS "{column.name}"' for column in TABLE.columns
    )
    opened.register("given", frame.assign(line=frame.index.to_numpy(), entry=entry))
    place_of = "line::BIGINT AS line, entry::INTEGER AS entry"
    opened.execute(f"CREATE OR REPLACE TEMP TABLE block AS SELECT {place_of}, {kinds} FROM given")
    opened.unregister("given")
    return Block(opened, place, level)
