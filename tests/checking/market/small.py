"""A market of three units, two enterprises and two years, put together by hand from the parts that the checker has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from etsopt.checking.market.accounts import Accounts, TradeTerms
from etsopt.checking.market.derived import Market
from etsopt.checking.market.statements import Holdings
from etsopt.checking.readings.baseline import Baseline
from etsopt.checking.readings.choices import Choices

YEARS = 2


def table(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=float)


def baseline_of(**changes: Any) -> Baseline:
    """Allowances follow emissions in the second year alone; the last unit gets A = E there."""
    made = Baseline(
        years=np.array([2025, 2026]),
        discount=np.array([1.0, 0.8]),
        base_output=np.array([100.0, 200.0, 40.0]),
        in_tonnes=np.ones(3, dtype=bool),
        output=table((100, 110), (200, 190), (40, 0)),
        emissions=table((80, 88), (240, 228), (50, 0)),
        intensity=table((0.8, 0.8), (1.2, 1.2), (1.25, 1.25)),
        measured_output=table((100, 110), (200, 190), (40, 0)),
        given=table((70, 75), (230, 220), (45, 3)),
        paid_share=np.array([0.25, 0.125]),
        follows=np.array([[False, True]] * 3),
        follows_output=np.zeros(2, dtype=bool),
        slope=np.array([0.15, 0.5]),
        cap=np.array([0.03, 0.2]),
        balance_value=table((1, 1), (1, 1), (np.nan, np.nan)),
    )
    return replace(made, **changes)


def choices_of(**changes: Any) -> Choices:
    """Two measures at the first unit, of which the second requires the first; two of a group at the second."""
    made = Choices(
        names=np.array(["a", "b", "c", "output_cut"], dtype=object),
        code=np.array([[0, 1], [0, 2], [-1, -1]]),
        step=np.ones((3, 2), dtype=np.int64),
        steps=np.ones((3, 2), dtype=np.int64),
        alone=table((0.1, 0.2), (0.25, 0.5), (0, 0)),
        left=table((0.9, 0.8), (0.75, 0.5), (1, 1)),
        intensity_left=table((0.95, 0.85), (0.7, 0.6), (1, 1)),
        output_left=np.ones((3, 2)),
        fixed=table((100, 300), (-50, 900), (0, 0)),
        variable=table((2, 3), (1, -4), (0, 0)),
        growth=np.ones((3, 2)),
        first_year=np.array([[2025, 2026], [2025, 2025], [0, 0]]),
        group=np.array([[-1, -1], [5, 5], [-1, -1]]),
        stops=np.zeros((3, 2), dtype=bool),
        required=np.array([[[-2], [0]], [[-2], [-2]], [[-2], [-2]]]),
        base_year=2025,
    )
    return replace(made, **changes)


def accounts_of(**changes: Any) -> Accounts:
    """The first two units are of one enterprise."""
    made = Accounts(
        labels=np.array(["e", "f"], dtype=object),
        of_unit=np.array([0, 0, 1]),
        opening=np.array([30.0, 7.0]),
        emissions=table((320, 316), (50, 0)),
        free_most=table((225, 300), (33.75, 2.5)),
        borrowed_most=table((40, 0), (5, 0)),
        external_supply=np.array([12.0, 3.0]),
    )
    return replace(made, **changes)


def terms_of(**changes: Any) -> TradeTerms:
    """A market with offsets, auctions and a reserve."""
    made = TradeTerms(
        transaction_cost=np.array([2.0, 2.0]),
        offset_price=np.array([20.0, 30.0]),
        outstanding_cost=np.array([500.0, 700.0]),
        terminal_price=5.0,
        offset_share=0.05,
        offset_supply=np.array([10.0, 4.0]),
        expected_price=np.array([np.nan, np.nan]),
        auctioned=np.array([60.0, 50.0]),
        remainder=np.array([3.0, 0.0]),
        demand=np.array([15.0, -20.0]),
        floor=np.array([10.0, 0.0]),
        ceiling=np.array([90.0, np.inf]),
        reserve=25.0,
        capacity=1000.0,
        banks=np.ones(2, dtype=bool),
        states_price=False,
    )
    return replace(made, **changes)


def holdings_of(**changes: Any) -> Holdings:
    """What the two enterprises do, and what they hold."""
    made = Holdings(
        bought=table((20, 0), (6, 0)),
        sold=table((0, 9), (0, 1)),
        offset=table((8, 3), (1, 0)),
        outstanding=table((4, 2), (0, 0)),
        banked=table((11, 6), (2, 4)),
        surrendered=table((300, 290), (49, 0)),
    )
    return replace(made, **changes)


def market_of(**changes: Any) -> Market:
    """The market of the three units, with other parts than those above if given."""
    made = Market(baseline=baseline_of(), offered=choices_of(), accounts=accounts_of(), terms=terms_of())
    return replace(made, **changes)


def in_three_years(made: Any, **changes: Any) -> Any:
    """The same with a third year, which repeats the second unless it is changed."""
    by_year = {
        name: np.concatenate([values, values[..., -1:]], axis=-1)
        for name, values in vars(made).items()
        if np.shape(values)[-1:] == (YEARS,) and name not in ("labels", "opening", "external_supply")
    }
    return replace(made, **(by_year | changes))
