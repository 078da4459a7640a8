"""Settings of Sphinx for both languages; `python -m docs.tools.build` passes the language and the sources."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "models")]

from etsopt import __version__  # noqa: E402

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "etsopt"
author = "The etsopt developers"
project_copyright = "The etsopt developers, Apache-2.0"
version = release = __version__
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
# `etsopt solve` prints from 80 columns on, so a block of output never wraps.
copybutton_exclude = ".linenos, .go"
default_role = "literal"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
python_use_unqualified_type_names = True
napoleon_google_docstring = False
napoleon_use_rtype = False
# External links are checked by `make docs-links`, with a network.
linkcheck_timeout = 20
linkcheck_retries = 2

templates_path = [str(Path(__file__).parent / "templates")]
html_theme = "furo"
html_title = "etsopt"
html_static_path = [str(Path(__file__).parent / "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_last_updated_fmt = None
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
pygments_style = "default"
pygments_dark_style = "monokai"

# A copy of MathJax 3 lies beside the pages: no page asks another host for anything.
mathjax_path = "mathjax/tex-chtml-full.js"
mathjax3_config = {"chtml": {"displayAlign": "left", "displayIndent": "1em"}, "options": {"enableMenu": False}}


def _copy_mathjax(app: Sphinx, exception: Exception | None) -> None:
    """Copy the one file of MathJax that the pages load, and its fonts, beside them."""
    if exception is not None or app.builder.format != "html":
        return
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    if found is None or found.origin is None:
        raise RuntimeError("The package sphinx-mathjax-offline is missing.\n\nInstall the dependency group `docs`.")
    source = Path(found.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for name in ("tex-chtml-full.js", "output/chtml/fonts/woff-v2"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            shutil.copy2(source / name, target / name)


def _offer_other_language(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object
) -> None:
    """Give the template of the language switch the address of this page in the other language, or of its start page."""
    other = "zh" if app.config.language == "en" else "en"
    has_twin = (Path(app.srcdir).parent / other / f"{pagename}.md").is_file()
    up = "../" * (pagename.count("/") + 1)
    context["other_language"] = other
    context["other_page"] = f"{up}{other}/{pagename if has_twin else 'index'}.html"


def setup(app: Sphinx) -> None:
    """Connect the copy of MathJax, the language switch and the search in Chinese."""
    from docs.tools.chinese_search import PairsOfCharacters

    app.add_search_language(PairsOfCharacters)
    app.connect("build-finished", _copy_mathjax)
    app.connect("html-page-context", _offer_other_language)
