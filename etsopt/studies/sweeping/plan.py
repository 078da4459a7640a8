"""The file of a sweep: an instance, a model, and changes that are combined to scenarios.

Every named scenario is combined with every point of the grid, every place of the paired lists and every draw of the
sample; a part that is not stated has one element without changes.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from etsopt.common.errors import DataError, Problem
from etsopt.common.language import _
from etsopt.data.policy.parsing import problems_of
from etsopt.data.policy.section import Section
from etsopt.studies.sweeping.files import flat, in_words_of, instance_at, read_toml
from etsopt.studies.sweeping.names import unknown_names
from etsopt.studies.sweeping.sampling import Distribution, Sample, draws
from etsopt.studies.sweeping.scenario import Scenario, is_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.studies.sweeping.scenario import Factor

PLACE = _("the scenarios")
"""Place of the problems of scenarios that no file states."""

MOST_SCENARIOS = 10_000_000
"""Number of scenarios above which a file is taken for a mistake."""


class Options(Section):
    """Options of each solve, as `etsopt.solve` takes them."""

    time_limit_s: float | None = Field(None, gt=0, description="seconds for each scenario")
    gap: float | None = Field(None, ge=0, description="relative gap of integer programs")
    seed: int = Field(0, description="seed of the solver")
    method: str | None = Field(None, description="direct, aggregation, decomposition or pyomo")


class SweepFile(Section):
    """The keys of ``sweep.toml``."""

    instance: str = Field(description="folder or file, relative to this one, or name of a shipped instance")
    model: str = Field("allocation", description="name of a model, or path of a model file")
    seed: int = Field(0, ge=0, description="seed of the draws")
    tables: list[str] | None = Field(None, description="tables, or table.column, to keep; default totals")
    options: Options = Options()
    policy: dict[str, Any] = Field(default_factory=dict, description="changes in every scenario")
    scenarios: dict[str, dict[str, Any]] = Field(default_factory=dict, description="named sets of changes")
    grid: dict[str, list[Any]] = Field(default_factory=dict, description="values of which every combination is taken")
    paired: dict[str, list[Any]] = Field(default_factory=dict, description="lists of values that are taken together")
    sample: Sample | None = Field(None, description="draws from distributions")


VARIED = ("policy", "scenarios", "grid", "paired", "sample")
"""Parts of which scenarios are combined."""

PARTS = {"seed", *VARIED}
"""Keys that decide the scenarios."""


@dataclass(frozen=True)
class SweepPlan:
    """A sweep that was read: what is solved, and every scenario in its order."""

    instance: str
    model: str
    options: dict[str, Any]
    tables: tuple[str, ...] | None
    scenarios: tuple[Scenario, ...]
    stated: dict[str, Any] = field(default_factory=dict)
    """Name of the file, seed, and the parts that are combined."""

    @property
    def sampled(self) -> bool:
        """True if the last part of every name is a draw."""
        return "sample" in self.stated

    @property
    def place(self) -> str:
        """Name of its file, for messages."""
        place: str = self.stated.get("file", PLACE)
        return place

    @property
    def about(self) -> dict[str, Any]:
        """What all scenarios share, for the record."""
        return {**self._deciding, "stated": self.stated}

    @property
    def _deciding(self) -> dict[str, Any]:
        """What decides the answers, beside the scenarios."""
        tables = None if self.tables is None else list(self.tables)
        return {"instance": self.instance, "model": self.model, "options": self.options, "tables": tables}

    @property
    def hash(self) -> str:
        """SHA-256 of model, options and every scenario."""
        digest = hashlib.sha256(json.dumps({**self._deciding, "instance": ""}, sort_keys=True).encode())
        for scenario in self.scenarios:
            digest.update(f"\n{scenario.name}\n{scenario.content}".encode())
        return digest.hexdigest()

    @property
    def count(self) -> int:
        """Number of scenarios."""
        return len(self.scenarios)

    def scenario(self, number: int, stated: Mapping[str, Any]) -> Scenario | None:
        """Return the scenario of a number, whatever is stated of it."""
        return self.scenarios[number] if 0 <= number < self.count else None


def read_plan(path: str | Path) -> SweepPlan:
    """Read the file of a sweep.

    Raises
    ------
    UsageError
        If there is no such file.
    DataError
        With every key that is unknown, missing or wrong.
    """
    return plan_of(read_toml(Path(path), _("The sweep")), Path(path).parent, Path(path).name)


def plan_of(content: Mapping[str, Any], folder: Path = Path(), place: str = "sweep.toml") -> SweepPlan:
    """Return the plan of a sweep from its content; paths are relative to a folder."""
    content = _flattened(content)
    try:
        found, problems = SweepFile.model_validate(content), []
    except ValidationError as error:
        found, problems = _readable(content), problems_of(error, place)
        problems = [in_words_of(problem, SweepFile, "sweep") for problem in problems]
    problems += [*_problems(found, place), *unknown_names(content.get("model", "allocation"), _changes(content), place)]
    if problems:
        raise DataError(_("The sweep"), problems)
    instance, options = instance_at(folder, found.instance), found.options.model_dump(exclude_defaults=True)
    tables = None if found.tables is None else tuple(found.tables)
    stated = {"file": place, **found.model_dump(exclude_none=True, include=PARTS)}
    return SweepPlan(instance, found.model, options, tables, tuple(_scenarios(found)), stated)


def _flattened(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a file with the keys of its parts by dotted path."""
    content = dict(content)
    for part in ("policy", "grid", "paired"):
        if isinstance(content.get(part), dict):
            content[part] = dict(flat(content[part], varied=part != "policy"))
    if isinstance(named := content.get("scenarios"), dict):
        content["scenarios"] = {
            str(name): dict(flat(one)) if isinstance(one, dict) else one for name, one in named.items()
        }
    if isinstance(sample := content.get("sample"), dict) and isinstance(sample.get("values"), dict):
        values = dict(flat(sample["values"], varied=True, kinds=Distribution.model_fields))
        content["sample"] = {**sample, "values": values}
    return content


