"""The pictures of the pages: `python -m docs.tools.pictures [--screenshots SITE]`.

Charts are drawn by `etsopt plot`; screenshots of the built site by headless Chromium, where there is one, into a folder
that git ignores.
"""

from __future__ import annotations

import argparse
import os
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
    "surplus": (["cn-2025", "--set", TIGHTER], "surplus"),
    "start": (["plants.xlsx"], "surplus"),
    "enterprises": (["plants.xlsx", "--set", TIGHTER], "enterprises"),
    "prices": (["cn-2025-2035", "--model", "pathway"], "prices"),
}
"""Name of each picture, the solve that it shows, and the kind of chart."""

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


def draw_charts() -> None:
    """Draw every chart into `docs/pictures`, in English and, beside it, in Chinese."""
    page = (DOCS / "en" / "start.md").read_text(encoding="utf-8")
    (code,) = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "plants.to_excel" in block]
    PICTURES.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp())
    os.chdir(folder)
    try:
        exec(compile(code, "start.md", "exec"), {})
        for name, (arguments, kind) in CHARTS.items():
            _run("solve", *arguments, "--out", name)
            _run("plot", name, kind, "--out", str(PICTURES / f"{name}.svg"))
            _run("plot", name, kind, "--lang", "zh", "--out", str(PICTURES / f"{name}.zh.svg"))
    finally:
        os.chdir(DOCS)
        shutil.rmtree(folder)


def _run(*arguments: str) -> None:
    status = etsopt(list(arguments))
    if status:
        raise RuntimeError(f"etsopt {' '.join(arguments)} ended with {status}.\n\nCorrect docs/tools/pictures.py.")


def take_screenshots(site: Path, target: Path) -> None:
    """Take a picture of each view of the built site by headless Chromium."""
    browser = _browser()
    target.mkdir(parents=True, exist_ok=True)
    for name, (page, size, options) in VIEWS.items():
        with tempfile.TemporaryDirectory() as profile:
            address = (site / page).resolve().as_uri()
            picture = f"--screenshot={target / name}.png"
            command = [*CHROMIUM, f"--user-data-dir={profile}", f"--window-size={size}", *options, picture, address]
            subprocess.run([browser, *command], check=True, capture_output=True, timeout=120)


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


def _browser() -> str:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise RuntimeError("No Chromium is found.\n\nInstall it, or leave the option `--screenshots` out.")
    return browser


def main(arguments: list[str] | None = None) -> int:
    """Draw the charts, or take the screenshots of a built site."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screenshots", type=Path, metavar="SITE", help="built site, such as docs/_build/html")
    options = parser.parse_args(arguments)
    if options.screenshots is None:
        draw_charts()
    else:
        check_mathematics(options.screenshots)
        take_screenshots(options.screenshots, options.screenshots.parent / "screenshots")
    return 0


if __name__ == "__main__":
    sys.exit(main())
