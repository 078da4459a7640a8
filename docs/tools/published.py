"""Pages of the repository that the site shows as they are, and their links there."""

from __future__ import annotations

import posixpath
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]

PAGES = {
    "CHANGELOG.md": "reference/changelog",
    "CONTRIBUTING.md": "developing/index",
    "benchmarks/README.md": "reference/benchmarks",
    "benchmarks/design_search.md": "reference/design-search",
    "benchmarks/forecast_coverage.md": "reference/forecast-coverage",
    "benchmarks/history.md": "history",
    "benchmarks/national_front.md": "reference/national-front",
    "benchmarks/national_path.md": "reference/national-path",
    "benchmarks/nightly.md": "reference/nightly",
    "benchmarks/outlook.md": "reference/outlook-sample",
    "benchmarks/reconciliation.md": "reference/reconciliation-trials",
    "benchmarks/reliability.md": "reference/reliability",
    "benchmarks/screening.md": "reference/screening-trials",
    "benchmarks/sweeps.md": "reference/sweeps",
    "docs/decisions/README.md": "decisions/index",
    "etsopt/accounting/README.md": "how-to/monthly-reports",
    "etsopt/checking/README.md": "how-to/verify",
    "etsopt/modelling/compiler/README.md": "reference/compiler",
    "etsopt/studies/designing/README.md": "how-to/design",
    "etsopt/studies/forecasting/README.md": "how-to/forecast",
    "etsopt/reports/README.md": "how-to/official-tables",
    "etsopt/presenting/documents/README.md": "how-to/report-pages",
    "etsopt/studies/sweeping/README.md": "how-to/sweep-files",
    **{
        f"docs/{folder}/{path.name}": f"{folder}/{path.stem}"
        for folder in ("decisions", "developing")
        for path in sorted((ROOT / "docs" / folder).glob("[0-9a-z]*.md"))
    },
    **{
        f"instances/{name}/README.md": f"instances/{name}"
        for name in sorted(path.parent.name for path in (ROOT / "instances").glob("*/README.md"))
    },
}
"""Files of the repository, and the names of the pages that show them; the text is in one place."""

ELSEWHERE = {
    "models/README.md": "models/index",
    "instances/README.md": "reference/data",
    "README.md": "index",
    **{
        path.relative_to(ROOT).as_posix(): path.relative_to(ROOT / "docs" / "en").with_suffix("").as_posix()
        for path in sorted((ROOT / "docs" / "en").rglob("*.md"))
    },
}
"""Files of the repository whose content has pages of the site by another way."""

LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)
HIDDEN = re.compile(r"^[^\n]*observed[^\n]*\n+(?=# )", re.IGNORECASE)


def write_pages(target: Path) -> None:
    """Write every published page below the folder of English sources, with its pictures beside it."""
    for name, page in PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        first = HIDDEN.match(text)
        if first:
            # The first line of an instance separates observed from assumed data; a page begins with its heading.
            text = re.sub(r"^(# [^\n]+\n)", rf"\1\n*{first[0].strip()}*\n", text[first.end() :], count=1)
        file = target / f"{page}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(linked(text, name, page, target), encoding="utf-8")
    _write_index(target)
    with (target / "decisions" / "index.md").open("a", encoding="utf-8") as index:
        index.write(_contents("decisions"))


def _contents(folder: str) -> str:
    """Return a table of contents that is not shown, of the pages of a folder but its index."""
    names = [page.partition("/")[2] for page in PAGES.values() if page.startswith(f"{folder}/")]
    listed = "\n".join(name for name in names if name != "index")
    return f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"


def _write_index(target: Path) -> None:
    """Write the list of the shipped instances, each with the sentence on observed and assumed data."""
    names = [page.partition("/")[2] for page in PAGES.values() if page.startswith("instances/")]
    lines = ["# Shipped instances", "", "| instance | observed and assumed |", "| --- | --- |"]
    for name in names:
        first = (ROOT / "instances" / name / "README.md").read_text(encoding="utf-8").splitlines()[0]
        lines.append(f"| [{name}]({name}.md) | {first.lstrip('# ')} |")
    text = "\n".join(lines) + "\n" + _contents("instances")
    (target / "instances" / "index.md").write_text(text, encoding="utf-8")


def linked(text: str, name: str, page: str, target: Path) -> str:
    """Return a page's text with its links to pages of the site, and its mathematics as MyST takes it.

    Parameters
    ----------
    text
        Markdown of a file of the repository.
    name
        The file's path in the repository, from which its links start.
    page
        Name of the page of the site.
    target
        Folder of the sources, for copies of pictures.
    """
    parts = FENCE.split(text)
    parts[::2] = [
        LINK.sub(lambda link: _link(link, name, page, target), part).replace("$`", "$").replace("`$", "$")
        for part in parts[::2]
    ]
    return "".join(re.sub(r"\A```math\n(.*)\n```\Z", _display, part, flags=re.DOTALL) for part in parts)


def _link(link: re.Match[str], name: str, page: str, target: Path) -> str:
    picture, label, address = link[1], link[2], link[3]
    if "[" in label:
        label = LINK.sub(lambda inner: _link(inner, name, page, target), label)
    if "://" in address:
        return f"{picture}[{label}]({address})"
    path, _, anchor = address.partition("#")
    if not path:
        return f"[{label}](#{anchor})"
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    pages = PAGES | ELSEWHERE
    if path in pages:
        # The formulation book is one page here, and a page for each model on the site.
        to = f"models/{anchor}" if path == "models/README.md" and anchor else pages[path]
        suffix = f"#{anchor}" if anchor and to == pages[path] else ""
        return f"[{label}]({posixpath.relpath(to, posixpath.dirname(page) or '.')}.md{suffix})"
    if picture:
        copy = target / "pictures" / path.replace("/", "-")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy)
        return f"![{label}]({posixpath.relpath('pictures/' + copy.name, posixpath.dirname(page) or '.')})"
    # A file of the repository has no address on the site, so its name takes the place of a link.
    return label if label.strip("`") == path else f"{label} (`{path}`)"


def _display(found: re.Match[str]) -> str:
    return display(found[1])


def display(formula: str) -> str:
    r"""Return a displayed formula as a directive that leaves ``\tag`` to MathJax, which reads its text as TeX does."""
    formula = re.sub(r"\\tag\{([^}]+)\}", lambda tag: r"\tag{" + tag[1].replace("_", r"\_") + "}", formula)
    return f"```{{math}}\n:no-wrap:\n\n\\begin{{equation}}\n{formula.strip()}\n\\end{{equation}}\n```"
