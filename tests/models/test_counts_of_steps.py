"""How many steps measures may have, and how many sets they make."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.common.errors import DataError
from tests.models.test_measures_in_steps import RETROFIT, plant, solved


def test_shares_that_make_too_many_steps_are_refused_wherever_they_stand() -> None:
    saves_power = {"abatement_rate": 0.0, "electricity_only": "yes"}
    for share in (5e-5, 1e-9, 1e-20, 5e-324):
        tiny = RETROFIT | {"largest_new_share_a_year": share}
        # Of one that saves electricity alone no set is counted.
        for measures in ([tiny], [RETROFIT, tiny | saves_power | {"measure_id": "power"}]):
            with pytest.raises(DataError, match=r"row has more than 4,095 steps"):
                plant(measures)


def in_equal_steps(name: str, steps: int, requires: str = "", **other: Any) -> dict[str, Any]:
    row = RETROFIT | {"abatement_rate": 0.1, "maximum_share": 1.0, "variable_opex_cny_per_t": 2.0, **other}
    return row | {"measure_id": name, "largest_new_share_a_year": 1 / steps, "requires": requires}


def test_what_requires_a_measure_that_is_not_on_offer_makes_no_sets() -> None:
    saving = {"variable_opex_cny_per_t": -1.0}
    chain = [
        *(in_equal_steps("a", 40), in_equal_steps("b", 1, "a", **saving), in_equal_steps("c", 40, "b")),
        *(in_equal_steps("d", 1, "c", **saving), in_equal_steps("e", 40, "d")),
    ]
    other = in_equal_steps("z", 1, abatement_rate=0.3)
    # In chains of their own, three measures of 40 steps and another would make 137,842 sets.
    result = solved(plant([*chain, other], abatement={"no_regret": "exclude"}))
    assert set(result.tables["plans"]["measure_id"]) == {"a", "z"}
    alone = solved(plant([chain[0], other]))
    assert result.levels[-1].value == pytest.approx(alone.levels[-1].value, rel=1e-9)


def test_sets_are_counted_as_they_are_made() -> None:
    # The only one of a group follows the measure that it requires, and so makes a chain of its own of the third.
    lone = in_equal_steps("b", 1, "a") | {"exclusive_group": "g", "largest_new_share_a_year": np.nan}
    with pytest.raises(DataError, match=r"more than 4,096 sets of measures: row of u0 '81204 sets'"):
        plant([in_equal_steps("a", 200), lone, in_equal_steps("c", 200, "a"), in_equal_steps("z", 1)])
    # Without `c`, the last one follows `a` and not `b`.
    measures = [
        *(in_equal_steps("a", 1), in_equal_steps("b", 65)),
        *(in_equal_steps("c", 1, "a", variable_opex_cny_per_t=-1.0), in_equal_steps("d", 65, "a b")),
    ]
    assert plant(measures).measures is not None
    with pytest.raises(DataError, match=r"a unit has 4,422 sets of measures, more than 4,096"):
        etsopt.solve(plant(measures, abatement={"no_regret": "exclude"}), "abatement")
