"""The command `etsopt plot`: a chart of a run, sweep, design search or curve as SVG, PNG or a page to hover."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.reporting import kind_of, refuse, script_notice
from etsopt.common.errors import UsageError, brief
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands
    from etsopt.presenting.charts.chart import Chart
    from etsopt.running.results.results import Results


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("draw a chart of a run, sweep, design search or curve; without a kind, list those that there are")
    command = commands.add("plot", text, plot)
    text = _("folder of a run, written by `etsopt solve --out`, of a sweep, design search or curve")
    command.add_argument("run", type=Path, help=text)
    command.add_argument(
        "kind", nargs="?", metavar="KIND", help=_("such as surplus, prices, or front of a design search")
    )
    text = _("file to write, .svg, .png or .html (default: KIND.svg)")
    command.add_argument("--out", type=Path, metavar="FILE", help=text)
    text = _("of cost_curve and supply_demand, the year to draw")
    command.add_argument("--year", type=int, metavar="YEAR", help=text)
    command.add_argument("--inline", action="store_true", help=_("of .html, write the script of charts into the page"))


def plot(options: Namespace) -> int:
    """Draw a chart, or list the charts that there are."""
    if kind := kind_of(options.run):
        if options.year is not None:
            refuse("--year", options.run)
        return _of_many(options, kind)
    from etsopt.presenting.charts.kinds import KINDS
    from etsopt.running.results import results

    loaded = results.load(options.run)
    if options.kind is None:
        return _list({kind: str(KINDS[kind].about) for kind in loaded.plot.kinds}, options.json)
    return _said(_write(options, loaded), options.json)


def _list(about: dict[str, str], as_json: bool) -> int:
    """Print the charts that there are, and what each shows."""
    if not (about or as_json):
        print(_("No chart shows any of its tables."))
        return 0
    width = max(map(len, about), default=0)
    lines = "\n".join(f"{kind:<{width}}  {text}" for kind, text in about.items())
    print(json.dumps(about, ensure_ascii=False) if as_json else lines)
    return 0


def _said(files: list[Path], as_json: bool) -> int:
    """Say which files were written."""
    first, *others = files
    if as_json:
        print(json.dumps({"file": str(first)}, ensure_ascii=False))
    else:
        print(_("Written to {path}.", path=first), *map(script_notice, others))
    return 0


def _of_many(options: Namespace, kind: str) -> int:
    """Draw a chart of a sweep, a design search or a curve, or list the charts that it has."""
    instance, above, imprint, found = _charts(options.run, kind, options.json)
    charts = {chart.kind: chart for chart in found}
    if options.kind is None:
        return _list({name: str(chart.title) for name, chart in charts.items()}, options.json)
    if options.kind not in charts:
        from etsopt.data.messages import did_you_mean

        guess = did_you_mean(options.kind, charts)
        advice = _("{guess}Choose one of {kinds}.", guess=guess, kinds=", ".join(charts) or _("none"))
        raise UsageError(_("There is no chart {kind}.", kind=brief(options.kind)), advice)
    chart, path = charts[options.kind], options.out or Path(f"{options.kind}.svg")
    if _is_page(path):
        from etsopt.presenting.documents.figures import of_chart
        from etsopt.reports.write import write_figure

        return _said(write_figure(of_chart(instance, chart), above, imprint, path, options.inline), options.json)
    from etsopt.presenting.charts.drawing import save

    save(chart, path)
    return _said([path], options.json)


def _charts(folder: Path, kind: str, quiet: bool) -> tuple[str, str, str, list[Chart]]:
    """Return the name of the instance of a folder, the lines above and below its pages, and its charts."""
    if kind == "sweep":
        from etsopt.studies.sweeping import page as of_sweep
        from etsopt.studies.sweeping.sweep_document import SweepSummary

        sweep = SweepSummary.read(folder)
        return sweep.about["instance"], of_sweep.kicker(sweep), sweep.imprint, of_sweep.charts_of(sweep)
    if kind == "curve":
        from etsopt.cli import terminal
        from etsopt.common.progress import watched
        from etsopt.studies.curves.curve_document import imprint_of, kicker
        from etsopt.studies.curves.folder import read_line

        with terminal.telling(quiet) as tell, watched(None, tell):
            curve = read_line(folder)
        return curve.about.instance, kicker(curve), imprint_of(curve), [curve.chart()]
    from etsopt.studies.designing import page as of_design
    from etsopt.studies.designing.design_document import DesignSummary

    design = DesignSummary.read(folder)
    return design.about["instance"], of_design.kicker(design), design.imprint, of_design.charts_of(design)


def _is_page(path: Path) -> bool:
    return path.suffix.lower() in (".html", ".htm")


def _write(options: Namespace, loaded: Results) -> list[Path]:
    """Write the chart as the suffix of the file says, and return the files."""
    path = options.out or Path(f"{options.kind}.svg")
    if _is_page(path):
        from etsopt.reports.write import write_chart

        return write_chart(loaded, options.kind, path, options.lang, options.year, options.inline)
    loaded.plot.save(options.kind, path, options.lang, options.year)
    return [path]
