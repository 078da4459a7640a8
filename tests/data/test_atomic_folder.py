"""Files written aside and put in place: nothing half done is ever taken for whole, and nothing of others is touched."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, UsageError
from etsopt.data.files import atomic_folder, lock
from etsopt.data.files.atomic import write_file
from etsopt.data.files.atomic_folder import LOCK, NEXT, PART, REMOVED, finish, read_whole, replacing_folder
from etsopt.data.files.write import write_instance


def texts(folder: Path) -> dict[str, str]:
    """Every file below a folder by its name."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def write(folder: Path, content: dict[str, str], replaced: tuple[str, ...] = ()) -> None:
    with replacing_folder(folder, lambda: [path for name in replaced if (path := folder / name).exists()]) as part:
        for name, text in content.items():
            (part / name).parent.mkdir(exist_ok=True)
            (part / name).write_text(text, encoding="utf-8")


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as a kill leaves it right after the new files have been decided on."""
    write(tmp_path, {"mark": "old", "t/a": "old", "t/b": "old"})
    (tmp_path / "t" / "mine").write_text("mine", encoding="utf-8")
    with monkeypatch.context() as patched:
        patched.setattr(atomic_folder, "_move", lambda folder: None)
        write(tmp_path, {"mark": "new", "t/a": "new", "u/c": "new"}, ("mark", "t/a", "t/b"))
    return tmp_path


NEW = {"mark": "new", "t/a": "new", "u/c": "new", "t/mine": "mine"}


def test_old_files_without_a_successor_go_and_those_of_others_stay(tmp_path: Path) -> None:
    write(tmp_path, {"mark": "old", "t/a": "old", "t/b": "old"})
    (tmp_path / "t" / "mine").write_text("mine", encoding="utf-8")
    write(tmp_path, {"mark": "new", "t/a": "new", "u/c": "new"}, ("mark", "t/a", "t/b"))
    assert texts(tmp_path) == NEW


def test_a_reader_finishes_what_was_decided(left: Path) -> None:
    assert texts(left / NEXT).keys() == {"mark", "t/a", "u/c", REMOVED}
    assert read_whole(left, "mark", lambda: texts(left)) == NEW
    assert {path.name for path in left.iterdir()} == {"mark", "t", "u"}


def test_so_does_a_writer_before_it_looks_at_what_is_there(left: Path) -> None:
    write(left, {"mark": "newest"}, ("mark", "u/c"))
    assert texts(left) == {"mark": "newest", "t/a": "new", "t/mine": "mine"}


def test_what_was_moved_before_is_not_moved_again(left: Path) -> None:
    (left / "t" / "b").unlink()
    (left / NEXT / "mark").replace(left / "mark")
    finish(left)
    assert texts(left) == NEW


def test_a_removal_that_was_cut_short_goes_on(left: Path) -> None:
    finish(left)
    (left / NEXT / "t").mkdir(parents=True)
    finish(left)
    assert texts(left) == NEW
    assert not (left / NEXT).exists()


def test_what_was_not_decided_on_is_removed_by_the_next_write(tmp_path: Path) -> None:
    write(tmp_path, {"mark": "old"})
    (tmp_path / PART / "t").mkdir(parents=True)
    (tmp_path / PART / "t" / "half").write_text("ha", encoding="utf-8")
    (tmp_path / LOCK).write_text("process 1", encoding="utf-8")
    assert read_whole(tmp_path, "mark", lambda: (tmp_path / "mark").read_text(encoding="utf-8")) == "old"
    write(tmp_path, {"mark": "new"}, ("mark",))
    assert {path.name for path in tmp_path.iterdir()} == {"mark"}


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, {"mark": "old"})

    def fail(folder: Path) -> None:
        with replacing_folder(folder, list) as part:
            (part / "t").mkdir()
            (part / "mark").write_text("new", encoding="utf-8")
            raise KeyboardInterrupt

    for folder in (tmp_path, tmp_path / "a" / "b"):
        with pytest.raises(KeyboardInterrupt):
            fail(folder)
    assert {path.name for path in tmp_path.iterdir()} == {"mark"}
    assert texts(tmp_path) == {"mark": "old"}


def test_a_folder_that_is_refused_is_not_touched(tmp_path: Path) -> None:
    def refuse() -> Iterator[Path]:
        raise UsageError("mine")

    before = tmp_path.stat().st_mtime_ns
    with pytest.raises(UsageError, match="mine"), replacing_folder(tmp_path, refuse):
        pass
    assert tmp_path.stat().st_mtime_ns == before


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_nothing_is_written_through_a_link_out_of_the_folder(tmp_path: Path) -> None:
    folder, other = tmp_path / "run", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (folder / "t").symlink_to(other)
    with pytest.raises(UsageError, match=r"t' is a link, or on another file system"):
        write(folder, {"t/a": "new"})
    assert list(other.iterdir()) == []
    assert {path.name for path in folder.iterdir()} == {"t"}


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "real")
    write(tmp_path / "run", {"t/a": "new"})
    assert texts(tmp_path / "real") == {"t/a": "new"}
    assert (tmp_path / "run").is_symlink()


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mark").mkdir()
    with pytest.raises(UsageError, match=r"mark' is a folder\."):
        write(tmp_path, {"mark": "new"})
    assert list(tmp_path.iterdir()) == [tmp_path / "mark"]


@pytest.mark.parametrize("names", ['["../../mine"]', "[1]", "[", "5", "[" * 9999, '["t/../../mine"]'])
def test_a_folder_made_to_remove_what_is_outside_of_it_is_refused(left: Path, names: str) -> None:
    (left / NEXT / REMOVED).write_text(names, encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(NEXT)):
        finish(left)
    assert (left / "t" / "mine").is_file()


def test_a_read_that_a_write_overtakes_is_done_again(tmp_path: Path) -> None:
    write(tmp_path, {"mark": "old", "a": "old"})
    seen: list[str] = []

    def read() -> tuple[str, str]:
        mark = (tmp_path / "mark").read_text(encoding="utf-8")
        if not seen:
            write(tmp_path, {"mark": "new", "a": "new"}, ("mark", "a"))
        seen.append(mark)
        return mark, (tmp_path / "a").read_text(encoding="utf-8")

    assert read_whole(tmp_path, "mark", read) == ("new", "new")
    assert seen == ["old", "new"]


def test_an_error_of_a_read_that_a_write_overtakes_is_none(tmp_path: Path) -> None:
    write(tmp_path, {"mark": "old", "a": "old"})

    def read() -> str:
        if (tmp_path / "mark").read_text(encoding="utf-8") == "old":
            write(tmp_path, {"mark": "new", "b": "new"}, ("mark", "a"))
            return (tmp_path / "a").read_text(encoding="utf-8")
        return (tmp_path / "b").read_text(encoding="utf-8")

    assert read_whole(tmp_path, "mark", read) == "new"


def test_a_folder_that_is_written_to_over_and_over_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_S", 0.0)
    write(tmp_path, {"mark": "old"})
    with pytest.raises(UsageError, match="written to over and over"):
        read_whole(tmp_path, "mark", lambda: write(tmp_path, {"mark": "new"}, ("mark",)))


def test_a_second_writer_waits_for_the_first(tmp_path: Path) -> None:
    entered = threading.Event()

    def first() -> None:
        with replacing_folder(tmp_path, list) as part:
            entered.set()
            time.sleep(0.2)
            (part / "mark").write_text("first", encoding="utf-8")

    thread = threading.Thread(target=first)
    thread.start()
    entered.wait(10)
    write(tmp_path, {"mark": "second"}, ("mark",))
    thread.join()
    assert texts(tmp_path) == {"mark": "second"}


def test_a_second_writer_is_told_who_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "WAIT_S", 0.05)
    with replacing_folder(tmp_path, list) as part:
        with pytest.raises(UsageError) as caught:
            write(tmp_path, {"mark": "second"})
        (part / "mark").write_text("first", encoding="utf-8")
    wanted = rf"The folder {str(tmp_path)!r} is being written by process {os.getpid()} on .+ since \d\d:\d\d:\d\d UTC\."
    assert re.fullmatch(wanted, caught.value.failure)
    assert caught.value.advice == "Wait until it has finished, or name another place to write to."
    assert texts(tmp_path) == {"mark": "first"}


@pytest.mark.skipif(os.name == "nt", reason="another lock")
def test_a_file_system_without_locks_is_written_to_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(number: int) -> None:
        raise OSError(number, "no locks")

    monkeypatch.setattr(lock, "_lock", lambda handle: refuse(errno.ENOLCK))
    write(tmp_path, {"mark": "new"})
    assert texts(tmp_path) == {"mark": "new"}
    monkeypatch.setattr(lock, "_lock", lambda handle: refuse(errno.EIO))
    with pytest.raises(OSError, match="no locks"):
        write(tmp_path, {"mark": "newer"}, ("mark",))
    assert texts(tmp_path) == {"mark": "new", LOCK: ""}


def test_an_instance_takes_the_place_of_another_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    china, tiny = etsopt.read("cn-2025"), etsopt.read("tiny")
    write_instance(china, tmp_path, "What is observed.\n")
    (tmp_path / "notes.txt").write_text("Mine.", encoding="utf-8")
    monkeypatch.setattr("etsopt.data.files.write.to_toml", lambda policy: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_instance(tiny, tmp_path)
    assert etsopt.read(tmp_path).hash == china.hash
    monkeypatch.undo()
    monkeypatch.setattr(atomic_folder, "_move", lambda folder: None)
    write_instance(tiny, tmp_path)
    monkeypatch.undo()
    assert etsopt.read(tmp_path).hash == tiny.hash
    assert (tmp_path / "notes.txt").is_file()


def test_an_instance_is_generated_beside_what_a_kill_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / PART).mkdir()
    (tmp_path / PART / "units.csv").write_text("unit_id\n", encoding="utf-8")
    command = ["generate", "--units", "5", "--out", str(tmp_path)]
    assert main(command) == 0
    assert not (tmp_path / PART).exists()
    assert main(command) == 2
    assert "is not empty." in capsys.readouterr().err


def test_a_file_is_written_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    write_file(path, "old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("etsopt.data.files.atomic.os.fsync", full)
        with pytest.raises(OSError, match="No space") as caught:
            write_file(path, "new")
    assert caught.value.filename == str(path)
    assert texts(tmp_path) == {"report.html": "old"}
    (tmp_path / ".report.etsopt-part.html").write_text("half", encoding="utf-8")
    (tmp_path / "link").symlink_to(path)
    write_file(tmp_path / "link", "new")
    assert texts(tmp_path) == {"report.html": "new", "link": "new"}
    assert (tmp_path / "link").is_symlink()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="devices")
def test_a_device_stays_one_and_is_named(tmp_path: Path) -> None:
    write_file(Path("/dev/null"), "new")
    assert not Path("/dev/null").is_file()
    with pytest.raises(OSError, match="No space left") as caught:
        write_file(Path("/dev/full"), "new")
    assert caught.value.filename == "/dev/full"


def test_where_no_thread_can_start_files_are_written_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    synchronised = list[str]()
    monkeypatch.setattr(threading.Thread, "start", refused)
    monkeypatch.setattr(atomic_folder, "synchronise", lambda path: synchronised.append(path.name))
    write(tmp_path, {"mark": "new", "t/a": "new"})
    assert texts(tmp_path) == {"mark": "new", "t/a": "new"}
    assert {"mark", "a"} <= set(synchronised)
