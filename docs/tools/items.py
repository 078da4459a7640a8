"""The page of where a monthly quantity belongs: items by sector, process and direction, from the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from etsopt.accounting.vocabulary import ALLOWED, FLOWS, FUELS, ITEMS, OWN_GASES, PROCESSES_OF
from etsopt.common.language import joined, pgettext, speaking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = "how-to/items"


class Words(NamedTuple):
    """The words of the page in a language: title with what is said first, headings, and names of groups of items."""

    head: str
    columns: tuple[str, ...]
    fuels: str
    fuels_but: str
    deductions: str


WORDS = {
    "en": Words(
        "# Items by process and direction\n\n"
        "A row of [monthly reports](monthly-reports.md) states process, item and flow (direction). Reading refuses any "
        "other combination. Crude steel has two rows: a product of the converter or electric furnace, and leaving the "
        "enterprise, which is the output of the unit.",
        ("sector", "process", "direction", "items"),
        "all fuels",
        "all fuels but own gases",
        "raw materials without carbonates",
    ),
    "zh": Words(
        "# 品种、工序与方向对照表\n\n"
        "月度数据每行写明工序、燃料或物料、方向；其他组合读取时一律拒绝。粗钢填两行：转炉或电炉工序的“产品”，以及“企业”的“输出”，后者即该单元的产品产量。",
        ("行业", "工序", "方向", "燃料、物料或产品"),
        "各种燃料",
        "除自产煤气外的各种燃料",
        "各种不含碳酸盐的替代原料",
    ),
}


def table(words: Words) -> Iterator[str]:
    """Yield the lines of the table in the language of the moment."""
    yield f"| {' | '.join(words.columns)} |"
    yield f"| {' | '.join('---' for _column in words.columns)} |"
    for sector, processes in PROCESSES_OF.items():
        for process in processes:
            for flow in FLOWS:
                if items := ALLOWED.get((process, flow)):
                    place = (pgettext(name, code) for name, code in (("process", process), ("flow", flow)))
                    cells = [pgettext("sector", sector), *place, joined(_listed(items, words))]
                    yield f"| {' | '.join(map(str, cells))} |"


def _listed(items: tuple[str, ...], words: Words) -> Iterator[str]:
    """Yield the items of a process and direction, those of a whole group by its name."""
    entering = tuple(name for name in FUELS if name not in OWN_GASES)
    deductions = tuple(name for name, item in ITEMS.items() if item.kind == "deduction")
    groups = ((FUELS, words.fuels), (entering, words.fuels_but), (deductions, words.deductions))
    left = list(dict.fromkeys(items))
    for group, name in groups:
        if {*group} <= {*left}:
            yield name
            left = [item for item in left if item not in group]
    yield from (str(pgettext("item", name)).replace("_", " ") for name in left)


def write_pages(target: Path) -> None:
    """Write the page into the folder of English sources, and into that of Chinese ones beside it."""
    for language, words in WORDS.items():
        with speaking(language):
            text = "\n".join([words.head, "", *table(words), ""])
        file = target.parent / language / f"{PAGE}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
