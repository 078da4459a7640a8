"""The installed package under every available Python, in other locales, encodings and time zones."""

from __future__ import annotations

import atexit
import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import etsopt
from benchmarks.reliability.environments import python_named
from benchmarks.reliability.row import Found
from benchmarks.reporting import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

SETTINGS: dict[str, dict[str, str]] = {
    "as it is": {},
    "LANG=C": {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    "GBK": {"LC_ALL": "zh_CN.GBK", "PYTHONIOENCODING": "gbk", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "the other end of the day": {"TZ": "Pacific/Kiritimati"},
    "warnings as errors": {"PYTHONWARNINGS": "error"},
    "with pyarrow": {},
}
COUNT = len(PYTHONS) * len(SETTINGS)

UNITS = """\
unit_id,enterprise_id,name,sector,province,emissions_tco2e,output_t
一号线,海螺水泥,芜湖一号线,cement,安徽,780000,1000000
二号线,海螺水泥,㐂𠮷线,cement,安徽,984000,1200000
"""
POLICY = 'year = 2025\n\n[rule]\nname = "cn-2025"\n'


class Environment:
    """An environment of a Python with the requirements file and the package as users install it."""

    def __init__(self, python: str) -> None:
        self.folder = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.bin = self.folder / "venv" / "bin"
        self.call([python, "-m", "venv", str(self.folder / "venv")])
        self.pip("--requirement", str(ROOT / "requirements.txt"), "--require-hashes")
        self.pip("--no-build-isolation", str(ROOT))
        # Files hold texts that a process with a German or Chinese setting may be unable to print.
        (self.folder / "plant").mkdir()
        (self.folder / "plant" / "units.csv").write_text(UNITS, encoding="utf-8")
        (self.folder / "plant" / "policy.toml").write_text(POLICY, encoding="utf-8")

    def pip(self, *arguments: str) -> None:
        python = str(self.bin / "python")
        self.call([python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", *arguments])

    @functools.cached_property
    def pyarrow(self) -> bool:
        """Install pyarrow by its pin and hashes; it may have no release for a Python yet."""
        entries = re.split(r"\n(?=\S)", (ROOT / "requirements-dev.txt").read_text(encoding="utf-8"))
        (self.folder / "pyarrow.txt").write_text(
            "\n".join(one for one in entries if one.startswith("pyarrow==")) + "\n"
        )
        try:
            self.pip("--require-hashes", "--only-binary", ":all:", "--requirement", str(self.folder / "pyarrow.txt"))
        except RuntimeError:
            return False
        return True

    def call(self, command: list[str], setting: Mapping[str, str] | None = None, code: int = 0) -> str:
        """Return the output of a command in an environment without settings of this Python; raise on another code."""
        known = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_", "LC_"))}
        done = subprocess.run(
            command, cwd=self.folder, env=known | dict(setting or {}), capture_output=True, check=False
        )
        out, errors = done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")
        if done.returncode != code or "Traceback" in errors:
            raise RuntimeError(f"{' '.join(command[:3])} ended with {done.returncode}: {out[-300:]}{errors[-500:]}")
        return out

    def smoke(self, setting: Mapping[str, str], parquet: bool) -> str:
        """Solve, check and compare; return the differences from this process."""
        script, out = str(self.bin / "etsopt"), str(self.folder / "runs")
        shutil.rmtree(out, ignore_errors=True)

        def call(*arguments: str, code: int = 0) -> str:
            return self.call([script, *arguments], setting, code)

        answer = json.loads(call("solve", "tiny", "--json", "--out", f"{out}/one"))
        here = etsopt.solve(etsopt.read("tiny"))
        if [level["value"] for level in answer["levels"]] != [level.value for level in here.levels]:
            return f"levels {answer['levels']}"
        call("check", f"{out}/one")
        call("solve", "tiny", "--set", "sectors.cement.target_change=-0.01", "--out", f"{out}/other")
        call("compare", f"{out}/one", f"{out}/other")
        call("solve", "plant", "--out", f"{out}/plant")
        call("check", f"{out}/plant")
        if json.loads(call("validate", "plant", "--json"))["hash"] != etsopt.read(self.folder / "plant").hash:
            return "another hash"
        call("solve", "plant", "--format", "parquet", "--out", f"{out}/parquet", code=0 if parquet else 2)
        return ""


@functools.cache
def environment(python: str) -> Environment:
    return Environment(python)


def interpreters(numbers: Iterable[int]) -> Found:
    """Install the package once per Python, and use it under each setting."""
    found = Found()
    for number in numbers:
        version, (name, setting) = PYTHONS[number // len(SETTINGS)], [*SETTINGS.items()][number % len(SETTINGS)]
        python = python_named(version)
        if python is None:
            found.saw(f"Python {version} not installed")
            continue
        try:
            one, parquet = environment(python), name == "with pyarrow"
            if parquet and not one.pyarrow:
                found.saw(f"no pyarrow for Python {version}")
                continue
            wrong = one.smoke(setting, parquet)
        except RuntimeError as error:
            wrong = str(error)
        found.saw(f"Python {version} solved, checked, compared")
        if wrong:
            found.failed(number, f"Python {version}, {name}: {wrong}")
    return found
