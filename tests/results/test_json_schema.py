"""The JSON schema of result.json: it describes what is written, key by key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import etsopt
from etsopt.cli import main
from etsopt.results.run_schema import json_schema


def test_every_key_that_a_run_writes_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    result.save(tmp_path / "run")
    content = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json_schema(), "the schema is stale: python -m etsopt.results.build_schema"
    assert set(schema["required"]) <= set(content)
    described = {name for name, about in schema["properties"].items() if about.get("description")}
    assert {"model", "status", "certified", "levels", "infeasible_by_t", "distance_t"} <= described
    level = schema["$defs"]["Level"]["properties"]
    assert set(content["levels"][0]) == set(level)
    assert all(about["description"] for about in level.values())
    assert content["status"] in schema["properties"]["status"]["enum"]
