"""The finders find what is planted, and nothing in honest texts; lists become shorter only; masks keep columns."""

from __future__ import annotations

import doctest
import warnings
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from etsopt.running import reading
from tests.terminal import latin, listed, pieces
from tests.terminal.given import names_in, without_quotations
from tests.terminal.latin import known
from tests.terminal.listed import Listed
from tests.terminal.masks import masked
from tests.terminal.memory import Memory
from tests.terminal.pieces import cut

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

WIDE = """
unit                               month    tCO2e          reason
91110000100000000A-clinker-line-1  2025-01  47,904,437.40  pre-allocation in CNY/t, see runs/long-run/result.json
采用 --time-limit 后共 47,904,437.40 吨，见 sectors.cement.target_change 和 review-plan。
──────────────────────────────────────────────────────────────────────────────────────────────────────────
"""


@pytest.mark.parametrize(
    ("narrow", "parts"),
    [
        ("47,904,4\n37.40", {"47,904,4", "37.40"}),
        ("91110000100000000A-cl\ninker-line-1", {"91110000100000000A-cl", "inker-line-1"}),
        ("91110000100000000A-\nclinker-line-1", {"91110000100000000A", "91110000100000000A-", "clinker-line-1"}),
        ("共 47,904,\n437.40 吨", {"47,904", "437.40"}),
        ("共47,904,437.4…", {"47,904,437.4"}),
        ("采用 --time-\nlimit 后", {"--time-", "limit"}),
        ("review-\nplan", {"review-", "plan"}),
        ("CNY/\nt", {"CNY/", "t"}),
        ("runs/long-run/\nresult.json", {"runs/long-run/", "result.json"}),
        ("sectors.cement.\ntarget_change", {"sectors.cement", "target_change"}),
        ("mo\nnth", {"mo", "nth"}),
    ],
)
def test_a_cut_piece_is_found(narrow: str, parts: set[str]) -> None:
    found = cut(narrow, WIDE, 80)
    assert found
    assert found <= parts


@pytest.mark.parametrize(
    "narrow",
    [
        WIDE,
        "unit\nmonth 2025-01\n47,904,437.40\n",
        "pre-\nallocation",
        "采用 --time-limit\n后共\n47,904,437.40\n吨，见\nsectors.cement.target_change\n和 review-plan\n。",
        "───────────\n",
        "unit: month. (2025-01)",
    ],
)
def test_an_honest_line_end_is_not_found(narrow: str) -> None:
    assert cut(narrow, WIDE, 80) == set()


def test_a_piece_that_is_wider_than_the_terminal_may_be_cut() -> None:
    assert cut("91110000100000000A-clin\nker-line-1", WIDE, 24) == set()
    assert cut("47,904,437.4\n0", WIDE, 24) == {"47,904,437.4", "0"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("已写入 result：Written to result.json。", {"Written", "to", "result"}),
        ("单元编号 month item 排放量（tCO2e）", {"month", "item"}),
        ("municipal须先通过，Hebei 市级", {"municipal", "Hebei"}),
        ("须满足 the limits of sectors.cement.band", {"the", "limits", "of"}),
        ("cement  560.000", {"cement"}),
    ],
)
def test_english_in_a_chinese_text_is_found(text: str, words: set[str]) -> None:
    assert known().latin(text) == words


@pytest.mark.parametrize(
    "text",
    [
        "已写入 run/result.json；可用 `etsopt check run/` 再次检查，SHA-256 为 e75e03229a94345c…。",
        "A = E (1 + α)，BP 为 0.8 t/t；HiGHS 单纯形法。",
        "列 'sector' 须填写；policy.toml，year：缺少。",
        "模型 allocation 未使用的政策项：market（3 项）、penalty.reference_price_cny_per_t。",
        "用 --lang zh 或 --set KEY=VALUE，例如 provincial.Hebei=40。",
        "来源：CETS-AG-03.01-V01-2024，https://www.mee.gov.cn/some/page.pdf",
        "方案 sample-1",
    ],
)
def test_names_that_chinese_texts_keep_are_not_found(text: str) -> None:
    assert known().latin(text) == set()


