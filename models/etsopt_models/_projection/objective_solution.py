"""Result of a faster method for one objective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Settled:
    """Values, multipliers by row, value and bound of an objective, algorithm, program for the next, and more proofs."""

    values: dict[str, NDArray[np.float64]]
    multipliers: dict[str, NDArray[np.float64]]
    value: float
    bound: float
    algorithm: str
    program: Any = None
    proofs: tuple[dict[str, NDArray[np.float64]], ...] = ()
