"""The policy of an instance: every key of ``policy.toml``, its range and meaning.

Validation is strict: a number is not text, an unknown key is an error, NaN and infinity are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

from etsopt.data.policy.allocation import (
    ONE_VALUE,
    UNSTATED,
    AllocationPolicy,
    Band,
    NationalPolicy,
    ProvincePolicy,
    SectorPolicy,
)
from etsopt.data.policy.investment import InvestmentPolicy
from etsopt.data.policy.market import (
    AbatementPolicy,
    CompliancePolicy,
    HorizonPolicy,
    MarketPolicy,
    OutlookPolicy,
    PathwayPolicy,
    PenaltyPolicy,
)
from etsopt.data.policy.official import POWER
from etsopt.data.policy.plans import NATIONAL, cases_of_plan, plan_year, uses_balance_value
from etsopt.data.policy.review_plan import ReviewPlanPolicy
from etsopt.data.policy.rule import RulePolicy
from etsopt.data.policy.section import CALENDAR, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

MULTI_YEAR_SECTIONS = (
    "horizon",
    "abatement",
    "market",
    "penalty",
    "compliance",
    "pathway",
    "outlook",
    "review_plan",
    "investment",
)
"""Sections that the allocation of one year does not read."""

BALANCED = ("cn-2024", "cn-2025", "cn-2026")
"""Rules whose allowances add up to the emissions of each sector, which are then the default target but in 2024."""


class Policy(Section):
    """The whole of ``policy.toml``."""

    year: Annotated[int, CALENDAR] = Field(description="compliance year of the tables")
    coverage: Literal["nation", "part"] | None = Field(
        None,
        description="nation: the table has every unit of its sectors, so that balance values, totals and prices follow "
        "from it; part: they are from outside. Without it a result says how far emissions are from official totals",
    )
    rule: RulePolicy
    sectors: dict[str, SectorPolicy] = Field(default_factory=dict)
    provinces: ProvincePolicy = ProvincePolicy(balance=None)
    national: NationalPolicy | None = None
    allocation: AllocationPolicy = AllocationPolicy()
    horizon: HorizonPolicy = HorizonPolicy()
    abatement: AbatementPolicy = AbatementPolicy()
    market: MarketPolicy = MarketPolicy()
    penalty: PenaltyPolicy = PenaltyPolicy()
    compliance: CompliancePolicy = CompliancePolicy()
    pathway: PathwayPolicy = PathwayPolicy()
    outlook: OutlookPolicy = OutlookPolicy()
    review_plan: ReviewPlanPolicy = ReviewPlanPolicy()
    investment: InvestmentPolicy = InvestmentPolicy()

    @property
    def content(self) -> dict[str, Any]:
        """Every key as a plain value, with its default where it is not stated.

        Sections beyond one year's allocation, what names a province, coverage, balance values, a band of all sectors
        and the tie-break are there only where they are not the default, so that a policy without them has the hash that
        it had before they existed.
        """
        content = self.model_dump(mode="json", exclude=set(MULTI_YEAR_SECTIONS))
        if content["provinces"]["names"] == "official":
            del content["provinces"]["names"]
        if content["coverage"] is None:
            del content["coverage"]
        if content["allocation"]["band"] is None:
            del content["allocation"]["band"]
        if content["allocation"]["tie_break"] == "least_squares":
            del content["allocation"]["tie_break"]
        for name, section in content["sectors"].items():
            section["target_sense"] = self.target_sense_of(name)
            for key in [key for key in section if key.startswith("balance_value") and section[key] is None]:
                del section[key]
        for name in MULTI_YEAR_SECTIONS:
            if stated := getattr(self, name).model_dump(mode="json", exclude_defaults=True):
                content[name] = stated
        return content

    @property
    def stated_keys(self) -> list[str]:
        """Dotted paths of all keys that are stated, in order; a value by year, province or side of a band is one."""
        return sorted(_stated_keys(self, ""))

    def target_sense_of(self, sector: str) -> str:
        """Return the sense of a sector's target: at_most, exactly, or none if it has no target."""
        section = self.sectors.get(sector, UNSTATED)
        if section.target_sense is not None:
            return section.target_sense
        balanced = uses_balance_value(self.rule.name, sector, self.year) and not self.states_balance_value(sector)
        return "at_most" if section.target_keys or balanced else "none"

    def band_of(self, sector: str) -> Band | None:
        """Return the stated band of a sector, its own or that of all; None if the rule's holds."""
        own = self.sectors.get(sector, UNSTATED).band
        return self.allocation.band if own is None else own

    @property
    def follows_plan(self) -> bool:
        """True if the rule is a plan of China's system, whose allowances follow the output of the year."""
        return self.rule.name in (*BALANCED, NATIONAL)

    @property
    def names_provinces_of_china(self) -> bool:
        """True if every province has to be one of China's."""
        return plan_year(self.rule.name, self.year) is not None and self.provinces.names == "official"

    def balances(self, sector: str) -> bool:
        """Return True if the rule's allowances of a sector add up to its emissions, which are then its target."""
        by_rule = self.rule.name in BALANCED or (self.rule.name == NATIONAL and sector not in POWER)
        return by_rule and not self.states_balance_value(sector)

    def states_balance_value(self, sector: str) -> bool:
        """Return True if a sector's balance value comes from outside the tables."""
        return self.sectors.get(sector, UNSTATED).balance_value is not None

    def cases_outside(self, sector: str, year: int | None = None) -> tuple[str, ...]:
        """Return the special cases outside the scope: the stated ones, else those of the plan of sector and year."""
        if self.rule.outside_scope is not None:
            return tuple(self.rule.outside_scope)
        return cases_of_plan("outside_scope", self.rule.name, sector, year or self.year) or ()

    @property
    def years(self) -> list[int]:
        """Compliance years of the horizon."""
        first = self.year if self.horizon.first_year is None else self.horizon.first_year
        last = first if self.horizon.last_year is None else self.horizon.last_year
        return list(range(first, last + 1))

    @property
    def price_year(self) -> int:
        """Price year of every amount in CNY."""
        return self.year if self.horizon.price_year is None else self.horizon.price_year


def _stated_keys(section: BaseModel, path: str) -> Iterator[str]:
    """Iterate over the dotted stated keys of a section and its subsections."""
    for key in section.model_fields_set:
        value, path_of_key = getattr(section, key), f"{path}{key}"
        below = value if isinstance(value, dict) else {"": value}
        for name, part in below.items():
            if isinstance(part, BaseModel) and not isinstance(part, ONE_VALUE):
                yield from _stated_keys(part, f"{path_of_key}.{name}." if name else f"{path_of_key}.")
            elif value is not None:
                yield path_of_key
                break


CAP_KEYS = ("cap_from", "cap_t")
"""Keys of the pathway that may state an absolute cap."""
