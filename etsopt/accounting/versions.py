"""Versions of the rows of reports: what identifies a quantity, and which of its rows is the present one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt.accounting.coded import Coded

    Mask = NDArray[np.bool_]


def latest(rows: pd.DataFrame, coded: Coded) -> Mask:
    """Return True for the rows of the highest version, shape ``(rows,)``."""
    version = rows["version"]
    if (version == 1).all():
        return np.ones(len(rows), dtype=bool)
    keys = keys_of(rows, coded)
    highest = version.groupby([keys[name] for name in keys], sort=False).transform("max")
    return (version == highest).to_numpy()


def keys_of(rows: pd.DataFrame, coded: Coded) -> pd.DataFrame:
    """Return what identifies a quantity, as numbers."""
    batch, _ = pd.factorize(rows["batch"].to_numpy())
    parts = (coded.unit, coded.month, coded.process, coded.item, coded.flow, batch.astype(np.int64))
    return pd.DataFrame(dict(zip("umpifb", parts, strict=True)))
