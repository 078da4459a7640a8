"""The sums of the statements with the bound of their rounding, and the parts of the evidence that count."""

from __future__ import annotations

import numpy as np
import pytest

from etsopt.checking.arithmetic import ROUNDOFF
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.reconciliation.evidence import CENTRAL, read_evidence
from etsopt.checking.tolerances import UNCERTAINTY_MARGIN_RELATIVE
from tests.checking.reconciliation.small import evidence_of
from tests.reconciliations import by_hand, instance_of

ONE_SUM = [(0, 0, 1.0), (0, 1, -2.0), (0, 2, 4.0)]


def test_the_figures_of_the_method_are_those_of_the_page() -> None:
    assert (CENTRAL, UNCERTAINTY_MARGIN_RELATIVE) == (0.1, 1e-6)


@pytest.mark.parametrize(
    ("terms", "most"), [([], 0), (ONE_SUM, 3), ([(row, 0, 1.0) for row in range(3)], 3), ([(0, 1, 1.0)], 1)]
)
def test_terms_are_counted_by_statement_and_by_quantity(terms: list[tuple[int, int, float]], most: int) -> None:
    assert evidence_of([{}] * 3, [{}] * 3, terms).terms == most


def test_a_sum_is_off_by_no_more_than_a_rounding_of_each_term_and_four() -> None:
    evidence = evidence_of([{}] * 3, [{}], ONE_SUM)
    total, error = evidence.sums(np.array([10.0, 3.0, 2.0]))
    assert total.tolist() == [12.0]
    # The absolute terms total 24.
    assert 7 * 24 <= error[0] / ROUNDOFF <= 1.05 * 7 * 24


def test_a_quantity_is_pulled_by_the_multipliers_of_its_statements() -> None:
    pull, size = evidence_of([{}] * 2, [{}] * 2, [(0, 0, 2.0), (1, 0, -3.0)]).pulls(np.array([5.0, 7.0]))
    assert pull.tolist() == [-11.0, 0.0]
    assert size.tolist() == [31.0, 0.0]


@pytest.mark.parametrize(("amount", "off"), [(8.0, -2.0), (10.0, 0.0), (11.0, 0.0), (12.0, 0.0), (15.0, 3.0)])
def test_the_distance_from_a_range_is_signed(amount: float, off: float) -> None:
    rows = [{"lower": 10.0, "upper": 12.0}, {"lower": 10.0}, {"upper": 12.0}]
    found = evidence_of([{}], rows, [(row, 0, 1.0) for row in range(3)]).outside(np.array([amount]))
    assert found.tolist() == [off, min(off, 0.0), max(off, 0.0)]


def test_a_sum_reaches_as_far_as_its_quantities() -> None:
    evidence = evidence_of([{"most": 10.0}, {"most": 20.0}], [{}, {}], [(0, 0, -0.5), (0, 1, 2.0)])
    assert evidence.reach.tolist() == [45.0, 0.0]


def test_without_some_statements_the_terms_of_the_others_stay() -> None:
    evidence = evidence_of(
        [{}] * 2, [{"upper": float(row)} for row in range(4)], [(3, 1, 5.0), (1, 0, 2.0), (2, 0, 3.0)]
    )
    kept = evidence.only(np.array([True, False, True, True]))
    assert kept.statements["upper"].tolist() == [0.0, 2.0, 3.0]
    assert kept.statement.tolist() == [2, 1]
    assert kept.quantity.tolist() == [1, 0]
    assert kept.coefficient.tolist() == [5.0, 3.0]


def test_a_side_that_is_absent_is_the_value_and_without_one_no_limit() -> None:
    quantity = {"unit_id": "a", "quantity_id": "coal", "emissions_tco2e_per_unit": 2.0, "most": 9.0}
    statement = {"unit_id": "a", "kind": "balance", "uncertainty": 1.0}
    sides = [{"value": 5.0}, {"value": 5.0, "lower": 4.0}, {"value": 5.0, "upper": 6.0}, {"lower": 4.0}, {"upper": 6.0}]
    names = [f"s{place}" for place in range(len(sides))]
    rows = [statement | {"statement_id": name} | own for name, own in zip(names, sides, strict=True)]
    terms = [{"unit_id": "a", "statement_id": name, "quantity_id": "coal", "coefficient": 1.0} for name in names]
    read = read_evidence(InstanceInputs.of(instance_of([quantity], rows, terms))).statements
    assert read["lower"].tolist() == [5.0, 4.0, 5.0, 4.0, -np.inf]
    assert read["upper"].tolist() == [5.0, 5.0, 6.0, np.inf, 6.0]


def test_the_evidence_by_hand_is_read_as_it_is_stated() -> None:
    evidence = read_evidence(InstanceInputs.of(by_hand()))
    assert evidence.quantities["unit"].tolist() == [0, 0, 0, 0, 1]
    assert evidence.quantities["factor"].tolist() == [0.5, 2.0, 0.5, 2.0, 2.0]
    assert evidence.quantities["reported"].fillna(-1.0).tolist() == [100.0, 50.0, 200.0, -1.0, 10.0]
    assert evidence.statement.tolist() == [0, 0, 1, 1, 2]
    assert evidence.quantity.tolist() == [0, 1, 2, 3, 4]
    assert evidence.coefficient.tolist() == [-0.2, 1.0, -0.2, 1.0, 1.0]
