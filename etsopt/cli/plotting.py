"""The command `etsopt plot`: a chart of a run as SVG, PNG or a page that one can hover."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.language import _
from etsopt.cli.reporting import beside

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.results.results import Results


def plot(options: Namespace) -> int:
    """Draw a chart of a run, or list the charts that it has."""
    from etsopt.charts.kinds import KINDS
    from etsopt.results import results

    loaded = results.load(options.run)
    if options.kind is None:
        about = {kind: KINDS[kind].about[options.lang == "zh"] for kind in loaded.plot.kinds}
        width = max(map(len, about), default=0)
        lines = "\n".join(f"{kind:<{width}}  {text}" for kind, text in about.items())
        print(json.dumps(about, ensure_ascii=False) if options.json else lines)
        return 0
    first, *others = _write(options, loaded)
    if options.json:
        print(json.dumps({"file": str(first)}, ensure_ascii=False))
    else:
        print(" ".join([_("Written to {path}.", path=first), *map(beside, others)]))
    return 0


def _write(options: Namespace, loaded: Results) -> list[Path]:
    """Write the chart as the suffix of the file says, and return the files."""
    path = options.out or Path(f"{options.kind}.svg")
    if path.suffix.lower() in (".html", ".htm"):
        from etsopt.reports.document import write_chart

        return write_chart(loaded, options.kind, path, options.lang, options.year, options.inline)
    loaded.plot.save(options.kind, path, options.lang, options.year)
    return [path]
