"""The list of a year: sectors, entities near the threshold, and those that are not on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.accounting.inclusion import THRESHOLD_MARGIN_SHARE
from etsopt.common.language import _
from etsopt.common.units import format_tonnes
from etsopt.presenting.documents.columns import in_one_scale, table_of
from etsopt.presenting.documents.document import Document, Paragraph, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.accounting import Inclusion
    from etsopt.presenting.documents.document import Block

BEFORE = "scope_of_year_before_tco2e"
AMOUNTS = ("listed_tco2e", "without_near_tco2e", "with_near_tco2e", BEFORE)
SECTORS = ("sector", "listed", "not_listed", "near", *AMOUNTS)
ENTITIES = ("entity_id", "sector", "emissions_tco2e", "margin_rate", "reason")


def inclusion(found: Inclusion, year_of_tables: int | None) -> Document:
    """Return the list of a year.

    Parameters
    ----------
    year_of_tables
        Year of the instance whose units are listed; None for reports or a register.
    """
    year = found.emissions_year if found.emissions_year is not None else year_of_tables
    text = _("List of {year}: stated emissions, at least {threshold} tCO2e a year")
    if year:
        text = _("List of {year}: emissions of {emissions_year}, at least {threshold} tCO2e a year")
    answer = _(text, year=found.year, emissions_year=year, threshold=format_tonnes(found.threshold_tco2e))
    section = Section("list", _("Entities on the list"), tuple(_blocks(found, year_of_tables is not None)))
    return Document(answer, "", answer, sections=(section,))


def _blocks(found: Inclusion, assumed: bool) -> Iterator[Block]:
    """Yield the sectors, the entities near the line and outside, and what the emissions rest on."""
    own = in_one_scale(found.sectors, AMOUNTS)
    own[BEFORE] = own[BEFORE]._replace(heading=_("{year} scope", year=found.year - 1))
    yield table_of(found.sectors, SECTORS, _("Sectors"), own=own)
    entities = found.entities.sort_values("margin_tco2e", key=abs, kind="stable")
    # Of an entity that has unknown emissions beside known ones neither is its sum.
    unknown = entities["reason"] == "emissions unknown"
    entities = entities.assign(**{name: entities[name].mask(unknown) for name in ("emissions_tco2e", "margin_rate")})
    near = _("Within {near:.0%} of the line", near=THRESHOLD_MARGIN_SHARE)
    for key, title, rows in (("near", near, entities["near"]), ("outside", _("Not on the list"), ~entities["listed"])):
        if rows.any():
            yield table_of(entities[rows], ENTITIES, title, exact=True, key=key)
    short = int(((entities["months"] > 0) & (entities["months"] < 12)).sum())
    if short:
        text = _("{short:,} entities have fewer than 12 months of reports: their emissions are not those of a year.")
        yield Paragraph(_(text, short=short))
    if assumed:
        text = _("An instance states no activities: units of steel count as long process, lines as Portland clinker.")
        yield Paragraph(text)
