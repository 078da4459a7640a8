"""Units of measure that a heading may state in brackets, and their exact factors to the unit of the column."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

TENS = {
    "": Decimal(1),
    "千": Decimal(10**3),
    "万": Decimal(10**4),
    "十万": Decimal(10**5),
    "百万": Decimal(10**6),
    "千万": Decimal(10**7),
    "亿": Decimal(10**8),
    "10^4": Decimal(10**4),
    "1e4": Decimal(10**4),
    "thousand": Decimal(10**3),
    "million": Decimal(10**6),
}
"""Words before a unit, and their values."""

_MASS = {
    **dict.fromkeys(("t", "吨", "tonne", "tonnes", "公吨"), Decimal(1)),
    **dict.fromkeys(("kg", "千克", "公斤"), Decimal("0.001")),
    **dict.fromkeys(("kt", "kilotonnes", "'000t", "'000tonnes"), Decimal(10**3)),
    **{"Mt": Decimal(10**6), "megatonnes": Decimal(10**6), "Gt": Decimal(10**9)},
}
_GAS = ("CO2", "CO2e", "CO2eq", "CO2-eq", "CO2当量", "二氧化碳", "二氧化碳当量")

_ENERGY = {
    **{"kWh": Decimal("0.001"), "MWh": Decimal(1), "GWh": Decimal(10**3), "TWh": Decimal(10**6)},
    **{"千瓦时": Decimal("0.001"), "兆瓦时": Decimal(1), "吉瓦时": Decimal(10**3), "度": Decimal("0.001")},
}
_POWER = {
    **{"kW": Decimal("0.001"), "MW": Decimal(1), "GW": Decimal(10**3)},
    **{"千瓦": Decimal("0.001"), "兆瓦": Decimal(1), "吉瓦": Decimal(10**3)},
}
_HEAT = {
    **{"MJ": Decimal("0.001"), "GJ": Decimal(1), "TJ": Decimal(10**3), "PJ": Decimal(10**6)},
    **{"兆焦": Decimal("0.001"), "吉焦": Decimal(1), "太焦": Decimal(10**3), "千焦": Decimal("1e-6")},
}
_FRACTION = {
    **dict.fromkeys(("fraction", "share", "小数", "比例", "1"), Decimal(1)),
    **dict.fromkeys(("%", "percent", "百分比", "百分数"), Decimal("0.01")),
    "‰": Decimal("0.001"),
}

UNITS: dict[str, dict[str, Decimal]] = {
    "t": _MASS,
    "tCO2e": _MASS | {f"{mass}{gas}": factor for mass, factor in _MASS.items() for gas in _GAS},
    "MWh": _ENERGY,
    "MW": _POWER,
    "GJ": _HEAT,
    "fraction": _FRACTION,
    "fraction/year": _FRACTION | {f"{unit}/{year}": by for unit, by in _FRACTION.items() for year in ("年", "year")},
    "CNY/t": {f"{money}/{mass}": Decimal(1) for money in ("CNY", "元", "RMB") for mass in ("t", "吨")},
    "tCO2e/t": dict.fromkeys(("tCO2e/t", "t/t", "tCO2e/MWh", "t/MWh", "tCO2e/吨", "吨/吨", "吨/兆瓦时"), Decimal(1)),
    "MWh/t": dict.fromkeys(("MWh/t", "兆瓦时/吨"), Decimal(1)),
    "year": dict.fromkeys(("year", "年"), Decimal(1)),
    "years": dict.fromkeys(("years", "year", "年"), Decimal(1)),
    "days": dict.fromkeys(("days", "day", "天", "人天"), Decimal(1)),
}
"""Factors of the units of measure that a column in each unit understands, as they are written: ``mt`` is none of them,
because some mean a metric ton by it."""

KNOWN = {
    "t": "t, 10,000 t, kt, Mt, 吨, 万吨",
    "tCO2e": "tCO2e, 10,000 tCO2e, ktCO2e, MtCO2e, 吨, 万吨, 亿吨",
    "MWh": "MWh, GWh, 万千瓦时, 亿千瓦时",
    "MW": "MW, GW, 万千瓦",
    "GJ": "GJ, TJ, 吉焦, 万吉焦",
    "fraction": "fraction, %",
    "CNY/t": "CNY/t, 元/吨",
}
"""Units to choose from, for messages."""

_SPLIT = re.compile(rf"({'|'.join(map(re.escape, sorted(filter(None, TENS), key=len, reverse=True)))})?\s*(.*)")

_POWER_OF_TEN = re.compile(r"(10(?:\^(\d)|[0,]*))[x*]?(.+)")
"""A power of ten before a unit, as in ``10,000 t`` and ``10^4 t``."""

QUANTITIES = ("tCO2e", "t", "MWh", "MW", "GJ")
"""Units of the columns whose unit of measure a note beside the table may state."""

_WORDS = {word for unit in QUANTITIES for word in UNITS[unit]} - {"度"}
"""Units that a note may state, without a sign that is mostly the end of another word, as in 年度."""

_IN_TEXT = re.compile(
    rf"(?<![A-Za-z0-9.,^十百千万亿])(?<![0-9] )"
    rf"(?:10(?:\^[0-9]|[0,]*)\s*[x*]?|1e4|{'|'.join(sorted(filter(str.isalpha, TENS), key=len, reverse=True))})?\s*"
    rf"(?:{'|'.join(map(re.escape, sorted(_WORDS, key=len, reverse=True)))})(?![A-Za-z0-9])"
)
"""A unit of measure in a text, but no quantity in it, such as 100万吨."""


def units_in(text: str) -> list[str]:
    """Return the units of measure that a text mentions.

    >>> units_in("单位：万吨、吨CO2"), units_in("Unit: 10,000 t"), units_in("年产100万吨水泥"), units_in("in kt")
    (['万吨', '吨CO2'], ['10,000 t'], [], ['kt'])
    """
    return [found[0].strip() for found in _IN_TEXT.finditer(unicodedata.normalize("NFKC", text))]


def factor_of(stated: str, unit: str) -> Decimal | None:
    """Return the factor from the stated unit of measure to the unit of a column; None if it cannot be told.

    >>> factor_of("万吨", "tCO2e"), factor_of("Mt", "t"), factor_of("亿kWh", "MWh"), factor_of("lb", "t")
    (Decimal('10000'), Decimal('1000000'), Decimal('100000.000'), None)
    >>> factor_of("10,000 t", "t"), factor_of("10^4 tCO2", "tCO2e"), factor_of("10 kt", "t")
    (Decimal('10000'), Decimal('10000'), Decimal('10000'))
    """
    text = re.sub(r"[\s_]", "", unicodedata.normalize("NFKC", stated))
    # Quantities are those of a year, which some units repeat.
    text = text if unit.endswith("/year") else re.sub(r"/(a|yr|year|年)$", "", text)
    if text == unit:
        return Decimal(1)
    known = UNITS.get(unit, {})
    if text in known:
        return known[text]
    if tens := _POWER_OF_TEN.fullmatch(text):
        number = Decimal(10) ** int(tens[2]) if tens[2] else Decimal(tens[1].replace(",", ""))
        return number * known[tens[3]] if tens[3] in known else None
    parts = _SPLIT.fullmatch(text)
    assert parts is not None
    return TENS[parts[1] or ""] * known[parts[2]] if parts[2] in known else None


def converted(cell: object, factor: Decimal) -> str:
    """Return a number times an exact factor, as a text that reads back as the nearest float; other cells as they are.

    >>> converted("83.07", Decimal(10000)), converted("", Decimal(10)), converted("n/a", Decimal(10))
    ('830700', '', 'n/a')
    """
    text = repr(float(cell)) if isinstance(cell, float) else str(cell).strip()
    try:
        product = Decimal(text) * factor
    except ArithmeticError:
        return text
    return f"{product.normalize():f}" if product.is_finite() else text
