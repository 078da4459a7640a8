"""The command line: what it prints, where, and its exit codes."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import etsopt
from etsopt.cli import main, options
from etsopt.common.provenance import OwnParameter
from etsopt.modelling.solving import highs
from etsopt.reports.certificate import open_gaps
from etsopt.reports.remarks import own_parameters
from etsopt.reports.run import Run
from etsopt.running import reading
from etsopt_models._projection.least_squares import Projection
from tests.hard import HARD_MODEL

USER_MODEL = '''"""Least allowances that keep every unit at nine tenths of its emissions."""
import pandas as pd
import pyomo.environ as pyo
from etsopt.modelling import ProgramModel

def formulate():
    m = pyo.AbstractModel("user")
    m.UNITS = pyo.Set()
    m.emissions = pyo.Param(m.UNITS)
    m.allowance = pyo.Var(m.UNITS, bounds=lambda m, i: (0, m.emissions[i]))
    @m.Constraint(m.UNITS)
    def enough(m, i):
        return m.allowance[i] >= 0.9 * m.emissions[i]
    @m.Objective(doc="total [t]")
    def total(m):
        return sum(m.allowance[i] for i in m.UNITS)
    return m

def parameters(instance):
    return {"UNITS": len(instance.units), "emissions": instance.emissions_tco2e}

def tables(instance, solution):
    return {"plan": pd.DataFrame({"unit_id": instance.units["unit_id"], "allowance_t": solution.values["allowance"]})}

MODEL = ProgramModel(formulate=formulate, parameters=parameters, tables=tables)
'''


TABLES_SHOWN = (
    *("allocation", "sectors", "provinces", "relaxed_limits"),
    *("compliance", "years", "unmet_demand", "equilibrium", "reconciliation", "duals"),
)
"""Tables of the package's models that the command line shows or reads."""


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main([*arguments, "--json"])
    captured = capsys.readouterr()
    assert captured.err == ""
    return code, json.loads(captured.out)


def test_solving_a_shipped_instance_prints_a_certified_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "cn-2025"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].startswith("cn-2025 · allocation · compliance year 2025: certified optimal, ")
    assert captured.err == ""
    for word in (
        "cement",
        "steel",
        "aluminium",
        "change",
        "largest_change",
        "least_squares",
        "Shadow prices",
        "balance",
        "1,279",
    ):
        assert word in captured.out
    assert all(len(line) <= 80 for line in lines)


def test_json_is_all_there_is_on_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "tiny", "--json"]) == 0
    captured = capfd.readouterr()
    content = json.loads(captured.out)
    assert captured.out.count("\n") == 1
    assert captured.err == ""
    assert content["status"] == "certified_optimal"
    assert content["certified"] is True
    assert [level["name"] for level in content["levels"]] == ["change", "largest_change", "least_squares"]
    for key in ("model", "method", "termination", "prices", "seconds", "versions", "instance_hash", "seed"):
        assert key in content


def test_a_one_percent_tighter_cement_target_is_met_and_certified_level_by_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, content = run_json(capsys, "solve", "cn-2025", "--set", "sectors.cement.target_change=-0.01")
    assert code == 0
    assert all(level["certified"] for level in content["levels"])
    assert content["policy"]["sectors"]["cement"]["target_change"] == -0.01


def test_four_percent_is_infeasible_and_explained_in_tonnes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "cn-2025", "--set", "sectors.cement.target_change=-0.04"]) == 3
    out = capsys.readouterr().out
    assert "infeasible, proven" in out
    assert "target of cement" in out
    assert "9,561,302" in out
    assert "band of cement" in out
    assert "4.00 %" in out


def test_europe_lacks_1014305_tonnes_in_aluminium_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "eu-2019"]) == 3
    out = capsys.readouterr().out
    assert "infeasible by at least 1,014,305 t" in " ".join(out.split())
    assert "target of aluminium" in out
    assert "cement" not in out
    assert "steel" not in out


def test_a_run_is_written_checked_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    assert main(["solve", "tiny", "--out", one]) == 0
    assert main(["solve", "tiny", "--out", other, "--set", "sectors.cement.target_change=-0.01"]) == 0
    capsys.readouterr()
    assert main(["check", one]) == 0
    assert "Every statement holds." in capsys.readouterr().out
    code, content = run_json(capsys, "compare", one, other)
    assert code == 0
    assert sum(row["difference_t"] for row in content["sectors"]) == pytest.approx(-2800.0)
    assert main(["compare", one, other]) == 0
    printed = capsys.readouterr().out
    assert "units differ by more than 1 t" in printed
    assert "sectors.cement.target_change -0.005 -0.01" in " ".join(printed.split())


