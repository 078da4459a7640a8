"""Write next year's instance from a certified compliance year."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.cli.options import add_format
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.running.roll import NextYear


def register(commands: Commands) -> None:
    """Add the command."""
    command = commands.add("roll", _("write next year's instance from a certified compliance year"), roll)
    command.add_argument("run", type=Path, help=_("a run folder written by `etsopt solve --model compliance --out`"))
    command.add_argument("--out", type=Path, required=True, help=_("folder to write the instance to: new, or empty"))
    text = _("next year's units.csv (default: this year's emissions and output, as a forecast)")
    command.add_argument("--units", type=Path, metavar="FILE", help=text)
    add_format(command)


def roll(options: Namespace) -> int:
    """Write next year's instance from the run folder of a compliance year."""
    from etsopt.cli import terminal
    from etsopt.data.files.atomic_folder import require_empty
    from etsopt.data.files.read import read_units
    from etsopt.data.files.write import check_format, write_instance
    from etsopt.reports.roll import readme, rolled
    from etsopt.running.results import results
    from etsopt.running.roll import roll_over

    check_format(options.format)
    require_empty(options.out)
    units = None if options.units is None else read_units(options.units)
    result, instance = results.load_both(options.run)
    found = roll_over(result, instance, units)
    write_instance(found.instance, options.out, readme(found), options.format)
    if options.json:
        print(json.dumps(results.finite(_content(found, options.out)), ensure_ascii=False, allow_nan=False))
        return 0
    policy = found.instance.policy
    terminal.show(rolled(found))
    print(_("{year} written to {folder}, rule {rule}.", year=policy.year, folder=options.out, rule=policy.rule.name))
    return 0


def _content(found: NextYear, folder: Path) -> dict[str, Any]:
    """Return the balance, the units that differ and the notes as plain values."""
    return {
        "folder": str(folder),
        "year": found.instance.policy.year,
        "rule": found.instance.policy.rule.name,
        "hash": found.instance.hash,
        "balance": found.balance.to_dict("records"),
        "total": found.total,
        "forecast": found.forecast,
        "units": vars(found.units),
        "notes": found.notes,
    }
