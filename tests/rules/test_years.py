"""A rule of each year, by hand: 0.656 t per tonne of clinker times the factors of the European Union."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError
from etsopt.rules import RULES, Parameters, Reference, Term, as_given, reference_allowances, rule
from etsopt.rules.years import instance_of_year, references_of_years
from tests.judging import check

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FACTOR = {2026: 0.975, 2027: 0.95, 2028: 0.90, 2029: 0.775, 2030: 0.515, 2034: 0.0}
CLINKER = {2026: 639_600.0, 2027: 623_200.0, 2028: 590_400.0, 2029: 508_400.0, 2030: 337_840.0, 2034: 0.0}
"""Allowances for a million tonnes of clinker [t]."""

MARKET = {"ceiling_price_cny_per_t": 900.0, "reserve_t": 1e9}


@pytest.fixture(autouse=True)
def _european_rule() -> Iterator[None]:
    kept = dict(RULES)

    @rule("european", "an example", Parameters, columns=("output_t",))
    def european(instance: etsopt.Instance, parameters: Parameters, fixed: Any) -> Any:
        """Output times a benchmark times the factor of the year."""
        return instance.units["output_t"].to_numpy(float) * 0.656 * FACTOR[instance.policy.year]

    yield
    RULES.clear()
    RULES.update(kept)


def kilns(year: int = 2026, forecast: pd.DataFrame | None = None, **policy: Any) -> etsopt.Instance:
    """Two kilns of a million tonnes each, under the European rule."""
    names = ["k0", "k1"]
    units = pd.DataFrame({"unit_id": names, "enterprise_id": ["e0", "e1"], "sector": "cement", "province": "Hebei"})
    units = units.assign(emissions_tco2e=830_000.0, output_t=1e6, prior_emissions_tco2e=800_000.0)
    return etsopt.Instance.from_frames(units, {"year": year, "rule.name": "european", **policy}, forecast=forecast)


def horizon(
    forecast: pd.DataFrame | None = None, years: tuple[int, int] = (2026, 2030), **policy: Any
) -> etsopt.Instance:
    section = dict(zip(("first_year", "last_year"), years, strict=True))
    return kilns(2026, forecast, horizon=section, market=MARKET, **policy)


@pytest.mark.parametrize("year", [2026, 2030, 2034])
def test_the_rule_answers_the_year_of_the_policy(year: int) -> None:
    found = etsopt.solve(kilns(year))
    assert found.tables["allocation"]["allowance_t"].tolist() == pytest.approx([CLINKER[year]] * 2)
    assert found.status == "certified_optimal"


def test_a_market_reads_the_rule_of_each_year(tmp_path: Path) -> None:
    found = etsopt.solve(horizon(), "clearing")
    years = found.tables["years"]
    expected = [2 * CLINKER[year] for year in range(2026, 2031)]
    assert years["allowance_t"].tolist() == pytest.approx(expected)
    assert (expected[0], expected[-1]) == (1_279_200.0, 675_680.0)
    assert found.certified
    assert etsopt.check(horizon(), found).violations == ()
    found.save(tmp_path / "run")
    assert main(["check", str(tmp_path / "run")]) == 0


def test_a_forged_reference_of_a_later_year_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    etsopt.solve(horizon(), "clearing").save(run)
    forecast = run / "instance" / "forecast.csv"
    forged = pd.read_csv(forecast)
    forged.loc[(forged["unit_id"] == "k1") & (forged["year"] == 2030), "reference_t"] += 1000.0
    forged.to_csv(forecast, index=False)
    assert main(["check", str(run)]) != 0
    assert "refused" in capsys.readouterr().out


def test_a_rule_sees_output_emissions_and_last_years_emissions_of_the_forecast() -> None:
    # Output falls to 0.8 by 2030 in four equal steps, and intensity to 0.9.
    row = {"sector": "cement", "year": 2030, "output_factor": 0.8, "intensity_factor": 0.9}
    later = instance_of_year(horizon(pd.DataFrame([row])), 2030)
    assert later.policy.year == 2030
    assert later.units["output_t"].tolist() == pytest.approx([8e5] * 2)
    assert later.units["emissions_tco2e"].tolist() == pytest.approx([830_000 * 0.8 * 0.9] * 2)
    assert later.units["prior_emissions_tco2e"].tolist() == pytest.approx([830_000 * 0.85 * 0.925] * 2)
    given = as_given(horizon(pd.DataFrame([row])), by_year=True)
    found = references_of_years(given, range(2026, 2031))
    assert found is not None
    assert found[:, -1] == pytest.approx(0.656 * 0.515 * 8e5)
    # Rows of references alone do not take a unit off the path of its sector.
    assert instance_of_year(given, 2030).units["output_t"].tolist() == pytest.approx([8e5] * 2)


def test_references_of_one_year_alone_are_held_as_a_rate_and_some_years_are_no_plan() -> None:
    given = as_given(horizon(), by_year=False)
    assert references_of_years(given, [2026, 2030]) is None
    rows = pd.DataFrame({"unit_id": ["k0"], "year": [2030], "reference_t": [5.0]})
    policy = given.policy.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    some = etsopt.Instance.from_frames(given.units, policy, forecast=rows)
    with pytest.raises(DataError, match="has no reference allowances of 2027 for units that have some in other years"):
        etsopt.solve(some, "clearing")


def test_the_change_that_an_allocation_makes_stays_a_rate_of_emissions() -> None:
    # The target takes 83,000 t, a twentieth of all emissions, half of it from either kiln.
    changed = horizon(sectors={"cement": {"target_t": 2 * 639_600.0 - 83_000.0}})
    years = etsopt.solve(changed, "clearing").tables["years"]
    expected = [2 * CLINKER[year] - 83_000.0 for year in range(2026, 2031)]
    assert years["allowance_t"].tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("benchmark", {"benchmarks": {"cement": 0.656}}, [656_000, 590_400]),
        ("grandfathering", {"factor": 0.9}, [720_000, 747_000]),
    ],
)
def test_rules_of_the_package_that_are_no_plan_are_called_for_each_year(
    name: str, parameters: dict[str, Any], expected: list[float]
) -> None:
    forecast = pd.DataFrame([{"unit_id": unit, "year": 2027, "output_factor": 0.9} for unit in ("k0", "k1")])
    made = horizon(forecast, (2026, 2027)).with_policy({"rule": {"name": name, **parameters}})
    found = etsopt.solve(made, "clearing")
    assert found.certified
    assert found.tables["years"]["allowance_t"].tolist() == [2 * tonnes for tonnes in expected]


def test_a_rule_that_fails_in_a_later_year_is_named_with_the_year() -> None:
    beyond = horizon(years=(2026, 2031))
    with pytest.raises(DataError, match="the rule european in 2031: fails: KeyError"):
        etsopt.solve(beyond, "clearing")
    # An allocation has no horizon.
    assert etsopt.solve(beyond).certified


def test_a_unit_without_emissions_gets_what_its_rule_says_and_under_a_plan_nothing() -> None:
    units = kilns().units.assign(emissions_tco2e=[830_000.0, 0.0])
    idle = etsopt.Instance.from_frames(units, {"year": 2026, "rule.name": "european", "sectors.cement.band": 0.03})
    found = etsopt.solve(idle)
    assert found.tables["allocation"]["allowance_t"].tolist() == pytest.approx([805_100.0, 639_600.0])
    assert etsopt.check(idle, found).violations == ()
    forged = found.tables["allocation"].assign(allowance_t=[805_100.0, 600_000.0])
    report = check(as_given(idle), found.tables | {"allocation": forged}, found.levels)
    assert "fixed_get_emissions" in {violation.rule for violation in report.violations}
    plan = idle.with_policy({"rule": {"name": "cn-2026"}})
    assert reference_allowances(plan).reference_t[1] == 0.0
    assert np.array_equal(reference_allowances(plan).fixed, [False, True])


def test_a_rule_may_state_its_band_its_rounding_and_its_terms(tmp_path: Path) -> None:
    @rule("stated", "an example", Parameters, columns=("output_t",))
    def stated(instance: etsopt.Instance, parameters: Parameters, fixed: Any) -> Any:
        """Output times a benchmark, to the nearest tonne."""
        exact = instance.units["output_t"].to_numpy(float) * 0.6567896
        terms = (Term("benchmark", 0.6567896, "an example"),)
        return Reference(exact, fixed, band=0.05, rounded_t=np.round(exact), terms=terms)

    found = etsopt.solve(kilns().with_policy({"rule": {"name": "stated"}}))
    assert found.tables["allocation"]["reference_t"].tolist() == [656_790.0] * 2
    # The rule's own band of 5 % moves either kiln to 788,500 t.
    about = found.provenance.as_json()
    assert about["moved_by_band"] == [{"lower": 0.05, "upper": 0.05, "units": 2, "tonnes": 263_420.0}]
    assert about["own_rule"]["terms"] == [{"name": "benchmark", "source": "an example"}]
    found.save(tmp_path / "run")
    assert main(["check", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize("name", ["adjustment_t", "per_output"])
def test_what_no_model_reads_of_a_rule_is_refused_and_never_dropped(name: str) -> None:
    @rule("more", "an example")
    def more(instance: etsopt.Instance, parameters: Parameters, fixed: Any) -> Any:
        """Emissions, and something that no model reads."""
        values = np.array([0.0, -1.0])
        if name == "per_output":
            return Reference(instance.emissions_tco2e, fixed, per_output=values)
        return Reference(instance.emissions_tco2e, fixed, adjustment_t=values)

    with pytest.raises(DataError, match=f"the rule more in 2026: returns {name}, which no model reads"):
        etsopt.solve(kilns().with_policy({"rule": {"name": "more"}}))


def test_a_path_starts_from_any_rule_by_year() -> None:
    found = etsopt.solve(horizon(), "pathway")
    assert found.certified
    expected = [2 * CLINKER[year] for year in range(2026, 2031)]
    assert found.tables["years"]["allowance_t"].tolist() == pytest.approx(expected)
    assert etsopt.check(horizon(), found).violations == ()
    # The cap of 2030 takes a fifth of what the rule gives, and a half of the rest is sold.
    capped = horizon(
        pathway={"phase_2_from": 2030, "cap_t": {"2030": 0.8 * 675_680.0}, "paid_share": {"2030": 0.5}},
        sectors={"cement": {"target_sense": "none"}},
    )
    years = etsopt.solve(capped, "pathway").tables["years"].set_index("year")
    assert years.loc[2030, "allowance_t"] == pytest.approx(0.4 * 675_680.0)


def test_a_path_without_the_rule_of_each_year_or_with_a_tightening_of_no_balance_value_is_refused() -> None:
    one_year = as_given(horizon(), by_year=False)
    with pytest.raises(DataError, match="the path needs the rule of each year, and 'given' has references of one year"):
        etsopt.solve(one_year, "pathway")
    tightened = horizon(pathway={"phase_2_from": 2028, "tightening": 0.02})
    with pytest.raises(DataError, match=r"pathway\.tightening: changes a balance value, and the rule 'given' has none"):
        etsopt.solve(tightened, "pathway")


def test_a_unit_without_emissions_is_explained_and_keeps_its_allowances_in_a_market() -> None:
    units = kilns().units.assign(emissions_tco2e=[830_000.0, 0.0])
    section = {"first_year": 2026, "last_year": 2030}
    idle = etsopt.Instance.from_frames(
        units, {"year": 2026, "rule.name": "european", "horizon": section, "market": MARKET}
    )
    found = etsopt.solve(idle, "clearing")
    assert found.tables["years"]["allowance_t"].tolist() == pytest.approx([2 * CLINKER[y] for y in range(2026, 2031)])
    assert etsopt.check(idle, found).violations == ()
    steps = str(etsopt.solve(idle.with_policy({"horizon": {}})).explain("k1"))
    assert "no band or target moves what the rule gives" in steps
    assert "R = E" not in steps


def test_the_next_year_has_the_references_that_are_stated_for_it() -> None:
    priced = horizon(years=(2026, 2027)).with_policy({"market": {"prices_cny_per_t": 80.0}})
    given = as_given(priced, by_year=True)
    following = etsopt.roll(etsopt.solve(given, "compliance"), given)
    assert following.policy.year == 2027
    assert following.units["reference_t"].tolist() == pytest.approx([CLINKER[2027]] * 2)