def _readable(content: Mapping[str, Any]) -> SweepFile:
    """Return the keys that are right by themselves, so that all that is wrong with a file is reported at once."""
    kept: dict[str, Any] = {"instance": ""}
    for part in VARIED:
        right = {key: one for key, one in _stated(content, part).items() if _is_right(_within(part, {key: one}))}
        kept |= _within(part, right) if right else {}
    return SweepFile.model_validate(kept)


def _stated(content: Mapping[str, Any], part: str) -> dict[str, Any]:
    """Return the keys of a part, none if it is no table."""
    found = content.get(part)
    found = found.get("values") if part == "sample" and isinstance(found, dict) else found
    return found if isinstance(found, dict) else {}


def _within(part: str, keys: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file with one part."""
    return {part: {"number": 1, "values": keys} if part == "sample" else keys}


def _is_right(part: dict[str, Any]) -> bool:
    try:
        SweepFile.model_validate({"instance": "", **part})
    except ValidationError:
        return False
    return True


def _changes(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return every key that some scenario changes, with one of its values; None for a draw."""
    changes: dict[str, Any] = dict.fromkeys(_stated(content, "sample"))
    for part in ("grid", "paired"):
        lists = _stated(content, part)
        changes |= {key: one[0] if isinstance(one, list) and one else None for key, one in lists.items()}
    for one in _stated(content, "scenarios").values():
        changes |= one if isinstance(one, dict) else {}
    return changes | _stated(content, "policy")


def _problems(found: SweepFile, place: str) -> Iterator[Problem]:
    """Yield what is wrong with the parts together."""
    lengths = {key: len(values) for key, values in found.paired.items()}
    if len(set(lengths.values())) > 1:
        what = _(
            "has lists of {listed} values", listed=", ".join((f"{number} ({key})" for key, number in lengths.items()))
        )
        yield Problem(place, what, _("Make the lists equally long: they are taken together."), "paired")
    for part, lists in (("grid", found.grid), ("paired", found.paired)):
        for key, values in lists.items():
            if not values:
                yield Problem(place, _("is an empty list"), _("State at least one value."), f"{part}.{key}")
    parts = {"policy": found.policy, "grid": found.grid, "paired": found.paired}
    parts["sample"] = found.sample.values if found.sample else {}
    stated = [(key, part) for part, keys in parts.items() for key in keys]
    for key in sorted({key for key, _part in stated}):
        within = [part for one, part in stated if one == key]
        if len(within) > 1 and within != ["policy", within[-1]]:
            advice = _("State it in one of them: they are combined with each other.")
            yield Problem(place, _("is stated in {within}", within=" and ".join(within)), advice, key)
    for key, factor in _factors(found):
        if not isinstance(factor, int | float) or isinstance(factor, bool) or not 0 <= factor < math.inf:
            advice = _("State a number of at least 0, by which the column is multiplied.")
            yield Problem(place, _("is {factor!r}: expected a factor", factor=factor), advice, key)
    for key, distribution in found.sample.values.items() if found.sample else ():
        if distribution.each == "row" and not is_column(key):
            yield Problem(place, _("has no rows"), _('Leave `each = "row"` out.'), f"sample.values.{key}")
    if (number := _count(found)) > MOST_SCENARIOS:
        what = _("combine to {number:,} scenarios", number=number)
        advice = _("Keep it at {most_scenarios:,} at most.", most_scenarios=MOST_SCENARIOS)
        yield Problem(place, _("The parts {what}", what=what), advice)


def _factors(found: SweepFile) -> Iterator[tuple[str, Any]]:
    """Yield every stated factor of a column."""
    for key, value in itertools.chain(found.policy.items(), *(one.items() for one in found.scenarios.values())):
        if is_column(key):
            yield key, value
    for key, values in itertools.chain(found.grid.items(), found.paired.items()):
        yield from ((key, value) for value in values if is_column(key))
    for key, distribution in found.sample.values.items() if found.sample else ():
        yield from ((key, value) for value in distribution.choice or () if is_column(key))


def _count(found: SweepFile) -> int:
    parts = [max(1, len(found.scenarios)), *map(len, found.grid.values())]
    parts += [max(map(len, found.paired.values()), default=1), found.sample.count if found.sample else 1]
    return math.prod(parts)


def _scenarios(found: SweepFile) -> Iterator[Scenario]:
    """Yield every combination of the parts, in their order."""
    shared = scenario_of("", found.policy)
    named = [scenario_of(name, one) for name, one in found.scenarios.items()]
    grid = _numbered(
        "grid", [dict(zip(found.grid, one, strict=True)) for one in itertools.product(*found.grid.values())]
    )
    paired = _numbered(
        "pair", [dict(zip(found.paired, one, strict=True)) for one in zip(*found.paired.values(), strict=True)]
    )
    sample = list(_samples(found))
    for parts in itertools.product(named or [Scenario("")], grid, paired, sample):
        scenario = shared
        for part in parts:
            scenario = scenario.with_others(part)
        yield scenario if scenario.name else Scenario("base", scenario.changes, scenario.factors)


def _numbered(part: str, changes: list[dict[str, Any]]) -> list[Scenario]:
    """Return scenarios with numbers of one width as names; one without changes has no name."""
    if not any(changes):
        return [Scenario("")]
    width = len(str(len(changes)))
    return [scenario_of(f"{part}-{number:0{width}}", one) for number, one in enumerate(changes, 1)]


def scenario_of(name: str, changes: Mapping[str, Any]) -> Scenario:
    """Return a scenario, whose keys are those of the policy and columns with a factor."""
    policy = {key: value for key, value in changes.items() if not is_column(key)}
    return Scenario(name, policy, {key: float(value) for key, value in changes.items() if is_column(key)})


def _samples(found: SweepFile) -> Iterator[Scenario]:
    """Yield a scenario of each draw."""
    if found.sample is None:
        yield Scenario("")
        return
    for draw in draws(found.sample, found.seed):
        scenario = scenario_of(draw.name, draw.values)
        by_row: dict[str, Factor] = {key: (found.sample.values[key], seed) for key, seed in draw.seeds.items()}
        yield Scenario(scenario.name, scenario.changes, {**scenario.factors, **by_row})
