"""The pages of the documentation site: their examples run, everything has its page, and both languages agree."""

import re
from pathlib import Path

import pytest

import etsopt
from docs.tools import api, build, commands, examples, items, links, models, published, rules
from docs.tools.examples_of_rules import EXAMPLES
from etsopt.accounting.vocabulary import ALLOWED
from etsopt.rules import RULES
from etsopt.running import library

DOCS = Path(__file__).parents[2] / "docs"
LATER = {"en/how-to/store.md", "en/how-to/large-instances.md"} | {
    f"{tree}/tutorials/{page}.md" for tree in ("en", "zh") for page in ("price-to-2035", "twenty-scenarios")
}
"""Pages whose examples `make docs-check` alone runs, since they take seconds."""
TRANSLATED = ("faq.md", "tutorials/my-plants.md", "tutorials/price-to-2035.md", "tutorials/twenty-scenarios.md")


def name(page: Path) -> str:
    """Path of a page below the folder of the site."""
    return page.relative_to(DOCS).as_posix()


@pytest.mark.everyday("en/start.md", "zh/faq.md")
@pytest.mark.parametrize("page", [page for page in examples.pages() if name(page) not in LATER], ids=name)
def test_the_examples_of_a_page_run_and_print_what_it_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    before = dict(RULES)
    try:
        assert examples.run_page(page) > 0
    finally:
        # A rule of a page's own is none of the package for the tests after it.
        RULES.clear()
        RULES.update(before)


def test_an_example_that_prints_something_else_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1)\nprint(2)\n```\n\n```text\n2\n1\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="not printed, or not in this order: 1"):
        examples.run_page(page)
    page.write_text("```sh\netsopt solve tiny # exit code 3\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="ended with 0"):
        examples.run_page(page)


def test_every_rule_has_an_example_that_etsopt_computes_as_the_hand_does() -> None:
    packaged = {key for key, rule in RULES.items() if not rule.own}
    assert packaged == {*EXAMPLES} == {*rules.FORMULAS}
    for rule, found in EXAMPLES.items():
        for example in found:
            assert rules.answer(rule, example) == example.by_hand


def test_every_process_and_direction_is_on_the_page_of_items_in_both_languages(tmp_path: Path) -> None:
    items.write_pages(tmp_path / "en")
    for language, steel, sold in (("en", "steel", "crude steel"), ("zh", "钢铁", "粗钢")):
        page = (tmp_path / language / "how-to" / "items.md").read_text(encoding="utf-8")
        rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ")][2:]
        assert len(rows) == len(ALLOWED)
        assert sum(row[0] == f"| {steel}" and sold in row[3] for row in rows) == 6


def test_a_wrong_example_of_a_rule_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = EXAMPLES["cn-2024"]
    monkeypatch.setitem(example.units, "emissions_tco2e", [830_001, 8_030_000])
    with pytest.raises(ValueError, match=r"gives \[830001.0, 8030000.0\] and not \[830000, 8030000\]"):
        rules.answer("cn-2024", example)


def test_every_model_rule_command_and_public_name_has_its_page(tmp_path: Path) -> None:
    for part in (models, rules, commands, api):
        part.write_pages(tmp_path)
    for model in library.names():
        page = (tmp_path / "models" / f"{model}.md").read_text(encoding="utf-8")
        # The first line of a docstring, and an equation unless nothing is optimised.
        assert page.startswith(f"# {model}\n\n**")
        assert f"({model}.md)" in (tmp_path / "models" / "index.md").read_text(encoding="utf-8")
    for rule in EXAMPLES:
        assert (tmp_path / "rules" / f"{rule}.md").read_text(encoding="utf-8").startswith(f"# {rule}\n")
    reference = (tmp_path / "reference" / "commands.md").read_text(encoding="utf-8")
    for command in commands.commands():
        assert f"\n## etsopt {command}\n" in reference
    described = "".join(page.read_text(encoding="utf-8") for page in (tmp_path / "api").glob("*.md"))
    for public in (*etsopt.__all__, *(f"accounting.{name}" for name in etsopt.accounting.__all__)):
        assert re.search(rf"^\.\. auto\w+:: etsopt\.{re.escape(public)}$|^## {public.split('.')[-1]}$", described, re.M)


def test_a_public_name_without_a_page_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etsopt, "__all__", [*etsopt.__all__, "accounting"])
    monkeypatch.setattr(api, "errors", list)
    with pytest.raises(ValueError, match="public names without a page"):
        api.pages()


def test_every_figure_of_a_plan_has_its_mark_on_the_page_of_the_rule(tmp_path: Path) -> None:
    rules.write_pages(tmp_path)
    for rule in ("cn", "cn-2024", "cn-2025", "cn-2026"):
        page = (tmp_path / "rules" / f"{rule}.md").read_text(encoding="utf-8")
        figures = [line for line in page.partition("## Official figures")[2].splitlines() if line.startswith("| `")]
        assert figures
        assert [
            line
            for line in figures
            if not re.search(r"\*\*\[[ABC]\]\*\* (?:draft|final) \| \d+(?:, [\w\d ,–-]+)? \|$", line)
        ] == []


def test_every_equation_of_a_model_is_left_to_mathjax_with_its_name() -> None:
    for name_of_model, text in models.BOOK["models"]().items():
        page = models.mathematics(text)
        tags = re.findall(r"\\tag\{([^}]+)\}", text)
        assert [tag.replace("\\_", "_") for tag in re.findall(r"\\tag\{([^}]+)\}", page)] == tags, name_of_model
        assert page.count(":no-wrap:") == text.count("$$") // 2


