"""The markets of the shipped instances of China: certified, and what they say of the price."""

from pathlib import Path

import numpy as np
import pytest

import etsopt
from etsopt.data.files import shipped
from etsopt.results.results import load, load_instance


@pytest.mark.parametrize(
    ("name", "model"), [("cn-2025", "clearing"), ("cn-2025", "abatement"), ("cn-2025-2035", "pathway")]
)
def test_a_market_of_china_is_certified_and_so_is_its_run_folder(name: str, model: str, tmp_path: Path) -> None:
    instance = etsopt.read(name)
    result = etsopt.solve(instance, model)
    assert result.status in ("certified_optimal", "certified_gap")
    cost = result.levels[-1]
    assert cost.certified
    assert -1e-9 * abs(cost.value) <= cost.gap <= 1e-4 * abs(cost.value)
    result.save(tmp_path / "run", instance)
    again = load(tmp_path / "run")
    assert not etsopt.check(load_instance(tmp_path / "run"), again).violations
    assert again.prices["price"].to_list() == pytest.approx(result.prices["price"].to_list())


def test_industry_alone_is_not_short_and_its_price_is_what_an_allowance_is_worth_later() -> None:
    instance = etsopt.read("cn-2025")
    first = etsopt.solve(instance, "clearing")
    assert first.prices["price"][0] == pytest.approx(84.0)
    years = first.tables["years"].iloc[0]
    # The table of the page of the instance.
    assert (years["emissions_before_tco2e"] - years["emissions_tco2e"]) / 1e6 == pytest.approx(111.1, abs=0.05)
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


@pytest.mark.parametrize("worth", [136.8, 0.0])
def test_the_page_of_the_path_states_its_prices(worth: float) -> None:
    instance = etsopt.read("cn-2025-2035").with_policy({"market.terminal_price_cny_per_t": worth})
    prices = etsopt.solve(instance, "pathway").prices.set_index("year")["price"]
    page = (shipped.folder("cn-2025-2035") / "README.md").read_text(encoding="utf-8")
    cells = " | ".join(f"{prices[year]:.2f}" for year in (2025, 2026, 2027, 2030, 2033, 2035))
    assert f" | {cells} |" in page


def test_on_the_path_allowances_are_held_over_or_borrowed_and_prices_grow_by_the_discount_rate() -> None:
    instance = etsopt.read("cn-2025-2035")
    tables = etsopt.solve(instance.with_policy({"market.terminal_price_cny_per_t": 0.0}), "pathway").tables
    years = tables["years"]
    # What is issued in advance, half of a year's emissions, is never used up, so nothing parts one year from the next.
    assert (years["banked_t"] > -0.5 * years["emissions_before_tco2e"]).all()
    np.testing.assert_allclose(np.diff(np.log(years["price_cny_per_t"])), np.log(1.08), rtol=1e-6)
