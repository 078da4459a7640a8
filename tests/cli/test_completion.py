"""Completion scripts: those of the present command line, and printed as they are."""

from __future__ import annotations

import shutil
import subprocess
from importlib.resources import files

import pytest

from etsopt.cli import main
from etsopt.cli.completions import FILES


def test_the_scripts_are_those_of_the_command_line() -> None:
    pytest.importorskip("shtab")
    from etsopt.cli.completions.build import scripts

    for name, script in scripts().items():
        shipped = (files("etsopt.cli.completions") / name).read_text(encoding="utf-8")
        assert shipped == script, f"{name} is stale; `make docs` writes it anew"


@pytest.mark.parametrize("shell", FILES)
def test_a_script_is_printed_and_names_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(word in script for word in ("explain", "apply-remedy", "convert"))


def test_bash_completes_a_command_and_an_option() -> None:
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    script = files("etsopt.cli.completions") / FILES["bash"]
    lines = [f"source '{script}'", "COMP_WORDS=(etsopt expl); COMP_CWORD=1; COMP_LINE='etsopt expl'; COMP_POINT=11"]
    lines += ['"$(complete -p etsopt | sed -E "s/.*-F ([^ ]+).*/\\1/")"', 'echo "${COMPREPLY[@]}"']
    done = subprocess.run(["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == ["explain", "explore"]
