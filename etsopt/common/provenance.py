"""Provenance of a result: all that decides or explains an answer, as ``result.json`` states it.

Rules and running make it, results keep it, ``result.json`` is written from it and validated by it, and whoever tells of
a result reads it by attribute.
"""

# Annotations are objects here, and no strings: pydantic would evaluate each, for which every solve would wait.

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FILE = "result.json"
"""File of a run that states the provenance of its result."""


class Part(BaseModel):
    """A part whose values have their types, without conversion, and whose numbers are finite."""

    # Most parts are only ever validated within the whole.
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Options(Part):
    """Options of the solve."""

    time_limit_s: float | None = Field(None, description="seconds for the whole solve; null for no limit")
    gap: float = Field(0.0, ge=0, lt=1, description="relative gap at which a mixed-integer program may stop")
    solver_options: dict[str, str | bool | int | float | None] = Field({}, description="options of HiGHS by name")


class OwnParameter(Part):
    """A parameter of the policy that differs from the official one."""

    key: str = Field(description="dotted key of the policy")
    sectors: list[str] = Field(description="sectors in which they differ")
    years: list[int] = Field(description="years in which they differ")
    official: str = Field(description="official value, in the wording of its text")
    here: Any = Field(description="value of the policy")
    unit: str = Field(description="unit of both")
    source: str = Field(description="source of the official value")


class EmissionsStatus(Part):
    """Emissions of which some are not verified."""

    units: dict[str, int] = Field(description="number of units by the status of their emissions")
    not_verified_tco2e: float = Field(description="emissions that are not verified, as they are taken [tCO2e]")
    not_verified_as_accounted_tco2e: float = Field(description="the same, as they were accounted [tCO2e]")


class BesideOfficial(Part):
    """A sector whose emissions are far from the official total."""

    sector: str = Field(description="the sector")
    emissions_tco2e: float = Field(description="emissions of the table [tCO2e]")
    official_tco2e: float = Field(description="official total of the nation [tCO2e]")
    year: int = Field(description="year of that total")


class BalanceFromOutside(Part):
    """A balance value that the policy states."""

    sector: str = Field(description="the sector")
    balance_value: float | dict[str, float] = Field(description="one value, two ends, or values by year [t/t]")
    source: str | None = Field(None, description="source that the policy states")
    mark: str | None = Field(None, description="mark of its reliability that the policy states")


class Coverage(Part):
    """Coverage of the nation by the table."""

    covers: Literal["nation", "part", "unknown"] = Field(description="what the table covers")
    alone: list[str] = Field([], description="sectors whose balance value is of these units alone")
    beside: list[BesideOfficial] = Field([], description="sectors far from the official total")
    stated: list[BalanceFromOutside] = Field([], description="balance values from outside")


class CarryOverBase(Part):
    """A base of carry-over that is chosen."""

    enterprise: str = Field(description="an enterprise with units of several sectors")
    sector: str = Field(description="sector whose base is taken")


class Holders(Part):
    """Enterprises whose holdings are counted by a choice."""

    without_units: list[str] = Field([], description="enterprises of the table that have no unit")
    carry_over: list[CarryOverBase] = Field([], description="bases of carry-over that are chosen")


class UnusualIntensity(Part):
    """A sector whose usual intensity is unlike that of its kind."""

    sector: str = Field(description="the sector")
    intensity: float = Field(description="median of its units [tCO2e/t]")
    usual: float = Field(description="intensity that is usual [tCO2e/t]")


class FarIntensities(Part):
    """Units whose intensities are far from the others of their sector."""

    sector: str = Field(description="the sector")
    intensity: float = Field(description="median of its units [tCO2e/t]")
    units: list[str] = Field(description="the units")


class OpenMonths(Part):
    """Months of a unit that open findings of screening or review put in doubt."""

    unit: str = Field(description="the unit")
    months: list[str] = Field(description="the months")
    rate: float = Field(description="share of the year that is in doubt")


