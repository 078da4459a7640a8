"""Write README.md, the page on the format of an instance, from the schema and the policy classes."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from etsopt.data import shipped
from etsopt.data.policy import AllocationPolicy, ExceptionsPolicy, NationalPolicy, Policy, ProvincePolicy, SectorPolicy
from etsopt.data.schema import TABLES, Column
from etsopt.rules import RULES

HERE = Path(__file__).parent

INTRODUCTION = """\
# Instances

An instance is a folder with the tables below, `policy.toml` and a `README.md` whose first line says what is observed
and what is assumed. A folder never says which model reads it. Files are UTF-8, or plainly Chinese GBK.

Written by `make docs` from `etsopt/data/schema.py`, `etsopt/data/policy.py` and the rules; edit those, not this page.
"""

SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("sectors.<sector>", SectorPolicy),
    ("provinces", ProvincePolicy),
    ("national", NationalPolicy),
    ("allocation", AllocationPolicy),
    ("allocation.exceptions", ExceptionsPolicy),
)


def readme() -> str:
    """Return the whole page."""
    tables = [f"## {table.file}\n\nA row: {table.meaning}.\n\n{_columns(table.columns)}\n" for table in TABLES]
    names = "\n".join(f"- [{name}]({name}/README.md)" for name in shipped.names())
    return "\n".join([INTRODUCTION, f"Shipped:\n\n{names}\n", *tables, _policy(), _rules()])


def _columns(columns: tuple[Column, ...]) -> str:
    lines = ["| column | needed | unit or values | meaning |", "| --- | --- | --- | --- |"]
    for column in columns:
        limits = [f"at least {column.at_least:g}"] if column.at_least is not None else []
        limits += [f"above {column.above:g}"] if column.above is not None else []
        values = ", ".join([*([column.unit] if column.unit else []), *limits]) or ", ".join(column.choices) or "text"
        lines.append(f"| `{column.name}` | {'yes' if column.required else ''} | {values} | {column.meaning} |")
    return "\n".join([*lines, "| `x_...` | | | a column of one's own, passed through to the results |"])


def _policy() -> str:
    head = "| key | default | meaning |\n| --- | --- | --- |"
    parts = [f"## policy.toml\n\n{head}\n| `year` | needed | {Policy.model_fields['year'].description} |"]
    parts[0] += "\n| `rule.name` | needed | name of the rule; its other keys are below |"
    for section, model in SECTIONS:
        parts += [
            f"| `{section}.{key}` | {_default(field)} | {field.description} |"
            for key, field in model.model_fields.items()
            # A table of keys is listed key by key.
            if f"{section}.{key}" not in dict(SECTIONS)
        ]
    return "\n".join(parts) + "\n\nA target is stated in one way; without one it stands at present emissions.\n"


def _rules() -> str:
    parts = ["## Rules\n"]
    for name, rule in sorted(RULES.items()):
        keys = [
            f"| `rule.{key}` | {_default(field)} | {field.description} |"
            for key, field in rule.parameters.model_fields.items()
        ]
        parts.append(
            "\n".join([f"### {name}\n\n{rule.summary}\n\n| key | default | meaning |\n| --- | --- | --- |", *keys])
            + "\n"
        )
    return "\n".join(parts)


def _default(field: object) -> str:
    if field.is_required():  # type: ignore[attr-defined]
        return "needed"
    default = field.default  # type: ignore[attr-defined]
    return "" if default is None else f"`{default}`"


if __name__ == "__main__":
    (HERE / "README.md").write_text(readme(), encoding="utf-8", newline="\n")
