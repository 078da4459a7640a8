"""Official parameters of China's system by sector and compliance year: value, unit, source and confidence.

``official.csv`` beside this file is the table, with a row for each version of a plan or a law;
`etsopt.data.policy.plans` answers what is in force. A compliance year is the year of the emissions; its allowances are
issued and surrendered in the next calendar year. Parameters of a plan belong to the rule named after it, so ``cn-2025``
has those of 2025 in any year; parameters of issuance, carry-over, offsets and fines belong to the compliance year. A
parameter that a policy states replaces the official one, and the result reports it.

The checker does not read this table: `plan` and `power` of `etsopt.checking.readings` state the figures again from
their texts.
"""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etsopt.data.tables.power_columns import COAL_CLASSES

INDUSTRY = ("aluminium", "cement", "steel")
POWER = ("power",)
EVERY_SECTOR = (*INDUSTRY, *POWER)

FIRST_YEAR, LAST_YEAR = 2019, 2026
"""First compliance year of the system, and last year with a plan."""

FIRST_YEAR_OF_INDUSTRY = 2024
"""First compliance year of steel, cement and aluminium."""

GROSS_FROM = 2023
"""First year whose benchmarks of power refer to gross generation; up to 2022 they refer to net supply."""

CLASSES = (*COAL_CLASSES, "IV")
"""Conventional coal from 400 MW, conventional coal below, unconventional coal and circulating fluidised beds, gas."""

FUELS = ("coal", "gas")
"""Fuels whose heat has benchmarks."""

CONFIDENCE = {
    "A": "official text read",
    "B": "independent secondary sources agree",
    "C": "one secondary source, or recalled",
}
"""Meaning of the marks."""

SOURCES = {
    "notice 2025": "MEE, notice on the work of the market in 2025, 环办气候函〔2025〕140号, 11 April 2025, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk06/202504/t20250415_1114934.html",
    "briefing 2025": "MEE press briefing on the 2024 and 2025 plan, and Development Report 2026",
    "plan 2024-2025": "MEE, 2024 and 2025 allocation plan for steel, cement and aluminium smelting, "
    "国环规气候〔2025〕2号, 16 November 2025, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202511/t20251118_1134175.html; quoted by secondary sources, the full "
    "text was not obtained",
    "draft 2026": "MEE, 2025 and 2026 allocation plan (power) and 2026 plan (steel, cement, aluminium), consultation "
    "draft of 27 July 2026, https://www.mee.gov.cn/xxgk2018/xxgk/xxgk06/202607/W020260727570784609523.pdf; it states "
    "that the method of 2025 is unchanged. The final plan of 1 September 2026, 国环规气候〔2026〕1号, "
    "was not compared",
    "power 2019-2020": "MEE, 2019 and 2020 allocation plan for power, 29 December 2020, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202012/W020201230736907121045.pdf; as secondary sources give it. "
    "That the load correction was for condensing units alone one reader of it says; the ministry said that the plan of "
    "2021-2022 changed its range of application",
    "power 2021-2022": "MEE, 2021 and 2022 allocation plan for power, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202303/W020230315687660073734.pdf; as the ICAP summarises it. Its "
    "list of units outside is taken to be that of 2023-2024",
    "power 2023-2024": "MEE, 2023 and 2024 allocation plan for power, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202410/W020241021392230468687.pdf",
    "report 2026": "MEE, Development Report 2026 on the national carbon market, 20 September 2026, "
    "https://www.mee.gov.cn/ywgz/ydqhbh/wsqtkz/202609/W020260920730894576289.pdf",
    "order 775": "Interim Regulations on carbon emissions trading, State Council Order 775, in force from "
    "1 May 2024, https://www.gov.cn/zhengce/zhengceku/202402/content_6930138.htm",
    "amendment 2026": "Ecological and Environmental Code, in force from 15 August 2026, and the amendment of the "
    "Interim Regulations of 8 August 2026, as the Development Report 2026 describes them",
}
"""Sources by their short names in the table."""


@dataclass(frozen=True)
class Official:
    """A row of the table.

    Parameters
    ----------
    system
        System that it belongs to: ``cn``.
    key
        Dotted key of the policy that replaces it.
    sectors
        Sectors to which it applies.
    first_year, last_year
        Compliance years; None if no text ends it.
    value
        Default of the key; the milder end if the text states a range.
    shown
        Wording of the text, for display.
    unit
        Unit of the value.
    source, page
        Key of `SOURCES`, and the page, article or part of it, which every text that was read has.
    status
        ``final`` or ``draft``.
    confidence
        Key of `CONFIDENCE`.
    """

    system: str
    key: str
    sectors: tuple[str, ...]
    first_year: int
    last_year: int | None
    value: Any
    shown: str
    unit: str
    source: str
    page: str
    status: str
    confidence: str

    def holds(self, year: int) -> bool:
        """Return True if it is in force in a compliance year.

        Figures of the last plan count in later years too, which have no plan: rules ask the policy to say so.
        """
        return self.first_year <= year and (self.last_year in (None, LAST_YEAR) or year <= self.last_year)


SECTORS = {"industry": INDUSTRY, "power": POWER, "every": EVERY_SECTOR}
"""Names of several sectors in the table."""

CASES = ("rule.special_cases", "rule.outside_scope")
"""Keys whose value is a list of words."""


def _row(cells: dict[str, str]) -> Official:
    """Return a row of the file; without words of its own a value is shown as it is."""
    value: Any = cells["value"]
    if cells["key"] in CASES:
        value = tuple(value.split())
        shown = ", ".join(value) or "none"
    else:
        # What is no number is a word, such as the name of a load correction.
        with suppress(ValueError):
            value = json.loads(value)
        shown = f"{value:g}" if isinstance(value, float) else cells["value"]
    own = {
        "sectors": SECTORS.get(cells["sectors"], (cells["sectors"],)),
        "first_year": int(cells["first_year"]),
        "last_year": int(cells["last_year"]) if cells["last_year"] else None,
        "value": value,
        "shown": cells["shown"] or shown,
    }
    return Official(**cells | own)


with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as _file:
    OFFICIAL: tuple[Official, ...] = tuple(map(_row, csv.DictReader(_file)))
"""Compliance year t is due on 31 December t + 1: the law of 1 May 2024 fines years from 2023 on, and its amendment of
August 2026 those from 2025 on. In 2019 and 2020 an enterprise of power owed at most its allowances and 20 % of its
emissions, and gas owed at most its allowances; here allowances are raised to the same effect."""
