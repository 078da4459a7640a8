"""Statements on the tables of a reconciliation, each at the edge of what it tolerates.

The file is long because all of them are about one small instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.reconciliation.evidence import read_evidence
from etsopt.checking.reconciliation.reconciliation import (
    AMOUNTS,
    MULTIPLIERS,
    _agreement,
    _excesses,
    _gross_errors,
    _levels,
    _no_multipliers,
    _quantities,
    _units,
)
from etsopt.checking.verdict import LevelCheck, Violation
from tests.reconciliations import instance_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


def quantity(unit: str, name: str, factor: float, most: float, **more: float) -> dict[str, Any]:
    own = {"unit_id": unit, "quantity_id": name, "emissions_tco2e_per_unit": factor, "most": most}
    return own | {"reported": np.nan, "uncertainty": np.nan, "substitute": np.nan} | more


def statement(name: str, uncertainty: float, **sides: float) -> dict[str, Any]:
    own = {"unit_id": "a", "statement_id": name, "kind": "balance", "uncertainty": uncertainty}
    return own | {"value": np.nan, "lower": np.nan, "upper": np.nan} | sides


def term(statement: str, name: str, coefficient: float) -> dict[str, Any]:
    return {"unit_id": "a", "statement_id": statement, "quantity_id": name, "coefficient": coefficient}


# Two statements: ash and coal total 150 to 300, within 0.5, and ash is at most 50, within 2.
INSTANCE = instance_of(
    [
        quantity("a", "ash", -0.5, 100.0, substitute=30.0),
        quantity("a", "coal", 4.0, 1000.0, reported=200.0, uncertainty=2.0, substitute=7.0),
        quantity("a", "oil", 3.0, 10.0),
        quantity("b", "coal", 2.0, 500.0, reported=80.0, uncertainty=0.25),
    ],
    [statement("most", 2.0, upper=50.0), statement("sum", 0.5, lower=150.0, upper=300.0)],
    [term("most", "ash", 1.0), term("sum", "ash", 1.0), term("sum", "coal", 1.0)],
)
EVIDENCE = read_evidence(InstanceInputs.of(INSTANCE))
QUANTITIES, STATEMENTS = pd.DataFrame(INSTANCE.quantities), pd.DataFrame(INSTANCE.statements)
TRUE = np.array([20.0, 200.0, 5.0, 80.0])
NONE = np.zeros(4, dtype=bool), np.zeros(2, dtype=bool)
LIMIT = 1 + 1e-6
"""Distance of a gross error, in uncertainties."""


def moved(place: int, by: float) -> NDArray[np.float64]:
    return TRUE + by * (np.arange(len(TRUE)) == place)


def marked(place: int, gross: bool = True) -> tuple[Mask, Mask]:
    """Marks of gross errors: that of a quantity, from the fourth place on that of a statement."""
    marks = gross & (np.arange(6) == place)
    return marks[:4], marks[4:]


def named(violations: Iterable[Violation]) -> dict[str, float]:
    """Amounts of violations by what they are of."""
    return {violation.where: violation.amount for violation in violations}


@pytest.mark.parametrize(
    ("place", "name", "column", "start", "uncertainty"),
    [
        (1, "a coal", 1, 0.0, 2.0),
        (1, "a coal", 1, 0.0, -2.0),
        (3, "b coal", 3, 0.0, 0.25),
        # The ash is 20 of 50, and with the coal 220 of at least 150.
        (4, "a most", 0, 30.0, 2.0),
        (5, "a sum", 1, -70.0, -0.5),
    ],
)
def test_a_gross_error_is_what_moves_by_more_than_its_uncertainty_and_a_millionth_of_it(
    place: int, name: str, column: int, start: float, uncertainty: float
) -> None:
    def wrong(gross: bool, off: float) -> dict[str, float]:
        # The ash and the coal move other marks with them.
        marks = marked(place, gross)
        marks[0][1] |= name == "a sum"
        return named(
            _gross_errors(
                EVIDENCE, InstanceInputs.of(INSTANCE), moved(column, start + uncertainty * (LIMIT + off)), marks
            )
        )

    for off in (-0.9e-9, 0.9e-9):
        # At the limit either is right.
        assert wrong(True, off) == wrong(False, off) == {}
    assert wrong(True, -1.1e-9) == wrong(False, 1.1e-9) == {name: 1.0}
    assert wrong(True, 1.1e-9) == wrong(False, -1.1e-9) == {}


def test_a_quantity_without_a_report_is_no_gross_error() -> None:
    assert named(_gross_errors(EVIDENCE, InstanceInputs.of(INSTANCE), moved(2, 5.0), NONE)) == {}
    assert named(_gross_errors(EVIDENCE, InstanceInputs.of(INSTANCE), moved(2, 5.0), marked(2))) == {"a oil": 1.0}


def quantities(column: str = "reconciled", place: int = 1, amount: float = 200.0, basis: str = "") -> pd.DataFrame:
    """The table of quantities with one amount changed, and its basis."""
    table = QUANTITIES[["unit_id", "quantity_id", "reported"]].assign(**dict.fromkeys(AMOUNTS, TRUE))
    table["basis"] = pd.Series(["substituted", "reported", "substituted", "reported"], dtype=object)
    table.loc[place, column] = amount
    if basis:
        table.loc[place, "basis"] = basis
    return table


def test_the_report_of_a_quantity_is_that_of_the_instance() -> None:
    assert list(_quantities(EVIDENCE, quantities())) == []
    wanted = {"a coal": 0.25}
    assert named(_quantities(EVIDENCE, quantities("reported", amount=200.25))) == wanted


@pytest.mark.parametrize("column", AMOUNTS)
@pytest.mark.parametrize("beyond", [1.5e-6, 0.5e-6])
def test_quantities_are_from_zero_to_the_largest_possible_one_within_a_billionth_of_it(
    column: str, beyond: float
) -> None:
    for amount in (1000.0 + beyond, -beyond):
        found = [
            one for one in _quantities(EVIDENCE, quantities(column, 1, amount, "adjusted")) if one.rule == "possible"
        ]
        assert named(found) == pytest.approx({"a coal": 0.5e-6} if beyond > 1e-6 else {}, abs=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    ("billionths", "right"),
    [
        (0.0, {"reported"}),
        (0.9985, {"reported"}),
        (0.9995, {"reported", "adjusted"}),
        (1.0005, {"reported", "adjusted"}),
        (1.0015, {"adjusted"}),
    ],
)
def test_the_basis_tells_reports_from_quantities_that_a_billionth_or_more_is_off(
    billionths: float, right: set[str], sign: float
) -> None:
    # The billionth is one of the larger of both.
    amount = 200.0 * (1 + 1e-9 * billionths) if sign > 0 else 200.0 / (1 + 1e-9 * billionths)
    for basis in ("reported", "adjusted", "substituted"):
        found = named(_quantities(EVIDENCE, quantities(amount=amount, basis=basis)))
        assert found == ({} if basis in right else {"a coal": 1.0})


def test_a_quantity_reported_and_reconciled_as_zero_is_not_adjusted() -> None:
    instance = instance_of(
        [quantity("a", "coal", 1.0, 9.0, reported=0.0, uncertainty=1.0)],
        [statement("most", 1.0, upper=5.0)],
        [term("most", "coal", 1.0)],
    )
    table = pd.DataFrame(instance.quantities)[["unit_id", "quantity_id", "reported"]].assign(
        **dict.fromkeys(AMOUNTS, 0.0)
    )
    assert named(_quantities(read_evidence(InstanceInputs.of(instance)), table.assign(basis="reported"))) == {}
    assert named(_quantities(read_evidence(InstanceInputs.of(instance)), table.assign(basis="adjusted"))) == {
        "a coal": 1.0
    }


def test_only_a_quantity_without_a_report_is_substituted() -> None:
    for basis in ("reported", "adjusted"):
        assert named(_quantities(EVIDENCE, quantities(place=0, amount=20.0, basis=basis))) == {"a ash": 1.0}


@pytest.mark.parametrize("column", ["least_adjusted", "reconciled"])
def test_excesses_are_distances_in_uncertainties_within_the_rounding_of_their_sum(column: str) -> None:
    # Ash of 60 is 5 uncertainties of 2 above 50; the sum of coal and ash reaches 1100, 2.2e-6 of its own.
    amounts = {"least_adjusted": TRUE, "reconciled": TRUE} | {column: moved(0, 40.0)}
    table = STATEMENTS.assign(least_adjusted_excess=0.0, reconciled_excess=0.0)
    table.loc[0, f"{column}_excess"] = 5.0
    assert list(_excesses(EVIDENCE, table, amounts)) == []
    for off, excess in ((2.2005e-6, {}), (2.202e-6, {"a sum": 1e-9})):
        table.loc[1, f"{column}_excess"] = off
        assert named(_excesses(EVIDENCE, table, amounts)) == pytest.approx(excess, abs=1e-15)


@pytest.mark.parametrize("column", MULTIPLIERS)
def test_a_gross_error_has_no_multiplier_of_a_program_without_it(column: str) -> None:
    table = STATEMENTS.assign(**dict.fromkeys(MULTIPLIERS, 0.0))
    table[column] = [0.125, 0.25]
    found = named(_no_multipliers(table, np.array([False, True])))
    assert found == ({} if column == "adjustment_multiplier" else {"a sum": 0.25})


AMOUNTS_OF_ENDS = {"reconciled": TRUE, "at_lowest": TRUE - 1.0, "at_highest": TRUE + 1.0}
UNITS = pd.DataFrame(
    {
        "quantities": [3, 1],
        "substituted": [2, 0],
        "gross_reports": [0, 1],
        "statements": [2, 0],
        "gross_statements": [1, 0],
        "reported_tco2e": [800.0, 160.0],
        "reconciled_tco2e": [-10.0 + 800 + 15, 160.0],
        "lowest_tco2e": [-9.5 + 796 + 12, 158.0],
        "highest_tco2e": [-10.5 + 804 + 18, 162.0],
        # The substitute of the ash is 30; that of the coal is not used, and the oil has none.
        "conservative_tco2e": [-15.0 + 800 + 15, 160.0],
    }
)
GROSS = np.array([False, False, False, True]), np.array([False, True])


@pytest.mark.parametrize("column", UNITS.columns)
def test_counts_and_emissions_of_a_unit_are_those_of_its_quantities(column: str) -> None:
    assert list(_units(InstanceInputs.of(INSTANCE), EVIDENCE, UNITS, AMOUNTS_OF_ENDS, GROSS)) == []
    for unit in (0, 1):
        table = UNITS.astype(float)
        table.loc[unit, column] += 1.0
        found = named(_units(InstanceInputs.of(INSTANCE), EVIDENCE, table, AMOUNTS_OF_ENDS, GROSS))
        assert found == pytest.approx({"ab"[unit]: 1.0}, abs=0.021)


def test_emissions_are_off_by_no_more_than_20_kg_and_a_billionth_of_their_parts() -> None:
    # The parts of ash and coal are 5e8 t and 5e8 t, and cancel.
    amounts = {"reconciled": np.array([1e9, 1.25e8, 5.0, 80.0])}
    amounts |= {"at_lowest": amounts["reconciled"], "at_highest": amounts["reconciled"]}
    table = UNITS.astype(float)
    for name in ("reconciled", "lowest", "highest"):
        table.loc[:, f"{name}_tco2e"] = [15.0, 160.0]
    table.loc[:, "conservative_tco2e"] = [-15.0 + 5e8 + 15, 160.0]
    for off, excess in ((1.0199, {}), (1.0301, {"a": 0.0101})):
        table.loc[0, "reconciled_tco2e"] = 15.0 + off
        assert named(_units(InstanceInputs.of(INSTANCE), EVIDENCE, table, amounts, GROSS)) == pytest.approx(
            excess, abs=1e-4
        )


@pytest.mark.parametrize("column", AMOUNTS)
@pytest.mark.parametrize(
    ("place", "by", "name", "excess"),
    [
        # A report within 2 and a millionth of that, and a billionth of the largest quantity of 1000.
        (1, 2.0000028, "a coal", 0.0),
        (1, 2.0000033, "a coal", 0.3e-6),
        (1, -2.0000028, "a coal", 0.0),
        (1, -2.0000033, "a coal", 0.3e-6),
        # Ash within 50, 2 of uncertainty and twice a millionth of that, and a billionth of 100.
        (0, 32.0000040, "a most", 0.0),
        (0, 32.0000044, "a most", 0.3e-6),
        # Without a report there is no limit but the largest quantity.
        (0, 30.0, "", 0.0),
        (0, -20.0, "", 0.0),
        (2, 5.0, "", 0.0),
        (2, 5.0001, "a oil", 1e-4),
    ],
)
def test_quantities_and_sums_agree_with_the_evidence_within_its_uncertainty(
    column: str, place: int, by: float, name: str, excess: float
) -> None:
    amounts = dict.fromkeys(AMOUNTS, TRUE) | {column: moved(place, by)}
    found = named(_agreement(EVIDENCE, InstanceInputs.of(INSTANCE), amounts, NONE))
    # The first adjustment may leave the evidence, since gross errors are what it moves away from.
    wanted = {name: excess} if excess and column != "least_adjusted" else {}
    assert found == pytest.approx(wanted, abs=1e-7)
    # A gross error says nothing.
    gross = marked({"a coal": 1, "a most": 4}.get(name, 4))
    assert name == "a oil" or named(_agreement(EVIDENCE, InstanceInputs.of(INSTANCE), amounts, gross)) == {}


@pytest.mark.parametrize(("side", "sign"), [("upper", 1.0), ("lower", -1.0)])
def test_a_sum_agrees_within_the_rounding_of_all_that_it_reaches(side: str, sign: float) -> None:
    # Coal of 200 and ash of 20: half a tonne of uncertainty, twice a millionth of it, and a billionth of 1100 t.
    evidence = read_evidence(InstanceInputs.of(INSTANCE))
    for off, excess in ((1.9e-6, {}), (2.2e-6, {"a sum": 0.1e-6})):
        evidence.statements.loc[1, side] = 220.0 - sign * (0.5 + off)
        amounts = dict.fromkeys(AMOUNTS, TRUE)
        assert named(_agreement(evidence, InstanceInputs.of(INSTANCE), amounts, NONE)) == pytest.approx(
            excess, abs=1e-8
        )


def test_objectives_are_recomputed_from_the_tables_with_their_own_tolerances() -> None:
    table = STATEMENTS.assign(**dict.fromkeys(MULTIPLIERS, 0.0))
    # Coal is 7.5 of its uncertainties off, and that of b half of one.
    amounts = {
        "least_adjusted": moved(1, 15.0),
        "reconciled": moved(3, 0.125),
        "at_lowest": np.array([100.0, 200.0, 0.0, 79.75]),
        "at_highest": np.array([0.0, 202.0, 10.0, 80.0]),
    }
    first, second, interval = _levels(EVIDENCE, amounts, NONE, table)
    assert first == LevelCheck("adjustment", "1", 7.5, 7.5 - first.gap, first.gap, 1e-6)
    assert first.gap == pytest.approx(7.5)
    assert second == LevelCheck("estimate", "1", 0.5, 0.5 - second.gap, second.gap, 1e-6)
    # From 4 x 200 - 50 + 2 x 79.75 to 4 x 202 + 30 + 160; the least is 8 t less, and the most 0.5 t more.
    assert interval == LevelCheck("interval", "t", 909.5 - 998.0, -88.5 - interval.gap, interval.gap, 0.02)
    assert interval.gap == pytest.approx(8.5, abs=1e-4)
    # A billionth of 5e5 uncertainties of the coal, and of those of its sum.
    large = amounts | {"least_adjusted": moved(1, 1e6)}
    value = 5e5 + (1e6 + 220 - 300) / 0.5
    assert next(iter(_levels(EVIDENCE, large, NONE, table))).tolerance == 1e-9 * value
