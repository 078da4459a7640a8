"""Rules and models from outside the package: by a file, by an entry point, and from a notebook."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from functools import partial
from importlib import invalidate_caches
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import etsopt
from etsopt.cli import main
from etsopt.common.errors import DataError, ModelError, UsageError
from etsopt.common.language import in_both
from etsopt.rules import Parameters, as_given, reference_allowances, rule
from etsopt.rules.plugins import load_file, under_rule_of
from etsopt.rules.reference import Reference, Term
from etsopt.running import library
from etsopt.running.reading import read
from etsopt.running.results.results import load_both

ROOT = Path(__file__).parents[2]
CHANGES = ["--set", "rule.benchmark=0.83", "--set", "rule.reduction=0.01"]


@pytest.fixture
def rule_file(tmp_path: Path) -> Path:
    """The example of the page on rules of one's own."""
    page = (ROOT / "docs" / "en" / "how-to" / "own-rule.md").read_text(encoding="utf-8")
    path = tmp_path / "my_rule.py"
    path.write_text(page.split("source = '''\n")[1].split("'''")[0], encoding="utf-8")
    return path


def tiny_under(names: list[str]) -> etsopt.Instance:
    """The instance ``tiny`` under the rule of a file."""
    return read("tiny", under=partial(under_rule_of, names=names))


def under(allowances: Any, **policy: Any) -> etsopt.Instance:
    """The instance ``tiny`` under a rule that returns allowances."""

    @rule("mine", "a test")
    def mine(instance: etsopt.Instance, parameters: Parameters, fixed: Any) -> Any:
        """Allowances of a test."""
        return allowances(instance) if callable(allowances) else allowances

    return etsopt.read("tiny").with_policy({"rule": {"name": "mine"}, **policy})


def test_a_rule_file_gives_the_reference_allowances_that_are_written_and_certified(
    rule_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main(["solve", "tiny", "--rule", str(rule_file), *CHANGES, "--out", str(run)]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "The rule reduced-benchmark of my_rule.py is your own" in shown
    results, instance = load_both(run)
    # The benchmark of 0.83 falls by a hundredth, and whole tonnes remain.
    expected = np.floor(0.83 * (1 - 0.01) * instance.units["output_t"].to_numpy())
    assert results.tables["allocation"]["reference_t"].tolist() == expected.tolist()
    assert instance.units["reference_t"].tolist() == expected.tolist()
    assert instance.policy.rule.name == "given"
    assert results.status == "certified_optimal"
    stated = results.provenance.own_rule
    assert stated is not None
    assert (stated.name, stated.file) == ("reduced-benchmark", "my_rule.py")
    assert stated.parameters["reduction"] == 0.01
    assert main(["check", str(run)]) == 0
    assert "not derived again" in " ".join(capsys.readouterr().out.split())


def test_a_run_is_checked_where_the_rule_is_not_known(rule_file: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert main(["solve", "tiny", "--rule", str(rule_file), "--out", str(run)]) == 0
    rule_file.unlink()
    command = [sys.executable, "-m", "etsopt", "check", "--json", str(run)]
    checked = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert checked["certified"]
    assert not checked["violations"]


def test_the_answer_under_an_own_rule_is_that_of_its_allowances_as_given(rule_file: Path) -> None:
    own = tiny_under(load_file(rule_file))
    by_rule = etsopt.solve(own)
    units = own.units.assign(reference_t=reference_allowances(own).reference_t)
    policy = etsopt.read("tiny").policy.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    threshold = own.policy.rule.parameters["threshold_tco2e"]
    given = etsopt.Instance.from_frames(units, policy | {"rule": {"name": "given", "threshold_tco2e": threshold}})
    assert by_rule.tables["allocation"].equals(etsopt.solve(given).tables["allocation"])
    assert etsopt.check(own, by_rule).violations == ()
    assert as_given(as_given(own)) == as_given(own)


def test_every_model_that_hands_out_allowances_takes_an_own_rule(rule_file: Path) -> None:
    own = tiny_under(load_file(rule_file)).with_policy({"sectors.cement.target_t": 600_000.0})
    for model in ("allocation", "balance_value", "clearing"):
        result = etsopt.solve(own, model)
        assert not result.violations
        assert result.provenance.own_rule is not None
        assert result.provenance.own_rule.name == "reduced-benchmark"
    swept = etsopt.sweep(own, [{}, {"rule.reduction": 0.03}])
    assert swept.statuses == ["certified_optimal"] * 2


def test_special_cases_and_small_enterprises_get_their_emissions_whatever_an_own_rule_returns() -> None:
    instance = under(lambda instance: np.full(len(instance.units), 1e5))
    small = instance.with_policy({"rule.threshold_tco2e": 2e5})
    table = etsopt.solve(small, "balance_value").tables["allocation"]
    fixed = reference_allowances(small).fixed
    assert fixed.any()
    assert not fixed.all()
    assert table["allowance_t"][fixed].tolist() == instance.emissions_tco2e[fixed].tolist()
    assert set(table["allowance_t"][~fixed]) == {1e5}


@pytest.mark.parametrize(
    ("allowances", "what"),
    [
        (np.ones(2), "the rule mine in 2025: returns an array of shape (2,): expected numbers of shape (3,)."),
        (["a", "b", "c"], "the rule mine in 2025: returns no numbers."),
        (["1", "2", "3"], "the rule mine in 2025: returns no numbers."),
        (np.ones(3, dtype=bool), "the rule mine in 2025: returns no numbers."),
        (np.ones(3, dtype="timedelta64[D]"), "the rule mine in 2025: returns no numbers."),
        (np.ones(3, dtype=complex), "the rule mine in 2025: returns no numbers."),
        ([[1], [1, 2], 3], "the rule mine in 2025: returns no numbers."),
        (np.ma.masked_equal([1.0, 2.0, 3.0], 2), "the rule mine in 2025: 1 allowance is not a number from 0 on: row"),
        (lambda _: sys.exit(0), "the rule mine in 2025: fails: SystemExit: 0."),
        (np.array([1.0, np.nan, -2.0]), "the rule mine in 2025: 2 allowances are not a number from 0 on: row"),
        (lambda _: 1 / 0, "the rule mine in 2025: fails: ZeroDivisionError: division by zero."),
    ],
    ids=["too few", "texts", "figures", "truths", "times", "complex", "ragged", "masked", "an exit", "nan", "an error"],
)
def test_a_rule_that_gives_no_allowances_is_refused(allowances: Any, what: str) -> None:
    with pytest.raises(DataError) as caught:
        etsopt.solve(under(allowances))
    assert what.split(": row")[0] in str(caught.value)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (None, "There is no rule file"),
        ("1 / 0", "could not be loaded: ZeroDivisionError: division by zero, in line 1 of "),
        ("x = 1", "enters no rule."),
        (
            "from etsopt.rules import rule\n@rule('benchmark', 's')\ndef f(i, p, x):\n    'A.'\n",
            "There is a rule 'benchmark' already.",
        ),
    ],
    ids=["no file", "an error", "no rule", "a name that is taken"],
)
def test_a_file_that_is_no_rule_is_refused(
    tmp_path: Path, content: str | None, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.py"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert main(["solve", "tiny", "--rule", str(path)]) == 2
    told = capsys.readouterr().err
    assert what in told
    assert "Traceback" not in told


def test_the_name_of_a_rule_of_the_package_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "tiny", "--rule", "cn-2026"]) == 2
    advice = capsys.readouterr().err.split("`--set '")[1].split("'`")[0]
    assert main(["solve", "tiny", "--set", advice]) == 0


