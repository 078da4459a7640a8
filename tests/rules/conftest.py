"""Tests of rules leave the registry as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from etsopt.rules import RULES


@pytest.fixture(autouse=True)
def _only_rules_of_the_package() -> Iterator[None]:
    kept = dict(RULES)
    yield
    RULES.clear()
    RULES.update(kept)
