"""Judge tables in one call, as most tests of the checker do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.checking import Answer, Question, Verdict, judge

if TYPE_CHECKING:
    from etsopt.checking.verdict import LevelStated
    from etsopt.data.instance import Instance


def check(
    instance: Instance,
    tables: Mapping[str, pd.DataFrame],
    levels: Sequence[LevelStated],
    gap: float = 0.0,
    kind: str = "allocation",
) -> Verdict:
    """Judge tables and objectives as an answer to the question of a model."""
    return judge(Question(instance, kind, gap), Answer(tables, levels))
