"""Balance values that best responses reproduce: by hand, against every choice of every unit, and what always holds."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError
from etsopt.reports.certificate import open_gaps
from etsopt.reports.run import Run
from etsopt.rules.balance import balance_value, surplus_rates
from etsopt_models import equilibrium

SLOPE, CAP = 0.15, 0.03


def sector(
    units: list[tuple[float, float]], measures: list[tuple[int, float, float]], price: float, **policy: Any
) -> etsopt.Instance:
    """Units of (emissions, intensity); measures of (unit, abatement rate, cost in CNY a year)."""
    emissions, intensity = np.array(units).T
    frame = pd.DataFrame(
        {
            "unit_id": [f"u{k}" for k in range(len(units))],
            "enterprise_id": [f"e{k}" for k in range(len(units))],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": emissions,
            "output_t": emissions / intensity,
        }
    )
    table = None
    if measures:
        table = pd.DataFrame(
            {
                "measure_id": [f"m{number}" for number in range(len(measures))],
                "unit_id": [f"u{unit}" for unit, _, _ in measures],
                "abatement_rate": [rate for _, rate, _ in measures],
                "lifetime_years": 1,
                "variable_opex_cny_per_t": [cost / frame["output_t"][unit] for unit, _, cost in measures],
            }
        )
    stated = {"year": 2025, "rule": {"name": "cn-2025", "threshold_tco2e": 0.0}, "market": {"prices_cny_per_t": price}}
    for key, value in policy.items():
        stated[key] = {**stated.get(key, {}), **value}  # type: ignore[dict-item]
    return etsopt.Instance.from_frames(frame, stated, measures=table)


def options(units: list[tuple[float, float]], measures: list[tuple[int, float, float]]) -> list[list[Any]]:
    """All sets of each unit: (cost, emissions, intensity)."""
    result = []
    for unit, (emissions, intensity) in enumerate(units):
        own = [(rate, cost) for at, rate, cost in measures if at == unit]
        sets = []
        for taken in product([False, True], repeat=len(own)):
            left = float(np.prod([1 - rate for (rate, _), takes in zip(own, taken, strict=True) if takes]))
            cost = sum(cost for (_, cost), takes in zip(own, taken, strict=True) if takes)
            sets.append((cost, emissions * left, intensity * left))
        result.append(sets)
    return result


def by_every_choice(units: Any, measures: Any, price: float) -> list[float]:
    """Balance values of all choices of all units that are best responses to their own balance value."""
    every = [np.array(sets) for sets in options(units, measures)]
    found = []
    for chosen in product(*(range(len(sets)) for sets in every)):
        cells = np.array([sets[k] for sets, k in zip(every, chosen, strict=True)])
        value = balance_value(cells[:, 1], cells[:, 2], SLOPE, CAP).value
        for sets, k in zip(every, chosen, strict=True):
            paid = sets[:, 0] - price * sets[:, 1] * surplus_rates(sets[:, 2], value, SLOPE, CAP)
            if paid[k] > paid.min() + 1e-9 * abs(price * sets[k, 1]):
                break
        else:
            found.append(value)
    return sorted(found)


def random_sector(seed: int) -> tuple[list[tuple[float, float]], list[tuple[int, float, float]], float]:
    random = np.random.default_rng(seed)
    count = int(random.integers(2, 5))
    units = [(float(10 ** random.uniform(5, 6.3)), float(random.uniform(0.6, 1.3))) for _ in range(count)]
    measures = []
    for unit in range(count):
        for _ in range(int(random.integers(1, 4))):
            rate = float(random.uniform(0.02, 0.5))
            measures.append((unit, rate, float(random.uniform(-1, 14)) * rate * units[unit][0]))
    return units, measures, 80.0


def told(instance: etsopt.Instance) -> Any:
    return equilibrium.calculate(instance)["equilibrium"].iloc[0]


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(0, 150, 50))
def test_the_fixed_points_are_those_that_all_choices_of_all_units_have(first: int) -> None:
    for seed in range(first, first + 50):
        units, measures, price = random_sector(seed)
        tables = equilibrium.calculate(sector(units, measures, price))
        expected = by_every_choice(units, measures, price)
        assert tables["fixed_points"]["balance_value"].to_numpy() == pytest.approx(expected, rel=1e-12), seed
        status = {0: "cycle", 1: "fixed point"}.get(len(expected), "several")
        assert tables["equilibrium"]["status"].item() == status
        assert (len(tables["cycles"]) > 0) >= (status == "cycle")


TWO = [(1e5, 0.9), (1e5, 1.1)]
"""Without measures B = (0.9 + 1.1) / 2 = 1, and the surplus rates are 1.5 % and -1.5 %."""

# A tenth of the second unit's emissions: 90,000 t at 0.99, and then B = (90,000 + 89,100) / 190,000 = 0.942632.
# It saves 1,500 + 135 = 1,635 t of allowances at B = 1, and 2,504.2 - 678.4 = 1,825.8 t at B = 0.942632.
TAKEN = 179_100 / 190_000


@pytest.mark.parametrize(("cost", "expected"), [(100e3, [TAKEN]), (170e3, [TAKEN, 1.0]), (200e3, [1.0])])
def test_a_measure_that_pays_more_where_it_is_taken_has_one_fixed_point_or_two(
    cost: float, expected: list[float]
) -> None:
    instance = sector(TWO, [(1, 0.1, cost)], 100.0)
    result = etsopt.solve(instance, "equilibrium")
    points, row = result.tables["fixed_points"], result.tables["equilibrium"].iloc[0]
    assert points["balance_value"].tolist() == pytest.approx(expected)
    assert row["status"] == ("several" if len(expected) > 1 else "fixed point")
    # Told is the one that is reached from no abatement: at 170,000 CNY nobody begins.
    assert row["balance_value"] == pytest.approx(expected[-1])
    assert row["obtained"] == "reached from no abatement"
    assert abs(row["residual_t"]) < 1e-6
    assert (result.status, result.certified) == ("calculated", True)


CYCLE = ([(2e5, 0.9), (1e5, 1.5)], [(1, 0.25, 130e3)], 100.0)
"""The second unit has the full deficit, 3,000 t, with B = 1: the first then has 1.5 % of 200,000 t, which balances.

