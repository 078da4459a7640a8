"""Tonnes that a rule loses by rounding down: the regulator offers them, so they are no scarcity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.units import LEAST_TOLERANCE, ROUNDING_NOISE_T, TONNE
from etsopt.rules import reference_allowances

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.data.instance import Instance

SAME_T = LEAST_TOLERANCE[TONNE]
"""Tolerance within which an allowance is that of the rule, and a total is in whole tonnes [t]."""


def rounding_remainder(
    instance: Instance, before: Mapping[str, pd.DataFrame], emissions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the whole tonnes that the regulator auctions for the loss by rounding, shape ``(years,)`` [t].

    The loss is less than a tonne for each unit that gets no less than the rule gives; what a unit gains by rounding
    where A = E is less loss. It is scaled with the unit's emissions and stays within the targets of its sector and of
    the nation. The offer is the loss, rounded up.

    Parameters
    ----------
    before
        Tables of the model ``allocation``.
    emissions
        Emissions before abatement, shape ``(units, years)`` [tCO2e].
    """
    reference, base = reference_allowances(instance), instance.emissions_tco2e
    allowance = before["allocation"]["allowance_t"].to_numpy(dtype=float)
    gained = np.minimum(reference.exact_t - reference.reference_t, 0.0)
    taken = np.maximum(reference.exact_t - np.maximum(allowance, reference.reference_t), gained)
    taken[(allowance < reference.reference_t - SAME_T) | (np.abs(taken) < ROUNDING_NOISE_T)] = 0.0
    sector, sectors = instance.labels("sector"), before["sectors"].set_index("sector")
    free = np.where(reference.fixed, 0.0, taken)
    room = sectors["under_target_t"].reindex(sector.names).to_numpy(dtype=float)
    taken -= free * (1 - _share(room, sector.sums(free)))[sector.code]
    national = instance.policy.national
    if national is not None and (national.target_t is not None or national.target_change is not None):
        most = national.target_t
        most = base.sum() * (1 + (national.target_change or 0.0)) if most is None else most
        taken *= _share(most - allowance.sum(), taken.sum())
    rate = np.divide(taken, base, out=np.zeros_like(taken), where=base > 0)
    total = rate @ emissions
    return np.where(total > SAME_T, np.ceil(total - ROUNDING_NOISE_T), 0.0)


def _share(room: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the wanted tonnes that fits into the room; one if there is no limit."""
    share = np.divide(np.maximum(room, 0.0), wanted, out=np.ones(np.shape(wanted)), where=wanted > 0)
    return np.where(np.isnan(share), 1.0, np.minimum(share, 1.0))
