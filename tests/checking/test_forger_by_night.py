"""No forged run of the second ten thousand is certified: a file of its own, for a process beside that of the first."""

from __future__ import annotations

import pytest

from tests import forging
from tests.forging import EACH


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(4, 8))
def test_none_of_the_second_ten_thousand_is(part: int) -> None:
    assert forging.tried(range(EACH * part, EACH * (part + 1))) == []
