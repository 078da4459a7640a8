"""How lists of models, instances and rules look on a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from etsopt.cli.terminal import plain_console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from etsopt.rules import Rule


def listing(lines: Mapping[str, str], as_json: bool) -> int:
    """Print names with a line about each."""
    if as_json:
        print(json.dumps(lines, ensure_ascii=False))
        return 0
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for name, line in lines.items():
        table.add_row(Text(name, style="bold"), Text(line))
    plain_console().print(table)
    return 0


def rules(found: Mapping[str, Rule], as_json: bool) -> int:
    """Print the rules with parameters and sources."""
    if as_json:
        content = {
            name: {
                "summary": rule.summary,
                "source": rule.source,
                "parameters": rule.parameters.model_json_schema()["properties"],
            }
            for name, rule in found.items()
        }
        print(json.dumps(content, ensure_ascii=False))
        return 0
    console = plain_console()
    for name, rule in sorted(found.items()):
        console.print(Text(name, style="bold"), Text(rule.summary))
        for key, field in rule.parameters.model_fields.items():
            default = "required" if field.is_required() else f"default {field.default}"
            console.print(Text(f"  {key}: {field.description} ({default})"))
        console.print(Text(f"  Source: {rule.source}\n"))
    return 0
