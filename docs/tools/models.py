"""A page for each model, from the file that holds its formulation."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from docs.tools.published import ROOT, display

BOOK = runpy.run_path(str(ROOT / "models" / "build_readme.py"))
"""The module that makes the formulation book."""


def write_pages(target: Path) -> None:
    """Write the page of every model, and their index, below the folder of English sources."""
    folder = target / "models"
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, str] = BOOK["models"]()
    for name, text in found.items():
        head, _, body = text.partition("\n")
        source = f"Source: `models/etsopt_models/{name}.py`. In the code, each equation has the name at its right."
        (folder / f"{name}.md").write_text(f"# {name}\n\n**{head}**\n\n{source}\n{mathematics(body)}\n", "utf-8")
    lines = [f"| [{name}]({name}.md) | {text.splitlines()[0]} |" for name, text in found.items()]
    index = "\n".join(
        [
            "# Models\n",
            "One file, one formulation. Each page is made of its file, where equations stand above their constraints.",
            "[A certificate](../how-to/verify.md) proves an answer, and",
            "[a model of your own](../how-to/own-model.md) is a Python file.\n",
            "| model | contents |\n| --- | --- |",
            *lines,
            f"\n{BOOK['METHODS']}",
            "```{toctree}\n:hidden:\n",
            *found,
            "```\n",
        ]
    )
    (folder / "index.md").write_text(index, encoding="utf-8")


def mathematics(text: str) -> str:
    """Return text with its displayed formulas as directives; those within a line stay in dollars."""
    return re.sub(r"\$\$(.+?)\$\$", lambda found: f"\n\n{display(found[1])}\n\n", text, flags=re.DOTALL)
