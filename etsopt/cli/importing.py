"""The command ``import``: annex tables read as an instance, and how far the rule gives their allowances."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.common.language import Text, _
from etsopt.common.vocabulary import word

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator

    from etsopt.cli.parsing import Commands
    from etsopt.reports.official.reading import OfficialReading


def register(commands: Commands) -> None:
    """Add the command."""
    command = commands.add("import", _("read annex tables of the allocation plan as an instance"), import_tables)
    text = _("a folder of CSV files as `etsopt export` writes them, or a workbook")
    command.add_argument("source", type=Path, help=text)
    text = _("folder of the instance: new, or empty")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help=text)
    text = _("compliance year (default: that of the titles, which CSV files lack)")
    command.add_argument("--year", type=int, help=text)
    text = _("province of tables that name none; of tables of several, only its rows are read")
    command.add_argument("--province", default="", metavar="NAME", help=text)


def import_tables(options: Namespace) -> int:
    """Write the instance that annex tables hold."""
    from etsopt.data.files.atomic_folder import require_empty
    from etsopt.data.files.write import write_instance
    from etsopt.reports.official.reading import read_back
    from etsopt.running.results.results import finite

    require_empty(options.out)
    reading = read_back(options.source, options.year, options.province)
    instance = reading.instance
    write_instance(instance, options.out, readme(reading))
    if options.json:
        content = {
            "folder": str(options.out),
            "year": instance.policy.year,
            "units": len(instance.units),
            "hash": instance.hash,
            "tables": reading.tables,
            "sectors": reading.comparison.to_dict("records"),
            "notes": reading.notes,
        }
        print(json.dumps(finite(content), ensure_ascii=False, allow_nan=False))
    else:
        print(_("{counts}, written to {folder}.", counts=_counts(reading, word), folder=options.out))
        for line in (*_of_rule(reading), *reading.notes):
            print(line)
    return 0


def readme(reading: OfficialReading) -> str:
    """Return the README of the instance, whose first line separates what the tables state from the rest."""
    year = reading.instance.policy.year
    first = f"As the annex tables of {year} state: {_counts(reading)}; nothing is assumed beside the rule of that year."
    made = "Made by `etsopt import`, which checked the tables and their identities, but not the figures themselves."
    files = [f"- table {name}: {', '.join(places)}" for name, places in sorted(reading.tables.items())]
    lines = [f"- {line}" for line in (*_of_rule(reading), *reading.notes)]
    return "\n".join([first, "", made, "", "Sources:", "", *files, "", "Limits:", "", *lines]) + "\n"


def _counts(reading: OfficialReading, name: Callable[[str, str], str] = lambda _, value: value) -> str:
    """Return the numbers of units by sector, and of provinces, named by a function of column and cell."""
    table, provinces = reading.comparison, reading.instance.provinces
    where = name("province", provinces[0])
    where = where if len(provinces) == 1 else _("{count} provinces", count=len(provinces))
    sectors = ", ".join(f"{row.units:,} {name('sector', str(row.sector))}" for row in table.itertuples())
    return _("{total:,} units of {where} ({sectors})", total=table["units"].sum(), where=where, sectors=sectors)


def _of_rule(reading: OfficialReading) -> Iterator[str]:
    """Yield how far the rule, evaluated on the instance, gives the allowances of the tables."""
    table, policy = reading.comparison, reading.instance.policy
    same, units = table["same"].sum(), table["units"].sum()
    yield _(
        "The rule {rule} of {year} gives the allowances of the tables for {same:,} of {units:,} units.",
        rule=policy.rule.name,
        year=policy.year,
        same=same,
        units=units,
    )
    for row in table[table["same"] < table["units"]].itertuples():
        values = ""
        if row.balance_value == row.balance_value and row.balance_value_of_tables == row.balance_value_of_tables:
            values = _(
                "; the balance value of these units is {here:.6g}, that of the tables {there:.6g}, from units that are "
                "not among them",
                here=row.balance_value,
                there=row.balance_value_of_tables,
            )
        yield _(
            "{sector}: {other:,} of {units:,} units differ, {by_rule:,.0f} t by the rule, {stated:,.0f} t in the "
            "tables{values}.",
            sector=Text(row.sector),
            other=row.units - row.same,
            units=row.units,
            by_rule=row.rule_t,
            stated=row.tables_t,
            values=values,
        )
    if same < units:
        # The rule given has a band of 3 %, and power has none.
        power = " --set sectors.power.band=99" if "power" in reading.instance.sectors else ""
        yield _(
            "To allocate as the tables do, from the column reference_t: --set 'rule={{name=\"given\"}}'{power}.",
            power=power,
        )
