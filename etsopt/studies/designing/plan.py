"""The file of a design search: what may be chosen, the goals, the limits, and how long is searched."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.policy.keys import english_path
from etsopt.data.policy.parsing import problems_of
from etsopt.data.policy.section import Section
from etsopt.studies.designing.numbers import Goal, Limit
from etsopt.studies.sweeping.files import flat, in_words_of, instance_at, model_of_record, read_toml
from etsopt.studies.sweeping.names import unknown_names
from etsopt.studies.sweeping.outcome import LEVELS, TOTALS
from etsopt.studies.sweeping.plan import Options, scenario_of
from etsopt.studies.sweeping.scenario import is_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.data.instance import Instance
    from etsopt.studies.sweeping.scenario import Scenario

KINDS = {"policy": (), "choose": ("lower", "upper", "log")}
"""Keys of a table that is a value of a part."""

ENACTED = "enacted"
"""Name of the design that the instance states."""


class Range(Section):
    """Numbers that may be chosen."""

    lower: float = Field(description="least value")
    upper: float = Field(description="largest value")
    log: bool = Field(False, description="true to search in orders of magnitude")

    @model_validator(mode="after")
    def _in_order(self) -> Range:
        if not self.lower < self.upper or (self.log and self.lower <= 0):
            raise ValueError(_("is no range"), _("State lower below upper, and both above 0 for log = true."))
        return self


def _kind(stated: object) -> str:
    return "list" if isinstance(stated, list) else "range"


Choice = Annotated[Annotated[Range, Tag("range")] | Annotated[list[Any], Tag("list")], Discriminator(_kind)]
"""A range or a list; what is wrong is told of the one that is stated."""


class DesignFile(Section):
    """The keys of ``design.toml``."""

    instance: str = Field(description="folder or file, relative to this one, or name of a shipped instance")
    model: str = Field("allocation", description="name of a model, or path of a model file")
    seed: int = Field(0, ge=0, description="seed of the search")
    generations: int = Field(10, ge=1, le=10_000, description="number of generations")
    population: int = Field(40, ge=4, le=100_000, description="designs of a generation")
    options: Options = Options()
    policy: dict[str, Any] = Field(default_factory=dict, description="changes in every design, the enacted one too")
    choose: dict[str, Choice] = Field(min_length=1, description="range or list of the values of each key")
    goals: dict[str, Goal] = Field(min_length=1, max_length=4, description="numbers to make small or large")
    limits: dict[str, Limit] = Field(default_factory=dict, description="numbers to keep within limits")


@dataclass(frozen=True)
class DesignPlan:
    """A design search that was read. A design is a scenario whose changes are the values chosen."""

    instance: str
    model: str
    options: dict[str, Any]
    seed: int
    generations: int
    population: int
    policy: dict[str, Any]
    choose: dict[str, Range | list[Any]]
    goals: dict[str, Goal]
    limits: dict[str, Limit]
    file: str = "design.toml"
    """Name of the file."""

    enacted: Mapping[str, Any] = field(default_factory=dict)
    """Value of each choice in the enacted design, as far as it states one."""

    scenarios = ()
    """None is known before the search."""

    @property
    def tables(self) -> tuple[str, ...]:
        """What is kept: the totals, and the columns of other tables that goals and limits name."""
        numbers = (*self.goals.values(), *self.limits.values())
        further = [f"{one.table}.{one.quantity}" for one in numbers if one.table not in (LEVELS, *TOTALS)]
        return tuple(dict.fromkeys((*TOTALS, *further)))

    @property
    def about(self) -> dict[str, Any]:
        """What the search is about, for the record."""
        chosen = {key: list(one) if isinstance(one, list) else one.model_dump() for key, one in self.choose.items()}
        return {
            "file": self.file,
            "instance": self.instance,
            "model": self.model,
            "options": self.options,
            "search": {"seed": self.seed, "generations": self.generations, "population": self.population},
            "policy": self.policy,
            "choose": chosen,
            "goals": {name: one.model_dump(exclude_none=True) for name, one in self.goals.items()},
            "limits": {name: one.model_dump(exclude_none=True) for name, one in self.limits.items()},
            "enacted": dict(self.enacted),
        }

    @property
    def hash(self) -> str:
        """SHA-256 of all that decides the designs; further generations go on with a record of fewer."""
        stated = {**self.about, "instance": "", "search": {**self.about["search"], "generations": 0}}
        del stated["file"], stated["enacted"]
        return hashlib.sha256(json.dumps(stated, sort_keys=True).encode()).hexdigest()

    def of_enacted(self, instance: Instance) -> DesignPlan:
        """Return the plan with what the enacted design chooses: the policy of an instance, and each column as it is."""
        content, enacted = instance.with_policy(self.policy).policy.content, dict[str, Any]()
        for key in self.choose:
            value: Any = 1.0 if is_column(key) else content
            for part in () if is_column(key) else english_path(key.split(".")):
                value = value.get(part) if isinstance(value, dict) else None
            if isinstance(value, dict) and {*value} == {"lower", "upper"} and value["lower"] == value["upper"]:
                # A band that is stated as one number.
                value = value["upper"]
            enacted |= {} if value is None else {key: value}
        return replace(self, enacted=enacted)

    def design(self, name: str, values: Mapping[str, Any]) -> Scenario:
        """Return the scenario of chosen values."""
        return scenario_of(name, {**self.policy, **values})

    @property
    def count(self) -> int:
        """Number of designs of the whole search, the enacted one included."""
        return 1 + self.generations * self.population

    def name_of(self, number: int) -> str:
        """Return the name of a design: its generation, and its place in that."""
        generation, place = divmod(number - 1, self.population)
        return f"generation-{generation + 1}/{place + 1:0{len(str(self.population))}}" if number else ENACTED

    def scenario(self, number: int, stated: Mapping[str, Any]) -> Scenario | None:
        """Return the design of a number with the values that are stated; None if they are none of its choices."""
        values = {key: stated.get(key) for key in self.choose} if number else {}
        allowed = all(_allows(one, values[key]) for key, one in self.choose.items() if key in values)
        return self.design(self.name_of(number), values) if allowed and 0 <= number < self.count else None

    @property
    def first(self) -> Scenario:
        """The design of the first value of each choice, which has every key that any design has."""
        return self.design("", {key: _first_of(one) for key, one in self.about["choose"].items()})


def read_design(path: str | Path) -> DesignPlan:
    """Read the file of a design search.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        With every key that is unknown, missing or wrong.
    """
    content = read_toml(Path(path), _("The design"))
    return design_of(content, Path(path).parent, Path(path).name)


def design_of(content: Mapping[str, Any], folder: Path = Path(), place: str = "design.toml") -> DesignPlan:
    """Return the plan of a search from its content; paths are relative to a folder."""
    content = dict(content)
    for part in ("policy", "choose"):
        if isinstance(content.get(part), dict):
            content[part] = dict(flat(content[part], varied=part == "choose", kinds=KINDS[part]))
    unknown = list(unknown_names(content.get("model", "allocation"), _tried(content), place))
    try:
        found = DesignFile.model_validate(content)
    except ValidationError as error:
        problems = [in_words_of(problem, DesignFile, "design") for problem in problems_of(error, place)]
        # Pydantic names the kind of choice among the keys.
        problems = [replace(one, column=re.sub(r"\.(range|list)(?=\.|$)", "", one.column)) for one in problems]
        raise DataError(_("The design"), [*problems, *unknown]) from None
    if problems := [*_problems(found, place), *unknown]:
        raise DataError(_("The design"), problems)
    instance = instance_at(folder, found.instance)
    options = found.options.model_dump(exclude_defaults=True)
    search = (found.seed, found.generations, found.population)
    return DesignPlan(
        instance, found.model, options, *search, found.policy, found.choose, found.goals, found.limits, place
    )


def design_of_record(about: Mapping[str, Any]) -> DesignPlan:
    """Return the plan of a search from what its record says it is about."""
    keys = ("instance", "options", "policy", "choose", "goals", "limits")
    search = about.get("search")
    content = {key: about.get(key) for key in keys} | (search if isinstance(search, dict) else {"search": search})
    # No file of a model is run because a record names it.
    found = design_of(content, place=str(about.get("file", DesignPlan.file)))
    return replace(found, model=model_of_record(about), enacted=enacted_of(about))


def enacted_of(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the enacted design chooses, as far as a record states it."""
    enacted = about.get("enacted")
    return enacted if isinstance(enacted, dict) else {}


