"""Check the record of a sweep or a design search: damage by hashes, and truth by solving some of it again.

A hash tells of damage and of careless changes; whoever changes an outcome can make a new hash. Only what is solved
again is confirmed, by the instance of which the record states the hash, and by a choice that the reader's seed makes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from etsopt.errors import UsageError
from etsopt.language import _
from etsopt.progress import checkpoint
from etsopt.running.library import is_file
from etsopt.running.provenance import versions
from etsopt.running.reading import read
from etsopt.solving.options import SolveOptions
from etsopt.sweeping.engine import Engine
from etsopt.sweeping.outcome import NO_ANSWER, PROVEN
from etsopt.sweeping.scenario import Scenario
from etsopt.units import LEAST_TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from etsopt.data.instance import Instance
    from etsopt.sweeping.outcome import Outcome
    from etsopt.sweeping.record import Record
    from etsopt.sweeping.scenario import Planned

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
    outcomes, proven
        Number of outcomes, and of those that are certified.
    damaged
        Names of scenarios whose outcome was changed since it was kept.
    again, seed
        Number of certified outcomes that were solved again, and the seed that chose them.
    differences
        Scenario, what differs, what is kept and what was found, of outcomes that are not confirmed.
    """

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
    if instance.hash != about["instance_hash"]:
        what = _("{source!r} is not the instance that was solved: its hash differs.", source=str(instance.name))
        raise UsageError(what, _("Name the one that was by --instance."))
    return instance


def _examined(record: Record) -> tuple[list[int], list[int]]:
    """Return the numbers of outcomes that are not what was kept, and of those that are certified, in one pass."""
    damaged, proven = [], []
    for number, kept in record.hashes.items():
        outcome = record.outcome(number)
        is_proven = outcome.status in (*PROVEN, *NO_ANSWER)
        whole = outcome.hash(record.statement(number)) == kept and outcome.certified == is_proven
        damaged += [] if whole else [number]
        proven += [number] if outcome.certified else []
    return damaged, proven


def begin(record: Record, plan: Planned, instance: Instance, resume: bool) -> None:
    """State the scenarios of a plan in its record, or go on with one that has outcomes.

    Raises
    ------
    UsageError
        If the record is of another plan, instance or version, an outcome was changed since it was kept, or there are
        some and ``resume`` is not asked for.
    """
    record.begin(plan, instance.hash, versions().model_dump())
    if damaged := _examined(record)[0]:
        what = _(
            "{path!r} holds {count:,} outcomes that were changed since they were kept, the first of {name}.",
            path=str(record.path),
            count=len(damaged),
            name=record.scenario(damaged[0])[0],
        )
        raise UsageError(what, _("Name another folder by --out, or remove this one to begin again."))
    if record.known and not resume:
        what = _("The record {path!r} has {count:,} outcomes.", path=str(record.path), count=len(record.known))
        raise UsageError(what, _("Go on with --resume, or name another folder by --out."))


def check_record(
    record: Record,
    instance: Instance,
    tables: tuple[str, ...] | None,
    again: int | None = AGAIN,
    seed: int | None = None,
    model_file: str | None = None,
) -> RecordCheck:
    """Compare every outcome with its hash, and solve some certified ones again.

    Parameters
    ----------
    tables
        Tables of which numbers are kept; None for the totals.
    again
        How many are solved again; None for all.
    seed
        Seed of their choice; None for one that nobody knew when the record was written.
    model_file
        File of the model, if it is one's own: code that a record names is never run, and nothing is solved without it.
    """
    about, (damaged, proven) = record.about, _examined(record)
    engine = Engine(instance, model_file or about["model"], SolveOptions(**about["options"]), tables)
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    chosen = [] if is_file(about["model"]) and model_file is None else proven
    if chosen and again is not None and again < len(proven):
        chosen = sorted(np.random.default_rng(seed).choice(proven, again, replace=False).tolist())
    differences: list[tuple[str, str, str, str]] = []
    for place, number in enumerate(chosen):
        checkpoint(_("solved again, of {count:,}", count=len(chosen)), place + 1)
        name, content, _key = record.statement(number) or ("", "{}", "")
        scenario, kept = Scenario.of_content(name, content), record.outcome(number)
        found = engine.outcome(number, scenario)
        differences += [(name, *one) for one in _differences(kept, found)]
    names = tuple(record.scenario(number)[0] for number in damaged)
    return RecordCheck(len(record.known), len(proven), names, len(chosen), seed, tuple(differences[:DIFFERENCES_KEPT]))


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
