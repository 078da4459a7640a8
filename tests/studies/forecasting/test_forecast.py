"""A forecast: by hand where nothing is uncertain, the rule itself in every draw, and intervals that hold the truth."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, SolverError, UsageError
from etsopt.common.language import speaking
from etsopt.presenting.documents.document import Table
from etsopt.rules import reference_allowances
from etsopt.rules.balance import balance_value
from etsopt.studies.forecasting import forecast_of, read_forecast, simulation
from etsopt.studies.forecasting.forecast_document import forecast_document
from etsopt.studies.forecasting.simulation import at_start, drawn, sectors_of
from etsopt.studies.forecasting.statistics import quantiles

if TYPE_CHECKING:
    from etsopt.data.instance import Instance
    from etsopt.rules.balance import BalanceValue
    from etsopt.studies.forecasting import ForecastPlan
    from etsopt.studies.forecasting.belief import Belief

PRIOR: dict[str, Any] = {
    "source": "made up for the tests",
    "other_units": 40,
    "balance_value": 0.8,
    "change": {"normal": [-0.01, 0.02]},
    "spread": {"lognormal": [1.0, 0.06]},
    "output_t": {"lognormal": [200_000.0, 0.5]},
}

CERTAIN = {"change": {"choice": [0.0]}, "spread": {"choice": [1.0]}, "output_t": {"choice": [160_000.0]}}


def plan_of(sectors: dict[str, dict[str, Any]] | None = None, **asked: Any) -> ForecastPlan:
    return forecast_of({"sectors": {"cement": PRIOR} if sectors is None else sectors, "draws": 99} | asked)


def cement(draws: int = 99, seed: int = 0, **changed: Any) -> ForecastPlan:
    return plan_of({"cement": PRIOR | changed}, draws=draws, seed=seed)


def owned(units: int = 3) -> Instance:
    """The first lines of the instance of three, with its policy but for the target."""
    tiny = etsopt.read("tiny")
    return etsopt.Instance.from_frames(tiny.units.head(units), tomllib.loads(policy()))


def policy() -> str:
    return (Path(__file__).parents[3] / "instances" / "tiny" / "policy.toml").read_text(encoding="utf-8")


def balance_value_of(instance: Instance) -> float:
    return float(reference_allowances(instance).sectors["balance_value"].iloc[0])


def test_without_uncertainty_the_forecast_is_the_balance_value_of_the_whole_sector() -> None:
    """Two own lines, and a third of intensity 1 with 160,000 t: the instance `tiny`, which is solved by hand.

    Rates of +3 % and -3 % belong to lines 1 and 3, so line 2 gets what balances:
    300,000 a = 0.03 (160,000 - 100,000), a = 0.006 = 0.15 (1 - 0.768/B), B = 0.768/0.96 = 0.8.
    """
    found = etsopt.forecast(owned(2), {"cement": PRIOR | CERTAIN | {"other_units": 1, "balance_value": 1.0}}, draws=19)
    whole = etsopt.read("tiny")
    row = found.numbers.iloc[0]
    assert row[["least", "lower", "median", "upper", "largest"]].tolist() == [balance_value_of(whole)] * 5
    assert row["mean"] == pytest.approx(0.8, rel=1e-15)
    unit = found.numbers[(found.numbers["level"] == "unit") & (found.numbers["quantity"] == "allowance_t")]
    assert unit["mean"].tolist() == [103_000.0, 301_800.0]
    assert unit["mean"].tolist() == reference_allowances(whole).reference_t[:2].tolist()
    surplus = found.numbers[found.numbers["quantity"] == "surplus_t"].set_index("level")
    assert surplus.loc["enterprise", "mean"] == 4_800.0
    assert surplus.loc["unit", "at_upper_cap"].tolist() == [1.0, 0.0]
    # At the balance value that the prior starts from, both lines are far below it.
    assert surplus.loc["unit", "at_start"].tolist() == [3_000.0, 9_000.0]


def test_own_units_alone_have_their_own_balance_value() -> None:
    found = etsopt.forecast(owned(), {"cement": PRIOR | {"other_units": 0}}, draws=19)
    assert found.numbers["least"].tolist() == found.numbers["largest"].tolist()
    assert found.numbers.loc[0, "median"] == balance_value_of(owned())


def completed(own: Instance, plan: ForecastPlan, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], Any]:
    """Every sector that was drawn, and the draws."""
    kept: list[Any] = []
    complete = simulation._completed

    def keeping(*asked: Any) -> Any:
        kept.append(complete(*asked))
        return kept[-1]

    monkeypatch.setattr(simulation, "_completed", keeping)
    return kept, drawn(own, plan, sectors_of(own, plan))


@pytest.mark.parametrize("size", ["output_t", "emissions_tco2e"])
def test_every_draw_is_what_the_rule_says_of_the_completed_sector(size: str, monkeypatch: pytest.MonkeyPatch) -> None:
    own = owned()
    prior = {**PRIOR, size: PRIOR["output_t"]}
    if size != "output_t":
        del prior["output_t"]
    kept, found = completed(own, plan_of({"cement": prior}), monkeypatch)
    assert len(kept) == 99
    for draw in range(0, 99, 11):
        emissions, intensity = kept[draw]
        names = [f"unit-{number:02}" for number in range(len(emissions))]
        units = pd.DataFrame({"unit_id": names, "enterprise_id": names, "sector": "cement", "province": "North"})
        units = units.assign(emissions_tco2e=emissions, output_t=emissions / intensity)
        reference = reference_allowances(etsopt.Instance.from_frames(units, tomllib.loads(policy())))
        value = float(reference.sectors["balance_value"].iloc[0])
        assert found.balance_values[0, draw] == pytest.approx(value, rel=1e-14)
        assert found.allowance_t[draw].tolist() == reference.reference_t[:3].tolist()


def test_a_balance_value_is_published_with_the_decimals_of_the_policy() -> None:
    own = owned().with_policy({"rule.balance_value_decimals": 3})
    plan = plan_of()
    exact, rounded = (drawn(one, plan, sectors_of(one, plan)).balance_values for one in (owned(), own))
    assert np.array_equal(rounded, np.vectorize(lambda value: round(value, 3))(exact))


def test_a_balance_value_that_does_not_balance_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*asked: Any) -> BalanceValue:
        found = balance_value(*asked)
        return replace(found, value=found.value * 1.000001, lower=found.lower * 1.000001)

    monkeypatch.setattr(simulation, "balance_value", wrong)
    with pytest.raises(SolverError, match=r"A drawn balance value of cement leaves [\d.]+ t unbalanced"):
        etsopt.forecast(owned(), {"cement": PRIOR}, draws=19)


def test_a_large_sector_has_the_balance_value_that_is_stated() -> None:
    """The scale of the spread and the weights of intense units are accounted for, to the chance of 200,000 units."""
    many = {"other_units": 200_000, "change": {"choice": [-0.05]}}
    for spread in ({"lognormal": [1.0, 0.15]}, {"lognormal": [7.0, 0.15]}, {"triangular": [1.0, 1.1, 2.0]}):
        for prior in (PRIOR, {**PRIOR, "output_t": None, "emissions_tco2e": {"lognormal": [1e5, 0.5]}}):
            plan = forecast_of({"sectors": {"cement": prior | many | {"spread": spread}}, "draws": 19})
            (found,) = drawn(owned(), replace(plan, draws=1), sectors_of(owned(), plan)).balance_values[0]
            assert found == pytest.approx(0.95 * 0.8, rel=2e-3)


def test_the_mean_of_a_heavy_spread_is_not_its_balance_value() -> None:
    """Without the factor between both, the test above would fail: intense units emit more."""
    (sector,) = sectors_of(owned(), cement(spread={"lognormal": [1.0, 0.15]}))
    assert sector.belief.kappa > 1.01


def test_others_are_scaled_to_the_total_of_the_sector(monkeypatch: pytest.MonkeyPatch) -> None:
    own = owned()
    kept, _ = completed(own, cement(total_output_t=9e6), monkeypatch)
    assert [(emissions / intensity).sum() for emissions, intensity in kept] == pytest.approx([9e6] * 99)


def belief(change: dict[str, Any], deviation: float | None) -> Belief:
    prior = PRIOR | {"change": change, "owner_deviation": deviation}
    (sector,) = sectors_of(owned(), plan_of({"cement": prior}))
    return sector.belief


@pytest.mark.parametrize("deviation", [0.0, 0.03])
@pytest.mark.parametrize("units", [1, 9])
def test_the_update_of_a_normal_prior_is_the_conjugate_one(units: int, deviation: float) -> None:
    # The logarithm of the change is nearly normal, with this mean and deviation.
    here = belief({"normal": [-0.01, 0.002]}, deviation)
    mean, spread = here.log_changes.mean(), here.log_changes.std()
    own = 0.8 * np.exp(np.linspace(-0.01, 0.015, units))
    seen = np.log(own).mean() - np.log(0.8 / here.kappa) - 0.0
    precision = 1 / (0.06**2 / units + deviation**2)
    after = (mean / spread**2 + seen * precision) / (1 / spread**2 + precision)
    found = here.mean_and_deviation(own)
    assert np.log(found[0] / 0.8) == pytest.approx(after, abs=3e-6)
    assert found[1] / found[0] == pytest.approx((1 / spread**2 + precision) ** -0.5, rel=2e-3)
    draws = here.levels((np.arange(999) + 0.5) / 999, np.tile(own, (999, 1)))
    assert draws.mean() == pytest.approx(found[0], rel=1e-5)
    assert draws.std() == pytest.approx(found[1], rel=1e-2)


def test_own_units_say_nothing_unless_it_is_stated() -> None:
    own = 0.8 * np.array([1.05, 1.06])
    silent = belief({"normal": [0.0, 0.02]}, None)
    assert silent.mean_and_deviation(own) == silent.mean_and_deviation(np.empty(0))
    means = [belief({"normal": [0.0, 0.02]}, one).mean_and_deviation(own)[0] for one in (0.0, 0.02, 0.1, 10.0)]
    assert means == sorted(means, reverse=True)
    assert means[-1] == pytest.approx(silent.mean_and_deviation(own)[0], rel=1e-5)
    assert silent.surprise(own) == pytest.approx(
        (np.log(own / 0.8).mean() + np.log(silent.kappa)) / np.hypot(0.02, 0.06 / 2**0.5), rel=5e-3
    )


def test_a_shift_moves_the_prior_and_nothing_else() -> None:
    own = owned()
    plan, shifted = cement(change={"normal": [0.0, 1e-4]}), cement(change={"normal": [2e-4, 1e-4]})
    moved = drawn(own, plan, sectors_of(own, plan), 2.0).balance_values
    stated = drawn(own, shifted, sectors_of(own, shifted)).balance_values
    assert moved == pytest.approx(stated, rel=1e-7)
    assert (moved > drawn(own, plan, sectors_of(own, plan)).balance_values).all()


def test_open_figures_of_own_units_are_drawn() -> None:
    open_own = {"output": {"uniform": [0.9, 1.1], "each": "row"}, "intensity": {"uniform": [0.98, 1.02]}}
    own, plan = owned(), cement(own=open_own)
    found = drawn(own, plan, sectors_of(own, plan))
    ratio = found.emissions_tco2e / own.emissions_tco2e
    assert len(np.unique(ratio)) == ratio.size
    assert 0.9 * 0.98 <= ratio.min() < 0.9 < 1.1 < ratio.max() <= 1.1 * 1.02
    # Factors on all own units are a Latin hypercube, those of each unit independent of each other.
    assert abs(np.corrcoef(ratio[:, 0], ratio[:, 1])[0, 1]) < 0.35
    common = cement(own={"output": {"uniform": [0.9, 1.1]}})
    same = drawn(own, common, sectors_of(own, common)).emissions_tco2e / own.emissions_tco2e
    assert same == pytest.approx(np.repeat(same[:, :1], 3, axis=1))
    start = at_start(own, sectors_of(own, plan))
    assert start.emissions_tco2e[0].tolist() == own.emissions_tco2e.tolist()


def test_a_forecast_is_the_same_for_the_same_seed_and_whatever_other_sectors_there_are() -> None:
    one, same, other = (etsopt.forecast(owned(), {"cement": PRIOR}, draws=49, seed=seed) for seed in (1, 1, 2))
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, same.tables[name])
    assert one.numbers.loc[0, "mean"] != other.numbers.loc[0, "mean"]


def test_small_enterprises_and_special_cases_get_their_emissions() -> None:
    units = etsopt.read("tiny").units
    small = units.tail(1).assign(unit_id="small", enterprise_id="small", emissions_tco2e=25_000.5, output_t=10_000.0)
    own = etsopt.Instance.from_frames(pd.concat([units, small]), tomllib.loads(policy()))
    found = etsopt.forecast(own, {"cement": PRIOR | {"owner_deviation": 0.0}}, draws=19)
    row = found.numbers[(found.numbers["unit_id"] == "small") & (found.numbers["quantity"] == "surplus_t")].iloc[0]
    assert (row["mean"], row["deficit_probability"]) == (0.5, 0.0)
    assert np.isnan(row["at_upper_cap"])
    without = etsopt.forecast(owned(), {"cement": PRIOR | {"owner_deviation": 0.0}}, draws=19)
    pd.testing.assert_frame_equal(found.priors, without.priors)


def test_quantiles_hold_another_draw_with_their_share() -> None:
    """Of 19 draws the ends of 90 % are the least and the largest: a 20th is below or above with 1 in 20 each."""
    values = np.arange(19.0)
    assert quantiles(values, [0.05, 0.5, 0.95]).tolist() == [0.0, 9.0, 18.0]


HELD_OUT, DRAWS, OWN = 120, 19, 5


def covered(prior: dict[str, Any], believed: dict[str, Any], own_apart: float = 0.0) -> float:
    """Share of held-out sectors, drawn from one prior, whose balance value lies within the interval of another.

    Of every sector five units are shown as own units; all else is hidden from the forecast.
    """
    own, random = owned(), np.random.default_rng(20_251_128)
    (truth,), (base,) = (sectors_of(own, cement(**one, other_units=20)) for one in (prior, believed))
    hits = 0
    for number in range(HELD_OUT):
        level = truth.belief.levels(random.random(1), np.empty((1, 0)))
        intensity = level * truth.belief.factors(random.random(OWN + 20))
        intensity[:OWN] *= np.exp(own_apart)
        emissions = truth.prior.size.quantiles(random.random(OWN + 20)).astype(float) * intensity
        balanced = np.ones(OWN, dtype=bool)
        sector = replace(
            base, rows=np.arange(OWN), balanced=balanced, emissions=emissions[:OWN], intensity=intensity[:OWN]
        )
        plan = cement(**believed, other_units=20, draws=DRAWS, seed=number)
        least, largest = quantiles(drawn(own, plan, [sector]).balance_values[0], [0.05, 0.95])
        hits += least <= balance_value(emissions, intensity, 0.15, 0.03).value <= largest
    return hits / HELD_OUT


@pytest.mark.nightly
def test_the_interval_holds_the_true_balance_value_of_held_out_sectors_as_often_as_it_says() -> None:
    """Within three standard errors of 90 %; a prior that is too sure, or whose mean is wrong, is far outside."""
    error = 3 * (0.9 * 0.1 / HELD_OUT) ** 0.5
    sample: dict[str, Any] = {"owner_deviation": 0.0}
    assert covered({}, sample) == pytest.approx(0.9, abs=error)
    assert covered({}, sample | {"change": {"normal": [-0.01, 0.004]}}) < 0.9 - error
    assert covered({}, sample | {"change": {"normal": [0.05, 0.02]}}) < 0.9 - error


@pytest.mark.nightly
def test_own_units_that_are_no_sample_mislead_unless_their_deviation_is_stated() -> None:
    """An owner whose plants are 10 % better; the interval is right only where the prior lets them be so."""
    error = 3 * (0.9 * 0.1 / HELD_OUT) ** 0.5
    sample, apart = (covered({}, {"owner_deviation": one}, -0.1) for one in (0.0, 0.1))
    assert sample < 0.9 - error
    assert apart > sample + error
    assert covered({}, {}, -0.1) == pytest.approx(0.9, abs=error)


def problems(content: dict[str, Any]) -> str:
    with pytest.raises(DataError) as error:
        forecast_of(content)
    return str(error.value)


def test_all_that_is_wrong_with_a_file_is_told_at_once() -> None:
    wrong = {
        "drawz": 5,
        "sectors": {
            "cement": {**PRIOR, "spred": 1, "own": {"outputs": {"normal": [1.0, 0.1]}}},
            "steel": {**PRIOR, "source": "", "change": {"normal": [0.0]}, "other_units": -1},
            "aluminium": {key: value for key, value in PRIOR.items() if key != "source"},
        },
    }
    told = problems(wrong)
    for part in (
        "drawz: is not a key of a forecast.\n   Did you mean 'draws'?",
        "sectors.cement.spred: is not a key of a forecast.\n   Did you mean 'spread'?",
        "sectors.cement.own.outputs: is not a key of a forecast.\n   Did you mean 'output'?",
        "sectors.aluminium.source: is missing.\n   Add the key; etsopt/studies/forecasting/README.md has an example.",
        "sectors.steel.other_units: is -1: expected greater than or equal to 0",
        "sectors.steel.source",
        "sectors.steel.change.normal",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"output_t": None},
            "sectors.cement: states no sizes of other units.\n   State one of output_t, emissions_tco2e.",
        ),
        ({"emissions_tco2e": {"lognormal": [1e5, 0.5]}}, "states output_t and emissions_tco2e"),
        ({"total_emissions_tco2e": 1e9}, "total_emissions_tco2e: is the sum of sizes that are not stated"),
        ({"spread": {"normal": [1.0, 0.2]}}, r"sectors.cement.spread: may be -0.7\d*: expected more than 0"),
        ({"change": {"uniform": [-1.0, 0.0]}}, "sectors.cement.change: may be -1: expected more than -1"),
        ({"spread": {"choice": ["wide"]}}, "sectors.cement.spread: has values that are no numbers"),
        ({"spread": {"uniform": [1.0, 2.0], "each": "row"}}, "is drawn anew for every unit or sector"),
        ({"own": {"output": {"normal": [1.0, 0.5]}}}, "sectors.cement.own.output: may be"),
    ],
)
def test_a_prior_without_a_meaning_is_refused(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        cement(**changed)


def test_draws_that_cannot_hold_the_interval_are_refused() -> None:
    with pytest.raises(DataError, match=r"draws: is 18, too few for an interval of 0.9.\n   State at least 19 draws."):
        forecast_of({"sectors": {"cement": PRIOR}, "draws": 18})
    assert forecast_of({"sectors": {"cement": PRIOR}, "draws": 1999, "interval": 0.999}).draws == 1999


def test_sectors_and_priors_belong_to_each_other() -> None:
    with pytest.raises(
        DataError, match=r"sectors\.steel: is no sector of the own units that the rule balances"
    ) as error:
        etsopt.forecast(owned(), {"steel": PRIOR})
    assert "sectors.cement: is missing.\n   State the prior of this sector" in str(error.value)
    units = owned().units.assign(prior_emissions_tco2e=1e5)
    other = etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "grandfathering"}})
    with pytest.raises(DataError, match="grandfathering of 2025 has no balance value"):
        etsopt.forecast(other, {"cement": PRIOR})
    with pytest.raises(DataError, match="total_output_t: is 5, but own units have 710,625"):
        etsopt.forecast(owned(), {"cement": PRIOR | {"total_output_t": 5.0}})


def test_power_has_no_prior_and_no_balance_value_under_the_national_rule() -> None:
    national = etsopt.read("cn-national-2025")
    units = pd.concat([part.head(2) for _, part in national.units.groupby("sector")])
    own = etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn"}})
    prior = PRIOR | {"owner_deviation": None}
    found = etsopt.forecast(own, dict.fromkeys(("aluminium", "cement", "steel"), prior), draws=19)
    assert found.priors["sector"].tolist() == ["aluminium", "cement", "steel"]
    of_sectors = found.numbers[found.numbers["level"] == "sector"]
    assert of_sectors["sector"].tolist() == ["aluminium", "cement", "steel"]
    assert found.benchmarked["unit_id"].tolist() == units.loc[units["sector"] == "power", "unit_id"].tolist()


FILE = """instance = "plants"
draws = 49
interval = 0.9