def test_a_tampered_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["solve", "tiny", "--out", str(folder)]) == 0
    table = folder / "tables" / "allocation.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("101500.0", "102500.0"), encoding="utf-8")
    capsys.readouterr()
    code, content = run_json(capsys, "check", str(folder))
    assert code == 5
    assert {"surplus", "sector_target"} <= {violation["rule"] for violation in content["violations"]}
    assert main(["check", str(folder)]) == 5
    assert "The checker refuses the result" in capsys.readouterr().out


def test_a_changed_instance_in_the_run_folder_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    assert main(["solve", "tiny", "--out", str(folder)]) == 0
    policy = folder / "instance" / "policy.toml"
    policy.write_text(policy.read_text(encoding="utf-8").replace("year = 2025", "year = 2026"), encoding="utf-8")
    capsys.readouterr()
    assert main(["check", str(folder)]) == 5
    assert "its hash differs" in capsys.readouterr().out


def test_an_infeasible_run_is_checked_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "run")
    assert main(["solve", "eu-2019", "--out", folder]) == 3
    capsys.readouterr()
    assert main(["check", folder]) == 0
    assert "Infeasible by at least 1,014,305 t: recomputed." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "failure", "advice"),
    [
        (
            ["solve", "nowhere"],
            "There is no folder 'nowhere'",
            "Name a folder, or one of cn-2025, cn-2025-2035, cn-2025-reports, cn-national-2025, "
            "cn-national-2025-2060, cn-outlook, eu-2019, tiny.",
        ),
        (["solve", "tiny", "--model", "alocation"], "There is no model 'alocation'", "The models are abatement"),
        (["solve", "tiny", "--model", "nowhere.py"], "There is no model file 'nowhere.py'", "Give the path"),
        (["solve", "tiny", "--set", "year"], "--set 'year' is not KEY=VALUE", "For example"),
        (["solve", "tiny", "--set", "sectors.cement.bnd=0.1"], "sectors.cement.bnd", "Use one of target_change"),
        (["solve", "tiny", "--solver-option", "presolv=on"], "HiGHS has no option 'presolv'", "highs.dev"),
        (["solve", "tiny", "--solver-option", "presolve=3"], "HiGHS is 3: expected a str", "Give a value"),
        (["curve", "tiny", "--time-limit", "-3"], "The time limit is -3.0 s: expected more than 0 s", "--time-limit"),
        (["solve", "tiny", "--time-limit", "0"], "The time limit is 0.0 s: expected more than 0 s", "--time-limit"),
        (["solve", "tiny", "--gap", "2"], "The gap is 2.0: expected a fraction", "--gap"),
        (["solve", "tiny", "--seed", "-1"], "The seed is -1: expected a whole number", "--seed"),
        (["solve", "tiny", "--method", "magic"], "There is no method 'magic'", "'pyomo': Pyomo builds every row"),
        (["check", "nowhere"], "There is no run in 'nowhere'", "result.json"),
        (["generate", "--units", "2", "--out", "x"], "`units` is 2: expected at least 3, one per sector.", "Increase"),
        (
            ["solve", "tiny", "--model", "allocation_elastic"],
            "The model allocation_elastic is not solved by itself",
            "Solve allocation, which calls it by itself.",
        ),
        (["solve", "tiny", "--solver-option", "log_to_console=true"], "log_to_console of HiGHS cannot", "Leave it out"),
        (["solve", "tiny", "--mps", "program.txt"], "'program.txt' does not end in .mps", "Name one that does"),
        (
            ["solve", "tiny", "--set", "provinces.balance.Hebei=0.02"],
            "the one value 0.01: expected a table with",
            "to a table of all values",
        ),
        (["validate", "eu-2019", "--set", "rule.name=benchmark"], "rule.benchmarks", "benchmarks"),
        (["solve", "tiny", "--set", "sectors.cement.band=3 percent"], "is '3 percent': expected", "0.03 is 3 %"),
        (
            ["solve", "tiny", "--set", "allocation.intensity_order=yes"],
            "is 'yes': expected",
            "Write true or false",
        ),
        (["solve", "tiny", "--set", "provinces=Hebei"], "is 'Hebei': expected a table", "Write a table"),
    ],
)
def test_a_wrong_call_is_explained_with_exit_code_two(
    arguments: list[str], failure: str, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    before, _, after = captured.err.partition("\n\n")
    assert failure in before + after
    assert advice in after
    assert "Traceback" not in captured.err


def test_an_error_is_machine_readable_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, content = run_json(capsys, "solve", "tiny", "--set", "sectors.cement.band=700")
    assert code == 2
    assert content["problems"][0]["column"] == "sectors.cement.band"


def test_validate_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "eu-2019"]) == 0
    assert capsys.readouterr().out == "eu-2019 is valid: 435 units in aluminium, cement, steel.\n"


