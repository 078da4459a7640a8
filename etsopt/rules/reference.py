"""The result of an allocation rule: reference allowances by unit."""

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
class Reference:
    """The reference allowances of a rule, by unit.

    Parameters
    ----------
    exact_t
        Allowances before rounding, shape ``(units,)`` [t].
    fixed
        Units that get A = E and stand outside bands, targets and the balance value, shape ``(units,)``.
    band
        The rule's own band, where the policy states none.
    bands
        The same of single sectors.
    equal
        Whether the rule gives A = E to every unit, and else whole tonnes.
    whole
        Whether the rule rounds allowances down to whole tonnes; A = E is rounded to the nearest, as it is owed.
    sectors
        What the rule found for a sector, indexed by it: balance value and its interval; default none.
    """

    exact_t: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    band: float
    whole: bool
    sectors: pd.DataFrame = field(default_factory=no_sector_results)
    bands: Mapping[str, float] = field(default_factory=dict)
    equal: bool = False

    @cached_property
    def reference_t(self) -> NDArray[np.float64]:
        """Reference allowances R, in whole tonnes if the rule rounds or A = E, shape ``(units,)`` [t]."""
        import numpy as np

        from etsopt.units import nearest_tonnes, whole_tonnes

        others = whole_tonnes(self.exact_t) if self.whole else self.exact_t
        return np.where(self.fixed | self.equal, nearest_tonnes(self.exact_t), others)
