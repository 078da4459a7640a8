"""Layout of a page: templates, style, data for the script, and a content security policy that names the script.

What Chromium 156 accepts of a page under ``file://`` was tried: a script beside the page is loaded under ``'self'``
or ``file:``, but so is any other file; by its hash with ``integrity`` it is refused, because a file is no source that
may be compared, and its address is no source that a policy may name. A script in the page that is allowed by its hash
may load others under ``'strict-dynamic'``, which refuses all else. The page has one such script, which loads the
library of charts.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from etsopt.charts.interactive import STYLE, config_of
from etsopt.errors import UsageError
from etsopt.language import _, pgettext, speaking
from etsopt.reports.document.content import Table
from etsopt.reports.page import SOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.reports.document.content import Document

ROWS = 25
"""Rows of a table with a search box that are shown at a time."""

PRINTED = 400
"""Rows of such a table that are printed at most, about eight pages."""

WORDS = {
    "skip": _("Skip to the content"),
    "contents": _("Contents"),
    "search": _("Search"),
    "back": pgettext("page", "Back"),
    "on": pgettext("page", "Next"),
    "shown": _("{ends} of {of}"),
}
"""Words of the templates and of the script, which puts in the rows that a table shows."""

ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}
"""Characters that could end a script or a line of it, as JSON writes them otherwise."""

DOWNLOAD = {"toImageButtonOptions": {"format": "svg"}}
"""A chart is saved as SVG: a PNG would be drawn from an image that the policy does not allow."""

Library = tuple[str, str]
"""Name of the file with the library of charts, and its text."""


@cache
def library() -> Library:
    """Return the script of plotly and the name of its file, which has its version.

    Raises
    ------
    UsageError
        If plotly is not installed.
    """
    try:
        from plotly.offline import get_plotlyjs, get_plotlyjs_version
    except ImportError:
        raise _missing("plotly") from None
    return f"plotly-{get_plotlyjs_version()}.min.js", str(get_plotlyjs())


@cache
def _environment() -> Any:
    """Return the templates; every text that they show is escaped.

    Raises
    ------
    UsageError
        If jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError:
        raise _missing("jinja2") from None
    loader = jinja2.FunctionLoader(lambda name: _file(name))
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _missing(package: str) -> UsageError:
    return UsageError(
        _("The report needs {package}, which is not installed.", package=package),
        _('Install it: pip install "etsopt[report]"'),
    )


def _file(name: str) -> str:
    return (files("etsopt.reports") / "templates" / name).read_text(encoding="utf-8")


def embedded(value: Any) -> str:
    r"""Return a value as JSON that is data in a page whatever its texts are.

    >>> embedded("</script>")
    '"\\u003c/script\\u003e"'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(ESCAPES)


def policy_of(*scripts: str) -> str:
    """Return the content security policy of a page whose scripts are these and what they load."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    sources = f"script-src {allowed} 'strict-dynamic'" if scripts else "script-src 'none'"
    return f"default-src 'none'; {sources}; {SOURCES}"


def page(document: Document, inline: bool = False, template: str = "page.html") -> str:
    """Return the page as HTML.

    Parameters
    ----------
    inline
        True to hold the library of charts, which else is a file beside the page.
    template
        ``page.html``, ``letter.html`` or ``chart.html``.

    Raises
    ------
    UsageError
        If jinja2 or plotly is not installed.
    """
    environment = _environment()
    # It comes with jinja2.
    from markupsafe import Markup

    name, source = library()
    held = source if inline and document.charts else ""
    script = _file("page.js")
    scripts = [held, script] if held else [script]
    with speaking(document.lang):
        missing = _("The chart is drawn by the file {script}, which belongs beside this page.", script=name)
        words = {key: str(text) for key, text in {**WORDS, "missing": missing}.items()}
        config = config_of() | DOWNLOAD
    settings = {"rows": ROWS, "printed": PRINTED, "config": config, "script": name, "shown": words["shown"]}
    data = [("settings", settings), *_data(document)]
    text: str = environment.get_template(template).render(
        page=document,
        words=words,
        rows=ROWS,
        csp=policy_of(*scripts),
        style=Markup(_file("page.css") + STYLE),
        data=[(key, Markup(embedded(value))) for key, value in data],
        library=Markup(held),
        script=Markup(script),
    )
    return text


def _data(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield name and content of the data of charts and of tables with a search box."""
    for chart in document.charts:
        for number, panel in enumerate(chart.panels, start=1):
            yield f"plot-{chart.key}-{number}", panel
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, Table) and block.key:
                figures = [column.figures for column in block.columns]
                yield f"rows-{block.key}", {"rows": block.rows, "figures": figures}
