"""Parts of a printable page without network resources: tables with headings in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from etsopt.language import _, in_both

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SOURCES = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a page may have beside scripts: its own styles and images, and nothing from elsewhere."""

STYLE = """
:root { --ink: #1b1f24; --line: #c9ced6; --faint: #f4f6f8; --accent: #1d4f91; --bad: #a11c1c; }
* { box-sizing: border-box; }
body { font: 10.5pt/1.45 "Helvetica Neue", Arial, "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif;
  color: var(--ink); max-width: 275mm; margin: 0 auto; padding: 10mm 8mm; }
h1 { font-size: 17pt; margin: 0 0 2mm; }
h2 { font-size: 13pt; margin: 9mm 0 2mm; border-bottom: 1.5pt solid var(--accent); padding-bottom: 1mm; }
h3 { font-size: 11pt; margin: 5mm 0 1mm; }
.zh { font-weight: normal; color: #444b55; margin-left: .5em; }
p { margin: 1mm 0; max-width: 190mm; }
.meta { color: #444b55; }
.verdict { display: inline-block; padding: .5mm 3mm; border: 1pt solid; border-radius: 3pt; font-weight: bold; }
.yes { color: #1b6e36; } .no { color: var(--bad); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; margin: 1.5mm 0 3mm; font-size: 9pt; font-variant-numeric: tabular-nums; }
th, td { padding: .7mm 2mm; border-bottom: .5pt solid var(--line); text-align: right; vertical-align: bottom; }
td { white-space: nowrap; }
th { background: var(--faint); font-weight: 600; }
th small { display: block; font-weight: normal; color: #444b55; }
th.text, td.text { text-align: left; white-space: normal; }
tfoot td { font-weight: bold; border-top: 1pt solid var(--ink); }
td.bad { color: var(--bad); font-weight: bold; }
.sheet { border-top: .5pt solid var(--line); margin-top: 7mm; }
nav a { margin-right: 1em; }
@page { size: A4 landscape; margin: 12mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 9.5pt; } nav { display: none; } .scroll { overflow: visible; }
  .sheet, .part { break-before: page; border: 0; margin-top: 0; } tr, h2, h3 { break-inside: avoid; }
  h2, h3 { break-after: avoid; } h3 { margin-top: 3mm; } h2 + .sheet { break-before: auto; }
  tfoot { display: table-row-group; } thead { display: table-header-group; } table { font-size: 8pt; }
}
"""

YES = _("yes")

Heading = tuple[str, str]
"""Column, and its heading."""


def both(text: object, capital: bool = False) -> str:
    """Return a text in both languages, side by side, the English one with a capital letter if it is asked for."""
    english, chinese = in_both(text).values()
    return f'{escape(english.capitalize() if capital else english)}<span class="zh" lang="zh">{escape(chinese)}</span>'


def heading(text: object, level: int = 3, key: str = "", capital: bool = False, part: bool = False) -> str:
    """Return a heading, which a key names in links; a part begins a page in print."""
    named, style = f' id="{key}"' if key else "", ' class="part"' if part else ""
    return f"<h{level}{named}{style}>{both(text, capital)}</h{level}>"


def side_by_side(text: object) -> str:
    """Return a text in both languages, one behind the other."""
    return " ".join(in_both(text).values())


DECIMALS = {
    **{"completion": 2, "balance_value": 6, "reference_price_cny_per_t": 2, "emissions_tco2e": 2, "reference_t": 2},
    **{"accounted_emissions_tco2e": 2, "verified_emissions_tco2e": 2, "size_t": 2},
    **{"quantity": 2, "ncv_gj_per_unit": 3, "factor": 6},
}
"""Decimals of the columns that are not whole numbers."""


def cell(name: str, value: object) -> str:
    """Return one cell: numbers grouped and right-aligned, texts left-aligned, shortfalls highlighted."""
    if isinstance(value, str):
        return f'<td class="text">{escape(value) or "–"}</td>'
    if isinstance(value, bool | np.bool_):
        return f"<td>{side_by_side(YES) if value else '–'}</td>"
    number = float(value)  # type: ignore[arg-type]
    mark = ' class="bad"' if number and "shortfall" in name else ""
    # Adding zero removes the sign of a negative zero; a minus sign is as wide as a digit.
    text = f"{round(number, DECIMALS.get(name, 0)) + 0.0:,.{DECIMALS.get(name, 0)}f}".replace("-", "−")
    return f"<td{mark}>{text if np.isfinite(number) else '–'}</td>"


Row = Mapping[str, object]
"""One row of a table: values by column."""


def figures(rows: Sequence[Row], headings: Sequence[Heading], foot: Row | None = None) -> str:
    """Return a table of the columns that its rows have, with a foot row of totals if given."""
    first = rows[0] if rows else foot
    shown = [heading for heading in headings if first is None or heading[0] in first]
    names = [name for name, *_ in shown]
    texts = {name for name in names if rows and isinstance(rows[0][name], str)}
    head = "".join(
        f'<th{" class=text" if name in texts else ""}>{escape(english)}<small lang="zh">{escape(chinese)}</small></th>'
        for name, heading in shown
        for english, chinese in [in_both(heading).values()]
    )
    body = "".join(_row([row[name] for name in names], names) for row in rows)
    last = "" if foot is None else f"<tfoot>{_row([foot.get(name, np.nan) for name in names], names)}</tfoot>"
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{last}</table></div>'


def _row(values: Iterable[object], names: Sequence[str]) -> str:
    cells = (cell(name, value) for value, name in zip(values, names, strict=True))
    return f"<tr>{''.join(cells)}</tr>"


def page(title: object, parts: Iterable[str]) -> str:
    """Return the whole page as one self-contained HTML text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; {SOURCES}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(side_by_side(title))}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{both(title)}</h1>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )
