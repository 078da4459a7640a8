"""The command `etsopt plot`: a chart of a run as SVG or PNG."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.language import is_chinese

if TYPE_CHECKING:
    from argparse import Namespace


def plot(options: Namespace) -> int:
    """Draw a chart of a run, or list the charts that it has."""
    from etsopt.charts.kinds import KINDS
    from etsopt.results import results

    plots, in_chinese = results.load(options.run).plot, is_chinese(options.lang)
    if options.kind is None:
        about = {kind: KINDS[kind].about[in_chinese] for kind in plots.kinds}
        width = max(map(len, about), default=0)
        lines = "\n".join(f"{kind:<{width}}  {text}" for kind, text in about.items())
        print(json.dumps(about, ensure_ascii=False) if options.json else lines)
        return 0
    path = options.out or Path(f"{options.kind}.svg")
    plots.save(options.kind, path, "zh" if in_chinese else "en", options.year)
    print(json.dumps({"file": str(path)}, ensure_ascii=False) if options.json else f"Written to {path}.")
    return 0
