"""Records of sweeps whose outcomes are written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.studies.sweeping import Record, plan_of
from etsopt.studies.sweeping.outcome import Label, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from etsopt.studies.sweeping import SweepPlan
    from etsopt.studies.sweeping.scenario import Scenario

VERSIONS = {"etsopt": "1.2.3"}


def label(table: str, quantity: str, unit: str, **place: str) -> Label:
    where = {"sector": "", "province": "", "year": "", "id": ""} | place
    return Label(table, where["sector"], where["province"], where["year"], where["id"], quantity, unit)


def outcome(number: int, values: Mapping[Label, float], status: str = "certified_optimal", said: str = "") -> Outcome:
    return Outcome(number, status, "optimal", status == "certified_optimal", 0.1, said, dict(values))


def written(folder: Path, content: Mapping[str, Any], solved: Callable[[int, Scenario], Outcome | None]) -> SweepPlan:
    """Write the record of a sweep; a scenario without an outcome is pending."""
    plan = plan_of({"instance": "tiny", **content})
    folder.mkdir(exist_ok=True)
    with Record(folder / "sweep.sqlite") as record:
        record.begin(plan, "a" * 64, VERSIONS)
        found = (solved(number, scenario) for number, scenario in enumerate(plan.scenarios))
        record.add([one for one in found if one is not None])
    return plan
