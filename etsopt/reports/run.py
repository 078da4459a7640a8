"""A run that a document tells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from etsopt.common.language import _
from etsopt.presenting.documents.figures import of_chart

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from etsopt.common.provenance import Provenance
    from etsopt.presenting.documents.document import Figure
    from etsopt.presenting.explanation import Remedy
    from etsopt.running.results.results import Results


@dataclass(frozen=True)
class Run:
    """A run that a page tells."""

    results: Results
    folder: str = "RUN"
    """Name of its folder, for commands."""

    with_charts: bool = True
    """False for what shows none: to make a chart takes longer than all else."""

    @property
    def is_written(self) -> bool:
        """False if its folder is only a place for a name in commands."""
        return self.folder != "RUN"

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tables of the run."""
        return self.results.tables

    @property
    def about(self) -> Provenance:
        """Provenance of the run."""
        return self.results.provenance

    @cached_property
    def remedies(self) -> tuple[Remedy, ...]:
        """Changes that make an infeasible policy feasible; none where the run has no instance."""
        return self.results.remedies if self.results.held is not None else ()

    @property
    def policy(self) -> Mapping[str, Any]:
        """Policy of the run."""
        return self.about.policy

    @property
    def imprint(self) -> str:
        """Last line of its pages."""
        return imprint(self.about.versions.etsopt, self.about.instance_hash)


def imprint(version: str, instance_hash: str) -> str:
    """Return the last line of a page, by the version of etsopt."""
    return _("etsopt {version}, instance {digest}…", version=version, digest=instance_hash[:16])


def figure(run: Run, kind: str) -> Iterator[Figure]:
    """Yield the chart of a kind, if the run has the tables for it."""
    # What shows no chart loads none.
    if run.with_charts and kind in (plots := run.results.plot).kinds:
        yield of_chart(run.about.instance, plots.chart(kind))
