"""Chinese texts of the package: their punctuation, and one name for one thing."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from docs.tools.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SLOT = "□"
"""What stands for a value that is put in."""

CHINESE = "[\u4e00-\u9fff\u3001\u3002\uff08\uff09\uff0c\uff1a\uff1b\uff1f]"
HALF_WIDTH = re.compile(
    f"(?:{CHINESE} ?[,;:()?])|(?:[,;:()?] ?{CHINESE})|(?:{SLOT}[,;:]{SLOT})|(?:{SLOT} ?\\([^()]*{SLOT})"
)

AS_PRINTED = "etsopt/reports/official/headings.py"
"""The headings of the annex, which the draft prints with marks of both widths."""

READ = (
    *("etsopt/reports/official/reading/", "etsopt/data/tables/headings.py", "etsopt/data/tables/measurement.py"),
    *(
        "etsopt/data/files/lenient/table_plausibility.py",
        "etsopt/accounting/headings.py",
        "etsopt/accounting/vocabulary.py",
    ),
)
"""Patterns, words that are compared with what people write in half-width marks, and units of both languages."""

EXCEPTIONS = (
    r"etsopt\.solve\(etsopt\.read\('tiny'\)\)",  # Code.
    r"A = E \(.*±cap\)\)|A = E\(1\+α\)|\(BP−I\)/BP",  # Formulas.
    r"硫\(铁\)",  # The guideline's name of a clinker.
    r"“\(%\)”",  # A heading as it stands in a file.
    r"\(环办气候函〔\d+〕\d+号\), table",  # An English source.
    "^用法: $",  # argparse indents by its characters, of which a full-width one takes two places.
    "^吨, 万吨, Nm3, 万Nm3$",  # Units of measure, the same in both languages.
    rf"{SLOT}:{SLOT}$",  # Minutes and seconds.
)
"""Parts of Chinese texts that keep half-width marks."""


def texts_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each text of a program with its line, but docstrings and patterns; values that are put in are a slot."""
    passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in node.values}
            parts = [getattr(part, "value", SLOT) for part in node.values]
            yield node.lineno, "".join(part if isinstance(part, str) else SLOT for part in parts)
        elif isinstance(node, ast.Call) and getattr(getattr(node.func, "value", None), "id", "") == "re":
            passed |= {id(part) for part in ast.walk(node.args[0])}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, re.sub(r"\{[^{}]*\}", SLOT, node.value)


def is_chinese(text: str) -> bool:
    """Return True for a Chinese text, which an English one that names a Chinese word is not."""
    return len(re.findall("[a-zA-Z]", text)) <= 3 * len(re.findall("[\u4e00-\u9fff]", text)) > 0


@cache
def chinese_texts() -> list[tuple[str, str]]:
    """Return each Chinese text that is shown, and its place."""
    return list(_chinese_texts())


def _chinese_texts() -> Iterator[tuple[str, str]]:
    for folder in ("etsopt", "models/etsopt_models"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith((AS_PRINTED, *READ)):
                for line, text in texts_of(ast.parse(path.read_text(encoding="utf-8"))):
                    if is_chinese(text):
                        yield f"{place}:{line}", text
    for entry in catalogue():
        if entry.id and isinstance(entry.string, str):
            yield f"catalogue, {entry.id!r}", re.sub(r"\{[^{}]*\}", SLOT, entry.string)


def half_width(text: str) -> str:
    """Return the first half-width mark beside Chinese with its neighbours, else nothing."""
    for exception in EXCEPTIONS:
        text = re.sub(exception, "", text)
    found = HALF_WIDTH.search(text)
    return found[0] if found else ""


def test_chinese_texts_have_chinese_punctuation() -> None:
    found = chinese_texts()
    assert len(found) > 3000
    wrong = [f"{place}: {text} [{mark}]" for place, text in found if (mark := half_width(text))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "盈余,缺口",
        "合计:5",
        f"{SLOT},{SLOT}吨",
        "配额(吨)",
        f"企业 {SLOT} ({SLOT})",
        "有几家?",
        "甲;乙",
        "共 5 吨 (约)",
    ],
)
def test_half_width_marks_are_found(text: str) -> None:
    assert half_width(text)


def test_numbers_and_formulas_keep_their_marks() -> None:
    assert not half_width("共 1,234 吨，A = E(1+α)")


ONE_NAME = {
    "期末持仓量, 期初持仓量": "期[初末]持有[^的]|期[初末]持仓(?!量)",
    "参考配额": "按规则的配额",
    "盈缺平衡": "盈亏|省份平衡",
    "协调值": "调和",
    "自平衡": "自我平衡",
    "折现率": "实际年贴现",
    "结余": "留存",
    "政策项": "政策参数|政策键",
    "核减量": "扣减量",
    "参考价格": "基准均价",
    "情景计算": "批量情景|批量计算",
    "抵销": "抵消",
    "特殊情形": "特殊情况",
    "缴回": "收回量",
}
"""One name of a thing, and the others that it had; headings that are understood beside the first are not shown."""

UNDERSTOOD = "etsopt/data/tables/chinese.py"


@pytest.mark.parametrize(("name", "others"), ONE_NAME.items())
def test_one_thing_has_one_name(name: str, others: str) -> None:
    found = [(place, text) for place, text in chinese_texts() if not place.startswith(UNDERSTOOD)]
    wrong = [f"{place}: {text}" for place, text in found if re.search(others, text)]
    assert not wrong, f"{name}\n" + "\n".join(wrong)
