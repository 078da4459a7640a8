r"""Sobol indices: the share of a number's variance over the draws that each input is the cause of.

Of a number $f$ and inputs that are drawn independently, with draws $A$, $B$ and $AB_i$ of `N` rows (`sampling.py`) and
$V$ the variance over $A$ and $B$, the first-order index is what input $i$ does alone, and the total index what it does
with all its interactions (Saltelli et al. 2010, table 2, b and f, doi 10.1016/j.cpc.2009.09.018):

$$ S_i = \frac{1}{N V} \sum_r f(B_r) (f(AB_{i,r}) - f(A_r)), \qquad
   T_i = \frac{1}{2 N V} \sum_r (f(A_r) - f(AB_{i,r}))^2 $$

`scipy.stats.sobol_indices` has the same estimators, but takes powers of two alone, which rows without an answer leave,
and draws its bootstrap without a seed. Both indices and $V$ are made of means over rows, so a bootstrap is a matrix
product with the number of times that each row is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.studies.sweeping.plan import SweepPlan
from etsopt.studies.sweeping.sampling import SALTELLI
from etsopt.studies.sweeping.statistics import WHAT, by_state

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ROWS, SHARE = 16, 0.5
"""Rows with every answer from which on there are indices, and their share of all rows."""

SAME, SMALLEST = 1e-9, 1e-12
"""Movement below which a number does not move: relative to the largest number of its table and unit, which is proven to
that precision, and at least. `docs/decisions/0095-sobol-indices.md`."""

RESAMPLES, TOGETHER = 1000, 256
"""Samples of the bootstrap, and numbers that are taken together."""

DRAW = r"(?:^|/)([^/]+)-(a|b|ab\d+)$"
"""End of the name of a scenario: the row of its draw, and the part."""

INDICES = ["first_order", "total_order"]
ENDS = ["", "_lower", "_upper"]


def inputs_of(sweep: SweepPlan | Mapping[str, Any]) -> list[str]:
    """Return the inputs of a sweep whose sample is a Saltelli design; none of another.

    Parameters
    ----------
    sweep
        Plan of the sweep, or its parts, as ``stated`` in its plan and in ``about`` of its record has them.
    """
    stated = sweep.stated if isinstance(sweep, SweepPlan) else sweep
    sample = stated.get("sample") or {}
    return [*sample["values"]] if sample.get("method") == SALTELLI else []


def sensitivity(
    values: pd.DataFrame, inputs: Sequence[str], scenarios: Sequence[str] = (), seed: int = 0, confidence: float = 0.95
) -> pd.DataFrame:
    """Return first-order and total Sobol indices of every number by decision.

    A row of the design in which a number is missing in some draw is left out whole. A number has no indices if it does
    not move, or if fewer rows than `ROWS`, or less than half of them, are left.

    Parameters
    ----------
    values
        Numbers of a sweep whose sample has the method ``saltelli``, as ``values.csv`` has them.
    inputs
        Keys of the sample in their order.
    scenarios
        Names of all scenarios, if some have no number at all.
    seed
        Of the bootstrap.
    confidence
        Of the intervals, which are percentiles of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        A row a decision, number and input: ``decision``, what it is, ``input``, ``rows`` used and ``rows_of`` the
        design, ``first_order`` and ``total_order``, each with its ``_lower`` and ``_upper``; NaN where there is none.

    Raises
    ------
    UsageError
        If no draw is one of such a design.
    """
    numbers, _words = by_state(values, scenarios)
    names = pd.Index(dict.fromkeys([*scenarios, *values["scenario"].drop_duplicates()]), name="scenario", dtype=object)
    drawn = names.to_series().str.extract(DRAW)
    rows = pd.Index(drawn[0].dropna().unique())
    if not len(rows):
        what = _("The sweep has no draws of a Saltelli design, from which Sobol indices follow.")
        raise UsageError(what, _('State method = "saltelli" in its sample.'))
    width = len(str(len(inputs)))
    parts = ["a", "b", *(f"ab{place:0{width}}" for place in range(1, len(inputs) + 1))]
    places = {"row": rows.get_indexer(drawn[0]), "part": drawn[1].map({part: at for at, part in enumerate(parts)})}
    numbers = numbers.join(pd.DataFrame(places, index=names), on="scenario")
    found = [
        _of_decision(decision, part, inputs, len(rows), seed, confidence)
        for decision, part in numbers.groupby("decision", sort=False)
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_columns())


def _columns() -> list[str]:
    return ["decision", *WHAT, "input", "rows", "rows_of", *(f"{index}{end}" for index in INDICES for end in ENDS)]


def _of_decision(
    decision: str, numbers: pd.DataFrame, inputs: Sequence[str], count: int, seed: int, confidence: float
) -> pd.DataFrame:
    """Return the indices of all numbers of a decision; their rows are numbered, and so are their parts."""
    groups = numbers.groupby(WHAT, sort=False, dropna=False)
    table = np.full((groups.ngroups, len(inputs) + 2, count), np.nan)
    table[groups.ngroup(), numbers["part"].astype(int), numbers["row"]] = numbers["value"]
    what = groups[WHAT].head(1)[WHAT]
    there = np.isfinite(table).all(axis=1)
    found = np.full((len(INDICES), len(ENDS), len(table), len(inputs)), np.nan)
    moving = _moving(table, what)
    patterns, which = np.unique(there, axis=0, return_inverse=True)
    for place, kept in enumerate(patterns):
        labels = np.flatnonzero((which.ravel() == place) & moving)
        if kept.sum() < max(ROWS, SHARE * count):
            continue
        for some in np.split(labels, range(TOGETHER, len(labels), TOGETHER)):
            found[:, :, some] = indices_of(table[some][:, :, kept], seed, confidence)
    repeated = what.loc[what.index.repeat(len(inputs))].reset_index(drop=True)
    used = np.repeat(there.sum(axis=1), len(inputs))
    about = {"decision": decision, "input": [*inputs] * len(table), "rows": used, "rows_of": count}
    columns = {
        f"{index}{end}": found[one, other].ravel()
        for one, index in enumerate(INDICES)
        for other, end in enumerate(ENDS)
    }
    return repeated.assign(**about, **columns)[_columns()]


def _moving(table: Floats, what: pd.DataFrame) -> NDArray[np.bool_]:
    """Return True for each number that moves by more than its precision."""
    drawn = pd.DataFrame(table[:, :2].reshape(len(table), -1))
    largest = drawn.abs().max(axis=1)
    groups = [what["table"].to_numpy(), what["unit"].to_numpy()]
    precision = np.maximum(SAME * largest.groupby(groups).transform("max"), SMALLEST)
    moving: NDArray[np.bool_] = (drawn.max(axis=1) - drawn.min(axis=1) > precision).to_numpy()
    return moving


def indices_of(values: Floats, seed: int = 0, confidence: float = 0.95) -> Floats:
    """Return the indices of numbers and the ends of their intervals.

    Parameters
    ----------
    values
        Shape ``(numbers, inputs + 2, rows)``: of each row the draws a, b, and a with each input of b.

    Returns
    -------
    Shape ``(2, 3, numbers, inputs)``: of first-order and total indices value, lower and upper end. The ends are NaN
    where a number does not move in some sample of the bootstrap.
    """
    rows = values.shape[2]
    # The first weights are those of the rows themselves.
    drawn = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES)
    weights = np.vstack([np.ones(rows), drawn]).T / rows
    values = values - values[:, :2].mean(axis=(1, 2), keepdims=True)
    one, other, mixed = values[:, :1], values[:, 1:2], values[:, 2:]
    squares = (one**2 + other**2) @ weights / 2
    variance = squares - ((one + other) @ weights / 2) ** 2
    variance[variance <= 1e-12 * squares[..., :1]] = np.nan
    shares = np.stack([other * (mixed - one) @ weights, (one - mixed) ** 2 @ weights / 2]) / variance
    ends = np.quantile(shares[..., 1:], [(1 - confidence) / 2, (1 + confidence) / 2], axis=-1)
    found: Floats = np.stack([shares[..., 0], *ends], axis=1)
    return found
