"""What a result says of itself beside its figures: every surface shows these sentences."""

from __future__ import annotations

from itertools import chain as chained
from typing import TYPE_CHECKING, Any

from etsopt.data.tables.provinces import name_of
from etsopt.language import _, chain
from etsopt.results.emissions_status import emissions_status, not_verified
from etsopt.rules.carry_over import holders_of
from etsopt.rules.coverage import coverage_of
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from etsopt.data.instance import Instance
    from etsopt.language import Text

SHOWN = 5
"""Enterprises that a sentence names."""

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


def notices(about: Mapping[str, Any]) -> list[Text]:
    """Return the notices of a result.

    Parameters
    ----------
    about
        Its provenance, or what `facts_of` returns of its instance.
    """
    unverified = not_verified(about.get("emissions", {}))
    parts = (_of_coverage(about.get("coverage", {})), _of_holders(about.get("holders", {})))
    return [*([unverified] if unverified else []), *chained.from_iterable(parts)]


def covers_nation(about: Mapping[str, Any]) -> bool:
    """Return True if totals are those of the nation; else they are of this table."""
    return bool(about.get("coverage", {}).get("covers") == "nation")


def _of_coverage(coverage: Mapping[str, Any]) -> Iterator[Text]:
    alone, beside = coverage.get("alone", []), coverage.get("beside", [])
    keys = ", ".join(f"sectors.{name}.balance_value" for name in alone)
    subject = _("Balance values and totals") if alone else _("Totals")
    if beside:
        sizes = chain(map(_size, beside), _("{first}; {second}"))
        values = _(" with {keys} of the nation", keys=keys) if alone else ""
        text = _(
            '{subject} are of this table alone: {sizes}. State `coverage = "part"`{values}, or `coverage = "nation"`.'
        )
        yield _(text, subject=subject, sizes=sizes, values=values)
    elif alone:
        text = _("{subject} are of this table alone, a part of the nation: state {keys} of the nation.")
        yield _(text, subject=subject, keys=keys)
    elif coverage.get("covers") == "part":
        yield _("The table is a part of the nation: its totals are not the nation's.")
    for entry in coverage.get("stated", []):
        yield _(
            "The balance value of {sector}, {value} t/t, is from outside: {source}{mark}.",
            sector=name_of(entry["sector"]),
            value=_figure(entry["balance_value"]),
            source=entry.get("source") or _("no source stated"),
            mark=f" [{entry['mark']}]" if entry.get("mark") else "",
        )


def _of_holders(holders: Mapping[str, Any]) -> Iterator[Text]:
    if idle := holders.get("without_units", []):
        text = _(
            "No unit of the table belongs to {names}: what they hold counts, they owe nothing, and their "
            "carry-over has the base of power."
        )
        yield _(text, names=_first(idle))
    if mixed := holders.get("carry_over", []):
        names = [
            _("{enterprise} ({sector})", enterprise=one["enterprise"], sector=name_of(one["sector"])) for one in mixed
        ]
        yield _("The base of carry-over is that of the sector of the largest unit: {names}.", names=_first(names))


def _first(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown, more = chain(names[:SHOWN], "{first}, {second}"), len(names) - SHOWN
    return _("{names} and {more} more", names=shown, more=more) if more > 0 else shown


def _size(entry: Mapping[str, Any]) -> Text:
    emitted, official = (format_tonnes(entry[key]) for key in ("emissions_tco2e", "official_tco2e"))
    return _(
        "its {sector} emits {emitted} t, {share} of the official {official} t of {year}",
        sector=name_of(entry["sector"]),
        emitted=emitted,
        share=format_rate(entry["emissions_tco2e"] / entry["official_tco2e"]),
        official=official,
        year=entry["year"],
    )


def _figure(value: Any) -> str:
    """Return a balance value, those of years, or an interval."""
    if not isinstance(value, dict):
        return f"{value:g}"
    if "lower" in value:
        return f"{value['lower']:g}-{value['upper']:g}"
    return ", ".join(f"{year}: {number:g}" for year, number in value.items())
