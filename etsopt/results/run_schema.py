"""Schema of ``result.json``: every key that is read again has its type, and every number is finite."""

from __future__ import annotations

import reprlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError, model_validator
from pydantic_core import from_json

from etsopt.data.files.frames import TYPES
from etsopt.errors import Problem
from etsopt.language import _

FILE = "result.json"

Termination = Literal["optimal", "infeasible", "time_limit", "interrupted", "memory", "solver_error"]

Status = Literal[
    "certified_optimal",
    "certified_gap",
    "certified_rounded",
    "certified_program",
    "calculated",
    "feasible",
    "infeasible_certified",
    "infeasible_program",
    "infeasible_unproven",
    "none",
    "refused",
    "unchecked",
]

Cell = str | bool | int | FiniteFloat | None

ADVICE = _("Solve again; a run is not changed by hand.")

PROBLEMS_SHOWN = 10
"""Number of problems shown; a file that is no result breaks every rule, and the first are enough."""


def _known_type(stated: object) -> object:
    if not isinstance(stated, str) or stated not in TYPES:
        raise ValueError(_("should be one of {types}", types=", ".join(sorted(TYPES))))
    return stated


class Strict(BaseModel):
    """A part whose values have their types, without conversion."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Level(Strict):
    """An objective; one without a bound has none on disk, and no gap."""

    name: str = Field(description="objective, or row of a proof")
    value: FiniteFloat = Field(description="value of the answer, in its unit")
    bound: FiniteFloat | None = Field(description="proven bound, in the same unit; null without one")
    gap: FiniteFloat | None = Field(description="value minus bound over the value, at least of its size")
    unit: str = Field(description="unit of value and bound")
    certified: bool = Field(description="true if the gap is within the one asked for")
    algorithm: str = Field(description="algorithm that found the value, with its iterations")
    spending: FiniteFloat | None = Field(
        None, description="spending in the cost of whole plans [CNY], of which the gap is a share if it is larger"
    )

    @model_validator(mode="after")
    def _gap_to_a_bound(self) -> Level:
        if self.bound is not None and self.gap is None:
            raise ValueError(_("states a bound and no gap"))
        return self


class Options(Strict):
    """Options of the solve."""

    model_config = ConfigDict(extra="allow")

    time_limit_s: FiniteFloat | None = None
    gap: Annotated[FiniteFloat, Field(ge=0, lt=1)] = 0.0


class Content(Strict):
    """The whole file; further provenance is kept unchanged."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(description="name of the model")
    instance: str = Field(description="name of the instance")
    instance_hash: str = Field(description="SHA-256 over every cell of its tables and every key of its policy")
    policy: dict[str, Any] = Field(description="the policy, key by key")
    options: Options = Field(description="options of the solve")
    termination: Termination = Field(description="why the solve ended")
    status: Status = Field(description="what is held, and what of it is proven")
    certified: bool = Field(description="true if the checker recomputed every limit and the bound of the status")
    levels: list[Level] = Field(description="objectives in lexicographic order")
    prices: list[dict[str, Cell]] = Field(description="prices of years, or shadow prices of limits, with their units")
    violations: list[dict[str, Cell]] = Field(description="violations that the checker found")
    infeasible_by_t: FiniteFloat | None = Field(None, description="proven infeasibility [t]")
    rounded_by_t: FiniteFloat | None = Field(None, description="largest move of a unit by whole tonnes [t]")
    misses_t: FiniteFloat | None = Field(None, description="largest violation of a limit [t]")
    distance_t: FiniteFloat | None = Field(None, description="largest distance of a unit from the one answer [t]")
    tables: dict[str, dict[str, Annotated[str, BeforeValidator(_known_type)]]] | None = None
    method: str = ""
    method_reason: str = ""
    seed: int = 0
    seconds: dict[str, FiniteFloat] = {}
    versions: dict[str, str] = {}


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of ``result.json``, for tools that read runs."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "result.json of an etsopt run",
        **{key: value for key, value in Content.model_json_schema().items() if key != "title"},
    }


def parse(content: bytes) -> tuple[dict[str, Any], list[Problem]]:
    """Read the content of a file, or report its problems.

    Returns
    -------
    tuple
        The plain content, empty if it cannot be read, and the problems.
    """
    try:
        # This reader limits the nesting; Python's own fails at the end of the stack.
        parsed = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        return {}, [Problem(FILE, _("is not valid JSON ({error})", error=error), ADVICE)]
    if not isinstance(parsed, dict):
        return {}, [
            Problem(FILE, _("is {parsed}, but should be an object with keys", parsed=reprlib.repr(parsed)), ADVICE)
        ]
    try:
        Content.model_validate(parsed)
    except ValidationError as error:
        return {}, [_problem(item) for item in error.errors(include_url=False)[:PROBLEMS_SHOWN]]
    return parsed, []


def tables_listed(content: bytes) -> set[str] | None:
    """Return the names of the tables that a file lists, whatever its other problems; None if it lists none."""
    try:
        parsed = from_json(content)
    except ValueError:
        return None
    listed = parsed.get("tables") if isinstance(parsed, dict) else None
    return set(listed) if isinstance(listed, dict) else None


def _problem(item: Any) -> Problem:
    # A value of several possible types reports a failure of each type, whose name is no key.
    key = ".".join(str(step) for step in item["loc"] if step not in ("str", "bool", "int", "float"))
    if item["type"] == "missing":
        return Problem(FILE, _("is missing"), ADVICE, key)
    if item["type"] == "extra_forbidden":
        return Problem(FILE, _("is an unknown key"), ADVICE, key)
    if item["type"] == "value_error":
        return Problem(FILE, str(item["ctx"]["error"]), ADVICE, key)
    wanted = item["msg"].removeprefix("Input should be ")
    return Problem(
        FILE,
        _("is {input}, but should be {wanted}", input=reprlib.repr(item["input"]), wanted=wanted),
        ADVICE,
        key,
    )
