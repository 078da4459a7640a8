"""Relaxed limits with exceptions, bands of enterprises and wider bands, each statement by itself.

The file is long because all of them are about one small instance.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.allocation.limits import derive
from etsopt.checking.allocation.relaxed_limits import (
    COLUMNS,
    _bands,
    _exceptions,
    _kept_limits,
    _lines_are_stated,
    _relaxed_rows,
    _shape,
    _targets_ruled_out,
    check_relaxed_limits,
)
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.verdict import Violation
from tests.builders import given

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import etsopt

TARGET, BAND = "target_relaxation", "band_relaxation"
NO_WIDENING = np.zeros(4)


@cache
def instance(band_on: str = "unit", exceptions: int = 2) -> etsopt.Instance:
    """Two units of one enterprise, and two of their own; bands of 10 %, exceptions of 30 % below and 20 % above."""
    rows = [
        ("a", "both", "cement", "p", 1000.0, 1000.0),
        ("b", "both", "cement", "p", 2000.0, 2000.0),
        ("c", "c", "cement", "p", 4000.0, 4000.0),
        ("d", "d", "steel", "p", 500.0, 500.0),
    ]
    allocation: dict[str, Any] = {"band_on": band_on}
    if exceptions:
        allocation["exceptions"] = {"units": exceptions, "lower": 0.3, "upper": 0.2}
    sectors = {"cement": {"band": 0.1, "target_t": 7700.0}, "steel": {"band": {"lower": 0.05, "upper": 0.1}}}
    return given(rows, {"sectors": sectors, "allocation": allocation})


def chosen(names: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.array([name in names for name in "abcd"])


@pytest.mark.parametrize(
    ("own", "widening", "is_exception"),
    [
        (900.0, 0.0, False),
        (899.9, 0.0, True),
        (1100.0, 0.0, False),
        (1100.1, 0.0, True),
        (1000.0, 0.0, False),
        (899.9, 50.0, False),
        (849.9, 50.0, True),
        (1100.1, 50.0, False),
        (1150.1, 50.0, True),
    ],
)
def test_an_exception_is_outside_its_band_as_far_as_that_is_not_wider(
    own: float, widening: float, is_exception: bool
) -> None:
    allowance = np.array([own, 1500.0, 4000.0, 500.0])
    wider = np.array([widening, 0.0, 0.0, 0.0])
    found = _exceptions(
        InstanceInputs.of(instance()), derive(InstanceInputs.of(instance())), chosen("a"), BAND, allowance, wider
    )
    wanted = Violation("relaxed_limits", f"{BAND}, a", 1.0, "cells", "a unit within its band is no exception")
    assert found == ([] if is_exception else [wanted])
    # What is no exception is no lie, wherever it is.
    assert (
        _exceptions(
            InstanceInputs.of(instance()), derive(InstanceInputs.of(instance())), chosen(""), BAND, allowance, wider
        )
        == []
    )


@pytest.mark.parametrize(
    ("total", "widening", "is_exception"),
    [
        (2700.0, 0.0, False),
        (2699.9, 0.0, True),
        (3300.0, 0.0, False),
        (3300.1, 0.0, True),
        (2699.9, 50.0, False),
        (2649.9, 50.0, True),
        (3300.1, 50.0, False),
        (3350.1, 50.0, True),
    ],
)
def test_an_exception_in_an_enterprise_has_a_band_of_that_which_is_missed(
    total: float, widening: float, is_exception: bool
) -> None:
    shared = instance("enterprise")
    # However far the unit itself is from its emissions.
    allowance = np.array([100.0, total - 100.0, 4000.0, 500.0])
    found = _exceptions(
        InstanceInputs.of(shared),
        derive(InstanceInputs.of(shared)),
        chosen("ab"),
        TARGET,
        allowance,
        np.array([widening, 0.0, 0.0, 0.0]),
    )
    assert [one.where for one in found] == ([] if is_exception else [f"{TARGET}, a", f"{TARGET}, b"])


def kept(
    allowance: Sequence[float],
    names: str = "",
    way: str = TARGET,
    wider: Mapping[str, float] | None = None,
    on: str = "unit",
) -> dict[str, float]:
    found = _kept_limits(InstanceInputs.of(instance(on)), chosen(names), way, np.array(allowance), wider or {})
    return {violation.where: violation.amount for violation in found}


def test_a_unit_keeps_its_band_or_that_of_an_exception() -> None:
    assert kept([900.0, 2200.0, 4400.0, 475.0]) == {}
    assert kept([899.0, 2201.0, 4400.0, 474.0]) == {f"{TARGET}, a": 1.0, f"{TARGET}, b": 1.0, f"{TARGET}, d": 1.0}
    assert kept([700.0, 2400.0, 4000.0, 500.0], "ab") == {}
    assert kept([699.0, 2401.0, 4000.0, 500.0], "ab") == {f"{TARGET}, a": 1.0, f"{TARGET}, b": 1.0}
    # A kilogram and a billionth of the emissions of 4 kt.
    assert kept([1000.0, 2000.0, 4400.001003, 500.0]) == {}
    assert kept([1000.0, 2000.0, 4400.001005, 500.0]).keys() == {f"{TARGET}, c"}


def test_no_more_units_are_exceptions_than_are_allowed() -> None:
    assert kept([1000.0, 2000.0, 4000.0, 500.0], "ab") == {}
    found = _kept_limits(
        InstanceInputs.of(instance()), chosen("abc"), TARGET, np.array([1000.0, 2000.0, 4000.0, 500.0]), {}
    )
    message = "no more units are exceptions than are allowed"
    assert found == [Violation("relaxed_limits", TARGET, 3.0, "units", message)]


def test_a_wider_band_is_as_wide_as_its_farthest_unit_needs() -> None:
    # Cement has 0.05 more: a needs all of it and c 0.02.
    allowance = [850.0, 2000.0, 3520.0, 500.0]
    assert kept(allowance, way=BAND, wider={"cement": 0.05}) == {}
    assert kept(allowance, way=BAND, wider={"cement": 0.049}) == {f"{BAND}, a": pytest.approx(1.0)}
    for more, refused in ((0.9e-8, False), (1.1e-8, True), (1.0, True)):
        found = kept(allowance, way=BAND, wider={"cement": 0.05 + more})
        assert found == ({f"{BAND}, cement": pytest.approx(more)} if refused else {})
    # A band that no unit leaves need not be wider at all.
    inside = [1000.0, 2000.0, 4000.0, 500.0]
    assert kept(inside, way=BAND, wider={"steel": 0.9e-8}) == {}
    assert kept(inside, way=BAND, wider={"steel": 1.1e-8}) == {f"{BAND}, steel": pytest.approx(1.1e-8)}


def test_a_wider_band_of_an_enterprise_is_that_of_all_its_units() -> None:
    # 2700 to 3300 t, and a twentieth of 3000 t on either side; the target of 7700 t stands as it is.
    for total, off in ((2550.0, 0.0), (2549.0, 1.0), (3450.0, 0.0), (3451.0, 1.0)):
        found = kept([100.0, total - 100.0, 3700.0, 500.0], way=BAND, wider={"cement": 0.05}, on="enterprise")
        assert found == ({f"{BAND}, enterprise_band both": pytest.approx(off)} if off else {})
    # It says nothing of the width, which no unit alone needs; steel has units of their own.
    assert kept([1000.0, 2000.0, 4000.0, 500.0], way=BAND, wider={"cement": 0.05}, on="enterprise") == {}
    found = kept([1000.0, 2000.0, 4000.0, 500.0], way=BAND, wider={"steel": 0.05}, on="enterprise")
    assert found == {f"{BAND}, steel": 0.05}


def test_limits_that_a_way_does_not_relax_stand() -> None:
    # 7700 t of cement: its target is relaxed by one way and stands in the other, within 20 kg and a billionth.
    above = [1000.0, 2000.0, 4800.0, 500.0]
    assert f"{TARGET}, sector_target cement" not in kept(above, "c")
    message = "a limit that is not relaxed is kept"
    assert _kept_limits(InstanceInputs.of(instance()), chosen("c"), BAND, np.array(above), {}) == [
        Violation("relaxed_limits", f"{BAND}, sector_target cement", 100.0, "", message)
    ]
    for off, refused in ((0.0200076, False), (0.0200078, True)):
        found = kept([1000.0, 2000.0, 4700.0 + off, 500.0], "c", BAND)
        assert (found.keys() == {f"{BAND}, sector_target cement"}) is refused
    # The band of an enterprise stands in either.
    shared = kept([1000.0, 2400.0, 4000.0, 500.0], way=TARGET, on="enterprise")
    assert shared == {f"{TARGET}, enterprise_band both": 100.0}


def test_units_at_their_emissions_have_no_band_and_need_none() -> None:
    rows = [("a", "a", "steel", "p", 500.0, 500.0), ("z", "z", "steel", "p", 0.0, 0.0)]
    own = given(rows, {"sectors": {"steel": {"band": 0.1}}})
    for wider in ({}, {"steel": 0.05}):
        found = _kept_limits(InstanceInputs.of(own), np.zeros(2, dtype=bool), BAND, np.array([500.0, 7.0]), wider)
        assert [violation.where for violation in found] == [f"{BAND}, steel" for _ in wider]


def test_the_first_row_may_be_that_of_an_enterprise() -> None:
    rows = [("a", "both", "steel", "p", 1000.0, 1000.0), ("b", "both", "steel", "p", 2000.0, 2000.0)]
    own = given(rows, {"sectors": {"steel": {"band": 0.1}}, "allocation": {"band_on": "enterprise"}})
    demands, nobody = derive(InstanceInputs.of(own)), np.zeros(2, dtype=bool)
    assert demands.enterprise.tolist() == [0, 0]
    # 2700 to 3300 t, and a tenth more on either side.
    for total, wider, off in ((2700.0, 0.0, 0.0), (2600.0, 0.0, 100.0), (2400.0, 0.1, 0.0), (3700.0, 0.1, 100.0)):
        found = _kept_limits(InstanceInputs.of(own), nobody, BAND, np.array([0.0, total]), {"steel": wider})
        assert [violation.amount for violation in found] == ([pytest.approx(off)] if off else [])
    both, missed = ~nobody, np.array([0.0, 2600.0])
    widened = np.array([60.0, 60.0])
    assert _exceptions(InstanceInputs.of(own), demands, both, BAND, missed, np.zeros(2)) == []
    assert len(_exceptions(InstanceInputs.of(own), demands, both, BAND, missed, widened)) == 2


def test_whole_tonnes_that_exceptions_add_to_an_enterprise_are_rounded_for_it() -> None:
    # Bands of units in whole tonnes are 1104 and 1305 t, so that an exception adds 201 t. An enterprise has 2208 t,
    # which either unit may use, and its exception adds the whole tonnes of 200.8 t.
    rows = [("a", "both", "cement", "p", 1004.0, 1004.0), ("b", "both", "cement", "p", 1004.0, 1004.0)]
    for band_on, highest in (("unit", 1104.0 + 1305.0), ("enterprise", 2 * 2208.0 + 200.0)):
        allocation = {"band_on": band_on, "integer_allowances": True}
        allocation |= {"exceptions": {"units": 1, "lower": 0.1, "upper": 0.3}}
        cement = {"band": 0.1, "target_t": highest + 10.0, "target_sense": "exactly"}
        own = given(rows, {"sectors": {"cement": cement}, "allocation": allocation})
        lines = _targets_ruled_out(InstanceInputs.of(own), derive(InstanceInputs.of(own)))
        assert lines == [("alone", "target", "cement", 10.0, highest + 10.0, highest, "t")]


@pytest.mark.parametrize(("band_on", "lowest"), [("unit", 2 * 703.0 + 3500.0), ("enterprise", 4500.0 - 2 * 200 - 1000)])
def test_whole_tonnes_that_exceptions_take_from_an_enterprise_are_rounded_for_it(band_on: str, lowest: float) -> None:
    # Of 1004 t a unit has at least 904 t, and 703 t as an exception; in an enterprise it may have nothing, and less
    # than that by the whole tonnes of 200.8 t, which the others of it have to spare.
    rows = [(name, "both", "cement", "p", 1004.0, 1004.0) for name in "ab"] + [("c", "c", "cement", "p", 5e3, 5e3)]
    allocation = {"band_on": band_on, "integer_allowances": True}
    allocation |= {"exceptions": {"units": 3, "lower": 0.3, "upper": 0.1}}
    own = given(rows, {"sectors": {"cement": {"band": 0.1, "target_t": lowest - 10.0}}, "allocation": allocation})
    lines = _targets_ruled_out(InstanceInputs.of(own), derive(InstanceInputs.of(own)))
    assert lines == [("alone", "target", "cement", 10.0, lowest - 10.0, lowest, "t")]


@pytest.mark.parametrize("sense", ["at_most", "exactly"])
@pytest.mark.parametrize("exceptions", [0, 1, 2])
@pytest.mark.parametrize("band_on", ["unit", "enterprise"])
def test_a_target_is_ruled_out_by_the_bands_of_its_sector_and_the_largest_exceptions(
    sense: str, exceptions: int, band_on: str
) -> None:
    # 6300 to 7700 t; an exception adds a fifth below and a tenth above: 800 and 400 t of c first, then those of b.
    lower = {0: 6300.0, 1: 5500.0, 2: 5100.0}[exceptions]
    upper = {0: 7700.0, 1: 8100.0, 2: 8300.0}[exceptions]
    if band_on == "enterprise":
        # A unit of the enterprise may have nothing, or all of it: 3600 t, and twice 3300 t with 4400 t.
        lower, upper = lower - 2700.0, upper + 3300.0

    def ruled_out(target: float) -> list[Any]:
        changes = {"sectors.cement.target_t": target, "sectors.cement.target_sense": sense}
        own = instance(band_on, exceptions).with_policy(changes)
        return _targets_ruled_out(InstanceInputs.of(own), derive(InstanceInputs.of(own)))

    assert ruled_out(lower - 0.9e-3) == ruled_out(upper + 0.9e-3) == []
    for off in (1.5e-3, 100.0):
        wanted = ("alone", "target", "cement", pytest.approx(off), pytest.approx(lower - off), lower, "t")
        assert ruled_out(lower - off) == [wanted]
        wanted = ("alone", "target", "cement", pytest.approx(off), pytest.approx(upper + off), upper, "t")
        assert ruled_out(upper + off) == ([wanted] if sense == "exactly" else [])


def test_a_limit_is_relaxed_if_it_is_missed_by_more_than_a_kilogram() -> None:
    own = instance().with_policy({"sectors.cement.target_sense": "exactly"})
    for off, relaxed in ((0.9e-3, False), (1.5e-3, True), (-0.9e-3, False), (-1.5e-3, True)):
        lines = _relaxed_rows(derive(InstanceInputs.of(own)), TARGET, np.array([1000.0, 2000.0, 4700.0 + off, 500.0]))
        wanted: Any = (TARGET, "target", "cement", pytest.approx(abs(off)), 7700.0, pytest.approx(7700.0 + off), "t")
        assert lines == ([wanted] if relaxed else [])


def test_a_band_is_widened_from_its_wider_side() -> None:
    rows = [
        (BAND, "band", "steel", 0.25, 0.1, 0.35, "rate"),
        (BAND, "band", "cement", 1.5e-9, 0.1, 0.1, "rate"),
        (BAND, "band", "none", 0.25, 0.1, 0.35, "rate"),
        (BAND, "target", "steel", 0.5, 0.1, 0.6, "t"),
        (TARGET, "band", "cement", 0.5, 0.1, 0.6, "rate"),
    ]
    stated = pd.DataFrame(rows, columns=list(COLUMNS))
    assert _bands(InstanceInputs.of(instance()), stated, BAND) == [
        (BAND, "band", "steel", 0.25, 0.1, 0.35, "rate"),
        (BAND, "band", "cement", 1.5e-9, 0.1, 0.1 + 1.5e-9, "rate"),
    ]
    assert _bands(InstanceInputs.of(instance()), stated, TARGET) == []
    assert _bands(InstanceInputs.of(instance()), stated.assign(by=1e-9), BAND) == []


def units(**columns: Any) -> pd.DataFrame:
    own = {"unit_id": list("abcd"), f"{TARGET}_allowance_t": [900.0, 1800.0, 3600.0, 475.0]}
    return pd.DataFrame(own | {f"{TARGET}_exceptional": [False] * 4} | columns)


def test_every_adjustable_unit_is_an_exception_or_none() -> None:
    limits, own = pd.DataFrame(columns=list(COLUMNS)), derive(InstanceInputs.of(instance()))

    def wrong(table: pd.DataFrame) -> list[Violation]:
        return _shape(InstanceInputs.of(instance()), own, {"relaxed_limits": limits, "relaxed_units": table}, True)

    assert wrong(units()) == []
    message = "the column is present, of its kind and one of the table"
    column = f"{TARGET}_exceptional"
    wanted = Violation("tables", f"relaxed_units.{column}", 1.0, "columns", message)
    absent = [replace(wanted, message="the column is present")]
    assert wrong(units().drop(columns=column)) == absent
    assert wrong(units(**{column: [1.0] * 4})) == [replace(wanted, message="the column holds true or false")]
    one_absent = units(**{f"{TARGET}_allowance_t": [900.0, np.nan, 3600.0, 475.0]})
    assert [violation.where for violation in wrong(one_absent)] == [f"relaxed_units.{TARGET}_allowance_t"]
    missing = _shape(InstanceInputs.of(instance()), own, {"relaxed_units": units()}, True)
    assert missing == [Violation("tables", "relaxed_limits", 1.0, "tables", "the table is present")]
    # Without exceptions the column is none of the table.
    without = instance(exceptions=0)
    found = _shape(
        InstanceInputs.of(without),
        derive(InstanceInputs.of(without)),
        {"relaxed_limits": limits, "relaxed_units": units()},
        True,
    )
    assert found == [wanted]


def test_exceptions_of_a_way_are_those_of_its_column() -> None:
    # The target is ruled out alone, and relaxed by 900 t with a and c as exceptions, which the proof need not equal.
    own = instance().with_policy({"sectors.cement.target_t": 4000.0})
    table = units(
        **{f"{TARGET}_allowance_t": [700.0, 1800.0, 2800.0, 475.0], f"{TARGET}_exceptional": [True, False, True, False]}
    )
    lines = [
        ("alone", "target", "cement", 1100.0, 4000.0, 5100.0, "t"),
        (TARGET, "target", "cement", 1300.0, 4000.0, 5300.0, "t"),
    ]
    tables = {"relaxed_limits": pd.DataFrame(lines, columns=list(COLUMNS)), "relaxed_units": table}
    assert check_relaxed_limits(InstanceInputs.of(own), derive(InstanceInputs.of(own)), tables, 1.0) == []
    swapped = tables | {"relaxed_units": table.assign(**{f"{TARGET}_exceptional": [False, True, True, False]})}
    found = {
        violation.where
        for violation in check_relaxed_limits(InstanceInputs.of(own), derive(InstanceInputs.of(own)), swapped, 1.0)
    }
    assert found == {f"{TARGET}, a", f"{TARGET}, b"}


def test_limits_are_relaxed_by_the_proven_tonnes_and_20_kg_and_a_millionth() -> None:
    own = instance(exceptions=0).with_policy({"sectors.cement.target_t": 6200.0})
    lines = [
        ("alone", "target", "cement", 100.0, 6200.0, 6300.0, "t"),
        (TARGET, "target", "cement", 100.0, 6200.0, 6300.0, "t"),
    ]
    tables = {
        "relaxed_limits": pd.DataFrame(lines, columns=list(COLUMNS)),
        "relaxed_units": units().drop(columns=f"{TARGET}_exceptional"),
    }
    for proven, refused in ((100.0, False), (99.9799001 + 1e-6, False), (99.97989, True), (50.0, True)):
        found = check_relaxed_limits(InstanceInputs.of(own), derive(InstanceInputs.of(own)), tables, proven)
        message = f"limits are relaxed by no more than the proven least, {proven:.12g} t"
        assert found == ([Violation("relaxed_limits", TARGET, 100.0 - proven, "t", message)] if refused else [])


def test_every_line_is_stated_once() -> None:
    line = (TARGET, "target", "cement", 100.0, 6200.0, 6300.0, "t")
    stated = pd.DataFrame([line], columns=list(COLUMNS))
    message = "every relaxed limit has one row, and no other limit has one"
    assert _lines_are_stated(stated, [line]) == []
    wanted = [Violation("relaxed_limits", "relaxed_limits", 2.0, "rows", message)]
    assert _lines_are_stated(stated, [line] * 3) == _lines_are_stated(pd.concat([stated] * 3), [line]) == wanted
    # 20 kg and a billionth of it: more for the 6.2 kt than for the 100 t.
    for column, tolerance in (("by", 0.0200001), ("from", 0.0200062), ("to", 0.0200063)):
        value = stated[column].iloc[0]
        assert _lines_are_stated(stated.assign(**{column: value + tolerance - 2e-8}), [line]) == []
        (violation,) = _lines_are_stated(stated.assign(**{column: value + tolerance + 5e-8}), [line])
        assert (violation.where, violation.unit) == (f"{TARGET} target cement", "t")
        assert violation.message == f"{column} follows from the allocation"
        assert violation.amount == pytest.approx(tolerance, abs=1e-6)


@pytest.mark.parametrize("off", [0.0, 1e-9])
def test_a_target_is_ruled_out_if_bands_miss_it_by_more_than_just_a_kilogram(off: float) -> None:
    def ruled_out(lower: float, upper: float, least: float, most: float) -> list[Any]:
        own, one = instance(), np.array([0])
        names = np.array(["cement"], dtype=object)
        rows = SimpleNamespace(rule=np.array(["sector_target"]), row=one, position=one, index=names)
        rows.least, rows.most = np.array([least]), np.array([most])
        bands = SimpleNamespace(
            **{f"{kind}_{side}": np.zeros(1) for kind in ("shared", "added") for side in ("below", "above")}
        )
        ends = {"lower": np.array([lower]), "upper": np.array([upper]), "in_enterprise": np.array([False])}
        demands: Any = SimpleNamespace(rows=rows, bands=bands, **ends)
        return _targets_ruled_out(InstanceInputs.of(own), demands)

    assert len(ruled_out(0.0, 0.0, 1e-3 + off, 1.0)) == len(ruled_out(1e-3 + off, 2.0, 0.0, 0.0)) == (off > 0)
