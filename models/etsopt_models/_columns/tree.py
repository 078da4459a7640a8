r"""Branch and price: a tree whose leaves prove that no integer plans of all units cost much less than the best known.

At a node some units must, or must not, run a measure in a year. Two plans of a unit differ in some measure and year, so
every fractional unit can be branched on. The pricing of plans only needs a mask on the sets that may run, and every
node has the bound of `etsopt_models._columns.master` over all plans within it (Barnhart and others 1998). The node with
the least bound is processed first. A leaf is a node whose multipliers prove that it holds nothing better, or that the
market cannot clear there. The leaves cover all plans, and with their multipliers they are the certificate, which a
checker verifies without the tree or the solver.

Incumbents: integer plans that clear the market, found by rounding the relaxation and by diving.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt_models._columns.master import COST, NO_MASKS, UNMET, Branch
from etsopt_models._effort import (
    DIVE_FIXES_ONE_IN,
    DIVE_ROUNDS_MAX,
    ROUNDED_PLANS_MAX,
    ROUNDED_UNITS_MAX,
    ROUNDING_TURNS_MAX,
    TREE_ACCOUNT_YEAR_WORK_UNITS,
    TREE_NODE_WORK_UNITS,
    TREE_PLAN_WORK_UNITS,
    TREE_ROUNDED_NODES,
    TREE_SETS_PER_WORK_UNIT,
    TREE_WORK_UNITS_MAX,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from etsopt_models._columns.master import Masks, Master, Priced


@dataclass
class Incumbent:
    """The best integer plans so far: cost, gross spending, and chains of the units that choose.

    Parameters
    ----------
    value, spent
        Cost of all, and its positive parts, the measure of a gap if the cost is near zero [CNY].
    chosen
        Chain of every unit that may choose; the others keep their fixed plan.
    """

    value: float = np.inf
    spent: float = 0.0
    chosen: dict[int, NDArray[np.int16]] = field(default_factory=dict)

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int16]]:
        """The units that may choose, and their chains."""
        return np.array(list(self.chosen), dtype=np.int64), np.stack(list(self.chosen.values()))

    def allowed(self, gap: float) -> float:
        """Return a relative gap in CNY; zero without an answer."""
        return gap * max(abs(self.value), self.spent) if np.isfinite(self.value) else 0.0

    def update(self, master: Master, value: float, picked: Mapping[int, int]) -> None:
        """Take other plans, given by position in the pool, if they cost less."""
        if not value < self.value:
            return
        costs = np.maximum(master.plan_columns.cost[list(picked.values())], 0.0).sum()
        self.value, self.spent = value, float(costs) + master.other_spending(np.array(list(picked), dtype=np.int64))
        self.chosen = {unit: master.sets[plan].copy() for unit, plan in picked.items()}


def round_relaxation(master: Master, priced: Priced, masks: Masks, incumbent: Incumbent) -> None:
    """Give every unit its plan of largest share; let fractional units try their other plans, the largest first.

    A plan whose reduced cost exceeds the distance to the incumbent cannot improve it, for the bound rises by as much.
    """
    share = priced.share
    assert share is not None
    first = master.most_taken(share)
    picked = dict(zip(master.unit[first].tolist(), first.tolist(), strict=True))
    value = value_of(master, picked)
    incumbent.update(master, value, picked)
    fractional, allowed = master.fractional(share)[:ROUNDED_UNITS_MAX].tolist(), master.allowed(masks)
    prices = master.prices(priced.multipliers)
    dearer = master.values(prices) - master.best(prices, masks)[0][master.unit]
    spent = priced.bound + float(dearer[list(picked.values())].sum())
    for _time in range(ROUNDING_TURNS_MAX):
        moved = False
        for unit in fractional:
            checkpoint()
            mine = np.flatnonzero((master.unit == unit) & allowed)
            for plan in mine[np.argsort(dearer[mine], kind="stable")][:ROUNDED_PLANS_MAX].tolist():
                now = picked[unit]
                least = spent + dearer[plan] - dearer[now]
                if plan == now or least >= min(value, incumbent.value):
                    continue
                other = picked | {unit: plan}
                trial = value_of(master, other)
                if trial < value:
                    value, picked, spent, moved = trial, other, least, True
                    incumbent.update(master, value, picked)
        if not moved:
            return


def dive(master: Master, priced: Priced, incumbent: Incumbent, gap: float) -> None:
    """Dive: fix the largest fractional units at their plan of largest share and price again, until few are fractional.

    Smaller units balance the excess of the fixed ones; the last are rounded.
    """
    share, only = priced.share, dict[int, int]()
    assert share is not None
    for number in range(DIVE_ROUNDS_MAX):
        checkpoint(_("plans for all, round"), number + 1)
        fractional = master.fractional(share)
        if len(fractional) <= ROUNDED_UNITS_MAX:
            current = priced._replace(share=share)
            round_relaxation(master, current, NO_MASKS, incumbent)
        if not len(fractional) or incumbent.value - priced.bound <= incumbent.allowed(gap):
            return
        first = master.most_taken(share)
        to_fix = np.isin(master.unit[first], fractional[: max(1, len(fractional) // DIVE_FIXES_ONE_IN)])
        only |= dict(zip(master.unit[first[to_fix]].tolist(), first[to_fix].tolist(), strict=True))
        master.close(NO_MASKS, only)
        vertex = master.solve()
        if vertex is not None:
            # The others have the plan that they had, and pricing them all would take most of the time.
            units = master.fractional(vertex[1])
            gain, sets = master.gains_of(units, master.prices(vertex[2]))
            if master.add(units[gain > 0], sets[gain > 0]):
                master.close(NO_MASKS, only)
                vertex = master.solve()
        if vertex is None or vertex[0] >= incumbent.value:
            return
        share = vertex[1]


def value_of(master: Master, picked: Mapping[int, int]) -> float:
    """Return the cost with one plan for every unit; infinite if the market does not clear with them."""
    master.close(NO_MASKS, picked)
    vertex = master.solve(again=False)
    return np.inf if vertex is None else vertex[0]


class Leaf(NamedTuple):
    """Branches of a leaf, and the vector of multipliers that proves it; none if they leave a unit no plan."""

    branches: tuple[Branch, ...]
    vector: int


@dataclass
class Tree:
    """The certificate: leaves, and vectors of multipliers by row, each of the cost or of the unmet demand.

    Parameters
    ----------
    bound
        Least bound of the leaves [CNY].
    nodes
        Number of nodes priced.
    """

    bound: float
    leaves: list[Leaf] = field(default_factory=list)
    vectors: list[tuple[str, dict[str, NDArray[np.float64]]]] = field(default_factory=list)
    nodes: int = 0
    stopped: str = ""


class _Node(NamedTuple):
    bound: float
    number: int
    branches: tuple[Branch, ...]
    vector: int


class TreeSearch:
    """Search of the tree of a master until the least bound is within the gap of the best answer.

    Parameters
    ----------
    gap
        Relative, against cost or spending.

    Attributes
    ----------
    exact
        True if the incumbent is known to be best, and only its proof is missing.
    """

    def __init__(self, master: Master, incumbent: Incumbent, root: Priced, gap: float) -> None:
        self.master, self.incumbent, self.gap, self.exact = master, incumbent, gap, False
        self.tree = Tree(np.inf, vectors=[(COST, root.multipliers)])
        self.children: list[_Node] = []
        self.queue = [_Node(root.bound, 0, (), 0)]
        self.numbers = count(1)

    @property
    def cutoff_cny(self) -> float:
        """The bound above which a node cannot improve the incumbent by more than the gap [CNY]."""
        return self.incumbent.value - self.incumbent.allowed(self.gap)

    @property
    def is_open(self) -> bool:
        """True if some node may improve the incumbent by more than the gap."""
        return bool(self.queue) and self.queue[0].bound < self.cutoff_cny

    def run(self, part: float) -> None:
        """Process nodes until the rest is proven or the given part of the work is done; may be called again."""
        tree, master = self.tree, self.master
        work = TREE_NODE_WORK_UNITS + len(master.row) * max(1.0, master.plans.most_sets / TREE_SETS_PER_WORK_UNIT)
        work += (
            TREE_PLAN_WORK_UNITS * len(master.unit)
            + TREE_ACCOUNT_YEAR_WORK_UNITS * master.market.accounts.emissions.size
        )
        while self.is_open and tree.nodes * work < part * TREE_WORK_UNITS_MAX:
            checkpoint(_("proof, {nodes:,} nodes, {open:,} open", nodes=tree.nodes, open=len(self.queue)))
            self._take(self.queue[0])
            heapq.heappop(self.queue)
            for child in self.children:
                heapq.heappush(self.queue, child)

    def done(self) -> Tree:
        """Return the tree, with open nodes as leaves."""
        tree = self.tree
        for node in self.queue:
            self._leaf(node.branches, node.vector, node.bound)
        tree.bound = min(tree.bound, self.incumbent.value)
        tree.leaves = merge_leaves(tree.leaves)
        _drop_unused(tree)
        return tree

    def _leaf(self, branches: tuple[Branch, ...], vector: int, bound: float = np.inf) -> None:
        self.tree.leaves.append(Leaf(branches, vector))
        self.tree.bound = min(self.tree.bound, bound)

    def _take(self, node: _Node) -> None:
        """Price the node of least bound, which becomes a leaf or gets two children."""
        self.children = []
        if node.bound >= self.cutoff_cny:
            return self._leaf(node.branches, node.vector, node.bound)
        self.tree.nodes += 1
        master, masks = self.master, self.master.masks(node.branches)
        if not master.give_plans(masks):
            return self._leaf(node.branches, NOTHING)
        priced = master.relaxed(masks, self.cutoff_cny)
        if priced.share is None:
            proof = master.infeasibility_proof(masks)
            if proof is not None:
                return self._leaf(node.branches, self._vector(UNMET, proof.multipliers))
            priced = master.relaxed(masks, self.cutoff_cny)
        bound, vector = node.bound, node.vector
        if priced.bound > bound:
            bound, vector = priced.bound, self._vector(COST, priced.multipliers)
        fractional = [] if priced.share is None else master.fractional(priced.share).tolist()
        often = not self.exact and (self.tree.nodes <= TREE_ROUNDED_NODES or self.tree.nodes % TREE_ROUNDED_NODES == 0)
        # Integer plans at a node may beat those of the solver, which are best only within the gap.
        if priced.share is not None and (often or not fractional) and bound < self.cutoff_cny:
            round_relaxation(master, priced, masks, self.incumbent)
        if bound >= self.cutoff_cny or priced.share is None or not fractional:
            return self._leaf(node.branches, vector, bound)
        branch = self._branch(fractional[0], priced.share)
        for runs in (True, False):
            branches = (*node.branches, branch._replace(runs=runs))
            self.children.append(_Node(bound, next(self.numbers), branches, vector))
        return None

    def _branch(self, unit: int, share: NDArray[np.float64]) -> Branch:
        """Return the measure and year of a fractional unit whose share is nearest to a half."""
        master = self.master
        of_unit = np.flatnonzero(master.unit[: len(share)] == unit)
        of_unit = of_unit[share[of_unit] > 0]
        runs = master.plans.family(unit).has[master.sets[of_unit]]
        part = np.tensordot(share[of_unit], runs, axes=(0, 0))
        year, measure = np.unravel_index(int(np.argmax(np.minimum(part, 1 - part))), part.shape)
        return Branch(unit, int(year), int(measure), True)

    def _vector(self, kind: str, multipliers: dict[str, NDArray[np.float64]]) -> int:
        self.tree.vectors.append((kind, multipliers))
        return len(self.tree.vectors) - 1


NOTHING = -1


def merge_leaves(leaves: list[Leaf]) -> list[Leaf]:
    """Merge pairs of leaves that differ in their last branch alone and have the same vector."""
    vectors = {leaf.branches: leaf.vector for leaf in leaves}
    for branches in sorted(vectors, key=len, reverse=True):
        path = branches
        while path and path in vectors:
            sibling = (*path[:-1], path[-1]._replace(runs=not path[-1].runs))
            if vectors.get(sibling) != vectors[path]:
                break
            vectors[path[:-1]] = vectors.pop(path)
            vectors.pop(sibling)
            path = path[:-1]
    return [Leaf(branches, vector) for branches, vector in vectors.items()]


def _drop_unused(tree: Tree) -> None:
    """Drop the vectors that no leaf needs; the root's stays first."""
    used = sorted({0} | {leaf.vector for leaf in tree.leaves if leaf.vector != NOTHING})
    place = {old: new for new, old in enumerate(used)} | {NOTHING: NOTHING}
    tree.vectors = [tree.vectors[old] for old in used]
    tree.leaves = [Leaf(leaf.branches, place[leaf.vector]) for leaf in tree.leaves]
