"""Issuing in two steps: in advance by last year's emissions, then the difference once the allocation is determined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.rules.registry import parameters_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


def pre_allocation_shares(instance: Instance, years: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of last year's verified emissions that is issued in advance in each year, shape ``(units, years)``.

    The policy's where it states one, else the official one of the sector and the compliance year; nothing where no text
    has one.
    """
    import numpy as np

    from etsopt.data.official import official_value
    from etsopt.data.yearly import by_year

    stated = by_year(parameters_of(instance).pre_allocation_share, years)
    key = "rule.pre_allocation_share"
    official = [[official_value(key, sector, int(year), 0.0) for year in years] for sector in instance.sectors]
    shares: NDArray[np.float64] = np.where(np.isnan(stated), official, stated)[instance.labels("sector").code]
    return shares


def issuance(instance: Instance, allowance_t: NDArray[np.float64]) -> pd.DataFrame:
    """What is issued in advance, topped up, and owed back (多退少补).

    Pre-allocation is what ``pre_allocated_t`` states, else the year's share of last year's verified emissions, rounded
    down; a unit outside the scope gets none by that share. More issued than due is an amount owed, never a negative
    allowance.

    Parameters
    ----------
    allowance_t
        Determined allowances, shape ``(units,)`` [t].

    Returns
    -------
    DataFrame
        ``pre_allocated_t``, ``top_up_t`` and ``return_t``, one row a unit [t]; all of the allowance is topped up where
        nothing was issued in advance.
    """
    import numpy as np
    import pandas as pd

    from etsopt.units import whole_tonnes

    units = instance.units
    issued = np.full(len(units), np.nan)
    if "pre_allocated_t" in units:
        issued = units["pre_allocated_t"].to_numpy(dtype=float)
    if "prior_emissions_tco2e" in units:
        share = np.where(instance.in_scope, pre_allocation_shares(instance, [instance.policy.year])[:, 0], 0.0)
        by_rule = whole_tonnes(share * units["prior_emissions_tco2e"].to_numpy(dtype=float))
        issued = np.where(np.isnan(issued), by_rule, issued)
    issued = np.nan_to_num(issued, nan=0.0)
    return pd.DataFrame(
        {
            "pre_allocated_t": issued,
            "top_up_t": np.maximum(allowance_t - issued, 0.0),
            "return_t": np.maximum(issued - allowance_t, 0.0),
        }
    )
