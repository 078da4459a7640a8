"""Schema of ``result.json``: every key that is read again has its type, and every number is finite."""

from __future__ import annotations

import json
import reprlib
from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import from_json

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.common.provenance import FILE, Part, Provenance
from etsopt.data.files.frames import TYPES

Termination = Literal["optimal", "infeasible", "time_limit", "interrupted", "memory", "solver_error"]

Certified = Literal["certified_optimal", "certified_gap", "certified_rounded", "certified_program", "calculated"]
Infeasible = Literal["infeasible_certified", "infeasible_program", "infeasible_unproven"]
Status = Literal[Certified, "feasible", Infeasible, "none", "refused", "unchecked"]

Cell = str | bool | int | float | None

ADVICE = _("Solve again; a run is not changed by hand.")

PROBLEMS_SHOWN = 10
"""Number of problems shown; a file that is no result breaks every rule, and the first are enough."""


def _known_type(stated: object) -> object:
    if not isinstance(stated, str) or stated not in TYPES:
        raise ValueError(_("should be one of {types}", types=", ".join(sorted(TYPES))))
    return stated


ColumnType = Annotated[str, BeforeValidator(_known_type)]


class Level(Part):
    """An objective; one without a bound has none on disk, and no gap."""

    name: str = Field(description="objective, or row of a proof")
    value: float = Field(description="value of the answer, in its unit")
    bound: float | None = Field(description="proven bound, in the same unit; null without one")
    gap: float | None = Field(description="value minus bound over the value, at least of its size")
    unit: str = Field(description="unit of value and bound")
    certified: bool = Field(description="true if the gap is within the one asked for")
    algorithm: str = Field(description="algorithm that found the value, with its iterations")
    spending: float | None = Field(
        None, description="spending in the cost of whole plans [CNY], of which the gap is a share if it is larger"
    )

    @model_validator(mode="after")
    def _gap_to_a_bound(self) -> Level:
        if self.bound is not None and self.gap is None:
            raise ValueError(_("states a bound and no gap"))
        return self


class Content(Provenance):
    """The whole file: provenance, claims, and the types of the columns of each table."""

    termination: Termination = Field(description="why the solve ended")
    status: Status = Field(description="what is held, and what of it is proven")
    certified: bool = Field(description="true if the checker recomputed every limit and the bound of the status")
    infeasible_by_t: float | None = Field(None, description="proven infeasibility [t]")
    rounded_by_t: float | None = Field(None, description="largest move of a unit by whole tonnes [t]")
    misses_t: float | None = Field(None, description="largest violation of a limit [t]")
    distance_t: float | None = Field(None, description="largest distance of a unit from the one answer [t]")
    levels: list[Level] = Field(description="objectives in lexicographic order")
    prices: list[dict[str, Cell]] = Field(description="prices of years, or shadow prices of limits, with their units")
    violations: list[dict[str, Cell]] = Field(description="violations that the checker found")
    tables: dict[str, dict[str, ColumnType]] | None = Field(None, description="type of each column of each table")

    @property
    def provenance(self) -> Provenance:
        """What the file states beside its claims and tables."""
        return Provenance.model_validate({name: getattr(self, name) for name in self.model_fields_set & OF_PROVENANCE})


OF_PROVENANCE = set(Provenance.model_fields)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of ``result.json``, for tools that read runs."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "result.json of an etsopt run",
        **{key: value for key, value in Content.model_json_schema().items() if key != "title"},
    }


def parse(content: bytes, subject: str) -> Content:
    """Read the content of a file, of a subject that messages name.

    Raises
    ------
    DataError
        With the first problems of the file.
    """
    try:
        # This reader limits the nesting; Python's own fails at the end of the stack.
        parsed, repeated = from_json(content, allow_inf_nan=False), _keys_repeated(content)
    except ValueError as error:
        raise DataError(subject, [Problem(FILE, _("is not valid JSON ({error})", error=error), ADVICE)]) from None
    if not isinstance(parsed, dict):
        what = _("is {parsed}, but should be an object with keys", parsed=reprlib.repr(parsed))
        raise DataError(subject, [Problem(FILE, what, ADVICE)])
    if repeated:
        # Readers of JSON differ in which of two values they take.
        raise DataError(subject, [Problem(FILE, _("is stated twice"), ADVICE, key) for key in repeated])
    try:
        return Content.model_validate(parsed)
    except ValidationError as error:
        problems = map(_problem, error.errors(include_url=False)[:PROBLEMS_SHOWN])
        raise DataError(subject, [*problems]) from None


def _keys_repeated(content: bytes) -> list[str]:
    """Return the keys that an object of a file states more than once, in any part of it."""
    repeated: list[str] = []

    def see(pairs: list[tuple[str, object]]) -> None:
        repeated.extend(key for key, count in Counter(key for key, _value in pairs).items() if count > 1)

    json.loads(content, object_pairs_hook=see)
    return [*dict.fromkeys(repeated)][:PROBLEMS_SHOWN]


def _problem(item: Any) -> Problem:
    # A value of several possible types reports a failure of each type, whose name is no key.
    key = ".".join(str(step) for step in item["loc"] if step not in ("str", "bool", "int", "float"))
    if item["type"] == "missing":
        return Problem(FILE, _("is missing"), ADVICE, key)
    if item["type"] == "extra_forbidden":
        return Problem(FILE, _("is an unknown key"), ADVICE, key)
    if item["type"] == "value_error":
        return Problem(FILE, str(item["ctx"]["error"]), ADVICE, key)
    wanted = item["msg"].removeprefix("Input should be ").partition(" or instance of ")[0]
    return Problem(
        FILE,
        _("is {input}, but should be {wanted}", input=reprlib.repr(item["input"]), wanted=wanted),
        ADVICE,
        key,
    )
