"""The command `etsopt forecast`: balance values and own surpluses before they are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.sweeping import add_tables_format, listed_files, prepare, write_all
from etsopt.language import _
from etsopt.vocabulary import word

if TYPE_CHECKING:
    from argparse import Namespace

    import pandas as pd

    from etsopt.cli.parsing import Commands
    from etsopt.documents.document import Table
    from etsopt.forecasting import Forecast

RECORD = "forecast.json"
"""Name of the file that states what a forecast is of."""

SHOWN = 12
"""Largest number of units in the table of the terminal; the file has all."""

SURPRISING = 3.0
"""Standard deviations between own units and the prior from which on they are told to contradict each other."""


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("forecast balance values and own surpluses from own units and a stated prior")
    command = commands.add("forecast", text, forecast)
    command.add_argument("file", type=Path, metavar="FILE", help=_("a forecast file, such as forecast.toml"))
    text = _(
        "folder to write tables to: forecast, priors, sensitivity, draws (default: that of FILE's name, beside it)"
    )
    command.add_argument("--out", type=Path, metavar="DIR", help=text)
    text = _("draw distributions and intervals too, .svg or .png")
    command.add_argument("--chart", type=Path, metavar="FILE", help=text)
    add_tables_format(command)


def forecast(options: Namespace) -> int:
    """Forecast balance values and surpluses, and write the tables."""
    from etsopt.charts.drawing import require_drawable, save
    from etsopt.cli import terminal
    from etsopt.data.files.write import check_format
    from etsopt.documents.document import Document, Section
    from etsopt.forecasting import api, read_forecast
    from etsopt.progress import watched
    from etsopt.running.reading import read

    check_format(options.format)
    if options.chart:
        require_drawable(options.chart, _("Name a file that ends in .svg or .png."))
    plan = read_forecast(options.file)
    folder = options.out or options.file.with_suffix("")
    instance = read(plan.instance)
    prepare(folder, RECORD)
    with terminal.waiting(options.json) as tell, watched(None, tell):
        found = api.forecast(instance, plan)
    written = [*write_all(found.tables, folder, options.format), *_provenance(found, folder)]
    if options.chart:
        save(found.chart, options.chart)
        written.append(options.chart)
    if options.json:
        print(json.dumps(_content(found, written), ensure_ascii=False))
        return 0
    text = _("Forecast for {year}, {draws:,} draws; from and to are the interval of {percent:g} %.")
    answer = _(text, year=instance.policy.year, draws=plan.draws, percent=round(100 * plan.interval, 6))
    section = Section("forecast", "", (_balance_values(found), _surpluses(found.numbers)))
    terminal.show(Document(answer, "", answer, sections=(section,)))
    _tell_surprises(found.priors)
    print(_("Written to {path}.", path=listed_files(written)))
    return 0


def _provenance(found: Forecast, folder: Path) -> list[Path]:
    """Write what the forecast is of, with every prior as it was stated."""
    from etsopt.data.files.atomic import replaced

    path = folder / RECORD
    with replaced(path) as part:
        part.write_text(json.dumps(found.about, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return [path]


def _content(found: Forecast, written: list[Path]) -> dict[str, object]:
    """Return the numbers for programs; what a number does not have is left out."""
    numbers = [{key: value for key, value in row.items() if value == value} for row in found.numbers.to_dict("records")]
    return {"about": found.about, "numbers": numbers, "files": list(map(str, written))}


def _balance_values(found: Forecast) -> Table:
    """Return the balance value of each sector, beside the one to start from."""
    from etsopt.documents.columns import table_of
    from etsopt.documents.document import Column
    from etsopt.documents.quantities import INTENSITY

    figures = INTENSITY._replace(unit="")
    own = {
        "mean": Column(_("mean"), figures, 1),
        "deviation": Column(_("deviation"), figures, 3),
        "lower": Column(_("from"), figures, 1),
        "upper": Column(_("to"), figures, 1),
        "prior_mean": Column(_("prior mean"), figures, 3),
        "at_start": Column(_("start"), figures),
    }
    sectors = found.numbers[found.numbers["level"] == "sector"]
    sectors = sectors.assign(prior_mean=found.priors["prior_mean"].to_numpy())
    return table_of(sectors, ("sector", *own), _("Balance values [t/t]"), own=own)


def _surpluses(numbers: pd.DataFrame) -> Table:
    """Return the surplus of every enterprise and, if they are few, of every unit."""
    import pandas as pd

    from etsopt.documents.columns import table_of
    from etsopt.documents.document import Column
    from etsopt.documents.quantities import RATE, TONNES

    surpluses = numbers[numbers["quantity"] == "surplus_t"]
    if (surpluses["level"] == "unit").sum() > SHOWN:
        surpluses = surpluses[surpluses["level"] == "enterprise"]
    # Units follow their enterprise.
    surpluses = surpluses.assign(place=pd.factorize(surpluses["enterprise_id"])[0])
    surpluses = surpluses.sort_values(["place", "level"], kind="stable")
    # All are in the scale of the largest.
    tonnes = TONNES.fitting(float(surpluses[["mean", "lower", "upper", "at_start"]].abs().max(axis=None)))
    own = {
        "name": Column(_("name")),
        "mean": Column(_("mean"), tonnes, 1),
        "lower": Column(_("from"), tonnes, 1),
        "upper": Column(_("to"), tonnes, 1),
        "at_start": Column(_("at start"), tonnes, 3),
        "deficit_probability": Column(_("deficit"), RATE),
        "at_a_cap": Column(_("at a cap"), RATE),
    }
    units = surpluses["level"] == "unit"
    surpluses = surpluses.assign(
        name=surpluses["enterprise_id"].mask(units, "  " + surpluses["unit_id"]),
        at_a_cap=surpluses["at_upper_cap"] + surpluses["at_lower_cap"],
    )
    return table_of(surpluses, (*own,), _("Surpluses"), own=own)


def _tell_surprises(priors: pd.DataFrame) -> None:
    """Tell of sectors whose own units contradict the prior."""
    text = _("Own units of {sector} are {z:.1f} deviations off the prior: see which is wrong.")
    # Own units that say nothing of the others may be unlike them.
    for row in priors[priors["informed"] & (priors["z"].abs() >= SURPRISING)].to_dict("records"):
        print(_(text, sector=word("sector", row["sector"]), z=abs(row["z"])))
