"""Notebooks as pages: executed by nbclient, with their text, code and outputs."""

from __future__ import annotations

import base64
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
TIMEOUT_S = 120
"""Seconds that one cell may take at most."""


def write_pages(target: Path, *, execute: bool = True) -> None:
    """Write a page for each notebook below the folder of English sources; outputs are those of this run."""
    folder = target / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        notebook = _executed(text) if execute else json.loads(text)
        note = f"*A notebook, `docs/notebooks/{path.name}`, executed when this page was built.*"
        parts = [_cell(cell, folder, f"{path.stem}-{number}") for number, cell in enumerate(notebook["cells"])]
        parts.insert(1, note)
        (folder / f"{path.stem}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _executed(text: str) -> Any:
    """Return a notebook executed in an empty folder; an error of a cell is raised.

    The kernel gets the path of this process, so that it runs this checkout.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.reads(text, as_version=4)

    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in sys.path if part)
    with tempfile.TemporaryDirectory() as folder:
        where = {"metadata": {"path": folder}}
        # The kernel warns that it runs over plain TCP; it is this machine alone.
        quiet = ["--log-level=ERROR"]
        NotebookClient(notebook, timeout=TIMEOUT_S, resources=where, extra_arguments=quiet).execute()
    return notebook


def _cell(cell: Any, folder: Path, name: str) -> str:
    """Return one cell as Markdown, with pictures of its outputs written beside the page."""
    source = "".join(cell["source"])
    if cell["cell_type"] != "code":
        return source
    parts = [f"```python\n{source}\n```"]
    for number, output in enumerate(cell.get("outputs", [])):
        data = output.get("data", {})
        if output["output_type"] == "stream":
            parts.append(f"```text\n{output['text'].rstrip()}\n```")
        elif "image/png" in data:
            file = folder / f"{name}-{number}.png"
            file.write_bytes(base64.b64decode(data["image/png"]))
            parts.append(f"![Chart of the cell above]({file.name})")
        elif "text/html" in data:
            parts.append(_table(data["text/html"]))
        elif "text/plain" in data:
            parts.append(f"```text\n{data['text/plain']}\n```")
    return "\n\n".join(parts)


def _table(html: str) -> str:
    """Return a table of pandas with the classes of the other tables of the site, and without its own style."""
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    html = re.sub(r'<table border="1" class="dataframe">', '<table class="docutils notebook">', html)
    return re.sub(r"\n\s*\n", "\n", f'<div class="table-wrapper docutils container">\n{html}\n</div>')
