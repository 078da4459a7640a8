"""What an outlook states beside its programs: cases, forms, rows and cells, each right and just wrong."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.checking.outlook import outlook
from etsopt.checking.outlook.cases import Case, cases_of, share_off
from etsopt.checking.outlook.cells import years_follow
from etsopt.checking.outlook.derived import BANKED, Model, derive
from etsopt.checking.outlook.point import multipliers_of, point_of
from etsopt.checking.readings.instance_inputs import InstanceInputs
from tests.outlooks import ENTERPRISES, FORECAST, MT, POLICY, SOURCES, UNITS, by_hand, elastic

NONE = np.array([np.inf, np.inf])
CAP = np.array([np.inf, 80.0])


@cache
def solved(free_part: str = "fixed") -> tuple[etsopt.Instance, dict[str, pd.DataFrame]]:
    instance = by_hand(outlook__free_part=free_part)
    return instance, etsopt.solve(instance, "outlook").tables


def judged(instance: etsopt.Instance, tables: dict[str, pd.DataFrame], **changed: pd.DataFrame) -> Any:
    return outlook.check(InstanceInputs.of(instance), {**tables, **changed}, 1e-6)


@pytest.mark.parametrize(
    ("cap", "form", "keeps", "stated", "highest", "names"),
    [
        (NONE, None, False, 0.0, 60.0, ["policy"]),
        (NONE, None, True, 0.0, 60.0, ["policy", "high terminal price"]),
        (CAP, "output", False, 0.0, 60.0, ["policy", "other form", "no cap"]),
        (CAP, "fixed", True, 0.0, None, ["policy", "other form", "no cap"]),
        (CAP, "fixed", True, 60.0, 60.0, ["policy", "other form", "no cap", "terminal price 0"]),
        (
            *(CAP, "fixed", True, 5.0, 60.0),
            ["policy", "other form", "no cap", "terminal price 0", "high terminal price"],
        ),
    ],
)
def test_cases_are_those_of_the_cap_and_of_terminal_prices_that_may_count(
    cap: Any, form: str | None, keeps: bool, stated: float, highest: float | None, names: list[str]
) -> None:
    policy = SimpleNamespace(
        market=SimpleNamespace(terminal_price_cny_per_t=stated),
        outlook=SimpleNamespace(highest_terminal_price_cny_per_t=highest, free_part=form),
    )
    model: Any = SimpleNamespace(
        instance=SimpleNamespace(policy=policy),
        years=np.array([2025, 2026]),
        cap=cap,
        keeps=np.array([not keeps, keeps]),
    )
    cases = list(cases_of(model))
    assert [case.name for case in cases] == names
    own = form or "fixed"
    forms = {"other form": "fixed" if form == "output" else "output"}
    assert [case.free_part for case in cases] == [forms.get(name, own) for name in names]
    ends = {"terminal price 0": 0.0, "high terminal price": highest}
    assert [case.terminal_price for case in cases] == [ends.get(name, stated) for name in names]
    assert [case.capped.any() for case in cases] == [name != "no cap" and cap is CAP for name in names]
    assert [case.level for case in cases] == ["cost", *(f"cost:{name}" for name in names[1:])]


def test_shares_are_off_where_the_cap_cuts_benchmarks_for_them() -> None:
    """A quarter of 80 Mt is 20 Mt; of years without a cap, with all of the rule or a cap of zero nothing is shared."""
    years = np.arange(2025, 2030)
    pathway = SimpleNamespace(paid_share=0.25)
    model: Any = SimpleNamespace(instance=SimpleNamespace(policy=SimpleNamespace(pathway=pathway)), years=years)
    cap, volume = np.array([np.inf, 80.0, 80.0, 0.0, 40.0]), np.array([9.0, 22.0, 30.0, 7.0, 9.0])
    share = np.array([0.5, 0.5, 1.0, 0.5, 0.0])
    assert share_off(model, Case("policy", "output", cap, 0.0), share, volume) == pytest.approx(0.025)
    volume[1] = 16.0
    assert share_off(model, Case("policy", "output", cap, 0.0), share, volume) == pytest.approx(0.05)
    assert share_off(model, Case("policy", "fixed", cap, 0.0), share, volume) == 0.0
    assert share_off(model, Case("policy", "output", np.full(5, np.inf), 0.0), share, volume) == 0.0


@pytest.mark.parametrize(
    ("form", "share", "volume", "amount"),
    [
        ("fixed", [1.0, 0.0], [0.0, 80.0], None),
        ("fixed", [1.0, 0.25], [0.0, 80.0], 0.25),
        ("fixed", [0.5, 0.0], [0.0, 80.0], 0.5),
        ("fixed", [1.0, 0.0], [1.0, 80.0], 0.0),
        ("output", [1.0, 0.75], [0.0, 8.0], None),
        ("output", [1.0, 1.25], [0.0, 8.0], 0.25),
        ("output", [1.0, -0.5], [0.0, 8.0], 0.5),
        ("output", [0.5, 0.75], [0.0, 8.0], 0.5),
        ("output", [1.0, 0.75], [0.0, np.nan], 0.0),
    ],
)
def test_allowances_follow_output_before_the_cap_and_under_it_as_the_form_says(
    form: str, share: list[float], volume: list[float], amount: float | None
) -> None:
    found = list(outlook._form(Case("policy", form, CAP, 0.0), np.array(share), np.array(volume)))
    assert [(one.rule, one.where, one.amount) for one in found] == (
        [] if amount is None else [("free_part", "policy", amount)]
    )


def changes() -> dict[str, tuple[str, Any]]:
    """Changes of rows of a table, by what they are."""

    def of(column: str, value: Any) -> Any:
        return lambda table: table.assign(**{column: [value, *table[column].tolist()[1:]]})

    def again(table: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([table, table[-1:]], ignore_index=True)

    return {
        **{f"{name} again": (name, again) for name in ("outlook", "outlook_years", "outlook_sectors")},
        **{
            f"{name} less": (name, lambda table: table[:-1]) for name in ("outlook", "outlook_years", "outlook_sectors")
        },
        "a source twice": ("outlook_sources", again),
        "a source of no case": ("outlook_sources", of("case", "another")),
        "no source": ("outlook_sources", of("supply_id", "another")),
        "a source of no year": ("outlook_sources", of("year", 2030)),
        "a multiplier of no case": ("duals", of("level", "cost:another")),
        "a multiplier of another unit": ("duals", of("unit", "CNY")),
    }


@pytest.mark.parametrize("change", changes())
def test_every_row_is_of_a_case_once(change: str) -> None:
    instance, tables = solved()
    assert not judged(instance, tables).violations
    table, how = changes()[change]
    violations = judged(instance, tables, **{table: how(tables[table])}).violations
    assert [(one.rule, one.where.partition(".")[0]) for one in violations] == [("same_rows", table)]


@pytest.mark.parametrize(
    "change", [{"row": "another"}, {"index": "steel"}, {"year": 2031}, {"year": 2026}, {"multiplier": np.inf}], ids=str
)
def test_every_multiplier_is_finite_and_of_a_row_of_the_program_once(change: dict[str, Any]) -> None:
    instance, tables = solved()
    duals = tables["duals"].copy()
    for column, value in change.items():
        duals.loc[0, column] = value
    assert judged(instance, tables, duals=duals).violations
    model = Model.of(InstanceInputs.of(instance))
    program = derive(model, np.array([1.0, 0.0]), np.array([0.0, 80.0]), 0.0)
    own = duals[duals["level"] == "cost"]
    assert multipliers_of(model, program, own) is None
    right = multipliers_of(model, program, tables["duals"][:4])
    assert right is not None
    assert right[program.rows["served"]] == pytest.approx([300.0, 350 / 1.1])
    assert right[program.rows["bank"]] == pytest.approx([-50 / 1.1] * 2)


@pytest.mark.parametrize(("miss", "unproven"), [(0.99e-9, False), (1.01e-9, True)])
def test_allowances_by_output_miss_the_cap_by_a_billionth_of_it(miss: float, unproven: bool) -> None:
    instance, tables = solved()
    years, cases = tables["outlook_years"].copy(), tables["outlook"].copy()
    years.loc[3, "free_share"] = 0.8 + 0.8 * miss
    years.loc[3, "allowance_t"] = 80 * MT * (1 + miss)
    cases.loc[1, "cap_missed_t"] = 80 * MT * miss
    verdict = judged(instance, tables, outlook_years=years, outlook=cases)
    assert verdict.violations == ()
    assert verdict.unproven is unproven


@pytest.mark.parametrize("name", ["policy", "other form"])
@pytest.mark.parametrize(("off", "open_shares"), [(0.99e-6, False), (1.01e-6, True)])
def test_auctioned_shares_of_the_policy_are_off_by_a_millionth(
    name: str, off: float, open_shares: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, tables = solved("output")
    cases = tables["outlook"].copy()
    cases.loc[cases["case"] == name, "auctioned_share_off"] = off
    monkeypatch.setattr(outlook, "share_off", lambda _, case, *__: off if case.name == name else 0.0)
    verdict = judged(instance, tables, outlook=cases)
    assert verdict.violations == ()
    # Other cases are there to compare, and state what they are off by.
    assert verdict.unproven is (open_shares and name == "policy")


@pytest.mark.parametrize(("kept", "tied"), [(100.0, 2025), (100.001, 2026)])
def test_a_bank_of_more_than_a_hundred_tonnes_ties_prices(kept: float, tied: int) -> None:
    instance, tables = solved()
    model = Model.of(InstanceInputs.of(instance))
    own = {name: table[table["case"] == "policy"] for name, table in tables.items() if name != "duals"}
    program = derive(model, np.array([1.0, 0.0]), np.array([0.0, 80.0]), 0.0)
    x, multipliers = point_of(model, program, own), multipliers_of(model, program, tables["duals"][:4])
    assert multipliers is not None
    x[program.columns[BANKED]] = [kept / MT, 0.0]
    for stated in (2025, 2026):
        own["outlook_years"] = own["outlook_years"].assign(banked_t=[kept, 0.0], tied_to_year=[stated, 2026])
        found = years_follow(model, Case("policy", "fixed", model.cap, 0.0), program, x, multipliers, own)
        assert len(found) == (stated != tied)


@pytest.mark.parametrize(("share", "sign"), [(0.8, -1), (1.1, 1)])
def test_demand_is_on_its_curve_but_for_a_billionth(share: float, sign: int) -> None:
    """From 80 to 110 Mt, which lies on its curve to 0.11 t."""
    instance = elastic()
    tables = etsopt.solve(instance, "outlook").tables
    for off, wrong in ((0.1, False), (0.12, True)):
        sectors = tables["outlook_sectors"].copy()
        sectors.loc[0, "demand_t"] = share * 100 * MT + sign * off
        rules = [
            one.where for one in judged(instance, tables, outlook_sectors=sectors).violations if one.rule == "demand"
        ]
        assert rules == (["cement 2025"] if wrong else [])


@pytest.mark.parametrize(
    ("prior", "until", "peak"), [(120.0, None, 2024), (95.0, None, 2026), (95.0, 2025, 2025), (None, None, 2026)]
)
def test_the_peak_is_the_highest_year_of_the_report_or_the_one_before(
    prior: float | None, until: int | None, peak: int
) -> None:
    """Of 110 Mt in 2026 the cap and 5 Mt held allow 105, and 5 Mt are offset, 2 of them a year before."""
    units = UNITS.drop(columns="prior_emissions_tco2e")
    more = {
        "pathway.cap_t": {"2026": 100 * MT},
        "pathway.paid_share": {"2026": 0.25},
        "market.ccer_supply_t": 3 * MT,
        "market.ccer_price_cny_per_t": 40.0,
        "outlook.observed_price_cny_per_t": {"2025": 77.0},
    }
    instance = etsopt.Instance.from_frames(
        units if prior is None else units.assign(prior_emissions_tco2e=prior * MT),
        POLICY | more | ({} if until is None else {"outlook.report_until": until}),
        ENTERPRISES,
        forecast=FORECAST.assign(output_factor=1.2),
        supply=pd.DataFrame(SOURCES),
    )
    result = etsopt.solve(instance, "outlook")
    assert (result.status, result.violations) == ("certified_optimal", ())
    assert result.tables["outlook"]["peak_year"][0] == peak
    years = result.tables["outlook_years"][:2]
    assert years["auctioned_t"].tolist() == pytest.approx([0.0, 25 * MT])
    assert years["offset_t"].tolist() == pytest.approx([2 * MT, 3 * MT])
    table = result.tables["outlook"]
    for column, value in {"peak_year": peak - 1, "free_part": "output", "capped": False}.items():
        changed = table.assign(**{column: [value, *table[column].tolist()[1:]]})
        found = judged(instance, dict(result.tables), outlook=changed).violations
        assert [one.rule for one in found] == ["outlook"]


def test_an_instance_without_sources_of_supply_has_no_outlook() -> None:
    _, tables = solved()
    [violation] = outlook.check(InstanceInputs.of(etsopt.read("tiny")), tables, 1e-4).violations
    assert (violation.rule, violation.where, violation.amount, violation.unit) == ("tables", "supply", 1.0, "tables")
