"""An instance with monthly reports: emissions accounted, verified or open, its hash, and what is stated beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt import accounting
from etsopt.accounting.review.words import LEVELS
from etsopt.cli import main
from etsopt.common.errors import DataError, SolverError, StoppedError, UsageError
from etsopt.common.progress import watched
from etsopt.running import reading

SHIPPED = "cn-2025-reports"
OPEN_FINDINGS = "ignore:reports. Months with open findings:etsopt.DoubtWarning"
POLICY = 'year = 2025\n[rule]\nname = "cn-2025"\n'
STATED = ["emissions_tco2e", "output_t", "intensity_output_t", "intensity_emissions_tco2e", "carbide_slag_rate"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance of six plants with reports of twelve months."""
    place = tmp_path_factory.mktemp("drawn") / "plants"
    accounting.write_example(place, units=6, months=12, seed=1)
    (place / "policy.toml").write_text(POLICY, encoding="utf-8")
    return place


@pytest.fixture
def plants(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "plants"))


def with_store(plants: Path, passed: tuple[str, ...] = ()) -> Path:
    """The same plants with a store in place of reports, in which all levels have passed some units."""
    store = plants / "reports.duckdb"
    accounting.import_reports(store, plants)
    for level in LEVELS:
        for unit in passed:
            accounting.decide(store, {"decision": "pass", "level": level, "who": "office", "unit_id": unit})
    (plants / "register.csv").unlink()
    shutil.rmtree(plants / "reports")
    return plants


def status_of(instance: etsopt.Instance) -> dict[str, str]:
    return dict(instance.units.set_index("unit_id")["emissions_status"])


def test_the_units_are_those_of_the_accounts(plants: Path) -> None:
    units = etsopt.read(plants).units
    expected = accounting.units_of(accounting.account(accounting.read_reports(plants)))
    for name in ("unit_id", "enterprise_id", "sector", "province", *STATED):
        pd.testing.assert_series_equal(units[name], expected[name], check_dtype=False)
    assert set(units["emissions_status"]) == {"accounted"}
    assert (units["accounted_emissions_tco2e"] == units["emissions_tco2e"]).all()


def test_factors_of_the_folder_hold(plants: Path) -> None:
    before = etsopt.read(plants).units.set_index("unit_id")["emissions_tco2e"]
    (plants / "accounting.toml").write_text('[accounting]\naluminium.anode_effect = "mass"\n', encoding="utf-8")
    after = etsopt.read(plants).units.set_index("unit_id")
    assert ((before != after["emissions_tco2e"]) == (after["sector"] == "aluminium")).all()


def test_units_csv_adds_columns_and_units_and_states_nothing_twice(plants: Path) -> None:
    (plants / "units.csv").write_text(
        "unit_id,enterprise_id,sector,province,emissions_tco2e,output_t,special_case,x_own\n"
        "U2,,,,,,new,7\n"
        "P9,E9,cement,Anhui,830000.5,1000000,,8\n",
        encoding="utf-8",
    )
    units = etsopt.read(plants).units.set_index("unit_id")
    assert sorted(units.index) == ["P9", "U1", "U2", "U3", "U4", "U5", "U6"]
    assert units.loc["P9", ["emissions_tco2e", "emissions_status", "reports_sha256"]].tolist() == [830_000.5, "", ""]
    assert units.loc["U2", ["special_case", "emissions_status"]].tolist() == ["new", "accounted"]
    assert units["x_own"].dropna().to_dict() == {"P9": 8, "U2": 7}
    alone = accounting.units_of(accounting.account(accounting.read_reports(plants))).set_index("unit_id")
    assert (units.loc[alone.index, STATED].fillna(-1) == alone[STATED].fillna(-1)).all(axis=None)


