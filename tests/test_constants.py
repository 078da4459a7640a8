"""Numbers of the models and of the checker stand in files for tolerances and for effort, each with what it means."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SIDES = {ROOT / "models" / "etsopt_models": "_", ROOT / "etsopt" / "checking": ""}
"""Folder of each side, and how the names of its two files begin; the readings of the checker state the regulation."""

FILES = [folder / f"{begin}{name}.py" for folder, begin in SIDES.items() for name in ("tolerances", "effort")]

NEITHER = {
    "ANSWER_ROUNDINGS": "arithmetic: roundings of an answer",
    "AMENDED_LAW_FROM": "the law",
    "BITS": "a code: bits of a hash",
    "BLOCK": "arithmetic, of which the bound of its rounding knows",
    "CENTRAL": "a weight of an objective",
    "CERTAINLY": "arithmetic",
    "FIRM": "a demand curve",
    "FIRST_CURRENT_VINTAGE": "the law",
    "FRACTION": "arithmetic",
    "GRAIN": "arithmetic",
    "LASTING_FROM": "the law",
    "LIMIT_ROUNDINGS": "arithmetic: roundings of a limit",
    "MILLION": "a unit of measure",
    "OF_ACCOUNTS": "a number of fields",
    "PROGRAM_SIZE": "the scale of a program",
    "ROUNDOFF": "arithmetic",
    "STEP": "a demand curve",
    "STEPS": "a demand curve",
    "UNDERFLOW": "arithmetic",
}
"""Constants that are neither a tolerance nor an effort, and what they are instead."""


def assigned(path: Path) -> Iterator[tuple[str, ast.expr, ast.stmt | None]]:
    """Yield the names that a module assigns, what it assigns, and the statement below."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                yield ast.unparse(target), node.value, below


def is_number(value: ast.expr) -> bool:
    """Return True if an expression consists of numbers, of which one is neither 0, 1 nor 2; keys may be texts.

    A call declares something of which numbers are a part.
    """
    keys = {key for node in ast.walk(value) if isinstance(node, ast.Dict) for key in node.keys}
    parts = [node.value for node in ast.walk(value) if isinstance(node, ast.Constant) and node not in keys]
    numbers = [part for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
    if any(isinstance(node, ast.Call) for node in ast.walk(value)) or len(numbers) < len(parts):
        return False
    return any(isinstance(one, float) or one not in (0, 1, 2) for one in numbers)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1e-9", True),
        ("1.0", True),
        ("-3", True),
        ("1 << 15", True),
        ("2 * CORE", False),
        ("(7, math.inf)", True),
        ("{'cement': 1e-3}", True),
        ("Method(from_units=500)", False),
        ("True", False),
        ("-1", False),
        ("LEVELS[1:]", False),
        ("('t', 20)", False),
    ],
)
def test_what_counts_as_a_number(text: str, number: bool) -> None:
    assert is_number(ast.parse(text, mode="eval").body) == number


@pytest.mark.parametrize("folder", SIDES, ids=lambda folder: folder.name)
def test_numbers_are_in_the_files_of_their_side(folder: Path) -> None:
    others = [
        path for path in sorted(folder.rglob("*.py")) if path not in FILES and folder / "readings" not in path.parents
    ]
    names = [
        f"{path.relative_to(ROOT)}: {name}" for path in others for name, value, _ in assigned(path) if is_number(value)
    ]
    assert [name for name in names if name.split(": ")[1] not in NEITHER] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_number_says_what_it_means_and_is_used(path: Path) -> None:
    bare = [
        name
        for name, _, below in assigned(path)
        if not (
            isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and str(below.value.value).strip()
        )
    ]
    assert bare == []
    text = "".join(other.read_text(encoding="utf-8") for other in path.parent.rglob("*.py") if other != path)
    own = path.read_text(encoding="utf-8")
    assert [name for name, _, _ in assigned(path) if name not in text and own.count(name) == 1] == []
