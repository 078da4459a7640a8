"""Section of the policy on the plan of reviews: days of reviewers, least numbers, draws and travel, by level."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from etsopt.common.language import _
from etsopt.data.policy.section import Amount, Fraction, Section


def _provinces(table: object) -> object:
    """Refuse an empty table, which would silently mean no limit."""
    if table == {}:
        raise ValueError(
            _("names no province"), _("State one number for every province, or a province with its number.")
        )
    return table


class ReviewLevelPolicy(Section):
    """Reviewers of a level, in each province."""

    days: Amount | Annotated[dict[str, Amount], BeforeValidator(_provinces)] | None = Field(
        None,
        description="reviewer days in each province: one number, or a table with every province; default no limit",
    )
    effort: float = Field(
        1.0, ge=0.01, le=100, description="days of a review at this level, relative to review_days of the enterprise"
    )
    travel_days: Amount = Field(0.0, description="days once for each city that reviewers of this level visit")


class SampledLevelPolicy(ReviewLevelPolicy):
    """Reviewers of a level that sees a part of the enterprises."""

    least_share: Fraction = Field(0.0, description="least share of the enterprises to review, rounded up")
    least: int = Field(0, ge=0, description="least number of enterprises to review; the larger of both holds")
    drawn_share: Fraction = Field(0.0, description="share of the enterprises that is drawn at random, rounded up")
    drawn: int = Field(0, ge=0, description="number of enterprises drawn at random; the larger of both holds")


class NationalReviewPolicy(SampledLevelPolicy):
    """Reviewers of the national level, who serve all provinces; numbers and shares are of the whole country."""

    days: Amount | None = Field(None, description="reviewer days for all provinces together; default no limit")


class ReviewPlanPolicy(Section):
    """A plan of reviews: every enterprise at the municipal level, more at the provincial, a sample at the national."""

    days_per_review: float = Field(
        1.0, ge=0.01, le=10_000, description="days of a review where enterprises.csv states no review_days"
    )
    seed: int = Field(1, ge=0, description="seed of the draws; anyone can repeat them")
    drawn_by: Literal["size", "equal"] = Field(
        "size", description="chance of an enterprise to be drawn: by its emissions, or the same for each"
    )
    municipal: ReviewLevelPolicy = ReviewLevelPolicy()
    provincial: SampledLevelPolicy = SampledLevelPolicy()
    national: NationalReviewPolicy = NationalReviewPolicy()
