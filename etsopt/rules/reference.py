"""The result of an allocation rule in a year: reference allowances by unit, and what they are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


def no_sector_results() -> pd.DataFrame:
    """Return an empty table of sector results."""
    import pandas as pd

    return pd.DataFrame(index=pd.Index([], name="sector", dtype=object))


@dataclass(frozen=True)
class Term:
    """A factor or summand from which a rule makes an entitlement.

    Parameters
    ----------
    name
        Name of the term, such as ``benchmark``.
    value
        Its value for every unit, shape ``(units,)``, or one for all.
    source
        Text that states it.
    """

    name: str
    value: NDArray[np.float64] | float
    source: str


@dataclass(frozen=True)
class Reference:
    """What a rule gives to every unit in one year; it is called for each year with the instance of that year.

    Parameters
    ----------
    exact_t
        Allowances before rounding, shape ``(units,)`` [t].
    fixed
        Units that get A = E and stand outside bands, targets and the balance value, shape ``(units,)``.
    band
        The rule's own band, where the policy states none; default none: then only zero limits allowances.
    bands
        The same of single sectors.
    equal
        Whether the rule gives A = E to every unit, and else whole tonnes.
    whole
        Whether the rule rounds allowances down to whole tonnes; A = E is rounded to the nearest, as it is owed.
    rounded_t
        Allowances that the rule rounds in another way, such as each part to the nearest tonne, shape ``(units,)`` [t].
    adjustment_t
        Corrections of earlier years, of either sign, shape ``(units,)`` [t]; default none. They are no part of the
        entitlement, which is never negative.
    per_output
        Further entitlement per tonne of this year's output, shape ``(units,)`` [t/t]; default none: a lump sum.
    terms
        What the entitlement is made of.
    sectors
        What the rule found for a sector, indexed by it: balance value and its interval; default none.
    """

    exact_t: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    band: float | None = None
    whole: bool = False
    sectors: pd.DataFrame = field(default_factory=no_sector_results)
    bands: Mapping[str, float] = field(default_factory=dict)
    equal: bool = False
    rounded_t: NDArray[np.float64] | None = None
    adjustment_t: NDArray[np.float64] | None = None
    per_output: NDArray[np.float64] | None = None
    terms: tuple[Term, ...] = ()

    @cached_property
    def reference_t(self) -> NDArray[np.float64]:
        """Reference allowances R as the rule rounds them, shape ``(units,)`` [t]."""
        from etsopt.common.units import whole_tonnes

        if self.rounded_t is not None:
            return self.rounded_t
        return whole_tonnes(self.exact_t) if self.whole else self.exact_t
