"""Parameters that all rules of the registry have; each rule may add others."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from etsopt.common.language import _
from etsopt.data.policy.section import Amount, YearlyFraction  # noqa: TC001  pydantic evaluates annotations
from etsopt.data.tables.schema import SECTORS, SPECIAL_CASES


class Parameters(BaseModel):
    """Parameters of every rule, stated in section ``[rule]`` of the policy."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    threshold_tco2e: float = Field(0.0, ge=0, description=_("enterprises with lower emissions get A = E [tCO2e]"))
    special_cases: tuple[Literal[SPECIAL_CASES], ...] | None = Field(  # type: ignore[valid-type]
        SPECIAL_CASES, strict=False, description=_("cases with A = E; default those of the plan, or all")
    )
    carbide_slag_limit: float | None = Field(
        None,
        ge=0,
        le=1,
        description=_(
            "carbide_slag_rate above which a clinker line is the special case carbide_slag; default the year's"
        ),
    )
    pre_allocation_share: YearlyFraction | None = Field(
        None,
        description=_(
            "share of last year's verified emissions that is pre-allocated, by compliance year; default the "
            "official one of sector and year"
        ),
    )
    carry_over_base_t: Amount | dict[Literal[SECTORS], Amount] | None = Field(  # type: ignore[valid-type]
        None,
        description=_(
            "allowances of 2019-2024 that an enterprise may carry over without net sales [t], one number or by "
            "sector; default the official one"
        ),
    )
    carry_over_factor: float | None = Field(
        None,
        ge=0,
        description=_("allowances that it may carry over per tonne of net sales [t/t]; default the official one"),
    )
