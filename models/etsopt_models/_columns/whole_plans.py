"""A market with integer plans: prices of its relaxation, plans of all units, and leaves that prove them.

The relaxation of a market at another terminal price: prices, the plans that are best at them, and trades.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import StoppedError
from etsopt.common.progress import unlimited
from etsopt_models._columns.combinations import improve_by_listing, prove_by_combinations
from etsopt_models._columns.master import NO_MASKS, Master
from etsopt_models._columns.price_intervals import price_ends
from etsopt_models._columns.tree import Incumbent, Tree, TreeSearch, dive
from etsopt_models._columns.unmet_demand import short_market
from etsopt_models._columns.variable_fixing import fix_variables
from etsopt_models._effort import TREE_FIRST_WORK_SHARE, TREE_STAGES
from etsopt_models._enterprises.subproblem import (
    Enterprises,
    bound_of,
    declines,
    is_steady,
    multipliers_of,
    steady_prices,
    terms_of,
)
from etsopt_models._market.accounts import outstanding_cost
from etsopt_models._market.column_generation import OtherEnd, PreparedMarket
from etsopt_models._market.column_pool import ColumnPool
from etsopt_models._market.plans import Plans
from etsopt_models._tolerances import CHOSEN_SHARE_MIN, COEFFICIENT_SHARE_MIN, PROOF_GAP_SHARE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from etsopt_models._columns.master import Priced
    from etsopt_models._market.column_generation import Market


def at_terminal_price(master: Master, price: float) -> OtherEnd | None:
    """Return the relaxation at a terminal price [CNY/t], from the plans that the master has; None if it is not solved.

    The master keeps that price, and the balance values of self-balancing years stay those of its market.
    """
    baseline, banked = master.market.baseline, master.columns["banked"]
    # Of every account the last point in time.
    last = np.arange(banked.start, banked.stop).reshape(-1, master.years + 1)[:, -1]
    master.grown.price(last, np.full(len(last), -baseline.discount[-1] * price))
    try:
        priced = master.relaxed(NO_MASKS, np.inf)
    except StoppedError:
        return None
    if priced.share is None:
        return None
    taken, alone = np.flatnonzero(priced.share > CHOSEN_SHARE_MIN), np.flatnonzero(master.row < 0)
    unit = np.concatenate([alone, master.unit[taken]])
    order = np.argsort(unit, kind="stable")
    sets = np.concatenate([master.base.sets[alone], master.sets[taken]])[order]
    share = np.concatenate([np.ones(len(alone)), priced.share[taken]])[order]
    pool = ColumnPool.of(master.plans, unit[order], sets)
    share /= np.add.reduceat(share, pool.first)[pool.unit]
    return OtherEnd(priced.multipliers, pool, share, master.flows, priced.value - priced.bound)


def prepare_market(market: Market) -> PreparedMarket:
    """Return the market with the remaining program.

    If plans may be mixed, the program is the relaxation over the generated columns; else every unit has one plan.
    """
    master = master_of(market)
    root = master.cleared()
    if root.share is None:
        if short := short_market(market):
            return short
        start = ColumnPool.start(master.plans)
        return PreparedMarket(market.parameters(start), start, market.accounts)
    ends = price_ends(master, root)
    is_free = market.instance.policy.market.transaction_cost_cny_per_t == 0
    other_end = partial(at_terminal_price, master) if is_free else None
    if market.instance.policy.abatement.divisible_measures:
        prepared = _program(master, master.sets, master.unit, master.base.sets)
        return replace(prepared, multipliers=root.multipliers, ends=ends, at_terminal_price=other_end)
    incumbent = Incumbent()
    if len(market.accounts.labels) > 1:
        root = _raise_bound(master, root)
    tree = _prove(master, root, incumbent, PROOF_GAP_SHARE * market.relax.options.gap_or_default)
    if tree.stopped and not incumbent.chosen:
        raise StoppedError(tree.stopped)
    with unlimited():
        return replace(_prepare_solution(master, root, incumbent, tree, ends), at_terminal_price=other_end)


def master_of(market: Market) -> Master:
    """Return the master of a market over the units that still choose."""
    plans = Plans.of(market.instance, market.baseline)
    return Master(market, plans, *fix_variables(market, plans))


def _raise_bound(master: Master, root: Priced) -> Priced:
    """Return the root with the bound of the enterprises' subproblem if that is better."""
    market, terms = master.market, terms_of(master.market)
    # An enterprise responds with one price that falls over the years, and allowances that lapse part them.
    if declines(market.instance) or not market.baseline.banks.all():
        return root
    scarcity = np.maximum(-root.multipliers["offsets_on_offer"], 0.0)
    clears = "supply" in market.extra
    price = steady_prices(-root.multipliers["market_balance"], terms) if clears else market.extra["price"]
    trade = replace(terms, price=price, offset_price=terms.offset_price + scarcity)
    per_outstanding_t = outstanding_cost(market.instance, market.baseline)
    if not is_steady(trade) or (trade.price + trade.transaction_cost > per_outstanding_t).any():
        return root
    if trade.most.max() - trade.least.min() > per_outstanding_t.min():
        return root
    shape = market.accounts.emissions.shape
    start = root.multipliers["account_balance"].reshape(shape)
    response = Enterprises.of(master.plans, market.accounts).respond(trade, start)
    bound = bound_of(market, trade, scarcity, response)
    if not bound > root.bound:
        return root
    return root._replace(bound=bound, multipliers=multipliers_of(market, trade, scarcity, response))