@pytest.mark.parametrize("name", ["models", "rules", "instances"])
def test_listings_name_everything(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected = {
        "models": {
            "abatement",
            "allocation",
            "allocation_elastic",
            "balance_value",
            "clearing",
            "equilibrium",
            "outlook",
            "pathway",
            "compliance",
            "reconciliation",
            "review_plan",
            "investment",
        },
        "rules": {"cn", "cn-2024", "cn-2025", "cn-2026", "grandfathering", "benchmark", "given"},
        "instances": {
            *("cn-2025", "cn-2025-2035", "cn-2025-reports", "cn-national-2025", "cn-national-2025-2060"),
            *("cn-outlook", "eu-2019", "tiny"),
        },
    }[name]
    code, content = run_json(capsys, name)
    assert code == 0
    assert set(content) == expected
    assert main([name]) == 0
    out = capsys.readouterr().out
    assert all(item in out for item in expected)


@pytest.mark.parametrize("name", ["cn-2024", "cn-2025", "cn-2026"])
def test_the_parameters_of_a_year_are_printed_with_unit_source_and_mark(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["rules", name]) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    code, content = run_json(capsys, "rules", name)
    assert (code, content["rule"], content["year"]) == (0, name, int(name[-4:]))
    assert content["due"] == f"{content['year'] + 1}-12-31"
    for row in content["parameters"]:
        assert row["key"] in out
        assert row["confidence"] in content["confidence"]
        assert row["source"].startswith(("MEE", "Interim", "Ecological"))


def test_the_parameters_of_2025_are_those_of_the_year(capsys: pytest.CaptureFixture[str]) -> None:
    _, content = run_json(capsys, "rules", "cn-2025")
    shown = {(row["key"], *row["sectors"]): (row["shown"], row["confidence"]) for row in content["parameters"]}
    industry = ("aluminium", "cement", "steel")
    assert shown[("rule.pre_allocation_share", *industry)] == ("0.70", "C")
    assert shown[("rule.carbide_slag_limit", "cement")] == ("0.15", "C")
    assert shown[("rule.carry_over_base_t", *industry)] == ("100,000", "C")
    assert shown[("rule.carry_over_base_t", "power")] == ("10,000", "A")


def test_a_rule_of_no_plan_is_listed_alone_and_an_unknown_one_refused(capsys: pytest.CaptureFixture[str]) -> None:
    _, content = run_json(capsys, "rules", "given")
    assert set(content) == {"given"}
    assert main(["rules", "cn2025"]) == 2
    assert capsys.readouterr().err.startswith("There is no rule 'cn2025'.\n\nDid you mean 'cn-2025'?")


def test_parameters_of_the_users_own_stand_beside_the_official_ones(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    own = ["--set", "rule.pre_allocation_share=0.5", "--set", "rule.slope=0.2", "--set", "rule.cap=0.03"]
    assert main(["solve", "tiny", *own, "--out", str(tmp_path / "run")]) == 0
    out = capsys.readouterr().out
    assert "rule.pre_allocation_share: official 0.70 (2025, cement), here 0.5 (user)" in out
    assert "rule.slope: official 0.15 (2025, cement), here 0.2 (user)" in out
    # What is stated as the text has it is no parameter of the user's own.
    assert "cap" not in out.partition("Sectors")[0]
    result = tmp_path / "run" / "result.json"
    content = json.loads(result.read_text(encoding="utf-8"))
    assert [entry["key"] for entry in content["own_parameters"]] == ["rule.slope", "rule.pre_allocation_share"]
    assert main(["check", str(tmp_path / "run")]) == 0
    content["own_parameters"] = []
    result.write_text(json.dumps(content), encoding="utf-8")
    assert main(["check", str(tmp_path / "run")]) == 5
    assert "own_parameters" in capsys.readouterr().out


def test_own_parameters_by_year_are_printed_as_the_policy_states_them() -> None:
    entry = {"key": "rule.benchmark_change", "official": "no plan", "unit": "rate", "source": "an assumption"}
    of = OwnParameter(sectors=["power"], years=[2027, 2028], here={"2027": -0.012, "2031": -0.005}, **entry)
    entries = [of, of.model_copy(update={"here": []})]
    printed = "\n".join(own_parameters(entries))
    assert "here -0.012 from 2027, -0.005 from 2031 (user)" in printed
    assert "here none (user)" in printed


def test_the_listing_says_which_model_is_not_solved_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    _, content = run_json(capsys, "models")
    apart = {name for name, line in content.items() if line.endswith("Not solved by itself: allocation calls it.")}
    assert apart == {"allocation_elastic"}
    assert main(["solve", "tiny", "--model", "nothing"]) == 2
    assert (
        "The models are abatement, allocation, balance_value, clearing, compliance, equilibrium, investment, "
        "outlook, pathway, reconciliation, review_plan;" in capsys.readouterr().err
    )


@pytest.mark.parametrize("command", [["solve", "tiny"], ["generate", "--units", "5"]])
def test_an_output_that_cannot_be_written_is_explained(
    tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "taken"
    path.write_text("A file.", encoding="utf-8")
    assert main([*command, "--out", str(path)]) == 2
    captured = capsys.readouterr()
    failure, _, advice = captured.err.partition("\n\n")
    assert "taken" in failure
    assert "could not be read or written: " in failure
    assert advice == "Choose a path that exists or can be created, and that you may read and write.\n"
    assert captured.out == ""


def test_a_program_for_a_folder_that_is_missing_is_explained_in_json_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, content = run_json(capsys, "solve", "tiny", "--mps", str(tmp_path / "nowhere" / "program.mps"))
    assert code == 2
    assert "program.mps' could not be read or written: No such file or directory." in content["error"]


def test_an_error_of_the_system_without_a_file_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("etsopt.running.reading.read", broken)
    assert main(["solve", "tiny"]) == 2
    assert capsys.readouterr().err.startswith("A file could not be read or written: Input/output error.\n\n")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("_core.so: failed to map segment from shared object"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_too_little_memory_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    def short(*arguments: object) -> None:
        # Whoever called for the memory may have made another error of it.
        raise RuntimeError("The reading failed.") from error

    monkeypatch.setattr("etsopt.running.reading.read", short)
    assert main(["solve", "tiny"]) == 4
    assert capsys.readouterr().err.startswith("There is not enough memory.\n\n")


def test_an_error_of_python_itself_stays_one_unless_memory_is_short(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object) -> None:
        raise SystemError("error return without exception set")

    monkeypatch.setattr("etsopt.running.reading.read", broken)
    with pytest.raises(SystemError):
        main(["solve", "tiny"])
    # Nothing has so much.
    monkeypatch.setattr("etsopt.cli.exit_codes.LEAST_MEMORY", 1 << 60)
    assert main(["solve", "tiny"]) == 4
    assert "not enough memory" in capsys.readouterr().err


def test_a_program_is_loaded_only_where_memory_is_left_for_the_solver(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Nothing has so much.
    monkeypatch.setattr("etsopt.modelling.solving.loading.LEAST_MEMORY", 1 << 60)
    assert main(["solve", "tiny"]) == 4
    assert capsys.readouterr().err.startswith("There is not enough memory.\n\n")


def test_a_native_module_that_is_interrupted_while_it_is_imported_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*arguments: object) -> None:
        raise ImportError("initialization failed") from KeyboardInterrupt()

    monkeypatch.setattr("etsopt.running.reading.read", interrupted)
    assert main(["solve", "tiny"]) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


@pytest.mark.skipif(os.name == "nt", reason="a signal that a process sends itself")
@pytest.mark.parametrize("ignored", [False, True])
def test_ctrl_c_before_the_command_is_there_ends_in_silence_unless_it_is_ignored(ignored: bool) -> None:
    code = """
import os, signal, sys
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "etsopt.cli.parsing":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
if sys.argv.pop() == "True":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
from etsopt.__main__ import main
sys.exit(main())
"""
    command = [sys.executable, "-c", code, "--version", str(ignored)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0 if ignored else -signal.SIGINT, "")


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError("no space")])
def test_a_file_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], error: OSError
) -> None:
    def full(*arguments: object) -> None:
        raise error

    monkeypatch.setattr("etsopt.data.files.write._write_fast", full)
    assert main(["solve", "tiny", "--out", str(tmp_path / "run")]) == 2
    failure, _, advice = capsys.readouterr().err.partition("\n\n")
    path = tmp_path / "run" / "tables" / "allocation.csv"
    assert failure == f"{str(path)!r} could not be read or written: {error.strerror or 'no space'}."
    room = "Free disk space or choose another path; existing files are unchanged.\n"
    usable = "Choose a path that exists or can be created, and that you may read and write.\n"
    assert advice == (room if error.errno else usable)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
