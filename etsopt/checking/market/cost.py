"""What the answer to a market costs in all, what is spent in it, and what every enterprise comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.arithmetic import gamma, total, upward
from etsopt.checking.market import statements as says
from etsopt.checking.market.dealings import PlanSizes

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from etsopt.checking.market.accounts import Accounts, Terms
    from etsopt.checking.market.baseline import Baseline
    from etsopt.checking.market.choices import Choices
    from etsopt.checking.market.plans import Amounts
    from etsopt.checking.market.statements import Holdings


def spent_by(
    found: Baseline,
    own: Accounts,
    deal: Terms,
    held: Holdings,
    units: Amounts,
    sizes: PlanSizes,
    price: NDArray[np.float64],
    offers: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What enterprises come to at discounted prices of allowances and scarce offsets, at least [CNY].

    Shape ``(accounts,)``; what is uncertain of it is taken off.
    """
    owing = np.where(np.isfinite(deal.owing), deal.owing, 0.0)
    yearly = found.discount * np.stack(
        [
            own.total(units.cost),
            deal.friction * (held.bought + held.sold),
            deal.offset_price * held.offset,
            owing * held.owed,
        ]
    )
    traded = np.stack([price * held.bought, -price * held.sold, -np.minimum(offers, 0.0) * held.offset])
    worth = found.discount[-1] * deal.worth
    spent: NDArray[np.float64] = yearly.sum(axis=(0, 2)) + traded.sum(axis=(0, 2)) - worth * held.banked[:, -1]
    stocks = np.abs(own.opening) + sum(
        np.abs(part).sum(axis=1) for part in (sizes.steep, sizes.given, held.bought, held.sold, held.offset, held.owed)
    )
    size = np.abs(yearly).sum(axis=(0, 2)) + np.abs(traded).sum(axis=(0, 2)) + sizes.cost.sum(axis=1) + worth * stocks
    return spent - gamma(sizes.roundings + sizes.units + 20) * size


def cost_of(
    found: Baseline,
    offered: Choices,
    own: Accounts,
    deal: Terms,
    held: Holdings,
    units: Amounts,
    years: pd.DataFrame,
    kind: str,
) -> tuple[float, float, float]:
    """Cost of the objective from what is decided, what its rounding may be at most, and what is spent in it [CNY].

    Spending is what measures of a unit cost together where that is more than nothing, and what trading, offsets,
    obligations and the reserve's sales cost; a gap is measured against it where the cost is near zero.
    """
    owing = np.where(np.isfinite(deal.owing), deal.owing, 0.0)
    traded = deal.friction * (held.bought + held.sold)
    parts = [units.cost, traded, deal.offset_price * held.offset, owing * held.owed]
    if kind == says.ABATEMENT:
        parts += [deal.expected * held.bought, -deal.expected * held.sold]
    else:
        ceiling = np.where(np.isfinite(deal.ceiling), deal.ceiling, 0.0)
        dealt = ceiling * years["released_t"].to_numpy() - deal.floor * years["intake_t"].to_numpy()
        parts.append(dealt[None])
    worth = found.discount[-1] * deal.worth
    terms_ = np.concatenate([*((found.discount * part).ravel() for part in parts), -worth * held.banked[:, -1]])
    value, error = total(terms_)
    sizes = PlanSizes.of(found, offered, own)
    stocks = float(np.abs(own.opening).sum()) + sum(
        float(np.abs(part).sum()) for part in (sizes.steep, sizes.given, held.bought, held.sold, held.offset, held.owed)
    )
    size = float(np.abs(terms_).sum()) + float(sizes.cost.sum()) + worth * stocks
    of_units = (found.discount * units.cost).sum(axis=1)
    spending = np.maximum(of_units, 0.0).sum() + np.maximum(terms_[units.cost.size :], 0.0).sum()
    return value, upward(error + gamma(sizes.roundings + sizes.units + 20) * size, 1000), float(spending)
