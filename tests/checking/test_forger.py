"""No forged run is certified beyond the truth, and none ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from etsopt.cli import main
from tests import forging
from tests.forging import EACH


@pytest.mark.nightly
def test_every_case_has_an_honest_answer_and_another() -> None:
    for name in forging.CASES:
        results = forging.honest_of(name)
        assert results.certified, name
        assert forging.passes(name, results), name
        assert forging.others(name), name


def test_no_forgery_is_certified_beyond_the_truth() -> None:
    assert forging.tried(range(50)) == []


def test_found_by_night_none_is_certified_any_more() -> None:
    """A market that cannot clear passed as an answer of abatement, of which the policy states no price."""
    assert forging.tried(range(17184, 17185)) == []


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(4))
def test_none_of_the_first_ten_thousand_is(part: int) -> None:
    assert forging.tried(range(EACH * part, EACH * (part + 1))) == []


@pytest.mark.everyday("tiny", "clearing")
@pytest.mark.parametrize("name", forging.CASES)
def test_a_forged_folder_ends_in_no_traceback(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(7)
    for number in range(8):
        results = forging.forged(name, random)
        folder = tmp_path / str(number)
        results.save(folder, forging.instance_of(name))
        code = main(["check", str(folder)])
        assert code in (0, 2, 5, 6), capsys.readouterr()
        verdict = forging.passes(name, results)
        assert code != 0 or verdict is None or not forging.untrue(name, results, verdict)
