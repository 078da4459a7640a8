"""Solution of one objective by a faster method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ObjectiveSolution:
    """Values by variable, multipliers by row, value and bound, algorithm, program over its optima, and further proofs."""

    values: dict[str, NDArray[np.float64]]
    multipliers: dict[str, NDArray[np.float64]]
    value: float
    bound: float
    algorithm: str
    program: Any = None
    proofs: tuple[dict[str, NDArray[np.float64]], ...] = ()
