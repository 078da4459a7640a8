"""Keys and values of the policy as people state them, in the words of the schema.

Keys and words may be Chinese, and keys may have capitals; a sector or a province may have any of its names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.policy.chinese import KEYS, TRUTHS, VALUES
from etsopt.data.policy.toml import parse_value
from etsopt.data.tables.chinese import WORDS
from etsopt.data.tables.provinces import one_name

_SECTORS = {word: sector for sector, words in WORDS["sector"].items() for word in words}
_KEYS = {word: key for key, words in KEYS.items() for word in words}

NEGATIVE = re.compile(r"\s*\u2212([\d.eE+-]+\s*[%％]?)\s*")
"""A number with the minus sign that every output has."""

OF_PROVINCES = frozenset(("balance", "days"))
"""Keys of tables whose own keys are provinces, of which one may have the name of a key."""


def english_key(key: Any, above: str = "") -> Any:
    """Return the key, sector or province that a key of a table names; any other key as it is.

    Parameters
    ----------
    above
        Key of the table.

    >>> english_key("水泥"), english_key("安徽省", "balance"), english_key("年度"), english_key("Year")
    ('cement', 'Anhui', 'year', 'year')
    """
    return _english_key("".join(key), above) if isinstance(key, str) else key


@lru_cache(10_000)
def _english_key(key: str, above: str) -> str:
    name = unicodedata.normalize("NFKC", key).strip()
    if above in OF_PROVINCES:
        return one_name(key)
    spelled = name.casefold().replace(" ", "_")
    if name in _KEYS or (spelled in KEYS and key not in KEYS):
        return _KEYS.get(name, spelled)
    return one_name(_SECTORS.get(key, key))


def nested(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a policy as nested tables, where keys may be dotted paths.

    >>> nested({"year": 2025, "rule.name": "cn", "rule": {"slope": 0.2}})
    {'year': 2025, 'rule': {'name': 'cn', 'slope': 0.2}}
    """
    whole: dict[str, Any] = {}
    for key, value in content.items():
        *above, name = key.split(".") if isinstance(key, str) else [key]
        table = whole
        for step in above:
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                # Both a value and a table: the parser tells which one the policy takes.
                return dict(content)
        both = isinstance(value, Mapping) and isinstance(table.get(name), dict)
        table[name] = table[name] | dict(value) if both else dict(value) if isinstance(value, Mapping) else value
    return whole


def english_path(steps: Sequence[str]) -> list[str]:
    """Return the keys of a dotted path in the words of the schema.

    >>> english_path(["行业", "水泥", "盈缺率限值"]), english_path(["省份", "平衡限值", "安徽"])
    (['sectors', 'cement', 'band'], ['provinces', 'balance', 'Anhui'])
    """
    path: list[str] = []
    for step in steps:
        path.append(english_key(step, path[-1] if path else ""))
    return path


def with_english_keys(content: Mapping[str, Any], place: str, above: str = "") -> dict[str, Any]:
    """Return the content of a policy with its keys, and words among its values, in the words of the schema.

    Raises
    ------
    DataError
        If a table has two keys of one meaning.
    """
    named: dict[str, Any] = {}
    parent = above.rstrip(".").rpartition(".")[2]
    for stated, value in content.items():
        key = english_key(stated, parent)
        if key in named:
            what = _("is stated twice: {key} too", key=key)
            raise DataError(_("The policy"), [Problem(place, what, _("Keep one of them."), f"{above}{stated}")])
        if isinstance(value, Mapping):
            named[key] = with_english_keys(value, place, f"{above}{key}.")
        else:
            named[key] = _english_value(key, value)
        if (above, key) == ("", "rule") and isinstance(value, str):
            # A rule without parameters may be stated by its name.
            named[key] = {"name": value}
    return named


def _english_value(key: Any, value: Any) -> Any:
    """Return a word for a truth, or from the list of a key, as the schema has it; any other value as it is."""
    if not isinstance(value, str):
        return value
    return VALUES.get(key, {}).get(value.strip(), TRUTHS.get(value.strip(), value))


def value_of_text(text: str) -> Any:
    """Return a text of a cell or an argument as a value: TOML as what it stands for, ``3 %`` as 0.03, else the text.

    Raises
    ------
    ValueError
        If it has more than one value, or one that is deeper or longer than any in a policy.

    >>> value_of_text("-1%"), value_of_text("2.5 ％"), value_of_text("True"), value_of_text("否"), value_of_text("cn")
    (-0.01, 0.025, True, False, 'cn')
    >>> value_of_text("\u22120.5 %"), value_of_text("\u22123"), value_of_text("0 %"), value_of_text("n/a %")
    (-0.005, -3, 0.0, 'n/a %')
    """
    if negative := NEGATIVE.fullmatch(text):
        text = f"-{negative[1]}"
    stripped = text.strip()
    if stripped.endswith(("%", "％")):
        try:
            share = Decimal(stripped[:-1].strip()) * Decimal("0.01")
        except ArithmeticError:
            return text
        return float(share) if share.is_finite() else text
    if stripped.casefold() in ("true", "false"):
        return stripped.casefold() == "true"
    return TRUTHS.get(stripped, parse_value(text))
