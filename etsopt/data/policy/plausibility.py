"""Values of a policy that are valid, and probably a slip of the unit of measure: 3 instead of 3 %."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from etsopt.common.language import _


class PlausibleRange(NamedTuple):
    """The size from which on a value is doubtful, and what is probably meant."""

    below: float
    meaning: str
    is_share: bool = True


_BAND = PlausibleRange(1.0, _("0.03 means 3 %"))

USUAL = {
    "band": _BAND,
    "lower": _BAND,
    "upper": _BAND,
    "target_change": PlausibleRange(0.5, _("-0.01 means -1 %")),
    "discount_rate": PlausibleRange(0.3, _("0.05 means 5 % a year")),
    "tightening": PlausibleRange(0.2, _("0.01 means 1 % a year")),
    "cap_change": PlausibleRange(0.2, _("-0.01 means -1 % a year")),
    "slope": PlausibleRange(10.0, _("the rule's is 0.15")),
    "balance_value": PlausibleRange(20.0, _("balance values are in tonnes for each tonne of product"), False),
    **dict.fromkeys(
        ("prices_cny_per_t", "floor_price_cny_per_t", "ceiling_price_cny_per_t"),
        PlausibleRange(10_000.0, _("prices are in CNY per tonne"), False),
    ),
    **dict.fromkeys(
        ("terminal_price_cny_per_t", "ccer_price_cny_per_t", "reference_price_cny_per_t"),
        PlausibleRange(10_000.0, _("prices are in CNY per tonne"), False),
    ),
}
"""PlausibleRange sizes by key; no plan and no study of the system comes near them."""


def doubtful_values(
    policy: Mapping[str, Any], above: str = "", of_table: PlausibleRange | None = None
) -> Iterator[str]:
    """Yield a sentence on each value of a policy's content that is probably a slip.

    Parameters
    ----------
    above, of_table
        Path of the table, and the size of its numbers if its key has one: those by year, or both ends of a band.

    >>> list(doubtful_values({"sectors": {"cement": {"band": {"lower": 0.03, "upper": 3.0}}}}))
    ['sectors.cement.band.upper is 3, which is 300 %: 0.03 means 3 %.']
    """
    for key, value in policy.items():
        usual = of_table or USUAL.get(key)
        if isinstance(value, Mapping):
            yield from doubtful_values(value, f"{above}{key}.", usual)
        elif usual is not None and _is_doubtful(value, usual):
            yield _sentence(f"{above}{key}", value, usual)


def _is_doubtful(value: Any, usual: PlausibleRange) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= usual.below


def _sentence(path: str, value: float, usual: PlausibleRange) -> str:
    share = _(", which is {value:g} %", value=100 * value) if usual.is_share else ""
    return _("{path} is {value:g}{share}: {meaning}.", path=path, value=value, share=share, meaning=usual.meaning)
