"""Issuing in two steps: in advance by last year's emissions, then the difference once the allocation is determined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etsopt.rules.registry import parameters_of

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance


def issuance(instance: Instance, allowance_t: NDArray[np.float64]) -> pd.DataFrame:
    """What is issued in advance, topped up, and owed back (多退少补).

    Pre-allocation is what ``pre_allocated_t`` states, else the rule's share of last year's verified emissions, rounded
    down. More issued than due is an amount owed, never a negative allowance.

    Parameters
    ----------
    allowance_t
        Determined allowances, shape ``(units,)`` [t].

    Returns
    -------
    DataFrame
        ``pre_allocated_t``, ``true_up_t`` and ``owed_t``, one row a unit [t]; all of the allowance is topped up where
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
        share = parameters_of(instance).pre_allocation_share
        by_rule = whole_tonnes(share * units["prior_emissions_tco2e"].to_numpy(dtype=float))
        issued = np.where(np.isnan(issued), by_rule, issued)
    issued = np.nan_to_num(issued, nan=0.0)
    return pd.DataFrame(
        {
            "pre_allocated_t": issued,
            "true_up_t": np.maximum(allowance_t - issued, 0.0),
            "owed_t": np.maximum(issued - allowance_t, 0.0),
        }
    )
