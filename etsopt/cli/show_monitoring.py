"""Daily stack monitors beside calculated emissions on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.cli.shown import Text
from etsopt.cli.terminal import new_table, plain_console
from etsopt.language import _, pgettext
from etsopt.units import format_rate, format_tonnes

if TYPE_CHECKING:
    from etsopt.accounting import Monitoring

SHOWN = 20


def monitored(found: Monitoring) -> None:
    """Print the units, those that drift first, and what prevails."""
    console = plain_console()
    units = found.units
    drifting, filled, missing = int(units["drifts"].sum()), int(units["filled_days"].sum()), units["missing_days"].sum()
    text = _("{units:,} units with monitors, {drifting:,} drift; {filled:,} days are filled, {missing:,} stay open\n")
    title = _(text, units=len(units), drifting=drifting, filled=filled, missing=missing)
    console.print(Text(title, style="bold"))
    compared = (_("months"), _("monitored [t]"), _("calculated [t]"), pgettext("account", "ratio"))
    table = new_table(_("Units"), "", *compared, _("drift a year"), "95 %", "")
    for row in units.sort_values(["drifts", "unit_id"], ascending=[False, True]).head(SHOWN).itertuples():
        interval = f"{100 * row.drift_lower:.1f}...{100 * row.drift_upper:.1f} %" if row.ratio == row.ratio else "-"
        table.add_row(
            *map(
                Text,
                (
                    row.unit_id,
                    f"{row.months}",
                    format_tonnes(row.monitored_tco2),
                    format_tonnes(row.calculated_tco2),
                    f"{row.ratio:.4f}" if row.ratio == row.ratio else "-",
                    format_rate(row.drift_per_year),
                    interval,
                    _("drift") if row.drifts else "",
                ),
            )
        )
    console.print(table)
    if len(units) > SHOWN:
        more = len(units) - SHOWN
        console.print(Text(_("{more:,} more: see --out.", more=more)))
    text = _("The calculated emissions count: a monitor changes no account, and a difference is a question.")
    console.print(Text(text))
