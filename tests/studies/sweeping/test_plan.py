"""Sweep files: what they combine to, and what is wrong with them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.common.errors import DataError, UsageError
from etsopt.studies.sweeping import plan as of_plan
from etsopt.studies.sweeping.plan import plan_of, read_plan
from etsopt.studies.sweeping.sampling import Distribution, Sample, draws
from etsopt.studies.sweeping.scenario import Scenario
from tests import outlooks

BAND = "sectors.cement.band"
TARGET = "sectors.cement.target_change"
PENALTIES = ("multiple", "fixed_fine_cny", "reference_price_cny_per_t")


def names(**parts: Any) -> list[str]:
    return [one.name for one in plan_of({"instance": "tiny", **parts}).scenarios]


def test_every_named_scenario_meets_every_point_of_the_grid_every_pair_and_every_draw() -> None:
    parts: dict[str, Any] = {
        "policy": {"provinces.balance": 0.1},
        "scenarios": {"a": {}, "b": {"sectors.cement.band": 0.04}},
        "grid": {TARGET: [0.0, -0.01], "national.target_change": [0.0]},
        "paired": {"penalty.multiple": [1, 2, 3], "units.output_t": [1.0, 1.1, 1.2]},
        "sample": {"number": 2, "values": {"units.emissions_tco2e.cement": {"uniform": [0.9, 1.1]}}},
    }
    plan = plan_of({"instance": "tiny", **parts})
    assert len(plan.scenarios) == 2 * 2 * 3 * 2
    assert [one.name for one in plan.scenarios[:3]] == [
        *("a/grid-1/pair-1/sample-1", "a/grid-1/pair-1/sample-2", "a/grid-1/pair-2/sample-1")
    ]
    last = plan.scenarios[-1]
    assert last.name == "b/grid-2/pair-3/sample-2"
    assert last.changes == {
        **{"provinces.balance": 0.1, BAND: 0.04, TARGET: -0.01, "national.target_change": 0.0, "penalty.multiple": 3}
    }
    assert last.factors["units.output_t"] == 1.2
    # A draw is the same in every scenario that it meets, so that these can be compared.
    drawn = [one.factors["units.emissions_tco2e.cement"] for one in plan.scenarios]
    assert drawn[0::2] == [drawn[0]] * 12
    assert drawn[1::2] == [drawn[1]] * 12
    assert drawn[0] != drawn[1]


def test_a_file_without_parts_is_one_scenario_and_numbers_have_one_width() -> None:
    assert names() == ["base"]
    assert names(policy={BAND: 0.04}) == ["base"]
    assert names(grid={TARGET: [0.0] * 10})[::9] == ["grid-01", "grid-10"]


def test_keys_may_be_nested_dotted_or_quoted_and_a_table_that_is_a_value_stays_one(tmp_path: Path) -> None:
    text = """
        instance = "tiny"
        [policy]
        "pathway.cap_t" = { 2030 = 5.0 }
        sectors.cement.band = { lower = 0.01, upper = 0.02 }
        [policy.market]
        prices_cny_per_t = { 2025 = 60.0 }
        [grid]
        units.output_t = { cement = [0.9], steel = [1.0] }
        measures.capex_cny_per_t = [1.1]
    """
    (tmp_path / "sweep.toml").write_text(text)
    (one,) = read_plan(tmp_path / "sweep.toml").scenarios
    assert one.changes == {
        "pathway.cap_t": {"2030": 5.0},
        BAND: {"lower": 0.01, "upper": 0.02},
        "market.prices_cny_per_t": {"2025": 60.0},
    }
    assert one.factors == {"units.output_t.cement": 0.9, "units.output_t.steel": 1.0, "measures.capex_cny_per_t": 1.1}


def test_an_instance_is_looked_for_beside_the_file_first(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    assert plan_of({"instance": "tiny"}, tmp_path).instance == str(tmp_path / "tiny")
    assert plan_of({"instance": "tiny"}, tmp_path / "tiny").instance == "tiny"
    assert plan_of({"instance": "a.xlsx"}, tmp_path).instance == str(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("parts", "key", "what"),
    [
        ({"modle": "allocation"}, "modle", "is not a key of a sweep"),
        ({"grid": {TARGET: 0.1}}, f"grid.{TARGET}", "expected a valid list"),
        ({"grid": {TARGET: []}}, f"grid.{TARGET}", "is an empty list"),
        ({"paired": {TARGET: [0.1], BAND: [0.1, 0.2]}}, "paired", "has lists of 1"),
        ({"grid": {TARGET: [0.1]}, "paired": {TARGET: [0.1]}}, TARGET, "is stated in grid and paired"),
        ({"grid": {"units.output_t": [-0.1]}}, "units.output_t", "expected a factor"),
        ({"policy": {"units.output_t": True}}, "units.output_t", "expected a factor"),
        ({"scenarios": {"a": {"units.output_t": "b"}}}, "units.output_t", "expected a factor"),
        (
            {"grid": {f"penalty.{key}": list(range(100)) for key in PENALTIES} | {BAND: list(range(100))}},
            *("", "combine to 100,000,000 scenarios"),
        ),
        (
            {"sample": {"number": 3, "method": "sobol", "values": {BAND: {"uniform": [0.1, 0.2]}}}},
            "sample",
            "power of two",
        ),
        (
            {"sample": {"number": 3, "method": "saltelli", "values": {BAND: {"uniform": [0.1, 0.2]}}}},
            "sample",
            "power of two",
        ),
        ({"sample": {"number": 0, "values": {BAND: {"uniform": [0.1, 0.2]}}}}, "sample.number", "greater than"),
        ({"sample": {"number": 2, "values": {BAND: {}}}}, f"sample.values.{BAND}", "states no distribution"),
        (
            {"sample": {"number": 2, "values": {BAND: {"uniform": [0.1, 0.2], "normal": [0.0, 1.0]}}}},
            *(f"sample.values.{BAND}", "states uniform and normal"),
        ),
        ({"sample": {"number": 2, "values": {BAND: {"uniform": [0.2, 0.1]}}}}, f"sample.values.{BAND}", "wrong order"),
        ({"sample": {"number": 2, "values": {BAND: {"normal": [0.2, -1.0]}}}}, f"sample.values.{BAND}", "negative"),
        (
            {"sample": {"number": 2, "values": {BAND: {"uniform": [0.1, 0.2], "each": "row"}}}},
            *(f"sample.values.{BAND}", "has no rows"),
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_key(parts: dict[str, Any], key: str, what: str) -> None:
    with pytest.raises(DataError) as error:
        plan_of({"instance": "tiny", **parts})
    (problem,) = error.value.problems
    assert problem.place == "sweep.toml"
    assert problem.column == key
    assert what in f"{problem.place} {problem.what}"
    assert problem.advice


def test_a_missing_or_broken_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        read_plan(tmp_path / "sweep.toml")
    (tmp_path / "sweep.toml").write_text("instance = ")
    with pytest.raises(DataError, match="is no TOML"):
        read_plan(tmp_path / "sweep.toml")


BAD = """instance = "tiny"
model = "pathwy"
[options]
gapp = 1e-6
[grid]
units.output_t.cemnt = [0.9, 1.0]
sectors.cement.target_chnge = [0.0]
sectors.cement.band = []
penlty.multiple = [6.0]
[scenarios.a]
measures.capx = 1.1
[sample]
number = 4
[sample.values]
units.output_t = { unifrm = [0.9, 1.1] }
units.heat_gj = { triangular = [0.9, 1.0] }
units.emissions_tco2e.steal = { uniform = [1.0, 0.9] }
"""


def test_all_mistakes_of_a_file_are_told_at_once_with_its_name_and_the_nearest_words(tmp_path: Path) -> None:
    (tmp_path / "bad4.toml").write_text(BAD)
    with pytest.raises(DataError) as error:
        read_plan(tmp_path / "bad4.toml")
    assert {one.place for one in error.value.problems} == {"bad4.toml"}
    assert {one.column: (one.what, one.advice.split(".")[0]) for one in error.value.problems} == {
        "options.gapp": (
            *("is not a key of a sweep", "Did you mean 'gap'? Use one of time_limit_s, gap, seed, method"),
        ),
        "sample.values.units.output_t.unifrm": (
            "is not a key of a sweep",
            "Did you mean 'uniform'? Use one of uniform, triangular, normal, lognormal, choice, each",
        ),
        "sample.values.units.heat_gj.triangular": (
            "is [0.9, 1.0]: expected 3 numbers: least, most likely, largest",
            "State them in this order",
        ),
        "sample.values.units.emissions_tco2e.steal": (
            *("has ends in the wrong order", "State the least value first and the largest last"),
        ),
        f"grid.{BAND}": ("is an empty list", "State at least one value"),
        "model": (
            "'pathwy' is no model that is solved by itself",
            error.value.problems[5].advice.split(".")[0],
        ),
        "units.emissions_tco2e.steal": ("names no sector", "Did you mean 'steel'? Write units"),
        "units.output_t.cemnt": ("names no sector", "Did you mean 'cement'? Write units"),
        "sectors.cement.target_chnge": (
            "is not a key of the policy",
            "Did you mean 'target_change'? Use one of target_change, target_t, band, target_intensity, target_sense, "
            "balance_value, balance_value_source, balance_value_mark",
        ),
        "penlty": ("is not a key of the policy", error.value.problems[9].advice.split(".")[0]),
        "measures.capx": ("is no column of numbers that a factor may change", error.value.problems[10].advice[:-1]),
    }
    assert error.value.problems[5].advice.startswith("Did you mean 'pathway'? The models are abatement, allocation")
    assert error.value.problems[9].advice.startswith("Did you mean 'penalty'? Use one of year, coverage, rule")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[scenarios.a]\n[scenarios.a]\n", r"states the table [scenarios.a] twice (at line 3, column 13)"),
        ("[grid]\n[grid]\n", r"states the table [grid] twice (at line 3, column 6)"),
        ("[grid]\nunits.output_t = [1]\nunits.output_t = [2]\n", "states a key twice (at line 4, column 21)"),
    ],
)
def test_a_table_or_key_that_is_stated_twice_is_told_as_such(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / "a.toml").write_text(f'instance = "tiny"\n{text}')
    with pytest.raises(DataError) as error:
        read_plan(tmp_path / "a.toml")
    assert [(one.place, one.what) for one in error.value.problems] == [("a.toml", what)]


def test_no_message_on_an_unknown_key_ends_in_an_empty_list() -> None:
    nested: dict[str, Any] = {"sample": {"number": 2, "values": {BAND: {"uniform": [0.1, 0.2], "lowr": 1}}}}
    for parts in (
        nested,
        {"sample": {"number": 2, "nmber": 2, "values": nested["sample"]["values"]}},
        {"options": {"a": 1}},
    ):
        with pytest.raises(DataError) as error:
            plan_of({"instance": "tiny", **parts})
        assert all("Use one of ." not in one.advice for one in error.value.problems)
        assert all("Use one of " in one.advice for one in error.value.problems)


def test_a_parameter_of_the_rule_is_a_key_and_a_rule_with_its_name_is_a_value() -> None:
    plan = plan_of({"instance": "tiny", "grid": {"rule": {"slope": [0.1, 0.2]}}})
    assert [one.changes for one in plan.scenarios] == [{"rule.slope": 0.1}, {"rule.slope": 0.2}]
    whole = {"name": "benchmark", "benchmarks": {"cement": 0.8}}
    assert plan_of({"instance": "tiny", "policy": {"rule": whole}}).scenarios[0].changes == {"rule": whole}


def test_the_hash_is_that_of_scenarios_model_and_options_and_not_of_the_place_of_the_instance() -> None:
    base: dict[str, Any] = {"instance": "tiny", "grid": {TARGET: [0.0, -0.01]}}
    hashes = [
        plan_of(base | change).hash
        for change in (
            {},
            {"instance": "other"},
            {"model": "clearing"},
            {"options": {"gap": 0.1}},
            {"grid": {TARGET: [0.0]}},
        )
    ]
    assert hashes[0] == hashes[1]
    assert len({*hashes}) == 4


def test_quantiles_are_those_of_scipy() -> None:
    from scipy import stats

    shares = np.array([0.01, 0.3, 0.5, 0.75, 0.99])
    for stated, known in (
        ({"uniform": [2.0, 5.0]}, stats.uniform(2, 3)),
        ({"triangular": [1.0, 2.0, 5.0]}, stats.triang(0.25, 1, 4)),
        ({"triangular": [1.0, 1.0, 5.0]}, stats.triang(0.0, 1, 4)),
        ({"normal": [1.0, 0.2]}, stats.norm(1, 0.2)),
        ({"lognormal": [3.0, 0.4]}, stats.lognorm(0.4, scale=3)),
    ):
        assert Distribution.model_validate(stated).quantiles(shares) == pytest.approx(known.ppf(shares))
    assert Distribution(choice=["a", "b"]).quantiles(np.array([0.0, 0.49, 0.5, 1.0])).tolist() == ["a", "a", "b", "b"]


@pytest.mark.parametrize("method", ["latin_hypercube", "sobol", "random"])
def test_draws_are_the_same_for_a_seed_and_even_where_the_design_says_so(method: str) -> None:
    values = {"a": Distribution(uniform=[0.0, 8.0]), "b": Distribution(normal=[0.0, 1.0])}
    sample = Sample(number=8, method=method, values=values)
    drawn = list(draws(sample, 5))
    assert drawn == list(draws(sample, 5))
    assert drawn != list(draws(sample, 6))
    # One draw in each eighth, which independent ones miss at this seed.
    assert (sorted(int(one.values["a"]) for one in drawn) == list(range(8))) is (method != "random")


def test_a_row_of_a_saltelli_design_changes_one_input_at_a_time() -> None:
    """Keys of the policy, columns, and columns whose rows draw by themselves are each one input."""
    output, emissions = "units.output_t", "units.emissions_tco2e"
    values = {
        emissions: {"lognormal": [1.0, 0.02], "each": "row"},
        BAND: {"uniform": [0.02, 0.04]},
        output: {"normal": [1.0, 0.01]},
    }
    plan = plan_of({"instance": "tiny", "sample": {"number": 4, "method": "saltelli", "values": values}})
    assert len(plan.scenarios) == 4 * (3 + 2)
    assert [one.name for one in plan.scenarios[5:10]] == [
        *("sample-2-a", "sample-2-b", "sample-2-ab1", "sample-2-ab2", "sample-2-ab3")
    ]

    def stated(scenario: Scenario) -> list[Any]:
        factor = scenario.factors[emissions]
        return [factor[1] if isinstance(factor, tuple) else factor, scenario.changes[BAND], scenario.factors[output]]

    everything: list[set[Any]] = [set(), set(), set()]
    for row in range(4):
        one, other, *mixed = map(stated, plan.scenarios[5 * row : 5 * row + 5])
        for place, found in enumerate(mixed):
            assert found == [*one[:place], other[place], *one[place + 1 :]]
            assert one[place] != other[place]
            everything[place] |= {one[place], other[place]}
    assert [len(found) for found in everything] == [8, 8, 8]


def test_a_factor_changes_the_rows_of_its_sector_alone_and_each_row_by_its_own_if_asked() -> None:
    instance = etsopt.read("cn-2025")
    before = instance.units
    after = Scenario("a", {}, {"units.output_t.cement": 1.5}).of(instance).units
    cement = (before["sector"] == "cement").to_numpy()
    assert (after["output_t"] / before["output_t"])[cement].to_numpy() == pytest.approx(1.5)
    assert after["output_t"][~cement].equals(before["output_t"][~cement])
    assert after.drop(columns="output_t").equals(before.drop(columns="output_t"))

    def own(seed: int) -> np.ndarray[Any, Any]:
        factor = (Distribution(lognormal=[1.0, 0.1], each="row"), seed)
        units = Scenario("a", {}, {"units.emissions_tco2e": factor}).of(instance).units
        return np.log((units["emissions_tco2e"] / before["emissions_tco2e"]).to_numpy())

    assert np.array_equal(own(1), own(1))
    assert not np.array_equal(own(1), own(2))
    assert own(1).std() == pytest.approx(0.1, rel=0.1)
    assert abs(own(1).mean()) < 0.01


def test_a_factor_of_supply_changes_the_rows_of_its_source_alone() -> None:
    before = outlooks.by_hand().supply
    after = Scenario("a", {}, {"supply.cost_cny_per_t.kiln": 1.1}).of(outlooks.by_hand()).supply
    assert before is not None
    assert after is not None
    kiln = (before["supply_id"] == "kiln").to_numpy()
    assert (after["cost_cny_per_t"] / before["cost_cny_per_t"]).to_numpy() == pytest.approx(np.where(kiln, 1.1, 1.0))
    with pytest.raises(DataError, match="names neither a sector nor a source of supply"):
        Scenario("a", {}, {"supply.cost_cny_per_t.kilm": 1.1}).of(outlooks.by_hand())


def test_an_outlook_is_swept_with_the_prices_of_every_case() -> None:
    swept = etsopt.sweep(outlooks.by_hand(), {"cap": {}, "tighter": {"pathway.cap_t.2026": 75e6}}, "outlook")
    numbers = swept.numbers
    prices = numbers[(numbers["quantity"] == "price_cny_per_t") & (numbers["year"] == 2026)]
    assert set(prices["id"]) == {"policy", "other form", "no cap"}
    assert len(prices) == 6


@pytest.mark.parametrize(
    ("key", "factor", "what"),
    [
        ("units.sector", 1.0, "is no column of numbers"),
        ("units.emission_tco2e", 1.0, "Did you mean 'emissions_tco2e'"),
        ("units.heat_gj", 1.0, "is not in the instance"),
        ("measures.capex_cny_per_t", 1.0, "is not in the instance"),
        ("units.output_t.cemnt", 1.0, "names no sector"),
        ("units.output_t", 1e308, "leads to 3 values out of range"),
    ],
)
def test_a_factor_without_a_place_or_out_of_range_is_refused(key: str, factor: float, what: str) -> None:
    with pytest.raises(DataError, match=what):
        Scenario("a", {}, {key: factor}).of(etsopt.read("tiny"))


def test_the_sweep_that_the_documentation_shows_is_as_it_says() -> None:
    text = Path(of_plan.__file__).with_name("README.md").read_text("utf-8")
    plan = plan_of(tomllib.loads(text.split("```toml\n")[1].split("```")[0]))
    assert len(plan.scenarios) == 768
    assert "tight/grid-2/pair-1/sample-07" in {one.name for one in plan.scenarios}
    plan.scenarios[-1].of(etsopt.read("cn-2025"))


def test_years_with_lists_of_values_are_keys_and_a_yearly_value_stays_one() -> None:
    grid = {"pathway": {"cap_t": {"2030": [9e6, 8e6], "2035": [7e6]}, "slope": [{"2027": 0.2}, {"2027": 0.3}]}}
    plan = plan_of({"instance": "tiny", "policy": {"pathway": {"band": {"2027": [0.03, 0.05]}}}, "grid": grid})
    assert len(plan.scenarios) == 4
    assert plan.scenarios[-1].changes == {
        "pathway.band": {"2027": [0.03, 0.05]},
        "pathway.cap_t.2030": 8e6,
        "pathway.cap_t.2035": 7e6,
        "pathway.slope": {"2027": 0.3},
    }
