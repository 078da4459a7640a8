"""A summary leaves out parts before they are made, and none of its sections is lost by that."""

from __future__ import annotations

import pytest

import etsopt
from etsopt.reports import write
from etsopt.reports.run import Run
from tests.checking.test_every_column import KINDS


@pytest.mark.parametrize("kind", ["allocation", *(pytest.param(one, marks=pytest.mark.nightly) for one in KINDS)])
def test_no_part_that_is_left_out_has_a_section_of_a_summary(kind: str) -> None:
    make, model = KINDS[kind] if kind in KINDS else (lambda: etsopt.read("tiny"), "allocation")
    run = Run(etsopt.solve(make(), model), with_charts=False)
    keys = [section.key for part in write.LONG for section in part(run)]
    assert not {*keys} & {*write.BRIEF}
    every, some = (
        [(one.key, one.title, len(one.blocks)) for one in write._found(run, parts) if one.key in write.BRIEF]
        for parts in ((), write.LONG)
    )
    assert some == every
