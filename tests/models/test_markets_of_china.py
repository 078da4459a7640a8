"""The markets of the shipped instances of China: certified, and what they say of the price."""

from pathlib import Path

import numpy as np
import pytest

import etsopt
from etsopt.data.files import shipped
from etsopt.running.results.results import load, load_instance


@pytest.mark.everyday("cn-2025-clearing")
@pytest.mark.parametrize(
    ("name", "model"), [("cn-2025", "clearing"), ("cn-2025", "abatement"), ("cn-2025-2035", "pathway")]
)
def test_a_market_of_china_is_certified_and_so_is_its_run_folder(name: str, model: str, tmp_path: Path) -> None:
    instance = etsopt.read(name)
    result = etsopt.solve(instance, model)
    assert result.status in ("certified_optimal", "certified_gap")
    cost = result.levels[-1]
    assert cost.certified
    assert -1e-9 * abs(cost.value) <= cost.gap <= max(1e-4 * abs(cost.value), 1.0)
    result.save(tmp_path / "run", instance)
    again = load(tmp_path / "run")
    assert not etsopt.check(load_instance(tmp_path / "run"), again).violations
    assert again.prices["price"].to_list() == pytest.approx(result.prices["price"].to_list())


@pytest.mark.everyday("84.0-0.0-None-2.4")
@pytest.mark.parametrize(
    ("terminal_price", "demand", "price", "abated"),
    [(84.0, 0.0, None, 2.4), (0.0, 0.0, None, 0.0), (0.0, 1e8, 587.4, 11.5)],
)
def test_the_page_of_the_year_states_what_its_market_gives(
    terminal_price: float, demand: float, price: float | None, abated: float
) -> None:
    stated = {"market.terminal_price_cny_per_t": terminal_price, "market.external_demand_t": demand}
    result = etsopt.solve(etsopt.read("cn-2025").with_policy(stated), "clearing")
    assert result.certified
    years, set_by = result.tables["years"].iloc[0], result.tables["closure"]["set_by"].item()
    assert (years["emissions_before_tco2e"] - years["emissions_tco2e"]) / 1e6 == pytest.approx(abated, abs=0.05)
    if price is None:
        assert set_by == "self-balancing"
        assert years["price_lower_cny_per_t"] == pytest.approx(terminal_price)
    else:
        assert (years["price_cny_per_t"], set_by) == (pytest.approx(price), "penalty")


@pytest.mark.nightly
def test_with_lump_sums_industry_alone_has_the_price_that_an_allowance_is_worth_later() -> None:
    instance = etsopt.read("cn-2025").with_policy({"pathway.self_balancing_until": 2024})
    first = etsopt.solve(instance, "clearing")
    assert first.prices["price"][0] == pytest.approx(84.0)
    assert first.tables["closure"]["set_by"].tolist() == ["terminal price"]
    worthless = etsopt.solve(instance.with_policy({"market.terminal_price_cny_per_t": 0.0}), "clearing")
    assert worthless.prices["price"][0] == pytest.approx(0, abs=1e-6)
    short = instance.with_policy({"market.terminal_price_cny_per_t": 0.0, "market.external_demand_t": 1e8})
    scarce = etsopt.solve(short, "clearing")
    assert scarce.certified
    assert scarce.prices["price"][0] == pytest.approx(65.96, abs=0.005)
    # At the price as a tax the cap lies between the least and the greatest optimal emissions.
    cap = scarce.tables["years"]["allowance_t"][0] - 1e8
    emissions = []
    for price in (scarce.prices["upper"][0] * (1 + 1e-9), scarce.prices["lower"][0] * (1 - 1e-9)):
        # The demand of other sectors, which is not read where prices are given, stays out.
        stated = {"market.terminal_price_cny_per_t": 0.0, "market.prices_cny_per_t": float(price)}
        taken = etsopt.solve(instance.with_policy(stated), "abatement")
        emissions.append(taken.tables["years"]["emissions_tco2e"][0])
    assert emissions[0] <= cap + 1 <= emissions[1] + 2


@pytest.mark.everyday("136.8")
@pytest.mark.parametrize("worth", [136.8, 0.0])
def test_the_page_of_the_path_states_its_prices(worth: float) -> None:
    instance = etsopt.read("cn-2025-2035").with_policy({"market.terminal_price_cny_per_t": worth})
    prices = etsopt.solve(instance, "pathway").prices.set_index("year")["price"]
    page = (shipped.folder("cn-2025-2035") / "README.md").read_text(encoding="utf-8")
    cells = " | ".join(f"{prices[year]:.2f}" for year in (2027, 2030, 2033, 2035))
    assert f" | any | any | {cells} |" in page
    if worth:
        assert f"{prices[2025]:.2f} CNY" in page


@pytest.mark.nightly
def test_on_the_path_allowances_are_held_over_or_borrowed_and_prices_grow_by_the_discount_rate() -> None:
    instance = etsopt.read("cn-2025-2035")
    tables = etsopt.solve(instance.with_policy({"market.terminal_price_cny_per_t": 0.0}), "pathway").tables
    years = tables["years"]
    # What is issued in advance, half of a year's emissions, is never used up, so nothing parts one year from the next.
    assert (years["banked_t"] > -0.5 * years["emissions_before_tco2e"]).all()
    np.testing.assert_allclose(np.diff(np.log(years["price_cny_per_t"])), np.log(1.08), rtol=1e-6)
