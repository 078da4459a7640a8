"""What a faster method gives back for its step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Settled:
    """Values by variable, prices by row of the model, value and bound of the objective, what ran, what holds it, and more prices."""

    values: dict[str, NDArray[np.float64]]
    multipliers: dict[str, NDArray[np.float64]]
    value: float
    bound: float
    algorithm: str
    program: Any = None
    proofs: tuple[dict[str, NDArray[np.float64]], ...] = ()