def _prepare_solution(
    master: Master, root: Priced, incumbent: Incumbent, tree: Tree, ends: tuple[Any, ...]
) -> PreparedMarket:
    """Return the program in which every unit has its chosen plan, even after the time limit."""
    if not incumbent.chosen:
        # No integer plans clear the market: the solver finds those at hand infeasible.
        return _program(master, master.sets, master.unit, master.base.sets)
    whole = master.base.sets.copy()
    for unit, chain in incumbent.chosen.items():
        whole[unit] = chain
    choosing = _units_that_move(master, np.flatnonzero(master.row >= 0), whole)
    prepared = _program(master, whole[choosing], choosing, whole)
    return replace(prepared, multipliers=root.multipliers, ends=ends, tree=tree, stopped=str(tree.stopped))


def _units_that_move(master: Master, units: NDArray[np.int64], sets: NDArray[np.int16]) -> NDArray[np.int64]:
    """Return the units, at least one, whose plans have no coefficient that the solver drops beside all emissions.

    The other units are fixed outside the program. Output that goes takes its allowances with it, so that what it frees in
    a year may be grams.
    """
    columns = ColumnPool.of(master.plans, units, sets[units]).columns
    moves = np.abs(np.column_stack([columns.demand_reduction, columns.abated]))
    least = np.where(moves > 0, moves, np.inf).min(axis=1)
    seen = least >= COEFFICIENT_SHARE_MIN * float(master.market.baseline.emissions.sum(axis=0).max())
    kept: NDArray[np.int64] = units[seen] if seen.any() else units[np.argmax(least)][None]
    return kept


def _prove(master: Master, root: Priced, incumbent: Incumbent, gap: float) -> Tree:
    """Find plans of all units, and the leaves that prove them."""
    search = TreeSearch(master, incumbent, root, gap)
    try:
        dive(master, root, incumbent, gap)
        of_one_account, tried = len(master.market.accounts.labels) == 1, np.inf
        for most, part in TREE_STAGES if of_one_account else TREE_STAGES[1:]:
            if search.is_open and incumbent.chosen and not search.exact:
                search.exact = improve_by_listing(master, root, incumbent, gap, most)
            search.run(TREE_FIRST_WORK_SHARE)
            if of_one_account and search.is_open and incumbent.value < tried:
                tried = incumbent.value
                together = prove_by_combinations(master, root, incumbent, gap)
                if together is not None:
                    return together
            search.run(part)
    except StoppedError as stopped:
        search.tree.stopped = stopped.termination
    return search.done()


def _program(
    master: Master, sets: NDArray[np.int16], unit: NDArray[np.int64], all_sets: NDArray[np.int16]
) -> PreparedMarket:
    """Return the program of choosing units with some plans, and with all others fixed.

    Parameters
    ----------
    sets, unit
        Chains of the plans, and their units.
    all_sets
        Chain of every unit, shape ``(units, years)``.
    """
    market, plans = master.market, master.plans
    order = np.lexsort((*sets.T[::-1], unit))
    unit, sets = unit[order], sets[order]
    choosing = np.unique(unit)
    if len(choosing) == len(all_sets):
        pool = ColumnPool.of(plans, unit, sets)
        return PreparedMarket(market.parameters(pool), pool, market.accounts)
    full_pool = ColumnPool.of(plans, np.arange(len(all_sets)), all_sets)
    others = np.ones(len(all_sets), dtype=bool)
    others[choosing] = False
    rest = full_pool.select(others).columns.on_accounts(market.accounts.of_unit, len(market.accounts.labels))
    few = ColumnPool.of(plans, unit, sets).among(choosing)
    parameters = market.of(choosing, rest).parameters(few)
    return PreparedMarket(parameters, few, market.accounts, full_pool=full_pool, core=choosing)
