"""The pictures of the pages: `python -m docs.tools.pictures [--check | --screenshots SITE]`.

Charts are drawn by `etsopt plot`, workbooks by LibreOffice, reports by Chromium. `--check` compares the charts with
those of the pages. With `--screenshots` Chromium takes pictures of the built site, in a folder that git ignores, and
looks at each formula.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from etsopt.cli import main as etsopt

DOCS = Path(__file__).parents[1]
PICTURES = DOCS / "pictures"
TIGHTER = "sectors.cement.target_change=-0.01"

CHARTS = {
    "moved": (["cn-2025", "--set", TIGHTER, "--set", "provinces.balance=0.005"], "moved"),
    "surplus": (["cn-2025", "--set", TIGHTER], "surplus"),
    "start": (["plants.xlsx"], "surplus"),
    "enterprises": (["plants.xlsx", "--set", TIGHTER], "enterprises"),
    "prices": (["cn-2025-2035", "--model", "pathway"], "prices"),
    "outlook": (["cn-outlook", "--model", "outlook"], "outlook"),
}
"""Name of each picture, the solve that it shows, and the kind of chart."""

CURVES = {"curve": ["cn-2025", "--vary", "sectors.cement.target_change=-0.01:0"]}
"""Name of each picture of a curve, and the curve that it shows."""

SWEEPS = {"twenty": ("tutorials/twenty-scenarios.md", "keys-levels-value-change")}
"""Name of each picture of a sweep, the page that has its file, and the kind of chart."""

CROP = ("-x", "150", "-y", "195", "-W", "1290", "-H", "165")
"""Part of the printed sheet that a picture of a workbook shows [dots]."""

REPORTS = {"report": ["cn-2025", "--set", TIGHTER]}
"""Name of each picture of a report, and the solve that it reports; drawn where there is a Chromium."""

VIEWS = {
    "start-wide": ("en/index.html", "1280,900", ()),
    "start-narrow": ("en/start.html", "390,844", ()),
    "start-dark": ("en/index.html", "1280,900", ("--force-dark-mode", "--blink-settings=preferredColorScheme=0")),
    "chinese": ("zh/start.html", "1280,900", ()),
    "model": ("en/models/allocation.html", "1280,1600", ()),
    "model-narrow": ("en/models/allocation.html", "390,1600", ()),
    "comparison": ("en/comparison.html", "1280,1400", ()),
    "comparison-narrow": ("en/comparison.html", "390,1400", ()),
    "data": ("en/reference/data.html", "1280,1400", ()),
}
"""Name of each screenshot, its page, the size of the window, and options of the browser."""

CHROMIUM = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--virtual-time-budget=6000",
)


def draw_charts(target: Path, languages: tuple[str, ...] = ("en", "zh")) -> None:
    """Draw every chart into a folder; Chinese ones have a suffix of their own."""
    page = (DOCS / "en" / "start.md").read_text(encoding="utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "plants.to_excel" in block]
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        exec(compile(code, "start.md", "exec"), {})
        drawn = {name: ("solve", *shown) for name, shown in CHARTS.items()}
        drawn |= {name: ("curve", arguments, "curve") for name, arguments in CURVES.items()}
        for name, (place, kind) in SWEEPS.items():
            (text,) = re.findall(r'text = """\n(.*?)"""', (DOCS / "en" / place).read_text("utf-8"), re.DOTALL)
            Path(f"{name}.toml").write_text(text, encoding="utf-8")
            drawn[name] = ("sweep", [f"{name}.toml", "--workers", "1"], kind)
        for name, (command, arguments, kind) in drawn.items():
            _run(command, *arguments, "--out", name)
            for language in languages:
                suffix = "" if language == "en" else f".{language}"
                _run("plot", name, kind, "--lang", language, "--out", str(target / f"{name}{suffix}.svg"))


def changed_charts() -> list[str]:
    """Return the charts of English pages that are drawn otherwise now; Chinese ones depend on the fonts at hand."""
    with tempfile.TemporaryDirectory() as folder:
        draw_charts(Path(folder), ("en",))
        drawn = {path.name: path.read_bytes() for path in Path(folder).glob("*.svg")}
    return [name for name, content in drawn.items() if (PICTURES / name).read_bytes() != content]


def draw_workbooks() -> None:
    """Draw the first columns of a new workbook, in both languages, by LibreOffice and pdftoppm."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for language, suffix in (("en", ""), ("zh", ".zh")):
            _run("new", "plants.xlsx", "--lang", language, "--force")
            profile = f"-env:UserInstallation={Path(folder).as_uri()}/profile"
            subprocess.run(
                ["soffice", "--headless", profile, "--convert-to", "pdf", "plants.xlsx"],
                check=True,
                capture_output=True,
                timeout=120,
            )
            # A sheet is printed as wide as the page, so its columns need many dots.
            target = str(PICTURES / f"workbook{suffix}")
            command = ["pdftoppm", "-png", "-singlefile", "-r", "420", *CROP, "plants.pdf", target]
            subprocess.run(command, check=True, capture_output=True, timeout=120)


