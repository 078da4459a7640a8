"""The explanation of a unit as a document."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import pandas as pd

from etsopt.presenting.documents.columns import table_of
from etsopt.presenting.documents.document import Document, Facts, Points, Section
from etsopt.presenting.explanation.steps import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from etsopt.presenting.documents.document import Block
    from etsopt.presenting.explanation import Explanation, Step


def explained(explanation: Explanation) -> Document:
    """Return what a terminal or a notebook shows of an explanation: a section for each of its parts."""
    title = shown(explanation.title)
    sections = (Section("", heading, tuple(_blocks(heading, steps))) for heading, steps in explanation.parts)
    return Document(title, title, "", "", True, sections=tuple(sections))


def _blocks(heading: str, steps: Sequence[Step]) -> Iterator[Block]:
    """Yield steps with figures as facts, those of a table as its rows, and other sentences as points."""
    for kind, found in groupby(
        steps, key=lambda step: "facts" if step.figures else "table" if step.cells else "points"
    ):
        part = tuple(found)
        if kind == "facts":
            yield Facts(tuple((step.name, step.figures) for step in part))
        elif kind == "table":
            frame = pd.DataFrame([dict(step.cells) for step in part])
            # A table that is all of its section has the heading of that; among sentences it needs none of its own.
            yield table_of(frame, list(frame), heading if len(part) == len(steps) else "", exact=True)
        else:
            yield Points(tuple(step.name for step in part))
