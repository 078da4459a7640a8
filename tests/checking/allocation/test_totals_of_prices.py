"""Shadow prices of sectors and provinces are the multipliers of their rows, in the unit of their level."""

from __future__ import annotations

import numpy as np

from etsopt.checking.allocation import totals
from etsopt.checking.allocation.duals import KEPT
from etsopt.checking.allocation.limits import derive
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.checking.allocation.test_totals import UNITS, Tables, changed, made


def prices_of(tables: Tables) -> list[str]:
    found = totals.prices_are_stated(derive(InstanceInputs.of(made()[0])), tables, UNITS)
    assert all(violation.rule == "prices_are_stated" for violation in found)
    return [violation.where for violation in found]


def test_shadow_prices_are_the_multipliers_of_their_rows_to_a_billionth_of_the_largest() -> None:
    _, tables = made()
    assert prices_of(tables) == []
    for by, count in ((1.9e-9, 0), (-1.9e-9, 0), (2.1e-9, 1), (-2.1e-9, 1)):
        assert prices_of(changed("sectors", "change_shadow_price", 1, by)) == ["cement"] * count
    north = int(np.flatnonzero(tables["provinces"]["province"] == "Anhui")[0])
    for by, count in ((0.49e-9, 0), (0.51e-9, 1)):
        assert prices_of(changed("provinces", "change_shadow_price", north, by)) == ["Anhui"] * count
    assert prices_of(changed("provinces", "spread_shadow_price", north, 1e-300)) == ["Anhui"]
    for name, level in (("sectors", "change"), ("provinces", "spread")):
        without = tables | {name: tables[name].drop(columns=f"{level}_shadow_price")}
        found = prices_of(without)
        assert f"{name}.{level}" in found
    texts = tables | {"sectors": tables["sectors"].assign(change_shadow_price="x")}
    assert set(prices_of(texts)) == {"aluminium", "cement", "steel"}


def test_a_level_of_which_only_kept_levels_are_stated_needs_no_prices() -> None:
    _, tables = made()
    duals = tables["duals"]
    only = duals[(duals["level"] != "spread") | (duals["row"] == KEPT)].reset_index(drop=True)
    without = {name: tables[name].drop(columns="spread_shadow_price") for name in ("sectors", "provinces")}
    assert prices_of(tables | {"duals": only} | without) == []


def test_multipliers_are_in_the_unit_of_their_level_by_that_of_their_row() -> None:
    _, tables = made()
    duals = tables["duals"]
    assert totals.units_of_multipliers(duals, UNITS) == []
    for row, unit in enumerate(duals["unit"]):
        for other in ("t/t", "t/rate", "rate/t", "rate/rate", ""):
            if other != unit:
                table = changed("duals", "unit", row, other)["duals"]
                found = totals.units_of_multipliers(table, UNITS)
                assert [violation.where for violation in found] == [duals["level"][row]]
    assert len(totals.units_of_multipliers(changed("duals", "index", 6, "unknown")["duals"], UNITS)) == 1
    # An unknown objective has no unit, and only exceptions have several proofs.
    for level in ("unknown", "change:2", "exceptions:x"):
        table = changed("duals", "level", 0, level)["duals"]
        assert len(totals.units_of_multipliers(table, UNITS)) == 1
        table.loc[0, "unit"] = "/t"
        assert len(totals.units_of_multipliers(table, UNITS)) == 1
