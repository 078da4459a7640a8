"""The workflows of continuous integration and release: what they call is there, and releases run pinned actions."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = ROOT / ".github" / "workflows"
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def text(name: str) -> str:
    """Content of a workflow."""
    if not WORKFLOWS.exists():
        pytest.skip("not a checkout")
    return (WORKFLOWS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_a_workflow_calls_targets_that_exist_and_reads_by_default(name: str) -> None:
    called = re.findall(r"run: make ([a-z-]+)", text(name))
    assert called
    assert set(called) <= set(TARGETS)
    assert re.search(r"^permissions:\n  contents: read$", text(name), re.MULTILINE)


def test_a_release_runs_actions_by_their_hashes() -> None:
    actions = re.findall(r"uses: (.*)", text("release.yml"))
    assert len(actions) == 6
    assert [action for action in actions if not re.fullmatch(r"\S+@[0-9a-f]{40}   # v\d+\.\d+\.\d+", action)] == []


def test_a_release_is_published_from_a_tag_alone_and_without_a_password() -> None:
    publish = text("release.yml").partition("\n  publish:")[2]
    assert "if: startsWith(github.ref, 'refs/tags/')" in publish
    assert "id-token: write" in publish
    assert not re.search(r"secrets\.|password:|TWINE_", text("release.yml"))
    # Only the job that publishes has an identity.
    assert text("release.yml").count("id-token: write") == 1


def test_the_systems_without_make_install_the_wheel_and_solve() -> None:
    wheel = text("ci.yml").partition("\n  wheel:")[2]
    assert "[windows-latest, macos-latest]" in wheel
    assert "etsopt solve tiny" in wheel
    assert "make " not in wheel.replace("without make", "")
