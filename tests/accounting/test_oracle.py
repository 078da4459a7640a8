"""Accounts computed again by another route: plain Python over rows, in decimal arithmetic."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.accounting import Reports, account, generate
from etsopt.accounting.figures import CLINKERS, DEDUCTIONS, FUELS, MATERIALS
from etsopt.accounting.vocabulary import ITEMS

CO2_PER_CARBON = Decimal(44) / Decimal(12)
CENT = Decimal("0.01")
DEFAULT_EFFECT, CF4_SHARE = Decimal("0.1454"), Decimal(6630) / (Decimal(6630) + Decimal("0.1") * Decimal(11100))
PER_TONNE = MATERIALS | CLINKERS | DEDUCTIONS

Key = tuple[str, str, str, str]


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def quantities(
    rows: list[dict[str, Any]],
) -> tuple[dict[tuple[str, ...], Decimal], dict[tuple[str, str, str], Decimal]]:
    """Quantities by unit, month, process, item and flow, and calorific values by unit, month and fuel."""
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    batches: dict[tuple[str, str, str], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for row in rows:
        quantity = exact(row["quantity"])
        if row["flow"] == "test":
            batches[row["unit_id"], row["month"], row["item"]].append((quantity, exact(row["ncv_gj_per_unit"])))
        else:
            sums[row["unit_id"], row["month"], row["process"], row["item"], row["flow"]] += cents(quantity)
    values = {}
    for key, pairs in batches.items():
        mean = sum((q * v for q, v in pairs), Decimal(0)) / sum((q for q, _ in pairs), Decimal(0))
        values[key] = mean.quantize(Decimal("0.001"), ROUND_HALF_UP)
    return sums, values


def emitted(rows: list[dict[str, Any]], sectors: dict[str, str]) -> dict[Key, Decimal]:
    """Emissions by unit, month, process and gas."""
    sums, values = quantities(rows)
    found: dict[Key, Decimal] = defaultdict(Decimal)
    for (unit, month, process, item, flow), quantity in sums.items():
        kind, sector = ITEMS[item].kind, sectors[unit]
        sign = -1 if flow == "out" or kind == "deduction" else 1
        if kind == "fuel":
            ncv, carbon, oxidation = FUELS[ITEMS[item].own_of or item]
            oxidised = sector == "cement" or process == "power"
            value = values.get((unit, month, item), exact(ncv)) * exact(carbon) * CO2_PER_CARBON
            amount = cents(quantity * value * (exact(oxidation) if oxidised else 1))
        elif kind == "metal":
            both = cents(quantity * DEFAULT_EFFECT)
            found[unit, month, process, "CF4"] += cents(quantity * DEFAULT_EFFECT * CF4_SHARE)
            found[unit, month, process, "C2F6"] += both - cents(quantity * DEFAULT_EFFECT * CF4_SHARE)
            continue
        elif kind == "anode":
            share = (1 - Decimal("0.1518")) * (1 - Decimal("0.024"))
            amount = cents(quantity * share * CO2_PER_CARBON)
        elif flow == "product" and sector == "steel":
            continue
        else:
            amount = cents(quantity * exact(PER_TONNE[item]))
        if sector == "steel" and process == "enterprise":
            found[unit, month, "other", "CO2"] += sign * amount
            continue
        found[unit, month, process, "CO2"] += sign * amount
        if sector == "steel":
            found[unit, month, "other", "CO2"] -= sign * amount
    return found


ADDED = (
    *(("enterprise", "semi_coke", "in"), ("ironmaking", "semi_coke", "in"), ("coking", "own_coke_oven_gas", "out")),
    *(("enterprise", "own_coke_oven_gas", "out"), ("power", "own_coke_oven_gas", "in")),
)
"""Items of steel that no generated report has: process, item and flow."""


def with_added_items(register: pd.DataFrame, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Rows with semi-coke and own gas at every steel enterprise and month, the gas with a test of its own."""
    random = np.random.default_rng(seed)
    steel = register.loc[register["sector"] == "steel", "unit_id"]
    records = [
        {"unit_id": unit, "month": month, "process": process, "item": item, "flow": flow, "unit": ITEMS[item].unit}
        for unit in steel
        for month in sorted(set(rows["month"]))
        for process, item, flow in (*ADDED, ("enterprise", "own_coke_oven_gas", "test"))
    ]
    added = pd.DataFrame(records)
    added["quantity"] = random.uniform(1, 9_000, len(added)).round(2)
    added.loc[added["flow"] == "test", "ncv_gj_per_unit"] = random.uniform(165, 180, len(added)).round(3)[0]
    return pd.concat([rows, added], ignore_index=True)


@pytest.mark.parametrize("seed", range(3))
def test_generated_accounts_are_those_of_plain_python(seed: int) -> None:
    register, rows = generate(12, months=5, seed=seed, first_month="2025-10")
    rows = with_added_items(register, rows, seed)
    accounts = account(Reports.from_frames(register, rows))
    sectors = dict(zip(register["unit_id"], register["sector"], strict=True))
    records = rows.to_dict("records")
    expected = emitted(records, sectors)
    shown = {
        (row.unit_id, row.month, row.process, row.gas): exact(row.emissions_tco2e)
        for row in accounts.monthly.itertuples()
    }
    assert shown == dict(expected)
    years: dict[tuple[str, int, str, str], Decimal] = defaultdict(Decimal)
    units: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for (unit, month, process, gas), amount in expected.items():
        years[unit, int(month[:4]), process, gas] += amount
        units[unit, int(month[:4])] += amount
    assert years == {
        (row.unit_id, row.year, row.process, row.gas): exact(row.emissions_tco2e)
        for row in accounts.annual.itertuples()
    }
    assert units == {(row.unit_id, row.year): exact(row.emissions_tco2e) for row in accounts.unit_years.itertuples()}


def test_intensity_is_that_of_the_rule_by_plain_python() -> None:
    register, rows = generate(6, months=3, seed=4)
    accounts = account(Reports.from_frames(register, rows))
    sectors = dict(zip(register["unit_id"], register["sector"], strict=True))
    expected = emitted(rows.to_dict("records"), sectors)
    sums, _ = quantities(rows.to_dict("records"))
    for row in accounts.unit_years.itertuples():
        steel = row.sector == "steel"
        part, output = Decimal(0), Decimal(0)
        for (unit, _, process, _), amount in expected.items():
            if unit == row.unit_id and (not steel or process in ("ironmaking", "sintering")):
                part += amount
        for (unit, _, process, _, flow), quantity in sums.items():
            if unit == row.unit_id and flow == "product" and (not steel or process == "ironmaking"):
                output += quantity
        assert exact(row.intensity) == (part / output).quantize(Decimal("0.0001"), ROUND_HALF_UP)
        assert exact(row.intensity_output_t) == output