def draw_reports() -> None:
    """Draw the top of every report into `docs/pictures` by headless Chromium."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, arguments in REPORTS.items():
            _run("solve", *arguments, "--out", name)
            _run("report", name, "--out", f"{name}.html")
            _photograph(Path(f"{name}.html"), PICTURES / f"{name}.png", "1000,900")


def _photograph(page: Path, picture: Path, size: str, options: tuple[str, ...] = ()) -> None:
    """Write a picture of the top of a page, as a browser with a window of this size shows it."""
    with tempfile.TemporaryDirectory() as profile:
        command = [_browser(), *CHROMIUM, f"--user-data-dir={profile}", f"--window-size={size}", *options]
        command += [f"--screenshot={picture}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def _run(*arguments: str) -> None:
    status = etsopt(list(arguments))
    if status:
        raise RuntimeError(f"etsopt {' '.join(arguments)} ended with {status}.\n\nCorrect docs/tools/pictures.py.")


def take_screenshots(site: Path, target: Path) -> None:
    """Take a picture of each view of the built site by headless Chromium."""
    target.mkdir(parents=True, exist_ok=True)
    for name, (page, size, options) in VIEWS.items():
        _photograph(site / page, target / f"{name}.png", size, options)


def check_mathematics(site: Path) -> None:
    """Raise `RuntimeError` if a formula of a model or a rule is not set by the browser."""
    browser = _browser()
    pages = [*sorted(site.glob("en/models/*.html")), *sorted(site.glob("en/rules/*.html"))]
    for page in pages:
        with tempfile.TemporaryDirectory() as profile:
            command = [browser, *CHROMIUM, f"--user-data-dir={profile}", "--dump-dom", page.resolve().as_uri()]
            shown = subprocess.run(command, check=True, capture_output=True, timeout=120).stdout.decode()
        wanted, found = shown.count('class="math notranslate'), shown.count("<mjx-container")
        if found < wanted or "<mjx-merror" in shown:
            raise RuntimeError(f"{page.name} shows {found} of {wanted} formulas.\n\nCorrect the one with an error.")


BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
"""The browser of this machine, if it has one."""


def _browser() -> str:
    if BROWSER is None:
        raise RuntimeError("No Chromium is found.\n\nInstall it, or leave the option `--screenshots` out.")
    return BROWSER


def main(arguments: list[str] | None = None) -> int:
    """Draw charts and reports, or take the screenshots of a built site."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screenshots", type=Path, metavar="SITE", help="built site, such as docs/_build/html")
    parser.add_argument("--check", action="store_true", help="draw the English charts and compare them")
    options = parser.parse_args(arguments)
    if options.check:
        changed = changed_charts()
        for name in changed:
            print(f"docs/pictures/{name} is stale.\n\nDraw it by `make pictures`.", file=sys.stderr)
        return int(bool(changed))
    if options.screenshots is None:
        draw_charts(PICTURES)
        draw_workbooks()
        draw_reports()
    else:
        check_mathematics(options.screenshots)
        take_screenshots(options.screenshots, options.screenshots.parent / "screenshots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
