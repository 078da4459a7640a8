"""Generate a random instance of any size from a seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.options import add_format
from etsopt.common.language import _, joined
from etsopt.common.vocabulary import word

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    command = commands.add("generate", _("generate a random instance of any size from a seed"), generate)
    command.add_argument("--units", type=int, required=True, help=_("number of allocation units"))
    command.add_argument("--seed", type=int, default=0, help=_("same seed, same bytes (default: %(default)s)"))
    text = _("abatement measures of each unit, 0 to 12 (default: %(default)s)")
    command.add_argument("--measures", type=int, default=0, help=text)
    text = _("draw the figures of measures for each unit, around those of its sector")
    command.add_argument("--own-measures", action="store_true", help=text)
    command.add_argument("--out", type=Path, required=True, help=_("folder to write the instance to"))
    add_format(command)


def generate(options: Namespace) -> int:
    """Write a generated instance."""
    from etsopt.data.files.atomic_folder import require_empty
    from etsopt.data.files.write import write_instance
    from etsopt.data.generate import POLICY, PROFILES
    from etsopt.data.generate import generate as generate_instance

    require_empty(options.out)
    instance = generate_instance(options.units, options.seed, options.measures, options.own_measures)
    measures = f" --measures {options.measures}" if options.measures else ""
    measures += " --own-measures" if options.own_measures else ""
    sectors = ", ".join(f"{(instance.units['sector'] == name).sum()} {name}" for name in sorted(PROFILES))
    readme = (
        f"Everything here is assumed: {options.units} seeded random units ({sectors}), seed {options.seed}; "
        f"no plant is real.\n\nMade by `etsopt generate --units {options.units} --seed {options.seed}{measures}`, year "
        f"{POLICY['year']}. Sizes and intensities follow the official sector totals and entity counts of 2024 and "
        "assumed spreads, as `etsopt/data/generate.py` states them. Apache-2.0.\n"
    )
    write_instance(instance, options.out, readme, options.format)
    if options.json:
        print(json.dumps({"folder": str(options.out), "units": options.units, "hash": instance.hash}))
    else:
        counts = instance.units["sector"].value_counts().sort_index()
        shown = joined((f"{count} {word('sector', name)}" for name, count in counts.items()))
        print(
            _("{count} units written to {folder}: {sectors}.", count=options.units, folder=options.out, sectors=shown)
        )
    return 0
