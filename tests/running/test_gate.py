"""What decides allowances and is probably false is told by unit before any figure, and a strict solve refuses it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pandas as pd
import pytest

import etsopt
from etsopt import accounting
from etsopt.accounting.doubtful import doubtful_months
from etsopt.cli import main
from etsopt.data.doubts import doubts_of
from etsopt.reports.letter import letter
from etsopt.reports.run import Run
from etsopt.running.results.notices import notices

HEAD = "unit_id,month,process,item,flow,quantity,unit,ncv_gj_per_unit\n"
SAID = "Months with open findings hold more than 10 % of their year: U0 (2025-06: {share} %). See etsopt screen."


def plants(place: Path, factor: float) -> Path:
    """Twelve months of six kilns; the coal of June of the first is multiplied."""
    (place / "reports").mkdir(parents=True)
    (place / "README.md").write_text("Assumed.\n", "utf-8")
    (place / "policy.toml").write_text('year = 2025\nrule.name = "cn-2025"\n', "utf-8")
    units = "".join(f"U{k},E{k},cement,Hebei,portland_clinker\n" for k in range(6))
    (place / "register.csv").write_text(f"unit_id,enterprise_id,sector,province,activity\n{units}", "utf-8")
    rows = []
    for k in range(6):
        for month in range(1, 13):
            coal = (9_800 + 130 * k + 35 * month) * (factor if (k, month) == (0, 6) else 1)
            rows.append(f"U{k},2025-{month:02d},clinker,bituminous,in,{coal},t,\n")
            rows.append(f"U{k},2025-{month:02d},clinker,portland_clinker,product,{80_000 + 900 * k + 200 * month},t,\n")
    (place / "reports" / "2025.csv").write_text(HEAD + "".join(rows), "utf-8")
    return place


def read(place: Path) -> tuple[etsopt.Instance, list[str]]:
    """Return an instance and its doubts."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        instance = etsopt.read(place)
    return instance, [str(one.message) for one in caught if issubclass(one.category, etsopt.DoubtWarning)]


def test_an_honest_folder_is_in_no_doubt_and_has_no_column_of_doubts(tmp_path: Path) -> None:
    instance, doubts = read(plants(tmp_path / "plants", 1))
    assert doubts == []
    assert doubts_of(instance) is None
    assert not {"doubtful_months", "doubtful_rate"} & {*instance.units}


@pytest.mark.everyday("3-13")
@pytest.mark.parametrize(("factor", "share"), [(1000, 97), (3, 13)])
def test_a_month_that_holds_a_tenth_of_its_year_is_named_by_unit(tmp_path: Path, factor: float, share: int) -> None:
    instance, doubts = read(plants(tmp_path / "plants", factor))
    assert f"reports: {SAID.format(share=share)}" in doubts
    unit = instance.units.set_index("unit_id").loc["U0"]
    # By hand: what the month emits of what the year emits.
    months = accounting.account(accounting.read_reports(tmp_path / "plants")).unit_months
    of_june = months.loc[(months["unit_id"] == "U0") & (months["month"] == "2025-06"), "emissions_tco2e"].item()
    assert unit["doubtful_months"] == "2025-06"
    assert unit["doubtful_rate"] == pytest.approx(of_june / unit["emissions_tco2e"], abs=1e-4)
    assert (instance.units.set_index("unit_id")["doubtful_months"].drop("U0") == "").all()