def test_of_several_rules_of_a_file_one_has_to_be_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "two.py"
    head = "@rule('{0}', 's')\ndef {0}(instance, parameters, fixed):\n    'Allowances.'\n"
    one = head + "    return {1} * instance.emissions_tco2e\n"
    path.write_text(
        f"from etsopt.rules import rule\n{one.format('less', 0.99)}{one.format('more', 1.01)}", encoding="utf-8"
    )
    assert main(["solve", "tiny", "--rule", str(path)]) == 2
    assert "The rule file enters less, more." in capsys.readouterr().err
    assert main(["validate", "tiny", "--rule", str(path), "--set", "rule.name=less"]) == 0


@pytest.fixture
def package(tmp_path: Path, rule_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package that brings the rule and the model of the pages for developers by entry points."""
    site, page = tmp_path / "site", (ROOT / "docs" / "developing" / "models.md").read_text(encoding="utf-8")
    about = site / "outside-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "outside_rules.py").write_text(rule_file.read_text(encoding="utf-8"), encoding="utf-8")
    (site / "outside_model.py").write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: outside\nVersion: 1.0\n", encoding="utf-8")
    points = "[etsopt.rules]\noutside = outside_rules\n\n[etsopt.models]\nleast = outside_model\n"
    (about / "entry_points.txt").write_text(points, encoding="utf-8")
    monkeypatch.syspath_prepend(str(site))
    for name in ("outside_rules", "outside_model"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    invalidate_caches()
    return site


@pytest.mark.usefixtures("package")
def test_a_rule_of_an_installed_package_is_found_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "tiny", "--set", "rule={name='reduced-benchmark', reduction=0.01}"]) == 0
    assert main(["rules"]) == 0
    assert "reduced-benchmark" in capsys.readouterr().out


@pytest.mark.usefixtures("package")
def test_a_model_of_an_installed_package_is_found_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "tiny", "--model", "least"]) == 0
    assert main(["models"]) == 0
    assert "Least allowances that give every unit" in " ".join(capsys.readouterr().out.split())
    assert "least" not in library.names()


def test_a_package_whose_rules_or_model_fail_is_named(package: Path) -> None:
    for name in ("outside_rules", "outside_model"):
        (package / f"{name}.py").write_text("1 / 0", encoding="utf-8")
    with pytest.raises(UsageError, match="The rules 'outside' of outside_rules cannot be loaded: ZeroDivisionError"):
        etsopt.solve(etsopt.read("tiny").with_policy({"rule": {"name": "reduced-benchmark"}}))
    with pytest.raises(ModelError, match="The model 'least' of outside_model cannot be loaded: ZeroDivisionError"):
        etsopt.solve(etsopt.read("tiny"), "least")


def test_a_rule_that_writes_into_its_tables_changes_nothing_of_the_instance() -> None:
    def halved(instance: etsopt.Instance) -> Any:
        instance.units["emissions_tco2e"] *= 0.5
        return instance.units["emissions_tco2e"].to_numpy()

    instance = under(halved)
    before = instance.units["emissions_tco2e"].tolist()
    assert reference_allowances(instance).reference_t.tolist() == [0.5 * one for one in before]
    assert instance.units["emissions_tco2e"].tolist() == before


def test_a_series_is_taken_by_its_index_and_one_of_another_is_refused() -> None:
    def ordered(instance: etsopt.Instance) -> Any:
        return instance.units["emissions_tco2e"].sort_values()

    instance = under(ordered)
    assert reference_allowances(instance).reference_t.tolist() == instance.units["emissions_tco2e"].tolist()
    with pytest.raises(DataError, match="returns a series with another index than that of the units"):
        reference_allowances(under(lambda instance: instance.units.set_index("unit_id")["emissions_tco2e"]))


def test_a_default_of_its_own_holds_in_the_instance_that_is_solved() -> None:
    class Above(Parameters):
        """Another threshold than other rules have."""

        threshold_tco2e: float = 200_000.0

    @rule("above", "a test", Above)
    def above(instance: etsopt.Instance, parameters: Parameters, fixed: Any) -> Any:
        """Nine tenths of emissions."""
        return 0.9 * instance.units["emissions_tco2e"].to_numpy()

    instance = etsopt.read("tiny").with_policy({"rule": {"name": "above"}})
    given = as_given(instance)
    assert given.policy.rule.parameters["threshold_tco2e"] == 200_000
    # The enterprise in the south emits 160,000 t and gets them.
    assert reference_allowances(given).reference_t[-1] == 160_000


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        ({"terms": [("a", 1, "b")]}, "terms.0: is ('a', 1, 'b'): expected an instance of Term."),
        ({"terms": None}, "terms: is None"),
        ({"terms": [Term(None, 1.0, "b")]}, "terms: has a term that is no name, source, and value"),  # type: ignore[arg-type]
        ({"terms": [Term("a", np.ones(2), "b")]}, "terms: has a term that is no name, source, and value"),
        ({"whole": "maybe"}, "whole: is 'maybe'"),
        ({"equal": np.ones(3, dtype=bool)}, "equal: is array("),
        ({"sectors": {"cement": 1}}, "sectors: is {'cement': 1}"),
        ({"band": -0.1}, "band: is -0.1: expected greater than or equal to 0."),
        ({"bands": {"cement": float("nan")}}, "bands.cement: is nan: expected a finite number."),
        ({"bands": [1]}, "bands: is [1]: expected a table."),
        ({"fixed": np.ones(3, dtype=bool)}, "fixed: returns other units with A = E than those that it is called with."),
    ],
)
def test_what_a_rule_returns_beside_figures_of_units_is_refused_as_its_own(returned: Any, what: str) -> None:
    def make(instance: etsopt.Instance) -> Any:
        emissions = instance.units["emissions_tco2e"].to_numpy(dtype=float)
        return Reference(emissions, **{"fixed": np.zeros(len(emissions), dtype=bool), **returned})

    with pytest.raises(DataError) as caught:
        reference_allowances(under(make))
    assert f"1. the rule mine in 2025, {what}" in str(caught.value)


def test_the_number_of_a_unit_is_explained_by_the_rule_its_source_and_its_terms(tmp_path: Path) -> None:
    def make(instance: etsopt.Instance) -> Any:
        emissions = instance.units["emissions_tco2e"].to_numpy(dtype=float)
        return Reference(emissions, np.zeros(len(emissions), dtype=bool), terms=(Term("rate", 1.0, "its law"),))

    instance = under(make)
    etsopt.solve(instance).save(tmp_path / "run", instance)
    step = next(step for step in etsopt.load(tmp_path / "run").explain("north-1").steps if step.key == "rule")
    assert in_both(step.label) == {
        "en": "Rule mine (a test), your own, made of rate (its law)",
        "zh": "自定义规则 mine（a test），由以下各项构成：rate (its law)",
    }


def test_terms_and_bands_of_a_rule_are_taken() -> None:
    def make(instance: etsopt.Instance) -> Any:
        emissions = instance.units["emissions_tco2e"].to_numpy(dtype=float)
        fixed = np.zeros(len(emissions), dtype=bool)
        return Reference(0.9 * emissions, fixed, bands={"cement": 0.2}, terms=[Term("rate", 0.9, "a test")])  # type: ignore[arg-type]

    assert reference_allowances(under(make)).bands == {"cement": 0.2}


def test_what_a_rule_does_with_its_tables_and_its_policy_changes_neither() -> None:
    def make(instance: etsopt.Instance) -> Any:
        instance.policy.sectors.clear()
        for table in instance.tables.values():
            for name in table:
                table[name] = 0
        return np.full(3, 1e5)

    instance = under(make)
    tables = {name: table.copy() for name, table in instance.tables.items()}
    assert etsopt.solve(instance).tables["sectors"]["target_t"].notna().all()
    assert all(instance.tables[name].equals(table) for name, table in tables.items())
    assert "cement" in instance.policy.sectors


@pytest.mark.parametrize(
    ("stated", "what"),
    [
        ({"name": ""}, "The rule '' is not declared rightly."),
        ({"source": 3}, "The rule 'wrong' is not declared rightly."),
        ({"parameters": None}, "The rule 'wrong' is not declared rightly."),
        ({"columns": "output_t"}, "The rule 'wrong' is not declared rightly."),
    ],
)
def test_what_a_rule_states_of_itself_is_refused_where_it_is_declared(stated: Any, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        rule(**{"name": "wrong", "source": "a test", **stated})
    with pytest.raises(UsageError, match="The rule 'wrong' is no function"):
        rule("wrong", "a test")(5)  # type: ignore[arg-type]


def test_a_parameter_that_is_changed_is_a_problem_of_the_change(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "tiny", "--set", "rule.cap=-5"]) == 2
    assert "1. the changed policy, rule.cap: is -5" in capsys.readouterr().err


def test_what_chinas_plans_issue_in_advance_is_not_that_of_a_rule_of_ones_own() -> None:
    instance = under(np.full(3, 1e5))
    advanced = dataclasses.replace(instance, units=instance.units.assign(prior_emissions_tco2e=1e5))
    given = {
        name: etsopt.solve(one, "allocation").tables["allocation"]["pre_allocated_t"].tolist()
        for name, one in {
            "silent": advanced,
            "stated": advanced.with_policy({"rule.pre_allocation_share": 0.3}),
        }.items()
    }
    assert given == {"silent": [0.0] * 3, "stated": [3e4] * 3}


OF_GLASS = """unit_id,enterprise_id,sector,province,emissions_tco2e,output_t
a,A,glass,Utopia,100000,120000
b,B,glass,Utopia,200000,210000
"""


def test_a_rule_file_and_changes_hold_before_anything_is_read_under_the_rule_of_the_policy(
    rule_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Under the plan that the policy names, sector, province, target and the lack of a balance value are wrong.
    folder, changes = tmp_path / "glass", ["--set", "provinces.names=any", *CHANGES]
    folder.mkdir()
    (folder / "units.csv").write_text(OF_GLASS, encoding="utf-8")
    policy = 'year = 2027\ncoverage = "nation"\nrule.name = "cn"\nsectors.cement.target_change = -0.01\n'
    (folder / "policy.toml").write_text(policy, encoding="utf-8")
    assert main(["solve", str(folder), "--rule", str(rule_file), *changes]) == 2
    assert "policy.toml, sectors.cement: the sector 'cement' has no unit." in capsys.readouterr().err
    assert main(["solve", str(folder), "--rule", str(rule_file), "--set", "sectors={}", *changes]) == 0
    assert main(["solve", str(folder / "units.csv"), "--rule", str(rule_file), *changes]) == 0


def test_a_sector_with_a_dot_is_refused(rule_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "units.csv"
    table.write_text(OF_GLASS.replace("a,A,glass", "a,A,glass.flat"), encoding="utf-8")
    assert main(["solve", str(table), "--rule", str(rule_file), "--set", "provinces.names=any"]) == 2
    assert "sector: a dot in a name separates keys of the policy: row of a 'glass.flat'." in capsys.readouterr().err


def test_a_path_of_one_year_needs_no_references_of_later_ones() -> None:
    instance = etsopt.Instance.from_frames(
        etsopt.read("tiny").units.assign(reference_t=200_000.0),
        {"year": 2026, "rule": {"name": "given"}, "market": {"ceiling_price_cny_per_t": 90.0, "reserve_t": 1e6}},
    )
    assert etsopt.solve(instance, "pathway").certified