[sectors.cement]
source = "made up"
other_units = 30
balance_value = 0.7
change = { normal = [0.0, 0.005] }
spread = { lognormal = [1.0, 0.02] }
owner_deviation = 0.0
output_t = { lognormal = [200_000, 0.5] }
own.output = { normal = [1.0, 0.02], each = "row" }
"""


def written(folder: Path, text: str = FILE) -> Path:
    (folder / "plants").mkdir()
    owned().units.to_csv(folder / "plants" / "units.csv", index=False)
    (folder / "plants" / "policy.toml").write_text(policy(), encoding="utf-8")
    (folder / "forecast.toml").write_text(text, encoding="utf-8")
    return folder / "forecast.toml"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_command_writes_tables_and_fits_a_terminal(
    language: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from rich.cells import cell_len

    file = written(tmp_path)
    assert main(["forecast", str(file), "--out", str(tmp_path / "out"), "--lang", language]) == 0
    shown = capsys.readouterr().out
    assert max(cell_len(line) for line in shown.splitlines() if str(tmp_path) not in line) <= 80
    if language == "en":
        assert "Forecast for 2025, 49 draws; from and to are the interval of 90 %." in shown
        assert "Own units of cement are " in shown
    own = read_forecast(file)
    assert own.instance == str(tmp_path / "plants")
    found = etsopt.forecast(etsopt.read(own.instance), own)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "draws.csv",
        "forecast.csv",
        "forecast.json",
        "priors.csv",
        "sensitivity.csv",
    ]
    for name, table in found.tables.items():
        back = pd.read_csv(tmp_path / "out" / f"{name}.csv", keep_default_na=False, na_values={"mean": ""})
        assert list(back) == list(table)
        assert len(back) == len(table)


def test_what_has_to_be_bought_is_what_each_enterprise_lacks_at_every_stated_price() -> None:
    certain = {"cement": PRIOR | CERTAIN | {"other_units": 2, "balance_value": 0.9}}
    tiny = owned()
    names = pd.DataFrame(
        {"enterprise_id": ["enterprise-a", "enterprise-b"], "name": ["", "South"], "province": ["North", "South"]}
    )
    own = etsopt.Instance.from_frames(tiny.units, tomllib.loads(policy()), enterprises=names)
    found = etsopt.forecast(own, certain, draws=19, prices_cny_per_t={"low": 70.0, "high": 130.0})
    surplus = found.numbers[found.numbers["quantity"] == "surplus_t"].set_index(["level", "enterprise_id", "unit_id"])
    a, b = (surplus.loc["enterprise", f"enterprise-{one}", ""]["mean"] for one in "ab")
    assert b < 0
    assert surplus.loc["group", "", ""]["mean"] == pytest.approx(a + b)
    table = found.purchases.set_index(["level", "enterprise_id", "case"])
    lacking = {"enterprise-a": max(-a, 0.0), "enterprise-b": -b}
    for one, tonnes in lacking.items():
        for case, price in (("low", 70.0), ("high", 130.0)):
            row = table.loc["enterprise", one, case]
            assert (row["purchase_t"], row["cost_cny"]) == pytest.approx((tonnes, tonnes * price))
            assert row["cost_lower_cny"] == row["purchase_lower_t"] * price
    # No surplus of one enterprise covers what another lacks.
    assert table.loc["group", "", "high"]["purchase_t"] == pytest.approx(sum(lacking.values()))
    assert table.loc["enterprise", "enterprise-b", "low"]["name"] == "South"
    assert found.about["due"] == "2026-12-31"
    assert etsopt.forecast(own, certain, draws=19).purchases.empty
    # What an enterprise holds is surrendered first, whatever its vintage, and covers no other enterprise.
    held = {"opening_2023_t": [np.nan, 1_000.0], "opening_2025_t": [7.0, -b - 1_400.0]}
    holding = etsopt.Instance.from_frames(tiny.units, tomllib.loads(policy()), enterprises=names.assign(**held))
    beside = etsopt.forecast(holding, certain, draws=19, prices_cny_per_t={"low": 70.0})
    table = beside.purchases.set_index("enterprise_id")
    assert table["held_t"].to_dict() == pytest.approx({"enterprise-a": 7.0, "enterprise-b": -b - 400, "": -b - 393})
    assert table.loc["enterprise-b", "purchase_t"] == pytest.approx(400.0)
    assert table.loc["", "purchase_t"] == pytest.approx(400.0 + max(-a - 7.0, 0.0))
    for stated, tells in ((beside, True), (found, False)):
        shown = forecast_document(stated).sections[-1].blocks[1]
        assert isinstance(shown, Table)
        assert ("held" in [str(column.heading) for column in shown.columns]) is tells
    # The largest deficit comes first, its name beside the code, and the group is the last row.
    surpluses = forecast_document(found).sections[0].blocks[1]
    assert isinstance(surpluses, Table)
    assert surpluses.rows[0][0] == "enterprise-b (South)"
    assert surpluses.foot[1] == pytest.approx(a + b)


def test_the_command_writes_a_page_with_the_purchase_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, 'prices_cny_per_t = { "基准" = 95 }\n' + FILE)
    page = tmp_path / "page.html"
    assert main(["forecast", str(file), "--lang", "zh", "--page", str(page)]) == 0
    assert "购买计划" in capsys.readouterr().out
    assert re.search("费用：基准，95.00元/吨", page.read_text(encoding="utf-8"))
    assert (tmp_path / "forecast" / "purchases.csv").is_file()
    assert main(["forecast", str(file), "--page", str(tmp_path / "page.pdf")]) == 2
    assert "does not end in .html" in capsys.readouterr().err
    file.write_text("prices_cny_per_t = { low = -1 }\n" + FILE, encoding="utf-8")
    with pytest.raises(DataError, match=r"prices_cny_per_t\.low"):
        read_forecast(file)


def test_the_command_answers_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path)
    assert main(["forecast", str(file), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["about"]["interval"], content["about"]["sectors"]["cement"]["source"]) == (0.9, "made up")
    assert json.loads((tmp_path / "forecast" / "forecast.json").read_text(encoding="utf-8")) == content["about"]
    assert content["numbers"][0]["quantity"] == "balance_value"
    assert len(content["files"]) == 5
    # Another folder is not written into.
    assert main(["forecast", str(file), "--out", str(tmp_path / "plants")]) == 2


def test_a_file_without_own_units_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, FILE.replace('instance = "plants"\n', ""))
    with pytest.raises(DataError, match=r"forecast\.toml, instance: is missing"):
        read_forecast(file)
    with pytest.raises(UsageError, match="There is no file"):
        read_forecast(tmp_path / "other.toml")


def _texts(found: etsopt.Forecast, lang: str) -> list[str]:
    """Title of the chart, and titles and labels of its panels."""
    with speaking(lang):
        chart = found.chart
        panels = [text for one in chart.panels for text in (one.title, one.x_label, one.y_label)]
        return [str(text) for text in (chart.title, *panels)]


def test_the_chart_has_the_draws_and_the_intervals(tmp_path: Path) -> None:
    own = etsopt.forecast(owned(), {"cement": PRIOR}, draws=99)
    values, surpluses = own.chart.panels
    bars, mean, start = values.series
    assert bars.y.sum() == pytest.approx(100.0)
    row = own.numbers.iloc[0]
    assert values.shaded == ((row["lower"], row["upper"]),)
    assert (mean.x[0], start.x[0]) == (row["mean"], 0.8)
    found = own.numbers[(own.numbers["level"] == "enterprise") & (own.numbers["quantity"] == "surplus_t")]
    found = found.set_index("enterprise_id").loc[surpluses.series[0].y.tolist()]
    base = surpluses.series[0].base
    assert base is not None
    divisor = found["lower"].iloc[0] / base[0]
    assert divisor in (1.0, 1e3)
    assert base * divisor == pytest.approx(found["lower"].to_numpy())
    assert (base + surpluses.series[0].x) * divisor == pytest.approx(found["upper"].to_numpy())
    assert surpluses.series[2].x * divisor == pytest.approx(found["at_start"].to_numpy())
    english, chinese = _texts(own, "en"), _texts(own, "zh")
    assert list(map(bool, english)) == list(map(bool, chinese))
    assert all(map(str.isascii, english))
    assert not any(text.isascii() for text in chinese if text)
    certain = etsopt.forecast(
        owned(2), {"cement": PRIOR | CERTAIN | {"other_units": 1, "balance_value": 1.0}}, draws=19
    )
    assert certain.chart.panels[0].series[0].y.tolist() == [100.0]


def test_the_command_draws_a_chart_and_refuses_other_files_before_it_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    file = written(tmp_path)
    assert main(["forecast", str(file), "--chart", str(tmp_path / "chart.html")]) == 2
    assert "chart.html' is no SVG or PNG" in capsys.readouterr().err
    assert not (tmp_path / "forecast").exists()
    for name in ("chart.svg", "zh.svg"):
        lang = "zh" if name.startswith("zh") else "en"
        assert main(["forecast", str(file), "--chart", str(tmp_path / name), "--lang", lang]) == 0
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("<?xml")


def test_power_units_are_in_the_forecast_at_their_published_benchmarks() -> None:
    units = pd.DataFrame(
        {
            "unit_id": ["K1", "P1"],
            "enterprise_id": ["E1", "E2"],
            "sector": ["cement", "power"],
            "province": "Anhui",
            "emissions_tco2e": [831_500.0, 2_700_000.0],
            "output_t": [1_000_000.0, np.nan],
            "generation_mwh": [np.nan, 3_000_000.0],
            "unit_class": ["", "I"],
            "load_factor": [np.nan, 0.78],
        }
    )
    instance = etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn"}})
    found = etsopt.forecast(instance, {"cement": PRIOR}, draws=19, prices_cny_per_t={"base": 95.0})
    expected = float(reference_allowances(instance).reference_t[1]) - 2_700_000.0
    assert expected < 0
    (own,) = found.benchmarked.to_dict("records")
    assert (own["unit_id"], own["least"], own["largest"], own["at_start"]) == ("P1", *[expected] * 3)
    surplus = found.numbers[found.numbers["quantity"] == "surplus_t"].set_index(["level", "enterprise_id"])["mean"]
    parts = surplus.xs("enterprise", level="level")
    assert surplus["group", ""] == pytest.approx(parts.sum())
    bought = found.purchases.set_index("enterprise_id")["purchase_t"]
    assert bought["E2"] == -expected
    assert list(found.priors["sector"]) == ["cement"]
    first = forecast_document(found).sections[0].blocks[0]
    assert "power has no balance value: allowances of P1 follow from published benchmarks" in str(first)
