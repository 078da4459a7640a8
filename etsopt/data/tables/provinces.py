"""Provinces of China, each under one name: the English one, however short or long the Chinese."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from etsopt.data.tables.text_columns import normalise

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
    "兵团": "Xinjiang Production and Construction Corps",
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


def one_name(name: str) -> str:
    """Return the English name of a province of China; any other name as it is.

    >>> one_name(" 安徽"), one_name("安徽省"), one_name("HEBEI prov."), one_name("Bavaria")
    ('Anhui', 'Anhui', 'Hebei', 'Bavaria')
    """
    text = normalise(name)
    if text in ENGLISH:
        return ENGLISH[text]
    word, before = text.casefold(), ""
    while word != before and word not in _BY_WORD:
        before, word = word, _ENDINGS.sub("", word).strip()
    return _BY_WORD.get(word, name)


def one_name_each(names: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return provinces, each under one name, shape as ``names``."""
    code, different = pd.factorize(names)
    renamed = np.array([one_name(name) for name in different], dtype=object)
    return names if (renamed == different).all() else renamed[code]
