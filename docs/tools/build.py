"""Build the documentation site: `python -m docs.tools.build [--out DIR] [--links] [--skip-notebooks]`.

Sources are the pages of `docs/en` and `docs/zh`, those of the repository, and those made from the code. Both languages
are one command, every warning is an error, and every link and anchor of the site has to exist.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

from docs.tools import api, commands, dictionary, items, links, models, published, rules
from docs.tools.copies import copied
from docs.tools.notebooks import write_pages as write_notebooks

DOCS = Path(__file__).parents[1]
LANGUAGES = {"en": "en", "zh": "zh_CN"}
START = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="0; url=en/index.html">
<title>etsopt</title>
</head>
<body><p><a href="en/index.html">English</a> <a href="zh/index.html" lang="zh-CN">中文</a></p></body>
</html>
"""


def write_sources(target: Path, *, notebooks: bool = True) -> None:
    """Write all sources of both languages: pages by hand, and pages made from the code."""
    shutil.rmtree(target, ignore_errors=True)
    for language in LANGUAGES:
        copied(DOCS / language, target / language)
        if (DOCS / "pictures").is_dir():
            copied(DOCS / "pictures", target / language / "pictures")
    _link_to_english(target / "zh")
    english = target / "en"
    for part in (published, models, rules, dictionary, items, commands, api):
        part.write_pages(english)
    write_notebooks(english, execute=notebooks)


def _link_to_english(chinese: Path) -> None:
    """Make links such as `[...](en:models/index#methods)` of Chinese pages lead to the English site beside it."""
    for page in chinese.rglob("*.md"):
        up = "../" * (len(page.relative_to(chinese).parts))
        link = rf'<a href="{up}en/\2.html\3" hreflang="en">\1</a>'
        text = re.sub(r"\[([^\]]+)\]\(en:([^)#]+)(#[^)]*)?\)", link, page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8")


def build(out: Path, builder: str = "html", *, notebooks: bool = True) -> int:
    """Build both languages below a folder; return 0 if no page has a warning and no link leads nowhere."""
    from sphinx.cmd.build import main as sphinx

    write_sources(out / "source", notebooks=notebooks)
    statuses = []
    for name, code in LANGUAGES.items():
        arguments = ["-q", "-b", builder, "-c", str(DOCS), "-D", f"language={code}", "-d", str(out / "doctrees" / name)]
        # Links to other hosts may fail for a while; the builder lists all of them.
        strict = ["-W", "--keep-going"] if builder == "html" else []
        statuses.append(sphinx([*arguments, *strict, str(out / "source" / name), str(out / builder / name)]))
    if any(statuses):
        return max(statuses)
    if builder != "html":
        return 0
    (out / "html" / "index.html").write_text(START, encoding="utf-8")
    found = links.problems(out / "html")
    for line in found:
        print(line, file=sys.stderr)
    return int(bool(found))


def main(arguments: list[str] | None = None) -> int:
    """Build the site and return 0 if all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DOCS / "_build", help="folder of the site")
    parser.add_argument("--links", action="store_true", help="check links to other hosts, with a network")
    parser.add_argument("--skip-notebooks", action="store_true", help="show notebooks without their outputs")
    options = parser.parse_args(arguments)
    return build(options.out, "linkcheck" if options.links else "html", notebooks=not options.skip_notebooks)


if __name__ == "__main__":
    sys.exit(main())
