"""A comparison of ways to allocate as a document: one table, two charts, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.language import _, pgettext
from etsopt.common.vocabulary import word
from etsopt.presenting.charts.methods import lorenz_chart, winners_chart
from etsopt.presenting.documents.columns import table_of
from etsopt.presenting.documents.document import Column, Document, Paragraph, Section
from etsopt.presenting.documents.figures import of_chart
from etsopt.presenting.documents.quantities import COUNT, MONEY, RATE, SPACE, TONNES, digits, per_tonne, rate, unit_in
from etsopt.running.results.words import STATUSES
from etsopt.studies.methods.comparison import RULE, TIE_BREAKS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.presenting.documents.document import Block, Table
    from etsopt.studies.methods.comparison import Comparison

MOST_UNITS = 100_000
"""Units up to which a workbook has a sheet of the allowances of each."""


def document_of(comparison: Comparison) -> Document:
    """Return the comparison, apart from its layout."""
    instance, count = comparison.instance, int((comparison.table["method"] != RULE).sum())
    told = comparison.table["status"].isin(("certified_optimal",))
    status = _("{certified} of {count} methods certified optimal", certified=int(told.sum()), count=count)
    return Document(
        title=_("{instance}: ways to allocate", instance=instance.name),
        kicker=_("{instance}, {year}: ways to allocate", instance=instance.name, year=instance.policy.year),
        answer=_answer(comparison),
        status=status,
        proven=comparison.certified,
        sections=(Section("methods", _("Ways to allocate"), tuple(_blocks(comparison))), *_charts(comparison)),
        imprint=f"{instance.name} {instance.hash[:16]}…",
    )


def _answer(comparison: Comparison) -> str:
    """Return which tie-break is most equal, and which takes least from any unit."""
    rows = comparison.table.set_index("method").loc[[*TIE_BREAKS]]
    if rows["gini"].isna().all():
        return _("No unit has emissions and a reference: there are no rates to compare.")
    equal, kind = rows["gini"].idxmin(), rows["largest_loss_rate"].idxmin()
    return _(
        "Of the tie-breaks, {equal} leaves the most equal rates, with a Gini coefficient of {gini:.5f} and up to "
        "{loss} of a unit's reference lost; {kind} takes the least from any unit, {least} of its reference.",
        equal=word("method", equal),
        gini=rows.loc[equal, "gini"],
        loss=rate(rows.loc[equal, "largest_loss_rate"]),
        kind=word("method", kind),
        least=rate(rows.loc[kind, "largest_loss_rate"]),
    )


def table_of_methods(comparison: Comparison) -> Table:
    """Return the table of the methods."""
    own = {
        "status": Column(pgettext("column", "status"), priority=3),
        "moved_t": Column(_("moved"), TONNES, 1),
        "gini": Column(_("Gini"), priority=1, quantity=GINI),
        "gini_outside": Column(_("Gini without limits"), GINI),
        "gini_output": Column(_("Gini against output"), GINI),
        "largest_loss_rate": Column(_("largest loss"), RATE, 1),
        "units_at_band": Column(_("at the band"), COUNT._replace(text=digits(",.0f", "–"))),
        "deficit_t": Column(_("deficits"), TONNES),
        "bill_cny": Column(_("bills"), MONEY, 1),
    }
    frame = comparison.table.assign(status=[str(STATUSES[one]) for one in comparison.table["status"]])
    note = _(
        "The rule alone need not keep the limits. Moved: tonnes against the rule. Gini: of surplus rates, by "
        "emissions; without limits: under sector totals alone; against output: of allowances per output. Largest "
        "loss: of a unit, against its reference. Deficits: of enterprises, before abatement."
    )
    return table_of(frame, [*frame], _("Ways to allocate"), own=own, note=note)


GINI = RATE._replace(text=digits(".5f", "–"), excel="fine")


def _blocks(comparison: Comparison) -> Iterator[Block]:
    yield table_of_methods(comparison)
    if comparison.price_cny_per_t is not None:
        bills = comparison.table["bill_cny"]
        # Both in the scale of the larger.
        money = MONEY.fitting(float(bills.max()))
        most = f"{money.shown(float(bills.max()))}{SPACE}{unit_in(money.unit)}"
        text = _(
            "At {price}, bills are from {least} to {most}. Who pays differs, not what abatement costs in all: "
            "allowances that do not follow emissions change no decision.",
            price=per_tonne(comparison.price_cny_per_t),
            least=money.shown(float(bills.min())),
            most=most,
        )
        yield Paragraph(text)


def _charts(comparison: Comparison) -> Iterator[Section]:
    """Yield the Lorenz curves, and winners and losers by intensity, of the rule and the tie-breaks."""
    instance = comparison.instance
    inside = {name: comparison.allowances[name] for name in (RULE, *TIE_BREAKS) if name in comparison.allowances}
    title = _("Who has how much")
    chart = lorenz_chart(instance.emissions_tco2e, inside, comparison.outside)
    yield Section("lorenz", title, (of_chart(instance.name, chart),))
    sector, reference = instance.labels("sector"), comparison.allowances[RULE]
    intensity = instance.intensity
    weighed = np.where(np.isfinite(intensity), instance.emissions_tco2e, 0.0)
    with np.errstate(invalid="ignore"):
        mean = sector.sums(weighed) / sector.sums(np.where(weighed > 0, weighed / intensity, 0.0))
    chart = winners_chart(instance.emissions_tco2e, intensity / mean[sector.code], reference, inside)
    yield Section("winners", _("Who wins and loses"), (of_chart(instance.name, chart),))


def sheets_of(comparison: Comparison) -> Iterator[tuple[str, Document | Table]]:
    """Yield the sheets of a workbook: the document, the methods, and the allowances of every unit by each."""
    yield str(_("Summary")), document_of(comparison)
    yield str(_("Ways to allocate")), table_of_methods(comparison)
    units = comparison.instance.units
    if len(units) <= MOST_UNITS:
        names = [name for name in ("unit_id", "name", "enterprise_id", "sector", "province") if name in units]
        frame = units[names].assign(emissions_tco2e=comparison.instance.emissions_tco2e, **comparison.allowances)
        own = {name: Column(word("method", name), TONNES) for name in comparison.allowances}
        yield str(_("Units")), table_of(frame, [*frame], _("Allowances of units"), own=own)
