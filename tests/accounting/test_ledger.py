"""The ledger of a store: what was altered is found, by entry and table, and a killed command harms nothing."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from etsopt import accounting
from etsopt.accounting.store import StoreVerification, import_reports, ledger, open_store, verify_store
from etsopt.common.errors import AssumedWarning, UsageError
from etsopt.presenting.documents.terminal import show
from etsopt.reports.monthly.review import compared
from tests.accounting.builders import REGISTER, frame
from tests.accounting.test_review import COAL, decide, line
from tests.accounting.test_store import written


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with an import, two findings, a correction and a pass; every decision is an entry."""
    place = tmp_path_factory.mktemp("made")
    store = place / "plants.duckdb"
    import_reports(store, written(place / "plants", REGISTER, frame([*line("2025-01"), *line("2025-02")])))
    decide(store, "find", **COAL, reason="no test report", size_t=100.0)
    decide(store, "find", **COAL, reason="meter", size_t=50.0)
    decide(store, "correct", month="2025-02", item="bituminous", quantity=100.0, reason="typing error")
    decide(store, "pass", month="2025-02")
    return store


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of store and ledger that a test may alter."""
    shutil.copy(ledger.ledger_of(made), tmp_path)
    return Path(shutil.copy(made, tmp_path))


def altered(store: Path, head: str = "") -> list[tuple[int, str]]:
    return [(one.entry, one.table) for one in verify_store(store, head).alterations]


def edit(store: Path, *statements: str) -> None:
    with duckdb.connect(str(store)) as opened:
        for statement in statements:
            opened.execute(statement)


def head_of(store: Path) -> str:
    last = verify_store(store).last
    assert last is not None
    return last.head


def test_a_store_agrees_with_its_ledger_and_with_every_head_that_was_printed(store: Path) -> None:
    found = verify_store(store)
    assert (found.alterations, found.entries, found.found) == ((), 5, 0)
    for entry in range(1, 6):
        told = ledger.line_at(store, entry)
        assert told is not None
        printed = str(told.stamp).rpartition("head ")[2].rstrip(".")
        assert len(printed.split()) == 8
        assert altered(store, printed) == []


ATTACKS: dict[str, tuple[tuple[str, ...], list[tuple[int, str]]]] = {
    "deleted finding": (("DELETE FROM findings WHERE finding = 1",), [(2, "findings")]),
    "a tenth": (("UPDATE rows SET quantity = quantity / 10 WHERE entry = 1 AND line = 2",), [(1, "rows")]),
    "by 1e-9": (("UPDATE rows SET quantity = quantity * (1 + 1e-9) WHERE entry = 4",), [(4, "rows")]),
    "another day": (("UPDATE passes SET decided_on = '2025-01-01'",), [(5, "passes")]),
    "another time": (("UPDATE entries SET at_utc = at_utc - INTERVAL 30 DAY WHERE entry = 1",), [(1, "entries")]),
    "another source": (("UPDATE sources SET sha256 = repeat('a', 64)",), [(1, "sources")]),
    "reordered": (
        ("UPDATE findings SET entry = CASE entry WHEN 2 THEN 3 ELSE 2 END",),
        [(2, "findings"), (3, "findings")],
    ),
    "into an old entry": (("INSERT INTO rows SELECT * REPLACE ('x' AS batch) FROM rows LIMIT 1",), [(1, "rows")]),
    "before all": (("INSERT INTO rows SELECT * REPLACE (0 AS entry) FROM rows LIMIT 1",), [(0, "rows")]),
    "tail cut": (
        ("DELETE FROM entries WHERE entry = 5", "DELETE FROM passes WHERE entry = 5"),
        [(5, "entries"), (5, "passes")],
    ),
    "forged closing": (
        ("INSERT INTO closings SELECT 6, 'national', 'Ministry', '2026-01-01', 1, 'done'",),
        [(6, ""), (6, "closings")],
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_altered_is_found_by_entry_and_table(store: Path, name: str) -> None:
    statements, places = ATTACKS[name]
    edit(store, *statements)
    assert altered(store) == places


def test_a_row_says_whether_it_was_changed_or_is_missing(store: Path) -> None:
    edit(store, "DELETE FROM findings WHERE finding = 1", "UPDATE rows SET quantity = 1 WHERE entry = 4")
    told = [str(one.what) for one in verify_store(store).alterations]
    assert told == ["1 rows became 0", "a row was changed"]


def set_head(store: Path, head: str) -> None:
    edit(store, f"UPDATE about SET value = '{head}' WHERE name = 'head'")


def rewrite(store: Path) -> None:
    """Write the ledger anew, with the head in the store, as somebody can who has all files."""
    former = ledger.read_ledger(store)
    assert former is not None
    head, lines = ledger.START, []
    with open_store(store) as opened:
        for entry, content in sorted(ledger.digests(opened).items()):
            line = replace(former.lines[entry], content=content)
            head = line.follows(head)
            lines.append(vars(replace(line, head=head)))
    records = [*lines, {"kept": lines[-1]["entry"]}]
    ledger.ledger_of(store).write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf-8")
    set_head(store, head)


def shown(found: StoreVerification, with_head: bool = False) -> str:
    """The page of a comparison in one line."""
    text = io.StringIO()
    show(compared(found, with_head), Console(file=text, width=200))
    return " ".join(text.getvalue().split())


def test_a_row_that_was_altered_is_named_by_unit_month_and_item(store: Path) -> None:
    edit(
        store,
        "DELETE FROM findings WHERE finding = 1",
        "UPDATE rows SET quantity = quantity / 2 WHERE entry = 1 AND month = '2025-01' AND item = 'bituminous'",
        "UPDATE rows SET item = 'lignite' WHERE entry = 4",
        "INSERT INTO closings SELECT 6, 'national', 'Ministry', '2026-01-01', 1, 'done'",
    )
    found = verify_store(store)
    named = {
        (one.entry, one.table): [(" ".join(filter(None, row.key.values())), str(row.what)) for row in one.rows]
        for one in found.alterations
    }
    assert named == {
        (1, "rows"): [("C1 2025-01 clinker bituminous in", "was changed")],
        (2, "findings"): [("1 C1 2025-01 bituminous", "is missing")],
        (4, "rows"): [
            ("C1 2025-02 clinker bituminous in", "is missing"),
            ("C1 2025-02 clinker lignite in", "was added"),
        ],
        (6, ""): [],
        (6, "closings"): [("1", "was added")],
    }
    page = shown(found)
    assert "finding 1 C1 2025-01 bituminous is missing" in page
    assert "C1 2025-01 clinker bituminous in was changed" in page


@pytest.mark.parametrize("index", ["x", "AAAA", "eJwDAAAAAAE=", "\ud800"])
def test_a_forged_index_of_rows_names_none_and_is_found(store: Path, index: str) -> None:
    path = ledger.ledger_of(store)
    first, *others = path.read_text(encoding="utf-8").splitlines()
    stated = json.loads(first)
    stated["rows"]["rows"] = index
    path.write_text("\n".join([json.dumps(stated), *others, ""]), encoding="utf-8")
    edit(store, "UPDATE rows SET quantity = quantity / 2 WHERE entry = 1")
    found = verify_store(store).alterations
    assert [(one.entry, one.table, one.rows) for one in found] == [(1, "rows", ()), (1, "", ())]


def without(store: Path, *texts: str) -> None:
    """Cut the lines out of a ledger that have one of some texts."""
    path = ledger.ledger_of(store)
    lines = path.read_text(encoding="utf-8").splitlines()
    left = [line for line in lines if not any(text in line for text in texts)]
    assert len(left) == len(lines) - len(texts)
    path.write_text("\n".join([*left, ""]), encoding="utf-8")


CUT = ("DELETE FROM passes WHERE entry = 5", "DELETE FROM entries WHERE entry = 5")


def test_an_entry_that_is_cut_off_with_the_mark_that_it_was_kept_is_found_by_the_head_in_the_store(store: Path) -> None:
    edit(store, *CUT)
    without(store, '"kept":5')
    assert altered(store) == [(5, "entries"), (5, "passes")]
    with pytest.raises(UsageError, match=r"has 4 entries, and its ledger 5"):
        decide(store, "find", **COAL, reason="late")
    # Its line goes as well: what the store holds tells of it still.
    without(store, '"entry":5')
    assert altered(store) == [(0, "")]
    with pytest.raises(UsageError, match=r"head that the store holds is not that of entry 4 of its ledger"):
        decide(store, "find", **COAL, reason="late")


def test_a_ledger_whose_last_entry_is_cut_off_is_found_and_nothing_is_written_behind_it(store: Path) -> None:
    without(store, '"entry":5', '"kept":5')
    assert altered(store) == [(0, ""), (5, ""), (5, "entries"), (5, "passes")]
    with pytest.raises(UsageError, match=r"has 5 entries, and its ledger 4"):
        decide(store, "find", **COAL, reason="late")


def test_a_store_put_back_beside_a_ledger_without_the_mark_is_told_and_proven_by_a_printed_head(
    store: Path, tmp_path: Path
) -> None:
    earlier = shutil.copy(store, tmp_path / "earlier.duckdb")
    decide(store, "pass", month="2025-01", item="portland_clinker")
    printed = head_of(store)
    shutil.copy(earlier, store)
    without(store, '"kept":6')
    # A command that was stopped before its commit leaves the same two files.
    found = verify_store(store)
    assert (found.alterations, [line.entry for line in found.not_kept]) == ((), [6])
    page = shown(found)
    assert "A command was stopped before its commit, or the store was put back" in page
    assert str(found.not_kept[0].stamp).replace("\xa0", " ") in page
    assert altered(store, printed) == [(0, ""), (6, "entries"), (6, "passes")]
    # Another entry that is written over it hides neither.
    decide(store, "find", **COAL, reason="late")
    found = verify_store(store)
    assert (found.alterations, [line.head for line in found.not_kept]) == ((), [printed])
    (one,) = verify_store(store, printed).alterations
    assert "an entry that is no longer there: the store was put back" in str(one.what)


def test_what_is_cut_off_in_both_files_with_the_head_in_the_store_is_found_against_a_printed_head_alone(
    store: Path,
) -> None:
    printed, former = head_of(store), ledger.line_at(store, 4)
    assert former is not None
    edit(store, *CUT)
    without(store, '"entry":5', '"kept":5')
    set_head(store, former.head)
    assert altered(store) == []
    assert "rewritten together, cut off together, or put back from a copy, are not found" in shown(verify_store(store))
    assert altered(store, printed) == [(0, "")]


def test_a_head_stands_for_what_came_before_it_only_while_nothing_of_that_is_altered(store: Path) -> None:
    edit(store, "DELETE FROM findings WHERE finding = 2")
    intact, lost = "nothing was altered since it was printed", "1 of the places above is in an entry up to it"
    for entry in range(1, 6):
        line = ledger.line_at(store, entry)
        assert line is not None
        page = shown(verify_store(store, line.head), with_head=True)
        assert f"The head is that of entry {entry}" in page
        assert (intact in page, lost in page) == (entry < 3, entry >= 3)


def test_rows_of_no_entry_are_under_every_head_and_a_strange_line_of_the_ledger_under_none(store: Path) -> None:
    edit(store, *ATTACKS["before all"][0])
    assert verify_store(store, head_of(store)).under_head == 1
    edit(store, "DELETE FROM rows WHERE entry = 0")
    with ledger.ledger_of(store).open("a", encoding="utf-8") as file:
        file.write("x\n")
    found = verify_store(store, head_of(store))
    assert (len(found.alterations), found.under_head) == (1, 0)


def test_a_ledger_that_alone_is_written_anew_has_not_the_head_that_the_store_holds(store: Path) -> None:
    former = head_of(store)
    edit(store, "DELETE FROM findings WHERE finding = 1")
    rewrite(store)
    set_head(store, former)
    assert altered(store) == [(0, "")]


def test_a_ledger_that_is_written_anew_is_found_against_a_printed_head_alone(store: Path) -> None:
    printed = head_of(store)[: ledger.DIGITS]
    edit(store, "DELETE FROM findings WHERE finding = 1")
    rewrite(store)
    assert altered(store) == []
    assert altered(store, printed) == [(0, "")]


def test_an_earlier_copy_is_found_against_a_printed_head_alone(store: Path, tmp_path: Path) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    for file in (store, ledger.ledger_of(store)):
        shutil.copy(file, earlier)
    decide(store, "pass", month="2025-01", item="portland_clinker")
    printed = head_of(store)
    assert altered(earlier / store.name) == []
    assert altered(earlier / store.name, printed) == [(0, "")]
    assert altered(store, printed) == []


@pytest.mark.parametrize(
    ("line", "text"),
    [(1, '"entry":1'), (3, '"head":"'), (4, '"kept":2')],
)
def test_an_edited_ledger_is_found(store: Path, line: int, text: str) -> None:
    path = ledger.ledger_of(store)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert text in lines[line - 1]
    path.write_text("\n".join([*lines[: line - 1], lines[line - 1][:-2], *lines[line:], ""]), encoding="utf-8")
    assert (0, "") in altered(store)
    # A line that is cut out breaks the chain, or leaves an entry without one; of a mark that it is kept another tells.
    path.write_text("\n".join([*lines[: line - 1], *lines[line:], ""]), encoding="utf-8")
    assert bool(altered(store)) == ("kept" not in text)


@pytest.mark.everyday("value5-content", "None-head", "6-entry")
@pytest.mark.parametrize("field", ["entry", "at", "before", "found", "content", "rows", "head"])
@pytest.mark.parametrize("value", [None, "6", 2.5, True, [], {"rows": 5}, {"rows": ["x", "y"]}, float("inf")])
def test_a_record_of_another_kind_is_no_line(store: Path, field: str, value: object) -> None:
    path = ledger.ledger_of(store)
    *lines, last, kept = path.read_text(encoding="utf-8").splitlines()
    stated = json.loads(last)
    path.write_text("\n".join([*lines, json.dumps(stated | {field: value}), kept, ""]), encoding="utf-8")
    assert altered(store)


@pytest.mark.parametrize(
    "text", ['{"kept":Infinity}', '{"kept":"a"}', '{"kept":null}', "[]", "x" * 100_000, "[" * 100_000]
)
def test_a_strange_line_is_told_and_no_traceback(store: Path, text: str) -> None:
    with ledger.ledger_of(store).open("a", encoding="utf-8") as file:
        file.write(f"{text}\n")
    assert altered(store) in ([(0, "")], [])
    decide(store, "pass", month="2025-01", item="portland_clinker")


def test_a_day_and_what_was_found_are_part_of_the_head(store: Path) -> None:
    path = ledger.ledger_of(store)
    text = path.read_text(encoding="utf-8")
    for old, new in (('"at":"20', '"at":"19'), ('"found":false', '"found":true')):
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        assert (1, "") in altered(store)


def test_a_function_in_the_file_makes_no_other_rows_the_same(store: Path) -> None:
    edit(store, "UPDATE findings SET reason = 'forged' WHERE reason = 'meter'")
    edit(store, "CREATE MACRO sha256(x) AS system.main.sha256(replace(x, '6:forged', '5:meter'))")
    with pytest.raises(UsageError, match="has a function sha256"):
        verify_store(store)


def test_what_was_cut_off_is_not_hidden_by_the_next_command(store: Path) -> None:
    edit(store, "DELETE FROM passes WHERE entry = 5", "DELETE FROM entries WHERE entry = 5")
    with pytest.raises(UsageError, match=r"has 4 entries, and its ledger 5"):
        decide(store, "find", **COAL, reason="late")
    assert (5, "entries") in altered(store)


def test_rows_are_not_planted_under_the_entry_of_somebody_else(store: Path) -> None:
    edit(store, "INSERT INTO closings SELECT 6, level, who, decided_on, 1, 'closed by nobody' FROM passes LIMIT 1")
    with pytest.raises(UsageError, match="Table closings of the store has 1 rows of no entry"):
        decide(store, "find", **COAL, reason="late")
    assert altered(store) == [(6, ""), (6, "closings")]


def test_lines_that_are_no_longer_told_to_be_kept_stand_for_what_came_before_the_last(store: Path) -> None:
    path = ledger.ledger_of(store)
    lines = [text for text in path.read_text(encoding="utf-8").splitlines() if "kept" not in text]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    assert altered(store) == []
    edit(store, *(f"DELETE FROM {name}" for name in ledger.JOURNALLED))
    assert {entry for entry, _ in altered(store)} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("torn", [b'{"entr', b'{"kept":5', bytes(300)])
def test_what_a_full_disk_cut_off_is_no_alteration(store: Path, torn: bytes) -> None:
    with ledger.ledger_of(store).open("ab") as file:
        file.write(torn)
    assert altered(store) == []
    decide(store, "pass", month="2025-01", item="portland_clinker")
    assert altered(store) == []
    assert all(json.loads(text) for text in ledger.ledger_of(store).read_text(encoding="utf-8").splitlines())


def test_a_disk_that_is_full_takes_nothing_of_a_decision(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ledger.ledger_of(store).read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            decide(store, "pass", month="2025-01", item="portland_clinker")
    assert ledger.ledger_of(store).read_bytes() == before
    assert (altered(store), verify_store(store).entries) == ([], 5)


def test_a_store_without_its_ledger_is_told_and_a_new_one_says_what_it_took_as_it_was(store: Path) -> None:
    ledger.ledger_of(store).unlink()
    assert altered(store) == [(0, "")]
    with pytest.warns(AssumedWarning, match="its 5 entries are taken as they are"):
        decide(store, "pass", month="2025-01", item="portland_clinker")
    found = verify_store(store)
    assert (found.alterations, found.entries, found.found) == ((), 6, 5)


def test_a_new_store_is_not_begun_beside_the_ledger_of_another(store: Path, tmp_path: Path) -> None:
    store.unlink()
    with pytest.raises(UsageError, match="that of a store that is gone"):
        import_reports(store, written(tmp_path / "plants", REGISTER, frame(line("2025-01"))))
    assert not store.exists()


@pytest.mark.parametrize("head", ["1234", "x" * 32, "0" * 65])
def test_a_head_that_is_none_is_refused(store: Path, head: str) -> None:
    with pytest.raises(UsageError, match="no head of a ledger"):
        verify_store(store, head)


def dying(store: Path, when: str, **act: Any) -> None:
    """Decide, and die before or after the commit."""

    def dies(*given: Any) -> None:
        if when == "begin":
            begin(*given)
        raise KeyboardInterrupt

    begin = ledger.begin
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, when, dies)
        with pytest.raises(KeyboardInterrupt):
            decide(store, **act)


PASS = {"decision": "pass", "month": "2025-01", "item": "portland_clinker"}
FIND = {"decision": "find", "month": "2025-01"}


def test_a_command_that_dies_before_its_commit_or_after_it_leaves_a_store_that_agrees(store: Path) -> None:
    # The lines are written, and the transaction is taken back.
    dying(store, "begin", **PASS)
    found = verify_store(store)
    assert (found.alterations, found.entries) == ((), 5)
    assert found.last is not None
    assert found.last.entry == 5
    dying(store, "keep", **PASS)
    assert (altered(store), verify_store(store).entries) == ([], 6)
    decide(store, **FIND, reason="late")
    assert (altered(store), verify_store(store).entries) == ([], 7)


def test_what_is_altered_between_a_death_and_the_next_command_is_found(store: Path) -> None:
    dying(store, "keep", **FIND, reason="late")
    edit(store, "UPDATE findings SET reason = 'never' WHERE entry = 6")
    decide(store, **FIND, reason="later")
    assert altered(store) == [(6, "findings")]


DECIDING = """
import sys
from etsopt import accounting
for number in range(100):
    accounting.decide(sys.argv[1], {"decision": "find", "level": "municipal", "who": "office", "unit_id": "C1",
                                    "month": "2025-01", "reason": f"{sys.argv[2]} {number}"})
    print(number, flush=True)
