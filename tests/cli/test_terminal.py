"""What reaches a terminal: hidden characters of files and arguments are escaped, and our own colours stay."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from rich.cells import cell_len
from rich.text import Text

from etsopt.cli import main
from etsopt.cli.streams import Escaping
from etsopt.cli.terminal import SafeConsole
from etsopt.common.characters import HIDDEN, escaped
from etsopt.presenting.documents.document import Column, Paragraph, Table
from etsopt.presenting.documents.quantities import ACCOUNTED, COUNT, PRICE, YES_NO
from etsopt.presenting.documents.terminal import ROWS_SHOWN, show_blocks

if TYPE_CHECKING:
    from etsopt.presenting.documents.document import Block

HOSTILE = "\x1b[31m\x9b2J\u202e\u200b\x7f\U000e0041"
ESCAPED = r"\u001b[31m\u009b2J\u202e\u200b\u007f\udb40\udc41"
CHINESE = "海螺水泥"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The code of a command and all that it printed, in which nothing is hidden."""
    capsys.readouterr()
    try:
        code = main([*arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    text = captured.out + captured.err
    assert not HIDDEN.search(text.replace("\n", "")), repr(text)
    return code, text


@pytest.fixture(scope="module")
def hostile_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in a folder of a hostile name, with every text of its tables and of its result hostile."""
    folder = tmp_path_factory.mktemp("runs") / f"run{HOSTILE}"
    assert main(["solve", "tiny", "--out", str(folder), "--json"]) == 0
    for path in (folder / "tables").glob("*.csv"):
        table = pd.read_csv(path, keep_default_na=False)
        for name in table.columns:
            if table[name].dtype.kind not in "fib":
                table[name] = table[name].map(lambda cell: f"{CHINESE}{HOSTILE}{cell}")
        table.to_csv(path, index=False)
    result = folder / "result.json"
    content = json.loads(result.read_text(encoding="utf-8"))
    for key in ("instance", "model", "method", "method_reason"):
        content[key] = f"{HOSTILE}{content[key]}"
    content["levels"][0]["name"] += HOSTILE
    result.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return folder


def test_hidden_characters_are_written_as_json_writes_them() -> None:
    assert escaped(f"{CHINESE}\n{HOSTILE}") == f"{CHINESE}\n{ESCAPED}"
    assert json.loads(escaped(json.dumps([HOSTILE], ensure_ascii=False))) == [HOSTILE]


@pytest.mark.parametrize("command", ["check", "compare", "report"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_hostile_run_is_shown_escaped(
    hostile_run: Path, tmp_path: Path, command: str, form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / f"other{HOSTILE}"
    shutil.copytree(hostile_run, other)
    code, text = run(capsys, command, str(other), *([str(hostile_run)] if command == "compare" else []), *form)
    assert code in (0, 2, 5)
    if form:
        json.loads(text)


def test_a_comparison_shows_names_readable_and_escaped(hostile_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = json.loads((hostile_run / "result.json").read_text(encoding="utf-8"))
    assert content["model"].startswith("\x1b")
    _, text = run(capsys, "compare", str(hostile_run), str(hostile_run))
    # Columns of a table fold what is longer than they are.
    assert CHINESE in text
    assert r"\u001b" in text
    assert "\\u009b2J" in "".join(text.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["solve", HOSTILE],
        ["solve", "tiny", "--model", HOSTILE],
        ["solve", "tiny", "--model", f"{HOSTILE}.py"],
        ["solve", "tiny", "--set", f"{HOSTILE}=1"],
        ["solve", "tiny", "--set", f"year={HOSTILE}"],
        ["solve", "tiny", "--method", HOSTILE],
        ["solve", "tiny", "--format", HOSTILE],
        ["solve", "tiny", "--mps", HOSTILE],
        ["solve", "tiny", "--seed", HOSTILE],
        ["solve", "tiny", "--gap", HOSTILE],
        ["solve", "tiny", "--solver-option", f"{HOSTILE}=1"],
        ["solve", "tiny", "--solver-option", f"presolve={HOSTILE}"],
        ["solve", "tiny", f"--{HOSTILE}"],
        ["solve", "tiny", HOSTILE],
        ["validate", HOSTILE],
        ["check", HOSTILE],
        ["compare", HOSTILE, HOSTILE],
        ["report", HOSTILE, "--enterprise", HOSTILE],
        ["generate", "--units", HOSTILE, "--out", HOSTILE],
        ["generate", "--units", "5", "--out", f"/dev/null/{HOSTILE}"],
        ["models", HOSTILE],
        ["rules", f"--{HOSTILE}"],
        ["instances", HOSTILE],
        [HOSTILE],
        [f"--{HOSTILE}"],
    ],
    ids=lambda arguments: " ".join(arguments).replace(HOSTILE, "X"),
)
def test_hostile_arguments_are_repeated_escaped(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(capsys, *arguments)
    assert code == 2
    # Between quotation marks as Python escapes, elsewhere as JSON does; some messages name the option or folder alone.
    assert any(shown in text for shown in (r"\u001b[31m", r"\x1b[31m", "argument", "'/dev/null'"))


def test_a_folder_and_an_instance_of_hostile_names_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = tmp_path / f"{CHINESE}{HOSTILE}", tmp_path / f"out{HOSTILE}"
    assert run(capsys, "generate", "--units", "6", "--out", str(folder))[0] == 0
    code, text = run(capsys, "validate", str(folder))
    assert (code, text.startswith(f"{CHINESE}{ESCAPED} is valid: 6 units")) == (0, True)
    code, text = run(capsys, "solve", str(folder), "--out", str(out))
    assert code == 0
    assert CHINESE in text
    assert f"out{ESCAPED}" in text
    code, text = run(capsys, "solve", str(folder), "--json")
    assert json.loads(text)["instance"] == f"{CHINESE}{HOSTILE}"
    (folder / "units.csv").unlink()
    assert run(capsys, "validate", str(folder))[0] == 2


def test_a_name_cannot_colour_a_terminal_and_a_table_can() -> None:
    stream = io.StringIO()
    console = SafeConsole(file=stream, force_terminal=True, width=100, markup=False, color_system="truecolor")
    columns = (Column(f"head {HOSTILE}"), Column.of_figures("figure"))
    show_blocks([Table(f"Title {HOSTILE}", columns, ((f"name {HOSTILE}", f"[red]{HOSTILE}"),))], console)
    for shown in (Text(HOSTILE, style="bold red"), Text("plain", style="bold red"), HOSTILE):
        console.print(shown)
    text = stream.getvalue()
    # An escaped text keeps no colours of its parts.
    assert f"\n{ESCAPED}\n" in text
    assert "\x1b[1;31mplain" in text
    assert "\x1b[1mTitle" in text
    for own in ("\x1b[1;31m", "\x1b[1m", "\x1b[0m"):
        text = text.replace(own, "")
    assert not HIDDEN.search(text.replace("\n", ""))


def printed(width: int, *blocks: Block) -> list[str]:
    """The lines of blocks on a terminal, blanks and rules apart."""
    stream = io.StringIO()
    show_blocks(blocks, SafeConsole(file=stream, width=width, markup=False))
    lines = stream.getvalue().splitlines()
    assert max(map(cell_len, lines)) <= width
    return [" ".join(line.replace("─", "").split()) or "───" for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (60, ["Levels", "objective least value in all [t] certified", "───", "largest_change 47,904,437.40 yes"]),
        # Words of a heading part, and then rows become records.
        (44, ["Levels", "least value in", "objective all [t] certified", "───", "largest_change 47,904,437.40 yes"]),
        (20, ["Levels", "objective:", "largest_change", "least value in all", "[t]: 47,904,437.40", "certified: yes"]),
    ],
)
def test_a_table_that_does_not_fit_breaks_no_number_and_no_name(width: int, lines: list[str]) -> None:
    columns = (
        Column("objective"),
        Column("least value in all [t]", PRICE._replace(unit="")),
        Column("certified", YES_NO),
    )
    assert printed(width, Table("Levels", columns, (("largest_change", 47904437.4, True),))) == lines


def test_columns_of_least_importance_are_left_out_and_named_and_the_others_are_whole() -> None:
    columns = (
        Column("unit"),
        Column("enterprise", priority=3),
        Column("emissions", ACCOUNTED, 1),
        Column("of which", ACCOUNTED),
        Column("confidence", priority=3),
    )
    row = ("91110000100000000A-line-1", "91110000100000000A", 47904437.4, 1234.5, "A")
    for width in range(len(row[0]), 100):
        text = " ".join(printed(width, Table("Units", columns, (row, row))))
        assert {row[0], "47,904,437.40"} <= {*text.split()}
        for heading, cell in (("enterprise", row[1]), ("of which", "1,234.50"), ("confidence", "A")):
            noted = heading in text.partition("Not shown at this width: ")[2]
            assert (cell in text.split()) != noted
    assert printed(60, Table("Units", columns, (row, row)))[-1] == "Not shown at this width: enterprise, confidence."


def test_a_table_with_a_key_is_cut_and_says_so_and_any_other_is_whole() -> None:
    rows = tuple((f"unit-{number}", number) for number in range(ROWS_SHOWN + 5))
    columns = (Column("unit"), Column("value", COUNT))
    assert printed(80, Table("Units", columns, rows))[-1] == f"unit-{ROWS_SHOWN + 4} {ROWS_SHOWN + 4}"
    listing = Table("Units", columns, rows, note="A note.", key="units")
    assert printed(80, listing)[-3:] == [f"unit-{ROWS_SHOWN - 1} {ROWS_SHOWN - 1}", "5 more rows.", "A note."]
    assert "more rows" not in " ".join(printed(80, Table("Units", columns, rows[:ROWS_SHOWN], key="units")))


def test_chinese_headings_keep_four_characters_in_a_line() -> None:
    columns = (Column("单元编号"), *(Column("未关闭问题涉及排放量", COUNT) for _ in range(3)), Column("状态"))
    lines = printed(60, Table("", columns, (("U1", 1, 2, 3, "有未关闭问题"),) * 2))
    assert max(len(part) for line in lines for part in line.split()) >= 4
    assert not any(set(map(len, line.split())) == {1} for line in lines)


def test_no_amount_is_parted_from_its_chinese_unit() -> None:
    text = "核算排放量 584.4914\N{NO-BREAK SPACE}万吨中 0\N{NO-BREAK SPACE}吨已核查"
    for width in range(13, 60):
        assert not any(line.startswith("吨") or line.startswith("万吨") for line in printed(width, Paragraph(text)))


def test_a_stream_escapes_all_that_is_written_and_is_otherwise_the_one_below() -> None:
    below = io.StringIO()
    stream = Escaping(below)
    assert stream.write("\x1b\n") == 2
    stream.writelines(["a\r", "b\u2028"])
    assert below.getvalue() == "\\u001b\na\\rb\\u2028"
    assert (stream.isatty(), stream.getvalue()) == (False, below.getvalue())


def test_the_streams_are_as_before_after_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout, sys.stderr
    main(["instances"])
    with pytest.raises(SystemExit):
        main(["solve"])
    assert (sys.stdout, sys.stderr) == before
    capsys.readouterr()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
@pytest.mark.parametrize("arguments", [["solve", "tiny"], ["solve", "tiny", "--json"], ["--help"]])
@pytest.mark.parametrize("unbuffered", ["", pytest.param("1", marks=pytest.mark.nightly)])
def test_a_full_disk_behind_the_output_is_told(arguments: list[str], unbuffered: str) -> None:
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            [sys.executable, "-m", "etsopt", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    assert found.returncode == 2
    if "--json" not in arguments:
        assert found.stderr.startswith("The standard output could not be written: No space left on device.\n\n")
    assert "Traceback" not in found.stderr
    assert "Exception ignored" not in found.stderr


def test_no_other_file_prints_past_the_escaping_streams() -> None:
    # A console of its own, or the stream below, would take what it is given to the terminal as it is.
    folder = Path(__file__).parents[2] / "etsopt"
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        # What a notebook shows is a page.
        if path.name not in ("terminal.py", "streams.py", "notebook.py"):
            assert "Console(" not in text, path
            assert "sys.__std" not in text, path
            assert ".buffer.write" not in text, path