def test_names_that_a_user_gave_are_not_found() -> None:
    text = "north-1 (Line 1)，North：enterprise-a 的 101,500 吨"
    assert known().latin(text)
    assert known().with_names(names_in("explain run north-1")).latin(text) == set()
    # A store holds the names of the reports that it was filled with; a province of China has a Chinese name.
    names = names_in("review status reviewed.duckdb")
    assert {"U3", "Li", "production department"} <= names
    assert "Yunnan" not in names
    assert without_quotations("第 2 行 'cemnt'，不是 'foreign'", "validate bad") == "第 2 行 ''，不是 'foreign'"


def summary(lines: list[str]) -> str:
    return f"{len(lines)} lines"


def test_a_list_refuses_what_is_new_and_what_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.txt"
    path.write_text("2 lines\na 1\nb 1\n", encoding="utf-8")
    monkeypatch.setattr(listed, "UPDATE", False)
    known_lines = Listed(path, summary)
    known_lines.compare({"a 1"}, lambda line: line.startswith("a "))
    with pytest.raises(AssertionError, match="found, and not in"):
        known_lines.compare({"a 1", "a 2"}, lambda line: line.startswith("a "))
    with pytest.raises(AssertionError, match="no longer found"):
        known_lines.compare(set(), lambda line: line.startswith("b "))


def test_an_update_removes_lines_and_adds_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.txt"
    path.write_text("3 lines\na 1\na 2\nb 1\n", encoding="utf-8")
    monkeypatch.setattr(listed, "UPDATE", True)
    with pytest.raises(AssertionError, match="found, and not in"):
        Listed(path, summary).compare({"a 1", "a 3"}, lambda line: line.startswith("a "))
    assert path.read_text("utf-8") == "2 lines\na 1\nb 1\n"


@pytest.mark.parametrize("module", [pieces, latin], ids=["pieces", "latin"])
def test_examples_of_the_finders_are_as_written(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_masks_keep_columns_and_leave_figures() -> None:
    text = "tiny: certified  \n change  9,200  t  1.5e-10  HiGHS simplex, 12 it.\n scale 2.0e+03, 0.25 and 0.1234"
    assert masked(text) == (
        "tiny: certified\n change  9,200  t  0.0e-00  HiGHS simplex, 00 it.\n scale 2.0e+03, 0.25 and 0.1234"
    )
    assert masked("target_change ≥ -0.00499821428571") == "target_change ≥ -0.00499821428000"
    assert masked("0.000999779 of 3.28e-09 t") == "0.000999779 of 0.00e-00 t"
    usage = "usage: etsopt plot [-h] --out\n                   FILE [--year YEAR]\n                   run\n\ndraw\n"
    assert masked(usage) == "usage: etsopt plot [-h] --out FILE [--year YEAR] run\n\ndraw\n"
    choices = "(choose from 'bash', 'zsh')"
    assert masked(choices) == masked(choices.replace("'", "")) == "(choose from bash, zsh)"


def test_what_a_command_computed_is_told_again_with_its_warnings_and_errors() -> None:
    calls = []

    def read(name: str) -> str:
        calls.append(name)
        warnings.warn(f"{name} is read", UserWarning, stacklevel=1)
        if name == "bad":
            raise OSError(name)
        return name

    memory = Memory()
    for lang in ("en", "zh"):
        with mock.patch.object(reading, "read", read), memory.used(lang):
            with pytest.warns(UserWarning, match="good is read"):
                assert str(reading.read("good")) == "good"
            with pytest.warns(UserWarning, match="bad is read"), pytest.raises(OSError, match="bad"):
                reading.read("bad")
    assert calls == ["good", "bad"]