"""


@pytest.mark.nightly
def test_fifty_kills_lose_nothing(store: Path) -> None:
    draw = random.Random(1)
    told = verify_store(store).entries
    for number in range(50):
        process = subprocess.Popen(
            [sys.executable, "-c", DECIDING, str(store), str(number)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(draw.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        told += 1 + len(process.communicate()[0].splitlines())
        found = verify_store(store)
        assert found.alterations == ()
        # What was told is there, and at most one act more.
        assert told <= found.entries <= told + 1
        told = found.entries


def test_the_command_says_what_was_altered_and_ends_with_5(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from etsopt.cli import main

    assert main(["store", "verify", str(store)]) == 0
    assert "Store and ledger agree: 5 entries." in capsys.readouterr().out
    head = head_of(store)[: ledger.DIGITS]
    assert main(["store", "verify", str(store), *(head[place : place + 4] for place in range(0, 32, 4))]) == 0
    edit(store, "DELETE FROM findings WHERE finding = 1")
    capsys.readouterr()
    assert main(["store", "verify", str(store), "--json"]) == 5
    told = json.loads(capsys.readouterr().out)
    key = {"finding": "1", "unit_id": "C1", "month": "2025-01", "process": "", "item": "bituminous", "flow": ""}
    rows = [{**key, "batch": "", "what": "is missing"}]
    assert told["alterations"] == [{"entry": 2, "table": "findings", "what": "1 rows became 0", "rows": rows}]
    assert main(["store", "verify", str(store)]) == 5
    assert "Altered: store and ledger differ at 1 place." in capsys.readouterr().out


def test_the_head_is_on_receipts_and_sheets(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from etsopt.cli import main
    from etsopt.reports import write_monthly_sheets

    act = ["--level", "municipal", "--by", "office", "--unit", "C1", "--month", "2025-01", "--reason", "late"]
    assert main(["review", "find", str(store), *act]) == 0
    last = verify_store(store).last
    assert last is not None
    assert str(last.stamp) in capsys.readouterr().out
    for command in (["review", "status", str(store)], ["store", "log", str(store)]):
        assert main(command) == 0
        assert str(last.stamp) in capsys.readouterr().out
    found = accounting.annual_emissions(store, 2025)
    (name,) = write_monthly_sheets(found, tmp_path / "sheets", ["EC"])
    page = (tmp_path / name).read_text(encoding="utf-8")
    assert str(last.stamp) in page
    assert "链首" in page
