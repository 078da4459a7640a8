"""Random small models out of everything that can be compiled, with random data; the same seed gives the same model.

All numbers are halves, and functions are such that their values are, so sums are exact in any order.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np
import pyomo.environ as pyo

from etsopt.data.groups import Groups
from tests.modelling.compiler.random_expressions import Expressions

SETS = ("S0", "S1", "S2")
RELATIONS = ("<=", ">=", "==", "number first", "both sides", "both sides ==", "range", "inequality", "open range")
OVER = ("scalar", "one set", "two sets", "same set twice", "pairs", "product", "range", "nameless")
BOUNDS = ("none", "pair", "one side", "rule", "domain", "binary", "whole")
GIVEN = ("size", "counted", "subset")


class RandomModel:
    """A model, its data, what was drawn, and which constraints have variables on both sides."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.drawn: Counter[str] = Counter()
        self.both_sides: set[str] = set()
        self.data: dict[str, Any] = {}
        self.members: dict[str, list[int]] = {}
        self.model = pyo.AbstractModel("random")
        self._declare_sets()
        self._declare_groups()
        self._declare_parameters()
        self._declare_variables()
        self.expressions = Expressions(self.random, self.drawn, self.members)
        self._declare_expressions()
        for number in range(self.random.randint(1, 4)):
            self._declare_row(f"row{number}")
        for number in range(self.random.randint(1, 2)):
            self._declare_cost(f"cost{number}")

    def note(self, kind: str, choices: tuple[str, ...]) -> str:
        """Draw one of some choices, and remember it."""
        choice = self.random.choice(choices)
        self.drawn[f"{kind}: {choice}"] += 1
        return choice

    def numbers(self, *shape: int) -> Any:
        """Random halves, many of them zero."""
        size = int(np.prod(shape))
        drawn = [self.random.choice([0, 0, 0.5, 1, -1, 2, -1.5, 3]) for _ in range(size)]
        return np.array(drawn, dtype=self.random.choice([float, float, np.float32])).reshape(shape)

    def _declare_sets(self) -> None:
        m = self.model
        for name in SETS:
            size = self.random.choice([0, 1, 2, 2, 3, 3, 4])
            given = self.note("set given by", GIVEN)
            self.drawn[f"size: {size}"] += 1
            members = sorted(self.random.sample(range(9), size)) if given == "subset" else list(range(size))
            if self.random.random() < 0.5 and given == "subset":
                self.random.shuffle(members)
            setattr(m, name, pyo.Set())
            self.members[name] = members
            self.data[name] = size if given == "size" else np.array(members, dtype=int)
        m.P, m.last = pyo.Set(dimen=2, within=m.S0 * m.S1), pyo.Param()
        self.data["P"] = self._some_pairs("S0", "S1")
        self.data["last"] = self.random.randint(1, 3)
        m.R, m.SS = pyo.RangeSet(1, m.last), m.S0 * m.S2
        self.members["R"] = list(range(1, self.data["last"] + 1))

    def _some_pairs(self, one: str, other: str) -> Any:
        pairs = [(i, j) for i in self.members[one] for j in self.members[other] if self.random.random() < 0.5]
        self.random.shuffle(pairs)
        return np.array(pairs, dtype=int).reshape(len(pairs), 2)

    def _declare_groups(self) -> None:
        m = self.model
        m.G, m.GG = pyo.Set(m.S1, within=m.S0), pyo.Set(m.S0, m.S1, within=m.S2)
        m.GP = pyo.Set(m.S2, dimen=2)
        sizes = {name: len(members) for name, members in self.members.items()}
        self.data["G"] = (
            self._partition("S0", sizes["S1"]) if self.random.random() < 0.5 else self._any("S0", sizes["S1"])
        )
        self.data["GG"] = self._any("S2", sizes["S0"] * sizes["S1"])
        groups = [self._some_pairs("S0", "S1") for _ in range(sizes["S2"])]
        starts = np.cumsum([0, *(len(group) for group in groups)])
        self.data["GP"] = Groups(starts, np.concatenate([*groups, np.zeros((0, 2), dtype=int)]).astype(int))

    def _partition(self, of: str, count: int) -> Groups:
        self.drawn["groups: partition"] += 1
        labels = np.array([self.random.randint(-1, count - 1) for _ in self.members[of]], dtype=int)
        groups = Groups.from_labels(labels, count)
        return Groups(groups.starts, np.array(self.members[of], dtype=int)[groups.members])

    def _any(self, of: str, count: int) -> Groups:
        self.drawn["groups: overlapping"] += 1
        groups = [[item for item in self.members[of] if self.random.random() < 0.6] for _ in range(count)]
        self.drawn["groups: empty"] += any(not group for group in groups)
        return Groups(np.cumsum([0, *map(len, groups)]), np.array([i for group in groups for i in group], dtype=int))

    def _declare_parameters(self) -> None:
        m, sizes = self.model, {name: len(members) for name, members in self.members.items()}
        m.k, m.a, m.b, m.pp = pyo.Param(), pyo.Param(m.S0), pyo.Param(m.S0, m.S1), pyo.Param(m.P)
        m.d, m.r = pyo.Param(m.S2), pyo.Param(m.S1, m.S2)
        m.to = pyo.Param(m.S0, within=m.S1)
        self.data |= {
            "k": self.random.choice([2.0, -1, 0.5, 0, 4]),
            "a": self.numbers(sizes["S0"]),
            "b": self.numbers(sizes["S0"], sizes["S1"]),
            "pp": self.numbers(len(self.data["P"])),
            "d": np.array([self.random.choice([0.5, 1, 2, -4]) for _ in range(sizes["S2"])]),
            "r": self.numbers(sizes["S1"], sizes["S2"]),
        }
        if not sizes["S1"]:
            # Nothing can be looked up in an empty set, so nothing may look up.
            del m.to
            m.del_component("to")
            return
        to = [self.random.choice(self.members["S1"]) for _ in range(sizes["S0"])]
        self.data["to"] = np.array(to, dtype=self.random.choice([int, float, np.uint8]))
        self.members["to"] = to

    def _declare_variables(self) -> None:
        m = self.model
        m.z = pyo.Var(doc="z [t]")
        m.x, m.y = pyo.Var(m.S0, **self._bounds("a", 1)), pyo.Var(m.S0, m.S1, **self._bounds("b", 2))
        m.w, m.v = pyo.Var(m.P, **self._bounds("pp", 2)), pyo.Var(m.S2, m.S1, **self._bounds("r", 0))
        m.u = pyo.Var(m.R, **self._bounds("k", 0))

    def _bounds(self, name: str, indices: int) -> dict[str, Any]:
        options: dict[str, dict[str, Any]] = {
            "none": {},
            "pair": {"bounds": (-1, 2.5)},
            "one side": {"bounds": (None, self.random.choice([3, 0.5]))},
            "rule": {"bounds": lambda m, *index: (getattr(m, name)[index] - 1, 2)},
            "domain": {"within": pyo.NonNegativeReals, "bounds": lambda m, *_: (m.k - 1, None)},
            "binary": {"within": pyo.Binary},
            "whole": {"within": lambda m, *_: pyo.Integers, "bounds": (-2, 7)},
        }
        if not indices:
            options["rule"] = {"bounds": lambda m, *_: (m.k - 1, m.k + 2)}
        return options[self.note("bounds", BOUNDS)]

    def _declare_expressions(self) -> None:
        m, draw = self.model, self.expressions
        number, linear = draw.number([("i", "S0")], 2), draw.linear([("i", "S0")], 2)
        m.e = pyo.Expression(m.S0, rule=lambda m, i: linear(m, {"i": i}) + m.z - m.z)
        m.c = pyo.Expression(m.S0, rule=lambda m, i: number(m, {"i": i}))
        total = draw.linear([], 2)
        m.t = pyo.Expression(rule=lambda m: total(m, {}) + 0.5)
        pairs = draw.linear([("i", "S0"), ("j", "S1")], 1)
        m.q = pyo.Expression(m.S0, m.S1, rule=lambda m, i, j: pairs(m, {"i": i, "j": j}))
        draw.has_expressions = True

    def _over(self) -> tuple[list[Any], list[tuple[str, str]]]:
        """Index sets, and the names and sets of the indices."""
        m, over = self.model, self.note("rows over", OVER)
        one, other = self.random.choice(SETS), self.random.choice(SETS)
        named: dict[str, tuple[list[Any], list[str]]] = {
            "scalar": ([], []),
            "one set": ([getattr(m, one)], [one]),
            "two sets": ([getattr(m, one), getattr(m, other)], [one, other]),
            "same set twice": ([getattr(m, one)] * 2, [one] * 2),
            "pairs": ([m.P], ["S0", "S1"]),
            "product": ([m.SS], ["S0", "S2"]),
            "range": ([m.R], ["R"]),
            "nameless": ([self.members[one]], [one]) if self.members[one] else ([], []),
        }
        sets, names = named[over]
        return sets, [(f"n{place}", name) for place, name in enumerate(names)]

    def _declare_row(self, name: str) -> None:
        sets, scope = self._over()
        relation, draw = self.note("relation", RELATIONS), self.expressions
        anchor = self.random.random() < 0.85
        body, right = draw.linear(scope, 3), draw.linear(scope, 2)
        # Named expressions and cases count as variable whatever they hold, and a limit of a range is a number.
        draw.has_expressions, draw.has_cases = False, False
        low = draw.number(scope, 2)
        draw.has_expressions, draw.has_cases = True, True
        if relation.startswith("both"):
            self.both_sides.add(name)

        def rule(m: Any, *index: Any) -> Any:
            # A rule of any number of indices is given None where there is none.
            env = {key: value for (key, _), value in zip(scope, index[: len(scope)], strict=True)}
            left = body(m, env) + 3 * m.z if anchor else body(m, env)
            limit = low(m, env)
            return {
                "<=": lambda: left <= limit,
                ">=": lambda: left >= limit,
                "==": lambda: left == limit,
                "number first": lambda: limit <= left,
                "both sides": lambda: left >= right(m, env) - m.z,
                "both sides ==": lambda: left == right(m, env) - m.z,
                "range": lambda: (limit, left, limit + 2),
                "inequality": lambda: pyo.inequality(-9, left, 1 + m.k * m.k),
                "open range": lambda: (None, left, limit),
            }[relation]()

        setattr(self.model, name, pyo.Constraint(*sets, rule=rule))

    def _declare_cost(self, name: str) -> None:
        draw = self.expressions
        linear, square = draw.linear([], 3), self.note("objective", ("linear", "squares"))
        setattr(
            self.model,
            name,
            pyo.Objective(
                rule=lambda m: (
                    linear(m, {})
                    if square == "linear"
                    else linear(m, {}) + sum(m.k * (m.b[i, j] * m.y[i, j] - m.a[i]) ** 2 for i in m.S0 for j in m.S1)
                ),
                doc="cost [CNY]",
            ),
        )
