"""Provinces of China, each under one name: the English one, however short or long the Chinese."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from etsopt.common.characters import HIDDEN
from etsopt.common.errors import PROBLEMS_SHOWN, Problem, brief
from etsopt.common.language import Text, _, chain, pgettext
from etsopt.data.messages import counted, first_of
from etsopt.data.tables.text_columns import FORMULA_START, normalise

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

_LONGEST_FIRST = sorted(ENGLISH, key=len, reverse=True)


_ROMANISED = {
    **{"Beijing": "peking", "Tianjin": "tientsin", "Hebei": "hopei hopeh chihli", "Shanxi": "shansi"},
    **{"Inner Mongolia": "neimenggu neimongol", "Jilin": "kirin", "Heilongjiang": "heilungkiang"},
    **{"Jiangsu": "kiangsu", "Zhejiang": "chekiang", "Anhui": "anhwei", "Fujian": "fukien", "Jiangxi": "kiangsi"},
    **{"Shandong": "shantung", "Henan": "honan", "Hubei": "hupei hupeh", "Guangdong": "canton kwangtung"},
    **{"Guangxi": "kwangsi", "Chongqing": "chungking", "Sichuan": "szechwan szechuan", "Guizhou": "kweichow"},
    **{"Tibet": "xizang", "Shaanxi": "shensi", "Gansu": "kansu", "Qinghai": "tsinghai chinghai"},
    **{"Ningxia": "ningsia", "Xinjiang": "sinkiang", "Xinjiang Production and Construction Corps": "xpcc bingtuan"},
}
"""Other spellings of each province in Latin letters, older ones too."""

_BY_WORD = {
    **{re.sub(r"\s", "", name).casefold(): name for name in SHORT},
    **{word: name for name, words in _ROMANISED.items() for word in words.split()},
}
_ENDINGS = re.compile(
    r"[\s.,]*\b(province|prov|municipality|city|autonomous region|a\.?\s*r|zhuang|uygur|uyghur|hui)[.]?$"
)
"""English words after the name of a province, alone or one after the other."""

_JOINTS = re.compile("[ '’-]")
_PARTS = re.compile(r"[,;/|(){}\[\]，；、（）]| - |[–—]")
"""Marks between the name of a province and that of a city, in any order."""

_PLACE = re.compile("(?!(藏|蒙古)族|.$).+[市区县盟州旗]")
_OTHER_PLACES = ("tibetan", "mongol")
"""A city or county after the short name of its province. Two in Qinghai begin as another province does: Hainan Tibetan
Autonomous Prefecture (海南藏族自治州), and Henan Mongol Autonomous County (河南蒙古族自治县)."""

CHINESE = re.compile("[\u4e00-\u9fff]")


def one_name(name: str) -> str:
    """Return the English name of a province of China, also of one with a city; any other name as it is.

    >>> one_name(" 安徽"), one_name("安徽省"), one_name("HEBEI prov."), one_name("Bavaria")
    ('Anhui', 'Anhui', 'Hebei', 'Bavaria')
    >>> one_name("Peking"), one_name("河北唐山市"), one_name("Tangshan, Hebei"), one_name("海南藏族自治州")
    ('Beijing', 'Hebei', 'Hebei', '海南藏族自治州')
    """
    if found := _province_of(name):
        return found
    within = {_province_of(part) for part in _PARTS.split(normalise(name))} - {""}
    return within.pop() if len(within) == 1 else name


def _province_of(name: str) -> str:
    """Return the province that a name is, with a city behind it or without; empty if it is none."""
    word = _word_of(name)
    if found := ENGLISH.get(word) or _BY_WORD.get(_JOINTS.sub("", word)):
        return found
    for known in _LONGEST_FIRST if CHINESE.search(word) else ():
        if word.startswith(known):
            with_city = known in LONG.values() or _PLACE.fullmatch(word.removeprefix(known))
            return ENGLISH[known] if with_city else ""
    before, _, city = word.rpartition(" ")
    return "" if city in _OTHER_PLACES else _BY_WORD.get(_JOINTS.sub("", before), "")


def _word_of(name: str) -> str:
    """Return a name in small letters without the English words after it."""
    word, before = normalise(name).casefold(), ""
    while word != before and _JOINTS.sub("", word) not in _BY_WORD:
        before, word = word, _ENDINGS.sub("", word).strip()
    return word


def one_name_each(names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return provinces, each under one name, shape as ``names``."""
    code, different = pd.factorize(names)
    renamed = np.array([one_name(name) for name in different], dtype=object)
    return names if (renamed == different).all() else renamed[code]