A quarter of its emissions leaves 75,000 t at 1.125. At B = 1 it then lacks 1,406 t, which earns it 159,375 CNY. But
then B = (180,000 + 84,375) / 275,000 = 0.961364, at which it lacks 1,914.9 t and
earns 108,511 CNY, less than the 130,000.
"""


def test_a_measure_that_pays_less_where_it_is_taken_goes_round() -> None:
    result = etsopt.solve(sector(*CYCLE), "equilibrium")
    row = result.tables["equilibrium"].iloc[0]
    assert (row["status"], row["fixed_points"], row["cycle_length"]) == ("cycle", 0, 2)
    assert sorted(result.tables["cycles"]["balance_value"]) == pytest.approx([264_375 / 275_000, 1.0])
    # It is indifferent where 3,000 - 11,250 (1.125 z - 1) = 1,300. There the first unit has 30,000 (1 - 0.9 z).
    z = (1 + 1_700 / 11_250) / 1.125
    assert row["balance_value"] == pytest.approx(1 / z)
    assert row["residual_t"] == pytest.approx(30_000 * (1 - 0.9 * z) - 3_000)
    # It breaks no statement, and that there is no fixed point is not proven.
    assert (result.status, result.certified, result.violations) == ("feasible", False, ())
    assert etsopt.check(sector(*CYCLE), result).violations == ()
    assert "No balance value is a fixed point in cement 2025" in open_gaps(Run(result))


SATURATED = [(1e5, 0.5), (1e6, 1.0)]


def test_a_higher_price_may_raise_emissions_of_a_saturated_unit() -> None:
    """The first unit holds 3 % of all it emits: a measure that saves 100,000 CNY costs it 300 allowances."""
    outcome = {}
    for price in (80.0, 400.0):
        tables = etsopt.solve(sector(SATURATED, [(0, 0.1, -100e3)], price), "equilibrium").tables
        outcome[price] = tables["equilibrium"]["emissions_tco2e"].item()
        reward = tables["units"].set_index("unit_id").loc["u0", "marginal_incentive_cny_per_t"]
        assert reward == pytest.approx(-0.03 * price)
    assert outcome == pytest.approx({80.0: 1_090_000, 400.0: 1_100_000})


def test_what_a_tonne_less_earns_is_the_formula_of_the_rule() -> None:
    units = etsopt.solve(sector(TWO, [], 100.0), "equilibrium").tables["units"]
    # 0.15 p (2 I / B - 1) with B = 1.
    assert units["marginal_incentive_cny_per_t"].tolist() == pytest.approx([15 * 0.8, 15 * 1.2])
    assert units["marginal_incentive_elsewhere_cny_per_t"].tolist() == pytest.approx([-1.5, 1.5])


@pytest.mark.nightly
def test_at_a_given_balance_value_a_higher_price_never_raises_what_a_unit_lacks() -> None:
    for seed in range(20):
        units, measures, _ = random_sector(seed)
        for price in (0.0, 20.0, 60.0, 120.0):
            tables = equilibrium.calculate(sector(units, measures, price))
            value = tables["equilibrium"]["balance_value"].item()
            lacks = -tables["units"]["surplus_t"].to_numpy()
            for sets, now in zip(options(units, measures), lacks, strict=True):
                cost, emissions, intensity = np.array(sets).T
                need = -emissions * surplus_rates(intensity, value, SLOPE, CAP)
                # The best responses to the same balance value at a higher price.
                paid = cost + (price + 50) * need
                assert (need[paid <= paid.min() + 1e-6] <= now + 1e-6).all()


def test_a_paid_share_makes_a_price_of_emissions() -> None:
    instance = sector(TWO, [(1, 0.1, 300e3)], 100.0)
    assert told(instance)["emissions_tco2e"] == pytest.approx(200_000)
    paid = etsopt.solve(instance.with_policy({"market.paid_share": 0.5}), "equilibrium")
    row = paid.tables["equilibrium"].iloc[0]
    assert row["emissions_tco2e"] == pytest.approx(190_000)
    assert row["auctioned_t"] == pytest.approx(95_000)
    assert paid.certified


@pytest.mark.nightly
def test_a_published_balance_value_is_one_of_its_decimals_and_leaves_a_residual() -> None:
    found = 0
    for seed in range(12):
        units, measures, price = random_sector(seed)
        rule = {"balance_value_decimals": 3}
        result = etsopt.solve(sector(units, measures, price, rule=rule), "equilibrium")
        every = [np.array(sets) for sets in options(units, measures)]
        expected = []
        for value in np.round(np.arange(0.3, 1.8, 0.001), 3):
            cells = []
            for sets in every:
                paid = sets[:, 0] - price * sets[:, 1] * surplus_rates(sets[:, 2], float(value), SLOPE, CAP)
                cells.append(sets[paid.argmin()])
            emissions, intensity = np.array(cells)[:, 1], np.array(cells)[:, 2]
            if round(balance_value(emissions, intensity, SLOPE, CAP).value, 3) == value:
                expected.append(float(value))
        assert result.tables["fixed_points"]["balance_value"].tolist() == pytest.approx(expected)
        assert result.certified is bool(expected)
        found += len(expected)
    assert found


def test_units_at_their_emissions_take_what_pays_by_itself_and_need_no_balance() -> None:
    instance = sector(TWO, [(0, 0.1, -5.0), (1, 0.1, 5.0)], 100.0, rule={"threshold_tco2e": 1e9})
    result = etsopt.solve(instance, "equilibrium")
    assert result.tables["units"]["measures"].tolist() == ["m0", ""]
    assert result.tables["units"]["surplus_t"].tolist() == [0.0, 0.0]
    assert np.isnan(result.tables["equilibrium"]["balance_value"].item())
    assert result.certified


@pytest.mark.parametrize(
    ("rule", "market", "what"),
    [
        ("cn-2024", {"prices_cny_per_t": 1.0}, "does not balance every sector: expected an intensity rule"),
        ("cn-2025", {}, "the price of 2025 is missing"),
    ],
)
def test_what_an_equilibrium_needs_is_asked_for(rule: str, market: dict[str, Any], what: str) -> None:
    units = sector(TWO, [], 100.0).units
    instance = etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": rule}, "market": market})
    with pytest.raises(DataError, match=what):
        etsopt.solve(instance, "equilibrium")


@pytest.mark.parametrize(
    ("table", "column", "row", "value", "rule"),
    [
        ("units", "measures", 1, "m0", "best_response"),
        ("units", "measures", 0, "m0", "measures"),
        ("units", "allowance_t", 0, 9e4, "units"),
        ("units", "intensity", 0, 0.8, "units"),
        ("units", "marginal_incentive_cny_per_t", 0, 1.0, "units"),
        ("equilibrium", "balance_value", 0, 1.01, "balance_value"),
        ("equilibrium", "residual_t", 0, 5.0, "residual"),
        ("equilibrium", "price_cny_per_t", 0, 99.0, "sectors"),
        ("equilibrium", "status", 0, "cycle", "sectors"),
        ("equilibrium", "emissions_tco2e", 0, 1.0, "totals_add_up"),
        ("fixed_points", "measures_cost_cny", 0, 1e6, "fixed_points"),
        ("fixed_points", "balance_value", 0, 1.1, "fixed_points"),
    ],
)
def test_each_cell_that_is_wrong_is_refused(table: str, column: str, row: int, value: Any, rule: str) -> None:
    instance = sector(TWO, [(1, 0.1, 200e3)], 100.0)
    result = etsopt.solve(instance, "equilibrium")
    assert not etsopt.check(instance, result).violations
    frame = result.tables[table]
    frame[column] = frame[column].astype(object) if isinstance(value, str) else frame[column].astype(float)
    frame.loc[row, column] = value
    assert rule in {violation.rule for violation in etsopt.check(instance, result).violations}


@pytest.mark.parametrize("table", ["equilibrium", "fixed_points", "cycles", "units"])
def test_a_table_that_is_missing_is_refused(table: str) -> None:
    instance = sector(TWO, [(1, 0.1, 200e3)], 100.0)
    result = etsopt.solve(instance, "equilibrium")
    del result.tables[table]
    assert etsopt.check(instance, result).violations


def test_a_run_folder_is_checked_again(tmp_path: Any) -> None:
    for measures in ([(1, 0.1, 170e3)], []):
        instance = sector(TWO, measures, 100.0)
        etsopt.solve(instance, "equilibrium").save(tmp_path / "run", instance)
        again = etsopt.load(tmp_path / "run")
        assert not etsopt.check(instance, again).violations


# Several years.


def of_years(prices: dict[str, float], first: int, last: int, **policy: Any) -> etsopt.Instance:
    """The two units with a measure at 170,000 CNY, over years in which their output grows by a tenth a year."""
    instance = sector(TWO, [(1, 0.1, 170e3)], 0.0)
    forecast = pd.DataFrame({"sector": ["cement"], "year": [2035], "output_factor": [2.0], "intensity_factor": [0.9]})
    content = {
        "year": 2025,
        "rule": {"name": "cn-2025", "threshold_tco2e": 0.0},
        "market": {"prices_cny_per_t": prices},
        "horizon": {"first_year": first, "last_year": last},
    } | policy
    return etsopt.Instance.from_frames(instance.units, content, measures=instance.measures, forecast=forecast)


PATH = {"2025": 100.0, "2026": 60.0, "2027": 140.0}


def test_every_year_of_a_horizon_has_the_equilibrium_that_it_has_alone() -> None:
    together = etsopt.solve(of_years(PATH, 2025, 2027), "equilibrium")
    assert (together.status, together.violations) == ("calculated", ())
    assert together.tables["equilibrium"]["price_cny_per_t"].tolist() == [100.0, 60.0, 140.0]
    for year in (2025, 2026, 2027):
        alone = etsopt.solve(of_years(PATH, year, year), "equilibrium")
        for name, table in alone.tables.items():
            theirs = together.tables[name]
            pd.testing.assert_frame_equal(theirs[theirs["year"] == year].reset_index(drop=True), table)


def test_a_path_of_prices_has_a_balance_value_for_each_year_by_hand() -> None:
    # Without a forecast every year is that of `TWO`. At 100 CNY/t there are two fixed points, and nobody begins; at
    # 60 the 1,825.8 t that a cut saves at most are worth less than 170,000 CNY, and at 140 the 1,635 t of no abatement
    # are worth more: 228,900 CNY.
    instance = sector(TWO, [(1, 0.1, 170e3)], 0.0).with_policy(
        {"market.prices_cny_per_t": PATH, "horizon.last_year": 2027}
    )
    result = etsopt.solve(instance, "equilibrium")
    table = result.tables["equilibrium"]
    assert table["balance_value"].tolist() == pytest.approx([1.0, 1.0, TAKEN])
    assert table["status"].tolist() == ["several", "fixed point", "fixed point"]
    assert result.tables["fixed_points"]["year"].tolist() == [2025, 2025, 2026, 2027]
    assert result.certified


def test_a_cap_of_the_pathway_is_no_matter_of_the_equilibrium() -> None:
    result = etsopt.solve(of_years(PATH, 2025, 2027, pathway={"cap_from": 2026}), "equilibrium")
    assert result.status == "calculated"


def test_a_measure_runs_from_its_first_year_on() -> None:
    instance = of_years({"2025": 140.0}, 2025, 2026)
    assert instance.measures is not None
    content = instance.policy.model_dump(mode="json", exclude_unset=True)
    late = etsopt.Instance.from_frames(instance.units, content, measures=instance.measures.assign(first_year=2026))
    units = etsopt.solve(late, "equilibrium").tables["units"].set_index(["year", "unit_id"])
    assert units.loc[(2025, "u1"), "measures"] == ""
    assert units.loc[(2026, "u1"), "measures"] == "m0"


@pytest.mark.parametrize(
    ("table", "change", "rule"),
    [
        ("equilibrium", lambda frame: frame.assign(year=frame["year"] + 1), "tables"),
        ("units", lambda frame: frame[frame["year"] != 2026], "same_rows"),
        ("units", lambda frame: frame.assign(year=frame["year"].replace({2026: 2025})), "same_rows"),
        ("fixed_points", lambda frame: frame[frame["year"] != 2027], "sectors"),
        ("equilibrium", lambda frame: frame.assign(price_cny_per_t=100.0), "sectors"),
        ("equilibrium", lambda frame: frame.drop(columns="year"), "tables"),
    ],
)
def test_rows_of_other_years_are_refused(table: str, change: Any, rule: str) -> None:
    instance = of_years(PATH, 2025, 2027)
    result = etsopt.solve(instance, "equilibrium")
    result.tables[table] = change(result.tables[table])
    assert rule in {violation.rule for violation in etsopt.check(instance, result).violations}


@pytest.mark.nightly
def test_a_horizon_that_is_shipped_has_an_equilibrium_in_every_year(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "cn-2025-2035", "--model", "equilibrium"]) == 0
    shown = capsys.readouterr().out
    assert [line.split()[:2] for line in shown.splitlines() if line.startswith("cement ")] == [
        ["cement", str(year)] for year in range(2025, 2036)
    ]


@pytest.mark.parametrize("model", ["equilibrium", "abatement"])
def test_a_unit_without_output_has_a_reward_where_intensity_has_an_output_of_its_own(model: str) -> None:
    size = np.array([0.85, 0.87, 0.89, 0.91])
    units = pd.DataFrame(
        {
            "unit_id": list("abcd"),
            "enterprise_id": list("abcd"),
            "sector": "steel",
            "province": "Hebei",
            "emissions_tco2e": 2e6,
            "output_t": [np.nan, 1e6, 1e6, 1e6],
            "intensity_output_t": 1e6,
            "intensity_emissions_tco2e": size * 1e6,
        }
    )
    policy = {
        "year": 2025,
        "rule": {"name": "cn-2025"},
        "market": {"prices_cny_per_t": 80.0},
        "pathway": {"self_balancing_until": 2025},
    }
    result = etsopt.solve(etsopt.Instance.from_frames(units, policy), model)
    assert result.violations == ()
    assert result.certified
    table = result.tables["units" if model == "equilibrium" else "unit_years"]
    # B = 0.88 by symmetry: the unit with the lowest intensity has a rate of 0.15 x 0.03 / 0.88 and earns
    # 80 (0.15 x 2 / 0.88 - rate).
    rate = 0.15 * 0.03 / 0.88
    assert table["marginal_incentive_cny_per_t"].iloc[0] == pytest.approx(80 * (0.15 * 2 / 0.88 - rate))
    assert table["marginal_incentive_elsewhere_cny_per_t"].iloc[0] == pytest.approx(-80 * rate)
