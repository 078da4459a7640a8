"""Causes of calorific values that are off against the other tests of a fuel, or all the year against those of peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etsopt.accounting.coded import joined
from etsopt.accounting.screening.causes.hypotheses import CALORIFIC, USUAL, judged
from etsopt.accounting.screening.causes.rates import FEW, UNLIKE_PEERS, USUAL_YEARS
from etsopt.accounting.screening.causes.reasons import PEERS, TESTS
from etsopt.accounting.screening.causes.series import centre_and_scale, grouped_middle
from etsopt.accounting.screening.screening_data import FEWEST_MONTHS, FEWEST_PEERS
from etsopt.accounting.vocabulary import ITEMS

if TYPE_CHECKING:
    from etsopt.accounting.rows import Reports
    from etsopt.accounting.screening.causes.series import Floats, Integers, Series, Suspects


LEAST_SCALE, LEAST_SCALE_OF_PEERS = 0.02, 0.1
"""Least scales of tests of one fuel, and of its plants: coal of one name differs."""


def calorific_values(series: Series, reports: Reports) -> Suspects:
    """Return tests, or consumption with a calorific value of its own, whose value is off."""
    quantity, value = (reports.rows[name].to_numpy(dtype=float) for name in ("quantity", "ncv_gj_per_unit"))
    rows = np.flatnonzero(reports.current & ~np.isnan(value))
    coded, quantity, value = reports.coded.select(rows), quantity[rows], value[rows]
    place = series.place(coded)
    logarithm = np.log(value)
    fuel, width, off = _against_months(place, logarithm)
    beyond = _against_peers(series, place, logarithm)
    yearly = np.abs(beyond) > UNLIKE_PEERS
    off, width = np.where(yearly, off + beyond, off), np.where(yearly, LEAST_SCALE_OF_PEERS, width)
    near = np.flatnonzero(np.abs(off) > FEW * width)
    fault, found = judged(off[near], width[near], CALORIFIC, np.where(yearly, USUAL_YEARS, USUAL)[near])
    near = near[fault]
    column = coded.month - series.first
    # A value that consumption states as well as its test is one mistake, at the consumption.
    used = series.consumption()[place[near]]
    own = used == place[near]
    figure = used * series.present.shape[1] + column[near]
    kept = own | ~np.isin(figure, figure[own])
    near, found = near[kept], found.select(kept)
    heat = quantity * value
    cell = fuel * series.present.shape[1] + column
    whole = np.bincount(cell, heat)[cell[near]]
    return series.suspects(
        place[near],
        column[near],
        **vars(found),
        ratio=np.exp(off[near]),
        stated=value[near],
        usual_by=np.where(yearly[near], PEERS, TESTS),
        heat_share=np.divide(heat[near], whole, out=np.ones(len(near)), where=whole > 0),
    )


def _against_months(place: Integers, logarithm: Floats) -> tuple[Integers, Floats, Floats]:
    """Return the fuel of each test, its scale, and how far the test is off."""
    _, fuel = np.unique(place, return_inverse=True)
    order = np.argsort(fuel, kind="stable")
    count = np.bincount(fuel)
    nth = np.empty_like(fuel)
    nth[order] = np.arange(len(fuel)) - np.repeat(np.cumsum(count) - count, count)
    table = np.full((len(count), int(count.max(initial=0))), np.nan)
    table[fuel, nth] = logarithm
    centre, scale = centre_and_scale(table, FEWEST_MONTHS)
    return fuel, np.maximum(scale, LEAST_SCALE)[fuel], logarithm - centre[fuel]


def _against_peers(series: Series, place: Integers, logarithm: Floats) -> Floats:
    """Return how far the median of each test's fuel is from that of its peers, 0 where there are few."""
    fuels, fuel = np.unique(place, return_inverse=True)
    own = series.coded.select(fuels)
    _, peers = np.unique(joined([(own.sector, 0), (own.item, len(ITEMS))]), return_inverse=True)
    middle = grouped_middle(logarithm[:, None], fuel, len(fuels))[0]
    usual, count = grouped_middle(middle, peers, int(peers.max(initial=-1)) + 1)
    return np.where(count[peers] >= FEWEST_PEERS, middle - usual[peers], 0.0)[fuel, 0]
