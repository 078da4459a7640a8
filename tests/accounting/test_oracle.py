"""Accounts computed again by another route: plain Python over rows, in decimal arithmetic."""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etsopt.accounting import Reports, account, generate
from etsopt.accounting.figures import CLINKERS, DEDUCTIONS, FUELS, MATERIALS, fuel_keys
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


POWER_FUELS = {"bituminous": "coal", "lignite": "coal", "diesel": "oil", "natural_gas": "gas"}
STATED = {
    **{f"power.fuels.{fuel}.carbon_tc_per_gj": 0.03085 for fuel in ("bituminous", "lignite")},
    **{f"power.fuels.{fuel}.ncv_gj_per_unit": 26.7 for fuel in ("bituminous", "lignite")},
    **{"power.fuels.diesel.carbon_tc_per_gj": 0.0202, "power.fuels.diesel.ncv_gj_per_unit": 42.652},
    **{"power.oxidation.coal": 0.987, "power.oxidation.oil": 0.981, "power.oxidation.gas": 0.995},
    **{"power.oxidation_to_2025.oil": 0.98, "power.oxidation_to_2025.gas": 0.99},
    "power.bought_electricity.tco2_per_mwh": 0.5703,
}
OF_GAS = {"power.fuels.natural_gas.ncv_gj_per_unit": 389.31, "power.fuels.natural_gas.carbon_tc_per_gj": 0.01532}
"""Defaults that are read."""


def drawn_power(units: int, months: list[str], seed: int) -> list[dict[str, Any]]:
    """Rows of power units, with batches, composites or no carbon, own oxidation rates or none, heat and biomass."""
    random = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for unit in (f"P{number}" for number in range(units)):
        for month in months:
            place = {"unit_id": unit, "month": month, "process": "generation"}

            def add(item: str, flow: str, quantity: float, place: dict[str, str] = place, **more: Any) -> None:
                measure = {"carbon": f"tC/{ITEMS[item].unit}", "oxidation": "%"}.get(flow, ITEMS[item].unit)
                what = {"item": item, "flow": flow, "quantity": round(quantity, 4), "unit": measure}
                rows.append({**place, **what, **more})

            for fuel, kind in POWER_FUELS.items():
                content = 5.7 if kind == "gas" else 0.5
                if (batches := int(random.integers(0, 4))) == 0:
                    add(fuel, "in", random.uniform(10, 90_000))
                has_heat, has_carbon = random.random(2) < 0.6
                for batch in range(batches):
                    ncv = round(random.uniform(18, 30), 3) if has_heat else np.nan
                    add(fuel, "in", random.uniform(10, 90_000), batch=str(batch), ncv_gj_per_unit=ncv)
                    if has_carbon:
                        add(fuel, "carbon", content * random.uniform(0.9, 1.1), batch=str(batch))
                if random.random() < 0.3:
                    add(fuel, "oxidation", round(random.uniform(97, 100), 2))
            add("electricity", "product", random.uniform(1_000, 300_000))
            add("bought_electricity", "in", random.uniform(1, 900))
            add("heat", "product", random.uniform(1_000, 300_000))
            add("heat_supply_ratio", "product", round(random.uniform(5, 60), 2))
            add("biomass", "in", random.uniform(1, 9_000), ncv_gj_per_unit=15.0)
    return rows


def mean_of(weights: list[Decimal], values: list[Decimal], step: str) -> Decimal:
    """Weighted mean to a step of decimals."""
    total = sum((weight * value for weight, value in zip(weights, values, strict=True)), Decimal(0))
    return (total / sum(weights, Decimal(0))).quantize(Decimal(step), ROUND_HALF_UP)


def power_by_plain_python(rows: list[dict[str, Any]]) -> dict[tuple[str, str], Decimal]:
    """Emissions of power units by unit and month."""
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    months: dict[tuple[str, str, str], dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        months[row["unit_id"], row["month"], row["item"]][row["flow"]].append(row)
    for (unit, month, item), of in months.items():
        quantity = sum((cents(exact(row["quantity"])) for row in of["in"]), Decimal(0))
        late = month >= "2026"
        if item == "bought_electricity":
            found[unit, month] += Decimal(0) if late else cents(quantity * Decimal("0.5703"))
        if item not in POWER_FUELS:
            continue
        kind = POWER_FUELS[item]
        before = {"coal": Decimal("0.99"), "oil": Decimal("0.98"), "gas": Decimal("0.99")}[kind]
        rate = exact(STATED[f"power.oxidation.{kind}"]) if late else before
        if of["oxidation"]:
            rate = exact(of["oxidation"][0]["quantity"]) / 100
        if of["carbon"]:
            tonnes = {row.get("batch"): exact(row["quantity"]) for row in of["in"]}
            weights = [Decimal(1) if kind == "gas" else tonnes[row["batch"]] for row in of["carbon"]]
            carbon = mean_of(weights, [exact(row["quantity"]) for row in of["carbon"]], "0.0001")
        else:
            heat, by_heat = (exact((STATED | OF_GAS)[key]) for key in fuel_keys("power", item)[:2])
            if tested := [row for row in of["in"] if row.get("ncv_gj_per_unit", np.nan) > 0]:
                weights = [Decimal(1) if kind == "gas" else exact(row["quantity"]) for row in tested]
                heat = mean_of(weights, [exact(row["ncv_gj_per_unit"]) for row in tested], "0.001")
            carbon = heat * by_heat
        found[unit, month] += cents(quantity * carbon * rate * CO2_PER_CARBON)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_power_units_are_those_of_plain_python(seed: int) -> None:
    rows = drawn_power(4, ["2025-11", "2025-12", "2026-01", "2026-02"], seed)
    names = sorted({row["unit_id"] for row in rows})
    register = pd.DataFrame({"unit_id": names, "enterprise_id": "E", "sector": "power", "province": "Anhui"})
    accounts = account(Reports.from_frames(register.assign(activity="grid_power"), pd.DataFrame(rows)), STATED)
    expected = power_by_plain_python(rows)
    shown = {(row.unit_id, row.month): exact(row.emissions_tco2e) for row in accounts.unit_months.itertuples()}
    assert shown == dict(expected)
    stated = {
        (row["unit_id"], row["month"], row["item"]): exact(row["quantity"]) for row in rows if row["flow"] != "in"
    }
    for row in accounts.power.itertuples():
        of_heat = cents(expected[row.unit_id, row.month] * stated[row.unit_id, row.month, "heat_supply_ratio"] / 100)
        assert exact(row.heat_emissions_tco2e) == of_heat
        assert exact(row.electricity_emissions_tco2e) == expected[row.unit_id, row.month] - of_heat