class MissingMonths(Part):
    """Months of a unit without a report, without which its year is."""

    unit: str = Field(description="the unit")
    months: list[str] = Field(description="the months")


class Doubts(Part):
    """Figures that are probably false."""

    sectors: list[UnusualIntensity] = Field([], description="sectors whose units are all unlike those of their kind")
    intensities: list[FarIntensities] = Field([], description="units far from the others of their sector")
    idle: list[str] = Field([], description="units with output and without emissions")
    months: list[OpenMonths] = Field([], description="months of monthly reports with open findings")
    missing: list[MissingMonths] = Field([], description="months without a report")


class Versions(Part):
    """Versions that decide an answer."""

    etsopt: str = ""
    pyomo: str = ""
    highspy: str = ""
    numpy: str = ""
    pandas: str = ""
    scipy: str = ""
    python: str = ""


class Component(Part):
    """A component of the formulation of a model file."""

    kind: str = Field(description="its kind in Pyomo")
    name: str = Field(description="its name")
    doc: str = Field(description="what the file says of it")


class RuleTerm(Part):
    """A term of a rule from outside the package."""

    name: str = Field(description="its name")
    source: str = Field(description="its source, as the rule states it")


class OwnRule(Part):
    """A rule from outside the package, whose reference allowances are taken as given."""

    name: str = Field(description="its name")
    source: str = Field(description="its source, as the file states it")
    parameters: dict[str, Any] = Field(description="its parameters in the policy")
    terms: list[RuleTerm] = Field([], description="terms of which its allowances are made")
    file: str = Field("", description="name of its file")
    sha256: str = Field("", description="SHA-256 of its file")


class BandMove(Part):
    """References that a band moves."""

    lower: float = Field(description="largest deficit rate of the band")
    upper: float = Field(description="largest surplus rate of the band")
    units: int = Field(description="number of units that it moves")
    tonnes: float = Field(description="tonnes from their references to the band [t]")


class Provenance(Part):
    """Provenance of a result, in the order of the file; a part that is null states nothing."""

    model: str = Field(description="name of the model")
    method: str = Field("", description="method by which it was solved")
    method_reason: str = Field("", description="reason for that method")
    instance: str = Field(description="name of the instance")
    instance_hash: str = Field(description="SHA-256 over every cell of its tables and every key of its policy")
    policy: dict[str, Any] = Field(description="the policy, key by key")
    own_parameters: list[OwnParameter] = Field([], description="parameters that differ from the official ones")
    options: Options = Field(description="options of the solve")
    seed: int = Field(0, description="seed of the random choices of the solver")
    emissions: EmissionsStatus | None = Field(None, description="emissions that are not verified; null if all are")
    coverage: Coverage | None = Field(None, description="coverage of the nation, where policy or rule speak of one")
    holders: Holders | None = Field(None, description="enterprises whose holdings are counted by a choice")
    doubts: Doubts | None = Field(None, description="figures that are probably false")
    assumed: dict[str, list[str]] | None = Field(None, description="what was assumed of the user's file, in words")
    versions: Versions = Field(Versions(), description="versions that decide an answer")
    seconds: dict[str, float] = Field({}, description="seconds of each stage")
    formulation: list[Component] | None = Field(None, description="what a model file says of its components")
    conflict_is_least: bool | None = Field(None, description="true if all rows that conflict are needed for it")
    stopped_at: str | None = Field(None, description="the model to start from, if that has no optimum")
    ignored: list[str] = Field([], description="keys of the policy that the model does not read")
    own_rule: OwnRule | None = Field(None, description="rule from outside the package")
    moved_by_band: list[BandMove] | None = Field(None, description="references that bands move, by band")

    def as_json(self) -> dict[str, Any]:
        """Return plain values, as the file has them: a key that was not stated, or states nothing, is left out."""
        return {key: value for key, value in self.model_dump(exclude_unset=True).items() if value is not None}
