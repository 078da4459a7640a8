"""The command `etsopt forecast`: balance values and own surpluses before they are published."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.sweeping import add_tables_format, listed_files, prepare, write_all
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.studies.forecasting import Forecast

RECORD = "forecast.json"
"""Name of the file that states what a forecast is of."""


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("forecast balance values and own surpluses from own units and a stated prior")
    command = commands.add("forecast", text, forecast)
    command.add_argument("file", type=Path, metavar="FILE", help=_("a forecast file, such as forecast.toml"))
    text = _(
        "folder to write tables to: forecast, priors, sensitivity, draws, purchases (default: that of FILE's name, "
        "beside it)"
    )
    command.add_argument("--out", type=Path, metavar="DIR", help=text)
    text = _("draw distributions and intervals too, .svg or .png")
    command.add_argument("--chart", type=Path, metavar="FILE", help=text)
    command.add_argument("--page", type=Path, metavar="FILE", help=_("write a page with charts too, .html"))
    add_tables_format(command)


def forecast(options: Namespace) -> int:
    """Forecast balance values and surpluses, and write the tables."""
    from etsopt.cli import terminal
    from etsopt.common.progress import watched
    from etsopt.data.files.write import check_format
    from etsopt.presenting.charts.drawing import require_drawable, save
    from etsopt.running.reading import read
    from etsopt.studies.forecasting import api, read_forecast
    from etsopt.studies.forecasting.forecast_document import forecast_document, write_forecast_page

    check_format(options.format)
    if options.chart:
        require_drawable(options.chart, _("Name a file that ends in .svg or .png."))
    if options.page and options.page.suffix.lower() != ".html":
        what = _("--page {path} does not end in .html.", path=brief(str(options.page)))
        raise UsageError(what, _("For example: {flag} forecast.html", flag="--page"))
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
    if options.page:
        written += write_forecast_page(found, options.page)
    if options.json:
        print(json.dumps(_content(found, written), ensure_ascii=False))
        return 0
    terminal.show(forecast_document(found))
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
    bought = found.purchases.to_dict("records")
    return {"about": found.about, "numbers": numbers, "purchases": bought, "files": list(map(str, written))}
