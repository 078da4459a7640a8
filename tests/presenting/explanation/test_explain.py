"""Explanations: the steps of a unit worked by hand, figures that add up, and limits that are those that stand."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import UsageError
from etsopt.common.language import in_both
from etsopt.presenting.documents.document import Table
from etsopt.presenting.explanation import Step
from etsopt.presenting.explanation.near_optimal import NearOptimalRanges, Range
from etsopt.reports.explained import explained

if TYPE_CHECKING:
    from etsopt.presenting.explanation import Explanation

PULLS = ("sector_target", "province_balance", "national_total", "held_back")


def values(explanation: Explanation) -> dict[str, float]:
    return {step.key: step.value for step in explanation.steps if step.value is not None}


def spaced(text: str) -> str:
    """Return a text with plain spaces, and in each line with one between two words."""
    return "\n".join(" ".join(line.replace("\N{NO-BREAK SPACE}", " ").split()) for line in text.split("\n"))


def at_price(price_cny_per_t: float) -> etsopt.Instance:
    """A random instance with two measures a unit, whose policy states a price."""
    changed = etsopt.generate(12, 3, 2).with_policy({"market.prices_cny_per_t": price_cny_per_t})
    # Models that do not read the price refuse it only where a change states it.
    return replace(changed, given=frozenset())


def test_the_steps_of_tiny_are_those_worked_by_hand() -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    north, south = (values(result.explain(name)) for name in ("north-1", "south-1"))
    assert north["intensity"] == 0.625
    assert north["balance_value"] == 0.8
    assert north["intensity_deviation"] == pytest.approx(0.21875)
    # 0.15 times 21.875 % is 3.28 %, above the limit of 3 %.
    assert (north["coefficient"], north["reference_t"]) == (0.03, 103_000)
    assert north["sector_target"] == pytest.approx(-1500)
    assert north["allowance_t"] == 101_500
    assert north["marginal_gain_t"] == pytest.approx(-0.03)
    # The target takes as much of each tonne from all lines; the province in the south gives it back, up to its limit.
    assert south["sector_target"] == pytest.approx(-2400)
    assert south["province_balance"] == pytest.approx(5600)
    assert "held_back" not in south
    text = spaced(str(result.explain("north-1")))
    assert "R = ⌊E (1 + α)⌋ = ⌊100,000 × 1.03⌋ = ⌊103,000⌋ = 103,000 t" in text
    assert text.startswith(
        "north-1 (Line 1), cement, North: 101,500 t of allowances for 100,000 tCO2e (surplus 1,500 t"
    )


def test_limits_pull_as_the_stationarity_of_the_tie_break_says() -> None:
    """Inside its band and the largest rate, a unit moves by its limits less what keeps the sum of changes least."""
    result = etsopt.solve(etsopt.read("cn-2025").with_policy({"sectors.cement.target_change": -0.008}))
    units, duals = result.tables["allocation"].set_index("unit_id"), result.tables["duals"]
    kept = duals[(duals["level"] == "least_squares") & (duals["row"] == "level_is_kept") & (duals["index"] == "change")]
    times = -kept["multiplier"].item()
    assert times > 1e-3
    (rate,) = [level.value for level in result.levels if level.name == "largest_change"]
    move, emissions = units["allowance_t"] - units["reference_t"], units["emissions_tco2e"]
    inside = (move.abs() < rate * emissions - 1) & (move.abs() > 1) & (units["at_bound"] == "")
    assert inside.sum() > 100
    for name in units.index[inside][:3]:
        steps = values(result.explain(name))
        pulled = sum(steps.get(row, 0.0) for row in PULLS if row != "held_back")
        by_hand = move[name] + 0.5 * emissions[name] * times * np.sign(move[name])
        assert pulled == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("objectives", [["change", "largest_change"], ["largest_change"], ["deficit"], []])
def test_what_moved_a_unit_adds_up(
    seed: int, objectives: list[str], random_instance: Callable[..., etsopt.Instance]
) -> None:
    changes = {"sectors.cement.target_change": -0.008, "provinces.balance": 0.01, "allocation.objectives": objectives}
    changes["allocation.integer_allowances"] = seed == 3
    result = etsopt.solve(random_instance(seed, 25, **changes))
    assert result.certified
    for row in result.tables["allocation"].itertuples():
        found = values(result.explain(row.unit_id))
        moved = sum(found.get(key, 0.0) for key in PULLS)
        assert found["reference_t"] == row.reference_t
        assert found["allowance_t"] == row.allowance_t
        assert row.reference_t + moved == pytest.approx(row.allowance_t, abs=0.02)


SECTORS_ZH = {"cement": "水泥", "steel": "钢铁", "aluminium": "铝冶炼"}


@pytest.mark.parametrize("seed", range(4))
def test_one_tonne_more_takes_the_limits_that_are_named(
    seed: int, random_instance: Callable[..., etsopt.Instance]
) -> None:
    instance = random_instance(seed, 25, **{"sectors.cement.target_change": -0.008, "provinces.balance": 0.01})
    result = etsopt.solve(instance)
    table = result.tables["allocation"]
    emissions, sector, province = (table[name].to_numpy() for name in ("emissions_tco2e", "sector", "province"))
    change = {"cement": -0.008}
    named = set()
    for row, unit in enumerate(table["unit_id"]):
        more = table["allowance_t"].to_numpy() + (np.arange(len(table)) == row)
        broken = set()
        if more[row] > emissions[row] * 1.03 + 1e-6:
            broken.add(f"sectors.{sector[row]}.band.upper")
        here = sector == sector[row]
        if more[here].sum() > emissions[here].sum() * (1 + change.get(sector[row], 0.0)) + 1e-3:
            broken.add(f"sectors.{sector[row]}.target_change")
        here = province == province[row]
        if (more - emissions)[here].sum() > 0.01 * emissions[here].sum() + 1e-3:
            broken.add("provinces.balance")
        steps = dict(result.explain(unit).parts)["For one tonne more, these would have to give"]
        assert {step.key for step in steps} - {"none"} == broken
        named |= broken
        for step in steps:
            if step.key.endswith("target_change"):
                total = more[sector == sector[row]].sum()
                names = {"en": f"Target of {sector[row]}", "zh": f"{SECTORS_ZH[sector[row]]}行业目标"}
                assert in_both(step.label) == names
                stated = float(step.formula.removeprefix(f"{step.key} ≥ "))
                base = emissions[sector == sector[row]].sum()
                assert base * (1 + stated) == pytest.approx(total, abs=0.01)
    assert "sectors.cement.target_change" in named


def test_a_tonne_abated_earns_what_the_model_of_abatement_pays() -> None:
    instance = at_price(80.0)
    years = etsopt.solve(instance, "abatement").tables["unit_years"]
    paid = years[years["year"] == instance.policy.year].set_index("unit_id")
    result = etsopt.solve(instance)
    compared = 0
    for unit in instance.units["unit_id"]:
        if paid.loc[unit, "emissions_tco2e"] == paid.loc[unit, "emissions_before_tco2e"]:
            found = values(result.explain(unit))
            assert found["marginal_incentive_cny_per_t"] == pytest.approx(80 * found["marginal_gain_t"])
            assert found["marginal_incentive_cny_per_t"] == pytest.approx(
                paid.loc[unit, "marginal_incentive_cny_per_t"]
            )
            compared += 1
    assert compared >= 3


def test_special_cases_and_small_enterprises_get_their_emissions_and_the_reason(
    random_instance: Callable[..., etsopt.Instance],
) -> None:
    instance = random_instance(0, 12)
    units = instance.units.assign(special_case=["new", *[""] * 11])
    small = units.index[1]
    units.loc[small, ["emissions_tco2e", "output_t", "enterprise_id"]] = [20_000, 24_000, "tiny-owner"]
    policy = {"year": 2026, "rule": {"name": "cn-2026"}}
    result = etsopt.solve(etsopt.Instance.from_frames(units=units, policy=policy))
    first, second = (result.explain(name) for name in units["unit_id"][:2])
    assert "Special case new: the plan gives allowances equal to emissions." in str(first)
    assert "当年新投产" in first.text("zh")
    assert "emits 20,000 t, below the threshold of 26,000 t: A = E." in str(second)
    assert "Its allowances are set by the rule alone." in str(second)
    assert values(second)["allowance_t"] == 20_000


def test_power_units_are_explained_by_their_benchmarks() -> None:
    instance = etsopt.read("cn-national-2025")
    result = etsopt.solve(instance)
    table = result.tables["allocation"]
    for unit in table.loc[table["sector"] == "power", "unit_id"].iloc[:: len(table) // 5]:
        found = values(result.explain(unit))
        parts = sum(found.get(name, 0.0) for name in ("electricity_t", "heat_t", "gas_top_up_t", "added_t"))
        assert parts == pytest.approx(found["reference_t"])
        assert found["marginal_gain_t"] == 1.0


def test_a_limit_is_told_in_tonnes_and_by_a_value_without_exponent_that_suffices() -> None:
    result = etsopt.solve(etsopt.read("cn-2025"))
    unit = result.tables["allocation"].query("sector == 'cement'")["unit_id"].iloc[0]
    (step,) = [step for step in result.explain(unit).steps if step.key == "sectors.cement.target_change"]
    target = float(result.tables["sectors"].set_index("sector").loc["cement", "target_t"])
    exact = float(step.formula.removeprefix(f"{step.key} ≥ "))
    # For programs with all digits, 1e-09; for people with two, rounded up.
    assert target * (1 + exact) == pytest.approx(target + 1, abs=1e-3)
    words = re.fullmatch(r"at least ([\d,]+) t instead of ([\d,]+) t \((.+) ≥ ([\d.]+)\)", step.figures)
    assert words is not None
    more, stated, key, value = words.groups()
    assert (more, stated, key) == (f"{target + 1:,.0f}", f"{target:,.0f}", step.key)
    assert 1 <= target * float(value) < 1.1


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (2.9e-10, "t", "0 t"),
        (-47.1821, "t", "−47.18 t"),
        (560_008.8179, "t", "560,008.82 t"),
        (0.137015, "t", "0.137 t"),
        (11.50926, "CNY/t", "11.51 CNY/t"),
        (0.043281932, "rate", "4.3282 %"),
        (11_632.6, "rate", "1,163,260 %"),
        (-1e-12, "rate", "0 %"),
        (0.8306641, "t/t", "0.830664 t/t"),
        (8.5e-5, "t/t", "0.000085 t/t"),
    ],
)
def test_people_read_numbers_without_exponents_or_noise(value: float, unit: str, shown: str) -> None:
    step = Step("any", "label", value, unit)
    assert spaced(step.text()) == f"label: {shown}"


def test_a_market_explains_years_and_measures() -> None:
    instance = at_price(400.0)
    result = etsopt.solve(instance, "abatement")
    adopted = result.tables["plans"].query("measure_id != ''")["unit_id"].iloc[0]
    text = str(result.explain(adopted))
    assert "Its years" in text
    assert "before measures" in text
    # The same years as a table, in a notebook and on a terminal.
    years = result.tables["unit_years"].query("unit_id == @adopted")["year"].astype(str).tolist()
    (part,) = [section for section in explained(result.explain(adopted)).sections if section.title == "Its years"]
    (table,) = part.blocks
    assert isinstance(table, Table)
    assert [row[0] for row in table.shown().rows] == years
    measure = result.tables["plans"].query("unit_id == @adopted and measure_id != ''")["measure_id"].iloc[0]
    assert f"{measure} from " in text


def test_a_loaded_run_explains_the_same(tmp_path: Path) -> None:
    instance = etsopt.read("tiny")
    result = etsopt.solve(instance)
    result.save(tmp_path / "run", instance)
    pickle.loads(pickle.dumps(result)).save(tmp_path / "bare")
    assert etsopt.load(tmp_path / "run").explain("north-2") == result.explain("north-2")
    explanation = result.explain("north-2")
    assert pickle.loads(pickle.dumps(explanation)).text("zh") == explanation.text("zh")
    assert len(re.findall("<dt>|<li>", explanation._repr_html_())) == len(explanation.steps)
    for bare in (etsopt.load(tmp_path / "bare"), pickle.loads(pickle.dumps(result))):
        with pytest.raises(UsageError, match="do not hold their instance"):
            bare.explain("north-2")
    replaced = etsopt.load(tmp_path / "run")
    shutil.copytree(
        Path(etsopt.__file__).parents[1] / "instances" / "eu-2019", tmp_path / "run" / "instance", dirs_exist_ok=True
    )
    with pytest.raises(UsageError, match="do not hold their instance"):
        replaced.explain("north-2")


def test_runs_without_a_table_of_units_say_so() -> None:
    infeasible = etsopt.solve(etsopt.read("tiny").with_policy({"sectors.cement.target_change": -0.5}))
    with pytest.raises(UsageError, match="no table of the allowances"):
        infeasible.explain("north-1")


def test_the_command_explains_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = str(tmp_path / "run")
    assert main(["solve", "tiny", "--out", run]) == 0
    capsys.readouterr()
    assert main(["explain", run, "south-1", "--lang", "en"]) == 0
    shown = spaced(capsys.readouterr().out).splitlines()
    assert "Target of cement −2,400 t" in shown
    assert {"What the rule gives", "What the limits moved", "What one tonne abated earns"} <= {*shown}
    assert main(["explain", run, "south-1", "--lang", "zh"]) == 0
    assert "水泥行业目标 −2,400 吨" in spaced(capsys.readouterr().out).splitlines()
    assert main(["explain", run, "south-1", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [part["heading"]["en"] for part in content["parts"]][:2] == ["What the rule gives", "What the limits moved"]
    assert content["parts"][-1]["heading"]["zh"] == "同样好或几乎同样好的分配"
    cells = {"within_rate": 0.01, "at_least_t": 158_400.0, "at_most_t": 158_446.0, "reached": True}
    assert content["parts"][-1]["steps"][2]["cells"] == pytest.approx(cells)
    assert main(["explain", run, "south-2"]) == 2
    assert "The instance has no unit 'south-2'." in capsys.readouterr().err


def test_what_is_just_as_good_is_said_in_a_sentence_and_a_table() -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    assert "just as good" not in str(result.explain("north-2")).lower()
    explanation = result.explain("north-2", near_optimal=True)
    text = spaced(str(explanation))
    assert (
        "With the least change this unit may get from 295,800 t to 301,800 t: the objective does not settle its "
        "297,300 t; what comes after it, at last the tie-break, does." in text
    )
    assert "Within 1 % of the least change: from 295,708 t to 301,800 t, proven" in text
    _points, table = explained(explanation).sections[-1].blocks
    assert isinstance(table, Table)
    assert [row[0] for row in table.shown().rows] == ["0.00 %", "1.00 %", "5.00 %"]
    assert "objective settles it" in str(result.near_optimal("south-1"))
    # What is refused stands as a sentence in the place of the ranges, and other models have no such part.
    units = etsopt.read("tiny").units.assign(special_case=["new", "", ""])
    fixed = etsopt.solve(replace(etsopt.read("tiny"), units=units).with_policy({"sectors.cement.target_change": 0.0}))
    assert str(fixed.explain("north-1", near_optimal=True)).endswith("Its allowances are set by the rule alone.")
    rule = etsopt.solve(etsopt.read("tiny"), "balance_value")
    assert rule.explain("north-1", near_optimal=True) == rule.explain("north-1")


def test_what_is_not_proven_is_said_to_be_a_bound() -> None:
    ranges = (Range(0.0, 90.0, 110.0, 100.0, 100.0), Range(0.01, 80.0, 120.0, 95.0, 120.0))
    found = NearOptimalRanges("a", 100.0, "deficit", ranges, exceptions=True, before_rounding=True)
    assert [spaced(step.text()) for step in found.steps] == [
        "Whether the least deficit settles the 100 t of this unit is not proven.",
        "The exceptions are those of the answer.",
        "All figures are those before rounding to whole tonnes.",
        "Within 0 % of the least deficit: at least 90 t and at most 110 t, proven; "
        "allocations were found from 100 t to 100 t",
        "Within 1 % of the least deficit: at least 80 t and at most 120 t, proven; "
        "allocations were found from 95 t to 120 t",
    ]
    assert list(found.table["reached"]) == [False, False]


def named_units() -> etsopt.Results:
    """Tiny with names, and a line that stood still all year."""
    tiny = etsopt.read("tiny")
    emissions, output = [100_000.0, 0.0, 160_000.0], [160_000.0, np.nan, 160_000.0]
    units = tiny.units.assign(name=["一线", "二线", "三线"], emissions_tco2e=emissions, output_t=output)
    owners = pd.DataFrame({"enterprise_id": ["enterprise-a", "enterprise-b"], "name": ["北方水泥", "南方水泥"]})
    policy = {"year": 2025, "rule": {"name": "cn-2025", "threshold_tco2e": 0.0}, "provinces": {"names": "any"}}
    return etsopt.solve(etsopt.Instance.from_frames(units, policy, enterprises=owners))


def test_a_unit_is_found_by_its_name_and_by_an_enterprise_without_another() -> None:
    result = named_units()
    for name in ("south-1", "三线", "enterprise-b", "南方水泥"):
        assert result.explain(name).unit_id == "south-1"
    with pytest.raises(UsageError) as caught:
        result.explain("北方水泥")
    assert str(caught.value) == "'北方水泥' has 2 units.\n\nChoose one of north-1 (一线), north-2 (二线)."
    with pytest.raises(UsageError, match=r"The nearest names are 北方水泥, 南方水泥\. The table of units lists them\."):
        result.explain("水泥")
    with pytest.raises(UsageError, match=r"has no unit 'nothing like it'\.\s+The table of units"):
        result.explain("nothing like it")


def test_a_unit_that_stood_still_is_explained_by_that() -> None:
    explanation = named_units().explain("north-2")
    assert "It has no emissions in the year: its allowances are 0 as well." in explanation.text()
    assert "当年度无排放量：配额也为 0。" in explanation.text("zh")


def test_people_read_the_coefficient_without_the_name_of_a_function() -> None:
    explanation = etsopt.solve(etsopt.read("tiny")).explain("north-1")
    assert "α = 0.15 X, at most ±3 %; 0.15 X = 3.2813 %, so α = 3 %" in spaced(explanation.text())
    assert "α = 0.15X，且不超过 ±3 %；0.15X = 3.2813 %，故 α = 3 %" in spaced(explanation.text("zh"))
    (step,) = [step for step in explanation.as_dict()["parts"][0]["steps"] if step["key"] == "coefficient"]
    assert step["formula"] == "α = clip(0.15 X, ±3 %) = clip(3.28125 %, ±3 %)"


def test_a_unit_that_no_limit_keeps_from_more_says_so() -> None:
    tiny = etsopt.read("tiny")
    result = etsopt.solve(tiny.with_policy({"sectors.cement.target_change": 0.02, "provinces": {"names": "any"}}))
    assert "No limit is in the way: the allowance is that of the rule." in result.explain("south-1").text()
    assert "未触及任何限值；配额即按规则计算的结果。" in result.explain("south-1").text("zh")
