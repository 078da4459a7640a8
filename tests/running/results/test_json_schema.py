"""The JSON schema of result.json: it describes what is written, key by key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

import etsopt
from etsopt.cli import main
from etsopt.common.provenance import Options, Provenance
from etsopt.running.results.run_schema import json_schema


def test_every_key_that_a_run_writes_is_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = etsopt.solve(etsopt.read("tiny"))
    result.save(tmp_path / "run")
    content = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema == json_schema(), "the schema is stale: python -m etsopt.running.results.build_schema"
    assert set(schema["required"]) <= set(content)
    described = {name for name, about in schema["properties"].items() if about.get("description")}
    assert {"model", "status", "certified", "levels", "infeasible_by_t", "distance_t"} <= described
    level = schema["$defs"]["Level"]["properties"]
    assert set(content["levels"][0]) == set(level)
    assert all(about["description"] for about in level.values())
    assert content["status"] in schema["properties"]["status"]["enum"]


def test_every_part_of_the_provenance_is_described_and_has_no_other_key() -> None:
    parts = json_schema()["$defs"]
    assert {"Options", "OwnParameter", "Coverage", "Holders", "OwnRule", "BandMove", "Versions"} <= set(parts)
    assert all(part["additionalProperties"] is False and part["description"] for part in parts.values())
    described = {name: part["properties"].values() for name, part in parts.items() if name != "Versions"}
    assert [name for name, keys in described.items() if not all("description" in key for key in keys)] == []
    assert json_schema()["additionalProperties"] is False


def test_a_provenance_is_made_again_from_what_the_file_says_of_it(tmp_path: Path) -> None:
    instance = etsopt.read("tiny").with_policy({"rule.slope": 0.2, "sectors.cement.band": 0.001})
    result = etsopt.solve(instance, time_limit_s=60, gap=0, solver_options={"objective_bound": float("inf")})
    about = result.provenance
    assert about.options == Options(time_limit_s=60.0, gap=0.0, solver_options={"objective_bound": None})
    assert Provenance(**about.as_json()) == about
    result.save(tmp_path / "run")
    assert etsopt.load(tmp_path / "run").provenance == about
    content = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert list(content)[: len(about.as_json())] == list(about.as_json())
    assert {"own_parameters", "moved_by_band"} <= set(content)
    assert {"own_rule", "emissions", "stopped_at"}.isdisjoint(content), "what is not stated is not written"


def test_a_provenance_is_strict(tmp_path: Path) -> None:
    stated = etsopt.solve(etsopt.read("tiny")).provenance.as_json()
    for key, value in (("seed", "0"), ("checked_as", "allocation"), ("seconds", {"solve": float("inf")})):
        with pytest.raises(ValidationError, match=key):
            Provenance(**{**stated, key: value})
