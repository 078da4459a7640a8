"""Read an instance and list every defect."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from etsopt.cli.options import add_instance, instance_of
from etsopt.common.language import _, joined
from etsopt.common.vocabulary import word

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from etsopt.cli.parsing import Commands

DOUBTS_SHOWN = 8
"""Doubts about values that are shown; of a sweep there may be thousands."""


def register(commands: Commands) -> None:
    """Add the command."""
    add_instance(commands.add("validate", _("read an instance and list every defect"), validate))


def validate(options: Namespace) -> int:
    """Read an instance; the caller reports the defects that this raises."""
    from etsopt.data.policy.plausibility import doubtful_values

    instance = instance_of(options)
    content = {"instance": instance.name, "valid": True, "units": len(instance.units), "hash": instance.hash}
    doubts = list(doubtful_values(instance.policy.content))
    if options.json:
        print(json.dumps(content | {"doubts": doubts}, ensure_ascii=False))
    else:
        tell_doubts(doubts)
        where = joined(word("sector", name) for name in instance.sectors)
        text = _("{name} is valid: {count} units in {sectors}.")
        print(_(text, name=instance.name, count=len(instance.units), sectors=where))
    return 0


def tell_doubts(doubts: Sequence[str]) -> None:
    """Print doubts about values of a policy, the first ones of many."""
    for doubt in doubts[:DOUBTS_SHOWN]:
        print(_("Warning: {text}", text=doubt), file=sys.stderr)
    if (more := len(doubts) - DOUBTS_SHOWN) > 0:
        print(_("Warning: {count:,} more values are of such a size.", count=more), file=sys.stderr)
