"""Every command on a terminal: its output is as it was read and found right, no piece is cut, and Chinese is Chinese.

Golden texts, cut pieces and Latin words of one command are tested in this one file, since they share its output.
``UPDATE_GOLDEN=1 pytest tests/terminal`` writes the golden texts again, and shortens both lists; read what differs.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

from etsopt.common.language import gettext, speaking
from tests.terminal.cases import BY_NIGHT, CASES, ERRORS, HEADS, HELP, paths
from tests.terminal.given import names_in, without_quotations
from tests.terminal.inputs import folder_of
from tests.terminal.latin import NOT_IN_THE_PARSER, known, of_parser
from tests.terminal.listed import CUT, HERE, LATIN, UPDATE, Listed
from tests.terminal.masks import masked, with_zeros
from tests.terminal.pieces import cut
from tests.terminal.running import run, shown
from tests.weights import ROOT, stated

GOLDEN = HERE / "golden"
LANGUAGES = ("en", "zh")
WIDTHS = (60, 80, 120)
"""Widths of the golden texts [columns]."""
NIGHTLY = (24, 40, 100, 200)
"""Further widths at which pieces have to be whole."""
VERY_WIDE = 1000
LEFT_OUT = gettext("Not shown at this width: {columns}.", columns="")
"""What stands below a table without some of its columns."""


def every(names: Iterable[str]) -> list[Any]:
    """Return cases as parameters of a test, of which some are left to the night."""
    return [pytest.param(name, marks=pytest.mark.nightly) if name in BY_NIGHT else name for name in names]


@cache
def screen(name: str, lang: str, width: int) -> str:
    """The output of a case with its exit code, masked."""
    code, out, errors = shown(CASES[name], lang, width)
    out = "\n".join(out.split("\n")[: HEADS.get(name)])
    parts = [f"exit code {code}\n"]
    parts += [
        f"--- {stream}\n{text}" for stream, text in (("standard output", out), ("standard error", errors)) if text
    ]
    return masked("\n".join(part.rstrip("\n") for part in parts)) + "\n"


def golden(name: str, lang: str) -> str:
    """The golden text of a case: its output at each width, once if some widths are alike."""
    texts: dict[str, list[int]] = {}
    for width in WIDTHS:
        texts.setdefault(screen(name, lang, width), []).append(width)
    parts = [f"=== {', '.join(map(str, widths))} columns\n{text}" for text, widths in texts.items()]
    return "\n".join([f"$ etsopt {CASES[name]}".rstrip() + "\n", *parts])


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", every(CASES))
def test_a_command_shows_what_it_showed(name: str, lang: str) -> None:
    path, text = GOLDEN / f"{name}.{lang}.txt", golden(name, lang)
    if UPDATE:
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    kept = path.read_text(encoding="utf-8")
    changes = difflib.unified_diff(kept.splitlines(), text.splitlines(), path.name, "now", lineterm="")
    remedy = "UPDATE_GOLDEN=1 pytest tests/terminal writes it again; read the difference."
    assert text == kept, "\n".join([*changes, remedy])


def test_every_golden_text_has_a_case() -> None:
    stray = {*GOLDEN.iterdir()} - {GOLDEN / f"{name}.{lang}.txt" for name in CASES for lang in LANGUAGES}
    if UPDATE:
        for path in stray:
            path.unlink()
    assert sorted(path.name for path in GOLDEN.iterdir() if path in stray) == []


def test_every_command_and_verb_has_a_case_beside_its_help() -> None:
    lines = [shlex.split(line) for name, line in CASES.items() if name not in HELP | ERRORS]
    groups = {path[:-1] for path in paths().values()}
    missing = [path for path in paths().values() if path not in groups]
    for words in lines:
        missing = [path for path in missing if tuple(words[: len(path)]) != path]
    assert missing == []


def printed(name: str, lang: str, width: int) -> str:
    """The output of a case, in which line ends and last digits stay as they are."""
    return with_zeros("\n".join(shown(CASES[name], lang, width)[1:]))


def whole(name: str, lang: str) -> str:
    """The output of a case on a very wide terminal, and the words that only a narrow one adds."""
    with speaking(lang):
        return f"{printed(name, lang, VERY_WIDE)}\n{LEFT_OUT}"


def nothing_is_cut(name: str, widths: tuple[int, ...]) -> None:
    """Compare the cut pieces of a case with those that are listed: case, language, width and piece."""
    found = {
        f"{name} {lang} {width} {piece}"
        for lang in LANGUAGES
        for width in widths
        for piece in cut(printed(name, lang, width), whole(name, lang), width)
    }
    own = {f"{name} {lang} {width}" for lang in LANGUAGES for width in widths}
    CUT.compare(found, lambda line: " ".join(line.split(" ")[:3]) in own)


@pytest.mark.parametrize("name", every(CASES))
def test_no_number_code_or_word_is_cut(name: str) -> None:
    nothing_is_cut(name, WIDTHS)


@pytest.mark.nightly
@pytest.mark.parametrize("name", CASES)
def test_no_number_code_or_word_is_cut_at_further_widths(name: str) -> None:
    nothing_is_cut(name, NIGHTLY)


def test_the_widest_output_cuts_nothing_by_itself() -> None:
    """Pieces are compared with it, so no column may be narrower than what it holds."""
    narrow = re.compile(r"\b(max_width|width|ratio)=")
    documents = ROOT / "etsopt" / "presenting" / "documents"
    files = [*(ROOT / "etsopt" / "cli").rglob("*.py"), documents / "fitting.py", documents / "terminal.py"]
    assert [path.name for path in files if narrow.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("listed", [CUT, LATIN], ids=["cut", "latin"])
def test_a_list_has_as_many_lines_as_it_says_and_no_more_than_it_had(listed: Listed) -> None:
    assert listed.first == listed.summary(sorted(listed.lines))
    assert len(listed.lines) <= stated("lists")[listed.path.name], "the list only shrinks"


def test_every_cut_piece_is_of_a_case_and_a_width() -> None:
    own = {f"{name} {lang} {width}" for name in CASES for lang in LANGUAGES for width in WIDTHS + NIGHTLY}
    CUT.compare([], lambda line: " ".join(line.split(" ")[:3]) not in own)


@pytest.mark.parametrize("name", every(name for name in CASES if name not in HEADS))
def test_a_command_in_chinese_has_no_english(name: str) -> None:
    _, out, errors = shown(CASES[name], "zh", 200)
    text, given = f"{out}\n{errors}", set(names_in(CASES[name]))
    if name in HELP or "用法" in text:
        # Usage, and the list of commands, have them as they are typed.
        given |= {*of_parser(), *NOT_IN_THE_PARSER}
    if name.startswith("plot"):
        given |= {line.split(" ")[0] for line in text.splitlines()}
    found = known().with_names(given).latin(without_quotations(text, CASES[name]))
    LATIN.compare({f"{name} {word}" for word in found}, lambda line: line.startswith(f"{name} "))


@pytest.mark.nightly
@pytest.mark.parametrize("name", CASES)
def test_what_was_computed_before_is_shown_as_if_it_were_computed_now(name: str) -> None:
    words = shlex.split(CASES[name])
    for lang in LANGUAGES:
        with folder_of(words) as folder:
            code, out, errors = run(words, folder, lang, 80)
        again = shown(CASES[name], lang, 80)
        assert (code, masked(out), masked(errors)) == (again[0], *map(masked, again[1:]))
