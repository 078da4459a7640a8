"""The command `etsopt plot`: a chart of a run as SVG or PNG."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from etsopt.cli.language import _, translated

if TYPE_CHECKING:
    from argparse import Namespace


def plot(options: Namespace) -> int:
    """Draw a chart of a run, or list the charts that it has."""
    from etsopt.charts.kinds import KINDS
    from etsopt.results import results

    plots = results.load(options.run).plot
    if options.kind is None:
        if options.json:
            print(json.dumps({kind: KINDS[kind].about for kind in plots.kinds}))
        else:
            print("\n".join(f"{kind:<12} {translated(KINDS[kind].about)}" for kind in plots.kinds))
        return 0
    path = options.out or Path(f"{options.kind}.svg")
    plots.save(options.kind, path, options.lang)
    print(json.dumps({"file": str(path)}, ensure_ascii=False) if options.json else _("Written to {path}.", path=path))
    return 0
