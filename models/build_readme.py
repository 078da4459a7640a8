"""Write README.md, the formulation book, from the files of the models beside this one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent

INTRODUCTION = """\
# The models

One file, one formulation. Each section below is the docstring of its file, with the equations that stand above its
constraints; the name at the right of one is the name of the constraint or objective in the code.
[A recipe](../docs/developing/shipped-models.md) says how to add a model, and
[a page of the checker](../etsopt/checking/README.md) what the certificate of an answer says.

Written by `make docs`; edit the files of the models, not this page.
"""

METHODS = """\
## Methods

`etsopt solve --method` and `etsopt.solve(..., method=...)` choose how a model is solved. Without it the size decides, and
the result says which method ran and why. Each answer is certified at full size.

| method | of | description |
| --- | --- | --- |
| `direct` | every model | the whole program goes to HiGHS; below these sizes, of `investment` while its extensive form is small |
| `aggregation` | `allocation` | exact: units in the same coupling rows become one cell, refined until nothing changes, and disaggregated to units; from 500 units on |
| `decomposition` | `abatement`, `clearing`, `pathway` | column generation over all plans of all units, and a small program for the units near a tie; from 2,000 units on |
| `decomposition` | `investment` | every set of measures of every unit at the prices of the scenarios, and a program over enterprises whose sets combine in many ways; from 10 units on |
| `pyomo` | every model | as `direct`, built by Pyomo row by row; slow, for tests |

`aggregation` does not support `intensity_order` and bands over several units of an enterprise. With a transaction cost
`decomposition` supports neither divisible measures nor a floor or ceiling price.
"""


MODELS = HERE / "etsopt_models"
SHARED = re.compile(r"^\.\. formulation:: (.+)$", re.MULTILINE)
"""A line of a docstring in place of the symbols and equations of functions, of the file itself or of `SHARED_BY`."""

EQUATION = re.compile(r"(?m)((?:^ *#(?: .*)?\n)*^ *# .*\$\$)\n *@m\.(?:Constraint|Objective)")
"""The comment above a constraint or objective."""

SHARED_BY = MODELS / "clearing.py"


def models() -> dict[str, str]:
    """Read the docstrings of the models, by name, with their symbols and equations put in."""
    return {path.stem: page(path) for path in sorted(MODELS.glob("[a-z]*.py"))}


def page(path: Path) -> str:
    """Return the docstring of a model with the symbols and equations of the functions that it names."""
    functions: dict[str, tuple[str, str]] = {}
    for file in (SHARED_BY, path):
        source = file.read_text(encoding="utf-8")
        for part in ast.parse(source).body:
            if isinstance(part, ast.FunctionDef):
                functions[part.name] = (ast.get_docstring(part) or "", ast.get_source_segment(source, part) or "")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return SHARED.sub(lambda line: formulation([functions[name] for name in line[1].split()]), text)


def formulation(functions: list[tuple[str, str]]) -> str:
    """Return the symbols of functions, from their docstrings, in one table, and the equations, from their sources."""
    head = ["| symbol | meaning | unit | in the code |", "| --- | --- | --- | --- |"]
    symbols = [line for documented, _ in functions for line in documented.splitlines() if line.startswith("| $")]
    equations = [re.sub(r"(?m)^ *# ?", "", found) for _, source in functions for found in EQUATION.findall(source)]
    # A comment that begins with words begins a paragraph.
    return "\n".join([*head, *symbols, "", *(text if text.startswith("$$") else f"\n{text}" for text in equations)])


def for_github(text: str) -> str:
    r"""Write mathematics as GitHub takes it: fenced where displayed, in dollars and backticks inside a line.

    Plain dollars would let Markdown read the underscores and backslashes first.
    """
    parts = re.split(r"\$\$(.+?)\$\$", text, flags=re.DOTALL)
    prose = [re.sub(r"\$([^$\n]+)\$", r"$`\1`$", part) for part in parts[::2]]
    shown = [f"```math\n{part.strip()}\n```" for part in parts[1::2]]
    pieces = [prose[0]]
    for formula, after in zip(shown, prose[1:], strict=True):
        pieces += [_ended(pieces.pop()), formula, "\n" + after.lstrip("\n") if not after.startswith("\n\n") else after]
    return "".join(pieces)


def _ended(text: str) -> str:
    """End a line, since a fence starts on one of its own."""
    return text if text.endswith("\n") else text + "\n"


def readme() -> str:
    """Return the whole page."""
    found = models()
    contents = [f"- [{name}](#{name}): {text.splitlines()[0]}" for name, text in found.items()]
    sections = [
        f"## {name}\n\n[`etsopt_models/{name}.py`](etsopt_models/{name}.py)\n\n{for_github(text).rstrip()}\n"
        for name, text in found.items()
    ]
    return "\n".join([INTRODUCTION, "\n".join(contents) + "\n", METHODS, *sections])


if __name__ == "__main__":
    (HERE / "README.md").write_text(readme(), encoding="utf-8", newline="\n")
