"""What a result says of itself beside its figures: every surface shows these sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from etsopt.common.language import _, chain
from etsopt.common.units import format_rate, format_tonnes
from etsopt.data.doubts import doubts_of, sentences_of
from etsopt.data.tables.provinces import name_of
from etsopt.rules.carry_over import holders_of
from etsopt.rules.coverage import coverage_of
from etsopt.running.results.emissions_status import emissions_status, not_verified

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.common.language import Text
    from etsopt.common.provenance import BesideOfficial, Coverage, Doubts, EmissionsStatus, Holders, Provenance
    from etsopt.data.instance import Instance

SHOWN = 5
"""Enterprises that a sentence names."""

WITH_HOLDINGS = ("abatement", "clearing", "compliance", "investment", "pathway")
"""Models whose enterprises hold allowances."""

WITH_ALLOWANCES = (*WITH_HOLDINGS, "allocation", "balance_value", "equilibrium")
"""Models by which units get allowances."""


class Facts(NamedTuple):
    """Facts of an instance from which a result makes its notices."""

    doubts: Doubts | None
    emissions: EmissionsStatus | None
    coverage: Coverage | None
    holders: Holders | None


def facts_of(instance: Instance, model: str = "allocation") -> Facts:
    """Return the facts of an instance from which the notices on a model's answer are made, as a result states them."""
    coverage = coverage_of(instance) if model in WITH_ALLOWANCES else None
    holders = holders_of(instance) if model in WITH_HOLDINGS else None
    doubts = doubts_of(instance) if model in WITH_ALLOWANCES else None
    return Facts(doubts, emissions_status(instance.units), coverage, holders)


def notices(about: Provenance | Facts) -> list[Text]:
    """Return the notices of a result.

    Parameters
    ----------
    about
        Its provenance, or what `facts_of` returns of its instance.
    """
    of_doubts = sentences_of(about.doubts) if about.doubts else ()
    of_coverage = _of_coverage(about.coverage) if about.coverage else ()
    of_holders = _of_holders(about.holders) if about.holders else ()
    return [*of_doubts, *filter(None, [not_verified(about.emissions)]), *of_coverage, *of_holders]


def covers_nation(about: Provenance | Facts) -> bool:
    """Return True if totals are those of the nation; else they are of this table."""
    return about.coverage is not None and about.coverage.covers == "nation"


def _of_coverage(coverage: Coverage) -> Iterator[Text]:
    alone = coverage.alone
    keys = ", ".join(f"sectors.{name}.balance_value" for name in alone)
    subject = _("Balance values and totals") if alone else _("Totals")
    if coverage.beside:
        sizes = chain(map(_size, coverage.beside), _("{first}; {second}"))
        values = _(" with {keys} of the nation", keys=keys) if alone else ""
        text = _(
            '{subject} are of this table alone: {sizes}. State `coverage = "part"`{values}, or `coverage = "nation"`.'
        )
        yield _(text, subject=subject, sizes=sizes, values=values)
    elif alone:
        text = _("{subject} are of this table alone, a part of the nation: state {keys} of the nation.")
        yield _(text, subject=subject, keys=keys)
    elif coverage.covers == "part":
        yield _("The table is a part of the nation: its totals are not the nation's.")
    for entry in coverage.stated:
        yield _(
            "The balance value of {sector}, {value} t/t, is from outside: {source}{mark}.",
            sector=name_of(entry.sector),
            value=_figure(entry.balance_value),
            source=entry.source or _("no source stated"),
            mark=f" [{entry.mark}]" if entry.mark else "",
        )


def _of_holders(holders: Holders) -> Iterator[Text]:
    if holders.without_units:
        text = _(
            "No unit of the table belongs to {names}: what they hold counts, they owe nothing, and their "
            "carry-over has the base of power."
        )
        yield _(text, names=_first(holders.without_units))
    if mixed := holders.carry_over:
        names = [_("{enterprise} ({sector})", enterprise=one.enterprise, sector=name_of(one.sector)) for one in mixed]
        yield _("The base of carry-over is that of the sector of the largest unit: {names}.", names=_first(names))


def _first(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown, more = chain(names[:SHOWN], "{first}, {second}"), len(names) - SHOWN
    return _("{names} and {more} more", names=shown, more=more) if more > 0 else shown


def _size(entry: BesideOfficial) -> Text:
    return _(
        "its {sector} emits {emitted} t, {share} of the official {official} t of {year}",
        sector=name_of(entry.sector),
        emitted=format_tonnes(entry.emissions_tco2e),
        share=format_rate(entry.emissions_tco2e / entry.official_tco2e),
        official=format_tonnes(entry.official_tco2e),
        year=entry.year,
    )


def _figure(value: float | dict[str, float]) -> str:
    """Return a balance value, those of years, or an interval."""
    if not isinstance(value, dict):
        return f"{value:g}"
    if "lower" in value:
        return f"{value['lower']:g}-{value['upper']:g}"
    return ", ".join(f"{year}: {number:g}" for year, number in value.items())
