"""Section ``[rule]`` of a policy: the rule of the reference allowances, its parameters and its scope."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from etsopt.data.tables.schema import SPECIAL_CASES  # noqa: TC001  pydantic evaluates annotations


class RulePolicy(BaseModel):
    """The rule of the reference allowances; other keys are parameters of the rule itself."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, allow_inf_nan=False)

    name: str = Field(description="name of the rule; `etsopt rules` lists them")
    outside_scope: list[Literal[SPECIAL_CASES]] | None = Field(  # type: ignore[valid-type]
        None,
        description="cases whose units are outside the scope of the allocation: allowance and obligation 0, in no "
        "total; default that of the plan, new and closed up to 2025, none from 2026 on",
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """The stated parameters of the rule; others have the rule's defaults."""
        return dict(self.model_extra or {})
