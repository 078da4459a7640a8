"""Ways to allocate side by side: each as if it were solved alone, and the tie-breaks under sector totals alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.language import speaking
from etsopt.presenting.documents.document import Figure, Table
from etsopt.studies.methods import Comparison, compare_methods
from etsopt.studies.methods.comparison import OBJECTIVES, POLICY, RULE, TIE_BREAKS, under_totals_alone
from etsopt.studies.methods.document import document_of, sheets_of


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare_methods(etsopt.read("tiny"), 84.0)


def test_a_row_is_what_a_solve_of_its_own_says(found: Comparison) -> None:
    assert found.table["method"].tolist() == [RULE, POLICY, *TIE_BREAKS, *OBJECTIVES]
    assert found.certified
    rows, instance = found.table.set_index("method"), found.instance
    for name, keys in (
        (POLICY, {}),
        ("equal_losses", {"allocation.tie_break": "equal_losses", "allocation.objectives": []}),
        ("deficit", {"allocation.objectives": ["deficit"]}),
    ):
        tables = etsopt.solve(instance.with_policy(keys)).tables
        own = tables["fairness"].set_index(["level", "against", "allocation"]).loc[("unit", "emissions", "final")]
        assert rows.loc[name, "gini"] == own["gini"]
        assert rows.loc[name, "largest_loss_rate"] == own["largest_loss_rate"]
        assert rows.loc[name, "moved_t"] == tables["allocation"]["change_t"].abs().sum()
        deficit = -tables["enterprises"]["surplus_t"].clip(upper=0).sum()
        assert rows.loc[name, "deficit_t"] == pytest.approx(deficit)
        assert rows.loc[name, "bill_cny"] == pytest.approx(84 * deficit)
        at_band = tables["allocation"]["at_bound"].isin(["lower", "upper"]).sum()
        assert rows.loc[name, "units_at_band"] == at_band
    assert rows.loc[RULE, ["moved_t", "largest_loss_rate"]].tolist() == [0, 0]


def test_least_of_each_measure_is_at_the_method_that_minimises_it(found: Comparison) -> None:
    alone = compare_methods(etsopt.read("cn-2025").with_policy({"sectors.cement.target_change": -0.01}))
    rows = alone.table.set_index("method").drop(index=RULE)
    assert "bill_cny" not in rows
    assert rows["moved_t"].min() == pytest.approx(rows.loc["change", "moved_t"], rel=1e-9)
    assert rows["gini"].idxmin() == "equal_rates"
    assert rows["gini_output"].idxmax() == "equal_rates"
    # The figures of the prototype that this command replaces, to its digits.
    assert rows.loc["least_squares", "gini"] == pytest.approx(0.00550, abs=5e-6)
    assert rows.loc["equal_rates", ["gini", "gini_outside"]].tolist() == pytest.approx([0.00240, 0.00222], abs=5e-6)
    assert rows.loc["equal_losses", ["gini", "gini_outside"]].tolist() == pytest.approx([0.00613, 0.00595], abs=5e-6)
    assert rows.loc["proportional", "gini_outside"] == pytest.approx(0.00566, abs=5e-6)


def two_sectors() -> tuple[etsopt.Instance, pd.DataFrame]:
    """Three units of cement, with a target 60 t below their reference, and one of steel without any target."""
    units = pd.DataFrame(
        {
            "unit_id": ["a", "b", "c", "d"],
            "enterprise_id": ["a", "b", "c", "d"],
            "sector": ["cement", "cement", "cement", "steel"],
            "province": "North",
            "emissions_tco2e": [100.0, 100.0, 400.0, 50.0],
            "reference_t": [10.0, 150.0, 440.0, 45.0],
        }
    )
    instance = etsopt.Instance.from_frames(units, {"year": 2025, "rule.name": "given"})
    return instance, pd.DataFrame({"sector": ["cement", "steel"], "target_t": [540.0, np.nan]})


@pytest.mark.parametrize(
    ("tie_break", "expected"),
    [
        ("least_squares", [0.0, 140.0, 400.0, 45.0]),
        ("equal_rates", [90.0, 90.0, 360.0, 45.0]),
        ("proportional", [9.0, 135.0, 396.0, 45.0]),
        # The smallest has but 10 t to lose, and the others lose 25 t each.
        ("equal_losses", [0.0, 125.0, 415.0, 45.0]),
    ],
)
def test_under_sector_totals_alone(tie_break: str, expected: list[float]) -> None:
    assert under_totals_alone(*two_sectors(), tie_break) == pytest.approx(expected)


def test_tie_breaks_without_other_limits_are_those_of_the_program() -> None:
    """In a band of all emissions and without provinces nothing but the totals holds."""
    instance = etsopt.read("tiny")
    content = instance.policy.model_dump(mode="json", exclude_none=True)
    content["sectors"]["cement"]["band"], content["provinces"] = 1.0, {"names": "any"}
    content["allocation"]["objectives"] = []
    loose = etsopt.Instance.from_frames(instance.units, content)
    for name in TIE_BREAKS:
        tables = etsopt.solve(loose.with_policy({"allocation.tie_break": name})).tables
        alone = under_totals_alone(loose, tables["sectors"], name)
        assert tables["allocation"]["allowance_t"].to_numpy() == pytest.approx(alone, abs=1e-6)


def test_limits_that_nothing_keeps_are_refused_before_anything_is_compared() -> None:
    instance = etsopt.read("tiny").with_policy({"sectors.cement.target_change": -0.04})
    with pytest.raises(etsopt.UsageError, match="No allocation was found that keeps the limits"):
        compare_methods(instance)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_document_has_the_methods_and_both_charts(found: Comparison, language: str) -> None:
    with speaking(language):
        document = document_of(found)
        sheets = dict(sheets_of(found))
    assert document.proven
    assert [len(figure.panels) for figure in document.charts] == [2, 1]
    assert all(isinstance(figure, Figure) for figure in document.charts)
    _summary, methods, units = sheets.values()
    assert isinstance(methods, Table)
    assert isinstance(units, Table)
    assert (len(methods.rows), len(units.rows)) == (10, 3)
    assert len(units.columns) == 6 + 10


def test_the_command_writes_page_and_workbook_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, workbook = tmp_path / "methods.html", tmp_path / "methods.xlsx"
    line = ["methods", "tiny", "--price", "84", "--out", str(page), "--out", str(workbook), "--json"]
    assert main(line) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["method"] for row in told["methods"]][:2] == [RULE, POLICY]
    assert {str(page), str(workbook)} <= {*told["files"]}
    assert "equal_losses" in page.read_text(encoding="utf-8")
    assert workbook.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--price", "-1"], "--price -1.0 is no price"), (["--out", "methods.pdf"], "ends neither in .html nor in .xlsx")],
)
def test_a_wrong_option_is_refused(options: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["methods", "tiny", *options]) == 2
    assert message in capsys.readouterr().err


def test_units_without_emissions_have_no_rates_to_compare() -> None:
    units = pd.DataFrame(
        {
            "unit_id": ["idle"],
            "enterprise_id": ["a"],
            "sector": ["cement"],
            "province": ["Hebei"],
            "emissions_tco2e": [0.0],
            "output_t": [np.nan],
        }
    )
    instance = etsopt.Instance.from_frames(units, {"year": 2025, "rule": {"name": "cn-2025"}})
    assert "there are no rates to compare" in str(document_of(compare_methods(instance)).answer)
