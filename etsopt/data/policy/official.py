"""Official parameters of China's system by sector and compliance year: value, unit, source and confidence.

`etsopt.data.policy.power_plans` has those of the plans for power; `etsopt.data.policy.plans` answers which of both
tables are in force. A compliance year is the year of the emissions; its allowances are issued and
surrendered in the next calendar year. Parameters of a plan belong to the rule named after it, so ``cn-2025`` has those
of 2025 in any year; parameters of issuance, carry-over, offsets and fines belong to the compliance year. A parameter
that a policy states replaces the official one, and the result reports it.

The checker does not read this table: `etsopt.readings.plan` states the figures again from their texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from etsopt.data.tables.schema import INDUSTRY_CASES

INDUSTRY = ("aluminium", "cement", "steel")
POWER = ("power",)
EVERY_SECTOR = (*INDUSTRY, *POWER)

CONFIDENCE = {
    "A": "official text read",
    "B": "independent secondary sources agree",
    "C": "one secondary source, or recalled",
}
"""Meaning of the marks."""

SOURCES = {
    "work plan": "MEE, work plan for steel, cement and aluminium smelting, 20 March 2025, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202503/t20250326_1104736.html",
    "briefing 2025": "MEE press briefing on the 2024 and 2025 plan, and Development Report 2026, pages 14-15",
    "plan 2024-2025": "MEE, 2024 and 2025 allocation plan for steel, cement and aluminium smelting, "
    "国环规气候〔2025〕2号, 16 November 2025, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202511/t20251118_1134175.html; quoted by secondary sources, the full "
    "text was not obtained",
    "draft 2026": "MEE, 2025 and 2026 allocation plan (power) and 2026 plan (steel, cement, aluminium), consultation "
    "draft of 27 July 2026, https://www.mee.gov.cn/xxgk2018/xxgk/xxgk06/202607/W020260727570784609523.pdf; it states "
    "that the method of 2025 is unchanged. The final plan of 1 September 2026 was not compared",
    "power 2019-2020": "MEE, 2019 and 2020 allocation plan for power, 29 December 2020, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202012/W020201230736907121045.pdf; as secondary sources give it",
    "power 2021-2022": "MEE, 2021 and 2022 allocation plan for power, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202303/W020230315687660073734.pdf; as the ICAP summarises it",
    "power 2023-2024": "MEE, 2023 and 2024 allocation plan for power, with annex 5 on carry-over, "
    "https://www.mee.gov.cn/xxgk2018/xxgk/xxgk03/202410/W020241021392230468687.pdf",
    "report 2026": "MEE, Development Report 2026 on the national carbon market, 20 September 2026, "
    "https://www.mee.gov.cn/ywgz/ydqhbh/wsqtkz/202609/W020260920730894576289.pdf",
    "order 775": "Interim Regulations on carbon emissions trading, State Council Order 775, article 24, in force from "
    "1 May 2024, https://www.gov.cn/zhengce/zhengceku/202402/content_6930138.htm",
    "amendment 2026": "Ecological and Environmental Code, in force from 15 August 2026, and the amendment of the "
    "Interim Regulations of 8 August 2026, as the Development Report 2026, pages 16-17, describes them",
}
"""Sources by their short names in the table."""


@dataclass(frozen=True)
class Official:
    """A row of the table.

    Parameters
    ----------
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
    source, confidence
        Keys of `SOURCES` and `CONFIDENCE`.
    """

    key: str
    sectors: tuple[str, ...]
    first_year: int
    last_year: int | None
    value: Any
    shown: str
    unit: str
    source: str
    confidence: str

    def holds(self, year: int) -> bool:
        """Return True if it is in force in a compliance year."""
        return self.first_year <= year and (self.last_year is None or year <= self.last_year)


_KILNS = ("white_clinker", "carbide_slag", "gypsum_acid")

OFFICIAL: tuple[Official, ...] = (
    Official("rule.slope", INDUSTRY, 2025, None, 0.15, "0.15", "rate", "draft 2026", "A"),
    Official("rule.cap", INDUSTRY, 2025, None, 0.03, "0.03", "rate", "draft 2026", "A"),
    Official("rule.balance_value_decimals", INDUSTRY, 2025, None, "none", "none stated", "", "draft 2026", "A"),
    Official("rule.threshold_tco2e", EVERY_SECTOR, 2024, None, 26_000.0, "26,000", "tCO2e", "work plan", "A"),
    Official("rule.special_cases", INDUSTRY, 2024, 2025, _KILNS, ", ".join(_KILNS), "", "plan 2024-2025", "C"),
    Official(
        "rule.special_cases", INDUSTRY, 2026, None, INDUSTRY_CASES, ", ".join(INDUSTRY_CASES), "", "draft 2026", "A"
    ),
    Official("rule.outside_scope", INDUSTRY, 2024, 2025, ("new", "closed"), "new, closed", "", "plan 2024-2025", "B"),
    Official("rule.outside_scope", INDUSTRY, 2026, None, (), "none", "", "draft 2026", "A"),
    Official("rule.carbide_slag_limit", ("cement",), 2024, 2025, 0.15, "0.15", "fraction", "plan 2024-2025", "C"),
    Official("rule.carbide_slag_limit", ("cement",), 2026, None, 0.30, "0.30", "fraction", "draft 2026", "A"),
    Official("rule.pre_allocation_share", INDUSTRY, 2024, 2024, 0.0, "none", "fraction", "briefing 2025", "A"),
    Official("rule.pre_allocation_share", INDUSTRY, 2025, 2025, 0.70, "0.70", "fraction", "plan 2024-2025", "C"),
    Official("rule.pre_allocation_share", INDUSTRY, 2026, None, 0.50, "at most 0.50", "fraction", "draft 2026", "A"),
    Official("rule.pre_allocation_share", POWER, 2021, 2022, 0.70, "0.70", "fraction", "power 2021-2022", "B"),
    Official("rule.pre_allocation_share", POWER, 2023, 2024, 0.70, "0.70", "fraction", "power 2023-2024", "A"),
    Official("rule.pre_allocation_share", POWER, 2025, None, 0.50, "at most 0.50", "fraction", "draft 2026", "A"),
    Official("rule.carry_over_base_t", INDUSTRY, 2025, 2025, 100_000.0, "100,000", "t", "plan 2024-2025", "C"),
    Official("rule.carry_over_base_t", POWER, 2025, 2025, 10_000.0, "10,000", "t", "power 2023-2024", "A"),
    Official("rule.carry_over_base_t", EVERY_SECTOR, 2026, None, 0.0, "ended 10 June 2026", "t", "report 2026", "A"),
    Official("rule.carry_over_factor", INDUSTRY, 2025, 2025, 1.5, "1.5", "t/t", "plan 2024-2025", "C"),
    Official("rule.carry_over_factor", POWER, 2025, 2025, 1.5, "1.5", "t/t", "power 2023-2024", "A"),
    Official("rule.carry_over_factor", EVERY_SECTOR, 2026, None, 0.0, "ended 10 June 2026", "", "report 2026", "A"),
    Official("market.ccer_share", EVERY_SECTOR, 2019, None, 0.05, "at most 0.05", "fraction", "report 2026", "A"),
    Official("penalty.multiple", EVERY_SECTOR, 2023, None, 5.0, "5 to 10", "x price", "order 775", "A"),
    Official("penalty.fixed_fine_cny", EVERY_SECTOR, 2023, 2024, 0.0, "none", "CNY", "order 775", "A"),
    Official(
        "penalty.fixed_fine_cny", EVERY_SECTOR, 2025, None, 1e6, "1,000,000 to 5,000,000", "CNY", "amendment 2026", "A"
    ),
    Official("penalty.deduction_share", EVERY_SECTOR, 2023, 2024, 1.0, "all of it", "fraction", "order 775", "A"),
    Official("penalty.deduction_share", EVERY_SECTOR, 2025, None, 0.0, "none", "fraction", "amendment 2026", "A"),
)
"""Compliance year t is due on 31 December t + 1: the law of 1 May 2024 fines years from 2023 on, and its amendment of
August 2026 those from 2025 on."""
