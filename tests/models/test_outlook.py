"""An outlook: a case solved by hand, what the shipped one has to show, and input that it refuses."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import DataError
from etsopt.modelling.compiler.compiled import CompiledModel
from etsopt.modelling.solving.levels import solve_levels
from etsopt.modelling.solving.options import SolveOptions
from etsopt.presenting.charts import chart_of
from etsopt.presenting.documents.document import Paragraph, Table
from etsopt.presenting.documents.quantities import rate
from etsopt.reports.outlook import outlook as outlook_sections
from etsopt.reports.remarks import warnings
from etsopt.reports.run import Run
from etsopt.reports.run_comparison import run_comparison
from etsopt.reports.workbook import _sheets
from etsopt_models import outlook
from etsopt_models._outlook.cases import Case, case_arrays
from etsopt_models._outlook.inputs import Outlook, program_arrays
from tests.judging import check
from tests.outlooks import ENTERPRISES, FORECAST, MT, POLICY, UNITS, by_hand, source, with_forecast

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 0.08
STEP = 0.01


@cache
def shipped(**policy: Any) -> etsopt.Results:
    """The shipped outlook under other keys of its policy, with ``__`` for the dot; a table by year as pairs."""
    changes = {key.replace("__", "."): dict(one) if isinstance(one, tuple) else one for key, one in policy.items()}
    return etsopt.solve(etsopt.read("cn-outlook").with_policy(changes), "outlook")


def years_of(result: etsopt.Results, case: str = "policy") -> pd.DataFrame:
    table = result.tables["outlook_years"]
    return table[table["case"] == case].set_index("year")


def prices(result: etsopt.Results, case: str = "policy") -> pd.Series[float]:
    return years_of(result, case)["price_cny_per_t"]


def test_the_case_as_derived_by_hand() -> None:
    # 2025: the kiln makes 100 Mt and gets its emissions, so the 5 Mt held are kept. 2026: green makes 10 Mt, the kiln
    # emits 90 Mt, and cap and bank give 85, so 5 Mt are captured at 50 CNY. A bank is held, so 2025 costs 50/1.1.
    # Clinker costs 300 + 50 = 350 in 2026; in 2025, when a tonne brings its own allowances, 300.
    result = etsopt.solve(by_hand(), "outlook")
    assert (result.status, result.violations) == ("certified_optimal", ())
    assert prices(result).tolist() == pytest.approx([50 / 1.1, 50.0])
    years, sectors = years_of(result), result.tables["outlook_sectors"].query("case == 'policy'")
    assert years["emissions_tco2e"].tolist() == pytest.approx([100 * MT, 85 * MT])
    assert years["banked_t"].tolist() == pytest.approx([5 * MT, 0.0])
    assert years["tied_to_year"].tolist() == [2026, 2026]
    assert sectors["product_price_cny_per_t"].tolist() == pytest.approx([300.0, 350.0])
    # Of the plants that emit 90 of 100 Mt are left, each with the emissions that it had before capture.
    assert sectors["output_factor"].tolist() == pytest.approx([1.0, 0.9])
    assert sectors["intensity_factor"].tolist() == pytest.approx([1.0, 1.0])
    cost = 100 * 300 + (90 * 300 + 10 * 320 + 5 * 50) / 1.1
    assert result.levels[0].value == pytest.approx(cost)
    assert result.tables["outlook"].set_index("case").loc["policy", ["peak_year", "peak_emissions_tco2e"]].tolist() == [
        2025,
        pytest.approx(100 * MT),
    ]


def test_demand_is_firm_in_the_years_whose_elasticity_is_zero_and_in_no_other() -> None:
    # Reference price 300, elasticity 0 until 2026 and 0.3 in 2027. The kiln costs 330 until 2026, which moves nothing
    # of a firm demand of 100 Mt. 2027: capture sets 50 CNY, so clinker costs 350 and 100 (1 - 0.3 x 50 / 300) = 95 Mt
    # are asked for: green makes 10, the kiln emits 85, cap and bank give 83, and 2 are captured.
    kiln = [
        source("kiln", "output", year, existing=200, cost=cost, emissions=1.0, benchmark=1.0)
        for year, cost in ((2026, 330), (2027, 300))
    ]
    green = [source("green", "output", year, largest_new=new, cost=320) for year, new in ((2026, 0), (2027, 10))]
    instance = by_hand(*kiln, *green, horizon__last_year=2027, pathway__cap_t={"2027": 78 * MT})
    rows = [{"year": 2026, "elasticity": 0.0}, {"year": 2027, "elasticity": 0.3}]
    forecast = pd.DataFrame(rows).assign(sector="cement", output_factor=1.0, product_price_cny_per_t=300.0)
    result = etsopt.solve(with_forecast(instance, forecast), "outlook")
    assert (result.status, result.violations) == ("certified_optimal", ())
    assert prices(result).tolist() == pytest.approx([50 / 1.21, 50 / 1.1, 50.0])
    sectors = result.tables["outlook_sectors"].query("case == 'policy'")
    assert sectors["demand_t"].tolist() == pytest.approx([100 * MT, 100 * MT, 95 * MT])
    assert sectors["product_price_cny_per_t"].tolist() == pytest.approx([330.0, 330.0, 350.0])
    # A price that only the last year needs is asked for as well.
    with pytest.raises(DataError, match="demand answers to a price that is not stated: cement"):
        etsopt.solve(with_forecast(instance, forecast.drop(columns="product_price_cny_per_t")), "outlook")


def test_a_free_part_by_output_takes_the_price_from_the_buyer() -> None:
    # Benchmarks are cut to 80 Mt on 100 Mt of the kiln, 0.8: a tonne of it costs 300 + 50 x 0.2 = 310, less than green.
    # So the kiln makes all, and 15 Mt are captured.
    result = etsopt.solve(by_hand(), "outlook")
    other = years_of(result, "other form")
    assert other["price_cny_per_t"].tolist() == pytest.approx([50 / 1.1, 50.0])
    assert other["free_share"].tolist() == pytest.approx([1.0, 0.8])
    assert other["auctioned_t"].tolist() == pytest.approx([0.0, 0.0], abs=1.0)
    sectors = result.tables["outlook_sectors"].query("case == 'other form'")
    assert sectors["product_price_cny_per_t"].tolist() == pytest.approx([300.0, 310.0])
    assert sectors["emissions_tco2e"].tolist() == pytest.approx([100 * MT, 85 * MT])
    sources = result.tables["outlook_sources"].query("case == 'other form' and year == 2026").set_index("supply_id")
    assert "green" not in sources.index[sources["supply_t"] > 0]
    assert sources.loc["capture", "supply_t"] == pytest.approx(15 * MT)


def test_without_the_cap_nothing_is_scarce() -> None:
    result = etsopt.solve(by_hand(), "outlook")
    assert prices(result, "no cap").tolist() == [0.0, 0.0]
    assert years_of(result, "no cap")["cap_t"].isna().all()


def test_what_is_left_at_the_end_is_worth_the_terminal_price_and_both_ends_are_stated() -> None:
    result = etsopt.solve(by_hand(outlook__highest_terminal_price_cny_per_t=60.0), "outlook")
    assert result.status == "certified_optimal"
    assert result.tables["outlook"]["case"].tolist() == ["policy", "other form", "no cap", "high terminal price"]
    # At 60 CNY all that can be captured, 30 Mt a year, is kept; what is kept to the end earns 60.
    assert prices(result, "high terminal price").tolist() == pytest.approx([60 / 1.1, 60.0])
    own = etsopt.solve(by_hand(market__terminal_price_cny_per_t=60.0), "outlook")
    assert prices(own, "terminal price 0").tolist() == pytest.approx([50 / 1.1, 50.0])


def test_the_shipped_outlook_is_certified_by_the_checker_alone() -> None:
    result = shipped()
    level = result.levels[0]
    assert (result.status, result.violations) == ("certified_optimal", ())
    assert abs(level.gap / level.value) < 1e-6
    miss = result.tables["outlook"]["cap_missed_t"]
    assert miss.max() < 1.0


@pytest.mark.nightly
def test_no_terminal_price_moves_a_price_where_no_bank_is_carried_into_the_end() -> None:
    other = shipped(market__terminal_price_cny_per_t=1203.0)
    np.testing.assert_allclose(prices(other), prices(shipped()), rtol=0, atol=1e-6)


def test_where_a_bank_may_be_left_both_ends_are_stated() -> None:
    result = shipped(pathway__no_bank_from=None, horizon__last_year=2060)
    low, high = prices(result), prices(result, "high terminal price")
    assert result.status == "certified_optimal"
    assert high[2060] == pytest.approx(1203.0)
    assert 1 - low[2035] / high[2035] > 0.5
    blocks = next(iter(outlook_sections(Run(result, with_charts=False)))).blocks
    table = next(block for block in blocks if isinstance(block, Table))
    assert table.columns[-1].heading == "owed to the terminal price"
    shares = {row[0]: row[-1] for row in table.rows}
    assert shares[2035] == pytest.approx(1 - low[2035] / high[2035])


def test_from_the_year_of_neutrality_on_emissions_are_within_cap_and_offsets() -> None:
    years = years_of(shipped()).loc[2060:]
    assert (years["emissions_tco2e"] <= years["cap_t"] + years["offset_t"] + 1.0).all()
    assert years["banked_t"].abs().max() < 1.0


@pytest.mark.parametrize("case", ["policy", "other form"])
def test_the_price_grows_by_the_discount_rate_while_a_bank_is_held_and_never_faster(case: str) -> None:
    years = years_of(shipped(), case)
    price, held = years["price_cny_per_t"], years["banked_t"].shift() > 1e3
    growth = (price / price.shift()).loc[2026:2059]
    assert (growth <= 1 + RATE + 1e-7).all()
    np.testing.assert_allclose(growth[held.loc[2026:2059]], 1 + RATE, rtol=1e-7)
    assert held.sum() > 10


@pytest.mark.everyday("2045")
@pytest.mark.parametrize("year", [2032, 2045, 2058])
def test_the_price_is_the_derivative_of_the_cost_by_the_cap(year: int) -> None:
    found = Outlook.of(etsopt.read("cn-outlook"))
    arrays, case = program_arrays(found), Case("policy", "fixed", True, 0.0)
    under_cap = np.isfinite(found.cap)
    cost = []
    for shift in (-1.0, 1.0):
        volume = np.where(under_cap, found.cap, 0.0) + shift * (found.years == year)
        data = arrays | case_arrays(found, case, np.where(under_cap, 0.0, 1.0), volume)
        program = CompiledModel(outlook.formulate(), data).program
        cost.append(solve_levels(program, ["cost"], SolveOptions(), {}).levels[0].value)
    slope = (cost[0] - cost[1]) / 2 / found.discount[found.years == year][0]
    assert slope == pytest.approx(prices(shipped())[year], rel=0.02)


def by_row(result: etsopt.Results, row: str, names: list[str], level: str) -> NDArray[np.float64]:
    """Multipliers of a row of the shipped outlook, shape ``(names, years)``, discounted; 0 where none is stated."""
    duals = result.tables["duals"]
    here = duals[(duals["level"] == level) & (duals["row"] == row)]
    wide = here.pivot_table(index="index", columns="year", values="multiplier")
    return wide.reindex(index=names, columns=years_of(result).index).fillna(0.0).to_numpy()


@pytest.mark.parametrize(("case", "level"), [("policy", "cost"), ("other form", "cost:other form")])
def test_every_source_within_its_limits_earns_its_marginal_cost(case: str, level: str) -> None:
    # What a unit of supply earns: its product less the electricity that it uses, the allowances that it brings less
    # those that it needs, offsets that its emissions admit, abatement of which it is the base; less the rents of its
    # capacity and of its own largest share.
    result, found = shipped(), Outlook.of(etsopt.read("cn-outlook"))
    names, years, sectors = found.sources["supply_id"].tolist(), years_of(result, case), found.instance.sectors
    columns, of_sector = found.columns, found.sources["sector"].to_numpy()
    price_of = by_row(result, "served", sectors, level)
    makes, power = found.holds("supplies", "output"), price_of[sectors.index("power")]
    needed = found.emissions - years["free_share"].to_numpy() * columns["benchmark_tco2e_per_t"]
    own_share = by_row(result, "share_limit", names, level)
    earned = needed * by_row(result, "bank", [""], level) + by_row(result, "capacity", names, level)[found.owner]
    earned -= columns["electricity_mwh_per_t"] * power
    earned -= found.instance.policy.market.ccer_share * found.emissions * by_row(result, "offset_limit", [""], level)
    earned += own_share
    for k in np.flatnonzero(makes):
        earned[k] += price_of[sectors.index(of_sector[k])]
        for limit in found.limited[of_sector[found.limited] == of_sector[k]]:
            weight = found.emissions[k] if found.sources["supplies"][limit] == "abatement" else 1.0
            earned[k] -= columns["largest_share"][limit] * weight * own_share[limit]
    supply = (
        result.tables["outlook_sources"]
        .query("case == @case")
        .pivot_table(index="supply_id", columns="year", values="supply_t")
    )
    made = supply.reindex(index=names, columns=years.index).fillna(0.0).to_numpy() / MT
    # Where capacity is a row, the bound of its users binds in no optimum that the row does not bind.
    inside = (made > columns["least_t"] + 1e-3) & (made < found.most - 1e-3)
    cost = found.discount * columns["cost_cny_per_t"]
    np.testing.assert_allclose((earned - cost)[inside], 0.0, atol=1e-4)
    assert inside.sum() > 500
    assert inside.any(axis=1).sum() > 25


def test_demand_is_on_its_line_within_a_step() -> None:
    sectors, found = shipped().tables["outlook_sectors"], Outlook.of(etsopt.read("cn-outlook"))
    here = sectors[sectors["case"] == "policy"]
    price, demand = (
        here[column].to_numpy().reshape(found.demand.shape) for column in ("product_price_cny_per_t", "demand_t")
    )
    line = 1 - (price - found.cost) * found.elasticity / found.price
    share = demand / MT / found.demand
    assert np.abs(share - line.clip(0.8, 1.1)).max() <= STEP * (1 + 1e-9)
    assert found.instance.sectors == ["aluminium", "cement", "power", "steel"]


@pytest.mark.nightly
def test_where_all_is_auctioned_the_form_of_the_free_part_makes_no_difference() -> None:
    result = shipped(outlook__free_part="output", pathway__paid_share=1.0)
    assert result.status == "certified_optimal"
    np.testing.assert_allclose(prices(result), prices(shipped()), rtol=1e-6)
    np.testing.assert_allclose(prices(result, "other form"), prices(shipped()), rtol=1e-6)


@pytest.mark.nightly
def test_more_auctions_never_raise_the_price_of_one_cap() -> None:
    found = [prices(shipped(pathway__paid_share=share), "other form")[2035] for share in (0.0, 0.3, 0.6, 1.0)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 3 * found[-1]


def test_an_outlook_by_output_is_not_called_certified_while_its_shares_are_missed() -> None:
    result = shipped(outlook__free_part="output")
    row = result.tables["outlook"].set_index("case").loc["policy"]
    assert (result.status, result.violations) == ("feasible", ())
    assert 1e-6 < row["auctioned_share_off"] < 0.05
    assert row["cap_missed_t"] < 1.0
    blocks = next(iter(outlook_sections(Run(result, with_charts=False)))).blocks
    said = " ".join(str(block.words) for block in blocks if isinstance(block, Paragraph))
    assert f"off those of the policy by up to {rate(row['auctioned_share_off'])}" in said
    np.testing.assert_allclose(prices(result), prices(shipped(), "other form"), rtol=1e-9)


@pytest.mark.nightly
def test_a_longer_horizon_moves_the_answer_by_less_than_a_thousandth() -> None:
    longer = prices(shipped(horizon__last_year=2095)).loc[2025:2045]
    np.testing.assert_allclose(longer, prices(shipped()).loc[2025:2045], rtol=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_with_demand_and_sources_fixed_to_the_plans_of_units_its_prices_are_those_of_a_path(seed: int) -> None:
    # What a unit abates beside its earlier measures, and at which cost, is a source of abatement.
    random, years = np.random.default_rng(seed), (2026, 2027, 2028)
    names = [f"unit-{number}" for number in range(4)]
    emissions = random.uniform(10, 60, len(names))
    measures, sources = [], [source("kiln", "output", existing=500, cost=300, emissions=1.0, benchmark=1.0)]
    for name, emitted in zip(names, emissions, strict=True):
        left, least = 1.0, 30.0
        for number, share in enumerate(random.uniform(0.1, 0.3, 2)):
            # Later measures cost more, so that a unit that may mix its plans takes them in turn.
            cost = least * random.uniform(1.6, 2.5)
            row = {"unit_id": name, "measure_id": f"{name}-{number}", "abatement_rate": share, "lifetime_years": 20}
            # As a source, a measure stops in a year that needs less of it.
            measures.append(
                row | {"stops": "yes", "capex_cny_per_t": 0.0, "variable_opex_cny_per_t": cost * share * left}
            )
            sources.append(
                source(f"{name} {number}", "abatement", existing=emitted * share * left, cost=cost, largest_share=1.0)
            )
            left, least = left * (1 - share), cost
    tonnes = pd.Series(emissions * MT, index=pd.Index(names, name="unit_id"))
    units = pd.DataFrame({"unit_id": names, "enterprise_id": names, "sector": "cement", "province": "North"})
    columns = ("emissions_tco2e", "prior_emissions_tco2e", "output_t", "reference_t")
    units = units.assign(**dict.fromkeys(columns, tonnes.to_numpy()))
    shares = dict(zip(map(str, years), np.sort(random.uniform(0.6, 0.95, 3))[::-1], strict=True))
    policy = POLICY | {
        "horizon": {"last_year": 2028, "discount_rate": 0.08},
        "pathway.cap_t": {year: float(share * tonnes.sum()) for year, share in shares.items()},
        "pathway.phase_2_from": 2026,
        "abatement.divisible_measures": True,
        "market.borrow_pre_allocation": False,
    }
    references = pd.concat([tonnes.rename("reference_t").reset_index().assign(year=year) for year in years])
    nation = etsopt.Instance.from_frames(units, policy, forecast=FORECAST, supply=pd.DataFrame(sources), name="nation")
    path = etsopt.Instance.from_frames(
        units, policy, forecast=references, measures=pd.DataFrame(measures), name="units"
    )
    found, beside = etsopt.solve(nation, "outlook"), etsopt.solve(path, "pathway")
    assert found.certified
    assert beside.certified
    assert prices(found).tolist() == pytest.approx(beside.tables["years"]["price_cny_per_t"].tolist(), rel=1e-9)
    assert prices(found).iloc[-1] > 0


def test_quantities_of_2025_are_those_of_the_statistics() -> None:
    tables = shipped().tables
    sectors = tables["outlook_sectors"].query("case == 'policy' and year == 2025").set_index("sector")
    assert sectors["demand_t"].loc[["steel", "aluminium"]].tolist() == pytest.approx([960.8 * MT, 45.02 * MT], rel=0.01)
    sources = tables["outlook_sources"].query("case == 'policy' and year == 2025").set_index("supply_id")["supply_t"]
    made = sources[sources.index.str.match("coal|gas|wind|hydro|nuclear")].sum() + 0.0798474 * sources["blast-furnace"]
    assert made == pytest.approx(10_400 * MT, rel=0.01)
    # Verified emissions of 2024 were 8,194 Mt; those of 2025 are not published.
    assert years_of(shipped())["emissions_tco2e"][2025] == pytest.approx(7969 * MT, rel=0.01)


def test_the_sources_of_the_program_do_not_depend_on_the_order_of_rows() -> None:
    instance = by_hand()
    assert instance.supply is not None
    other = etsopt.Instance.from_frames(
        instance.units,
        instance.policy.model_dump(exclude_unset=True, exclude_none=True),
        instance.enterprises,
        forecast=instance.forecast,
        supply=instance.supply.iloc[::-1],
    )
    assert etsopt.solve(other, "outlook").tables_hash == etsopt.solve(instance, "outlook").tables_hash


@pytest.mark.parametrize(
    ("instance", "said"),
    [
        (lambda: etsopt.read("tiny").with_policy({"outlook.free_part": "fixed"}), "supply.csv: there is none"),
        (lambda: by_hand(outlook__free_part=None), "outlook.free_part: is not stated"),
        (
            lambda: by_hand(source("kiln", "output", existing=60, cost=300, emissions=1.0)),
            "what sources can supply of cement is below what is served at any price: row of cement in 2025 '60 against "
            "100 million', row of cement in 2026 '70 against 100 million'.",
        ),
        (
            lambda: by_hand(source("kiln", "output", existing=200, least=300, cost=300)),
            "the least supply of kiln is above what it can supply: row of kiln in 2025 '300 against 200 million'",
        ),
        (
            lambda: by_hand(source("kiln", "output", existing=200, least=101, cost=300)),
            "the least output of cement is above the most that is demanded: row of cement in 2025 '101 against 100 "
            "million', row of cement in 2026 '101 against 100 million'.",
        ),
        (
            lambda: with_forecast(
                by_hand(source("kiln", "output", existing=200, least=111, cost=300)),
                FORECAST.assign(elasticity=0.3, product_price_cny_per_t=300.0),
            ),
            "row of cement in 2025 '111 against 110 million'",
        ),
    ],
    ids=["no sources", "no form", "too little capacity", "more than it can", "more than is asked", "beyond its line"],
)
def test_an_outlook_without_what_it_needs_is_refused_in_words(instance: Any, said: str) -> None:
    with pytest.raises(DataError) as caught:
        etsopt.solve(instance(), "outlook")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            source("kiln", "output", 2026, existing=1) | {"supplies": "abatement"},
            "row differs from the first of its source",
        ),
        (source("more", "output") | {"capacity_of": "nothing"}, "uses a capacity that no other has: row of more"),
        (source("more", "output") | {"sector": "glass"}, "is of a sector without units: row of more"),
        (source("more", "output", least_new=2, largest_new=1), "has to build more than it may: row of more"),
    ],
)
def test_sources_that_contradict_each_other_are_refused(row: dict[str, object], said: str) -> None:
    kiln = source("kiln", "output", existing=200)
    with pytest.raises(DataError) as caught:
        by_hand(kiln, row)
    assert said in str(caught.value)


def test_a_demand_that_answers_to_no_price_is_refused() -> None:
    instance = by_hand()
    assert instance.forecast is not None
    frames: Any = {"enterprises": instance.enterprises, "supply": instance.supply}
    policy = instance.policy.model_dump(exclude_unset=True, exclude_none=True)
    without = instance.forecast.assign(elasticity=0.5)
    wrong = etsopt.Instance.from_frames(instance.units, policy, forecast=without, **frames)
    with pytest.raises(DataError, match="demand answers to a price that is not stated: cement"):
        etsopt.solve(wrong, "outlook")
    with pytest.raises(DataError, match="product_price_cny_per_t"):
        etsopt.Instance.from_frames(
            instance.units, policy, forecast=without.assign(product_price_cny_per_t=0.0), **frames
        )


def scarce_at_the_end() -> etsopt.Instance:
    """A kiln and capture, whose cap binds in 2026, into which nothing is banked."""
    supply = [
        source("kiln", "output", existing=200, cost=300, emissions=1.0, benchmark=1.0),
        source("capture", "abatement", existing=30, cost=50, largest_share=0.4),
    ]
    return etsopt.Instance.from_frames(
        UNITS,
        POLICY | {"pathway.no_bank_from": 2026},
        ENTERPRISES.assign(opening_2025_t=0.0),
        forecast=FORECAST,
        supply=pd.DataFrame(supply),
    )


@pytest.mark.everyday("49.0", "51.0")
@pytest.mark.parametrize("price", [0.0, 49.0, 51.0, 1e6])
def test_a_price_that_only_narrowed_bounds_prove_is_not_certified(price: float) -> None:
    instance = scarce_at_the_end()
    right = etsopt.solve(instance, "outlook")
    assert right.status == "certified_optimal"
    years, duals = right.tables["outlook_years"].copy(), right.tables["duals"].copy()
    years.loc[(years["case"] == "policy") & (years["year"] == 2026), "price_cny_per_t"] = price
    bank = (duals["level"] == "cost") & (duals["row"] == "bank") & (duals["year"] == 2026)
    duals.loc[bank, "multiplier"] = -price / 1.1
    report = check(instance, {**right.tables, "outlook_years": years, "duals": duals}, right.levels, kind="outlook")
    assert not report.certified
    assert report.unproven_prices == ("cost",)


@pytest.mark.nightly
def test_false_prices_of_another_case_are_named_where_the_own_form_is_not_certified() -> None:
    instance = etsopt.read("cn-outlook").with_policy({"outlook.free_part": "output"})
    right = etsopt.solve(instance, "outlook")
    assert (right.status, check(instance, right.tables, right.levels, kind="outlook").unproven_prices) == (
        "feasible",
        (),
    )
    years, duals = right.tables["outlook_years"].copy(), right.tables["duals"].copy()
    years.loc[years["case"] == "no cap", ["price_cny_per_t", "revenue_cny"]] *= 2
    duals.loc[(duals["level"] == "cost:no cap") & (duals["row"] == "bank"), "multiplier"] *= 2
    report = check(instance, {**right.tables, "outlook_years": years, "duals": duals}, right.levels, kind="outlook")
    assert report.unproven_prices == ("cost:no cap",)


def test_a_cap_of_zero_and_plants_that_go_are_answers() -> None:
    none = etsopt.read("cn-outlook").with_policy({"pathway.cap_t": {"2030": 7.97e9, "2035": 7.497e9, "2060": 0.0}})
    assert etsopt.solve(none, "outlook").status == "certified_optimal"
    green = source("green", "output", existing=200, cost=100, emissions=0.0, benchmark=0.0)
    supply = pd.DataFrame([source("kiln", "output", existing=200, cost=300, emissions=1.0, benchmark=1.0), green])
    gone = etsopt.Instance.from_frames(UNITS, POLICY, ENTERPRISES, forecast=FORECAST, supply=supply)
    result = etsopt.solve(gone, "outlook")
    assert result.status == "certified_optimal"
    assert result.tables["outlook_sectors"]["intensity_factor"].isna().any()


def test_an_outlook_that_ends_before_the_year_of_its_title_is_drawn() -> None:
    short = etsopt.solve(etsopt.read("cn-outlook").with_policy({"horizon.last_year": 2030}), "outlook")
    assert "in 2030" in chart_of("outlook", short.tables, short.provenance).title


def test_a_report_that_ends_before_the_tables_is_refused_by_its_key() -> None:
    with pytest.raises(DataError, match=r"outlook.report_until: is 2024, before the year of the tables, 2025"):
        etsopt.read("cn-outlook").with_policy({"outlook.report_until": 2024})


@pytest.mark.parametrize(
    ("cap_t", "cap", "said"),
    [
        (
            {"2020": 160 * MT, "2030": 60 * MT},
            [110 * MT, 100 * MT],
            ["is of a year before the first, 2025: until 2030 caps are on the straight line from it."],
        ),
        (
            {"2020": 90 * MT},
            [90 * MT, 90 * MT],
            ["is of a year before the first, 2025, and the cap of every year."],
        ),
        ({"2020": 160 * MT, "2025": 95 * MT}, [95 * MT, 95 * MT], []),
        ({"2026": 80 * MT}, [np.nan, 80 * MT], []),
    ],
)
def test_a_cap_of_a_year_before_the_first_is_told(cap_t: dict[str, float], cap: list[float], said: list[str]) -> None:
    result = etsopt.solve(by_hand(pathway__cap_t=cap_t), "outlook")
    np.testing.assert_allclose(years_of(result)["cap_t"], cap)
    told = [str(one.words) for one in warnings(Run(result))]
    assert [text for text in told if "cap_t" in text] == [f"pathway.cap_t.2020 {rest}" for rest in said]


def test_each_product_is_shown_in_its_own_unit_of_measure() -> None:
    section = next(one for one in outlook_sections(Run(shipped(), with_charts=False)) if one.key == "outlook-products")
    products, electricity = (block.shown() for block in section.blocks if isinstance(block, Table))
    assert [head.unit for head in products.columns] == ["", "", "Mt", "Mt", "CNY/t", "Mt"]
    assert {row[0] for row in products.rows} == {"aluminium", "cement", "steel"}
    assert [head.unit for head in electricity.columns] == ["", "", "TWh", "TWh", "CNY/MWh", "Mt"]
    assert electricity.rows[0][:5] == ("power", "2025", "9,792.230", "9,726.184", "325.00")
    sheets = dict(_sheets(shipped(), ""))
    made, power = sheets["outlook_sectors"], sheets["outlook_electricity"]
    assert isinstance(made, Table)
    assert isinstance(power, Table)
    assert [column.heading for column in power.columns][3:6] == [
        "demand_at_reference_mwh",
        "demand_mwh",
        "product_price_cny_per_mwh",
    ]
    assert len(made.rows) == 3 * len(power.rows)


def test_two_outlooks_are_compared_by_form_product_and_year() -> None:
    one, other = shipped(), shipped(outlook__free_part="output")
    found = run_comparison(Run(one, "one", with_charts=False), Run(other, "other", with_charts=False))
    tables = {section.key: section.blocks[0] for section in found.sections}
    years, power = tables["outlook-years"], tables["outlook-electricity"]
    assert isinstance(years, Table)
    assert isinstance(power, Table)
    # The own form of one is the other form of the other: each price is beside that of the same form.
    at = {(row[0], row[1]): row for row in years.rows}
    fixed, by_output = at["free part fixed", "2035"], at["free part by output", "2035"]
    assert fixed[2:4] == pytest.approx((prices(one)[2035],) * 2, rel=1e-9)
    assert by_output[2:4] == pytest.approx((prices(other)[2035],) * 2, rel=1e-9)
    row = next(row for row in power.rows if row[0] == "2030")
    assert row[1:4] == pytest.approx((1.23149e10, 1.24393e10, 1.24393e8), rel=1e-3)
    products = tables["outlook-sectors"]
    assert isinstance(products, Table)
    assert {row[0] for row in products.rows} == {"aluminium", "cement", "steel"}