@pytest.mark.parametrize("command", ["models", "--help"])
def test_a_full_disk_behind_the_standard_output_is_told_or_ends_in_silence(command: str) -> None:
    call = f"'{sys.executable}' -m etsopt {command} > /dev/full"
    told = subprocess.run(call, shell=True, capture_output=True, text=True, check=False)
    what = "The standard output could not be written: No space left on device.\n\n"
    assert (told.returncode, told.stderr[: len(what)]) == (2, what)
    assert "Traceback" not in told.stderr
    assert "Exception ignored" not in told.stderr
    silent = subprocess.run(f"{call} 2> /dev/full", shell=True, capture_output=True, check=False)
    assert (silent.returncode, silent.stdout, silent.stderr) == (2, b"", b"")


@pytest.mark.skipif(os.name == "nt", reason="a pipe of a shell")
@pytest.mark.parametrize("command", ["models", "rules --json"])
def test_a_reader_that_has_gone_is_no_failure(command: str) -> None:
    call = f"('{sys.executable}' -m etsopt {command}; echo exit $? >&2) | true"
    done = subprocess.run(call, shell=True, capture_output=True, text=True, check=False)
    assert done.stderr == "exit 0\n"


def test_a_folder_that_may_not_be_written_to_is_refused_before_the_solve(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("etsopt.running.run.solve", None)
    (tmp_path / "result.json").write_text('{"mine": true}', encoding="utf-8")
    assert main(["solve", "tiny", "--out", str(tmp_path)]) == 2
    assert "holds result.json, which no run wrote." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "remark"),
    [
        (
            ["--set", "rule.threshold_tco2e=1e6"],
            "The target of cement has no effect: each of its units gets A = E",
        ),
        (["--set", "sectors.cement.band=3"], "sectors.cement.band.upper is 3, which is 300 %: 0.03 means 3 %."),
        (
            ["--model", "abatement", "--set", "market={prices_cny_per_t=80, terminal_price_cny_per_t=90}"],
            "An allowance banked to the end is worth 90 CNY/t (market.terminal_price_cny_per_t) and costs 80",
        ),
    ],
)
def test_what_may_be_meant_otherwise_is_remarked(
    arguments: list[str], remark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["solve", "tiny"])
    assert remark not in " ".join(capsys.readouterr().out.split())
    assert main(["solve", "tiny", *arguments]) == 0
    assert remark in " ".join(capsys.readouterr().out.split())


