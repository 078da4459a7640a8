"""The table of offers, with the cut of output as its last row."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.readings.offers import OfferTable, offers_in
from tests.markets import market

UNITS = {"emissions_tco2e": [100.0], "reference_t": [100.0]}
MEASURE: dict[str, object] = {"measure_id": "kiln", "sector": "cement", "abatement_rate": 0.1, "maximum_share": 1.0}
COSTS = ("capex_cny_per_t", "fixed_opex_cny_per_t", "variable_opex_cny_per_t", "fuel_saving_cny_per_t")


def last_of(table: OfferTable) -> dict[str, object]:
    """Return the row of the cut of output, without its code, which counts the measures before it."""
    return {one.name: np.asarray(getattr(table, one.name)[-1]).tolist() for one in fields(table) if one.name != "code"}


def test_the_cut_of_output_is_the_same_row_with_and_without_measures() -> None:
    without = offers_in(InstanceInputs.of(market(UNITS)))
    some = offers_in(
        InstanceInputs.of(market(UNITS, measures=[{**MEASURE, **dict.fromkeys(COSTS, 1.0), "lifetime_years": 1}]))
    )
    assert len(without.names) == 1
    assert some.names.tolist() == ["kiln", "output_cut"]
    assert last_of(without) == last_of(some)
    assert (last_of(without)["step"], last_of(without)["steps"]) == (1, 1)
    assert without.code.tolist() == [0]
    assert some.code.tolist() == [0, 1]