def _allows(choice: Range | list[Any], value: Any) -> bool:
    """Return True if a value may be chosen."""
    if isinstance(choice, list):
        return value in choice
    return isinstance(value, float) and choice.lower <= value <= choice.upper


def _tried(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a value of each key that designs change, by which names are sought; a wrong value is reported later."""
    policy, choose = (content[part] if isinstance(content.get(part), dict) else {} for part in KINDS)
    return {**policy, **{key: _first_of(one) for key, one in choose.items()}}


def _first_of(choice: Any) -> Any:
    """Return the first value of a choice, which need not be valid."""
    if isinstance(choice, list) and choice:
        return choice[0]
    return choice.get("lower") if isinstance(choice, dict) else choice


def _problems(found: DesignFile, place: str) -> Iterator[Problem]:
    """Yield what is wrong with the parts together."""
    for key, values in found.choose.items():
        if isinstance(values, list) and len({json.dumps(one, sort_keys=True) for one in values}) < 2:
            yield Problem(place, _("leaves nothing to choose"), _("State two values, or more."), f"choose.{key}")
        if key in found.policy:
            yield Problem(place, _("is stated in policy and choose"), _("State it in one of them."), key)
    for name in found.limits:
        if name in found.goals:
            yield Problem(place, _("is the name of a goal and of a limit"), _("Name them differently."), name)
