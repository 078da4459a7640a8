"""Instances of reconciliation: one solved by hand, and random ones of a few quantities a unit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

import etsopt

POLICY = {"year": 2025, "rule": {"name": "cn-2024"}}
Rows = list[dict[str, Any]]


def instance_of(quantities: Rows, statements: Rows, terms: Rows) -> etsopt.Instance:
    """Instance of these rows, with a unit of cement for each name."""
    names = sorted({row["unit_id"] for row in quantities})
    units = pd.DataFrame({"unit_id": names, "enterprise_id": names, "sector": "cement", "province": "Fujian"})
    return etsopt.Instance.from_frames(
        units.assign(emissions_tco2e=1000.0),
        POLICY,
        quantities=pd.DataFrame(quantities),
        statements=pd.DataFrame(statements),
        terms=pd.DataFrame(terms),
    )


def by_hand() -> etsopt.Instance:
    """A false figure of coal, a month of coal without a report, and a second unit with a limit alone."""

    def quantity(unit: str, name: str, factor: float, reported: float = np.nan, **more: float) -> dict[str, Any]:
        own = {"unit_id": unit, "quantity_id": name, "emissions_tco2e_per_unit": factor, "most": 1000.0}
        return own | {"reported": reported, "uncertainty": np.nan, "substitute": np.nan} | more

    def statement(unit: str, name: str, kind: str, uncertainty: float, *ends: float) -> dict[str, Any]:
        sides = dict(zip(("value", "lower", "upper"), ends, strict=True))
        return {"unit_id": unit, "statement_id": name, "kind": kind, "uncertainty": uncertainty} | sides

    def term(unit: str, statement: str, quantity: str, coefficient: float) -> dict[str, Any]:
        return {"unit_id": unit, "statement_id": statement, "quantity_id": quantity, "coefficient": coefficient}

    return instance_of(
        [
            quantity("a", "1 clinker", 0.5, 100.0, uncertainty=1.0),
            quantity("a", "1 coal", 2.0, 50.0, uncertainty=1.0),
            quantity("a", "2 clinker", 0.5, 200.0, uncertainty=2.0),
            quantity("a", "2 coal", 2.0, substitute=60.0),
            quantity("b", "1 coal", 2.0, 10.0, uncertainty=1.0),
        ],
        [
            statement("a", "1 ratio", "usual_ratio", 0.5, 0.0, -1.0, 1.0),
            statement("a", "2 ratio", "usual_ratio", 0.5, 0.0, -2.0, 2.0),
            statement("b", "1 limit", "limit", 1.0, np.nan, np.nan, 9.5),
        ],
        [
            term("a", "1 ratio", "1 coal", 1.0),
            term("a", "1 ratio", "1 clinker", -0.2),
            term("a", "2 ratio", "2 coal", 1.0),
            term("a", "2 ratio", "2 clinker", -0.2),
            term("b", "1 limit", "1 coal", 1.0),
        ],
    )


def with_evidence(instance: etsopt.Instance) -> etsopt.Instance:
    """The instance with the evidence by hand, as that of its first unit."""
    own = by_hand()
    tables = {}
    for name in ("quantities", "statements", "terms"):
        table = getattr(own, name)
        tables[name] = table[table["unit_id"] == "a"].assign(unit_id=instance.units["unit_id"].iat[0])
    return replace(instance, **tables)


def random_reconciliation(seed: int, units: int = 2) -> etsopt.Instance:
    """Units of one to three quantities of any size, some without a report, and up to four statements on them."""
    random = np.random.default_rng(seed)
    quantities: Rows = []
    statements: Rows = []
    terms: Rows = []
    for unit in (f"u{number}" for number in range(units)):
        size = 10.0 ** random.uniform(0, 6)
        count = int(random.integers(1, 4))
        truth = size * random.uniform(0.2, 1.0, count)
        for place in range(count):
            told = random.random() < 0.8
            reported = truth[place] * random.choice([1.0, random.uniform(0.0, 3.0)])
            quantities.append(
                {
                    "unit_id": unit,
                    "quantity_id": f"q{place}",
                    "emissions_tco2e_per_unit": random.choice([-1.0, 0.0, 0.5, 3.0]),
                    "reported": reported if told else np.nan,
                    "uncertainty": size * random.uniform(0.001, 0.2) if told else np.nan,
                    "substitute": 3 * size if random.random() < 0.5 else np.nan,
                    "most": 4 * size,
                }
            )
        for number in range(int(random.integers(1, 5))):
            some = random.choice(count, int(random.integers(1, count + 1)), replace=False)
            coefficient = random.choice([-2.0, -0.5, 1.0, 1.0], len(some))
            value = float(coefficient @ truth[some]) * random.choice([1.0, 1.0, random.uniform(0.0, 2.0)])
            width = size * random.choice([0.0, 0.01, 0.1], 2)
            ends = (value, value - width[0], value + width[1])
            form = int(random.integers(4))
            shown = [ends, (np.nan, ends[1], np.nan), (np.nan, np.nan, ends[2]), (value, np.nan, np.nan)][form]
            name = {"unit_id": unit, "statement_id": f"s{number}"}
            sides = dict(zip(("value", "lower", "upper"), shown, strict=True))
            uncertainty = size * random.uniform(0.001, 0.2)
            statements.append(name | {"kind": "balance", "uncertainty": uncertainty} | sides)
            terms += [
                name | {"quantity_id": f"q{place}", "coefficient": one}
                for place, one in zip(some, coefficient, strict=True)
            ]
    return instance_of(quantities, statements, terms)
