"""Kills, full disks and races while a run is saved: the old run or the new one is there, whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.nightly, pytest.mark.skipif(os.name == "nt", reason="processes are forked")]


def saving(folder: Path, what: str, number: int) -> Any:
    command = [sys.executable, "-m", "tests.saving", what, str(folder / "run"), str(number)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_save_that_is_killed_at_any_step_leaves_the_old_run_or_the_new_one(tmp_path: Path) -> None:
    # By hand every step is tried: `python -m tests.saving steps FOLDER 1`.
    seen = saving(tmp_path, "steps", 4)
    assert seen["found"].keys() == {"old", "new"}
    assert seen["steps"] >= 40
    assert seen["left"] == ["instance", "notes.txt", "result.json", "tables"]
    assert seen["at_last"] == "new"


def test_so_does_one_that_is_killed_at_any_moment(tmp_path: Path) -> None:
    seen = saving(tmp_path, "random", 12)
    assert seen["found"].keys() <= {"old", "new"}
    assert sum(seen["found"].values()) == 12
    assert seen["left_by_kills"]


def test_a_full_disk_keeps_the_old_run_and_its_message_names_the_file(tmp_path: Path) -> None:
    assert saving(tmp_path, "full", 10) == {"found": {"old, named": 10}}


def test_who_reads_while_two_write_sees_one_run(tmp_path: Path) -> None:
    seen = saving(tmp_path, "readers", 15)
    assert seen["found"].keys() <= {"old", "new"}
    assert seen["at_last"] in ("old", "new")
