"""Issuance in two steps: pre-allocation by last year's emissions, then the true-up to the final allocation."""

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
    """Return the share of last year's verified emissions pre-allocated in each year, shape ``(units, years)``.

    The share is the policy's if stated, else the official one of the sector and the compliance year, else 0.
    """
    import numpy as np

    from etsopt.data.policy.plans import official_value
    from etsopt.data.policy.yearly import by_year

    stated = by_year(parameters_of(instance).pre_allocation_share, years)
    key = "rule.pre_allocation_share"
    official = [[official_value(key, sector, int(year), 0.0) for year in years] for sector in instance.sectors]
    shares: NDArray[np.float64] = np.where(np.isnan(stated), official, stated)[instance.labels("sector").code]
    return shares


def pre_allocation(instance: Instance) -> NDArray[np.float64]:
    """Return the pre-allocated allowances of every unit, shape ``(units,)`` [t]; NaN where nothing is stated of them.

    Pre-allocation is ``pre_allocated_t`` if stated, else the year's share of last year's verified emissions, rounded
    down. A unit outside the scope has no share: unless its pre-allocation is stated, it counts with none and is NaN.
    """
    import numpy as np

    from etsopt.common.units import whole_tonnes

    units, nothing = instance.units, np.full(len(instance.units), np.nan)
    stated, prior = (
        units[name].to_numpy(dtype=float) if name in units else nothing
        for name in ("pre_allocated_t", "prior_emissions_tco2e")
    )
    share = pre_allocation_shares(instance, [instance.policy.year])[:, 0]
    by_share = np.where(instance.in_scope, whole_tonnes(share * prior), np.nan)
    pre_allocated: NDArray[np.float64] = np.where(np.isnan(stated), by_share, stated)
    return pre_allocated


def issuance(instance: Instance, allowance_t: NDArray[np.float64]) -> pd.DataFrame:
    """Compute pre-allocation, top-up and return (多退少补) of every unit [t].

    A unit of which no pre-allocation is stated counts with none. Pre-allocation above the final allocation is an amount
    to return, never a negative allowance.

    Parameters
    ----------
    allowance_t
        Final allocation, shape ``(units,)`` [t].

    Returns
    -------
    DataFrame
        ``pre_allocated_t``, ``top_up_t`` and ``return_t``, one row a unit [t]; without pre-allocation the top-up is the
        final allocation.
    """
    import numpy as np
    import pandas as pd

    pre_allocated = np.nan_to_num(pre_allocation(instance), nan=0.0)
    return pd.DataFrame(
        {
            "pre_allocated_t": pre_allocated,
            "top_up_t": np.maximum(allowance_t - pre_allocated, 0.0),
            "return_t": np.maximum(pre_allocated - allowance_t, 0.0),
        }
    )
