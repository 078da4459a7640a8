"""Cases of an outlook, derived again: the policy's, the other form of the free part, no cap, other terminal prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from etsopt.checking.readings.instance_inputs import by_year
from etsopt.checking.theorem import COST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.checking.arrays import Floats, Mask
    from etsopt.checking.outlook.derived import Model

FIXED, OUTPUT = "fixed", "output"


@dataclass(frozen=True)
class Case:
    """A case: its name, form of the free part, cap [Mt], infinite without one, and terminal price [CNY/t]."""

    name: str
    free_part: str
    cap: Floats
    terminal_price: float

    @property
    def level(self) -> str:
        """Name of the objective in ``duals``."""
        return COST if self.name == "policy" else f"{COST}:{self.name}"

    @property
    def capped(self) -> Mask:
        """True for years under the cap."""
        return np.isfinite(self.cap)

    @property
    def by_output(self) -> bool:
        """True if free allowances under the cap follow output."""
        return self.free_part == OUTPUT and bool(self.capped.any())


def cases_of(model: Model) -> Iterator[Case]:
    """Yield the cases in order: other terminal prices are there if allowances may be left at the end."""
    policy, none = model.instance.policy, np.full(len(model.years), np.inf)
    stated, highest = float(policy.market.terminal_price_cny_per_t), policy.outlook.highest_terminal_price_cny_per_t
    form = policy.outlook.free_part or FIXED
    yield Case("policy", form, model.cap, stated)
    if np.isfinite(model.cap).any():
        yield Case("other form", FIXED if form == OUTPUT else OUTPUT, model.cap, stated)
        yield Case("no cap", form, none, stated)
    for name, price in (("terminal price 0", 0.0), ("high terminal price", highest)):
        if model.keeps[-1] and price is not None and price != stated:
            yield Case(name, form, model.cap, price)


def share_off(model: Model, case: Case, free_share: Floats, volume: Floats) -> float:
    """Return the largest distance of auctioned shares from those of the policy, where benchmarks are cut for them."""
    if not case.by_output:
        return 0.0
    # Of a cap of zero nothing is shared.
    counts = case.capped & (free_share < 1) & (case.cap > 0)
    paid = by_year(model.instance.policy.pathway.paid_share, model.years, 0.0)
    return float(np.abs(volume[counts] / case.cap[counts] - paid[counts]).max(initial=0.0))
