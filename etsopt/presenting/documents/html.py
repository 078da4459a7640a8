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
from dataclasses import replace
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from etsopt.common.errors import UsageError
from etsopt.common.language import LANGUAGE, LANGUAGES, _, chain, pgettext, speaking
from etsopt.presenting.charts.interactive import STYLE, config_of
from etsopt.presenting.documents.document import Figure, Head, ShownTable, Table, parts_by, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from etsopt.presenting.documents.document import Block, Document

ROWS = 25
"""Rows of a table with a search box that are shown at a time."""

FEW_ROWS = 12
"""Rows of such a table in a notebook."""

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

SOURCES = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a page may have beside scripts: its own styles and images, and nothing from elsewhere."""

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
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals["zip"] = zip
    # A title and an attribute have no elements.
    made.filters["plain"] = lambda text: getattr(text, "striptags", lambda: text)()
    return made


def _missing(package: str) -> UsageError:
    return UsageError(
        _("The report needs {package}, which is not installed.", package=package),
        _('Install it: pip install "etsopt[report]"'),
    )


def _file(name: str) -> str:
    return (files("etsopt.presenting.documents") / "templates" / name).read_text(encoding="utf-8")


def embedded(value: Any) -> str:
    r"""Return a value as JSON that is data in a page whatever its texts are.

    >>> embedded("</script>")
    '"\\u003c/script\\u003e"'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(ESCAPES)


def policy_of(*scripts: str, loading: bool = True) -> str:
    """Return the content security policy of a page whose scripts are these, and what they load if they do."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    loaded = " 'strict-dynamic'" if loading else ""
    sources = f"script-src {allowed}{loaded}" if scripts else "script-src 'none'"
    return f"default-src 'none'; {sources}; {SOURCES}"


def printable(make: Callable[[], Document], language: str = "") -> str:
    """Return a page to print as HTML: every text in English, with the Chinese one beside it where that differs.

    Parameters
    ----------
    make
        Returns the document in the language of the moment; it has no charts.
    language
        ``en`` or ``zh`` for a page in one language; empty for both.

    Raises
    ------
    UsageError
        If jinja2 is not installed.
    """
    environment = _environment()
    pages = []
    for one in [language] if language else LANGUAGES:
        with speaking(one):
            pages.append(shown(make(), exact=True))
    template = environment.get_template("print.html")
    # It comes with jinja2.
    from markupsafe import Markup

    text: str = template.render(
        page=_both(pages[0], pages[-1]), lang=language or "en", csp=policy_of(), style=Markup(_file("print.css"))
    )
    return text


def _both(english: Any, chinese: Any) -> Any:
    """Return a part of a document in two languages, of the parts in each; texts that differ become markup."""
    if english == chinese:
        return english
    return _beside(english, chinese) if isinstance(english, str | Head) else parts_by(_both, english, chinese)


@lru_cache(maxsize=1024)
def _beside(english: Any, chinese: Any) -> Any:
    """Return a text as markup with the Chinese one beside it, or a heading of such texts."""
    from markupsafe import Markup

    if isinstance(english, Head):
        return parts_by(_both, english, chinese)
    return Markup('{} <span lang="zh">{}</span>').format(english, chinese)


def page(document: Document, inline: bool = False, template: str = "page.html") -> str:
    """Return the page as HTML in the language of the moment.

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
    missing = _("The chart is drawn by the file {script}, which belongs beside this page.", script=name)
    words = {key: str(text) for key, text in {**WORDS, "missing": missing}.items()}
    settings = {"rows": ROWS, "printed": PRINTED, "config": config_of() | DOWNLOAD, "script": name}
    document = shown(document)
    data = [("settings", settings | {"shown": words["shown"]}), *_data(document)]
    text: str = environment.get_template(template).render(
        page=document,
        lang=LANGUAGE.get(),
        words=words,
        rows=ROWS,
        csp=policy_of(*scripts),
        style=Markup(_file("page.css") + STYLE),
        data=[(key, Markup(embedded(value))) for key, value in data],
        library=Markup(held),
        script=Markup(script),
    )
    return text


def application(body: str, style: str, script: str, title: str, lang: str, **values: Any) -> str:
    """Return a page with a program of its own, which loads nothing.

    Parameters
    ----------
    body
        Template of its contents, which takes the values.
    style
        Its style beside that of every page.

    Raises
    ------
    UsageError
        If jinja2 is not installed.
    """
    environment = _environment()
    # It comes with jinja2.
    from markupsafe import Markup

    text: str = environment.from_string(body).render(
        page={"title": title},
        lang=lang,
        csp=policy_of(script, loading=False),
        style=Markup(_file("page.css") + style),
        data=(),
        library="",
        script=Markup(script),
        **values,
    )
    return text


def fragment(document: Document) -> str:
    """Return header and sections as a part of a page, such as the output of a notebook, without script and charts.

    Raises
    ------
    UsageError
        If jinja2 is not installed.
    """
    template = _environment().get_template("fragment.html")
    sections = (replace(one, blocks=tuple(_still(one.blocks))) for one in document.sections)
    document = shown(replace(document, sections=tuple(one for one in sections if one.blocks)))
    text: str = template.render(page=document, lang=LANGUAGE.get(), rows=FEW_ROWS, words={})
    return text


def _still(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks as they are without a script: no chart, and of a table with a search box the first rows."""
    for block in blocks:
        if isinstance(block, Table) and block.key:
            first, left = block.first(FEW_ROWS)
            notes = [*filter(None, (left, block.note))]
            yield replace(first, note=chain(notes, _("{first} {second}")) if notes else "", key="")
        elif not isinstance(block, Figure):
            yield block


def _data(document: Document) -> Iterator[tuple[str, Any]]:
    """Yield name and content of the data of charts and of tables with a search box."""
    for chart in document.charts:
        for number, panel in enumerate(chart.panels, start=1):
            yield f"plot-{chart.key}-{number}", panel
    for section in document.sections:
        for block in section.blocks:
            if isinstance(block, ShownTable) and block.key:
                kinds = {name: [getattr(head, name) for head in block.columns] for name in ("figures", "alarming")}
                yield f"rows-{block.key}", {"rows": block.rows, **kinds}
