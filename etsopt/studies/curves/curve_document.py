"""What is told of a curve: the answer in a sentence, its pieces, what is infeasible, and how each is proven."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.common.language import _, capitalised, joined, ngettext, speaking
from etsopt.common.units import format_tonnes
from etsopt.common.vocabulary import word
from etsopt.presenting.documents.columns import heading
from etsopt.presenting.documents.document import (
    Column,
    Commands,
    Document,
    Facts,
    Paragraph,
    Section,
    Table,
    report_command,
)
from etsopt.presenting.documents.figures import of_chart
from etsopt.presenting.documents.quantities import DIGITS, GAP, TONNES, YES_NO, digits, quantity_in
from etsopt.reports.run import imprint
from etsopt.reports.write import write_document
from etsopt.studies.curves import price_document
from etsopt.studies.curves.axes import doubts_of
from etsopt.studies.curves.curve_chart import axis_words, range_of, unit_of, value_of
from etsopt.studies.curves.price_curve import PriceCurve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.common.language import Text
    from etsopt.presenting.documents.document import Block
    from etsopt.studies.curves.line_curve import LineCurve


ENDED = {"time_limit": _("the time limit was reached"), "interrupted": _("it was interrupted")}
"""Why a search ended, by its termination."""


def write_curve_report(
    curve: LineCurve[Any, Any], path: Path, lang: str = "en", inline: bool = False, folder: str = "CURVE"
) -> list[Path]:
    """Write the report of a curve as an HTML page, and beside it the script that draws its chart.

    Raises
    ------
    UsageError
        If jinja2 or plotly is not installed.
    OSError
        With the name of the file that cannot be written.
    """
    with speaking(lang):
        return write_document(document_of(curve, folder, with_chart=True), path, inline)


def document_of(curve: LineCurve[Any, Any], folder: str = "", with_chart: bool = False) -> Document:
    """Return what is told of a curve.

    Parameters
    ----------
    folder
        Folder that holds it, for the commands that make it again; empty for none.
    with_chart
        Draw it, which needs plotly.
    """
    sections = [Section("pieces", _("Pieces"), tuple(_blocks(curve, with_chart)))]
    if folder:
        lines = (f"etsopt check {folder}", report_command(folder))
        sections.append(Section("again", _("Check it yourself"), (Commands(lines),)))
    proven = curve.proven and curve.termination == "optimal"
    return Document(
        title=f"{curve.about.instance} · {axis_words(curve.axis)}",
        kicker=kicker(curve),
        answer=answer_of(curve),
        status=_("proven at every value") if proven else _("proven in parts"),
        proven=proven,
        warnings=tuple(Paragraph(text, "warning") for text in doubts_of(curve.instance, [curve.axis])),
        sections=tuple(sections),
        imprint=imprint_of(curve),
    )


def kicker(curve: LineCurve[Any, Any]) -> str:
    """Return the line above the answer."""
    return " · ".join(map(str, (curve.about.instance, _("curve"), axis_words(curve.axis))))


def imprint_of(curve: LineCurve[Any, Any]) -> str:
    """Return the last line of a page."""
    return imprint(curve.about.versions.etsopt, curve.about.instance_hash)


def answer_of(curve: LineCurve[Any, Any]) -> str:
    """Return the answer in a sentence."""
    words = range_of(curve.axis)
    if not curve.cover.pieces and len(curve.infeasible):
        return _("No allocation exists at any value of {range}.", range=words)
    # What is said of pieces holds of those that are proven.
    count = sum(piece.certified for piece in curve.cover.pieces)
    what = {"range": capitalised(words)}
    if isinstance(curve, PriceCurve):
        first, second = price_document.pieces_of(count, what), _("Every value is proven.")
    else:
        first, second = _pieces_of(count, what), _("Every value with an allocation is proven.")
    if not curve.proven:
        share, further = 100 * curve.certified_share, len(curve.cover.pieces) - count
        second = _("Proven are {share:.6f} % of the length.", share=share)
        if further:
            second = _("{further:,} more are not proven: {share:.6f} % of the length is.", share=share, further=further)
    return _("{first} {second}", first=first, second=second)


def _pieces_of(count: int, what: Mapping[str, Any]) -> Text | str:
    """Return how many pieces there are between which values of which key, in a sentence."""
    return ngettext(
        "{range}: {count:,} piece, on which every unit's allowance is a straight line.",
        "{range}: {count:,} pieces, on each of which every unit's allowance is a straight line.",
        count,
        **what,
    )


def _blocks(curve: LineCurve[Any, Any], with_chart: bool) -> Iterator[Block]:
    for row in curve.infeasible.to_dict("records"):
        ends = (curve.axis.place(row[name]) for name in ("from", "to"))
        start, end = (value_of(curve.axis, place) for place in ends)
        text = _("No allocation exists from {start} to {end}: limits are missed by up to {missed} t, which is proven.")
        yield Paragraph(_(text, start=start, end=end, missed=format_tonnes(row["infeasible_by_t"])))
    if curve.termination != "optimal":
        why = ENDED.get(curve.termination, curve.termination)
        yield Paragraph(_("The search ended early: {why}.", why=why), "warning")
    unproven = [piece for piece in curve.cover.pieces if not piece.certified]
    if unproven:
        values = ([value_of(curve.axis, place) for place in (piece.start, piece.end)] for piece in unproven[:8])
        places = joined(f"{start}–{end}" for start, end in values)
        yield Paragraph(_("Not proven: {places}. There `at` solves.", places=places), "warning")
    if with_chart and (curve.certified_share if isinstance(curve, PriceCurve) else curve.cover.pieces):
        yield of_chart(curve.about.instance, curve.chart())
    if curve.cover.pieces:
        yield price_document.table_of(curve) if isinstance(curve, PriceCurve) else _table(curve)
        yield Facts(((_("solves"), f"{curve.solver.solves:,}"),))


def _table(curve: LineCurve[Any, Any]) -> Table:
    """Return the pieces with the objectives at their ends."""
    divisor, unit = unit_of(curve.axis)
    place = DIGITS._replace(text=digits(".7g"), unit=unit)
    columns = [
        Column(_("piece"), DIGITS._replace(text=digits(".0f")), 1),
        Column(_("from"), place, 1),
        Column(_("to"), place, 1),
    ]
    names = [name for name in curve.solver.box.names if f"{name}_from" in curve.pieces]
    units = {level.name: level.unit for piece in curve.cover.pieces if piece.verdict for level in piece.verdict.levels}
    for number, name in enumerate(names):
        quantity = TONNES if units[name] == "t" else quantity_in(units[name])
        columns.append(Column(_("{level} at the end", level=word("level", name)), quantity, 1 if number == 0 else 2))
    columns += [Column(_("largest gap / tolerance"), GAP, 3), Column(heading("certified"), YES_NO, 1)]
    rows = []
    for number, piece in enumerate(curve.cover.pieces, 1):
        levels = piece.verdict.levels if piece.verdict else ()
        worst = max((level.gap / level.tolerance for level in levels), default=0.0)
        ends = (curve.axis.shown(at) / divisor for at in (piece.start, piece.end))
        rows.append((number, *ends, *(level.values[1] for level in levels), worst, piece.certified))
    return Table("", tuple(columns), tuple(rows), key="pieces")
