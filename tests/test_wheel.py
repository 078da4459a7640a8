"""What users install: a wheel, made from the sdist, in an environment of its own and far from the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.nightly


def run(*command: str | Path, folder: Path) -> str:
    """What a command prints, run in a folder with nothing of this process's Python in its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))}
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel from the sdist; without isolation, so that nothing is fetched."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-I", "-m", "build", "--no-isolation", "--outdir", folder, ROOT, folder=folder)
    assert len(list(folder.glob("*.tar.gz"))) == 1
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def scripts(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Scripts of an environment that holds the wheel, and sees the dependencies but not the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    run(sys.executable, "-I", "-m", "venv", "--without-pip", folder / "venv", folder=folder)
    found = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(found / "python", "-I", "-c", code, folder=folder).strip())
    pip = (sys.executable, "-I", "-m", "pip", "--python", found / "python", "--disable-pip-version-check")
    run(*pip, "install", "--no-index", "--no-deps", wheel, folder=folder)
    # A path file in a folder named by a path file is not read: an editable install of the checkout stays out of sight.
    beside = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (packages / "dependencies.pth").write_text("\n".join(sorted(beside)) + "\n", encoding="utf-8")
    return found


def test_the_installed_packages_are_those_of_the_wheel(scripts: Path, tmp_path: Path) -> None:
    code = (
        "import etsopt, etsopt_models; from etsopt.data.files import shipped; "
        "print(etsopt.__file__, etsopt_models.__file__, shipped.root(), sep='\\n')"
    )
    for place in run(scripts / "python", "-I", "-c", code, folder=tmp_path).splitlines():
        assert scripts.parent.resolve() in Path(place).resolve().parents


def test_the_installed_command_solves_a_shipped_instance(scripts: Path, tmp_path: Path) -> None:
    answer = json.loads(run(scripts / "etsopt", "solve", "tiny", "--json", folder=tmp_path))
    assert answer["status"] == "certified_optimal"
    assert answer["levels"][0]["value"] == pytest.approx(9200)


def test_every_instance_and_model_is_installed(scripts: Path, tmp_path: Path) -> None:
    here = {path.parent.name for path in (ROOT / "instances").glob("*/policy.toml")}
    assert set(json.loads(run(scripts / "etsopt", "instances", "--json", folder=tmp_path))) == here
    here = {path.stem for path in (ROOT / "models" / "etsopt_models").glob("[a-z]*.py")}
    assert set(json.loads(run(scripts / "etsopt", "models", "--json", folder=tmp_path))) == here
