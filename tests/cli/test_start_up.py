"""What a command loads: no command waits for what it does not need, and nothing of the working folder is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

HEAVY = ("numpy", "pandas", "scipy", "pyomo", "highspy", "pyarrow", "etsopt_models")

LOADED = """
import contextlib, io, json, sys
from etsopt.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded(*arguments: str) -> set[str]:
    """Packages that are loaded when a command has run."""
    found = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(found.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], []),
        (["--version"], []),
        (["solve", "--help"], []),
        ([], []),
        (["instances"], ["rich"]),
        (["instances", "--json"], ["rich"]),
        (["models"], ["rich", "ast"]),
        (["models", "--json"], ["ast"]),
        (["rules"], ["rich", "pydantic"]),
        (["rules", "--json"], ["pydantic"]),
    ],
    ids=lambda value: " ".join(sorted(value) if isinstance(value, set) else value),
)
def test_listing_names_loads_nothing_heavy(arguments: list[str], needed: list[str]) -> None:
    packages = loaded(*arguments)
    assert packages.issuperset(needed)
    assert packages.isdisjoint(HEAVY)
    if "rules" not in arguments:
        assert "pydantic" not in packages


def test_what_a_solve_needs_is_loaded() -> None:
    assert {"numpy", "pandas", "pyomo", "highspy", "etsopt_models"} <= loaded("solve", "tiny")


@pytest.fixture
def hostile_folder(tmp_path: Path) -> Path:
    """A working folder with files named as what is installed, each of which would leave a trace and stop."""
    names = {"pandas", "numpy", "highspy", "rich", "pydantic", "pydantic_core", "pyomo", "scipy"}
    names |= {"typing_extensions", "annotated_types", "pyarrow", "dateutil", "six", "etsopt_models"}
    # Names of the standard library that people give to files of their own.
    names |= {"argparse", "json", "random", "secrets", "statistics", "calendar", "queue", "csv", "tomllib", "platform"}
    for name in names:
        text = f"open('hijacked', 'a').write('{name} ')\nraise SystemExit(7)\n"
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.everyday("rules", "models", "--version")
@pytest.mark.parametrize("safe", ["", "1"])
@pytest.mark.parametrize("command", [["-m", "etsopt"], ["script"]])
@pytest.mark.parametrize("arguments", [["solve", "tiny"], ["rules"], ["models"], ["--version"]], ids=" ".join)
def test_files_of_the_working_folder_are_not_run(
    hostile_folder: Path, command: list[str], arguments: list[str], safe: str
) -> None:
    script = Path(sys.executable).parent / ("etsopt.exe" if os.name == "nt" else "etsopt")
    if command == ["script"] and not script.exists():
        pytest.skip("the package is not installed")
    start = [str(script)] if command == ["script"] else [sys.executable, *command]
    found = subprocess.run(
        [*start, *arguments],
        cwd=hostile_folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONSAFEPATH": safe},
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert not (hostile_folder / "hijacked").exists()


def test_a_model_file_of_the_working_folder_is_found_by_its_path(hostile_folder: Path) -> None:
    text = '"""Nothing (calculated)."""\nfrom etsopt.modelling import CalculationModel\n'
    text += "MODEL = CalculationModel(calculate=lambda instance: {})\n"
    (hostile_folder / "mine.py").write_text(text, encoding="utf-8")
    found = subprocess.run(
        [sys.executable, "-m", "etsopt", "solve", "tiny", "--model", "mine.py", "--json"],
        cwd=hostile_folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(found.stdout)["model"] == "mine.py"
    assert not (hostile_folder / "hijacked").exists()


def test_a_checkout_runs_without_being_installed(tmp_path: Path) -> None:
    # Without site no path file is read: packages come from the environment, and etsopt from the working folder alone.
    packages = [path for path in sys.path if path.endswith("-packages")]
    code = "import etsopt.cli" if packages else ""
    apart = [sys.executable, "-S", "-c", code]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(packages), "PYTHONSAFEPATH": ""}
    if subprocess.run(apart, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode == 0:
        pytest.skip("etsopt is installed as a copy")
    for arguments in (["instances"], ["rules"], ["--version"]):
        command = [sys.executable, "-S", "-m", "etsopt", *arguments]
        found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert (found.returncode, found.stderr) == (0, "")