@pytest.mark.nightly
def test_doubtful_values_are_told_before_a_solve(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", "tiny", "--set", "sectors.cement.band=3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["doubts"] == [
        f"sectors.cement.band.{side} is 3, which is 300 %: 0.03 means 3 %." for side in ("lower", "upper")
    ]
    assert main(["validate", "tiny", "--set", "market.prices_cny_per_t={2025=80, 2030=80000}"]) == 0
    said = "Warning: market.prices_cny_per_t.2030 is 80000: prices are in CNY per tonne.\n"
    assert capsys.readouterr().err == said
    assert main(["validate", "tiny"]) == 0
    assert capsys.readouterr().err == ""


def test_values_of_arguments_may_be_in_percent_and_keys_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    hashes = []
    for changes in (["sectors.cement.target_change=-0.002", "year=2025"], ["行业.水泥.目标变化=-0.2%", "年度=2025"]):
        assert main(["validate", "tiny", "--json", *(part for text in changes for part in ("--set", text))]) == 0
        hashes.append(json.loads(capsys.readouterr().out)["hash"])
    assert hashes[0] == hashes[1]


def test_names_that_are_imported_late_are_listed_and_results_introduce_themselves() -> None:
    assert set(etsopt.__all__) <= set(dir(etsopt))
    found = etsopt.solve(etsopt.read("tiny"))
    assert repr(found) == f"<Results of allocation on tiny: certified_optimal, {len(found.tables)} tables>"


def test_a_model_without_a_solution_says_so_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(USER_MODEL.replace(">= 0.9", ">= 1.1"), encoding="utf-8")
    assert main(["solve", "tiny", "--model", str(path)]) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert "tiny · mine.py · compliance year 2025: program of the model file infeasible, proven" in out
    assert "Without any one of these rows the others have a solution" in out


@pytest.mark.skipif(os.name == "nt", reason="the standard output is closed by a shell")
def test_a_closed_or_plain_ascii_standard_output_stops_nothing() -> None:
    command = f"'{sys.executable}' -m etsopt solve tiny"
    closed = subprocess.run(f"{command} >&-", shell=True, capture_output=True, text=True, check=False)
    assert (closed.returncode, closed.stderr) == (0, "")
    plain = {**os.environ, "PYTHONIOENCODING": "ascii"}
    rules = subprocess.run([sys.executable, "-m", "etsopt", "rules"], capture_output=True, env=plain, check=False)
    assert (rules.returncode, rules.stderr) == (0, b"")
    assert b"?cap" in rules.stdout


def test_the_rule_itself_is_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    code, content = run_json(capsys, "solve", "cn-2025", "--model", "balance_value")
    assert code == 0
    assert content["status"] == "calculated"


def test_a_model_of_the_users_own_runs_by_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my_model.py"
    path.write_text(USER_MODEL, encoding="utf-8")
    code, content = run_json(capsys, "solve", "tiny", "--model", str(path), "--out", str(tmp_path / "run"))
    assert code == 0
    assert content["model"] == "my_model.py"
    assert content["status"] == "certified_program"
    assert content["levels"][0]["value"] == pytest.approx(0.9 * 560_000)
    assert main(["solve", "tiny", "--model", str(path)]) == 0
    assert "My" not in capsys.readouterr().out


@pytest.mark.parametrize("name", TABLES_SHOWN)
def test_tables_of_the_users_own_model_are_listed_whatever_their_names(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "my_model.py"
    path.write_text(USER_MODEL.replace('"plan"', f'"{name}"'), encoding="utf-8")
    assert main(["solve", "tiny", "--model", str(path)]) == 0
    assert f"Tables: {name} (3 rows).\n" in capsys.readouterr().out


def test_a_variable_without_bounds_is_named_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "unbounded.py"
    path.write_text(USER_MODEL.replace(", bounds=lambda m, i: (0, m.emissions[i])", ""), encoding="utf-8")
    assert main(["solve", "tiny", "--model", str(path)]) == 2
    assert "The variable allowance[0] has bounds -inf and inf" in (told := capsys.readouterr().err)
    assert "Give it `bounds` in the model" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [("x = 1\n", "has no declaration `MODEL`"), ("1 / 0\n", "could not be loaded: ZeroDivisionError")],
)
def test_a_broken_model_file_is_explained(
    tmp_path: Path, text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text, encoding="utf-8")
    assert main(["solve", "tiny", "--model", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_the_program_is_written_as_mps_with_its_names(tmp_path: Path) -> None:
    path = tmp_path / "program.mps"
    assert main(["solve", "tiny", "--mps", str(path), "--json"]) == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith("NAME")
    assert " sector_target_0" in text
    assert " allowance_2" in text
    # A program may name the file as any other one, by text.
    etsopt.solve(etsopt.read("tiny"), mps=str(tmp_path / "other.mps"))
    assert (tmp_path / "other.mps").read_text(encoding="utf-8") == text


def test_no_command_prints_help_and_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    out = capsys.readouterr().out
    assert "solve" in out
    assert "exit codes" in out


def test_help_imports_nothing_heavy() -> None:
    heavy = "[m for m in ('pandas', 'numpy', 'pyomo', 'highspy') if m in sys.modules]"
    code = f"import sys, etsopt.cli; etsopt.cli.parser_of(); print({heavy})"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_time_limit_keeps_the_incumbent_and_exits_with_four(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "hard.py"
    path.write_text(HARD_MODEL, encoding="utf-8")
    code, content = run_json(capsys, "solve", "tiny", "--model", str(path), "--time-limit", "1")
    assert code == 4
    assert content["termination"] == "time_limit"
    assert content["status"] == "feasible"
    level = content["levels"][0]
    # Bounds are those that are proven, less their rounding.
    assert -1e-9 <= level["bound"] <= level["value"]


@pytest.mark.skipif(os.name == "nt", reason="a signal is sent to a child process")
@pytest.mark.everyday("130")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_solver_and_what_it_holds_is_written(tmp_path: Path, number: int, code: int) -> None:
    path, run = tmp_path / "hard.py", tmp_path / "run"
    path.write_text(HARD_MODEL, encoding="utf-8")
    begun = tmp_path / "begun.mps"
    command = [sys.executable, "-m", "etsopt", "solve", "tiny", "--model", str(path), "--mps", str(begun), "--json"]
    command += ["--out", str(run)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    # The program is written just before it is solved; a second later there is an incumbent.
    for _ in range(600):
        if begun.is_file():
            break
        time.sleep(0.1)
    time.sleep(2)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    content = json.loads(out)
    assert content["termination"] == "interrupted"
    assert content["status"] == "feasible"
    assert err == ""
    assert etsopt.load(run).status == "feasible"


def test_a_refused_answer_is_never_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = Projection.answer
    monkeypatch.setattr(Projection, "answer", lambda self, prices: 2 * right(self, prices))
    run = tmp_path / "run"
    assert main(["solve", "tiny", "--out", str(run)]) == 5
    out = capsys.readouterr().out
    assert "tiny · allocation · compliance year 2025: refused by the checker, no result" in out
    assert "The checker refuses the result" in out
    assert "By sector" not in out
    assert main(["check", str(run)]) == 5
    capsys.readouterr()
    code, content = run_json(capsys, "solve", "tiny")
    assert (code, content["status"], content["certified"]) == (5, "refused", False)


def test_a_refused_answer_leaves_the_run_that_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main(["solve", "tiny", "--out", str(run)]) == 0
    before = (run / "result.json").read_bytes()
    right = Projection.answer
    monkeypatch.setattr(Projection, "answer", lambda self, prices: 2 * right(self, prices))
    capsys.readouterr()
    assert main(["solve", "tiny", "--out", str(run)]) == 5
    assert "The result was refused and a run exists there: nothing is written" in " ".join(
        capsys.readouterr().out.split()
    )
    assert (run / "result.json").read_bytes() == before


def test_an_answer_within_a_larger_gap_says_how_large_and_what_closes_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # The largest multiplier is proven no more than nearly, as where the solver stops at a gap.
    right = highs._outcome

    def loose(*arguments: Any) -> Any:
        found = right(*arguments)
        multipliers = None if found.multipliers is None else found.multipliers * 0.99
        return replace(found, multipliers=multipliers)

    monkeypatch.setattr(highs, "_outcome", loose)
    run = tmp_path / "run"
    assert main(["solve", "tiny", "--set", "sectors.cement.target_change=-0.01", "--out", str(run)]) == 4
    out = capsys.readouterr().out
    assert "tiny · allocation · compliance year 2025: feasible, optimality not proven" in out
    assert re.search(r"Every limit holds\. Not certified: change \(gap [0-9.]+ %\)", out)
    assert "The requested gap is" in out
    # What it claims holds, so the check is content.
    assert main(["check", str(run)]) == 0


def test_a_gap_below_the_requested_one_is_told_with_what_real_allowances_need() -> None:
    found = etsopt.solve(etsopt.read("tiny"))
    for share, said in ((1e-3, "The requested gap is 0.0001 %"), (1e-7, "Real allowances need a gap of 1e-06 %")):
        last = replace(found.levels[-1], gap=share * found.levels[-1].value, certified=False)
        told = open_gaps(Run(replace(found, levels=(*found.levels[:-1], last))))
        assert told.splitlines()[1].startswith(said)
        assert ("--gap 1.0e-03" in told) is (share == 1e-3)


def test_a_gap_of_whole_plans_is_told_as_a_share_of_spending_and_of_the_cost() -> None:
    found = etsopt.solve(etsopt.read("tiny"))
    level = replace(found.levels[-1], name="cost", value=-50.0, gap=2.0, certified=False, spending=400.0, unit="CNY")
    said = {
        "(gap 0.5 % of spending, 4 % of the cost that is minimised)": level,
        "(gap 0.5 % of spending, and the cost that is minimised is zero)": replace(level, value=0.0),
        "(gap 4 %)": replace(level, spending=0.0),
        "(no bound)": replace(level, gap=float("inf")),
    }
    for words, last in said.items():
        told = open_gaps(Run(replace(found, levels=(*found.levels[:-1], last))))
        assert f"Not certified: cost {words}." in told
    # What `--gap` accepts is a share of the larger, as the checker asks for it.
    assert "--gap 5.0e-03" in open_gaps(Run(replace(found, levels=(*found.levels[:-1], level))))


def test_a_time_limit_that_nothing_meets_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "tiny", "--time-limit", "1e-9"]) == 4
    assert "tiny · allocation · compliance year 2025: no result, stopped by the time limit" in capsys.readouterr().out
    code, content = run_json(capsys, "solve", "tiny", "--time-limit", "1e-9")
    assert (code, content["termination"], content["status"]) == (4, "time_limit", "none")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no such timer")
def test_a_time_limit_that_reading_does_not_meet_ends_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def endless(*arguments: object) -> etsopt.Instance:
        while True:
            pass

    monkeypatch.setattr(reading, "read", endless)
    code, content = run_json(capsys, "solve", "tiny", "--time-limit", "0.1")
    assert (code, content["termination"], content["status"]) == (4, "time_limit", "none")
    assert content["error"] == "The time limit has passed before a solution was found."


def test_a_stop_before_anything_is_held_leaves_the_run_before_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert main(["solve", "tiny", "--out", str(run)]) == 0
    before = (run / "result.json").read_bytes()
    capsys.readouterr()
    assert main(["solve", "tiny", "--time-limit", "1e-9", "--out", str(run)]) == 4
    assert f"There is no result: nothing is written to {run}." in " ".join(capsys.readouterr().out.split())
    assert (run / "result.json").read_bytes() == before
    assert main(["solve", "tiny", "--time-limit", "1e-9", "--out", str(tmp_path / "new")]) == 4
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("lang", "table", "words", "following"),
    [
        (
            "en",
            "By sector",
            "a target leaves them out, the emissions and allowances beside it do not.",
            "Shadow prices",
        ),
        ("zh", "分行业", "目标不含这些单元，同一行的排放量和配额则包含。", "影子价格"),
    ],
)
def test_the_table_of_sectors_says_what_a_target_leaves_out(
    capsys: pytest.CaptureFixture[str], lang: str, table: str, words: str, following: str
) -> None:
    assert main(["solve", "tiny", "--set", "rule.threshold_tco2e=200000", "--lang", lang]) == 0
    printed = ("" if lang == "zh" else " ").join(capsys.readouterr().out.split())
    assert printed.index(table) < printed.index(words) < printed.index(following)


UNITS_ALONE = "unit_id,enterprise_id,sector,province,emissions_tco2e,output_t\n" + "".join(
    f"c{k},c{k},cement,Hebei,{500_000 + k},{600_000 + 5_000 * k}\n" for k in range(3)
)
STATED = 'instance = "plants.csv"\nmodel = "allocation"\n'


@pytest.mark.parametrize(
    ("policy", "assumed"),
    [
        ('[policy]\nyear = 2025\nrule.name = "cn-2025"\n', ""),
        ("[policy]\nyear = 2025\n", "the rule cn"),
        ("", "the year 2026 and the rule cn"),
    ],
)
@pytest.mark.parametrize("command", ["sweep", "design"])
def test_what_the_file_of_a_sweep_or_a_search_states_is_not_assumed(
    command: str, policy: str, assumed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "plants.csv").write_text(UNITS_ALONE, "utf-8")
    varied = "[grid]\nsectors.cement.target_change = [-0.001, -0.002]\n"
    if command == "design":
        varied = "[choose]\nsectors.cement.band = { lower = 0.01, upper = 0.05 }\n"
        varied += '[goals.moved]\ntable = "levels"\nid = "change"\nquantity = "value"\n'
    searched = "generations = 1\npopulation = 4\n" if command == "design" else ""
    (tmp_path / "asked.toml").write_text(STATED + searched + policy + varied, "utf-8")
    assert main([command, str(tmp_path / "asked.toml"), "--out", str(tmp_path / "out"), "--workers", "1"]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert (f"does not state {assumed}, which" in said) if assumed else "does not state" not in said


def test_the_listing_of_a_year_without_a_plan_names_the_last_plan(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["rules", "cn", "--year", "2031"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "No plan is enacted for 2031: figures of plans are those of 2026." in shown
    assert "rule.slope 0.15 rate industry 2026 A [1] page 10" in shown
    assert "was not compared; draft." in shown
    assert main(["rules", "cn", "--year", "2026"]) == 0
    assert "No plan" not in capsys.readouterr().out
    _, content = run_json(capsys, "rules", "cn", "--year", "2025")
    rows = {(row["key"], row["sectors"][0]): row for row in content["parameters"]}
    assert rows["rule.slope", "aluminium"]["status"] == "final"
    assert (rows["rule.gas_topped_up", "power"]["status"], rows["penalty.multiple", "aluminium"]["page"]) == (
        "draft",
        "article 24",
    )


def test_a_key_without_a_value_is_removed() -> None:
    changes = options.pairs(["pathway.cap_from=", "pathway.cap_t.2027=1e6"])
    assert changes == {"pathway.cap_from": None, "pathway.cap_t.2027": 1e6}
    stated = etsopt.read("tiny").with_policy({"pathway.cap_from": 2027})
    assert stated.with_policy(changes).policy.pathway.cap_from is None
