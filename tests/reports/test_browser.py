"""Pages in a browser: every chart is drawn, and the console tells no error, in both languages."""

import subprocess
from pathlib import Path

import pytest

import etsopt
from docs.tools.pictures import BROWSER, CHROMIUM

RUNS = sorted((Path(__file__).parents[1] / "golden_reports").glob("*/run"))

pytestmark = [pytest.mark.nightly, pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")]


def shown(page: Path, profile: Path) -> tuple[str, list[str]]:
    """Return the page as the browser holds it once it is drawn, and what its console told."""
    command = [str(BROWSER), *CHROMIUM, f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run([*command, page.resolve().as_uri()], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.parent.name)
def test_every_chart_of_a_report_is_drawn_without_an_error(run: Path, lang: str, tmp_path: Path) -> None:
    page, *_ = etsopt.load(run).report(tmp_path / "report.html", lang)
    html, console = shown(page, tmp_path / "profile")
    assert console == []
    charts = page.read_text(encoding="utf-8").count("data-plot=")
    assert charts > 0
    assert html.count('class="main-svg"') >= charts


def test_an_error_of_a_page_is_seen(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<script>nothing.there()</script>", encoding="utf-8")
    assert "nothing is not defined" in shown(tmp_path / "page.html", tmp_path / "profile")[1][0]
