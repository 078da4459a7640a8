"""Daily stack monitors beside calculated emissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.language import _
from etsopt.common.scales import signed
from etsopt.presenting.documents.columns import table_of
from etsopt.presenting.documents.document import Column, Document, Paragraph, Section

if TYPE_CHECKING:
    from etsopt.accounting import Monitoring

UNITS = ("unit_id", "months", "monitored_tco2", "calculated_tco2", "ratio", "drift_per_year", "interval", "drifts")


def monitored(found: Monitoring) -> Document:
    """Return the units, those that drift first, and what prevails."""
    units = found.units.sort_values(["drifts", "unit_id"], ascending=[False, True])
    sums = units[["drifts", "filled_days", "missing_days"]].sum()
    answer = _(
        "{units:,} units with monitors, {drifting:,} drift; {filled:,} days are filled, {missing:,} stay open",
        units=len(units),
        drifting=int(sums["drifts"]),
        filled=int(sums["filled_days"]),
        missing=int(sums["missing_days"]),
    )
    ends = 100 * units[["drift_lower", "drift_upper"]]
    shown = ends.map(lambda end: signed(f"{end:.1f}"))
    interval = (shown["drift_lower"] + "..." + shown["drift_upper"]).where(ends["drift_lower"].notna(), "")
    own = {"interval": Column.of_figures(_("95 % interval"), "%")}
    table = table_of(units.assign(interval=interval), UNITS, _("Units"), exact=True, key="units", own=own)
    text = _("The calculated emissions count: a monitor changes no account, and a difference is a question.")
    return Document(answer, "", answer, sections=(Section("units", _("Units"), (table, Paragraph(text))),))