def test_doubts_stand_in_the_first_lines_the_tables_and_the_files_of_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = plants(tmp_path / "plants", 3), tmp_path / "run"
    assert main(["solve", str(folder), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert SAID.format(share=13) in " ".join(printed.out.split("\n")[1:3])
    assert "Warning" not in printed.err
    table = pd.read_csv(out / "tables" / "allocation.csv").set_index("unit_id")
    assert table.loc["U0", "doubtful_months"] == "2025-06"
    assert table["doubtful_months"].notna().sum() == 1
    (stated,) = json.loads((out / "result.json").read_text("utf-8"))["doubts"]["months"]
    assert (stated["unit"], stated["months"]) == ("U0", ["2025-06"])
    assert main(["check", str(out)]) == 0
    assert SAID.format(share=13) in map(str, notices(etsopt.load(out).provenance))


def test_doubts_that_a_run_no_longer_states_are_a_false_claim(tmp_path: Path) -> None:
    instance, _ = read(plants(tmp_path / "plants", 3))
    result = etsopt.solve(instance)
    result.provenance.doubts = None
    assert [one.rule for one in etsopt.check(instance, result).violations] == ["claim"]


def test_a_strict_solve_ends_before_anything_is_solved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = plants(tmp_path / "plants", 3), tmp_path / "run"
    assert main(["solve", str(folder), "--strict", "--out", str(out)]) == 2
    failure, advice = capsys.readouterr().err.strip().split("\n\n")
    assert failure.split("\n") == ["Figures of 'plants' are in doubt:", SAID.format(share=13)]
    assert advice == (
        "Correct the figures, report what is missing, or close the findings in the review; without --strict they are "
        "taken."
    )
    assert not out.exists()
    assert main(["solve", str(plants(tmp_path / "honest", 1)), "--strict"]) == 0


@pytest.mark.nightly
def test_a_closed_finding_lets_a_month_pass(tmp_path: Path) -> None:
    folder = plants(tmp_path / "plants", 3)
    store = folder / "reports.duckdb"
    accounting.import_reports(store, folder)
    for name in ("register.csv", "reports/2025.csv"):
        (folder / name).unlink()
    (folder / "reports").rmdir()
    assert len(read(folder)[1]) == 1
    accounting.import_findings(store, "municipal", "office")
    assert len(read(folder)[1]) == 1
    findings = accounting.review(store).findings
    for number in findings.loc[(findings["unit_id"] == "U0") & (findings["month"] == "2025-06"), "finding"]:
        decision = {"decision": "close", "level": "municipal", "who": "office", "finding": number, "reason": "seen"}
        accounting.decide(store, decision)
    instance, doubts = read(folder)
    assert doubts == []
    assert "doubtful_months" not in instance.units


def test_verified_units_are_in_no_doubt(tmp_path: Path) -> None:
    reports = accounting.read_reports(plants(tmp_path / "plants", 3))
    accounts = accounting.account(reports)
    ids = pd.Series({f"U{k}": f"U{k}" for k in range(6)})
    assert doubtful_months(reports, accounts, 2025, ids, None, frozenset()).index.tolist() == ["U0"]
    assert doubtful_months(reports, accounts, 2025, ids, None, frozenset(("U0",))).empty
    assert doubtful_months(reports, accounts, 2024, ids, None, frozenset()).empty


def test_a_workbook_and_frames_are_doubted_alike() -> None:
    units = pd.DataFrame(
        {
            "unit_id": [f"k{n}" for n in range(4)],
            "enterprise_id": [f"e{n}" for n in range(4)],
            "sector": "cement",
            "province": "Hebei",
            "emissions_tco2e": [8.3e5, 8.1e5, 8.2e5, 8.2e7],
            "output_t": 1e6,
        }
    )
    result = etsopt.solve(etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn-2025"}}))
    assert "Intensities far from the others of cement, 0.825, at k3." in map(str, notices(result.provenance))


def test_an_enterprise_is_told_of_its_own_doubts_alone(tmp_path: Path) -> None:
    instance, _ = read(plants(tmp_path / "plants", 1000))
    run = Run(etsopt.solve(instance))
    told = {name: " ".join(str(one.words) for one in letter(run, name).warnings) for name in ("E0", "E1")}
    assert "at U0." in told["E0"]
    assert SAID.format(share=97) in told["E0"]
    assert "U0" not in told["E1"]
