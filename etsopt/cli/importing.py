"""The command ``import``: annex tables read as an instance, and how far the rule gives their allowances."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from etsopt.reports.official.reading import OfficialReading


def import_tables(options: Namespace) -> int:
    """Write the instance that annex tables hold."""
    from etsopt.data.files.aside import see_that_empty
    from etsopt.data.files.write import write_instance
    from etsopt.reports.official.reading import read_back
    from etsopt.results.results import finite

    see_that_empty(options.out)
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
        print(f"{_counts(reading)}, written to {options.out}.")
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


def _counts(reading: OfficialReading) -> str:
    """Return the numbers of units by sector, and of provinces."""
    table, provinces = reading.comparison, reading.instance.provinces
    where = provinces[0] if len(provinces) == 1 else f"{len(provinces)} provinces"
    sectors = ", ".join(f"{row.units:,} {row.sector}" for row in table.itertuples())
    return f"{table['units'].sum():,} units of {where} ({sectors})"


def _of_rule(reading: OfficialReading) -> Iterator[str]:
    """Yield how far the rule, evaluated on the instance, gives the allowances of the tables."""
    table, policy = reading.comparison, reading.instance.policy
    same, units = table["same"].sum(), table["units"].sum()
    rule = f"The rule {policy.rule.name} of {policy.year}"
    yield f"{rule} gives the allowances of the tables for {same:,} of {units:,} units."
    for row in table[table["same"] < table["units"]].itertuples():
        tonnes = f"{row.rule_t:,.0f} t by the rule, {row.tables_t:,.0f} t in the tables"
        values = ""
        if row.balance_value == row.balance_value and row.balance_value_of_tables == row.balance_value_of_tables:
            values = (
                f"; the balance value of these units is {row.balance_value:.6g}, that of the tables "
                f"{row.balance_value_of_tables:.6g}, from units that are not among them"
            )
        yield f"{row.sector}: {row.units - row.same:,} of {row.units:,} units differ, {tonnes}{values}."
    if same < units:
        # The rule given has a band of 3 %, and power has none.
        power = " --set sectors.power.band=99" if "power" in reading.instance.sectors else ""
        yield f"To allocate as the tables do, from the column reference_t: --set 'rule={{name=\"given\"}}'{power}."
