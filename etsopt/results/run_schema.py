"""What ``result.json`` may hold: every key that is read again has its type, and every number is finite."""

from __future__ import annotations

import reprlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError, model_validator
from pydantic_core import from_json

from etsopt.data.frames import TYPES
from etsopt.errors import Problem

FILE = "result.json"

Termination = Literal["optimal", "infeasible", "time_limit", "interrupted", "memory", "solver_error", "refused"]

Status = Literal[
    "certified_optimal",
    "certified_gap",
    "certified_rounded",
    "feasible",
    "infeasible_certified",
    "infeasible_unproven",
    "none",
    "refused",
    "unchecked",
]

Cell = str | bool | int | FiniteFloat | None

ADVICE = "Solve again; a run is not changed by hand."

PROBLEMS_SHOWN = 10
"""A file that is no result breaks every rule: the first tell it."""


def _known_type(stated: object) -> object:
    if not isinstance(stated, str) or stated not in TYPES:
        raise ValueError(f"should be one of {', '.join(sorted(TYPES))}")
    return stated


class Strict(BaseModel):
    """A part whose values are of their types as they stand, and are not converted."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Level(Strict):
    """A level; one without a bound has none on disk, and no gap."""

    name: str
    value: FiniteFloat
    bound: FiniteFloat | None
    gap: FiniteFloat | None
    unit: str
    certified: bool
    algorithm: str

    @model_validator(mode="after")
    def _gap_to_a_bound(self) -> Level:
        if self.bound is not None and self.gap is None:
            raise ValueError("states a bound and no gap")
        return self


class Options(Strict):
    """What the solve was asked for."""

    model_config = ConfigDict(extra="allow")

    time_limit_s: FiniteFloat | None = None
    gap: Annotated[FiniteFloat, Field(ge=0, lt=1)] = 0.0


class Content(Strict):
    """The whole file; what else a run says of how it came about is kept as it is."""

    model_config = ConfigDict(extra="allow")

    model: str
    instance: str
    instance_hash: str
    policy: dict[str, Any]
    options: Options
    termination: Termination
    status: Status
    certified: bool
    levels: list[Level]
    prices: list[dict[str, Cell]]
    violations: list[dict[str, Cell]]
    infeasible_by_t: FiniteFloat | None = None
    rounded_by_t: FiniteFloat | None = None
    misses_t: FiniteFloat | None = None
    distance_t: FiniteFloat | None = None
    tables: dict[str, dict[str, Annotated[str, BeforeValidator(_known_type)]]] | None = None
    method: str = ""
    method_reason: str = ""
    checked: bool = True
    checked_as: str = ""
    calculated: bool = False
    seed: int = 0
    seconds: dict[str, FiniteFloat] = {}
    versions: dict[str, str] = {}


def parse(content: bytes) -> tuple[dict[str, Any], list[Problem]]:
    """Read the content of a file, or say everything that is wrong with it.

    Returns
    -------
    tuple
        The plain content, empty where it cannot be read, and the problems.
    """
    try:
        # Its nesting has an end, where that of Python's own reader is the stack's.
        found = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        return {}, [Problem(FILE, f"is not valid JSON ({error})", ADVICE)]
    if not isinstance(found, dict):
        return {}, [Problem(FILE, f"holds {reprlib.repr(found)} and no keys", ADVICE)]
    try:
        Content.model_validate(found)
    except ValidationError as error:
        return {}, [_problem(item) for item in error.errors(include_url=False)[:PROBLEMS_SHOWN]]
    return found, []


def tables_listed(content: bytes) -> set[str] | None:
    """Names of the tables that a file lists, whatever else is wrong with it; None where it lists none."""
    try:
        found = from_json(content)
    except ValueError:
        return None
    listed = found.get("tables") if isinstance(found, dict) else None
    return set(listed) if isinstance(listed, dict) else None


def _problem(item: Any) -> Problem:
    # A value of several forms brings a failure of each, whose name is no key.
    key = ".".join(str(step) for step in item["loc"] if step not in ("str", "bool", "int", "float"))
    if item["type"] == "missing":
        return Problem(FILE, "is missing", ADVICE, key)
    if item["type"] == "extra_forbidden":
        return Problem(FILE, "is no key that is known there", ADVICE, key)
    if item["type"] == "value_error":
        return Problem(FILE, str(item["ctx"]["error"]), ADVICE, key)
    wanted = item["msg"].removeprefix("Input should be ")
    return Problem(FILE, f"is {reprlib.repr(item['input'])}, but should be {wanted}", ADVICE, key)
