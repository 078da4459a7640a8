"""Notebooks as pages: executed by nbclient, with their text, code and outputs."""

from __future__ import annotations

import base64
import json
import os
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
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if execute:
            notebook = _executed(notebook)
        note = f"*A notebook, `docs/notebooks/{path.name}`, executed when this page was built.*"
        parts = [_cell(cell, folder, f"{path.stem}-{number}") for number, cell in enumerate(notebook["cells"])]
        parts.insert(1, note)
        (folder / f"{path.stem}.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def _executed(notebook: Any) -> Any:
    """Return a notebook executed in an empty folder; an error of a cell is raised.

    The kernel gets the path of this process, so that it runs this checkout.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]

    os.environ["PYTHONPATH"] = os.pathsep.join(part for part in sys.path if part)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(notebook, timeout=TIMEOUT_S, resources={"metadata": {"path": folder}}).execute()
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
            parts.append(f'<div class="table-wrapper">\n{data["text/html"]}\n</div>'.replace("\n\n", "\n"))
        elif "text/plain" in data:
            parts.append(f"```text\n{data['text/plain']}\n```")
    return "\n\n".join(parts)
