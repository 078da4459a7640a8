"""Acts of the review on a store: each takes the decisions of one kind and level, and adds rows or names problems.

A block of decisions is the temporary table ``block``, with the columns of decisions, ``line`` and ``entry``. The
matched items are in ``matched``. Views have to be looked at again after an act, as it changes what they show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.review.items import CHANGED, WITHIN, matches, same_value, same_words
from etsopt.accounting.review.words import CLOSE, CORRECT, FIND, LEVELS, PASS, RESTORE
from etsopt.accounting.store.schema import CONTENT, KEY, join_on, listed
from etsopt.accounting.vocabulary import FLOWS, ITEMS, PROCESSES
from etsopt.common.errors import Problem
from etsopt.common.language import _, pgettext
from etsopt.data.messages import counted

if TYPE_CHECKING:
    from etsopt.accounting.store.schema import Connection

COLUMN_OF = {
    code: column for column, codes in (("process", PROCESSES), ("item", ITEMS), ("flow", FLOWS)) for code in codes
}
"""Column of each code of a vocabulary; no code is of two."""

WHO = "b.entry, b.level, b.who, b.decided_on"
BETWEEN = "\x1f"
"""Between the parts of a name, whose codes become words where it is shown."""

NAME = f"concat_ws('{BETWEEN}', " + ", ".join(f"nullif(m.{name}, '')" for name in KEY) + ")"
EXACT = " AND ".join(f"b.{name} = c.{name}" for name in WITHIN)
RANK = "CASE {level} " + " ".join(f"WHEN '{level}' THEN {rank}" for rank, level in enumerate(LEVELS, 1)) + " ELSE 0 END"


class Block:
    """Decisions of one kind and level on an opened store, and the problems that they have."""

    def __init__(self, opened: Connection, place: str, level: str) -> None:
        self.opened, self.place, self.level = opened, place, level
        self.problems: list[Problem] = []
        self.of_file, self.without_findings, self.left = True, False, list[dict[str, object]]()
        own = f"SELECT b.line, {EXACT} AS exact, c.* FROM block b JOIN items c ON b.unit_id = c.unit_id"
        every = matches("b", "c")
        # A decision that names an item exactly is on no other, although an empty batch stands for all.
        opened.execute(
            f"CREATE OR REPLACE TEMP TABLE matched AS SELECT * EXCLUDE (exact) FROM ("
            f"{own} AND b.month = c.month AND {every} WHERE b.month <> '' UNION ALL {own} AND {every} "
            f"WHERE b.month = '') QUALIFY exact OR NOT bool_or(exact) OVER (PARTITION BY line)"
        )

    def see_none(self, found: str, what: tuple[str, str], advice: str, column: str = "") -> None:
        """Add a problem for the rows of a query of line and name, if it has any."""
        rows = self.opened.execute(f"{found} ORDER BY ALL").fetchall()
        if rows:
            # A decision that options state has no line.
            cells = tuple((str(line) if self.of_file else "", named(str(name))) for line, name in rows)
            place = self.place if self.of_file else _("the decision")
            self.problems.append(Problem(place, counted(len(cells), *what), advice, column, cells))

    def added(self, table: str, query: str, *values: str) -> int:
        """Insert the rows of a query by name, and return their number."""
        return int(self.opened.execute(f'INSERT INTO "{table}" BY NAME {query}', list(values)).fetchall()[0][0])

    def see_items(self) -> None:
        """Add a problem for decisions that match no item."""
        none = f"SELECT line, {NAME} FROM block m WHERE line NOT IN (SELECT line FROM matched)"
        what = (_("decision is on no item of the store"), _("decisions are on no item of the store"))
        self.see_none(
            none, what, _("Correct unit, month, process, item, flow or batch: etsopt review status lists them.")
        )


def named(name: str) -> str:
    """Return an item, or another name, in the language of the moment."""
    # Months and identifiers are themselves.
    parts = name.split(BETWEEN)
    return " ".join(str(pgettext(COLUMN_OF[part], part)) if part in COLUMN_OF else part for part in parts)


def passed(block: Block) -> int:
    """Pass items, if the level below has passed their present version and no finding on them is open."""
    block.see_items()
    rank = list(LEVELS).index(block.level) + 1
    reviewed = "': version ' || b.version::INTEGER || ' was reviewed, ' || m.version || ' is present'"
    versions = (
        f"SELECT m.line, {NAME} || {reviewed} FROM matched m JOIN block b USING (line) "
        f"WHERE b.version <> m.version AND NOT EXISTS ("
        f"SELECT 1 FROM seen_passes p WHERE {join_on('p', 'm')} AND p.version = b.version AND p.level = b.level)"
    )
    what = (_("item has another version"), _("items have other versions"))
    block.see_none(versions, what, _("Review the present version: etsopt review history shows them."), "version")
    present = "FROM matched m JOIN block b USING (line) WHERE (b.version IS NULL OR b.version = m.version)"
    if rank > 1:
        below = list(LEVELS)[rank - 2]
        what = (
            _("item is not passed by the {below} level", below=pgettext("level", below)),
            _("items are not passed by the {below} level", below=pgettext("level", below)),
        )
        advice = _("The levels pass in order: the {below} level has to pass it first.", below=pgettext("level", below))
        block.see_none(f"SELECT m.line, {NAME} {present} AND m.rank < {rank - 1}", what, advice)
    what = (_("item has an open finding"), _("items have open findings"))
    advice = _(
        "Close the finding first, or have the item corrected: etsopt review findings lists them. The other items pass "
        "with --without-findings."
    )
    closed = f"{present} AND m.rank < {rank} AND m.open_findings > 0"
    if block.without_findings:
        names = [*KEY, "open_findings"]
        rows = block.opened.execute(f"SELECT DISTINCT {listed(KEY, 'm')}, m.open_findings {closed} ORDER BY ALL")
        block.left += [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
        present += " AND m.open_findings = 0"
    else:
        block.see_none(f"SELECT m.line, {NAME} {closed}", what, advice)
    return block.added(
        "passes",
        f"SELECT {WHO}, {listed(KEY, 'm')}, m.version {present} AND m.rank < {rank} "
        f"QUALIFY row_number() OVER (PARTITION BY {listed(KEY, 'm')} ORDER BY m.line) = 1",
    )


def found(block: Block) -> int:
    """Open findings; one that is open already, with the same words, is not opened twice.

    A finding of a rule keeps its number, open or closed, as long as what it concerns stays as it was: its reason has
    other figures once the rest of the series is corrected.
    """
    none = f"SELECT line, {NAME} FROM block m WHERE unit_id NOT IN (SELECT unit_id FROM current_units)"
    block.see_none(none, (_("finding is on no unit"), _("findings are on no unit")), _("Correct unit_id."), "unit_id")
    stated = (
        f"SELECT line, {NAME} FROM block m WHERE item <> '' AND line NOT IN (SELECT line FROM matched) AND rule = ''"
    )
    what = (_("finding is on no item of the store"), _("findings are on no item of the store"))
    block.see_none(stated, what, _("Correct the item, or leave it empty for the whole month."))
    same = (*KEY, "rule", "reason")
    known = f"SELECT 1 FROM seen_findings f WHERE {join_on('f', 'b', same)}"
    block.opened.execute(f"CREATE OR REPLACE TEMP TABLE changed_findings AS {CHANGED}")
    own = f"{join_on('f', 'b', (*KEY, 'rule'))} AND {same_words('f', 'b')}"
    kept = f"f.finding NOT IN (FROM changed_findings) OR f.item = '' AND {same_value('f', 'b')}"
    # What screening found before stays closed; a person may open the same question again.
    again = f"b.rule <> '' AND (EXISTS ({known}) OR EXISTS (SELECT 1 FROM seen_findings f WHERE {own} AND ({kept})))"
    again += f" OR EXISTS ({known.replace('seen_findings', 'open_findings')})"
    number = "(SELECT coalesce(max(finding), 0) FROM findings) + row_number() OVER (ORDER BY b.line)"
    return block.added(
        "findings",
        f"SELECT ({number})::INTEGER AS finding, {WHO}, b.rule, {listed(KEY, 'b')}, coalesce(b.size_t, 0) AS size_t, "
        f"b.reason, b.reason_zh FROM block b WHERE NOT ({again}) "
        f"QUALIFY row_number() OVER (PARTITION BY {listed(same, 'b')} ORDER BY b.line) = 1",
    )


def closed(block: Block) -> int:
    """Close findings of this level or one below; one that is closed stays as it is."""
    number = "b.finding::INTEGER"
    none = f"SELECT line, 'finding ' || {number} FROM block b WHERE {number} NOT IN (SELECT finding FROM seen_findings)"
    block.see_none(none, (_("finding does not exist"), _("findings do not exist")), _("Correct its number."), "finding")
    above = (
        f"SELECT b.line, 'finding ' || f.finding || ' of the ' || f.level || ' level' FROM block b "
        f"JOIN seen_findings f ON f.finding = {number} "
        f"WHERE {RANK.format(level='b.level')} < {RANK.format(level='f.level')}"
    )
    what = (_("finding is of a higher level"), _("findings are of a higher level"))
    block.see_none(above, what, _("The level that found it, or one above, closes it."), "level")
    return block.added(
        "closings",
        f"SELECT {WHO}, f.finding, b.reason FROM block b JOIN open_findings f ON f.finding = {number} "
        f"QUALIFY row_number() OVER (PARTITION BY f.finding ORDER BY b.line) = 1",
    )


def _single(block: Block) -> None:
    """Add a problem for decisions that match no item or several."""
    block.see_items()
    several = f"SELECT line, string_agg({NAME}, ', ') FROM matched m GROUP BY line HAVING count(*) > 1"
    what = (_("decision is on several items"), _("decisions are on several items"))
    block.see_none(several, what, _("Name process, flow and batch as well."))


def corrected(block: Block) -> int:
    """Add a version with the corrected figures; the item goes back to reported."""
    _single(block)
    if block.problems:
        return 0
    new = {
        "quantity": "coalesce(b.quantity, m.quantity)",
        "ncv_gj_per_unit": "coalesce(b.ncv_gj_per_unit, m.ncv_gj_per_unit)",
    }
    change = " OR ".join(f"{cell} IS DISTINCT FROM m.{name}" for name, cell in new.items())
    return _add_version(block, "m", new, f"FROM matched m JOIN block b USING (line) WHERE {change}", "0")


def restored(block: Block) -> int:
    """Add a version with the content of an earlier one; the item goes back to reported."""
    _single(block)
    none = (
        f"SELECT m.line, {NAME} || ': version ' || b.version::INTEGER FROM matched m JOIN block b USING (line) "
        f"WHERE NOT EXISTS (SELECT 1 FROM seen_rows r WHERE {join_on('r', 'm')} AND r.version = b.version)"
    )
    what = (_("item has no such version"), _("items have no such version"))
    block.see_none(none, what, _("Choose one that etsopt review history shows."), "version")
    if block.problems:
        return 0
    old = (
        f"FROM matched m JOIN block b USING (line) JOIN seen_rows r ON {join_on('r', 'm')} AND r.version = b.version "
        f"WHERE NOT ({join_on('r', 'm', CONTENT)})"
    )
    return _add_version(block, "r", {}, old, "r.version")


def _add_version(block: Block, content: str, new: dict[str, str], source: str, restored_version: str) -> int:
    """Add a version to the rows, and who changed it and why to the corrections."""
    cells = ", ".join(f'{new.get(name, f"{content}.{name}")} AS "{name}"' for name in CONTENT)
    block.opened.execute(
        f"CREATE OR REPLACE TEMP TABLE changed AS SELECT {WHO}, m.line, {listed(KEY, 'm')}, {cells}, "
        f"(m.version + 1)::INTEGER AS version, {restored_version}::INTEGER AS restored_version, b.reason {source}"
    )
    block.added(
        "rows",
        f"SELECT entry, line AS position, ? AS file, line, {listed((*KEY, *CONTENT))}, version, 0 AS stated_version "
        f"FROM changed",
        block.place,
    )
    return block.added(
        "corrections",
        f"SELECT entry, level, who, decided_on, {listed(KEY)}, version, restored_version, reason FROM changed",
    )


ACTS = {PASS: passed, FIND: found, CLOSE: closed, CORRECT: corrected, RESTORE: restored}
"""The act of each decision: it returns the number of rows that it added."""
