"""Units of which the totals of an allocation have to be read: those at A = E, and those outside the scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.common.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from etsopt.common.language import Text


def equal_allocation(tables: Mapping[str, pd.DataFrame]) -> Text | None:
    """Return a sentence on the units at A = E and on targets beside them; None without any."""
    sectors = tables.get("sectors")
    fixed = 0 if sectors is None or "units_fixed" not in sectors else int(sectors["units_fixed"].sum())
    units = tables.get("allocation")
    if units is not None and fixed and {"emissions_tco2e", "allowance_t"} <= set(units):
        # A rule other than China's plans may entitle a unit without emissions.
        fixed -= int(((units["emissions_tco2e"] == 0) & (units["allowance_t"] > 0)).sum())
    if not fixed or sectors is None:
        return None
    count = int(sectors["units"].sum())
    text = _(
        "{fixed:,} of {count:,} units get A = E (special cases, enterprises below the threshold, or without emissions)"
    )
    text = _(text, fixed=fixed, count=count)
    if "target_t" in sectors and sectors.loc[sectors["units_fixed"] > 0, "target_t"].notna().any():
        more = _("{text}; a target leaves them out, the emissions and allowances beside it do not")
        text = _(more, text=text)
    return _("{text}.", text=text)


def outside_of(tables: Mapping[str, pd.DataFrame]) -> int:
    """Return how many units of an allocation are outside the scope of the year; they are in no total."""
    units, sectors = (tables.get(name) for name in ("allocation", "sectors"))
    return 0 if units is None or sectors is None else len(units) - int(sectors["units"].sum())
