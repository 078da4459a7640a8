"""Provinces of China, each under one name: the English one, however short or long the Chinese."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.characters import HIDDEN
from etsopt.data.messages import counted
from etsopt.data.tables.text_columns import normalise
from etsopt.errors import Problem, brief
from etsopt.wording import listed, message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.data.tables.raw import RawTable

SHORT = {
    **{"Beijing": "北京", "Tianjin": "天津", "Hebei": "河北", "Shanxi": "山西", "Inner Mongolia": "内蒙古"},
    **{"Liaoning": "辽宁", "Jilin": "吉林", "Heilongjiang": "黑龙江", "Shanghai": "上海", "Jiangsu": "江苏"},
    **{"Zhejiang": "浙江", "Anhui": "安徽", "Fujian": "福建", "Jiangxi": "江西", "Shandong": "山东"},
    **{"Henan": "河南", "Hubei": "湖北", "Hunan": "湖南", "Guangdong": "广东", "Guangxi": "广西"},
    **{"Hainan": "海南", "Chongqing": "重庆", "Sichuan": "四川", "Guizhou": "贵州", "Yunnan": "云南"},
    **{"Tibet": "西藏", "Shaanxi": "陕西", "Gansu": "甘肃", "Qinghai": "青海", "Ningxia": "宁夏"},
    **{"Xinjiang": "新疆", "Xinjiang Production and Construction Corps": "新疆生产建设兵团"},
}
"""Short Chinese name of each province; the Corps allocates by itself, like a province."""

_MUNICIPALITIES = ("Beijing", "Tianjin", "Shanghai", "Chongqing")
_REGIONS = {
    **{"Inner Mongolia": "内蒙古自治区", "Guangxi": "广西壮族自治区", "Tibet": "西藏自治区"},
    **{"Ningxia": "宁夏回族自治区", "Xinjiang": "新疆维吾尔自治区"},
}


def _long_name(name: str) -> str:
    if name in _REGIONS:
        return _REGIONS[name]
    return SHORT[name] + ("市" if name in _MUNICIPALITIES else "" if SHORT[name].endswith("兵团") else "省")


LONG = {name: _long_name(name) for name in SHORT}
"""Long Chinese name of each province."""

ENGLISH = {
    **{short: name for name, short in SHORT.items()},
    **{long: name for name, long in LONG.items()},
    **dict.fromkeys(("兵团", "新疆兵团"), "Xinjiang Production and Construction Corps"),
    "内蒙": "Inner Mongolia",
    **{f"{SHORT[name]}自治区": name for name in _REGIONS},
}
"""English name by each Chinese one."""


_BY_WORD = {
    **{name.casefold(): name for name in SHORT},
    **{"xizang": "Tibet", "nei mongol": "Inner Mongolia", "neimenggu": "Inner Mongolia"},
}
_ENDINGS = re.compile(
    r"[\s.,]*\b(province|prov|municipality|city|autonomous region|a\.?\s*r|zhuang|uygur|uyghur|hui)[.]?$"
)
"""English words after the name of a province, alone or one after the other."""

CHINESE = re.compile("[\u4e00-\u9fff]")


def one_name(name: str) -> str:
    """Return the English name of a province of China; any other name as it is.

    >>> one_name(" 安徽"), one_name("安徽省"), one_name("HEBEI prov."), one_name("Bavaria")
    ('Anhui', 'Anhui', 'Hebei', 'Bavaria')
    """
    word = _word_of(name)
    return ENGLISH.get(word) or _BY_WORD.get(word, name)


def _word_of(name: str) -> str:
    """Return a name in small letters without the English words after it."""
    word, before = normalise(name).casefold(), ""
    while word != before and word not in _BY_WORD:
        before, word = word, _ENDINGS.sub("", word).strip()
    return word


def one_name_each(names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return provinces, each under one name, shape as ``names``."""
    code, different = pd.factorize(names)
    renamed = np.array([one_name(name) for name in different], dtype=object)
    return names if (renamed == different).all() else renamed[code]


def problems_of_provinces(raw: RawTable) -> list[Problem]:
    """Find provinces that are misspelt: one letter off a province of China, in a table that has no other ones.

    A table with any other name may be of another country, and is left alone.

    Parameters
    ----------
    raw
        A table whose provinces have one name each, as `one_name_each` returns them.
    """
    cells = raw.columns.get("province", np.empty(0))
    if cells.dtype != object:
        return []
    code, stated = pd.factorize(cells)
    texts = [normalise(str(name)) for name in stated]
    # Hidden characters are a problem of their own.
    names = {text for text in texts if text and not HIDDEN.search(text)}
    unknown = names - {*SHORT}
    likely: dict[str, Sequence[str]] = {}
    for name in sorted(unknown) if unknown != names else ():
        likely[name] = _one_letter_off(name)
        if not likely[name]:
            return []
    problems = []
    for name, known in likely.items():
        where = np.array([text == name for text in texts], dtype=bool)[code]
        shown = tuple((str(row), str(cell)) for row, cell in zip(raw.rows[where], cells[where], strict=True))
        advice = message(
            "Did you mean {likely}? All other provinces of the table are provinces of China.",
            likely=listed(map(brief, known), "{first} or {second}"),
        )
        what = counted(len(shown), "cell names no province of China", "cells name no province of China")
        problems.append(Problem(raw.place, what, advice, "province", shown))
    return problems


def _one_letter_off(name: str) -> Sequence[str]:
    """Return the provinces whose name differs by one letter or sign, in the language of the name; empty without any."""
    word = _word_of(name)
    near = {_BY_WORD.get(known) or ENGLISH[known] for known in (*_BY_WORD, *ENGLISH) if _is_one_off(word, known)}
    return [SHORT[one] if CHINESE.search(word) else one for one in SHORT if one in near]


def _is_one_off(word: str, known: str) -> bool:
    """Return True if one letter is another, is missing, is too many, or has changed places with the next one.

    >>> _is_one_off("heibei", "hebei"), _is_one_off("四穿", "四川"), _is_one_off("hebie", "hebei")
    (True, True, True)
    """
    if abs(len(word) - len(known)) > 1 or word == known:
        return False
    first = next((at for at, (one, other) in enumerate(zip(word, known, strict=False)) if one != other), None)
    if first is None:
        return True
    word, known = word[first:], known[first:]
    return word[1:] in (known, known[1:]) or known[1:] == word or known == word[1::-1] + word[2:]
