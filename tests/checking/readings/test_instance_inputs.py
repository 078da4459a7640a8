"""What is read of an instance by itself: texts, columns, years, offers and forecasts, by hand and beside the models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.readings import plan
from etsopt.checking.readings.forecast import factors
from etsopt.checking.readings.instance_inputs import InstanceInputs, Names, by_year, whole
from etsopt.checking.readings.offers import cells_of, on_offer, steps_of
from etsopt.data.measure_steps import offers_of
from etsopt.data.measures import offered
from etsopt.data.projection import development
from tests.checking.readings import test_independence as small

SHIPPED = ["tiny", "cn-2025", "cn-2025-2035", "cn-national-2025"]


def test_texts_are_numbered_in_alphabetical_order() -> None:
    names = Names.of(np.array(["b", "a", "b", "\u4e2d", "Z"], dtype=object))
    assert (names.names.tolist(), names.code.tolist()) == (["Z", "a", "b", "\u4e2d"], [2, 1, 2, 3, 0])
    assert names.where("b").tolist() == [True, False, True, False, False]
    assert not names.where("c").any()
    assert names.sums(np.array([1.0, 2.0, 0.5, 4.0, 8.0])).tolist() == [8.0, 2.0, 1.5, 4.0]
    assert names.mapped({"b": 1.0, "Z": 2.0})[[0, 4]].tolist() == [1.0, 2.0]
    assert np.isnan(names.mapped({})).all()
    # Texts that are in order stay as they are.
    assert Names.of(np.array(["a", "b", "a"], dtype=object)).code.tolist() == [0, 1, 0]
    fallen = Names.of(np.array(["c", "b", "a", "b"], dtype=object))
    assert (fallen.names.tolist(), fallen.code.tolist()) == (["a", "b", "c"], [2, 1, 0, 1])


def test_a_number_holds_until_the_next_stated_year() -> None:
    years = np.array([2025, 2026, 2027])
    assert by_year(3, years).tolist() == [3.0, 3.0, 3.0]
    assert np.isnan(by_year(None, years)).all()
    assert by_year(None, years, 0.5).tolist() == [0.5] * 3
    # The order of a table's keys says nothing.
    assert by_year({"2027": 7.0, "2026": 6.0}, years, 0.0).tolist() == [0.0, 6.0, 7.0]


def test_whole_tonnes_are_rounded_down_but_for_noise() -> None:
    assert whole(np.array([1.9, 2.0 - 1e-9, 2.0 - 1e-5])).tolist() == [1.0, 2.0, 1.0]


def test_years_and_rounding_are_those_that_the_policy_states() -> None:
    def of(**horizon: int) -> InstanceInputs:
        return InstanceInputs.of(small.made(horizon=horizon))

    assert of().years.tolist() == [2025]
    assert of(last_year=2027).years.tolist() == [2025, 2026, 2027]
    assert of(first_year=2026).years.tolist() == [2026]
    assert (of().price_year, of(price_year=2023).price_year) == (2025, 2023)
    both = InstanceInputs.of(small.rounded())
    assert both.rounds
    assert not both.with_allocation(intensity_order=False).rounds
    assert not both.with_allocation(integer_allowances=False).rounds


def test_another_policy_is_read_anew() -> None:
    found = InstanceInputs.of(small.made())
    before = plan.emissions_inside(found)
    assert plan.emissions_inside(found) is before
    later = replace(found, policy=small.made(year=2026, rule={"name": "cn-2026"}, horizon={}).policy)
    assert plan.emissions_inside(later)[5] > before[5] == 0


def test_output_and_intensity_are_taken_from_the_first_column_that_states_them() -> None:
    units = small.UNITS.assign(
        generation_mwh=[9.0, *[np.nan] * 5], output_t=[np.nan, 2e5, 1.5e5, 3e5, np.nan, 1e5], intensity_output_t=np.nan
    )
    found = InstanceInputs.of(replace(small.made(), units=units))
    assert found.output.tolist()[:4] == [9.0, 2e5, 1.5e5, 3e5]
    assert np.isnan(found.output[4])
    assert np.isnan(found.intensity[4])
    assert found.intensity[3] == 4.1e5 / 3e5


def test_steps_are_as_few_as_the_largest_new_share_allows() -> None:
    found = InstanceInputs.of(small.made())
    assert found.measures is not None
    names = cells_of(found, "measure_id")
    row, step, steps = steps_of(found)
    offers = list(zip(names[row].tolist(), step.tolist(), steps.tolist(), strict=True))
    assert offers.count(("kiln", 2, 2)) == 1
    assert offers.count(("kiln", 3, 3)) == 1
    assert offers.count(("heat", 1, 1)) == 1
    unit, place = on_offer(found)
    of_units = [[offers[one] for one in place[unit == number]] for number in range(6)]
    of_sector = [("heat", 1, 1), ("kiln", 1, 2), ("kiln", 2, 2)]
    # The first unit's own row, of three steps, stands for that of its sector; LEDs save electricity alone.
    assert of_units[0] == [("heat", 1, 1), ("kiln", 1, 3), ("kiln", 2, 3), ("kiln", 3, 3)]
    assert of_units[1:] == [of_sector, of_sector, *[[("scrap", 1, 1)]] * 3]


def test_a_forecast_runs_along_straight_lines() -> None:
    found = InstanceInputs.of(small.made())
    output, intensity = factors(found, np.array([2024, 2025, 2026, 2027, 2029, 2031]))
    assert output[0] == pytest.approx([1, 1, 0.98, 0.96, 0.92, 0.9])
    assert output[3] == pytest.approx([1, 1, 1.025, 1.05, 1.1, 1.1])
    assert (output[4] == 1).all()
    assert intensity[0, -1] == 0.97
    assert (intensity[3:] == 1).all()


def test_output_in_tonnes_is_relative_to_that_of_the_tables() -> None:
    rows = pd.DataFrame({"unit_id": ["d", "d"], "year": [2026.0, 2028.0], "output_t": [3.3e5, 2.4e5]})
    output, _ = factors(InstanceInputs.of(replace(small.made(), forecast=rows)), np.array([2026, 2027, 2030]))
    assert output[3] == pytest.approx([1.1, 0.95, 0.8])
    assert (output[[0, 1, 2, 4, 5]] == 1).all()


@pytest.mark.everyday("tiny", "small")
@pytest.mark.parametrize("name", [*SHIPPED, "small"])
def test_both_readings_of_sound_data_are_equal_to_the_last_bit(name: str) -> None:
    instance: Any = small.made() if name == "small" else etsopt.read(name)
    found, years = InstanceInputs.of(instance), [*range(instance.policy.year, instance.policy.year + 8)]
    assert np.array_equal(found.intensity, instance.intensity, equal_nan=True)
    assert np.array_equal(plan.emissions_inside(found), instance.emissions_tco2e)
    assert np.array_equal(plan.inside_in(found, years), instance.in_scope_in(years))
    for column in ("unit_id", "enterprise_id", "sector", "province"):
        one, other = found.labels(column), instance.labels(column)
        assert one.names.tolist() == other.names.tolist()
        assert one.code.tolist() == other.code.tolist()
    projected, (output, intensity) = development(instance, years), factors(found, np.array(years))
    assert np.array_equal(output, projected.output_factor)
    assert np.array_equal(intensity, projected.intensity_factor)
    groups, (unit, place) = offered(instance), on_offer(found)
    assert unit.tolist() == np.repeat(np.arange(len(groups)), np.diff(groups.starts)).tolist()
    assert place.tolist() == groups.members.tolist()
    if instance.measures is not None:
        for own, theirs in zip(steps_of(found), offers_of(instance), strict=True):
            assert own.tolist() == theirs.tolist()


def test_units_of_one_table_are_read_once_under_every_policy_and_those_of_another_again() -> None:
    instance = etsopt.read("tiny")
    first = InstanceInputs.of(instance)
    sector, emitted = first.labels("sector"), first.first_stated("emissions_tco2e")
    changed = InstanceInputs.of(instance.with_policy({"sectors.cement.target_change": -0.004}), first)
    assert changed.labels("sector") is sector
    assert changed.first_stated("emissions_tco2e") is emitted
    assert changed.with_allocation(integer_allowances=True).labels("sector") is sector
    assert InstanceInputs.of(instance).labels("sector") is not sector
    units = instance.units.assign(emissions_tco2e=2 * instance.units["emissions_tco2e"])
    other = InstanceInputs.of(replace(instance, units=units), first)
    assert other.first_stated("emissions_tco2e").tolist() == (2 * emitted).tolist()
    with pytest.raises(ValueError, match="read-only"):
        emitted *= 2
