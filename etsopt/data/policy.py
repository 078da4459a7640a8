"""The policy of an instance: every key of ``policy.toml``, its range and meaning.

Strict: a number is not text, an unknown key is an error, NaN and infinity are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from etsopt.data.market_policy import (
    AbatementPolicy,
    HorizonPolicy,
    MarketPolicy,
    OutputCutPolicy,
    PathwayPolicy,
    PenaltyPolicy,
    SettlementPolicy,
)
from etsopt.data.rule_policy import RulePolicy  # noqa: TC001  pydantic evaluates annotations
from etsopt.data.schema import SECTORS
from etsopt.data.section import CALENDAR, Section, Share
from etsopt.data.words import did_you_mean
from etsopt.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

BEYOND_ONE_YEAR = ("horizon", "abatement", "market", "penalty", "settlement", "pathway")
"""Sections that the allocation of one year does not read."""

LEVELS = ("change", "worst", "deficit", "spread")


class Band(Section):
    """How far a surplus rate (A - E)/E may go: from -lower to +upper."""

    lower: Share = Field(description="largest deficit rate, a fraction of emissions")
    upper: Share = Field(description="largest surplus rate, a fraction of emissions")


def _both_sides(value: object) -> object:
    """Let one number stand for both sides, and judge it as the one number it is."""
    if isinstance(value, dict | Band):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        what = f"is {value!r}, but should be a number from 0 to below 1, or {{lower, upper}}"
        raise ValueError(what, "Correct the value; 0.03 is 3 %.")
    return {"lower": value, "upper": value}


class Target(Section):
    """A limit on a total of allowances, stated in one of several ways."""

    target_change: float | None = Field(None, gt=-1, le=1, description="change against emissions, a fraction")
    target_t: float | None = Field(None, ge=0, description="total of allowances [t]")
    target_sense: Literal["at_most", "exactly"] = Field("at_most", description="limit, or equality")

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        stated = [key for key in type(self).model_fields if key != "target_sense" and key.startswith("target_")]
        given = [key for key in stated if getattr(self, key) is not None]
        if len(given) > 1:
            what = f"states {' and '.join(given)}, but a target is stated in one way only"
            raise ValueError(what, "Keep one of them.")
        return self


class SectorPolicy(Target):
    """A sector: its band, and its target over the units that are not fixed at A = E."""

    band: Annotated[Band, BeforeValidator(_both_sides)] | None = Field(
        None,
        description="band of the surplus rate: one number for both sides, or {lower, upper}; default the rule's",
    )
    target_intensity: float | None = Field(None, gt=0, description="allowances per tonne of output_t [t/t]")


class NationalPolicy(Target):
    """The total of allowances over every unit of every sector, fixed ones included."""


class ProvincePolicy(Section):
    """The balance of a province: |sum of A - E| is at most this share of its emissions."""

    balance: Share | dict[str, Share] | None = Field(None, description="one share for all, or one for each province")


class ExceptionsPolicy(Section):
    """How many units may leave their band, and how far; a side that is no wider than their own leaves it as it is."""

    units: int = Field(0, ge=0, description="how many units may use the wider band")
    lower: Share = Field(0.10, description="largest deficit rate of such a unit, a fraction of emissions")
    upper: Share = Field(0.03, description="largest surplus rate of such a unit, a fraction of emissions")


class AllocationPolicy(Section):
    """What the allocation optimises, in which order, and on what the band stands."""

    objectives: list[Literal["change", "worst", "deficit", "spread"]] = Field(
        ["change", "worst"], description="levels in lexicographic order"
    )
    band_on: Literal["unit", "enterprise"] = Field("unit", description="who stays inside the band")
    fair_order: bool = Field(False, description="a lower intensity never gets a lower surplus rate in its sector")
    whole_allowances: bool = Field(
        False, description="every allowance is a whole number of tonnes; in a fair order the real answer is rounded"
    )
    exceptions: ExceptionsPolicy = Field(
        ExceptionsPolicy(), description="a table: how many units may use a wider band, and which"
    )

    @property
    def rounds(self) -> bool:
        """Whether real allowances are rounded: an order of rates is one before rounding, which no whole tonnes keep."""
        return self.fair_order and self.whole_allowances

    @model_validator(mode="after")
    def _each_level_once(self) -> Self:
        if len(set(self.objectives)) < len(self.objectives):
            raise ValueError("names a level of objectives twice", "Keep one of them.")
        return self

    @model_validator(mode="after")
    def _no_exceptions_before_rounding(self) -> Self:
        if self.rounds and self.exceptions.units:
            what = "asks for fair_order, whole_allowances and exceptions at once; rounding may need other exceptions"
            raise ValueError(what, "Leave out one of the three.")
        return self


class Policy(Section):
    """The whole of ``policy.toml``."""

    year: Annotated[int, CALENDAR] = Field(description="compliance year of the tables")
    rule: RulePolicy
    sectors: dict[Literal[SECTORS], SectorPolicy] = Field(default_factory=dict)  # type: ignore[valid-type]
    provinces: ProvincePolicy = ProvincePolicy(balance=None)
    national: NationalPolicy | None = None
    allocation: AllocationPolicy = AllocationPolicy()
    horizon: HorizonPolicy = HorizonPolicy()
    abatement: AbatementPolicy = AbatementPolicy()
    market: MarketPolicy = MarketPolicy()
    penalty: PenaltyPolicy = PenaltyPolicy()
    settlement: SettlementPolicy = SettlementPolicy()
    pathway: PathwayPolicy = PathwayPolicy()

    @property
    def content(self) -> dict[str, Any]:
        """Every key as a plain value, with its default where it is not stated.

        Of the sections beyond one year's allocation only what differs from its default: a policy that is silent on
        them is the policy it was before there were such sections.
        """
        content = self.model_dump(mode="json", exclude=set(BEYOND_ONE_YEAR))
        for name in BEYOND_ONE_YEAR:
            if stated := getattr(self, name).model_dump(mode="json", exclude_defaults=True):
                content[name] = stated
        return content

    @property
    def years(self) -> list[int]:
        """Compliance years of the horizon."""
        first = self.year if self.horizon.first_year is None else self.horizon.first_year
        last = first if self.horizon.last_year is None else self.horizon.last_year
        return list(range(first, last + 1))

    @property
    def price_year(self) -> int:
        """The year whose CNY every amount is in."""
        return self.year if self.horizon.price_year is None else self.horizon.price_year


SECTIONS: dict[str, type[BaseModel]] = {
    "": Policy,
    "sectors": SectorPolicy,
    "national": NationalPolicy,
    "provinces": ProvincePolicy,
    "allocation": AllocationPolicy,
    "horizon": HorizonPolicy,
    "abatement": AbatementPolicy,
    "market": MarketPolicy,
    "penalty": PenaltyPolicy,
    "settlement": SettlementPolicy,
    "pathway": PathwayPolicy,
}

SECTIONS_BELOW: dict[str, type[BaseModel]] = {
    "band": Band,
    "exceptions": ExceptionsPolicy,
    "output_cut": OutputCutPolicy,
}
"""Tables inside a section, by their key."""

NO_KEY = re.compile(r"(function-|constrained-|dict\[|literal\[).*|\[key\]|float|int")
"""Pydantic's names of the forms that a value may have; they stand among the keys of a failure's location."""


def parse_policy(content: Mapping[str, Any], place: str = "policy.toml") -> Policy:
    """Turn the content of a policy file into a policy.

    Raises
    ------
    DataError
        Lists every key that is unknown, missing, of the wrong type or out of its range.
    """
    try:
        return Policy.model_validate(dict(content))
    except ValidationError as error:
        raise DataError("The policy", problems_of(error, place)) from None


def problems_of(error: ValidationError, place: str, prefix: str = "") -> list[Problem]:
    """Say in words of the policy file what pydantic found."""
    found: dict[str, list[Any]] = {}
    for item in error.errors(include_url=False):
        steps = [prefix, *(str(step) for step in item["loc"])]
        key = ".".join(step for step in steps if step and not NO_KEY.fullmatch(step))
        found.setdefault(key or "the file", []).append(item)
    return [
        _problem_of_key(key, items, place)
        for key, items in found.items()
        # Each form that a value may have reports a failure of its own; one that got further says what is wrong.
        if not (items[0]["type"].endswith("_type") and any(other.startswith(f"{key}.") for other in found))
    ]


def _problem_of_key(key: str, items: list[Any], place: str) -> Problem:
    """Make one problem of all that was found of a key: several items are the forms it may have."""
    kind, stated = items[0]["type"], items[0]["input"]
    parent, _, name = key.rpartition(".")
    if kind == "extra_forbidden":
        steps = parent.split(".")
        below = [SECTIONS_BELOW[step] for step in steps[1:] if step in SECTIONS_BELOW]
        section = below[-1] if below else SECTIONS.get(steps[0])
        keys = list(section.model_fields) if section else []
        advice = f"{did_you_mean(name, keys)}The keys there are {', '.join(keys)}."
        return Problem(place, "is not a key of the policy", advice, key)
    if kind == "missing":
        advice = "Add the key; instances/README.md and `etsopt rules` list what it may hold."
        return Problem(place, "is missing", advice, key)
    if kind == "literal_error" and items[0]["loc"][-1] == "[key]":
        advice = f"{did_you_mean(name, SECTORS)}The sectors are {', '.join(SECTORS)}."
        return Problem(place, f"{name!r} is not a sector", advice, key)
    if own := [item for item in items if item["type"] == "value_error"]:
        # What a check of ours says of one form goes before what pydantic says of the others.
        what, advice = own[0]["ctx"]["error"].args
        return Problem(place, what, advice, key)
    wanted = " or ".join(
        "a table" if item["type"] in ("dict_type", "model_type") else item["msg"].removeprefix("Input should be ")
        for item in items
    )
    quoted = isinstance(stated, str) and kind in ("int_type", "float_type", "bool_type")
    advice = "Write the value without quotes." if quoted else "Correct the value."
    return Problem(place, f"is {stated!r}, but should be {wanted}", advice, key)


def changed(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """Return a policy with some keys changed, each named by its dotted path.

    Stating a target removes the one that stood there before, in whichever way it was stated.

    Raises
    ------
    DataError
        Where a key is unknown or a value out of its range, or a path leads below a value that stands for all.
    """
    content = policy.model_dump(exclude_unset=True)
    for path, value in changes.items():
        *parents, key = path.split(".")
        table = content
        for depth, parent in enumerate(parents, 1):
            nested = table.get(parent)
            if nested is not None and not isinstance(nested, dict):
                # Taking its place with a table of one key would silently drop what it says of all the others.
                above, below = ".".join(parents[:depth]), ".".join([*parents, key][depth:])
                what = f"is the one value {nested!r}, so there is no {below!r} in it to change"
                advice = f"Set {above} itself; where it may be a table, give one for all."
                raise DataError("The policy", [Problem("the changed policy", what, advice, above)])
            table[parent] = dict(nested or {})
            table = table[parent]
        if key in ("target_change", "target_intensity", "target_t"):
            for other in ("target_change", "target_intensity", "target_t"):
                table.pop(other, None)
        table[key] = value
    return parse_policy(content, "the changed policy")
