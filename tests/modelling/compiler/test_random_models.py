"""Random models out of everything that can be compiled: both builds give the same program."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etsopt.common.errors import ModelError
from etsopt.modelling.compiler import compiled, pyomo_build
from tests.modelling.compiler.random_expressions import LOOPS
from tests.modelling.compiler.random_models import BOUNDS, GIVEN, OVER, RELATIONS, RandomModel
from tests.modelling.compiler.same import assert_same

LINEAR = ("scalar", *"xyvuwetq", "plus", "minus", "negative", "times", "c times", "sum", "divide", "cancel")
NUMBERS = ("literal", "scalar", "the index", "a", "b", "d", "r", "pp", "c")
FUNCTIONS = ("plus", "times", "sum", "abs", "if", "power", "root", "exp", "divide")
CONSTRUCTS = {
    *(f"linear: {name}" for name in LINEAR),
    *(f"number: {name}" for name in NUMBERS + FUNCTIONS),
    *(f"sum over: {name}" for name in LOOPS),
    *(f"rows over: {name}" for name in OVER),
    *(f"relation: {name}" for name in RELATIONS),
    *(f"bounds: {name}" for name in BOUNDS),
    *(f"set given by: {name}" for name in GIVEN),
    *(f"index: {name}" for name in ("known", "literal", "looked up", "shifted", "pair")),
    *(f"groups: {name}" for name in ("partition", "overlapping", "empty")),
    *(f"size: {size}" for size in range(5)),
    "objective: linear",
    "objective: squares",
}


class Tally:
    """What was drawn in models that were compared, and how many of them Pyomo could not build."""

    def __init__(self) -> None:
        self.drawn: Counter[str] = Counter()
        self.compared = self.refused = 0

    def compare(self, seed: int) -> None:
        """Draw a model and build it both ways."""
        drawn = RandomModel(seed)
        found = compiled.build_program(drawn.model, drawn.data)
        try:
            expected = pyomo_build.build_program(drawn.model, drawn.data)
        except ModelError as error:
            # Pyomo takes no row without variables: there all of them are in empty sums or have the coefficient zero.
            if "trivial Boolean" not in str(error):
                raise
            self.refused += 1
            return
        assert_same(found, expected, drawn.both_sides)
        self.compared += 1
        self.drawn += drawn.drawn


@pytest.fixture(scope="module")
def tally() -> Tally:
    counted = Tally()

    @settings(max_examples=250, database=None)
    @given(seed=st.integers(0, 2**32))
    def every_model_is_the_same(seed: int) -> None:
        counted.compare(seed)

    every_model_is_the_same()
    return counted


def test_random_models_are_the_same_both_ways(tally: Tally) -> None:
    assert tally.compared >= 200


def test_few_random_models_are_refused_by_the_reference_way(tally: Tally) -> None:
    assert tally.refused <= 0.15 * (tally.compared + tally.refused)


def test_every_construct_is_drawn_several_times(tally: Tally) -> None:
    rare = {name: tally.drawn[name] for name in CONSTRUCTS if tally.drawn[name] < 5}
    assert rare == {}
    assert set(tally.drawn) == CONSTRUCTS
