"""The data dictionary: tables, columns and keys of the policy, from the page that the schema makes."""

from __future__ import annotations

import runpy
from pathlib import Path

from docs.tools.published import ROOT, linked

PAGE = "reference/data"


def write_pages(target: Path) -> None:
    """Write the data dictionary below the folder of English sources; rules have pages of their own."""
    text: str = runpy.run_path(str(ROOT / "instances" / "build_readme.py"))["readme"]()
    text = text.replace("# Instances\n", "# Data dictionary\n", 1).partition("\n## Rules\n")[0]
    text += "\n\n## Rules\n\nThe keys of `[rule]` are on [the page of each rule](../rules/index.md).\n"
    file = target / f"{PAGE}.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(linked(text, "instances/README.md", PAGE, target), encoding="utf-8")
