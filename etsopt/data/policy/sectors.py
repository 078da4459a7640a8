"""Sectors that a policy names: those of China's plans under their rules, and any under another rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.errors import PROBLEMS_SHOWN, Problem, brief
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean
from etsopt.data.policy.allocation import of_allocation
from etsopt.data.policy.plans import NATIONAL, PLAN_YEARS
from etsopt.data.tables.schema import SECTORS

if TYPE_CHECKING:
    from collections.abc import Mapping


def problems_of_sectors(content: Mapping[str, Any], place: str, before: int) -> list[Problem]:
    """Find sectors of a policy's content that China's plans do not have, if the rule is one of these.

    Parameters
    ----------
    before
        Number of problems that are shown before these: guesses at names take time.
    """
    rule, abatement = content.get("rule"), content.get("abatement")
    if isinstance(rule, dict) and rule.get("name") not in (*PLAN_YEARS, NATIONAL):
        return []
    cuts = abatement.get("output_cut") if isinstance(abatement, dict) else None
    by_path = {"sectors": content.get("sectors"), "abatement.output_cut": cuts}
    unknown = [
        (str(name), f"{path}.{name}")
        for path, stated in by_path.items()
        if isinstance(stated, dict)
        for name in stated
        if name not in SECTORS
    ]
    return [no_sector(name, place, key, before + n < PROBLEMS_SHOWN) for n, (name, key) in enumerate(unknown)]


def no_sector(name: str, place: str, key: str, guess: bool) -> Problem:
    """Return the problem of a key that names no sector of China's plans, and what may be meant."""
    near = of_allocation(name) or (did_you_mean(name, SECTORS) if guess else "")
    advice = _("{guess}Use one of {sectors}.", guess=near, sectors=", ".join(SECTORS))
    return Problem(place, _("{name} is not a sector", name=brief(name)), advice, key, code="unknown_name")