def test_links_of_published_pages_lead_to_pages_or_say_the_file(tmp_path: Path) -> None:
    text = (
        "[a](../models/README.md#allocation) [b](../CONTRIBUTING.md) [c](build_cn_2025.py) [d](#here) [e](https://f.g)"
    )
    found = published.linked(text, "instances/README.md", "reference/data", tmp_path)
    assert found.split(" ") == [
        "[a](../models/allocation.md)",
        "[b](../developing/index.md)",
        "c",
        "(`instances/build_cn_2025.py`)",
        "[d](#here)",
        "[e](https://f.g)",
    ]


def test_the_page_of_every_folder_is_published() -> None:
    root = DOCS.parent
    found = {path.relative_to(root).as_posix() for path in (root / "etsopt").rglob("README.md")}
    assert found <= {*published.PAGES}
    contents = (DOCS / "en" / "index.md").read_text(encoding="utf-8")
    pages = [page for page in published.PAGES.values() if not re.match(r"instances/|decisions/\d", page)]
    assert [page for page in pages if f"{page}>" not in contents and f"\n{page}\n" not in contents] == []


def test_no_link_within_the_site_is_dead(tmp_path: Path) -> None:
    build.write_sources(tmp_path, notebooks=False)
    dead, seen = [], 0
    for page in tmp_path.rglob("*.md"):
        text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
        # Links in Markdown, and those of Chinese pages to English ones, which are in HTML.
        found = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'<a href="([^"#]+)\.html', text)
        for target in found:
            seen += 1
            files = (page.parent / target, page.parent / f"{target}.md")
            if "://" not in target and not any(file.is_file() for file in files):
                dead.append(f"{page.relative_to(tmp_path)}: {target}")
    assert dead == []
    assert seen > 200


def test_dead_links_and_addresses_outside_are_found_in_built_pages(tmp_path: Path) -> None:
    (tmp_path / "there.html").write_text('<h1 id="top">There</h1>', encoding="utf-8")
    (tmp_path / "page.html").write_text(
        '<a href="there.html#top">1</a> <a href="there.html#gone">2</a> <a href="gone.html">3</a> <a href="#me">4</a>'
        '<a href="https://example.org">5</a> <img src="https://example.org/a.png"> <script src="gone.js"></script>',
        encoding="utf-8",
    )
    assert links.problems(tmp_path) == [
        "page.html: loads https://example.org/a.png",
        "page.html: there.html#gone has no such anchor",
        "page.html: gone.html is no file",
        "page.html: #me has no such anchor",
        "page.html: gone.js is no file",
    ]


def test_the_chinese_page_of_models_has_every_model_and_only_names_that_there_are() -> None:
    page = (DOCS / "zh" / "models.md").read_text(encoding="utf-8")
    parts = dict(part.split("\n", 1) for part in page.split("\n## ")[1:])
    assert {*parts} == {*library.names()}
    book = models.BOOK["models"]()
    for model, part in parts.items():
        assert f"en:models/{model}" in part
        tags = {tag for found in re.findall(r"\\tag\{([^}]+)\}", book[model]) for tag in found.split(", ")}
        assert {*re.findall(r"（`(\w+)`）", part)} <= tags | {"tightening", "paid_share"}, model


def test_the_chinese_page_of_rules_has_every_rule() -> None:
    page = (DOCS / "zh" / "rules.md").read_text(encoding="utf-8")
    table = "".join(line for line in page.splitlines() if line.startswith("| `"))
    assert {*re.findall(r"`([a-z0-9-]+)`", table)} == {key for key, rule in RULES.items() if not rule.own}


@pytest.mark.parametrize("page", TRANSLATED)
def test_the_chinese_page_runs_the_commands_of_the_english_one(page: str) -> None:
    def run(tree: str) -> list[str]:
        text = (DOCS / tree / page).read_text(encoding="utf-8")
        return [re.sub(r" --lang zh", "", line) for line in re.findall(r"^etsopt .*", text, re.MULTILINE)]

    # A Chinese page may show fewer.
    assert set(run("zh")) <= set(run("en"))
    assert run("zh") or page == "tutorials/twenty-scenarios.md"


@pytest.mark.parametrize("page", ["concepts.md", *TRANSLATED])
def test_the_chinese_page_states_no_figure_that_the_english_one_does_not(page: str) -> None:
    def figures(tree: str) -> set[str]:
        text = (DOCS / tree / page).read_text(encoding="utf-8")
        # Lines shown are compared with those printed.
        prose = text if tree == "en" else re.sub(r"^```text\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
        found = re.findall(r"\d[\d,._]*\d", prose)
        return {number.replace(",", "").replace("_", "") for number in found}

    # 10.31 hundred million tonnes and 2.6 ten thousand tonnes are 1,031 Mt and 26,000 t in English.
    assert {number for number in figures("zh") - figures("en") if len(number) > 3} <= {"10.31"}


def test_a_page_that_is_missing_in_a_checkout_is_made_and_the_folder_says_of_what() -> None:
    said = re.findall(r"`([a-z/.-]+)`(?=[^|]*\|)", (DOCS / "README.md").read_text(encoding="utf-8"))
    tops = tuple(one if one.endswith(".md") else f"{one}/" for one in said)
    for language in ("en", "zh"):
        for page in (DOCS / language).rglob("*.md"):
            for link in re.findall(r"\]\(([^):#\s]+\.md)", page.read_text(encoding="utf-8")):
                target = (page.parent / link).resolve()
                made = target.relative_to(DOCS / language).as_posix()
                assert target.is_file() or made.startswith(tops), (name(page), link)
