"""Check the record of a sweep or a design search: damage by hashes, and truth by solving some of it again.

A hash tells of damage and of careless changes; whoever changes an outcome can make a new hash. Only what is solved
again is confirmed, by the instance of which the record states the hash, and by a choice that the reader's seed makes.
Scenarios are those of the plan, which is made again from what the record states of its file; that this is the file
that was meant, its owner alone knows.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _
from etsopt.common.progress import checkpoint
from etsopt.common.units import LEAST_TOLERANCE
from etsopt.running.library import is_file
from etsopt.running.provenance import versions
from etsopt.running.reading import read
from etsopt.studies.sweeping.engine import Engine
from etsopt.studies.sweeping.files import model_of_record
from etsopt.studies.sweeping.outcome import NO_ANSWER, PROVEN
from etsopt.studies.sweeping.plan import plan_of
from etsopt.studies.sweeping.scenario import NOTHING, stated_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from etsopt.data.instance import Instance
    from etsopt.studies.sweeping.outcome import Outcome
    from etsopt.studies.sweeping.plan import SweepPlan
    from etsopt.studies.sweeping.record import Record
    from etsopt.studies.sweeping.scenario import Planned

SEEDS = 2**32
"""Seeds from which one is drawn that nobody knew when the record was written."""

AGAIN = 20
"""Outcomes that are solved again if nothing else is asked for."""

RELATIVE, LEAST = 1e-6, 1e-9
"""Tolerance of a number that is solved again: relative, and the least of a unit without one of its own."""

DIFFERENCES_KEPT = 20
"""Differences that a check names."""


@dataclass(frozen=True)
class RecordCheck:
    """What a check of a record found.

    Parameters
    ----------
    scenarios, outcomes, proven
        Number of scenarios of the plan that the record states, of outcomes, and of those that are certified.
    damaged
        Names of scenarios whose outcome was changed since it was kept.
    again, seed
        Number of certified outcomes that were solved again, and the seed that chose them.
    differences
        Scenario, or file of the record, what differs, what is kept and what was found, of all that is not confirmed.
    """

    scenarios: int
    outcomes: int
    proven: int
    damaged: tuple[str, ...]
    again: int
    seed: int
    differences: tuple[tuple[str, str, str, str], ...]

    @property
    def holds(self) -> bool:
        """True if nothing is damaged and everything that was solved again is confirmed."""
        return not (self.damaged or self.differences)


def instance_of(record: Record, source: str | Path | None = None) -> Instance:
    """Return the instance of a record.

    Parameters
    ----------
    source
        Where it lies; by default where the record says that it lay.

    Raises
    ------
    UsageError
        If it is another one than the record's by its hash.
    """
    about = record.about
    instance = read(source or about["instance"])
    if instance.hash != about.get("instance_hash"):
        what = _("{source!r} is not the instance that was solved: its hash differs.", source=str(instance.name))
        raise UsageError(what, _("Name the one that was by --instance."))
    return instance


def _examined(record: Record) -> tuple[list[str], list[int]]:
    """Return the names of outcomes that are not what was kept, and numbers of those that are certified, in one pass."""
    damaged, proven, statements = [], [], record.statements
    for number, kept in record.hashes.items():
        outcome = record.outcome(number)
        is_proven = outcome.status in (*PROVEN, *NO_ANSWER)
        whole = outcome.hash(statements.get(number)) == kept and outcome.certified == is_proven
        damaged += [] if whole else [statements.get(number, (str(number),))[0]]
        proven += [number] if outcome.certified else []
    return damaged, proven


def plan_of_record(about: Mapping[str, Any]) -> SweepPlan:
    """Return the plan of a sweep, made again from the parts of its file that a record states.

    Raises
    ------
    DataError
        With every key that is missing or wrong.
    """
    parts = {"stated": {}, **about}["stated"]
    parts = parts if isinstance(parts, dict) else {"stated": parts}
    content = {key: about.get(key) for key in ("instance", "options", "tables")} | parts
    # No file of a model is run because a record names it.
    plan = plan_of({key: one for key, one in content.items() if key != "file"}, place=str(parts.get("file")))
    return replace(plan, model=model_of_record(about))


def _about(record: Record, plan: Planned) -> Iterator[tuple[str, str, str, str]]:
    """Yield what a record says of all scenarios, and its plan does not."""
    about, stated = record.about, {**json.loads(json.dumps(plan.about)), "plan": plan.hash}
    for key in (stated | about).keys() - {"instance_hash", "versions"}:
        if key not in about or key not in stated or about[key] != stated[key]:
            yield record.path.name, key, brief(about.get(key)), brief(stated.get(key))


def _scenarios(record: Record, plan: Planned) -> Iterator[tuple[str, str, str, str]]:
    """Yield every scenario that a record has otherwise than its plan, with what differs; of a search up to its last."""
    statements, shared = record.statements, record.shared
    # A number may be any that a file states: a range up to it would not end.
    for number in sorted({*range(max(len(plan.scenarios), len(statements))), *statements}):
        kept = statements.get(number, ("", NOTHING, ""))
        scenario = plan.scenario(number, stated_in(kept[1]))
        found = scenario.statement(shared) if scenario else ("", NOTHING, "")
        for name, one, other in zip(("name", "content", "key"), kept, found, strict=True):
            if one != other:
                yield found[0] or kept[0], name, brief(one), brief(other)


def begin(record: Record, plan: Planned, instance: Instance, resume: bool) -> None:
    """State the scenarios of a plan in its record, or go on with one that has outcomes.

    Raises
    ------
    UsageError
        If the record is of another plan, instance or version, an outcome was changed since it was kept, or there are
        some and ``resume`` is not asked for.
    """
    record.begin(plan, instance.hash, versions().model_dump())
    damaged = [*(one[0] for one in _scenarios(record, plan)), *_examined(record)[0]]
    if damaged:
        what = _(
            "{path!r} holds {count:,} outcomes that were changed since they were kept, the first of {name}.",
            path=str(record.path),
            count=len({*damaged}),
            name=damaged[0],
        )
        raise UsageError(what, _("Name another folder by --out, or remove this one to begin again."))
    if record.known and not resume:
        what = _("The record {path!r} has {count:,} outcomes.", path=str(record.path), count=len(record.known))
        raise UsageError(what, _("Go on with --resume, or name another folder by --out."))


def check_record(
    record: Record,
    instance: Instance,
    plan: Planned,
    again: int | None = AGAIN,
    seed: int | None = None,
    model_file: str | None = None,
) -> RecordCheck:
    """Compare scenarios with their plan and outcomes with their hashes, and solve some certified ones again.

    Parameters
    ----------
    plan
        The plan, made again from what the record is about.
    again
        How many are solved again; None for all.
    seed
        Seed of their choice; None for one that nobody knew when the record was written.
    model_file
        File of the model, if it is one's own: code that a record names is never run, and nothing is solved without it.
    """
    damaged, proven = _examined(record)
    differences = [*_about(record, plan), *_scenarios(record, plan)]
    engine = replace(Engine.of(plan, instance), model=model_file or plan.model)
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    chosen = [] if is_file(plan.model) and model_file is None else proven
    if chosen and again is not None and again < len(proven):
        chosen = sorted(np.random.default_rng(seed).choice(proven, again, replace=False).tolist())
    for place, number in enumerate(chosen):
        checkpoint(_("solved again, of {count:,}", count=len(chosen)), place + 1)
        if scenario := plan.scenario(number, record.scenario(number)[1]):
            found = engine.outcome(number, scenario)
            differences += [(scenario.name, *one) for one in _differences(record.outcome(number), found)]
    counts, kept = (plan.count, len(record.known), len(proven)), tuple(differences[:DIFFERENCES_KEPT])
    return RecordCheck(*counts, tuple(damaged), len(chosen), seed, kept)


def _differences(kept: Outcome, found: Outcome) -> Iterator[tuple[str, str, str]]:
    """Yield what is otherwise in an outcome that was found than in the one that was kept."""
    if kept.status != found.status:
        yield "status", kept.status, found.status or found.message
        return
    for name in ("termination", "message"):
        if (said := str(getattr(kept, name))) != (now := str(getattr(found, name))):
            yield name, said, now
    for label in kept.values.keys() | found.values.keys():
        one, other = (values.get(label, np.nan) for values in (kept.values, found.values))
        size = LEAST_TOLERANCE.get(label.unit, LEAST) + RELATIVE * max(abs(one), abs(other))
        if one != other and not abs(one - other) <= size < np.inf:
            yield " ".join(filter(None, label[:-1])), f"{one:.12g}", f"{other:.12g}"


def other_files(written: dict[str, Any], folder: Path) -> list[str]:
    """Return the names of CSV files beside a record that are not what it holds; those that are not there are left out.

    Parameters
    ----------
    written
        Tables by name as they are written from the record.
    """
    from tempfile import TemporaryDirectory

    from etsopt.data.files.write import write_table

    other = []
    with TemporaryDirectory() as place:
        for name, table in written.items():
            there, again = folder / f"{name}.csv", type(folder)(place) / f"{name}.csv"
            if there.is_file():
                write_table(table, again)
                if there.read_bytes() != again.read_bytes():
                    other.append(there.name)
    return other