def test_what_is_stated_twice_is_refused_by_cell(plants: Path) -> None:
    (plants / "units.csv").write_text(
        "unit_id,province,emissions_tco2e,x_months\nU1,Nowhere,5,\nU2,,,12\n", encoding="utf-8"
    )
    with pytest.raises(DataError) as caught:
        etsopt.read(plants)
    text = str(caught.value)
    assert "units.csv, province: differs from register.csv: row 2 'Nowhere'." in text
    # The twelve months of U2 are those of its reports, and no contradiction.
    what = "units.csv, emissions_tco2e: states other figures than its monthly reports (emissions_tco2e)"
    assert f"{what}: row 2 '5'." in text


def in_complex(place: Path) -> list[str]:
    """Let the steel units of a register report as one complex, and return them."""
    register = pd.read_csv(place / "register.csv", dtype=str, keep_default_na=False)
    steel = register["sector"] == "steel"
    register.loc[steel, ["complex_id", "city"]] = ["K", "Tangshan"]
    register.to_csv(place / "register.csv", index=False)
    return list(register.loc[steel, "unit_id"])


def problems(place: Path, units: str | None = None, policy: str = POLICY, **options: Any) -> str:
    """The message of an instance that is refused."""
    if units is not None:
        (place / "units.csv").write_text(units, encoding="utf-8")
    (place / "policy.toml").write_text(policy, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        etsopt.read(place, **options)
    return str(caught.value)


def test_units_of_a_table_without_identifiers_are_not_lost(plants: Path) -> None:
    assert "units.csv, unit_id: the column is missing." in problems(plants, "Unit_id,special_case\nU1,closed\n")


def test_a_unit_of_a_complex_is_not_counted_again(plants: Path) -> None:
    members = in_complex(plants)
    text = problems(plants, f"unit_id,enterprise_id,special_case\n{members[0]},,new\nK,{members[0]},\n")
    assert f"units.csv, unit_id: is part of a complex that reports as one (K): row 2 '{members[0]}'." in text
    assert "units.csv, enterprise_id: differs from register.csv: row 3" in text
    (plants / "units.csv").write_text("unit_id,enterprise_id,special_case\nK,K,new\n")
    assert etsopt.read(plants).units.set_index("unit_id")["special_case"].to_dict()["K"] == "new"


def test_a_complex_has_an_identifier_of_its_own(plants: Path) -> None:
    in_complex(plants)
    register = (plants / "register.csv").read_text(encoding="utf-8")
    (plants / "register.csv").write_text(register.replace(",K,", ",U1,"), encoding="utf-8")
    with pytest.raises(DataError, match="complexes have ids of units"):
        etsopt.read(plants)


@pytest.mark.parametrize("content", ["", "unit_id;special_case\nU1;new\n", "unit_id\n"])
def test_a_table_of_units_that_cannot_be_read_is_named_as_it_is(plants: Path, content: str) -> None:
    (plants / "units.csv").write_text(content, encoding="utf-8")
    if content == "unit_id\n":
        assert len(etsopt.read(plants).units) == 6
        return
    text = problems(plants, content)
    assert "The instance 'plants' has a problem." in text
    assert "1. units.csv" in text


def test_a_wrong_policy_is_the_only_problem_beside_a_table_of_few_columns(plants: Path) -> None:
    text = problems(plants, "unit_id,special_case\nU1,new\n", "year = \n")
    assert "The instance 'plants' has a problem." in text
    assert "policy.toml" in text
    with pytest.raises(DataError, match=r"policy\.toml"):
        accounting.verify(plants)


def test_the_year_of_the_reports_is_that_of_the_policy(plants: Path) -> None:
    with pytest.raises(UsageError, match="Emissions are those of the monthly reports of 2025"):
        etsopt.read(plants).with_policy({"year": 2026})
    assert etsopt.read(plants).with_policy({"year": 2025}).policy.year == 2025
    assert main(["solve", str(plants), "--set", "year=2024"]) == 2


def test_half_of_the_reports_is_named(plants: Path) -> None:
    shutil.rmtree(plants / "reports")
    with pytest.raises(DataError, match=r"reports/\*\.csv: no file is there"):
        etsopt.read(plants)
    (plants / "reports").mkdir()
    (plants / "register.csv").unlink()
    with pytest.raises(DataError, match=r"register\.csv: the file is missing"):
        etsopt.read(plants)


def test_emissions_below_zero_are_named_by_their_unit(plants: Path) -> None:
    file = next((plants / "reports").glob("*.csv"))
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    sold = (rows["unit_id"] == "U2") & (rows["process"] == "enterprise") & (rows["flow"] == "out")
    rows.loc[sold, "quantity"] = (rows.loc[sold, "quantity"].astype(float) * 200).map(str)
    rows.to_csv(file, index=False)
    assert "reports, emissions_tco2e: give emissions below 0: row of U2 '-" in problems(plants)


def test_the_interval_of_emissions_ends_at_zero(plants: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = etsopt.solve(accounting.evidence_of(accounting.read_reports(plants), 2025), "reconciliation")
    table = found.tables["reconciliation"]
    table.loc[table["unit_id"] == "U1", "lowest_tco2e"] = -5.0
    ended = SimpleNamespace(termination="optimal", certified=True, status="certified_optimal", tables=found.tables)
    monkeypatch.setattr(reading, "solve", lambda *_: ended)
    with pytest.warns(etsopt.AssumedWarning, match="reports: Output but no emissions at U1"):
        instance = etsopt.read(plants, emissions="low")
    assert instance.units.set_index("unit_id").loc["U1", "emissions_tco2e"] == 0
    found.tables["reconciliation"] = table[table["unit_id"] != "U1"]
    with pytest.raises(SolverError, match=r"Reconciliation has no emissions of U1\."):
        etsopt.read(plants, emissions="low")


def test_a_unit_of_the_register_without_reports_is_named_unless_its_emissions_are_stated(plants: Path) -> None:
    with (plants / "register.csv").open("a", encoding="utf-8") as file:
        columns = pd.read_csv(plants / "register.csv", nrows=0).columns
        row = {"unit_id": "U7", "enterprise_id": "E7", "sector": "cement", "province": "Anhui"}
        file.write(",".join({**row, "activity": "portland_clinker"}.get(name, "") for name in columns) + "\n")
    with pytest.raises(DataError, match=r"register.csv, unit_id: has units without a report .*: row of U7"):
        etsopt.read(plants)
    (plants / "units.csv").write_text(
        "unit_id,enterprise_id,sector,province,emissions_tco2e,output_t\nU7,E7,cement,Anhui,900000,1000000\n"
    )
    assert status_of(etsopt.read(plants))["U7"] == ""


def test_reports_of_another_year_and_a_wrong_policy_are_refused(plants: Path) -> None:
    policy = plants / "policy.toml"
    policy.write_text(POLICY.replace("2025", "2024"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"No unit has reports of 2024"):
        etsopt.read(plants)
    policy.write_text(POLICY.replace("cn-2025", "cn-1999"), encoding="utf-8")
    with pytest.raises(DataError, match="cn-1999"):
        etsopt.read(plants)
    policy.unlink()
    with pytest.raises(DataError, match=r"policy.toml: the file is missing"):
        etsopt.read(plants)


def test_a_choice_of_emissions_needs_reports_and_a_known_word(plants: Path) -> None:
    with pytest.raises(UsageError, match="'tiny' has no monthly reports"):
        etsopt.read("tiny", emissions="low")
    with pytest.raises(UsageError, match=r"There are no emissions 'lowest'\."):
        etsopt.read(plants, emissions="lowest")
    accounting.import_reports(plants / "reports.duckdb", plants)
    (plants / "accounting.toml").write_text("", encoding="utf-8")
    text = problems(plants)
    for name in ("register.csv", "reports", "accounting.toml"):
        assert f"{name}: is present beside reports.duckdb, which has its own." in text


@pytest.mark.nightly
def test_the_hash_covers_the_reports_and_not_their_files(plants: Path) -> None:
    before = etsopt.read(plants).hash
    file = next((plants / "reports").glob("*.csv"))
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    rows.iloc[::-1].to_csv(plants / "reports" / "again.csv", index=False)
    file.unlink()
    assert etsopt.read(plants).hash == before
    rows.loc[0, "evidence"] += " signed"
    rows.to_csv(plants / "reports" / "again.csv", index=False)
    changed = etsopt.read(plants)
    assert changed.hash != before
    rows.loc[0, "evidence"] = rows.loc[0, "evidence"].removesuffix(" signed")
    rows.to_csv(plants / "reports" / "again.csv", index=False)
    assert etsopt.read(with_store(plants)).hash == before


@pytest.mark.nightly
def test_verified_are_the_units_that_the_national_level_has_passed(drawn: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Emissions of 6 of 6 units are not verified: U1, U2, U3, U4, U5, U6\."):
        etsopt.read(drawn, emissions="verified")
    some = with_store(Path(shutil.copytree(drawn, tmp_path / "some")), ("U1", "U5"))
    with pytest.raises(UsageError, match=r"Emissions of 4 of 6 units are not verified: U2, U3, U4, U6\."):
        etsopt.read(some, emissions="verified")
    low, accounted = etsopt.read(some, emissions="low"), etsopt.read(some)
    assert [name for name, status in status_of(accounted).items() if status == "verified"] == ["U1", "U5"]
    assert set(status_of(low).values()) == {"verified", "lowest"}
    passed = low.units["emissions_status"] == "verified"
    for name in STATED:
        pd.testing.assert_series_equal(low.units.loc[passed, name], accounted.units.loc[passed, name])
    assert low.units.loc[passed, "accounted_emissions_tco2e"].isna().all()
    assert (low.units.loc[~passed, "emissions_tco2e"] < accounted.units.loc[~passed, "emissions_tco2e"]).all()
    every = with_store(Path(shutil.copytree(drawn, tmp_path / "every")), tuple(f"U{place}" for place in range(1, 7)))
    verified = etsopt.read(every, emissions="verified")
    assert set(status_of(verified).values()) == {"verified"}
    assert verified.hash == etsopt.read(every).hash == etsopt.read(every, emissions="low").hash
    assert etsopt.solve(verified).provenance.emissions is None


@pytest.fixture(scope="module")
def reconciled() -> dict[str, pd.DataFrame]:
    evidence = accounting.evidence_of(accounting.read_reports(SHIPPED), 2025)
    return dict(etsopt.solve(evidence, "reconciliation").tables)


@pytest.mark.nightly
@pytest.mark.filterwarnings(OPEN_FINDINGS)
@pytest.mark.parametrize(
    ("choice", "status", "column"),
    [
        ("low", "lowest", "lowest_tco2e"),
        ("reconciled", "reconciled", "reconciled_tco2e"),
        ("high", "highest", "highest_tco2e"),
    ],
)
@pytest.mark.filterwarnings("ignore:reports. Months without a report:etsopt.DoubtWarning")
def test_open_emissions_are_those_of_reconciliation(
    reconciled: dict[str, pd.DataFrame], choice: str, status: str, column: str
) -> None:
    instance = etsopt.read(SHIPPED, emissions=choice)
    units, accounted = instance.units.set_index("unit_id"), etsopt.read(SHIPPED).units.set_index("unit_id")
    assert set(units["emissions_status"]) == {status}
    assert (units["accounted_emissions_tco2e"] == accounted["emissions_tco2e"]).all()
    expected = reconciled["reconciliation"].set_index("unit_id")[column]
    steel = units["sector"] == "steel"
    assert np.abs(units["emissions_tco2e"] - expected)[~steel].max() <= 0.005 + 1e-9
    assert np.abs(units["emissions_tco2e"] - expected)[steel].max() <= 0.5 + 1e-9
    # By hand from the quantities: the output of R14, whose report of one month is missing, has all twelve.
    own = reconciled["reconciled_quantities"]
    own = own[(own["unit_id"] == "R14") & own["quantity_id"].str.endswith("product")]
    assert len(own) == 12
    assert units.loc["R14", "output_t"] == pytest.approx(own["reconciled"].sum(), abs=0.01)
    assert accounted.loc["R14", "output_t"] < 0.95 * units.loc["R14", "output_t"]
    # Steel: the emissions of ironmaking and sintering move as those of the enterprise do.
    moved, part = expected / accounted["emissions_tco2e"], "intensity_emissions_tco2e"
    assert np.allclose(units.loc[steel, part], accounted.loc[steel, part] * moved[steel], rtol=1e-6)
    assert np.allclose(units.loc[~steel, part], units.loc[~steel, "emissions_tco2e"])
    assert etsopt.solve(instance).status == "certified_optimal"


@pytest.mark.nightly
def test_a_complex_is_verified_if_all_its_units_are(tmp_path: Path) -> None:
    place = tmp_path / "complex"
    accounting.write_example(place, units=6, months=12, seed=1)
    (place / "policy.toml").write_text(POLICY, encoding="utf-8")
    members = in_complex(place)
    assert len(members) == 2
    one = with_store(Path(shutil.copytree(place, tmp_path / "one")), tuple(members[:1]))
    both = with_store(Path(shutil.copytree(place, tmp_path / "both")), tuple(members))
    assert [status_of(etsopt.read(folder))["K"] for folder in (place, one, both)] == [
        "accounted",
        "accounted",
        "verified",
    ]
    hashes = [etsopt.read(folder).units.set_index("unit_id").loc["K", "reports_sha256"] for folder in (place, one)]
    assert hashes[0] == hashes[1]


def test_a_reconciliation_that_ends_without_an_answer_gives_no_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoppedError), watched(0.0):
        etsopt.read(SHIPPED, emissions="high")

    ended = SimpleNamespace(termination="optimal", certified=False, status="feasible", tables={})
    monkeypatch.setattr(reading, "solve", lambda *_: ended)
    with pytest.raises(SolverError, match="reconciliation ended feasible"):
        etsopt.read(SHIPPED, emissions="high")


@pytest.mark.nightly
def test_a_run_says_what_is_not_verified_and_check_sees_a_changed_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "low"
    assert main(["solve", SHIPPED, "--emissions", "low", "--out", str(run)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Emissions of 40 of 40 units are not verified: the lowest that reconciliation allows, " in said
    assert "t (3.48 %) below the accounted ones." in said
    table = pd.read_csv(run / "tables" / "allocation.csv")
    assert set(table["emissions_status"]) == {"lowest"}
    assert main(["check", str(run)]) == 0
    table["emissions_status"] = "verified"
    table.to_csv(run / "tables" / "allocation.csv", index=False)
    capsys.readouterr()
    assert main(["check", str(run)]) == 5
    assert "emissions_status is that of the instance" in " ".join(capsys.readouterr().out.split())


@pytest.mark.nightly
@pytest.mark.filterwarnings(OPEN_FINDINGS)
def test_official_tables_and_reports_say_what_is_not_verified(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    prices = ["--set", "market.prices_cny_per_t=80.0"]
    assert main(["solve", SHIPPED, "--model", "compliance", *prices, "--out", str(run)]) == 0
    assert main(["export", str(run), "--tables", "official", "--out", str(tmp_path / "official")]) == 0
    sentence = "Emissions of 40 of 40 units are not verified: taken as accounted from monthly reports."
    assert sentence in capsys.readouterr().err
    chinese = "40 个单元中有 40 个的排放量未经核查：采用月度报告核算值。"
    note = (tmp_path / "official" / "official-note.txt").read_text(encoding="utf-8-sig")
    # What is in doubt comes first, then what is not verified, then the columns to fill.
    assert note.startswith("Months with open findings hold more than 10 % of their year")
    assert f"See etsopt screen. {sentence}\nColumns to fill" in note
    assert main(["export", str(run), "--tables", "official", "--lang", "zh", "--out", str(tmp_path / "chinese")]) == 0
    note = (tmp_path / "chinese" / "official-note.txt").read_text(encoding="utf-8-sig")
    assert note.startswith("有未关闭发现的月份占其全年的 10 % 以上")
    assert f"etsopt screen。{chinese}\n待填写的列" in note
    for source in (tmp_path / "official", tmp_path / "official" / "official-tables.xlsx"):
        assert main(["import", str(source), "--year", "2025", "--out", str(tmp_path / source.name / "again")]) == 0
    capsys.readouterr()
    assert main(["report", str(run), "--sheets"]) == 0
    page = (run / "report.html").read_text(encoding="utf-8")
    assert sentence in page
    assert chinese in page
    assert main(["roll", str(run), "--out", str(tmp_path / "next")]) == 0
    assert f"Prior emissions are those of 2025. {sentence}" in " ".join(capsys.readouterr().out.split())
    assert sentence in (tmp_path / "next" / "README.md").read_text(encoding="utf-8")
    rolled = etsopt.read(tmp_path / "next").units
    assert not {"emissions_status", "accounted_emissions_tco2e", "reports_sha256"} & {*rolled}


@pytest.mark.nightly
def test_verify_takes_an_instance(plants: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", SHIPPED, "--out", str(tmp_path / "shipped")]) == 0
    assert capsys.readouterr().out.startswith("2025: 0 of 40 units verified")
    findings = pd.read_csv(tmp_path / "shipped" / "findings.csv")
    screened = accounting.screen(accounting.read_reports(SHIPPED)).findings
    assert {*zip(findings["rule"], findings["unit_id"], findings["month"], strict=True)} == {
        *zip(screened["rule"], screened["unit_id"], screened["month"], strict=True)
    }
    assert findings["level"].isna().all()
    assert findings["decided_on"].isna().all()
    assert pd.read_csv(tmp_path / "shipped" / "rates.csv").empty
    assert len(list((tmp_path / "shipped" / "sheets").glob("*.html"))) == 40
    table = pd.read_csv(tmp_path / "shipped" / "emissions.csv")
    assert table["verified_emissions_tco2e"].isna().all()
    assert table["accounted_emissions_tco2e"].notna().all()
    assert main(["verify", str(with_store(plants, ("U1",))), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [unit["unit_id"] for unit in found["units"] if unit["status"] == "verified"] == ["U1"]
    with pytest.raises(UsageError, match="has no monthly reports"):
        accounting.verify("tiny")


@pytest.mark.nightly
def test_commands_on_reports_take_the_store_of_an_instance(plants: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = accounting.account(accounting.read_reports(plants)).annual
    place = with_store(plants)
    pd.testing.assert_frame_equal(accounting.account(accounting.read_reports(place)).annual, before)
    for command in (["account"], ["screen"], ["inclusion"], ["reconcile"], ["review-plan"], ["validate"]):
        assert main([*command, str(place)]) == 0, command
    with pytest.raises(UsageError, match="no earlier state"):
        accounting.verify(SHIPPED, as_of=1)


def test_the_list_of_a_year_has_units_without_reports_too(plants: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (plants / "units.csv").write_text(
        "unit_id,enterprise_id,sector,province,emissions_tco2e,output_t\nP9,E9,cement,Anhui,830000.5,1000000\n"
    )
    assert main(["inclusion", str(plants), "--json"]) == 0
    entities = json.loads(capsys.readouterr().out)["entities"]
    assert len(entities) == 7
    assert next(one for one in entities if one["entity_id"] == "E9")["emissions_tco2e"] == 830_000.5
