"""Write the JSON schema of ``result.json`` anew: a tool for developing, so that printing it waits for no package."""

from __future__ import annotations

import json
from pathlib import Path

from etsopt.running.results.run_schema import json_schema

SCHEMA = Path(__file__).with_name("result.schema.json")


def text() -> str:
    """Return the schema as it is shipped."""
    return json.dumps(json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
