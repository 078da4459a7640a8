"""Random expressions that stay linear, as functions of a model and the indices that are known where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pyomo.environ as pyo

Scope = list[tuple[str, str]]
"""Names of the known indices, and the set of each."""
Made = Callable[[Any, dict[str, Any]], Any]

LOOPS: tuple[str, ...] = (
    "set",
    "two sets",
    "pairs",
    "product",
    "group",
    "group of two",
    "group of pairs",
    "set, then group",
)
LOOPS += ("group, then set", "group looked up", "range", "map")


class Expressions:
    """Draws expressions and counts what it draws."""

    def __init__(self, random: Random, drawn: Counter[str], members: dict[str, list[int]]) -> None:
        self.random, self.drawn, self.members = random, drawn, members
        self.has_expressions, self.has_cases = False, True

    def note(self, kind: str, choices: list[str]) -> str:
        choice = self.random.choice(choices)
        self.drawn[f"{kind}: {choice}"] += 1
        return choice

    def index(self, wanted: str, scope: Scope) -> Made | None:
        """An index into a set: a known one, a literal, or one that is looked up; None where there is none."""
        known = [name for name, of in scope if of == wanted]
        looked = [name for name, of in scope if of == "S0"] if wanted == "S1" and "to" in self.members else []
        choices = ["known"] * 3 * bool(known) + ["looked up"] * 2 * bool(looked)
        if wanted == "R":
            choices += ["shifted"] * bool([of for _, of in scope if of == "R"])
        if self.members[wanted]:
            choices.append("literal")
        if not choices:
            return None
        how = self.note("index", choices)
        if how == "literal":
            literal = self.random.choice(self.members[wanted])
            return lambda m, env: literal
        if how == "shifted":
            name = self.random.choice([name for name, of in scope if of == "R"])
            return lambda m, env: m.last + 1 - env[name]
        name = self.random.choice(looked if how == "looked up" else known)
        return (lambda m, env: m.to[env[name]]) if how == "looked up" else (lambda m, env: env[name])

    def indexed(self, name: str, sets: tuple[str, ...], scope: Scope) -> Made | None:
        """A component at some indices."""
        if name in ("w", "pp"):
            return self._at_pair(name, scope)
        found = [self.index(wanted, scope) for wanted in sets]
        if not all(found):
            return None
        return lambda m, env: getattr(m, name)[tuple(item(m, env) for item in found if item)]

    def _at_pair(self, name: str, scope: Scope) -> Made | None:
        """A component over the pairs: only where a pair is known."""
        names = [one for one, of in scope if of == "P0"]
        if not names:
            return None
        self.drawn["index: pair"] += 1
        return lambda m, env: getattr(m, name)[env[names[-1]], env[names[-1] + "'"]]

    def number(self, scope: Scope, depth: int) -> Made:
        """An expression of parameters."""
        leaves = {"a": ("S0",), "b": ("S0", "S1"), "d": ("S2",), "r": ("S1", "S2"), "pp": ()}
        kinds = ["literal", "scalar", *leaves, "the index"]
        kinds += ["plus", "times", "sum", "abs", "power", "root", "exp", "divide"] * (depth > 0)
        kinds += ["c"] * self.has_expressions + ["if"] * (self.has_cases and depth > 0)
        kind = self.note("number", kinds)
        if kind in leaves:
            return self.indexed(kind, leaves[kind], scope) or (lambda m, env: m.k)
        if kind == "literal":
            value = self.random.choice([0, 1, -2, 0.5, 3])
            return lambda m, env: value
        if kind == "the index" and scope:
            name = self.random.choice(scope)[0]
            return lambda m, env: env[name]
        if kind == "c":
            return self.indexed("c", ("S0",), scope) or (lambda m, env: m.k)
        if kind in ("scalar", "the index"):
            return lambda m, env: m.k
        if kind == "sum":
            return self.sum(scope, depth, self.number)
        one, other = self.number(scope, depth - 1), self.number(scope, depth - 1)
        made: dict[str, Made] = {
            "plus": lambda m, env: one(m, env) - other(m, env),
            "times": lambda m, env: one(m, env) * other(m, env),
            "abs": lambda m, env: abs(one(m, env)),
            "if": lambda m, env: pyo.Expr_if(m.k >= 1, one(m, env), other(m, env)),
            "power": lambda m, env: one(m, env) ** 2,
            "root": lambda m, env: pyo.sqrt((m.k - 1) ** 2),
            "exp": lambda m, env: pyo.exp(m.k - m.k),
            "divide": lambda m, env: one(m, env) / (2 + 2 * m.k * 0),
        }
        return made[kind]

    def linear(self, scope: Scope, depth: int) -> Made:
        """An expression that is linear in variables."""
        leaves = {"x": ("S0",), "y": ("S0", "S1"), "v": ("S2", "S1"), "u": ("R",), "w": ()}
        kinds = ["scalar", *leaves, *leaves]
        kinds += ["plus", "minus", "negative", "times", "times", "sum", "sum", "sum", "divide", "cancel"] * (depth > 0)
        kinds += ["e", "t", "q", "c times"] * self.has_expressions
        kind = self.note("linear", kinds)
        if kind in leaves:
            return self.indexed(kind, leaves[kind], scope) or (lambda m, env: m.z)
        if kind in ("e", "q"):
            return self.indexed(kind, ("S0",) if kind == "e" else ("S0", "S1"), scope) or (lambda m, env: m.z)
        if kind == "sum":
            return self.sum(scope, depth, self.linear)
        if kind in ("scalar", "t"):
            return (lambda m, env: m.z) if kind == "scalar" else (lambda m, env: m.t)
        one, other = self.linear(scope, depth - 1), self.linear(scope, depth - 1)
        factor = self.number(scope, max(depth - 1, 0))
        named = self.indexed("c", ("S0",), scope) or factor
        made: dict[str, Made] = {
            "plus": lambda m, env: one(m, env) + other(m, env) + factor(m, env),
            "minus": lambda m, env: one(m, env) - 2 * other(m, env),
            "negative": lambda m, env: -one(m, env),
            "times": lambda m, env: factor(m, env) * one(m, env),
            "divide": lambda m, env: one(m, env) / 4,
            "cancel": lambda m, env: one(m, env) + other(m, env) - one(m, env),
            "c times": lambda m, env: named(m, env) * m.z,
        }
        return made[kind]

    def sum(self, scope: Scope, depth: int, term: Callable[[Scope, int], Made]) -> Made:
        """A sum over one of all kinds of loops."""
        looked = [name for name, of in scope if of == "S0"] if "to" in self.members else []
        sized = [name for name, of in scope if of == "S1"]
        twos = [name for name, of in scope if of == "S2"]
        possible = [
            name for name in LOOPS if name not in ("group", "group of two", "group of pairs", "group looked up")
        ]
        possible += ["group"] * bool(sized) * 3 + ["group of pairs"] * bool(twos) * 3
        possible += ["group looked up"] * bool(looked) * 2 + ["group of two"] * bool(looked and sized) * 3
        kind = self.note("sum over", possible)
        i, j = f"i{len(scope)}", f"j{len(scope)}"
        pair = [(i, "S0"), (j, "S1")]
        if kind == "set" or kind == "map":
            over = self.random.choice(["S0", "S1", "S2"])
            one = term([*scope, (i, over)], depth - 1)
            if kind == "map":
                return lambda m, env: sum(map(lambda n: one(m, env | {i: n}), getattr(m, over)))  # noqa: C417  meant
            return lambda m, env: sum(one(m, env | {i: n}) for n in getattr(m, over))
        if kind == "range":
            one = term([*scope, (i, "R")], depth - 1)
            return lambda m, env: sum(one(m, env | {i: n}) for n in m.R)
        if kind in ("group", "group looked up"):
            one = term([*scope, (i, "S0")], depth - 1)
            of = self.random.choice(sized if kind == "group" else looked)
            if kind == "group":
                return lambda m, env: sum(one(m, env | {i: n}) for n in m.G[env[of]])
            return lambda m, env: sum(one(m, env | {i: n}) for n in m.G[m.to[env[of]]])
        if kind == "group of two":
            one, first, second = term([*scope, (i, "S2")], depth - 1), self.random.choice(looked), sized[-1]
            return lambda m, env: sum(one(m, env | {i: n}) for n in m.GG[env[first], env[second]])
        if kind == "pairs":
            one = term([*scope, *pair, (i, "P0")], depth - 1)
            return lambda m, env: sum(one(m, env | {i: n, j: o, i + "'": o}) for n, o in m.P)
        if kind == "group of pairs":
            one, of = term([*scope, *pair], depth - 1), self.random.choice(twos)
            return lambda m, env: sum(one(m, env | {i: n, j: o}) for n, o in m.GP[env[of]])
        one = term([*scope, *(pair if kind != "product" else [(i, "S0"), (j, "S2")])], depth - 1)
        made: dict[str, Made] = {
            "two sets": lambda m, env: sum(one(m, env | {i: n, j: o}) for n in m.S0 for o in m.S1),
            "product": lambda m, env: sum(one(m, env | {i: n, j: o}) for n, o in m.SS),
            "set, then group": lambda m, env: sum(one(m, env | {i: n, j: o}) for o in m.S1 for n in m.G[o]),
            "group, then set": lambda m, env: sum(
                one(m, env | {i: n, j: o}) for o in m.S1 for n in m.G[o] for _ in m.S2
            ),
        }
        return made[kind]
