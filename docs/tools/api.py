"""The reference of the Python interface, from the public names of the package."""

from __future__ import annotations

import inspect
from pathlib import Path

import etsopt
from etsopt.studies.curves.line_curve import LineCurve

READING = ("read", "Instance", "generate")
SOLVING = ("solve", "sweep", "curve", "forecast", "check", "roll")
RESULTS = (
    *("Results", "load", "compare", "Sweep", "Curve", "Box", "PriceCurve", "read_curve", "Forecast", "Verdict"),
    *("Explanation", "NearOptimalRanges", "Remedy", "speaking"),
)
GROUPS = {
    "reading": ("Reading instances", READING),
    "solving": ("Solving and checking", SOLVING),
    "results": ("Results", RESULTS),
}
PACKAGES = {
    "accounting": "Monthly reports",
    "curves": "Curves",
    "designing": "Searches of designs",
    "methods": "Ways to allocate",
    "modelling": "Declarations of models",
    "reports": "Pages and official tables",
    "sweeping": "Sweeps",
}


def errors() -> list[str]:
    """Return the public exceptions and warnings."""
    names = [name for name in etsopt.__all__ if inspect.isclass(getattr(etsopt, name))]
    return [name for name in names if issubclass(getattr(etsopt, name), BaseException)]


def pages() -> dict[str, tuple[str, list[str]]]:
    """Return title and names of each page of the reference; every public name has one.

    Raises
    ------
    ValueError
        If a public name has no page.
    """
    found = {page: (title, list(names)) for page, (title, names) in GROUPS.items()}
    found["errors"] = ("Errors and warnings", errors())
    without = {*etsopt.__all__} - {name for _, names in found.values() for name in names}
    if without:
        raise ValueError(f"public names without a page: {sorted(without)}.\n\nAdd them to docs/tools/api.py.")
    return found


def write_pages(target: Path) -> None:
    """Write the reference of the Python interface below the folder of English sources."""
    folder = target / "api"
    folder.mkdir(parents=True, exist_ok=True)
    contents = pages()
    for page, (title, names) in contents.items():
        parts = [f"# {title}\n", *(_documented(name) for name in names)]
        (folder / f"{page}.md").write_text("\n".join(parts), encoding="utf-8")
    for package, title in PACKAGES.items():
        # What `import etsopt` brings has its place above.
        names = sorted({*getattr(etsopt, package).__all__} - {*etsopt.__all__})
        parts = [f"# {title}: `etsopt.{package}`\n", *(_documented(name, f"etsopt.{package}") for name in names)]
        (folder / f"{package}.md").write_text("\n".join(parts), encoding="utf-8")
    rows = [
        f"| [{title}]({page}.md) | {', '.join(f'`{name}`' for name in names)} |"
        for page, (title, names) in contents.items()
    ]
    rows += [f"| [{title}]({package}.md) | `etsopt.{package}` |" for package, title in PACKAGES.items()]
    toctree = ["```{toctree}\n:hidden:\n", *contents, *PACKAGES, "```\n"]
    head = "# Python interface\n\n`import etsopt` brings every name below.\n\n| page | names |\n| --- | --- |"
    (folder / "index.md").write_text("\n".join([head, *rows, "", *toctree]), encoding="utf-8")


def _documented(name: str, package: str = "etsopt") -> str:
    """Return a heading and the directive that shows a name where its module defines it."""
    value = getattr(__import__(package, fromlist=[name]), name)
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return f"## {name}\n\nA constant of `{package}`.\n"
    kind = "autoclass" if inspect.isclass(value) else "autofunction"
    plain = inspect.isclass(value) and issubclass(value, BaseException)
    options = "\n:no-members:\n:show-inheritance:" if plain else ""
    if inspect.isclass(value) and issubclass(value, LineCurve):
        options = "\n:inherited-members: ABC, Generic"
    return f"## {name}\n\n```{{eval-rst}}\n.. {kind}:: {package}.{name}{_indented(options)}\n```\n"


def _indented(options: str) -> str:
    return options.replace("\n", "\n   ")
