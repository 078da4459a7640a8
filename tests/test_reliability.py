"""The first trials of every row of the reliability matrix; ``make reliability`` makes all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.reliability import rows

if TYPE_CHECKING:
    from benchmarks.reliability.row import Row

TRIED = [row for row in rows().values() if row.share]


@pytest.mark.everyday("B3", "D4", "E1")
@pytest.mark.parametrize("row", TRIED, ids=[row.name for row in TRIED])
def test_the_first_trials_of_a_row_do_not_fail(row: Row) -> None:
    found = row.work(range(row.share))
    assert found.failures == []
    assert sum(found.outcomes.values()) == row.share