def note_of_provinces(raw: RawTable) -> str:
    """Return a sentence on provinces that a table names by an older spelling or with a city; empty without any.

    Parameters
    ----------
    raw
        A table whose provinces have one name each, with the cells of its file.
    """
    _heading, cells = raw.stated.get("province", ("", np.empty(0)))
    read = {str(cell): one_name(str(cell)) for cell in pd.unique(cells)} if cells.dtype == object else {}
    usual = {*ENGLISH, *(name.casefold() for name in SHORT)}
    longer = [
        _("{name} as {province}", name=brief(name), province=Text(province))
        for name, province in read.items()
        if province != name and _word_of(name) not in usual
    ]
    return _("{place}, province: read is {names}.", place=raw.place, names=first_of(longer)) if longer else ""


def problems_of_provinces(raw: RawTable, of_china: bool) -> list[Problem]:
    """Find cells that name no province of China.

    Parameters
    ----------
    raw
        A table whose provinces have one name each, as `one_name_each` returns them.
    of_china
        True if all have to be provinces of China. Otherwise a name is misspelt if it is one letter off a province of
        China and the table has others of them.
    """
    cells = raw.columns.get("province", np.empty(0))
    if cells.dtype != object:
        return []
    code, stated = pd.factorize(cells)
    texts = [normalise(str(name)) for name in stated]
    # Hidden characters and formulas are problems of their own.
    unknown = {text for text in texts if not (HIDDEN.search(text) or FORMULA_START.match(text))} - {"", *SHORT}
    if not of_china:
        unknown = {name for name in unknown if _one_letter_off(name)} if {*texts} & {*SHORT} else set()
    if not unknown:
        return []
    number = {name: place for place, name in enumerate(sorted(unknown))}
    of_row = np.array([number.get(text, -1) for text in texts])[code]
    rows = np.flatnonzero(of_row >= 0)
    rows = rows[np.argsort(of_row[rows], kind="stable")]
    ends = np.flatnonzero(np.diff(of_row[rows])) + 1
    problems: list[Problem] = []
    for name, where in zip(number, np.split(rows, ends), strict=True):
        shown = tuple((str(row), str(cell)) for row, cell in zip(raw.rows[where], cells[where], strict=True))
        what = counted(len(shown), _("cell names no province of China"), _("cells name no province of China"))
        # A column of something else has as many names as rows.
        advice = _advice(name, of_china) if len(problems) < PROBLEMS_SHOWN else ""
        problems.append(Problem(raw.place, what, advice, "province", shown))
    return problems


def _advice(name: str, of_china: bool) -> str:
    """Return what to write for a name that is no province of China."""
    close = get_close_matches(_word_of(name), _BY_WORD, 1, LEAST_ALIKE)
    begun = [ENGLISH[known] for known in _LONGEST_FIRST if CHINESE.search(known) and name.startswith(known)]
    near = _one_letter_off(name) or _abbreviated(name) or begun[:1] or [_BY_WORD[word] for word in close]
    guess = _("Did you mean {likely}? ", likely=chain(map(brief, near), _("{first} or {second}"))) if near else ""
    if not of_china:
        return _("{guess}Other provinces of the table are provinces of China.", guess=guess)
    return _(
        "{guess}Write a province of China, in English or Chinese. If names of another kind are meant, state "
        'provinces.names = "any" in the policy.',
        guess=guess,
    )


def _abbreviated(name: str) -> Sequence[str]:
    """Return the provinces whose letters a short name may be, or of whose signs it has one; empty without any.

    >>> _abbreviated("HB"), _abbreviated("Saxony"), _abbreviated("冀")
    (['Hebei', 'Hubei'], [], [])
    """
    letters = "".join(f"{letter}.*" for letter in name.casefold())
    return [one for one in SHORT if name.isalpha() and len(name) <= MOST_LETTERS and re.match(letters, one.casefold())]


MOST_LETTERS, LEAST_ALIKE = 3, 0.75
"""Letters of an abbreviation; least likeness of a name that is suggested, which `unknown` and Yunnan do not have."""


def _one_letter_off(name: str) -> Sequence[str]:
    """Return the provinces whose name differs by one letter or sign, in the language of the name; empty without any."""
    word = _word_of(name)
    near = {name for known, name in {**_BY_WORD, **ENGLISH}.items() if _is_one_off(word, known)}
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


def name_of(name: object) -> Text:
    """Return the name of a sector or a province, as it is shown; any other name as it is.

    >>> name_of("cement"), name_of("North")
    ('cement', 'North')
    """
    return pgettext("province" if name in SHORT else "sector", str(name))
