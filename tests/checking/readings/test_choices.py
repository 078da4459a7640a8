"""Measures on offer at every unit, each cell by hand from the table of measures and the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.readings.baseline import derive_baseline
from etsopt.checking.readings.choices import Choices, derive_choices
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.checking.market.small import choices_of
from tests.markets import market

if TYPE_CHECKING:
    import etsopt

MEASURES: list[dict[str, object]] = [
    {
        "measure_id": "a",
        "sector": "cement",
        "abatement_rate": 0.2,
        "intensity_abatement_rate": 0.1,
        "maximum_share": 0.5,
        "capex_cny_per_t": 100.0,
        "fixed_opex_cny_per_t": 3.0,
        "variable_opex_cny_per_t": 7.0,
        "fuel_saving_cny_per_t": 2.0,
        "lifetime_years": 10,
        "first_year": 2026,
        "exclusive_group": "g",
        "requires": "",
    },
    {
        "measure_id": "b",
        "sector": "cement",
        "abatement_rate": 0.4,
        "intensity_abatement_rate": 0.3,
        "maximum_share": 1.0,
        "capex_cny_per_t": 0.0,
        "fixed_opex_cny_per_t": 1.0,
        "variable_opex_cny_per_t": 1.0,
        "fuel_saving_cny_per_t": 2.5,
        "lifetime_years": 1,
        "first_year": 2025,
        "exclusive_group": "",
        "requires": "",
    },
    {
        "measure_id": "c",
        "sector": "steel",
        "abatement_rate": 0.1,
        "intensity_abatement_rate": 0.1,
        "maximum_share": 1.0,
        "capex_cny_per_t": 0.0,
        "fixed_opex_cny_per_t": 1.0,
        "variable_opex_cny_per_t": 1.0,
        "fuel_saving_cny_per_t": 2.0,
        "lifetime_years": 1,
        "first_year": 2025,
        "exclusive_group": "",
        "requires": "",
    },
    {
        "measure_id": "d",
        "sector": "cement",
        "abatement_rate": 0.5,
        "intensity_abatement_rate": 0.5,
        "maximum_share": 1.0,
        "capex_cny_per_t": 0.0,
        "fixed_opex_cny_per_t": 1.0,
        "variable_opex_cny_per_t": 1.0,
        "fuel_saving_cny_per_t": 0.0,
        "lifetime_years": 1,
        "first_year": 2025,
        "exclusive_group": "",
        "requires": "a b",
    },
]


def made(measures: Any = MEASURES, **policy: Any) -> tuple[etsopt.Instance, Choices]:
    units: dict[str, Any] = {
        "emissions_tco2e": [800.0, 500.0, 90.0],
        "reference_t": [700.0, 400.0, 90.0],
        "output_t": [1000.0, 200.0, 60.0],
        "sector": ["cement", "steel", "power"],
    }
    instance = market(units, measures, **({"horizon": {"last_year": 2026, "discount_rate": 0.25}} | policy))
    found = derive_baseline(InstanceInputs.of(instance), pd.DataFrame({"allowance_t": [700.0, 400.0, 90.0]}))
    return instance, derive_choices(InstanceInputs.of(instance), found)


ANNUITY = 100 * 0.25 / (1 - 1.25**-10)


def test_every_cell_is_that_of_the_table() -> None:
    _, own = made()
    assert own.names.tolist() == ["a", "b", "c", "d", "output_cut"]
    assert own.code.tolist() == [[0, 1, 3], [2, -1, -1], [-1, -1, -1]]
    assert own.count.tolist() == [3, 1, 0]
    assert own.left == pytest.approx(np.array([[0.9, 0.6, 0.5], [0.9, 1, 1], [1, 1, 1]]))
    assert own.intensity_left == pytest.approx(np.array([[0.95, 0.7, 0.5], [0.9, 1, 1], [1, 1, 1]]))
    assert own.fixed == pytest.approx(np.array([[500 * (ANNUITY + 3), 1000, 1000], [200, 0, 0], [0, 0, 0]]))
    assert own.variable == pytest.approx(np.array([[2.5, -1.5, 1], [-1, 0, 0], [0, 0, 0]]))
    assert own.first_year.tolist() == [[2026, 2025, 2025], [2025, 0, 0], [0, 0, 0]]
    assert (own.group >= 0).tolist() == [[True, False, False], [False] * 3, [False] * 3]
    assert own.group[0].tolist()[1:] == [-1, -1]
    assert own.required[0].tolist() == [[-2, -2], [-2, -2], [0, 1]]
    assert (own.required[1:] == -2).all()


def test_without_interest_an_investment_is_spread_over_its_life() -> None:
    _, own = made(horizon={"last_year": 2026, "discount_rate": 0.0})
    assert own.fixed[0, 0] == pytest.approx(500 * (10 + 3))
    _, some = made(horizon={"last_year": 2026, "discount_rate": 0.5})
    assert some.fixed[0, 0] == pytest.approx(500 * (50 / (1 - 1.5**-10) + 3))


def test_measures_that_pay_by_themselves_may_be_left() -> None:
    """The second measure saves half a yuan a tonne; the third costs nothing, and stays."""
    _, own = made(abatement={"no_regret": "exclude"})
    assert own.code.tolist() == [[0, 3], [2, -1], [-1, -1]]
    # What requires a measure that is not on offer at the unit cannot be taken.
    assert own.required[0].tolist() == [[-2, -2], [0, -1]]
    # Nor where that is the first of all measures.
    first = [MEASURES[0] | {"fuel_saving_cny_per_t": 80.0}, *MEASURES[1:]]
    assert made(first, abatement={"no_regret": "exclude"})[1].required[0].tolist() == [[-1, -1]]
    dear = [*MEASURES[:2], MEASURES[2] | {"fuel_saving_cny_per_t": 2.5}, MEASURES[3]]
    assert made(dear, abatement={"no_regret": "exclude"})[1].code.tolist() == [[0, 3], [-1, -1], [-1, -1]]


def test_a_cut_of_output_stands_after_the_measures() -> None:
    _, own = made(abatement={"output_cut": {"steel": {"share": 0.2, "margin_cny_per_t": 30.0}}})
    assert own.code.tolist() == [[0, 1, 3], [2, 4, -1], [-1, -1, -1]]
    assert own.left[1].tolist() == pytest.approx([0.9, 0.8, 1.0])
    assert own.variable[1].tolist() == pytest.approx([-1.0, 6.0, 0.0])
    assert own.fixed[1].tolist() == [200.0, 0.0, 0.0]
    assert own.intensity_left[1].tolist() == [0.9, 1.0, 1.0]
    assert (own.first_year[1, 1], own.group[1, 1], own.required[1, 1].tolist()) == (0, -1, [-2, -2])


def test_without_measures_there_is_nothing_but_the_cut() -> None:
    _, own = made(None)
    assert (own.names.tolist(), own.code.tolist()) == (["output_cut"], [[-1]] * 3)
    assert own.left.tolist() == own.intensity_left.tolist() == [[1.0]] * 3
    _, cut = made(None, abatement={"output_cut": {"steel": {"share": 0.2, "margin_cny_per_t": 30.0}}})
    assert cut.code.tolist() == [[-1], [0], [-1]]
    assert (cut.left[1, 0], cut.intensity_left[1, 0], cut.variable[1, 0]) == (0.8, 1.0, 6.0)
    assert (cut.fixed[1, 0], cut.first_year[1, 0], cut.group[1, 0]) == (0.0, 0, -1)
    assert cut.required[1, 0].tolist() == [-2]


def test_steps_of_a_measure_each_take_as_much_of_what_was_there_at_first() -> None:
    """A measure for 60 % of the output is built in three steps of 20 %, of which each abates half of its share."""
    stepped = MEASURES[0] | {"maximum_share": 0.6, "largest_new_share_a_year": 0.2, "abatement_rate": 0.5}
    stepped |= {"output_abatement_rate": 0.25, "stops": "yes", "cost_change_rate": -0.5}
    stepped |= {"exclusive_group": ""}
    _, own = made([stepped, MEASURES[1]], abatement={"output_cut": {"power": {"share": 0.5, "margin_cny_per_t": 4.0}}})
    assert own.code.tolist() == [[0, 0, 0, 1], [-1] * 4, [2, -1, -1, -1]]
    assert own.step.tolist() == [[1, 2, 3, 1], [1] * 4, [1] * 4]
    assert own.steps.tolist() == [[3, 3, 3, 1], [1] * 4, [1] * 4]
    assert own.alone[0] == pytest.approx([0.1, 0.1, 0.1, 0.4])
    assert own.left[0] == pytest.approx([0.9, 0.8 / 0.9, 0.7 / 0.8, 0.6])
    output = [0.95, 0.9 / 0.95, 0.85 / 0.9, 1.0]
    assert own.output_left[0] == pytest.approx(output)
    intensity = [0.98, 0.96 / 0.98, 0.94 / 0.96, 0.7]
    assert own.intensity_left[0] == pytest.approx([one / other for one, other in zip(intensity, output, strict=True)])
    assert own.fixed[0] == pytest.approx([0.2 * 1000 * (ANNUITY + 3)] * 3 + [1000])
    assert own.variable[0] == pytest.approx([0.2 * 5] * 3 + [-1.5])
    assert own.growth.tolist() == [[0.5, 0.5, 0.5, 1.0], [1.0] * 4, [1.0] * 4]
    assert own.stops.tolist() == [[True, True, True, False], [False] * 4, [False] * 4]
    assert (own.alone[2].tolist(), own.output_left[2].tolist()) == ([0.5, 0, 0, 0], [0.5, 1, 1, 1])
    assert own.factor(2027)[0].tolist() == [0.25, 0.25, 0.25, 1.0]


def test_a_table_of_plans_names_steps_and_last_years_where_there_are_some() -> None:
    plain = choices_of()
    assert (plain.in_steps, plain.numbers_of_plans) == (False, ["start_year"])
    stepped = choices_of(
        steps=np.array([[1, 2], [1, 1], [1, 1]]), stops=np.array([[False, True], [False] * 2, [False] * 2])
    )
    assert (stepped.in_steps, stepped.numbers_of_plans) == (True, ["step", "start_year", "last_year"])


def test_slots_are_found_by_measure_and_step_and_for_an_unknown_unit_there_is_an_error_elsewhere() -> None:
    own = choices_of(code=np.array([[0, 0], [0, 2], [-1, -1]]), step=np.array([[1, 2], [1, 1], [1, 1]]))
    rows = pd.DataFrame({"measure_id": ["a", "a", "c", "a", "x"], "step": [2, 1, 1, 2, 1]})
    assert own.slots_in(rows, np.array([0, 0, 1, 1, -1])).tolist() == [1, 0, 1, -1, -1]
    assert own.slots_in(rows.drop(columns="step"), np.array([0, 0, 1, 1, -1])).tolist() == [0, 0, 1, 0, -1]
    # A row of an unknown unit is looked up at the first one; the unit is refused by itself.
    assert own.slots_in(rows.iloc[:1], np.array([-1])).tolist() == [1]


def test_a_measure_is_found_in_its_slot_where_it_is_on_offer() -> None:
    own = choices_of()
    units, codes = np.array([0, 0, 1, 1, 2, 1, 0]), np.array([0, 1, 2, 1, 0, -1, 0])
    assert own.slot_of(units, codes).tolist() == [0, 1, 1, -1, -1, -1, 0]
    nothing = choices_of(code=np.zeros((3, 0), dtype=np.int64))
    assert nothing.slot_of(units, codes).tolist() == [-1] * 7


def test_a_line_joins_measures_without_alternatives_alone() -> None:
    """At the first unit the second measure requires the first: they are a line, unless one is of a group or stops."""
    both = [-1, -1]
    assert choices_of()._before().tolist() == [[-1, 0], both, both]
    for name, one in (("group", 0), ("group", 7), ("stops", True)):
        for slot in (0, 1):
            cells = np.full((3, 2), False if name == "stops" else -1)
            cells[0, slot] = one
            assert choices_of(**{name: cells})._before().tolist() == [both] * 3
