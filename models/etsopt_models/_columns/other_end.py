"""The relaxation of a market at another terminal price: prices, the plans that are best at them, and trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.common.errors import StoppedError
from etsopt_models._columns.branches import NO_MASKS
from etsopt_models._market.column_generation import OtherEnd
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._tolerances import CHOSEN_SHARE_MIN

if TYPE_CHECKING:
    from etsopt_models._columns.master import Master


def at_terminal_price(master: Master, price: float) -> OtherEnd | None:
    """Return the relaxation at a terminal price [CNY/t], from the plans that the master has; None if it is not solved.

    The master keeps that price, and the balance values of self-balancing years stay those of its market.
    """
    baseline, banked = master.market.baseline, master.columns["banked"]
    # Of every account the last point in time.
    last = np.arange(banked.start, banked.stop).reshape(-1, master.years + 1)[:, -1]
    master.grown.price(last, np.full(len(last), -baseline.discount[-1] * price))
    try:
        priced = master.relaxed(NO_MASKS, np.inf)
    except StoppedError:
        return None
    if priced.share is None:
        return None
    taken, alone = np.flatnonzero(priced.share > CHOSEN_SHARE_MIN), np.flatnonzero(master.row < 0)
    unit = np.concatenate([alone, master.unit[taken]])
    order = np.argsort(unit, kind="stable")
    sets = np.concatenate([master.base.sets[alone], master.sets[taken]])[order]
    share = np.concatenate([np.ones(len(alone)), priced.share[taken]])[order]
    pool = ColumnPool.of(master.plans, unit[order], sets)
    share /= np.add.reduceat(share, pool.first)[pool.unit]
    return OtherEnd(priced.multipliers, pool, share, master.flows, priced.value - priced.bound)
