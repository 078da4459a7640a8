"""Sections of a reconciliation: emissions that the evidence allows, and what it contradicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.language import _
from etsopt.presenting.documents.columns import heading, table_of
from etsopt.presenting.documents.document import Column, Paragraph, Section, Table
from etsopt.presenting.documents.quantities import PLAIN_TONNES
from etsopt.reports.run import figure

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from etsopt.presenting.documents.document import Block
    from etsopt.reports.run import Run

RECONCILED = (
    *("unit_id", "sector", "province", "reported_tco2e", "lowest_tco2e", "reconciled_tco2e", "highest_tco2e"),
    *("conservative_tco2e", "substituted", "gross_reports"),
)
ENDS = ("reported_tco2e", "reconciled_tco2e", "lowest_tco2e", "highest_tco2e", "conservative_tco2e")
CHANGED = ("unit_id", *ENDS[:4], "gross_reports", "substituted")
CHANGED_SHOWN = 8
"""Units that change most, and contradicted reports."""


def reconciliation(run: Run) -> Iterator[Section]:
    """Yield emissions by sector and unit, units that change most, and the reports that the evidence contradicts."""
    if "reconciliation" not in run.tables:
        return
    units, quantities = run.tables["reconciliation"], run.tables["reconciled_quantities"]
    sectors = units.groupby("sector", as_index=False, observed=True)[list(ENDS)].sum()
    blocks: list[Block] = [*figure(run, "reconciliation")]
    blocks.append(table_of(sectors, ("sector", *ENDS), _("Emissions by sector")))
    changed = (units["reconciled_tco2e"] - units["reported_tco2e"]).abs()
    changed = changed[changed >= 1.0].sort_values(ascending=False, kind="stable").head(CHANGED_SHOWN)
    if len(changed):
        most = units.loc[changed.index]
        blocks.append(table_of(most, CHANGED, _("Units that change most"), exact=True))
    gross = quantities[quantities["gross_error"]]
    if len(gross):
        blocks.append(_gross(gross))
    blocks.append(Paragraph(_errors(units, gross)))
    caption = _("Emissions of units: reported, and what the evidence allows")
    title = _("Emissions that the evidence allows")
    yield Section("reconciliation", title, tuple(blocks))
    yield Section("units", _("Units"), (table_of(units, RECONCILED, caption, exact=True, key="units"),))


def _gross(gross: pd.DataFrame) -> Table:
    """Return the reports that the evidence contradicts by the largest factor."""
    size = (gross["reconciled"] / gross["reported"].clip(lower=1e-9)).clip(lower=1e-9)
    order = size.where(size >= 1, 1 / size).sort_values(ascending=False, kind="stable").index
    most = gross.loc[order[:CHANGED_SHOWN]]
    names = (most["unit_id"] + " " + most["quantity_id"]).tolist()
    columns = (
        Column(_("unit, quantity")),
        *(Column(heading(f"{name}_tco2e"), PLAIN_TONNES, 1) for name in ("reported", "reconciled")),
    )
    rows = zip(names, most["reported"].tolist(), most["reconciled"].tolist(), strict=True)
    return Table(_("Reports that the evidence contradicts"), columns, tuple(rows))


def _errors(units: pd.DataFrame, gross: pd.DataFrame) -> str:
    """Return the numbers of gross errors and of substitutes as a sentence."""
    substituted = int(units["substituted"].sum())
    errors = _(
        "{reports:,} reports and {statements:,} other statements are gross errors.",
        reports=len(gross),
        statements=int(units["gross_statements"].sum()),
    )
    if not substituted:
        return _("{errors} Every quantity has a report.", errors=errors)
    text = _("{errors} {quantities:,} quantities of {units:,} units have no report: their values are substitutes.")
    return _(text, errors=errors, quantities=substituted, units=int((units["substituted"] > 0).sum()))
