"""What a result says of emissions that no review has verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.language import _, chain, pgettext
from etsopt.common.provenance import EmissionsStatus
from etsopt.common.units import format_rate, format_tonnes
from etsopt.data.tables.report_columns import VERIFIED

if TYPE_CHECKING:
    import pandas as pd

    from etsopt.common.language import Text

IN_WORDS = {
    "accounted": _("taken as accounted from monthly reports"),
    "lowest": _("the lowest that reconciliation allows"),
    "reconciled": _("as reconciliation estimates them"),
    "highest": _("the highest that reconciliation allows"),
}
"""What is taken of units that are not verified, by their status."""


def emissions_status(units: pd.DataFrame) -> EmissionsStatus | None:
    """Return how many units have emissions of each status, and what those not verified are; None if all are."""
    if "emissions_status" not in units:
        return None
    status = units["emissions_status"].where(units["emissions_status"] != "", VERIFIED)
    others = units[status != VERIFIED]
    if others.empty:
        return None
    # Without accounted emissions nothing is said to differ from them.
    accounted = others.get("accounted_emissions_tco2e", others["emissions_tco2e"]).fillna(others["emissions_tco2e"])
    return EmissionsStatus(
        units={str(name): int(count) for name, count in status.value_counts().sort_index().items()},
        not_verified_tco2e=float(others["emissions_tco2e"].sum()),
        not_verified_as_accounted_tco2e=float(accounted.sum()),
    )


def not_verified(about: EmissionsStatus | None) -> Text | None:
    """Return a sentence on what `emissions_status` returns; None if all are verified."""
    others = {name: count for name, count in about.units.items() if name in IN_WORDS} if about else {}
    if not about or not others:
        return None
    what = chain((IN_WORDS[name] for name in others), pgettext("list", "{first} and {second}"))
    taken, accounted = about.not_verified_tco2e, about.not_verified_as_accounted_tco2e
    if taken != accounted:
        moved = f"{format_tonnes(abs(taken - accounted))} t"
        moved += f" ({format_rate(abs(taken - accounted) / accounted)})" if accounted > 0 else ""
        above, below = _("{what}, {moved} above the accounted ones"), _("{what}, {moved} below the accounted ones")
        what = _(above if taken > accounted else below, what=what, moved=moved)
    text = _("Emissions of {count:,} of {of:,} units are not verified: {what}.")
    return _(text, count=sum(others.values()), of=sum(about.units.values()), what=what)
