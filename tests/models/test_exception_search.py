"""The search for the first choice that gains enough, against trying every choice."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from etsopt_models._projection import exception_search
from etsopt_models._projection.exception_search import TooManyError, demands_apart, first_choice, order_key


def test_the_search_finds_the_first_of_all_choices() -> None:
    found = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        units, demands, count = int(random.integers(1, 9)), int(random.integers(1, 4)), int(random.integers(0, 5))
        key = random.permutation(3 * units)[:units].astype(object)
        gains = random.integers(0, 4, (demands, units)) * random.integers(0, 2, (demands, units)).astype(float)
        wanted = random.integers(-1, 6, demands).astype(float)
        every = [
            list(chosen)
            for chosen in combinations(range(units), count)
            if (gains[:, list(chosen)].sum(axis=1) >= wanted).all()
        ]
        best = first_choice(count, key, gains, wanted, 0)
        if not every:
            assert best is None
            continue
        assert best is not None
        found += 1
        assert best in every
        assert key[best].sum() == min(key[chosen].sum() for chosen in every)
    assert found > 60


def test_among_large_units_the_first_by_place_is_chosen() -> None:
    # With this many units allowed, a size of 1e8 t is 5e17 in a key, where floats are 64 apart.
    units = 5
    sizes = np.array([1e8, 1e8, 1e8, 0.0, 1e8])
    key = order_key(sizes, np.arange(1.0, units + 1)[::-1], 10**9)
    assert len(set(key)) == units
    # Two of the large units must be among the choice; those with the least places stand last.
    gains = np.array([[1.0, 1.0, 1.0, 0.0, 1.0]])
    assert first_choice(2, key, gains, np.array([2.0]), 0) == [2, 4]
    assert int(key[[2, 4]].sum()) == 2 * 10**8 * (10**9 * units + 1) + 3 + 1


def test_a_search_that_grows_too_long_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exception_search, "EXCEPTION_UNITS_TRIED_MAX", 5)
    key, gains = np.arange(12).astype(object), np.array([np.arange(12.0)])
    with pytest.raises(TooManyError):
        first_choice(4, key, gains, np.array([38.0]), 0)


def test_demands_that_share_no_unit_are_told_apart() -> None:
    gains = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert [group.tolist() for group in demands_apart(gains)] == [[0, 1, 3], [2, 3]]
