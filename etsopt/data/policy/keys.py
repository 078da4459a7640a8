"""Keys of the policy that name a sector or a province, in the words of the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from etsopt.data.tables.chinese import WORDS
from etsopt.data.tables.provinces import one_name
from etsopt.errors import DataError, Problem

_SECTORS = {word: sector for sector, words in WORDS["sector"].items() for word in words}


def english_key(key: Any) -> Any:
    """Return the sector or the province that a key names in Chinese; any other key as it is.

    >>> english_key("水泥"), english_key("安徽省"), english_key("band")
    ('cement', 'Anhui', 'band')
    """
    return one_name(_SECTORS.get(key, key)) if isinstance(key, str) else key


def with_english_keys(content: Mapping[str, Any], place: str, above: str = "") -> dict[str, Any]:
    """Return the content of a policy with these keys in the words of the schema.

    Raises
    ------
    DataError
        If a table has two keys of one sector or province.
    """
    named: dict[str, Any] = {}
    for stated, value in content.items():
        key = english_key(stated)
        if key in named:
            what = f"is stated twice: {key} too"
            raise DataError("The policy", [Problem(place, what, "Keep one of them.", f"{above}{stated}")])
        named[key] = with_english_keys(value, place, f"{above}{stated}.") if isinstance(value, Mapping) else value
    return named
