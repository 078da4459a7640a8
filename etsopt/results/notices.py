"""What a result says of itself beside its figures, in English and Chinese: every surface shows these sentences."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from etsopt.explanation.steps import in_chinese
from etsopt.results.emissions_status import emissions_status, not_verified
from etsopt.rules.carry_over import holders_of
from etsopt.rules.coverage import coverage_of
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.data.instance import Instance

SHOWN = 5
"""Enterprises that a sentence names."""

Words = tuple[str, str]
"""A sentence in English and in Chinese."""


WITH_HOLDINGS = ("abatement", "clearing", "compliance", "investment", "pathway")
"""Models whose enterprises hold allowances."""

WITH_ALLOWANCES = (*WITH_HOLDINGS, "allocation", "balance_value", "equilibrium")
"""Models by which units get allowances."""


def facts_of(instance: Instance, model: str = "allocation") -> dict[str, Any]:
    """Return the facts of an instance from which the notices on a model's answer are made, as a result states them."""
    facts = {"emissions": emissions_status(instance.units)}
    facts |= {"coverage": coverage_of(instance)} if model in WITH_ALLOWANCES else {}
    facts |= {"holders": holders_of(instance)} if model in WITH_HOLDINGS else {}
    return {name: fact for name, fact in facts.items() if fact}


def notices(about: Mapping[str, Any]) -> list[Words]:
    """Return the notices of a result.

    Parameters
    ----------
    about
        Its provenance, or what `facts_of` returns of its instance.
    """
    unverified = not_verified(about.get("emissions", {}))
    parts = (_of_coverage(about.get("coverage", {})), _of_holders(about.get("holders", {})))
    return [*([unverified] if unverified else []), *chain.from_iterable(parts)]


def covers_nation(about: Mapping[str, Any]) -> bool:
    """Return True if totals are those of the nation; else they are of this table."""
    return bool(about.get("coverage", {}).get("covers") == "nation")


def _of_coverage(coverage: Mapping[str, Any]) -> Iterator[Words]:
    alone, beside = coverage.get("alone", []), coverage.get("beside", [])
    keys = ", ".join(f"sectors.{name}.balance_value" for name in alone)
    english, chinese = ("Balance values and totals", "平衡值和总量") if alone else ("Totals", "总量")
    if beside:
        sizes = [_size(entry) for entry in beside]
        english += f" are of this table alone: {'; '.join(size[0] for size in sizes)}."
        chinese += f"仅针对本表：{'；'.join(size[1] for size in sizes)}。"
        part = (f" with {keys} of the nation", f"并给出全国的 {keys}") if alone else ("", "")
        yield (
            f'{english} State `coverage = "part"`{part[0]}, or `coverage = "nation"`.',
            f'{chinese}请声明 `coverage = "part"`{part[1]}，或声明 `coverage = "nation"`。',
        )
    elif alone:
        yield (
            f"{english} are of this table alone, a part of the nation: state {keys} of the nation.",
            f"{chinese}仅针对本表（全国的一部分）：请给出全国的 {keys}。",
        )
    elif coverage.get("covers") == "part":
        yield (
            "The table is a part of the nation: its totals are not the nation's.",
            "本表只是全国的一部分：总量不是全国总量。",
        )
    for entry in coverage.get("stated", []):
        name, value, source = entry["sector"], _figure(entry["balance_value"]), entry.get("source")
        mark = f" [{entry['mark']}]" if entry.get("mark") else ""
        yield (
            f"The balance value of {name}, {value} t/t, is from outside: {source or 'no source stated'}{mark}.",
            f"{in_chinese(name)}平衡值 {value} 吨/吨来自外部：{source or '未注明来源'}{mark}。",
        )


def _of_holders(holders: Mapping[str, Any]) -> Iterator[Words]:
    if idle := holders.get("without_units", []):
        names, more = ", ".join(idle[:SHOWN]), len(idle) - SHOWN
        others = (f" and {more} more", f" 等另 {more} 家") if more > 0 else ("", "")
        yield (
            f"No unit of the table belongs to {names}{others[0]}: what they hold counts, they owe nothing, and their "
            "carry-over has the base of power.",
            f"{names}{others[1]}在本表中没有单元：计入其持仓，无清缴义务，结转基数按发电行业。",
        )
    if mixed := holders.get("carry_over", []):
        english, chinese = (
            ", ".join(f"{one['enterprise']} ({word(one['sector'])})" for one in mixed[:SHOWN])
            for word in (str, in_chinese)
        )
        more = len(mixed) - SHOWN
        others = (f" and {more} more", f" 等另 {more} 家") if more > 0 else ("", "")
        yield (
            f"The base of carry-over is that of the sector of the largest unit: {english}{others[0]}.",
            f"结转基数按最大单元所属行业：{chinese}{others[1]}。",
        )


def _size(entry: Mapping[str, Any]) -> Words:
    name, year = entry["sector"], entry["year"]
    emitted, official = (format_tonnes(entry[key]) for key in ("emissions_tco2e", "official_tco2e"))
    share = format_rate(entry["emissions_tco2e"] / entry["official_tco2e"])
    return (
        f"its {name} emits {emitted} t, {share} of the official {official} t of {year}",
        f"本表{in_chinese(name)}排放 {emitted} 吨，为{year}年官方总量 {official} 吨的 {share}",
    )


def _figure(value: Any) -> str:
    """Return a balance value, those of years, or an interval."""
    if not isinstance(value, dict):
        return f"{value:g}"
    if "lower" in value:
        return f"{value['lower']:g}-{value['upper']:g}"
    return ", ".join(f"{year}: {number:g}" for year, number in value.items())
