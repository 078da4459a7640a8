"""Parameters that every rule of the registry has; each adds its own."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from etsopt.data.schema import SECTORS, SPECIAL_CASES
from etsopt.data.section import Amount, YearlyFraction  # noqa: TC001  pydantic evaluates annotations


class Parameters(BaseModel):
    """What every rule's section of the policy may state."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    threshold_tco2e: float = Field(0.0, ge=0, description="enterprises below it get A = E [tCO2e]")
    special_cases: tuple[Literal[SPECIAL_CASES], ...] = Field(  # type: ignore[valid-type]
        SPECIAL_CASES, strict=False, description="cases that get A = E; of a plan only those that it has"
    )
    carbide_slag_limit: float | None = Field(
        None,
        ge=0,
        le=1,
        description="carbide_slag_rate above which a clinker line is the special case carbide_slag; default the year's",
    )
    pre_allocation_share: YearlyFraction | None = Field(
        None,
        description="share of last year's verified emissions issued in advance, by compliance year; default the "
        "official one of sector and year",
    )
    carry_over_base_t: Amount | dict[Literal[SECTORS], Amount] | None = Field(  # type: ignore[valid-type]
        None,
        description="allowances of 2019-2024 that an enterprise may carry over whatever it sold [t], one number or one "
        "by sector; default the official one",
    )
    carry_over_factor: float | None = Field(
        None, ge=0, description="what it may carry over for each tonne sold net [t/t]; default the official one"
    )
